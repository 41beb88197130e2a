package main

import (
	"fmt"

	"iamserver/codegen/awsmodel"
)

type importCommand struct {
	modelFlags

	Action string `required:"" help:"The action, such as CreateRole." placeholder:"NAME"`
}

// Run prints the YAML.
func (c importCommand) Run(p *project) error {
	ours, theirs, err := c.read(p)
	if err != nil {
		return err
	}
	yaml, err := awsmodel.Import(ours, theirs, c.Action)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(p.stdout, yaml)
	return err
}
