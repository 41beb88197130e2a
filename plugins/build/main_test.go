package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The modules in the tree are those that make plugins built from the sources
// in the tree.
func TestModulesAreOfTheirSources(t *testing.T) {
	const root = "../.."
	all, err := modules(root)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	var want []string
	for _, m := range all {
		line, err := m.line(root)
		require.NoError(t, err)
		want = append(want, line)
	}
	got, err := os.ReadFile(filepath.Join(root, sumsFile))
	require.NoError(t, err)
	require.Equal(t, strings.Join(want, "\n"), strings.TrimSpace(string(got)), "run: make plugins")
}
