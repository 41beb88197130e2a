package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"iamserver/conformance"
	"iamserver/conformance/record"
	"iamserver/conformance/replay"
)

// now is the clock.
func now() time.Time { return time.Now() }

type driftCommand struct {
	selection `embed:""`
	target    `embed:""`

	AWS    string `help:"The AWS CLI." default:"aws" placeholder:"PROGRAM"`
	Models string `help:"Models for the AWS CLI, as AWS_DATA_PATH has them." env:"AWS_DATA_PATH" type:"path" placeholder:"DIR"`
	Write  bool   `help:"Write the requests that the CLI sends into the cases of --dir."`
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
	proxy, err := record.NewProxy(config.Endpoint)
	if err != nil {
		return err
	}
	front := httptest.NewServer(http.HandlerFunc(proxy.ServeHTTP))
	defer front.Close()
	cli := record.CLI{Path: c.AWS, Endpoint: front.URL, Models: c.Models, Region: config.Region}
	found := 0
	for i, one := range cases {
		session := runner.NewSession(i, one)
		live, findings, err := record.Commands(p.stop, one, session, cli, proxy)
		for _, left := range session.CleanUp(p.stop) {
			if err := p.printf("%s: left behind: %s\n", one.Name, left); err != nil {
				return err
			}
		}
		if err != nil {
			if err := p.printf("%s: %v\n", one.Name, err); err != nil {
				return err
			}
			found++
			continue
		}
		for _, f := range findings {
			found++
			if err := p.printf("%s", shown(f)); err != nil {
				return err
			}
		}
		if c.Write && c.Dir != "" {
			if err := os.WriteFile(filepath.Join(c.Dir, one.Name+".txtar"), conformance.Format(live), 0o644); err != nil { //nolint:gosec // sources are for everybody to read
				return err
			}
		}
	}
	return p.printf("%d cases, %d findings\n", len(cases), found)
}

func shown(f record.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, step %d: %s\n", f.Case, f.Step, f.Command)
	if f.Recorded != f.Sends {
		b.WriteString("  recorded: " + f.Recorded + "  sends:    " + f.Sends)
	}
	for _, d := range f.Answer {
		b.WriteString("  " + d.String() + "\n")
	}
	return b.String()
}
