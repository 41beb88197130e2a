package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"iamserver/conformance/report"
)

type reportCommand struct {
	Results  []string `arg:"" help:"Files that iamconform run --out wrote, in the order of the columns." type:"existingfile"`
	Markdown string   `help:"Write the matrix as Markdown to this file; - is standard output." placeholder:"FILE"`
	HTML     string   `help:"Write the matrix as a page of HTML." placeholder:"FILE" name:"html"`
	JUnit    string   `help:"Write the results as JUnit XML." placeholder:"FILE" name:"junit"`
}

// Run writes the reports that were asked for; the matrix in Markdown if none was.
func (c *reportCommand) Run(p *process) error {
	runs, err := readRuns(c.Results)
	if err != nil {
		return err
	}
	if c.Markdown == "" && c.HTML == "" && c.JUnit == "" {
		c.Markdown = "-"
	}
	for _, out := range []struct {
		file  string
		write func(io.Writer, []*report.Run) error
	}{{c.Markdown, report.Markdown}, {c.HTML, report.HTML}, {c.JUnit, report.JUnit}} {
		if err := writeTo(p, out.file, runs, out.write); err != nil {
			return err
		}
	}
	return nil
}

func readRuns(names []string) ([]*report.Run, error) {
	var runs []*report.Run
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		r, err := report.Read(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		runs = append(runs, r)
	}
	return runs, nil
}

func writeTo(p *process, name string, runs []*report.Run, write func(io.Writer, []*report.Run) error) error {
	switch name {
	case "":
		return nil
	case "-":
		return write(p.stdout, runs)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f, runs), f.Close())
}
