package emit

import (
	"github.com/dave/jennifer/jen"

	"iamserver/codegen/model"
)

// goType is the Go form of a member: string, *string, []Tag, *time.Time and so on.
func goType(m *model.Member) *jen.Statement {
	if m.Pointer() {
		return jen.Op("*").Add(valueType(m.Type))
	}
	return valueType(m.Type)
}

func valueType(t *model.Type) *jen.Statement {
	switch t.Kind {
	case model.String:
		if t.Scalar.Sensitive {
			return jen.Id(t.Name)
		}
		return jen.String()
	case model.Integer:
		return jen.Int32()
	case model.Boolean:
		return jen.Bool()
	case model.Timestamp:
		return jen.Qual("time", "Time")
	case model.List:
		return jen.Index().Add(valueType(t.Elem))
	case model.Map:
		return jen.Map(valueType(t.Key)).Add(valueType(t.Elem))
	case model.Struct:
		return jen.Id(t.Struct.Name)
	}
	panic("emit: no Go type for kind")
}

// structType emits
//
//	type CreateUserRequest struct {
//		Path string `json:"path"`
//		// The name of the user to create.
//		UserName string `json:"userName"`
//	}
//
// The tags, on inputs only, are the audit log's allow-list of parameters.
func structType(s *model.Structure) *jen.Statement {
	return jen.Type().Id(s.Name).StructFunc(func(g *jen.Group) {
		for _, m := range s.Members {
			if m.Doc != "" {
				g.Add(comment(m.Doc))
			}
			field := g.Id(m.Name).Add(goType(m))
			if s.InInput {
				field.Tag(map[string]string{"json": auditTag(m)})
			}
		}
	})
}

func auditTag(m *model.Member) string {
	switch {
	case !audited(m.Type):
		return "-"
	case m.Pointer() || m.Type.Kind == model.List:
		return lowerFirst(m.Name) + ",omitempty"
	default:
		return lowerFirst(m.Name)
	}
}

func audited(t *model.Type) bool {
	switch t.Kind {
	case model.String, model.Integer, model.Boolean, model.Timestamp:
		return t.Scalar.Audit
	case model.List:
		return audited(t.Elem)
	case model.Struct:
		return true // its own members say so one by one
	default:
		return false
	}
}
