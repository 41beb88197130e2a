// Package openapi reads the specification into package model: it checks the
// form of the documents, loads them with kin-openapi, and decodes the x-iam
// dialect. It decides nothing about Go; see package emit.
package openapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
)

// Load reads every service of the specification: each folder F of fsys that
// holds F.yaml, but for the contract with plugins (LoadPlugin). The error is an InvalidError with every problem of the specification,
// unless it cannot be read at all.
func Load(fsys fs.FS) ([]*model.Service, error) {
	loaders, err := loadAll(fsys)
	if err != nil {
		return nil, err
	}
	services := make([]*model.Service, len(loaders))
	for i, l := range loaders {
		services[i] = l.service
	}
	return services, nil
}

func loadAll(fsys fs.FS) ([]*loader, error) {
	folders, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read specification: %w", err)
	}
	var loaders []*loader
	var problems Problems
	for _, folder := range folders {
		root := path.Join(folder.Name(), folder.Name()+".yaml")
		if _, err := fs.Stat(fsys, root); err != nil || root == pluginRoot {
			continue
		}
		l := newLoader(fsys, root)
		l.load()
		loaders = append(loaders, l)
		problems = append(problems, l.problems...)
	}
	if len(problems) > 0 {
		return nil, &InvalidError{problems.sorted()}
	}
	if len(loaders) == 0 {
		return nil, errors.New("read specification: no folder holds a root document of its own name")
	}
	return loaders, nil
}

// A loader reads one service.
type loader struct {
	root     string // path of the root document
	source   *source
	grammar  *grammar
	service  *model.Service
	problems Problems
	named    map[string]model.Position // named schemas by name
	structs  map[string]*model.Structure
	scalars  map[string]*model.Scalar
	lists    map[string]*model.Sequence
}

func newLoader(fsys fs.FS, root string) *loader {
	files := newSource(fsys)
	return &loader{
		root: root, source: files, grammar: &grammar{source: files, seen: map[*yaml.Node]bool{}},
		service: &model.Service{Position: model.Position{File: root, Line: 1, Column: 1}},
		named:   map[string]model.Position{}, structs: map[string]*model.Structure{}, scalars: map[string]*model.Scalar{}, lists: map[string]*model.Sequence{},
	}
}

func (l *loader) problem(at model.Position, format string, args ...any) {
	l.problems = append(l.problems, Problem{at, fmt.Sprintf(format, args...)})
}

// rootAt is the position of a key of the root document.
func (l *loader) rootAt(names ...string) model.Position {
	return l.source.top(l.root, names...)
}

// load reads the service. Each step relies on the one before, so that one
// mistake is one problem.
func (l *loader) load() {
	l.grammar.root(l.root)
	if l.hasErrors() {
		l.grammar.errorCodes(l.errorFile())
	}
	if l.problems = l.grammar.problems; len(l.problems) > 0 {
		return
	}
	doc, err := l.document()
	if err != nil {
		l.problems = problemsOf(l.service.Position, err)
		return
	}
	l.header(doc)
	l.errorCodes()
	l.actions(doc)
	if len(l.problems) > 0 {
		return
	}
	l.collect()
	l.check()
}

// document loads the root document and all that it refers to, from the source alone.
func (l *loader) document() (*openapi3.T, error) {
	from := openapi3.NewLoader()
	from.IsExternalRefsAllowed = true
	from.IncludeOrigin = true
	from.ReadFromURIFunc = func(_ *openapi3.Loader, u *url.URL) ([]byte, error) { return fs.ReadFile(l.source.fsys, u.Path) }
	doc, err := from.LoadFromURI(&url.URL{Path: l.root})
	if err != nil {
		return nil, err
	}
	if doc.OpenAPI != "3.1.0" {
		// What stands beside a $ref is dropped in 3.0 without a word.
		l.problem(l.rootAt("openapi"), "openapi must be 3.1.0, not %s", doc.OpenAPI)
	}
	// Defaults and patterns are checked where they are read: all of them, and with
	// clearer messages.
	return doc, doc.Validate(context.Background(), openapi3.EnableMultiError(), openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableSchemaPatternValidation())
}

func (l *loader) header(doc *openapi3.T) {
	var dialect rootDialect
	l.decode(doc.Extensions, nil, &dialect)
	if dialect.Service == nil {
		l.problem(l.service.Position, "x-iam-service is missing")
		return
	}
	d := dialect.Service
	for _, fact := range [][2]string{{"name", d.Name}, {"id", d.ID}, {"package", d.Package}, {"namespace", d.Namespace}} {
		if fact[1] == "" {
			l.problem(l.rootAt("x-iam-service"), "x-iam-service lacks %s", fact[0])
		}
	}
	if d.Protocol != "query" {
		l.problem(l.rootAt("x-iam-service", "protocol"), "the protocol must be query, not %q", d.Protocol)
	}
	if d.ListItem != "member" {
		l.problem(l.rootAt("x-iam-service", "list-item"), "list-item must be member, not %q", d.ListItem)
	}
	if d.Name != "" && d.Name != path.Base(path.Dir(l.root)) {
		l.problem(l.rootAt("x-iam-service", "name"), "the name must be that of the folder, %s", path.Base(path.Dir(l.root)))
	}
	s := l.service
	s.Name, s.ID, s.Package, s.Errors, s.Namespace = d.Name, d.ID, d.Package, d.Errors, d.Namespace
	s.Abbreviation, s.GlobalEndpoint, s.OmitValues = d.Abbreviation, d.GlobalEndpoint, d.OmitValues
	s.Title, s.Version = doc.Info.Title, doc.Info.Version
	for _, tag := range doc.Tags {
		s.Entities = append(s.Entities, model.Entity{Name: tag.Name, Description: tag.Description})
	}
	for _, key := range l.source.keys(l.root, "x-iam-quotas") {
		q := dialect.Quotas[key.Value]
		at := positionOf(l.root, key)
		if q.Description == "" {
			l.problem(at, "the quota %s has no description", key.Value)
		}
		s.Quotas = append(s.Quotas, model.Quota{Position: at, Name: key.Value, Default: q.Default, Description: q.Description})
	}
}

// collect puts the named schemas that the actions reach into source order.
func (l *loader) collect() {
	s := l.service
	for _, structure := range l.structs {
		s.Shapes = append(s.Shapes, structure)
	}
	for _, scalar := range l.scalars {
		s.Scalars = append(s.Scalars, scalar)
	}
	for _, list := range l.lists {
		s.Lists = append(s.Lists, list)
	}
	slices.SortFunc(s.Shapes, func(a, b *model.Structure) int { return compare(a.Position, b.Position) })
	slices.SortFunc(s.Scalars, func(a, b *model.Scalar) int { return compare(a.Position, b.Position) })
	slices.SortFunc(s.Lists, func(a, b *model.Sequence) int { return compare(a.Position, b.Position) })
}
