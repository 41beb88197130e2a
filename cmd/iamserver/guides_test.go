package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The fenced blocks of the guides are what a reader types: those marked sh are
// run one after another, where "sh server" and "sh test" are the blocks that
// start a server and the tests, for which the test's own server stands.
var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")

func TestGuidesWork(t *testing.T) {
	needs(t, "aws")
	for _, guide := range []string{"README.md", "docs/getting-started.md", "docs/aws-cli.md", "docs/policies.md", "docs/s3.md", "docs/bucket-policies.md"} {
		t.Run(guide, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(guide)))
			require.NoError(t, err)
			blocks := shellBlock.FindAllStringSubmatch(string(text), -1)
			require.NotEmpty(t, blocks)
			sh := newShell(t)
			startWhole(t, filepath.Join(sh.dir, "iamdata"))
			sh.must(programOnPath(t))
			for _, block := range blocks {
				output := sh.must("set -e\n" + block[1] + "set +e")
				require.NotContains(t, strings.ToLower(output), "error", block[1])
			}
		})
	}
}

// programOnPath puts iamserver on the shell's path.
func programOnPath(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	folder := t.TempDir()
	script := "#!/bin/sh\n" + runAsProgram + "=1 exec '" + self + "' \"$@\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "iamserver"), []byte(script), 0o700)) //nolint:gosec // it must be executable
	return "PATH='" + folder + "':$PATH"
}
