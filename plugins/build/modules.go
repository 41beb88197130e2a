package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// sumsFile lists each module with the hash of its sources and its own.
const sumsFile = "plugins/modules.sum"

// A wasmModule is one compiled module. Paths are slash-separated, from the root.
type wasmModule struct {
	Path    string   // of the compiled module
	Main    string   // what is compiled: a file, or the folder of a Go program
	Sources []string // files that it is made of, sorted
}

// shared are the sources that examples in a language have in common.
var shared = map[string][]string{
	".go": {"plugins/guest/go", "plugins/wire", "generated/pluginapi"},
	".c":  {"plugins/guest/c"},
	".ts": {"plugins/guest/assemblyscript"},
}

// modules finds what there is to build: each testdata/NAME.wat below plugins,
// and each plugin.go, plugin.c and plugin.ts of the examples and of testdata.
func modules(root string) ([]wasmModule, error) {
	fsys := os.DirFS(root)
	var all []wasmModule
	err := fs.WalkDir(fsys, "plugins", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if err == nil && entry.Name() == "node_modules" {
				return fs.SkipDir
			}
			return err
		}
		extension := path.Ext(file)
		switch {
		case extension == ".wat":
			all = append(all, wasmModule{strings.TrimSuffix(file, ".wat") + ".wasm", file, []string{file}})
		case strings.TrimSuffix(path.Base(file), extension) == "plugin" && shared[extension] != nil:
			m := wasmModule{path.Join(path.Dir(file), "plugin.wasm"), file, nil}
			for _, folder := range append([]string{path.Dir(file)}, shared[extension]...) {
				if m.Sources, err = sources(fsys, folder, extension, m.Sources); err != nil {
					return err
				}
			}
			slices.Sort(m.Sources)
			all = append(all, m)
		}
		return nil
	})
	return all, err
}

// sources appends the files of a folder in the language of an extension.
func sources(fsys fs.FS, folder, extension string, to []string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		header := extension == ".c" && path.Ext(name) == ".h"
		if entry.IsDir() || strings.HasSuffix(name, "_test.go") || path.Ext(name) != extension && !header {
			continue
		}
		to = append(to, path.Join(folder, name))
	}
	return to, nil
}

// sum is the hash of the sources, with their names.
func (m wasmModule) sum(root string) (string, error) {
	h := sha256.New()
	for _, name := range m.Sources {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(h, "%s %x\n", name, sha256.Sum256(data)) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// line is the module's line of the list.
func (m wasmModule) line(root string) (string, error) {
	sum, err := m.sum(root)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.Path)))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s sources %s module %x", m.Path, sum, sha256.Sum256(data)), nil
}

func writeSums(root string, all []wasmModule) error {
	var text strings.Builder
	for _, m := range all {
		line, err := m.line(root)
		if err != nil {
			return err
		}
		text.WriteString(line + "\n")
	}
	return os.WriteFile(filepath.Join(root, filepath.FromSlash(sumsFile)), []byte(text.String()), 0o644)
}
