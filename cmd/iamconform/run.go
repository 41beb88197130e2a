package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"iamserver/conformance"
	"iamserver/conformance/replay"
	"iamserver/conformance/report"
)

type runCommand struct {
	selection `embed:""`
	target    `embed:""`

	Level    []string `help:"Levels: core, aws, extension, strict." default:"core,aws,extension" enum:"core,aws,extension,strict"`
	Action   []string `help:"Only cases about these actions." placeholder:"NAME,…"`
	Parallel int      `help:"How many cases run at once." default:"4"`
	Out      string   `help:"Write the results, in JSON, to this file, for iamconform report." type:"path" placeholder:"FILE"`
	Name     string   `help:"What the implementation is called in reports; the profile's name, else the endpoint, by default." placeholder:"NAME"`
	Version  string   `help:"Its version, for reports." placeholder:"VERSION"`
	Quiet    bool     `help:"Show failures and the end only."`
}

// Run replays the cases.
func (c *runCommand) Run(p *process) error {
	cases, err := c.load()
	if err != nil {
		return err
	}
	cases = conformance.Variants(cases)
	config, err := c.config()
	if err != nil {
		return err
	}
	for _, l := range c.Level {
		config.Levels = append(config.Levels, conformance.Level(l))
	}
	config.Actions, config.Parallel = c.Action, c.Parallel
	done := 0
	var broken error
	config.Progress = func(r replay.Result) {
		done++
		if err := p.printf("%s", c.progress(r, done, len(cases))); broken == nil {
			broken = err
		}
	}
	runner, err := replay.New(p.stop, config)
	if err != nil {
		return err
	}
	told := context.AfterFunc(p.stop, func() {
		fmt.Fprintln(p.stderr, "iamconform: cleaning up; told to stop once more, it leaves what it has made") //nolint:errcheck // whoever told it sees the end
	})
	defer told()
	begin := now()
	results, interrupted := runner.Run(p.stop, cases)
	if broken != nil {
		return broken
	}
	r := report.Run{Target: c.called(config), Version: c.Version, Endpoint: c.Endpoint, Began: begin, Levels: c.Level, Results: results}
	if c.Out != "" {
		write := func(to io.Writer, runs []*report.Run) error { return report.JSON(to, runs[0]) }
		if err := writeTo(p, c.Out, []*report.Run{&r}, write); err != nil {
			return err
		}
	}
	n := r.Count()
	if err := p.printf("%d passed, %d failed, %d skipped\n", n[replay.Passed], n[replay.Failed], n[replay.Skipped]); err != nil {
		return err
	}
	if interrupted != nil {
		return interrupted
	}
	if n[replay.Failed] > 0 {
		return errFailed
	}
	return nil
}

func (c *runCommand) called(config replay.Config) string {
	switch {
	case c.Name != "":
		return c.Name
	case config.Profile != nil:
		return config.Profile.Name
	}
	return c.Endpoint
}

// progress is what a result adds to the output.
func (c *runCommand) progress(r replay.Result, done, all int) string {
	var b strings.Builder
	if r.Outcome == replay.Failed {
		fmt.Fprintf(&b, "FAIL %s: %s\n", r.Case, r.Sentence)
		if r.Reason != "" {
			b.WriteString("  " + r.Reason + "\n")
		}
		for _, d := range r.Differences {
			b.WriteString("  " + strings.ReplaceAll(d.String(), "\n", "\n  ") + "\n")
		}
		if r.Request != "" {
			b.WriteString("  sent: " + oneLine(r.Request) + "\n")
		}
		for _, s := range r.Sources {
			b.WriteString("  source: " + s + "\n")
		}
	}
	for _, left := range r.Left {
		b.WriteString("LEFT " + left + "\n")
	}
	if !c.Quiet && done%100 == 0 {
		fmt.Fprintf(&b, "%d of %d\n", done, all)
	}
	return b.String()
}

// maxLine is how much of a request the output shows, in characters; results have more of it.
const maxLine = 300

func oneLine(text string) string {
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > maxLine {
		return string(line[:maxLine]) + "…"
	}
	return string(line)
}
