package reference

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
	"iamserver/codegen/openapi"
)

// File is the name of the files that hold the reference, one in the folder of
// each service.
const File = "authorization.yaml"

// Load reads the reference from every folder of fsys that holds an
// authorization.yaml, and the managed policies. The error is an
// openapi.InvalidError with every problem of the files, unless they cannot be
// read at all. Without such files the reference is empty.
func Load(fsys fs.FS) (*Reference, error) {
	names, err := fs.Glob(fsys, "*/"+File)
	if err != nil {
		return nil, fmt.Errorf("read authorization reference: %w", err)
	}
	l := &loader{}
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read authorization reference: %w", err)
		}
		l.service(name, data)
	}
	for _, s := range l.reference.Services {
		l.resolve(s)
	}
	if err := l.managed(fsys); err != nil {
		return nil, err
	}
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b openapi.Problem) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return nil, &openapi.InvalidError{Problems: l.problems}
	}
	return &l.reference, nil
}

type loader struct {
	reference Reference
	file      string
	problems  openapi.Problems
}

func (l *loader) problem(at model.Position, format string, args ...any) {
	l.problems = append(l.problems, openapi.Problem{Position: at, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) at(n *yaml.Node) model.Position {
	return model.Position{File: l.file, Line: n.Line, Column: n.Column}
}

// service reads one file.
func (l *loader) service(file string, data []byte) {
	l.file = file
	document := l.document(data)
	if document == nil {
		return
	}
	s := &Service{Position: model.Position{File: file, Line: 1, Column: 1}}
	l.mapping(document, map[string]func(key, value *yaml.Node){
		"service":        func(_, v *yaml.Node) { s.Name = l.text(v) },
		"condition-keys": func(_, v *yaml.Node) { l.each(v, func(k, v *yaml.Node) { s.Keys = append(s.Keys, l.key(k, v)) }) },
		"sets":           func(_, v *yaml.Node) { l.each(v, func(k, v *yaml.Node) { s.Sets = append(s.Sets, l.set(k, v)) }) },
		"resources": func(_, v *yaml.Node) {
			l.each(v, func(k, v *yaml.Node) { s.Resources = append(s.Resources, l.resource(k, v)) })
		},
		"actions": func(_, v *yaml.Node) {
			l.each(v, func(k, v *yaml.Node) { s.Actions = append(s.Actions, l.action(k, v)) })
		},
	})
	if folder := path.Dir(file); s.Name != folder {
		l.problem(s.Position, "service must be the name of the folder, %s", folder)
	}
	l.reference.Services = append(l.reference.Services, s)
}

func (l *loader) key(name, n *yaml.Node) *Key {
	k := &Key{Position: l.at(name), Name: name.Value}
	l.mapping(n, map[string]func(key, value *yaml.Node){
		"type":        func(_, v *yaml.Node) { k.Type = l.oneOf(v, "string", "bool", "numeric", "date", "ip", "arn") },
		"many":        func(_, v *yaml.Node) { k.Many = l.flag(v) },
		"listed":      func(_, v *yaml.Node) { k.Listed = l.flag(v) },
		"extension":   func(_, v *yaml.Node) { k.Extension = l.flag(v) },
		"description": func(_, v *yaml.Node) { k.Description = l.sentence(v) },
		"absent":      func(_, v *yaml.Node) { k.Absent = l.sentence(v) },
	})
	if k.Type == "" {
		l.problem(k.Position, "%s has no type", k.Name)
	}
	if !strings.Contains(k.Name, ":") {
		l.problem(k.Position, "%s is not a condition key like aws:TagKeys", k.Name)
	}
	return k
}

func (l *loader) set(name, n *yaml.Node) *Set {
	return &Set{Position: l.at(name), Name: name.Value, Keys: l.texts(n)}
}

func (l *loader) resource(name, n *yaml.Node) *Resource {
	r := &Resource{Position: l.at(name), Name: name.Value}
	l.mapping(n, map[string]func(key, value *yaml.Node){
		"arn":            func(_, v *yaml.Node) { r.ARN = l.text(v) },
		"condition-keys": func(_, v *yaml.Node) { r.Keys = l.texts(v) },
		"extension":      func(_, v *yaml.Node) { r.Extension = l.flag(v) },
	})
	if strings.Count(r.ARN, ":") < 5 || !strings.HasPrefix(r.ARN, "arn:") {
		l.problem(r.Position, "the arn of %s must have the six parts of an ARN", r.Name)
	}
	return r
}

func (l *loader) action(name, n *yaml.Node) *Action {
	a := &Action{Position: l.at(name), Name: name.Value}
	l.mapping(n, map[string]func(key, value *yaml.Node){
		"access": func(_, v *yaml.Node) {
			a.Access = l.oneOf(v, "Read", "Write", "List", "Tagging", "PermissionsManagement")
		},
		"resources":      func(_, v *yaml.Node) { a.Resources = l.texts(v) },
		"condition-keys": func(_, v *yaml.Node) { a.Keys = l.texts(v) },
		"extension":      func(_, v *yaml.Node) { a.Extension = l.flag(v) },
	})
	if a.Access == "" {
		l.problem(a.Position, "%s has no access level", a.Name)
	}
	return a
}

// resolve replaces the names of sets by their keys, and finds names that
// nothing declares.
func (l *loader) resolve(s *Service) {
	used := map[string]bool{}
	for _, set := range s.Sets {
		l.known(set.Position, set.Keys)
	}
	for _, r := range s.Resources {
		l.known(r.Position, r.Keys)
	}
	for _, a := range s.Actions {
		for _, name := range a.Resources {
			if s.Resource(name) == nil {
				l.problem(a.Position, "%s has no resource type %s", s.Name, name)
			}
		}
		listed := a.Keys
		a.Keys = nil
		for _, name := range listed {
			switch set := s.set(name); {
			case set != nil:
				used[name] = true
				a.Sets = append(a.Sets, name)
				a.Keys = append(a.Keys, set.Keys...)
			default:
				l.known(a.Position, []string{name})
				a.Own = append(a.Own, name)
				a.Keys = append(a.Keys, name)
			}
		}
		seen := map[string]bool{}
		for _, key := range a.Keys {
			if seen[key] {
				l.problem(a.Position, "%s has the condition key %s twice", a.Name, key)
			}
			seen[key] = true
		}
	}
	for _, set := range s.Sets {
		if !used[set.Name] {
			l.problem(set.Position, "no action uses the set %s", set.Name)
		}
	}
	for _, k := range s.Keys {
		if first := l.reference.Key(k.Name); first != k {
			l.problem(k.Position, "%s is declared at %s too", k.Name, first.Position)
		}
	}
}

func (l *loader) known(at model.Position, keys []string) {
	for _, key := range keys {
		if l.reference.Key(key) == nil {
			l.problem(at, "the condition key %s is declared nowhere", key)
		}
	}
}
