package main

import (
	"io"
	"slices"

	"iamserver/conformance/replay"
	"iamserver/conformance/report"
)

type sampleCommand struct {
	Results []string `arg:"" help:"Files that iamconform run --out wrote." type:"existingfile"`
	Seed    string   `help:"What chooses; the same chooses the same." required:"" placeholder:"TEXT"`
	Count   int      `help:"How many failures of each run." default:"12"`
	Written bool     `help:"Leave out the cases that are generated from the specification."`
}

// Run prints failures that are chosen at random, to be checked by hand.
func (c *sampleCommand) Run(p *process) error {
	runs, err := readRuns(c.Results)
	if err != nil {
		return err
	}
	if c.Written {
		for _, r := range runs {
			r.Results = slices.DeleteFunc(r.Results, func(result replay.Result) bool { return result.Generated })
		}
	}
	return writeTo(p, "-", runs, func(to io.Writer, runs []*report.Run) error { return report.Samples(to, runs, c.Seed, c.Count) })
}
