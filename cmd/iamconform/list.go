package main

import "iamserver/conformance"

type listCommand struct {
	selection `embed:""`
}

// Run prints a line for each case.
func (c *listCommand) Run(p *process) error {
	cases, err := c.load()
	if err != nil {
		return err
	}
	for _, one := range cases {
		if err := p.printf("%s\t%s\t%s\n", one.Name, one.Level, one.Sentence); err != nil {
			return err
		}
	}
	return nil
}

type showCommand struct {
	selection `embed:""`
}

// Run prints cases as files.
func (c *showCommand) Run(p *process) error {
	cases, err := c.load()
	if err != nil {
		return err
	}
	for _, one := range cases {
		if err := p.printf("%s", conformance.Format(one)); err != nil {
			return err
		}
	}
	return nil
}
