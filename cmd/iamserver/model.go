package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"iamserver/generated/awscli"
)

type modelCommand struct {
	Dir string `help:"Directory to write it to; then set AWS_DATA_PATH to it." required:"" placeholder:"DIR" type:"path"`
}

// Run writes the model and says how the AWS CLI finds it.
func (c modelCommand) Run(p *process) error {
	if err := writeModel(c.Dir); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "export AWS_DATA_PATH=%s\n", shellPath(c.Dir))
	return err
}

// writeModel writes the AWS CLI model. A file that is as it should be stays as
// it is, so that a start does not disturb an AWS CLI that is reading it.
func writeModel(dir string) error {
	err := fs.WalkDir(awscli.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if entry.IsDir() {
			return os.MkdirAll(to, 0o755) //nolint:gosec // it holds no secret, and other users' AWS CLI may read it
		}
		content, err := awscli.FS.ReadFile(path)
		if err != nil {
			return err
		}
		if present, err := os.ReadFile(to); err == nil && bytes.Equal(present, content) {
			return nil
		}
		return os.WriteFile(to, content, 0o644) //nolint:gosec // as above
	})
	if err != nil {
		return fmt.Errorf("AWS CLI model: %w", err)
	}
	return nil
}
