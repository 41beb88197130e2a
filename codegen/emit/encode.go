package emit

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"iamserver/codegen/model"
)

// encodeMethod emits
//
//	func (s *Tag) EncodeXML(w *awsxml.Writer) {
//		w.String("Key", s.Key)
//	}
//
// For the response of an action, its name chooses the encoders that leave members out.
func encodeMethod(s *model.Structure, receiver, action string) *jen.Statement {
	var writes []jen.Code
	for _, m := range s.Members {
		writes = append(writes, encodeMember(m, receiver, action))
	}
	params, w := jen.Id(receiver).Op("*").Id(s.Name), jen.Id("w")
	if len(writes) == 0 {
		params, w = jen.Op("*").Id(s.Name), jen.Null()
	}
	return jen.Func().Params(params).Id("EncodeXML").Params(w.Op("*").Qual(pkgXML, "Writer")).Block(writes...)
}

// encodePartial emits, for each member of a response that leaves members of
// its shape out,
//
//	func encodeListUsersUser(s *User, w *awsxml.Writer) {
func encodePartial(a *model.Action) *jen.Statement {
	all := jen.Null()
	for _, m := range a.Output.Members {
		if !m.Partial() {
			continue
		}
		s := structOf(m.Type)
		all.Func().Id(partialName(a.Name, s)).Params(jen.Id("s").Op("*").Id(s.Name), jen.Id("w").Op("*").Qual(pkgXML, "Writer")).
			BlockFunc(func(g *jen.Group) {
				for _, inner := range s.Members {
					if slices.Contains(m.Omit, inner.Name) {
						continue
					}
					shown := *inner
					shown.WriteEmpty = inner.WriteEmpty && !slices.Contains(m.OmitEmpty, inner.Name)
					g.Add(encodeMember(&shown, "s", ""))
				}
			}).Line().Line()
	}
	return all
}

func structOf(t *model.Type) *model.Structure {
	if t.Kind == model.List {
		return t.Elem.Struct
	}
	return t.Struct
}

func partialName(action string, s *model.Structure) string { return "encode" + action + s.Name }

// encodeMember is the call that writes one member: w.String("UserName", s.UserName),
// awsxml.List(w, "Users", r.Users, (*User).EncodeXML) and so on.
func encodeMember(m *model.Member, receiver, action string) *jen.Statement {
	field := jen.Id(receiver).Dot(m.Name)
	write := func(method string, value jen.Code) *jen.Statement {
		if m.Pointer() {
			method = "Optional" + method
		}
		return jen.Id("w").Dot(method).Call(jen.Lit(m.Name), value)
	}
	call := func(function string, arguments ...jen.Code) *jen.Statement {
		return jen.Qual(pkgXML, function).Call(append([]jen.Code{jen.Id("w"), jen.Lit(m.Name)}, arguments...)...)
	}
	encoder := func(s *model.Structure) *jen.Statement {
		if m.Partial() {
			return jen.Id(partialName(action, s))
		}
		return method(s.Name, "EncodeXML")
	}
	switch m.Type.Kind {
	case model.String:
		if m.Type.Scalar.Sensitive {
			return write("String", plain(m, field))
		}
		if m.URLEncoded {
			return write("URLEncoded", field)
		}
		return write("String", field)
	case model.Integer:
		return write("Int", field)
	case model.Boolean:
		return write("Bool", field)
	case model.Timestamp:
		return write("Time", field)
	case model.Map:
		if m.Type.Elem.Kind == model.String {
			return call("StringMap", field)
		}
		return call("IntMap", field)
	case model.Struct:
		if m.Pointer() {
			return call("OptionalStruct", field, encoder(m.Type.Struct))
		}
		return call("Struct", jen.Op("&").Add(field), encoder(m.Type.Struct))
	case model.List:
		empty := ""
		if !m.Required && !m.WriteEmpty {
			empty = "NonEmpty"
		}
		if m.Type.Elem.Kind == model.Struct {
			return call(empty+"List", field, encoder(m.Type.Elem.Struct))
		}
		return call(empty+"Strings", field)
	}
	panic("emit: no XML for kind")
}

// plain takes the sensitive type off: the response is where a secret is shown.
func plain(m *model.Member, field *jen.Statement) *jen.Statement {
	if m.Pointer() {
		return jen.Parens(jen.Op("*").String()).Parens(field)
	}
	return jen.String().Parens(field)
}
