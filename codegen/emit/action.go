package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"iamserver/codegen/model"
)

// action writes the file of one action: its row of the table, then input,
// Parse, Validate and Resources, then output and EncodeXML.
func (g *generator) action(a *model.Action) {
	f := g.file(a.File)
	f.Add(info(a)).Line()

	f.Add(comment(a.Name + "Request is the input of " + a.Name + ", which " + lowerFirst(a.Summary)))
	f.Add(structType(a.Input)).Line()
	f.Add(comment("Parse" + a.Name + " reads a " + a.Name + "Request from the parameters of a request."))
	f.Add(parseAction(a)).Line()
	f.Add(comment("Validate adds to v every constraint of the specification that r breaks."))
	f.Add(validateMethod(a.Input, "r")).Line()
	f.Add(resources(a)).Line()
	if keys := conditionKeysMethod(a); keys != nil {
		f.Add(keys).Line()
	}

	f.Add(outputType(a)).Line()
	f.Add(comment("EncodeXML writes the members of r in the order of the specification."))
	if a.Output != nil {
		f.Add(encodeMethod(a.Output, "r", a.Name)).Line()
		f.Add(encodePartial(a))
	} else {
		f.Func().Params(jen.Op("*").Id(a.Name + "Response")).Id("EncodeXML").Params(jen.Op("*").Qual(pkgXML, "Writer")).Block()
	}
	g.write(g.service.Package, snake(a.Name), f)
}

func infoName(a *model.Action) string { return "info" + a.Name }

// info emits
//
//	var infoCreateUser = action.Info{
//		Name:   "CreateUser",
//		Access: action.Write,
//	}
func info(a *model.Action) *jen.Statement {
	fields := []jen.Code{
		jen.Id("Name").Op(":").Lit(a.Name),
		jen.Id("Access").Op(":").Qual(pkgActs, a.Access),
	}
	flag := func(name string, set bool) {
		if set {
			fields = append(fields, jen.Id(name).Op(":").True())
		}
	}
	flag("SelfService", a.SelfService)
	flag("ImplicitSubject", a.ImplicitSubject != "")
	flag("Extension", a.Extension != "")
	flag("HasResult", a.Output != nil)
	list := func(name string, values []string) {
		if len(values) > 0 {
			fields = append(fields, jen.Id(name).Op(":").Add(stringSlice(values)))
		}
	}
	list("ConditionKeys", a.ConditionKeys)
	list("Errors", a.Errors)
	return jen.Var().Id(infoName(a)).Op("=").Qual(pkgActs, "Info").Add(block(fields...))
}

// parseAction emits
//
//	func ParseCreateUser(d *awsquery.Decoder) *CreateUserRequest {
//		return &CreateUserRequest{
//			Path:     d.StringOr("Path", "/"),
//			UserName: d.Required("UserName"),
//		}
//	}
func parseAction(a *model.Action) *jen.Statement {
	d := jen.Id("d")
	if len(a.Input.Members) == 0 {
		d = jen.Null()
	}
	return jen.Func().Id("Parse" + a.Name).Params(d.Op("*").Qual(pkgQuery, "Decoder")).Op("*").Id(a.Input.Name).Block(
		jen.Return(jen.Op("&").Id(a.Input.Name).Add(parseMembers(a.Input))),
	)
}

// parseShape emits
//
//	func parseTag(d *awsquery.Decoder) Tag {
func parseShape(s *model.Structure) *jen.Statement {
	return jen.Func().Id("parse" + s.Name).Params(jen.Id("d").Op("*").Qual(pkgQuery, "Decoder")).Id(s.Name).Block(
		jen.Return(jen.Id(s.Name).Add(parseMembers(s))),
	)
}

func parseMembers(s *model.Structure) *jen.Statement {
	var fields []jen.Code
	for _, m := range s.Members {
		fields = append(fields, jen.Id(m.Name).Op(":").Add(parseMember(m)))
	}
	if len(fields) == 0 {
		return jen.Values()
	}
	return block(fields...)
}

// parseMember is the call that reads one member: d.Required("UserName"),
// d.IntOr("MaxItems", 100), awsquery.List(d, "Tags", parseTag) and so on.
func parseMember(m *model.Member) *jen.Statement {
	call := func(method string) *jen.Statement { return jen.Id("d").Dot(method).Call(jen.Lit(m.Name)) }
	or := func(method string) *jen.Statement {
		return jen.Id("d").Dot(method).Call(jen.Lit(m.Name), jen.Lit(m.Default))
	}
	list := func(function string, more ...jen.Code) *jen.Statement {
		if m.Required {
			function = "Required" + function
		}
		return jen.Qual(pkgQuery, function).Call(append([]jen.Code{jen.Id("d"), jen.Lit(m.Name)}, more...)...)
	}
	scalar := func(required, optional, withDefault string) *jen.Statement {
		switch {
		case m.Required:
			return call(required)
		case m.Default != nil:
			return or(withDefault)
		default:
			return call(optional)
		}
	}
	switch m.Type.Kind {
	case model.String:
		value := scalar("Required", "Optional", "StringOr")
		switch {
		case !m.Type.Scalar.Sensitive:
			return value
		case m.Pointer():
			return jen.Parens(jen.Op("*").Id(m.Type.Name)).Parens(value)
		default:
			return jen.Id(m.Type.Name).Parens(value)
		}
	case model.Integer:
		return scalar("RequiredInt", "OptionalInt", "IntOr")
	case model.Boolean:
		return scalar("RequiredBool", "OptionalBool", "BoolOr")
	case model.Timestamp:
		return scalar("RequiredTime", "OptionalTime", "TimeOr")
	case model.List:
		if m.Type.Elem.Kind == model.Struct {
			return list("List", jen.Id("parse"+m.Type.Elem.Struct.Name))
		}
		return list("Strings")
	default:
		panic("emit: " + m.Name + ": openapi.Load lets no maps and structures into requests")
	}
}

