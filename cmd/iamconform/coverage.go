package main

import (
	"iamserver/conformance"
	"iamserver/conformance/derive"
)

type coverageCommand struct {
	selection `embed:""`
}

// Run prints the table, and what is missing.
func (c *coverageCommand) Run(p *process) error {
	cases, err := c.load()
	if err != nil {
		return err
	}
	excuses, err := derive.Excuses(conformance.Unprovoked())
	if err != nil {
		return err
	}
	rows, err := derive.Coverage(cases, excuses)
	if err != nil {
		return err
	}
	if err := p.printf("%s", derive.Table(rows, cases)); err != nil {
		return err
	}
	missing := false
	for i := range rows {
		for _, what := range rows[i].Missing() {
			missing = true
			if err := p.printf("missing: %s: %s\n", rows[i].Action, what); err != nil {
				return err
			}
		}
	}
	if missing {
		return errFailed
	}
	return nil
}
