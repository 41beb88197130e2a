package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"iamserver/conformance"
	"iamserver/conformance/record"
	"iamserver/conformance/replay"
)

// now is the clock.
func now() time.Time { return time.Now() }

type driftCommand struct {
	selection `embed:""`
	target    `embed:""`

	AWS      string `help:"The AWS CLI." default:"aws" placeholder:"PROGRAM"`
	Models   string `help:"Models for the AWS CLI, as AWS_DATA_PATH has them." env:"AWS_DATA_PATH" type:"path" placeholder:"DIR"`
	Parallel int    `help:"How many cases run at once." default:"2"`
	Write    bool   `help:"Write the requests that the CLI sends into the cases of --dir."`
}

// Run drives the cases; what the CLI sends otherwise is a finding, not a failure.
func (c *driftCommand) Run(p *process) error {
	c.Written = true
	c.drafts = c.Write
	cases, err := c.load()
	if err != nil {
		return err
	}
	config, err := c.config()
	if err != nil {
		return err
	}
	runner, err := replay.New(p.stop, config)
	if err != nil {
		return err
	}
	found := make([]string, len(cases))
	next := make(chan int)
	var workers errgroup.Group
	for range max(c.Parallel, 1) {
		workers.Go(func() error {
			proxy, err := record.NewProxy(config.Endpoint, nil)
			if err != nil {
				return err
			}
			front := httptest.NewServer(proxy)
			defer front.Close()
			cli := record.CLI{Path: c.AWS, Endpoint: front.URL, Models: c.Models, Region: config.Region}
			for i := range next {
				if found[i], err = c.one(p, runner.NewSession(i, cases[i]), cases[i], cli, proxy); err != nil {
					return err
				}
			}
			return nil
		})
	}
	go func() {
		defer close(next)
		for i := range cases {
			select {
			case next <- i:
			case <-p.stop.Done():
				return
			}
		}
	}()
	err = workers.Wait()
	findings := 0
	for _, f := range found {
		if f != "" {
			findings++
		}
		if err := p.printf("%s", f); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return p.printf("%d cases, %d of them with findings\n", len(cases), findings)
}

// one drives a case and returns what was found.
func (c *driftCommand) one(p *process, session *replay.Session, one *conformance.Case, cli record.CLI, proxy *record.Proxy) (string, error) {
	var b strings.Builder
	driven, err := record.Commands(p.stop, one, session, cli, proxy, nil)
	for _, f := range driven.Findings {
		b.WriteString(shown(f))
	}
	for _, left := range session.CleanUp(p.stop) {
		b.WriteString(one.Name + ": left behind: " + left + "\n")
	}
	if err != nil {
		b.WriteString(one.Name + ": " + err.Error() + "\n")
		return b.String(), nil //nolint:nilerr // a case that cannot be driven is a finding; the others are driven all the same
	}
	if c.Write && c.Dir != "" {
		return b.String(), os.WriteFile(filepath.Join(c.Dir, one.Name+".txtar"), conformance.Format(driven.Case), 0o644) //nolint:gosec // sources are for everybody to read
	}
	return b.String(), nil
}

func shown(f record.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, step %d, %s: %s\n", f.Case, f.Step, f.Client, f.Command)
	if f.Recorded != f.Sends {
		b.WriteString("  recorded: " + f.Recorded + "  sends:    " + f.Sends)
	}
	for _, d := range f.Answer {
		b.WriteString("  " + d.String() + "\n")
	}
	return b.String()
}
