package emit

import (
	"github.com/dave/jennifer/jen"

	"iamserver/codegen/model"
)

// validateMethod emits
//
//	func (r *CreateUserRequest) Validate(v *validate.Violations) {
//		v.Length("userName", r.UserName, 1, 64)
//		v.Match("userName", r.UserName, patternUserName)
//	}
func validateMethod(s *model.Structure, receiver string) *jen.Statement {
	var checks []jen.Code
	for _, m := range s.Members {
		checks = append(checks, memberChecks(m, jen.Id(receiver).Dot(m.Name))...)
	}
	params := []jen.Code{jen.Id(receiver).Op("*").Id(s.Name)}
	v := jen.Id("v")
	if len(checks) == 0 {
		params = []jen.Code{jen.Op("*").Id(s.Name)}
		v = jen.Null()
	}
	return jen.Func().Params(params...).Id("Validate").Params(v.Op("*").Qual(pkgValid, "Violations")).Block(checks...)
}

func memberChecks(m *model.Member, field *jen.Statement) []jen.Code {
	path := jen.Lit(lowerFirst(m.Name))
	switch m.Type.Kind {
	case model.String, model.Integer:
		return scalarChecks(m, path, field)
	case model.List:
		return listChecks(m, path, field)
	default:
		return nil
	}
}

// scalarChecks emits the checks of one value, for a pointer within
//
//	if r.Marker != nil {
func scalarChecks(m *model.Member, path, field *jen.Statement) []jen.Code {
	value := field.Clone()
	if m.Pointer() {
		value = jen.Op("*").Add(field)
	}
	checks := valueChecks(m.Type.Scalar, path, value)
	if m.Pointer() && len(checks) > 0 {
		return []jen.Code{jen.If(field.Clone().Op("!=").Nil()).Block(checks...)}
	}
	return checks
}

func valueChecks(s *model.Scalar, path, value *jen.Statement) []jen.Code {
	var checks []jen.Code
	check := func(method string, arguments ...jen.Code) {
		checks = append(checks, jen.Id("v").Dot(method).Call(append([]jen.Code{path.Clone(), value.Clone()}, arguments...)...))
	}
	switch {
	case s.Sensitive:
		value = jen.String().Parens(value)
		check("SensitiveLength", jen.Lit(s.MinLength), jen.Lit(*s.MaxLength))
	case s.MinLength > 0 && s.MaxLength != nil:
		check("Length", jen.Lit(s.MinLength), jen.Lit(*s.MaxLength))
	case s.MinLength > 0:
		check("MinLength", jen.Lit(s.MinLength))
	case s.MaxLength != nil:
		check("MaxLength", jen.Lit(*s.MaxLength))
	}
	if s.Pattern != "" {
		check("Match", jen.Id("pattern"+s.Name))
	}
	if len(s.Enum) > 0 {
		check("Enum", jen.Id("enum"+s.Name))
	}
	if s.Min != nil && s.Max != nil {
		check("Range", jen.Lit(*s.Min), jen.Lit(*s.Max))
	}
	return checks
}

// listChecks emits
//
//	v.MaxItems("tags", len(r.Tags), MaxTagList)
//	validate.Each(v, "tags", r.Tags, (*Tag).Validate)
//	validate.UniqueFold(v, r.Tags, keyTagList, errUniqueTagList)
func listChecks(m *model.Member, path, field *jen.Statement) []jen.Code {
	var checks []jen.Code
	t := m.Type
	if t.List != nil && t.List.Max != nil {
		checks = append(checks, jen.Id("v").Dot("MaxItems").Call(path, jen.Len(field), jen.Id("Max"+t.List.Name)))
	}
	call := func(function string, arguments ...jen.Code) {
		checks = append(checks, jen.Qual(pkgValid, function).Call(append([]jen.Code{jen.Id("v")}, arguments...)...))
	}
	switch s := t.Elem.Scalar; {
	case t.Elem.Kind == model.Struct:
		call("Each", path, field, method(t.Elem.Struct.Name, "Validate"))
	case len(s.Enum) > 0:
		call("Enums", path, field, jen.Id("enum"+s.Name))
	case s.Constrained():
		pattern := jen.Nil()
		if s.Pattern != "" {
			pattern = jen.Id("pattern" + s.Name)
		}
		call("Strings", path, field, jen.Lit(s.MinLength), jen.Lit(*s.MaxLength), pattern)
	}
	if t.List != nil && t.List.Unique != nil {
		function := "Unique"
		if t.List.Unique.FoldCase {
			function = "UniqueFold"
		}
		call(function, field, jen.Id("key"+t.List.Name), jen.Id("errUnique"+t.List.Name))
	}
	return checks
}

// method is the method expression (*Tag).Validate.
func method(structure, name string) *jen.Statement {
	return jen.Parens(jen.Op("*").Id(structure)).Dot(name)
}
