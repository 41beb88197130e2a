package awsquery

import (
	"strings"

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
	parameters []parameter // of the structure, sorted
	prefix     int         // how much of their names precedes its members' names
	listLength int
	violations *validate.Violations
}

// NewDecoder returns a Decoder of all parameters of f.
func NewDecoder(f *Form, v *validate.Violations) *Decoder {
	return &Decoder{parameters: f.parameters, listLength: f.listLength, violations: v}
}

// below returns the parameter called name and all those whose names begin with
// name and a dot; they are neighbours, and name itself comes first.
func (d *Decoder) below(name string) []parameter {
	first := search(d.parameters, d.prefix, name)
	end := first
	for end < len(d.parameters) {
		found := d.parameters[end].name[d.prefix:]
		if !strings.HasPrefix(found, name) || (len(found) > len(name) && found[len(name)] != '.') {
			break
		}
		end++
	}
	return d.parameters[first:end]
}

// scalar returns the value of a parameter, and whether it is present.
func (d *Decoder) scalar(name string) (string, bool) {
	parameters := d.below(name)
	if len(parameters) == 0 {
		return "", false
	}
	if len(parameters[len(parameters)-1].name) != d.prefix+len(name) {
		d.violations.Malformed(name, structureInPlaceOfScalar)
		return "", false
	}
	return parameters[0].value, true
}

// members returns the parameters below name. Present tells whether name or
// anything below it is there. If name has a value of its own, that is reported
// with the message given, unless it is empty, which is how an empty list or
// structure is sent.
func (d *Decoder) members(name, message string) (parameters []parameter, present bool) {
	parameters = d.below(name)
	if len(parameters) == 0 {
		return nil, false
	}
	if own := parameters[0]; len(own.name) == d.prefix+len(name) {
		if own.value != "" {
			d.violations.Malformed(name, message)
		}
		parameters = parameters[1:]
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
	d.parameters, d.prefix = parameters, d.prefix+len(name)+1
	d.violations.Enter(name, 0)
	value := parse(d)
	d.violations.Leave()
	*d = outer
	return value
}
