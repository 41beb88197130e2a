package openapi

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"iamserver/codegen/model"
)

// A Problem is one thing wrong with the specification, and where.
type Problem struct {
	model.Position

	Text string
}

// Problems are several of them, in source order.
type Problems []Problem

// An InvalidError says that the specification has problems, one a line:
// file:line:col: text.
type InvalidError struct{ Problems Problems }

func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, problem := range e.Problems {
		lines[i] = problem.String() + ": " + problem.Text
	}
	return strings.Join(lines, "\n")
}

// sorted orders the problems by position and drops repetitions, which shapes
// used by several actions cause.
func (p Problems) sorted() Problems {
	slices.SortFunc(p, func(a, b Problem) int { return cmp.Or(compare(a.Position, b.Position), cmp.Compare(a.Text, b.Text)) })
	return slices.Compact(p)
}

func compare(a, b model.Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// position turns kin-openapi's origin into ours.
func position(o *openapi3.Origin) model.Position {
	if o == nil || o.Key == nil {
		return model.Position{}
	}
	return model.Position{File: o.Key.File, Line: o.Key.Line, Column: o.Key.Column}
}

// problemsOf turns an error of kin-openapi into problems. Most of its errors
// carry an origin in a field of that name, somewhere along the chain; at is
// the position of the others. The innermost error says what is wrong; the ones
// around it, on which path.
func problemsOf(at model.Position, err error) Problems {
	var several openapi3.MultiError
	if errors.As(err, &several) {
		var all Problems
		for _, e := range several {
			all = append(all, problemsOf(at, e)...)
		}
		return all
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if o := originField(e); o != nil && o.Key != nil {
			at = position(o)
		}
		err = e
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return Problems{{at, text}}
}

func originField(err error) *openapi3.Origin {
	v := reflect.Indirect(reflect.ValueOf(err))
	if v.Kind() != reflect.Struct {
		return nil
	}
	f := v.FieldByName("Origin")
	if !f.IsValid() || !f.CanInterface() {
		return nil
	}
	o, _ := f.Interface().(*openapi3.Origin)
	return o
}
