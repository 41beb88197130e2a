package emit

import (
	"path"
	"strings"

	"github.com/dave/jennifer/jen"

	"iamserver/codegen/model"
)

// shapes writes the structures, sensitive strings and enumerations of each
// file under shapes/, as shapes_FILE.go.
func (g *generator) shapes() {
	files := map[string]*jen.File{}
	file := func(source string) *jen.File {
		if files[source] == nil {
			files[source] = g.file(source)
		}
		return files[source]
	}
	for _, s := range g.service.Scalars {
		if s.Sensitive {
			sensitive(file(s.File), s)
		}
		if len(s.Enum) > 0 {
			file(s.File).Add(enumeration(s)).Line()
		}
	}
	for _, s := range g.service.Shapes {
		f := file(s.File)
		f.Add(comment(shapeDoc(s)))
		f.Add(structType(s)).Line()
		if s.InInput {
			f.Add(parseShape(s)).Line()
			f.Add(comment("Validate adds to v every constraint of the specification that s breaks."))
			f.Add(validateMethod(s, "s")).Line()
		}
		if s.InOutput {
			f.Add(comment("EncodeXML writes the members of s in the order of the specification."))
			f.Add(encodeMethod(s, "s", "")).Line()
		}
	}
	for _, l := range g.service.Lists {
		if l.Unique != nil && l.InInput {
			g.uniqueKey(file(l.File), l)
		}
	}
	for source, f := range files {
		g.write(g.service.Package, "shapes_"+strings.TrimSuffix(path.Base(source), ".yaml"), f)
	}
}

func shapeDoc(s *model.Structure) string {
	if s.Doc == "" {
		return s.Name + " is a structure of the API."
	}
	return s.Name + " is " + lowerFirst(s.Doc)
}

// sensitive emits a string type that no log, and no formatting verb, shows.
func sensitive(f *jen.File, s *model.Scalar) {
	f.Add(comment(s.Name + " is a secret: it prints as REDACTED, and only a conversion to string gives it away."))
	f.Type().Id(s.Name).String().Line()
	method := func(name string, result *jen.Statement) {
		f.Add(comment(name + " returns REDACTED."))
		f.Func().Params(jen.Id(s.Name)).Id(name).Params().Add(result).Line()
	}
	redacted := jen.Lit("REDACTED")
	method("String", jen.String().Block(jen.Return(redacted)))
	method("GoString", jen.String().Block(jen.Return(redacted)))
	method("LogValue", jen.Qual("log/slog", "Value").Block(jen.Return(jen.Qual("log/slog", "StringValue").Call(redacted))))
	method("MarshalText", jen.Params(jen.Index().Byte(), jen.Error()).Block(jen.Return(jen.Index().Byte().Parens(redacted), jen.Nil())))
}

// enumeration emits
//
//	const (
//		StatusActive   = "Active"
//		StatusInactive = "Inactive"
//	)
func enumeration(s *model.Scalar) *jen.Statement {
	return jen.Add(comment("The values of " + s.Name + ".")).Line().Const().DefsFunc(func(g *jen.Group) {
		for _, e := range s.Enum {
			g.Id(s.Name + valueName(e)).Op("=").Lit(e)
		}
	})
}

// valueName turns the value aws-managed into AwsManaged.
func valueName(value string) string {
	var name []string
	for part := range strings.SplitSeq(value, "-") {
		name = append(name, strings.ToUpper(part[:1])+part[1:])
	}
	return strings.Join(name, "")
}

// uniqueKey emits, for a list whose items must differ in a member,
//
//	func keyTagList(item *Tag) string { return item.Key }
//
//	var errUniqueTagList = iamerr.DuplicateTagKeys()
func (g *generator) uniqueKey(f *jen.File, l *model.Sequence) {
	f.Func().Id("key" + l.Name).Params(jen.Id("item").Op("*").Id(l.Elem.Struct.Name)).String().Block(
		jen.Return(jen.Id("item").Dot(l.Unique.Member)),
	).Line()
	f.Var().Id("errUnique"+l.Name).Op("=").Qual(g.errorPath(), l.Unique.Error).Call().Line()
}

// patterns writes the patterns and value sets that inputs are checked against.
//
//	var (
//		patternUserName = validate.MustPattern(`[\w+=,.@-]+`)
//	)
func (g *generator) patterns() {
	f := g.file(g.service.File)
	patterns, enums := []jen.Code{}, []jen.Code{}
	for _, s := range g.service.Scalars {
		if !g.inInput(s) {
			continue
		}
		if s.Pattern != "" {
			patterns = append(patterns, jen.Id("pattern"+s.Name).Op("=").Add(pattern(s)))
		}
		if len(s.Enum) > 0 {
			enums = append(enums, jen.Id("enum"+s.Name).Op("=").Add(stringSlice(s.Enum)))
		}
	}
	limits := g.limits()
	if len(patterns)+len(enums)+len(limits) == 0 {
		return
	}
	if len(limits) > 0 {
		f.Comment("The most items that lists of the specification may have.")
		f.Const().Defs(limits...).Line()
	}
	if len(patterns) > 0 {
		f.Comment("The patterns of the specification, anchored at both ends.")
		f.Var().Defs(patterns...).Line()
	}
	if len(enums) > 0 {
		f.Comment("The value sets of the specification.")
		f.Var().Defs(enums...)
	}
	g.write(g.service.Package, "patterns", f)
}

// limits emits, for each list with a limit,
//
//	MaxTagList = 50
func (g *generator) limits() []jen.Code {
	var limits []jen.Code
	for _, l := range g.service.Lists {
		if l.Max != nil {
			limits = append(limits, jen.Id("Max"+l.Name).Op("=").Lit(*l.Max))
		}
	}
	return limits
}

func pattern(s *model.Scalar) *jen.Statement {
	p := jen.Qual(pkgValid, "MustPattern").Call(raw(s.Pattern))
	if s.AWSPattern != "" {
		p.Dot("Quoted").Call(raw(s.AWSPattern))
	}
	if s.Message != "" {
		p.Dot("Message").Call(jen.Lit(s.Message))
	}
	return p
}

// raw is a literal in back quotes, in which patterns read as they are written.
func raw(s string) *jen.Statement {
	if strings.Contains(s, "`") {
		return jen.Lit(s)
	}
	return jen.Op("`" + s + "`")
}

// inInput tells whether some request is checked against s.
func (g *generator) inInput(s *model.Scalar) bool {
	uses := func(structure *model.Structure) bool {
		for _, m := range structure.Members {
			if m.Type.Scalar == s || (m.Type.Elem != nil && m.Type.Elem.Scalar == s) {
				return true
			}
		}
		return false
	}
	for _, a := range g.service.Actions {
		if uses(a.Input) {
			return true
		}
	}
	for _, shape := range g.service.Shapes {
		if shape.InInput && uses(shape) {
			return true
		}
	}
	return false
}
