package reference

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
)

// ManagedFile is where the policies that AWS manages stand.
const ManagedFile = "managed/policies.yaml"

// A Managed is a policy that AWS manages, with statements of our own.
type Managed struct {
	model.Position

	Name        string // ViewOnlyAccess
	Path        string // /job-function/
	Description string
	Version     int
	Created     time.Time // midnight in UTC, as Updated
	Updated     time.Time
	Statements  []*Statement
}

// A Statement allows actions, or all but some, on resources.
type Statement struct {
	Sid        string
	Actions    []string // either these, sorted,
	NotActions []string // or these
	Resources  []string
}

// managed reads the policies that AWS manages, if the specification has any.
func (l *loader) managed(fsys fs.FS) error {
	data, err := fs.ReadFile(fsys, ManagedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read managed policies: %w", err)
	}
	l.file = ManagedFile
	if document := l.document(data); document != nil {
		l.each(document, func(name, n *yaml.Node) {
			l.reference.Managed = append(l.reference.Managed, l.managedPolicy(name, n))
		})
	}
	return nil
}

func (l *loader) managedPolicy(name, n *yaml.Node) *Managed {
	m := &Managed{Position: l.at(name), Name: path.Base(name.Value), Path: "/"}
	if folder := path.Dir(name.Value); folder != "." {
		m.Path = "/" + folder + "/"
	}
	l.mapping(n, map[string]func(key, value *yaml.Node){
		"description": func(_, v *yaml.Node) { m.Description = l.sentence(v) },
		"version":     func(_, v *yaml.Node) { m.Version = l.count(v) },
		"created":     func(_, v *yaml.Node) { m.Created = l.day(v) },
		"updated":     func(_, v *yaml.Node) { m.Updated = l.day(v) },
		"statements":  func(_, v *yaml.Node) { m.Statements = l.statements(v) },
	})
	if m.Description == "" || m.Version == 0 || m.Created.IsZero() || m.Updated.Before(m.Created) || len(m.Statements) == 0 {
		l.problem(m.Position, "%s needs description, version, created, updated that is not earlier, and statements", name.Value)
	}
	return m
}

func (l *loader) statements(n *yaml.Node) []*Statement {
	if n.Kind != yaml.SequenceNode {
		l.problem(l.at(n), "this must be a list")
		return nil
	}
	var all []*Statement
	for _, item := range n.Content {
		all = append(all, l.statement(item))
	}
	return all
}

func (l *loader) statement(n *yaml.Node) *Statement {
	s := &Statement{Resources: []string{"*"}}
	var derived, except []string
	l.mapping(n, map[string]func(key, value *yaml.Node){
		"sid":         func(_, v *yaml.Node) { s.Sid = l.text(v) },
		"actions":     func(_, v *yaml.Node) { s.Actions = l.actionPatterns(v) },
		"not-actions": func(_, v *yaml.Node) { s.NotActions = l.actionPatterns(v) },
		"access":      func(_, v *yaml.Node) { derived = l.actionsOf(v) },
		"except":      func(_, v *yaml.Node) { except = l.actionPatterns(v) },
		"resources":   func(_, v *yaml.Node) { s.Resources = l.texts(v) },
	})
	derived = slices.DeleteFunc(derived, func(action string) bool {
		return slices.ContainsFunc(except, func(pattern string) bool { return matches(pattern, action) })
	})
	s.Actions = append(s.Actions, derived...)
	slices.Sort(s.Actions)
	s.Actions = slices.Compact(s.Actions)
	if s.Sid == "" || (len(s.Actions) > 0) == (len(s.NotActions) > 0) {
		l.problem(l.at(n), "a statement needs a sid, and either actions or not-actions")
	}
	return s
}

// actionPatterns reads actions, each of which must be in the reference, or be *,
// or match some of it with a * at its end.
func (l *loader) actionPatterns(n *yaml.Node) []string {
	patterns := l.texts(n)
	for _, pattern := range patterns {
		found := pattern == "*"
		for _, s := range l.reference.Services {
			found = found || slices.ContainsFunc(s.Actions, func(a *Action) bool { return matches(pattern, s.Name+":"+a.Name) })
		}
		if !found {
			l.problem(l.at(n), "no action is %s", pattern)
		}
	}
	return patterns
}

func matches(pattern, action string) bool {
	prefix, ok := strings.CutSuffix(pattern, "*")
	return pattern == action || ok && strings.HasPrefix(action, prefix)
}

// actionsOf reads access levels by service, and returns the actions that have them.
func (l *loader) actionsOf(n *yaml.Node) []string {
	var all []string
	l.each(n, func(name, levels *yaml.Node) {
		s := l.reference.Service(name.Value)
		if s == nil {
			l.problem(l.at(name), "the authorization reference has no service %s", name.Value)
			return
		}
		for _, level := range l.texts(levels) {
			found := 0
			for _, a := range s.Actions {
				if a.Access == level {
					found++
					all = append(all, s.Name+":"+a.Name)
				}
			}
			if found == 0 {
				l.problem(l.at(levels), "no action of %s has the access level %s", name.Value, level)
			}
		}
	})
	return all
}

func (l *loader) count(n *yaml.Node) int {
	number, err := strconv.Atoi(n.Value)
	if err != nil || number < 1 {
		l.problem(l.at(n), "this must be a whole number from 1")
	}
	return number
}

func (l *loader) day(n *yaml.Node) time.Time {
	day, err := time.Parse(time.DateOnly, n.Value)
	if err != nil {
		l.problem(l.at(n), "this must be a day like 2026-11-25")
	}
	return day
}
