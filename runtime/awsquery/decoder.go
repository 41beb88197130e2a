package awsquery

import (
	"slices"

	"iamserver/runtime/validate"
)

// AWS's sentences for parameters whose names have the wrong form.
const (
	structureInPlaceOfScalar = "Start of structure or map found where not expected"
	scalarInPlaceOfList      = "Unexpected list element termination"
	scalarInPlaceOfStructure = "Unexpected complex element termination"
	listWithoutMember        = "Top level element may not be treated as a list"
)

// A Decoder reads the parameters of a structure: first of the whole input, and
// inside the functions that List, Struct and their like call, of one element.
// What is wrong with a parameter is added to the Violations; the value is then
// the zero value. Parameters that nobody asks for are ignored, as AWS does.
type Decoder struct {
	form       *Form
	parameters []parameter // of the structure
	prefix     uint32      // how much of their names precedes its members' names
	violations *validate.Violations
}

// NewDecoder returns a Decoder of all parameters of f.
func NewDecoder(f *Form, v *validate.Violations) *Decoder {
	return &Decoder{form: f, parameters: f.parameters, violations: v}
}

// name returns the name of a parameter without the prefix. It is empty for the
// structure itself.
func (d *Decoder) name(p parameter) string {
	if p.endsBefore(d.prefix) {
		return ""
	}
	return d.form.text[p.name+d.prefix : p.value-1]
}

// A match is what find finds: the parameter of exactly a name, if any, and how
// many there are whose names begin with it and a dot, from which to which.
type match struct {
	own                *parameter
	below, first, last int
}

func (d *Decoder) find(name string) (m match) {
	for i := range d.parameters {
		switch found := d.name(d.parameters[i]); {
		case len(found) == len(name):
			if found == name {
				m.own = &d.parameters[i]
			}
		case isBelow(found, name):
			if m.below == 0 {
				m.first = i
			}
			m.below++
			m.last = i
		}
	}
	return m
}

func isBelow(found, name string) bool {
	return len(found) > len(name) && found[len(name)] == '.' && found[:len(name)] == name
}

// scalar returns the value of a parameter, and whether it is present.
func (d *Decoder) scalar(name string) (string, bool) {
	m := d.find(name)
	if m.below > 0 {
		d.violations.Malformed(name, structureInPlaceOfScalar)
		return "", false
	}
	if m.own == nil {
		return "", false
	}
	return d.form.value(*m.own), true
}

// members returns the parameters whose names begin with name and a dot. Present
// tells whether there is one, or one called name. If the latter has a value,
// that is reported with the message given, unless it is empty, which is how an
// empty list or structure is sent.
func (d *Decoder) members(name, message string) (parameters []parameter, present bool) {
	m := d.find(name)
	if m.own != nil && m.own.value != m.own.end {
		d.violations.Malformed(name, message)
	}
	if m.below == 0 {
		return nil, m.own != nil
	}
	parameters = d.parameters[m.first : m.last+1]
	if len(parameters) > m.below {
		others := func(p parameter) bool { return !isBelow(d.name(p), name) }
		parameters = slices.DeleteFunc(slices.Clone(parameters), others)
	}
	return parameters, true
}

// Struct reads a structure with parse. It returns nil if no member of it is
// present.
func Struct[T any](d *Decoder, name string, parse func(*Decoder) T) *T {
	parameters, _ := d.members(name, scalarInPlaceOfStructure)
	if len(parameters) == 0 {
		return nil
	}
	value := parseBelow(d, name, parameters, parse)
	return &value
}

// RequiredStruct reads a structure as Struct does. If no member of it is
// present, it is reported as null.
func RequiredStruct[T any](d *Decoder, name string, parse func(*Decoder) T) T {
	parameters, _ := d.members(name, scalarInPlaceOfStructure)
	if len(parameters) == 0 {
		d.violations.Null(name)
		var none T
		return none
	}
	return parseBelow(d, name, parameters, parse)
}

func parseBelow[T any](d *Decoder, name string, parameters []parameter, parse func(*Decoder) T) T {
	outer := *d
	d.parameters, d.prefix = parameters, d.prefix+uint32(len(name))+1
	d.violations.Enter(name, 0)
	value := parse(d)
	d.violations.Leave()
	*d = outer
	return value
}
