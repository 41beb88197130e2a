package main

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// build compiles the module where it belongs, or below the folder into.
func (m wasmModule) build(root, only, into string) error {
	if !strings.Contains(m.Path, only) {
		return nil
	}
	target := filepath.Join(root, filepath.FromSlash(m.Path))
	if into != "" {
		target = filepath.Join(into, filepath.FromSlash(m.Path))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
	}
	target, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	command := m.command(target)
	command.Dir = root
	command.Env = append(command.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	return os.Chmod(target, 0o644) // not what linkers think: nobody executes it
}

// command is how the language of the module is compiled.
func (m wasmModule) command(target string) *exec.Cmd {
	switch path.Ext(m.Main) {
	case ".wat":
		// Hostile modules need not be valid.
		return exec.Command("wat2wasm", "--enable-all", "--no-check", "--debug-names", m.Main, "-o", target)
	case ".c":
		return exec.Command("clang", "--target=wasm32", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib",
			"-mbulk-memory", "-Wl,--no-entry", "-Wl,--strip-debug", "-Wl,-z,stack-size=16384", "-Wl,--stack-first", "-I", "plugins/guest/c", m.Main, "-o", target)
	case ".ts":
		return exec.Command("asc", m.Main, "-O3", "--runtime", "incremental", "--exportStart", "_initialize", "--use", "abort=plugins/guest/assemblyscript/index/abort", "-o", target)
	default:
		return exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", target, "./"+path.Dir(m.Main))
	}
}
