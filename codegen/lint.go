package codegen

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"

	"iamserver/codegen/model"
	"iamserver/codegen/openapi"
	"iamserver/codegen/reference"
)

// Lint finds what does not stop generation but should not be, in the
// specification under spec/ of a module and in the use that the module makes
// of it: beside what openapi.Lint finds, messages of errors that no code uses, and
// actions that differ from the authorization reference.
func Lint(module fs.FS) (openapi.Problems, error) {
	spec, err := fs.Sub(module, "spec")
	if err != nil {
		return nil, err
	}
	problems, err := openapi.Lint(spec)
	if err != nil {
		return nil, err
	}
	services, err := openapi.Load(spec)
	if err != nil {
		return nil, err
	}
	used, err := identifiers(module)
	if err != nil {
		return nil, err
	}
	authorization, err := reference.Load(spec)
	if err != nil {
		return nil, err
	}
	requests, err := openapi.LoadRequests(spec)
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		services = append(services, r.Service)
		problems = append(problems, unauthorizedRequests(r, authorization)...)
	}
	for _, s := range services {
		problems = append(problems, unusedMessages(s, used)...)
		problems = append(problems, unauthorized(s, authorization)...)
	}
	return problems, nil
}

func unusedMessages(s *model.Service, used map[string]bool) openapi.Problems {
	for _, l := range s.Lists {
		if l.Unique != nil {
			used[s.Errors+"."+l.Unique.Error] = true
		}
	}
	var problems openapi.Problems
	for _, c := range s.Codes {
		for _, m := range c.Messages {
			if name := s.Errors + "." + m.Name; !used[name] {
				problems = append(problems, openapi.Problem{Position: m.Position, Text: "no code uses " + name})
			}
		}
	}
	return problems
}

var qualified = regexp.MustCompile(`\b[a-z][a-z0-9]*\.[A-Z]\w*`)

// identifiers returns the qualified names, such as iamerr.UserNotFound, in the
// hand-written Go files of a module that are not tests.
func identifiers(module fs.FS) (map[string]bool, error) {
	used := map[string]bool{}
	err := fs.WalkDir(module, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // another program is at work in the tree
		case err != nil:
			return err
		case entry.IsDir() && (file == "generated" || file == "codegen"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(module, file)
		for _, name := range qualified.FindAllString(string(source), -1) {
			used[name] = true
		}
		return err
	})
	return used, err
}
