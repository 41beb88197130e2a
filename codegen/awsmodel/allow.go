package awsmodel

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
)

// An Allowance is a difference that is meant, with its reason.
type Allowance struct {
	Difference

	Service string // signing name
	Reason  string
}

// Allowances reads a list of entries
//
//	{service: iam, at: User.Status, ours: present, model: absent, reason: …}
//
// in which every key is required. The name of the file is for positions.
func Allowances(file string, data []byte) ([]Allowance, error) {
	var entries []yaml.Node
	if err := yaml.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("%s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var all []Allowance
	for i := range entries {
		a, err := allowance(file, &entries[i])
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func allowance(file string, entry *yaml.Node) (Allowance, error) {
	a := Allowance{Difference: Difference{Position: model.Position{File: file, Line: entry.Line, Column: entry.Column}}}
	fields := map[string]*string{"service": &a.Service, "at": &a.At, "ours": &a.Ours, "model": &a.Theirs, "reason": &a.Reason}
	for i := 0; i+1 < len(entry.Content); i += 2 {
		key := entry.Content[i].Value
		if fields[key] == nil {
			return a, fmt.Errorf("%s: %s is not known here", a.Position, key)
		}
		*fields[key] = entry.Content[i+1].Value
	}
	for _, key := range []string{"service", "at", "ours", "model", "reason"} {
		if *fields[key] == "" {
			return a, fmt.Errorf("%s: the entry lacks %s", a.Position, key)
		}
	}
	return a, nil
}

// Unexplained returns the differences of a service that no allowance explains,
// and the allowances of the service that explain no difference.
func Unexplained(service string, differences []Difference, allowances []Allowance) (open []Difference, idle []Allowance) {
	explained := map[string]bool{}
	for _, a := range allowances {
		if a.Service == service {
			explained[a.String()] = true
		}
	}
	found := map[string]bool{}
	for _, d := range differences {
		found[d.String()] = true
		if !explained[d.String()] {
			open = append(open, d)
		}
	}
	for _, a := range allowances {
		if a.Service == service && !found[a.String()] {
			idle = append(idle, a)
		}
	}
	return open, idle
}
