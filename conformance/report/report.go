// Package report turns the results of runs into what people and machines read:
// JUnit XML, JSON, Markdown, a matrix in HTML. It runs nothing.
package report

import (
	"time"

	"iamserver/conformance/replay"
)

// A Run is what one implementation answered.
type Run struct {
	Target   string
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
