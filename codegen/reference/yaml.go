package reference

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
)

// document returns the node at the top of a file, or nil for a problem.
func (l *loader) document(data []byte) *yaml.Node {
	var document yaml.Node
	switch err := yaml.Unmarshal(data, &document); {
	case err != nil:
		l.problem(model.Position{File: l.file, Line: 1, Column: 1}, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	case len(document.Content) == 0:
		l.problem(model.Position{File: l.file, Line: 1, Column: 1}, "the file must hold a mapping")
	default:
		return document.Content[0]
	}
	return nil
}

// mapping reads a mapping with the keys given, and no others.
func (l *loader) mapping(n *yaml.Node, fields map[string]func(key, value *yaml.Node)) {
	l.each(n, func(key, value *yaml.Node) {
		read := fields[key.Value]
		if read == nil {
			l.problem(l.at(key), "%s is not known here", key.Value)
			return
		}
		read(key, value)
	})
}

// each reads a mapping with names of the author's choice.
func (l *loader) each(n *yaml.Node, entry func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		l.problem(l.at(n), "this must be a mapping")
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if line := lines[key.Value]; line > 0 {
			l.problem(l.at(key), "%s stands here twice, first on line %d", key.Value, line)
			continue
		}
		lines[key.Value] = key.Line
		entry(key, n.Content[i+1])
	}
}

func (l *loader) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || n.Value == "" {
		l.problem(l.at(n), "this must be text")
	}
	return n.Value
}

func (l *loader) sentence(n *yaml.Node) string {
	text := l.text(n)
	if !strings.HasSuffix(text, ".") {
		l.problem(l.at(n), "this must be a sentence with its full stop")
	}
	return text
}

func (l *loader) oneOf(n *yaml.Node, values ...string) string {
	if !slices.Contains(values, n.Value) {
		l.problem(l.at(n), "this must be one of %s", strings.Join(values, ", "))
	}
	return n.Value
}

// flag reads what can only be true: absence says no.
func (l *loader) flag(n *yaml.Node) bool {
	if n.Tag != "!!bool" || n.Value != "true" {
		l.problem(l.at(n), "this can only be true")
	}
	return true
}

func (l *loader) texts(n *yaml.Node) []string {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		l.problem(l.at(n), "this must be a list")
		return nil
	}
	all := make([]string, len(n.Content))
	for i, item := range n.Content {
		all[i] = l.text(item)
	}
	return all
}
