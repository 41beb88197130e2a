package emit

import (
	"regexp"

	"github.com/dave/jennifer/jen"

	"iamserver/codegen/model"
)

func (g *generator) errorPath() string { return module + "/generated/" + g.service.Errors }

// errorPackage writes the codes and the constructors of their messages.
func (g *generator) errorPackage() {
	s := g.service
	if s.Errors == "" || len(s.Codes) == 0 {
		return
	}
	f := goFile(g.errorPath(), "spec/"+s.Name+"/errors.yaml")
	f.PackageComment("// Package " + s.Errors + " holds the error codes of " + s.Title + " and the")
	f.PackageComment("// sentences that go with them. It says what is answered, not when.")
	f.Comment("The error codes, with the HTTP status of the answer and who is at fault.")
	f.Var().DefsFunc(func(d *jen.Group) {
		for _, c := range s.Codes {
			d.Add(comment(c.Name + ": " + lowerFirst(c.Description)))
			d.Id(c.Name).Op("=").Qual(pkgError, "Code").Values(
				jen.Id("Name").Op(":").Lit(c.Name), jen.Id("Status").Op(":").Lit(c.Status), jen.Id("Fault").Op(":").Qual(pkgError, c.Fault),
			)
		}
	}).Line()
	for _, c := range s.Codes {
		for _, m := range c.Messages {
			f.Add(constructor(c, m)).Line()
		}
	}
	g.write(s.Errors, "errors", f)
}

var placeholder = regexp.MustCompile(`\{([A-Z][A-Za-z0-9]*)\}`)

// constructor emits
//
//	func UserNotFound(userName string) *apierror.Error {
//		return NoSuchEntity.New("The user with name " + userName + " cannot be found.")
//	}
func constructor(c *model.ErrorCode, m model.Message) *jen.Statement {
	var parameters []jen.Code
	seen := map[string]bool{}
	sentence := jen.Null()
	plus := func(part *jen.Statement) {
		if len(*sentence) > 1 {
			sentence.Op("+")
		}
		sentence.Add(part)
	}
	rest := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(m.Text, -1) {
		if at[0] > rest {
			plus(jen.Lit(m.Text[rest:at[0]]))
		}
		name := lowerFirst(m.Text[at[2]:at[3]])
		plus(jen.Id(name))
		if !seen[name] {
			seen[name] = true
			parameters = append(parameters, jen.Id(name))
		}
		rest = at[1]
	}
	if rest < len(m.Text) || rest == 0 {
		plus(jen.Lit(m.Text[rest:]))
	}
	params := jen.Params()
	if len(parameters) > 0 {
		params = jen.Params(jen.List(parameters...).String())
	}
	return jen.Add(comment(m.Name+" returns "+c.Name+": "+m.Text)).Line().
		Func().Id(m.Name).Add(params).Op("*").Qual(pkgError, "Error").Block(
		jen.Return(jen.Id(c.Name).Dot("New").Call(sentence)),
	)
}
