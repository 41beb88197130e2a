package codegen

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// owned are the paths, from the root of the module, that hold generated files
// and nothing else: what stands there and is not generated is stray.
var owned = []string{
	"generated", "docs/actions.md", "docs/condition-keys.md", "docs/managed-policies.md",
	"docs/plugin-messages.md", "plugins/guest/c/iam_messages.h", "plugins/guest/assemblyscript/messages.ts",
}

// A Drift is one difference between the generated files and those in the tree.
type Drift struct {
	Path string // slash-separated, from the root of the module
	Kind string // stale, missing or stray
}

func (d Drift) String() string { return d.Path + ": " + d.Kind }

// Compare finds how the tree under root differs from files, in the order of
// the paths: files whose content differs (stale), files that are not there
// (missing), and files in the generated folders that iamgen does not write (stray).
func Compare(root string, files Files) ([]Drift, error) {
	var drift []Drift
	for _, path := range slices.Sorted(maps.Keys(files)) {
		have, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			drift = append(drift, Drift{path, "missing"})
		case err != nil:
			return nil, err
		case !bytes.Equal(have, files[path]):
			drift = append(drift, Drift{path, "stale"})
		}
	}
	for _, top := range owned {
		err := filepath.WalkDir(filepath.Join(root, filepath.FromSlash(top)), func(name string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || entry.IsDir() {
				return err
			}
			relative, err := filepath.Rel(root, name)
			if path := filepath.ToSlash(relative); err == nil && files[path] == nil {
				drift = append(drift, Drift{path, "stray"})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(drift, func(a, b Drift) int { return bytes.Compare([]byte(a.Path), []byte(b.Path)) })
	return drift, nil
}

// Write makes the tree under root hold exactly files: it writes what is stale
// or missing and removes what is stray, with the folders that become empty. It
// returns what it changed; files that are current keep their times.
func Write(root string, files Files) ([]Drift, error) {
	drift, err := Compare(root, files)
	if err != nil {
		return nil, err
	}
	for _, d := range drift {
		name := filepath.Join(root, filepath.FromSlash(d.Path))
		if d.Kind == "stray" {
			if err := os.Remove(name); err != nil {
				return nil, err
			}
			// Fails, as it should, where the folder holds more.
			_ = os.Remove(filepath.Dir(name))
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(name, files[d.Path], 0o644); err != nil {
			return nil, fmt.Errorf("write generated file: %w", err)
		}
	}
	return drift, nil
}
