package openapi

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
)

// A source is the YAML of the specification as it is written: where each key
// stands and in which order, which kin-openapi's maps lose.
type source struct {
	fsys  fs.FS
	files map[string]*document
}

type document struct {
	root    *yaml.Node                    // the mapping at the top; nil if the file cannot be read
	problem Problem                       // why it cannot
	keys    map[model.Position]*yaml.Node // the value of the key at each position
}

func newSource(fsys fs.FS) *source { return &source{fsys, map[string]*document{}} }

// open reads a file once.
func (s *source) open(file string) *document {
	if d := s.files[file]; d != nil {
		return d
	}
	d := &document{keys: map[model.Position]*yaml.Node{}}
	s.files[file] = d
	d.problem.Position = model.Position{File: file, Line: 1, Column: 1}
	data, err := fs.ReadFile(s.fsys, file)
	var node yaml.Node
	if err == nil {
		err = yaml.Unmarshal(data, &node)
	}
	switch {
	case err != nil:
		d.unreadable(err)
	case len(node.Content) == 0 || node.Content[0].Kind != yaml.MappingNode:
		d.problem.Text = "the file must hold a mapping"
	default:
		d.root = node.Content[0]
		d.index(file, d.root)
	}
	if d.problem.Text != "" {
		d.root = nil
	}
	return d
}

// index notes where every key stands. A key that stands in a mapping twice
// makes the file unreadable: no two readers agree on what it means.
func (d *document) index(file string, n *yaml.Node) {
	lines := map[string]int{}
	for i, child := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 != 0 {
			d.index(file, child)
			continue
		}
		if line := lines[child.Value]; line > 0 && d.problem.Text == "" {
			d.problem = Problem{positionOf(file, child), fmt.Sprintf("%s stands here twice, first on line %d", child.Value, line)}
		}
		lines[child.Value] = child.Line
		d.keys[positionOf(file, child)] = n.Content[i+1]
	}
}

var yamlLine = regexp.MustCompile(`^yaml: line ([0-9]+): `)

func (d *document) unreadable(err error) {
	var missing *fs.PathError
	if errors.As(err, &missing) {
		err = missing.Err
	}
	d.problem.Text = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		d.problem.Line, _ = strconv.Atoi(m[1]) // the expression lets only digits through
		d.problem.Text = strings.TrimPrefix(err.Error(), m[0])
	}
}

func positionOf(file string, n *yaml.Node) model.Position {
	return model.Position{File: file, Line: n.Line, Column: n.Column}
}

// child returns the key and the value of an entry of a mapping, or nil.
func child(m *yaml.Node, name string) (key, value *yaml.Node) {
	if m.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			return m.Content[i], m.Content[i+1]
		}
	}
	return nil, nil
}

// keys returns the keys of a mapping at the top level of a file, or those of
// the file itself without a name, in the order of the file.
func (s *source) keys(file, name string) []*yaml.Node {
	m := s.open(file).root
	if m != nil && name != "" {
		_, m = child(m, name)
	}
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	var keys []*yaml.Node
	for i := 0; i+1 < len(m.Content); i += 2 {
		keys = append(keys, m.Content[i])
	}
	return keys
}

// within narrows the position of the key that heads a mapping down to one of
// the keys below, or to the item with that value of a list. It returns the last
// position that it finds.
func (s *source) within(at model.Position, names ...string) model.Position {
	return descend(at, s.open(at.File).keys[at], names)
}

// top does the same from the top of a file.
func (s *source) top(file string, names ...string) model.Position {
	return descend(model.Position{File: file, Line: 1, Column: 1}, s.open(file).root, names)
}

func descend(at model.Position, n *yaml.Node, names []string) model.Position {
	for _, name := range names {
		if n == nil {
			return at
		}
		key, value := child(n, name)
		if n.Kind == yaml.SequenceNode {
			if i := slices.IndexFunc(n.Content, func(item *yaml.Node) bool { return item.Value == name }); i >= 0 {
				key = n.Content[i]
			}
		}
		if key == nil {
			return at
		}
		at, n = positionOf(at.File, key), value
	}
	return at
}

// resolve finds what a $ref in a file points to.
func (s *source) resolve(from, ref string) (file string, key, value *yaml.Node) {
	file, fragment, _ := strings.Cut(ref, "#/")
	if file = path.Join(path.Dir(from), file); strings.HasPrefix(ref, "#/") {
		file = from
	}
	root := s.open(file).root
	if root == nil {
		return file, nil, nil
	}
	key, value = child(root, fragment)
	return file, key, value
}