// resources emits
//
//	func (r *CreateUserRequest) Resources(dst []action.Resource) []action.Resource {
//		return append(dst, action.Resource{Type: "user", Path: r.Path, Name: r.UserName})
//	}
func resources(a *model.Action) *jen.Statement {
	doc := a.Name + " is authorized on any resource, \"*\"."
	receiver := jen.Op("*").Id(a.Input.Name)
	body := jen.Return(jen.Id("dst"))
	if len(a.Resources) > 0 {
		doc = "what the request names as the object of " + a.Name + "."
		receiver = jen.Id("r").Op("*").Id(a.Input.Name)
		body = jen.Return(jen.AppendFunc(func(g *jen.Group) {
			g.Id("dst")
			for _, r := range a.Resources {
				g.Qual(pkgActs, "Resource").Add(resourceValue(a, r))
			}
		}))
	} else {
		doc = "nothing, since " + doc
	}
	slice := func() *jen.Statement { return jen.Index().Qual(pkgActs, "Resource") }
	return jen.Add(comment("Resources appends to dst " + doc)).Line().
		Func().Params(receiver).Id("Resources").Params(jen.Id("dst").Add(slice())).Add(slice()).Block(body)
}

func resourceValue(a *model.Action, r model.Resource) *jen.Statement {
	fields := []jen.Code{jen.Id("Type").Op(":").Lit(r.Type)}
	for _, f := range [][2]string{{"Path", r.Path}, {"Name", r.Name}, {"Arn", r.Arn}, {"Owner", r.Owner}, {"From", r.From}} {
		field, parameter := f[0], f[1]
		if parameter == "" {
			continue
		}
		value := jen.Id("r").Dot(parameter)
		if a.Input.Member(parameter).Pointer() {
			value = jen.Qual(pkgActs, "Value").Call(value)
		}
		fields = append(fields, jen.Id(field).Op(":").Add(value))
	}
	return jen.Values(fields...)
}

// conditionKeysMethod emits, for an action whose parameters are values of condition keys,
//
//	func (r *CreateUserRequest) ConditionKeys(k *action.ConditionKeys) {
//		for i := range r.Tags {
//			k.Tags = append(k.Tags, action.Tag{Key: r.Tags[i].Key, Value: r.Tags[i].Value})
//		}
//		k.PermissionsBoundary = action.Value(r.PermissionsBoundary)
//	}
func conditionKeysMethod(a *model.Action) *jen.Statement {
	var body []jen.Code
	for _, name := range a.ConditionParameters() {
		value, field := jen.Id("r").Dot(name), jen.Id("k").Dot(model.ConditionField(name))
		switch m := a.Input.Member(name); {
		case m.Type.Kind == model.List && m.Type.Elem.Kind == model.Struct:
			element := func(member string) *jen.Statement { return jen.Id("r").Dot(name).Index(jen.Id("i")).Dot(member) }
			body = append(body, jen.For(jen.Id("i").Op(":=").Range().Add(value)).Block(
				field.Clone().Op("=").Append(field, jen.Qual(pkgActs, "Tag").Values(
					jen.Id("Key").Op(":").Add(element("Key")), jen.Id("Value").Op(":").Add(element("Value")),
				)),
			))
		case m.Pointer():
			body = append(body, field.Op("=").Qual(pkgActs, "Value").Call(value))
		default:
			body = append(body, field.Op("=").Add(value))
		}
	}
	if body == nil {
		return nil
	}
	return jen.Add(comment("ConditionKeys sets the condition keys of k that the parameters give.")).Line().
		Func().Params(jen.Id("r").Op("*").Id(a.Input.Name)).Id("ConditionKeys").
		Params(jen.Id("k").Op("*").Qual(pkgActs, "ConditionKeys")).Block(body...)
}

func outputType(a *model.Action) *jen.Statement {
	name := a.Name + "Response"
	if a.Output == nil {
		return jen.Add(comment(name + " is the output of " + a.Name + ", which has no members.")).Line().
			Type().Id(name).Struct()
	}
	doc := []string{name + " is the output of " + a.Name + "."}
	for _, m := range a.Output.Members {
		if len(m.Omit) > 0 {
			doc = append(doc, "The answer leaves out "+strings.Join(m.Omit, ", ")+" of "+m.Name+".")
		}
		if len(m.OmitEmpty) > 0 {
			doc = append(doc, "It leaves out "+strings.Join(m.OmitEmpty, ", ")+" of "+m.Name+" while there are none.")
		}
	}
	return jen.Add(comment(strings.Join(doc, " "))).Line().Add(structType(a.Output))
}
