package derive

import (
	"fmt"
	"strconv"

	"iamserver/codegen/model"
)

// A Constraint is one thing that the specification asks of a parameter.
type Constraint struct {
	Action    string
	Parameter string // as it is sent, with 1 for the number of a list's element
	Kind      string // required, minLength, maxLength, pattern, enum, minimum, maximum, type, maxItems, unique
	scalar    *model.Scalar
	list      *model.Sequence
}

// The sides of a constraint.
const (
	at     = "at"     // as much as it allows
	beyond = "beyond" // a little more
)

// String names a side of the constraint as cases do.
func (c Constraint) side(which string) string {
	return c.Action + " " + c.Parameter + " " + c.Kind + " " + which
}

// sides are those that can be told apart: a value is of its type or it is not,
// whoever is not absent is present.
func (c Constraint) sides() []string {
	switch c.Kind {
	case "type", "unique", "required":
		return []string{beyond}
	case "pattern":
		if !isName(c.scalar) {
			return []string{beyond}
		}
	case "minLength":
		if c.scalar.MinLength == 0 {
			return nil
		}
	}
	return []string{at, beyond}
}

// constraints lists what the specification asks of an action's parameters.
func constraints(a *model.Action) []Constraint {
	return members(a.Name, "", a.Input)
}

func members(action, prefix string, s *model.Structure) []Constraint {
	var all []Constraint
	for _, m := range s.Members {
		if m.Required {
			all = append(all, Constraint{Action: action, Parameter: prefix + m.Name, Kind: "required"})
		}
		all = append(all, ofType(action, prefix+m.Name, m.Type)...)
	}
	return all
}

func ofType(action, parameter string, t *model.Type) []Constraint {
	switch t.Kind {
	case model.List:
		return ofList(action, parameter, t)
	case model.Struct:
		return members(action, parameter+".", t.Struct)
	case model.String, model.Integer, model.Boolean, model.Timestamp:
		return ofScalar(action, parameter, t.Scalar)
	default:
		return nil
	}
}

func ofList(action, parameter string, t *model.Type) []Constraint {
	var all []Constraint
	if l := t.List; l != nil {
		if l.Max != nil {
			all = append(all, Constraint{Action: action, Parameter: parameter, Kind: "maxItems", list: l})
		}
		if l.Unique != nil {
			all = append(all, Constraint{Action: action, Parameter: parameter, Kind: "unique", list: l})
		}
	}
	return append(all, ofType(action, parameter+".member.1", t.Elem)...)
}

func ofScalar(action, parameter string, s *model.Scalar) []Constraint {
	var all []Constraint
	add := func(is bool, kind string) {
		if is {
			all = append(all, Constraint{Action: action, Parameter: parameter, Kind: kind, scalar: s})
		}
	}
	add(s.MinLength > 0, "minLength")
	add(s.MaxLength != nil, "maxLength")
	add(s.Pattern != "", "pattern")
	add(len(s.Enum) > 0, "enum")
	add(s.Min != nil, "minimum")
	add(s.Max != nil, "maximum")
	add(s.Kind == model.Integer || s.Kind == model.Boolean, "type")
	return all
}

// sentence is what IAM says to a value that is beyond the constraint and breaks
// so many in all, with placeholders.
func (c Constraint) sentence(broken int) string {
	rule := c.rule()
	if rule == "" {
		return "{{any}}"
	}
	said := "at '" + memberPath(c.Parameter) + "' failed to satisfy constraint: " + rule
	if broken > 1 {
		return strconv.Itoa(broken) + " validation errors detected: {{any}}" + said + "{{any}}"
	}
	return "1 validation error detected: Value{{any}}" + said
}

// rule is the constraint in AWS's words, or "" where they are not known.
func (c Constraint) rule() string {
	switch c.Kind {
	case "required":
		return "Member must not be null"
	case "minLength":
		return "Member must have length greater than or equal to " + strconv.Itoa(c.scalar.MinLength)
	case "maxLength":
		return "Member must have length less than or equal to " + strconv.Itoa(*c.scalar.MaxLength)
	case "maxItems":
		return "Member must have length less than or equal to " + strconv.Itoa(*c.list.Max)
	case "minimum":
		return fmt.Sprintf("Member must have value greater than or equal to %d", *c.scalar.Min)
	case "maximum":
		return fmt.Sprintf("Member must have value less than or equal to %d", *c.scalar.Max)
	default:
		return ""
	}
}
