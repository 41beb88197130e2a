// Package validate collects what is wrong with the input of an action and
// words it as AWS does: every violation, in one message. It does not know which
// constraints an action has; generated code does.
package validate

import (
	"strconv"
	"strings"

	"iamserver/runtime/apierror"
)

// ValidationError is the code of input that breaks a constraint of the
// specification.
var ValidationError = apierror.Code{Name: "ValidationError", Status: 400, Fault: apierror.Sender}

// MalformedInput is the code of input that cannot be read as its type.
var MalformedInput = apierror.Code{Name: "MalformedInput", Status: 400, Fault: apierror.Sender}

// An answer stays bounded whatever the request: at most maxViolations are
// collected, the first ones, and a value is cut after maxValue characters.
const (
	maxViolations = 100
	maxValue      = 1024
)

const memberNotNull = "Member must not be null"

// Violations collects what is wrong with one request. The zero value is ready
// to use; while nothing is wrong, collecting allocates nothing but the room for
// lists nested deeper than four. It must not be copied.
//
// Names are member names of the specification; their first letter is printed in
// lower case. The path of a member is its name below the structures and list
// elements that Enter has been called for.
type Violations struct {
	// OmitValues leaves the offending values out of the message.
	OmitValues bool

	frames    []frame
	room      [4]frame // where frames begins
	found     []violation
	malformed *apierror.Error
	duplicate *apierror.Error
}

// A frame is a structure (index 0) or a list element (index from 1) on the way
// to the members that are being checked.
type frame struct {
	name  string
	index int
}

type violation struct {
	path       string
	value      string // with its quotes; "" where it is not to be printed
	constraint string
	sentence   string // of the pattern, which takes the place of the message if this is the only violation
}

// Reset forgets all that has been collected, so that v can be used for another
// request. OmitValues stays.
func (v *Violations) Reset() {
	clear(v.found)
	v.frames, v.found, v.malformed, v.duplicate = v.frames[:0], v.found[:0], nil, nil
}

// Enter makes names mean members of the structure name, or, if index is not 0,
// of element index (from 1) of the list name, until the matching Leave.
func (v *Violations) Enter(name string, index int) {
	if v.frames == nil {
		v.frames = v.room[:0]
	}
	v.frames = append(v.frames, frame{name, index})
}

// Leave undoes the latest Enter.
func (v *Violations) Leave() { v.frames = v.frames[:len(v.frames)-1] }

// Err returns nil if nothing is wrong. Otherwise it returns an *apierror.Error:
// MalformedInput if some value could not be read, else ValidationError with all
// violations, else the error of Unique or UniqueFold.
func (v *Violations) Err() error {
	switch {
	case v.malformed != nil:
		return v.malformed
	case len(v.found) == 1 && v.found[0].sentence != "":
		return ValidationError.New(v.found[0].sentence)
	case len(v.found) > 0:
		return ValidationError.New(v.message())
	case v.duplicate != nil:
		return v.duplicate
	}
	return nil
}

func (v *Violations) message() string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(v.found)))
	if len(v.found) == 1 {
		b.WriteString(" validation error detected: ")
	} else {
		b.WriteString(" validation errors detected: ")
	}
	for i := range v.found {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString("Value ")
		if value := v.found[i].value; value != "" && !v.OmitValues {
			b.WriteString(value)
			b.WriteByte(' ')
		}
		b.WriteString("at '")
		b.WriteString(v.found[i].path)
		b.WriteString("' failed to satisfy constraint: ")
		b.WriteString(v.found[i].constraint)
	}
	return b.String()
}

// add collects a violation unless its member is already known to be null: the
// zero value that stands in for a null breaks other constraints too.
func (v *Violations) add(name, value, constraint string, pattern *Pattern) {
	if len(v.found) == maxViolations {
		return
	}
	path := v.path(name)
	for i := range v.found {
		if v.found[i].constraint == memberNotNull && v.found[i].path == path {
			return
		}
	}
	found := violation{path: path, value: value, constraint: constraint}
	if pattern != nil {
		found.sentence = withName(pattern.message, path)
	}
	v.found = append(v.found, found)
}

// path returns the path of a member, as in tags.1.member.key.
func (v *Violations) path(name string) string {
	var path []byte
	for _, f := range v.frames {
		path = appendLowerFirst(path, f.name)
		if f.index > 0 {
			path = append(path, '.')
			path = strconv.AppendInt(path, int64(f.index), 10)
			path = append(path, ".member"...)
		}
		path = append(path, '.')
	}
	return string(appendLowerFirst(path, name))
}

func appendLowerFirst(path []byte, name string) []byte {
	first := len(path)
	path = append(path, name...)
	if name != "" && 'A' <= name[0] && name[0] <= 'Z' {
		path[first] += 'a' - 'A'
	}
	return path
}

// withName puts path in the place of {name}.
func withName(sentence, path string) string {
	return strings.ReplaceAll(sentence, "{name}", path)
}

// quote returns a value as it is printed.
func quote(value string) string {
	n := 0
	for i := range value {
		if n == maxValue {
			value = value[:i] + "…"
			break
		}
		n++
	}
	return "'" + value + "'"
}
