package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"iamserver/codegen/reference"
)

const (
	pkgCatalogue = module + "/runtime/catalogue"
	pkgReference = module + "/generated/reference"
)

// Reference returns the package reference, with a file for each service, and
// docs/condition-keys.md; nothing for an empty reference.
func Reference(r *reference.Reference) (Files, error) {
	files := Files{}
	if len(r.Services) == 0 {
		return files, nil
	}
	g := &generator{files: files}
	g.catalogue(r)
	for _, s := range r.Services {
		f := goFile(pkgReference, "spec/"+s.File)
		f.ImportName(pkgCatalogue, "catalogue")
		serviceKeys(f, s)
		serviceSets(f, s)
		serviceResources(f, s)
		serviceActions(f, s)
		g.write("reference", s.Name, f)
	}
	files["docs/condition-keys.md"] = []byte(conditionKeys(r))
	return files, g.err
}

// catalogue emits
//
//	var Catalogue = catalogue.New(
//		slices.Concat(iamActions, s3Actions),
//		…
//	)
func (g *generator) catalogue(r *reference.Reference) {
	f := goFile(pkgReference, "spec/*/"+reference.File)
	f.ImportName(pkgCatalogue, "catalogue")
	f.PackageComment("// Package reference holds what policies can name: the actions of each service,")
	f.PackageComment("// the types of resources and the condition keys. It decides nothing.")
	f.Comment("Catalogue is all of it.")
	all := func(what string, has func(s *reference.Service) bool) jen.Code {
		return jen.Qual("slices", "Concat").CallFunc(func(c *jen.Group) {
			for _, s := range r.Services {
				if has(s) {
					c.Id(s.Name + what)
				}
			}
		})
	}
	f.Var().Id("Catalogue").Op("=").Qual(pkgCatalogue, "New").Custom(
		jen.Options{Open: "(", Close: ")", Separator: ",", Multi: true},
		all("Actions", func(s *reference.Service) bool { return len(s.Actions) > 0 }),
		all("Resources", func(s *reference.Service) bool { return len(s.Resources) > 0 }),
		all("Keys", func(s *reference.Service) bool { return len(s.Keys) > 0 }),
	)
	g.write("reference", "reference", f)
}

// serviceKeys emits
//
//	var iamKeys = []catalogue.Key{
//		{Name: "iam:PolicyARN", Type: catalogue.ARN},
//	}
func serviceKeys(f *jen.File, s *reference.Service) {
	var rows []jen.Code
	for _, k := range s.Keys {
		fields := []jen.Code{field("Name", jen.Lit(k.Name)), field("Type", jen.Qual(pkgCatalogue, keyType(k.Type)))}
		fields = flag(fields, "Many", k.Many)
		fields = flag(fields, "Listed", k.Listed)
		fields = flag(fields, "Absent", k.Absent != "")
		rows = append(rows, jen.Values(fields...))
	}
	table(f, s.Name+"Keys", "Key", rows)
}

// keyType turns ip into IP.
func keyType(name string) string {
	if name == "ip" || name == "arn" {
		return strings.ToUpper(name)
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// serviceSets emits
//
//	var iamTags = []string{
//		"aws:TagKeys",
//	}
func serviceSets(f *jen.File, s *reference.Service) {
	for _, set := range s.Sets {
		var keys []jen.Code
		for _, k := range set.Keys {
			keys = append(keys, jen.Lit(k))
		}
		f.Var().Id(setName(s, set.Name)).Op("=").Index().String().Add(block(keys...)).Line()
	}
}

// setName turns the set access-point of s3 into s3AccessPoint.
func setName(s *reference.Service, set string) string {
	return s.Name + valueName(set)
}

// serviceResources emits
//
//	var iamResources = []catalogue.Resource{
//		{Service: "iam", Name: "group", ARN: "arn:${Partition}:iam::${Account}:group/${GroupNameWithPath}"},
//	}
func serviceResources(f *jen.File, s *reference.Service) {
	var rows []jen.Code
	for _, r := range s.Resources {
		fields := []jen.Code{field("Service", jen.Lit(s.Name)), field("Name", jen.Lit(r.Name)), field("ARN", jen.Lit(r.ARN))}
		if len(r.Keys) > 0 {
			fields = append(fields, field("Keys", stringSlice(r.Keys)))
		}
		rows = append(rows, jen.Values(fields...))
	}
	table(f, s.Name+"Resources", "Resource", rows)
}

// serviceActions emits
//
//	var iamActions = []catalogue.Action{
//		{Service: "iam", Name: "CreateUser", Access: action.Write, Resources: []string{"user"}, Keys: slices.Concat(iamTags, []string{"iam:PermissionsBoundary"})},
//	}
func serviceActions(f *jen.File, s *reference.Service) {
	var rows []jen.Code
	for _, a := range s.Actions {
		fields := []jen.Code{field("Service", jen.Lit(s.Name)), field("Name", jen.Lit(a.Name)), field("Access", jen.Qual(pkgActs, a.Access))}
		if len(a.Resources) > 0 {
			fields = append(fields, field("Resources", stringSlice(a.Resources)))
		}
		if len(a.Keys) > 0 {
			fields = append(fields, field("Keys", actionKeys(s, a)))
		}
		fields = flag(fields, "Extension", a.Extension)
		rows = append(rows, jen.Values(fields...))
	}
	table(f, s.Name+"Actions", "Action", rows)
}

func actionKeys(s *reference.Service, a *reference.Action) *jen.Statement {
	var parts []jen.Code
	for _, set := range a.Sets {
		parts = append(parts, jen.Id(setName(s, set)))
	}
	if len(a.Own) > 0 {
		parts = append(parts, stringSlice(a.Own))
	}
	if len(parts) == 1 {
		return jen.Add(parts[0])
	}
	return jen.Qual("slices", "Concat").Call(parts...)
}

func table(f *jen.File, name, row string, rows []jen.Code) {
	if len(rows) > 0 {
		f.Var().Id(name).Op("=").Index().Qual(pkgCatalogue, row).Add(block(rows...)).Line()
	}
}

func field(name string, value jen.Code) jen.Code { return jen.Id(name).Op(":").Add(value) }

func flag(fields []jen.Code, name string, set bool) []jen.Code {
	if set {
		return append(fields, field(name, jen.True()))
	}
	return fields
}
