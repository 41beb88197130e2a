package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"iamserver/codegen/awsmodel"
	"iamserver/codegen/model"
)

// modelFlags name a model of AWS's.
type modelFlags struct {
	Model      string `required:"" help:"AWS's model of the service, a service-2.json of botocore." type:"existingfile" placeholder:"FILE"`
	Paginators string `help:"The paginators of the model; by default the paginators-1.json, or the *.paginators.json, beside it." type:"existingfile" placeholder:"FILE"`
}

// read reads the model and finds our service of the same id.
func (f modelFlags) read(p *project) (*model.Service, *awsmodel.Model, error) {
	paginators := f.Paginators
	if paginators == "" {
		paginators = strings.TrimSuffix(f.Model, ".json") + ".paginators.json"
		if filepath.Base(f.Model) == "service-2.json" {
			paginators = filepath.Join(filepath.Dir(f.Model), "paginators-1.json")
		}
	}
	service, err := os.ReadFile(f.Model)
	if err != nil {
		return nil, nil, err
	}
	pages, err := os.ReadFile(paginators)
	if err != nil {
		return nil, nil, err
	}
	theirs, err := awsmodel.Parse(service, pages)
	if err != nil {
		return nil, nil, err
	}
	services, err := p.services()
	if err != nil {
		return nil, nil, err
	}
	for _, s := range services {
		if s.ID == theirs.Metadata.ServiceID {
			return s, theirs, nil
		}
	}
	return nil, nil, fmt.Errorf("the specification has no service with the id %s", theirs.Metadata.ServiceID)
}

type diffCommand struct {
	modelFlags

	Allow string `help:"The differences that are meant, with their reasons; by default spec/aws-differences.yaml." type:"existingfile" placeholder:"FILE"`
	All   bool   `help:"Print the differences that are meant too, and do not fail."`
}

// Run prints the differences that nothing explains, and the explanations of
// differences that are none.
func (c diffCommand) Run(p *project) error {
	ours, theirs, err := c.read(p)
	if err != nil {
		return err
	}
	differences := awsmodel.Diff(awsmodel.Of(ours), theirs)
	if c.All {
		for _, d := range differences {
			say(p.stdout, d)
		}
		return nil
	}
	allowances, err := p.allowances(cmp.Or(c.Allow, filepath.Join(p.root, "spec", "aws-differences.yaml")), c.Allow == "")
	if err != nil {
		return err
	}
	return p.unexplained(awsmodel.Unexplained(ours.Name, differences, allowances))
}

// unexplained prints differences, and explanations of none, and returns errFound
// if there are any.
func (p *project) unexplained(open []awsmodel.Difference, idle []awsmodel.Allowance) error {
	for _, d := range open {
		p.line(d.Position, d.String())
	}
	for _, a := range idle {
		say(p.stderr, a.Position.String()+": "+a.String()+": this is no difference any more")
	}
	if len(open)+len(idle) > 0 {
		return errFound
	}
	return nil
}

// allowances reads the differences that are meant from a file, which may be missing.
func (p *project) allowances(name string, optional bool) ([]awsmodel.Allowance, error) {
	data, err := os.ReadFile(name)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return awsmodel.Allowances(fromHere(name), data)
}
