// Package report turns the results of runs into what people and machines read:
// JUnit XML, JSON, Markdown, a matrix in HTML. It runs nothing.
package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"iamserver/conformance/replay"
)

// A Run is what one implementation answered.
type Run struct {
	Target   string // its name
	Version  string `json:",omitempty"`
	Endpoint string
	Began    time.Time
	Levels   []string
	Results  []replay.Result
}

// Count counts the results by outcome.
func (r *Run) Count() map[replay.Outcome]int {
	n := map[replay.Outcome]int{}
	for i := range r.Results {
		n[r.Results[i].Outcome]++
	}
	return n
}

// Read reads a run as JSON wrote it.
func Read(from io.Reader) (*Run, error) {
	d := json.NewDecoder(from)
	d.DisallowUnknownFields()
	var r Run
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("results of a run: %w", err)
	}
	if r.Target == "" || len(r.Results) == 0 {
		return nil, errors.New("results of a run: there is no target, or no result")
	}
	return &r, nil
}

// JSON writes a run for Read and other programs.
func JSON(to io.Writer, r *Run) error {
	e := json.NewEncoder(to)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// A score is how an implementation does at one action.
type score struct {
	Passed, Failed, Skipped int
	Failures                []replay.Result
}

// Tried is how many cases were not skipped.
func (s *score) Tried() int { return s.Passed + s.Failed }

// A matrix is actions by implementations.
type matrix struct {
	Runs    []*Run
	Actions []string
	scores  map[string][]*score // by action, then in the order of Runs
	Totals  []*score
}

// compare computes the matrix. A case counts for the first action it is about,
// so that the sums are those of the cases.
func compare(runs []*Run) *matrix {
	m := &matrix{Runs: runs, scores: map[string][]*score{}}
	for n, r := range runs {
		m.Totals = append(m.Totals, &score{})
		for _, result := range r.Results {
			if len(result.Actions) == 0 {
				continue
			}
			m.at(result.Actions[0])[n].add(result)
			m.Totals[n].add(result)
		}
	}
	for action := range m.scores {
		m.Actions = append(m.Actions, action)
	}
	slices.Sort(m.Actions)
	for _, scores := range m.scores {
		for _, s := range scores {
			slices.SortStableFunc(s.Failures, func(a, b replay.Result) int { return cmp.Compare(a.Case, b.Case) })
		}
	}
	return m
}

func (m *matrix) at(action string) []*score {
	if m.scores[action] == nil {
		for range m.Runs {
			m.scores[action] = append(m.scores[action], &score{})
		}
	}
	return m.scores[action]
}

// Row returns the scores of an action.
func (m *matrix) Row(action string) []*score { return m.scores[action] }

func (s *score) add(r replay.Result) {
	switch r.Outcome {
	case replay.Passed:
		s.Passed++
	case replay.Failed:
		s.Failed++
		s.Failures = append(s.Failures, r)
	case replay.Skipped:
		s.Skipped++
	}
}
