package conformance_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/replay"
)

// A change makes an expectation wrong, until it is undone.
type change struct {
	what     string
	do, undo func()
}

// changes are those of the status and of each element that is expected in particular.
func changes(r *conformance.Response) []change {
	var all []change
	if status := r.Status; status != 0 {
		all = append(all, change{"another status", func() { r.Status = 299 }, func() { r.Status = status }})
	}
	var visit func(e *conformance.Element)
	visit = func(e *conformance.Element) {
		if text := e.Text; len(e.Children) == 0 && !e.More && !text.Is("any") && !text.Is("absent") {
			all = append(all, change{"another " + e.Name, func() { e.Text = conformance.Literal("another") }, func() { e.Text = text }})
		}
		for i, c := range e.Children {
			if !e.More && !c.Text.Optional() && !c.Text.Is("absent") {
				children := e.Children
				all = append(all, change{
					"no " + c.Name, func() { e.Children = slices.Delete(slices.Clone(children), i, i+1) }, func() { e.Children = children },
				})
			}
			visit(c)
		}
	}
	if r.Body != nil {
		visit(r.Body)
	}
	return all
}

// What a case expects matters: with another expectation it fails. Of the
// thousands of changes every 200th is tried.
func TestExpectationsMatter(t *testing.T) {
	runner, err := replay.New(t.Context(), open(t))
	require.NoError(t, err)
	const every = 200
	n := 0
	for _, c := range all(t) {
		for _, step := range c.Steps {
			for _, change := range changes(step.Response) {
				if n++; n%every != 0 {
					continue
				}
				change.do()
				results, err := runner.Run(t.Context(), []*conformance.Case{c})
				change.undo()
				require.NoError(t, err)
				require.Equal(t, replay.Failed, results[0].Outcome, "%s, step %d: %s", c.Name, step.Number, change.what)
				require.Empty(t, results[0].Reason)
				require.Empty(t, results[0].Left)
			}
		}
	}
	require.Greater(t, n, 10_000)
}
