package awsmodel

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"iamserver/codegen/model"
)

// A Difference is one fact that the specification has otherwise than AWS's model.
type Difference struct {
	model.Position

	At           string // what differs: CreateUser.input.Path.maxLength, User.Status, errors.NoSuchEntity.status
	Ours, Theirs string // the two values; present and absent for what only one has
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: ours %s, model %s", d.At, d.Ours, d.Theirs)
}

const (
	present = "present"
	absent  = "absent"
)

// Diff finds every fact about the operations of ours that theirs, AWS's model,
// has otherwise or lacks. Operations that only AWS has are no difference; names
// of shapes, which are not on the wire, neither.
func Diff(ours, theirs *Model) []Difference {
	d := &differ{ours: ours, theirs: theirs, seen: map[[2]string]bool{}}
	d.metadata()
	d.operations()
	d.errorStatuses()
	slices.SortStableFunc(d.found, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(d.found)
}

type differ struct {
	ours, theirs *Model
	found        []Difference
	seen         map[[2]string]bool        // pairs of structures
	paired       func(ours, theirs string) // if not nil, gets the names of all shapes compared
}

func (d *differ) add(at model.Position, what, ours, theirs string) {
	d.found = append(d.found, Difference{at, what, ours, theirs})
}

// compare adds a difference unless the two values are equal.
func (d *differ) compare(at model.Position, what, ours, theirs string) {
	if ours != theirs {
		d.add(at, what, cmp.Or(ours, absent), cmp.Or(theirs, absent))
	}
}

func (d *differ) metadata() {
	a, b := d.ours.Metadata, d.theirs.Metadata
	for _, fact := range [][3]string{
		{"apiVersion", a.APIVersion, b.APIVersion},
		{"endpointPrefix", a.EndpointPrefix, b.EndpointPrefix},
		{"globalEndpoint", a.GlobalEndpoint, b.GlobalEndpoint},
		{"protocol", a.Protocol, b.Protocol},
		{"protocols", text(a.Protocols), text(b.Protocols)},
		{"serviceAbbreviation", a.ServiceAbbreviation, b.ServiceAbbreviation},
		{"serviceFullName", a.ServiceFullName, b.ServiceFullName},
		{"serviceId", a.ServiceID, b.ServiceID},
		{"signatureVersion", a.SignatureVersion, b.SignatureVersion},
		{"uid", a.UID, b.UID},
		{"xmlNamespace", a.XMLNamespace, b.XMLNamespace},
		{"auth", text(a.Auth), text(b.Auth)},
	} {
		d.compare(d.ours.Position, "metadata."+fact[0], fact[1], fact[2])
	}
}

func (d *differ) operations() {
	for _, o := range d.ours.Operations {
		their, ok := d.theirs.Operations.Get(o.Name)
		if !ok {
			d.add(o.Value.Position, o.Name, present, absent)
			continue
		}
		d.operation(o.Value, their)
	}
}

func (d *differ) operation(a, b *Operation) {
	d.compare(a.Position, a.Name+".http", a.HTTP.Method+" "+a.HTTP.RequestURI, b.HTTP.Method+" "+b.HTTP.RequestURI)
	d.body(a, ".input", a.Input, b.Input)
	d.body(a, ".output", a.Output, b.Output)
	if a.Output != nil && b.Output != nil {
		d.compare(a.Position, a.Name+".output.resultWrapper", a.Output.ResultWrapper, b.Output.ResultWrapper)
	}
	d.sets(a.Position, a.Name+".errors", codes(d.ours, a), codes(d.theirs, b), func(string) model.Position { return a.Position })
	d.paginator(a)
}

// body compares inputs or outputs. AWS gives some operations without
// parameters an empty structure and others none.
func (d *differ) body(o *Operation, which string, a, b *Reference) {
	ours, theirs := d.membersOf(d.ours, a), d.membersOf(d.theirs, b)
	switch {
	case len(ours) == 0 && len(theirs) == 0:
	case len(ours) == 0:
		d.add(o.Position, o.Name+which, absent, present)
	case len(theirs) == 0:
		d.add(o.Position, o.Name+which, present, absent)
	default:
		d.reference(o.Position, o.Name+which, a.Shape, b.Shape, true)
	}
}

func (d *differ) membersOf(m *Model, r *Reference) Ordered[*Reference] {
	if r == nil {
		return nil
	}
	return m.shape(r.Shape).Members
}

// shape returns the shape with a name; every model declares those it uses.
func (m *Model) shape(name string) *Shape {
	if s, ok := m.Shapes.Get(name); ok {
		return s
	}
	return &Shape{}
}

func codes(m *Model, o *Operation) []string {
	var names []string
	for _, e := range o.Errors {
		names = append(names, codeOf(m, e.Shape))
	}
	return names
}

func codeOf(m *Model, exception string) string {
	if e := m.shape(exception).Error; e != nil {
		return e.Code
	}
	return exception
}

// sets compares two lists of names: what only one has, and the order of the rest.
func (d *differ) sets(at model.Position, what string, ours, theirs []string, position func(string) model.Position) {
	var common, theirCommon []string
	for _, name := range ours {
		if slices.Contains(theirs, name) {
			common = append(common, name)
		} else {
			d.add(position(name), what+"."+name, present, absent)
		}
	}
	for _, name := range theirs {
		if slices.Contains(ours, name) {
			theirCommon = append(theirCommon, name)
		} else {
			d.add(at, what+"."+name, absent, present)
		}
	}
	d.compare(at, what+".order", text(common), text(theirCommon))
}

// reference compares two uses of shapes. A structure is compared once and
// under its own name, unless it is the body of an operation.
func (d *differ) reference(at model.Position, what, ours, theirs string, body bool) {
	a, b := d.ours.shape(ours), d.theirs.shape(theirs)
	if d.paired != nil {
		d.paired(ours, theirs)
	}
	if a.Type != b.Type {
		d.add(at, what+".type", a.Type, b.Type)
		return
	}
	switch a.Type {
	case "structure":
		if d.seen[[2]string{ours, theirs}] {
			return
		}
		d.seen[[2]string{ours, theirs}] = true
		if !body {
			what = ours
		}
		d.structure(what, a, b)
	case "list":
		d.compare(at, what+".maxItems", number(a.Max), number(b.Max))
		d.compare(at, what+".minItems", least(a.Min), least(b.Min))
		d.reference(at, what+"[]", a.Member.Shape, b.Member.Shape, false)
	case "map":
		d.reference(at, what+".key", a.Key.Shape, b.Key.Shape, false)
		d.reference(at, what+".value", a.Value.Shape, b.Value.Shape, false)
	default:
		d.scalar(at, what, a, b)
	}
}

// equal tells whether two shapes have no difference.
func (d *differ) equal(ours, theirs string) bool {
	alone := &differ{ours: d.ours, theirs: d.theirs, seen: map[[2]string]bool{}}
	alone.reference(model.Position{}, ours, ours, theirs, false)
	return len(alone.found) == 0
}

func (d *differ) structure(what string, a, b *Shape) {
	position := func(name string) model.Position {
		r, _ := a.Members.Get(name)
		return r.Position
	}
	d.sets(a.Position, what, memberNames(a), memberNames(b), position)
	for _, m := range a.Members {
		their, ok := b.Members.Get(m.Name)
		if !ok {
			continue
		}
		at, member := m.Value.Position, what+"."+m.Name
		d.compare(at, member+".required", strconv.FormatBool(slices.Contains(a.Required, m.Name)), strconv.FormatBool(slices.Contains(b.Required, m.Name)))
		d.reference(at, member, m.Value.Shape, their.Shape, false)
	}
}

func memberNames(s *Shape) []string {
	var names []string
	for _, m := range s.Members {
		names = append(names, m.Name)
	}
	return names
}

func (d *differ) scalar(at model.Position, what string, a, b *Shape) {
	if a.Type == "string" {
		d.compare(at, what+".minLength", least(a.Min), least(b.Min))
		d.compare(at, what+".maxLength", number(a.Max), number(b.Max))
	} else {
		d.compare(at, what+".minimum", number(a.Min), number(b.Min))
		d.compare(at, what+".maximum", number(a.Max), number(b.Max))
	}
	d.compare(at, what+".pattern", a.Enforced, b.Pattern)
	d.compare(at, what+".enum", text(a.Enum), text(b.Enum))
	d.compare(at, what+".sensitive", strconv.FormatBool(a.Sensitive), strconv.FormatBool(b.Sensitive))
}

// number is a limit as text.
func number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// least is a least length as text. 0 is none.
func least(n *int) string {
	if n != nil && *n == 0 {
		return ""
	}
	return number(n)
}

func (d *differ) paginator(o *Operation) {
	ours, a := d.ours.Pagination.Get(o.Name)
	theirs, b := d.theirs.Pagination.Get(o.Name)
	what := o.Name + ".pagination"
	if !a && !b {
		return
	}
	if a != b {
		d.compare(o.Position, what, map[bool]string{true: present}[a], map[bool]string{true: present}[b])
		return
	}
	d.compare(o.Position, what+".input", ours.InputToken, theirs.InputToken)
	d.compare(o.Position, what+".output", ours.OutputToken, theirs.OutputToken)
	d.compare(o.Position, what+".limit", ours.LimitKey, theirs.LimitKey)
	d.compare(o.Position, what+".truncated", ours.MoreResults, theirs.MoreResults)
	d.compare(o.Position, what+".items", text(ours.ResultKey), text(theirs.ResultKey))
	d.compare(o.Position, what+".non-aggregate", text(ours.NonAggregate), text(theirs.NonAggregate))
}

// errorStatuses compares the status and the fault of the codes that both have.
func (d *differ) errorStatuses() {
	for _, s := range d.ours.Shapes {
		e := s.Value.Error
		if e == nil {
			continue
		}
		for _, t := range d.theirs.Shapes {
			if their := t.Value.Error; their != nil && their.Code == e.Code {
				d.compare(s.Value.Position, "errors."+e.Code+".status", strconv.Itoa(e.HTTPStatusCode), strconv.Itoa(their.HTTPStatusCode))
				d.compare(s.Value.Position, "errors."+e.Code+".sender-fault", strconv.FormatBool(e.SenderFault), strconv.FormatBool(their.SenderFault))
			}
		}
	}
}
