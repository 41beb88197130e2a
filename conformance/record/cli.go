package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"iamserver/conformance/replay"
)

// A CLI runs commands of the AWS CLI.
type CLI struct {
	// Path of the program; aws if empty.
	Path string
	// Endpoint is where the commands go.
	Endpoint string
	// Models is the directory of models that the CLI is to use beside its own, or empty.
	Models string
	Region string
}

// Run runs a command with texts as files beside it, and returns what it wrote.
// That the command says it failed is no error: many are meant to.
func (c CLI) Run(ctx context.Context, line string, credentials replay.Credentials, texts map[string]string) (string, error) {
	words, err := Words(line)
	if err != nil {
		return "", err
	}
	if len(words) < 2 || words[0] != "aws" {
		return "", fmt.Errorf("%q is no command of the AWS CLI", line)
	}
	dir, err := os.MkdirTemp("", "iamconform")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a directory of ours among the temporary ones
	for name, content := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	program := c.Path
	if program == "" {
		program = "aws"
	}
	// An option, since version 2 of the CLI reads AWS_ENDPOINT_URL from 2.13 on only.
	command := exec.CommandContext(ctx, program, append([]string{"--endpoint-url", c.Endpoint}, words[1:]...)...)
	command.Dir = dir
	command.Env = c.environment(credentials, dir)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	err = command.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.Exited() {
		return output.String(), nil
	}
	return output.String(), err
}

// environment has nothing of the user's AWS configuration.
func (c CLI) environment(credentials replay.Credentials, home string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "HOME=") {
			env = append(env, v)
		}
	}
	env = append(env,
		"HOME="+home, "AWS_ACCESS_KEY_ID="+credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+credentials.SecretAccessKey,
		"AWS_REGION="+c.Region, "AWS_DEFAULT_REGION="+c.Region,
		"AWS_MAX_ATTEMPTS=1", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
	if c.Models != "" {
		env = append(env, "AWS_DATA_PATH="+c.Models)
	}
	return env
}
