// Package derive makes from the specification what would be tedious to write:
// cases that probe each constraint of each parameter, and the table of what the
// cases cover. How an action behaves is not there; that is written by hand.
package derive

import (
	"fmt"
	"sync"

	"iamserver/codegen/model"
	"iamserver/codegen/openapi"
	"iamserver/conformance"
	"iamserver/spec"
)

// services reads the specification, once.
var services = sync.OnceValues(func() ([]*model.Service, error) { return openapi.Load(spec.FS) })

// Cases returns the generated cases, in the order of the specification.
func Cases() ([]*conformance.Case, error) {
	all, err := services()
	if err != nil {
		return nil, err
	}
	var cases []*conformance.Case
	for _, s := range all {
		for _, a := range s.Actions {
			g := &generator{service: s, action: a}
			g.valid()
			g.parameters()
			g.strangers()
			if g.err != nil {
				return nil, fmt.Errorf("cases of %s: %w", a.Name, g.err)
			}
			cases = append(cases, g.cases...)
		}
	}
	return cases, nil
}
