package openapi

import (
	"io/fs"
	"path"
	"slices"

	"iamserver/codegen/model"
)

// Lint finds what does not stop generation but should not be: names and files
// that nothing uses, and parameters that nothing describes. The error is that of Load.
func Lint(fsys fs.FS) (Problems, error) {
	loaders, err := loadAll(fsys)
	if err != nil {
		return nil, err
	}
	plugin, err := loadPlugin(fsys)
	if err != nil {
		return nil, err
	}
	var all Problems
	if plugin != nil {
		plugin.lintFiles()
		all = append(all, plugin.problems...)
	}
	for _, l := range loaders {
		l.lintFiles()
		l.lintErrors()
		l.lintQuotas()
		l.lintDescriptions()
		all = append(all, l.problems...)
	}
	return all.sorted(), nil
}

// lintFiles finds files, actions and shapes that no $ref reaches. The
// authorization reference is none of these; package reference reads it.
func (l *loader) lintFiles() {
	folder := path.Dir(l.root)
	err := fs.WalkDir(l.source.fsys, folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || file == l.root || file == l.errorFile() || path.Base(file) == "authorization.yaml" {
			return err
		}
		names := l.source.keys(file, "")
		unreached := l.grammar.unreached(file)
		if len(unreached) == len(names) {
			l.problem(model.Position{File: file, Line: 1, Column: 1}, "nothing refers to this file")
			return nil
		}
		for _, key := range unreached {
			l.problem(positionOf(file, key), "nothing refers to %s", key.Value)
		}
		return nil
	})
	if err != nil {
		l.problem(l.service.Position, "%v", err)
	}
}

// lintErrors finds codes that no action answers.
func (l *loader) lintErrors() {
	for _, c := range l.service.Codes {
		answered := slices.ContainsFunc(l.service.Actions, func(a *model.Action) bool { return slices.Contains(a.Errors, c.Name) })
		if !answered && !c.Common {
			l.problem(c.Position, "no action answers %s, and it is not common", c.Name)
		}
	}
}

// lintQuotas finds quotas that no action asks for: settings without effect.
func (l *loader) lintQuotas() {
	for _, q := range l.service.Quotas {
		if !slices.ContainsFunc(l.service.Actions, func(a *model.Action) bool { return slices.Contains(a.Quotas, q.Name) }) {
			l.problem(q.Position, "no action asks for the quota %s", q.Name)
		}
	}
}

// lintDescriptions finds parameters, and members that are extensions, without
// a description. The AWS CLI's help shows nothing else.
func (l *loader) lintDescriptions() {
	for _, a := range l.service.Actions {
		for _, m := range a.Input.Members {
			if m.Doc == "" {
				l.problem(m.Position, "the parameter %s of %s has no description", m.Name, a.Name)
			}
		}
	}
	for _, s := range l.service.Shapes {
		for _, m := range s.Members {
			if m.Doc == "" && m.Extension != "" {
				l.problem(m.Position, "%s.%s is an extension and has no description", s.Name, m.Name)
			}
		}
	}
}
