package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A policy that cannot be read stops the start before anything is made.
func TestManagedPoliciesThatAreNoneStopTheStart(t *testing.T) {
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Readers.json"), []byte(`{"Version":"2012-10-17"}`), 0o600))
	output, err := program(t.Context(), t, "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "", "--managed-policies", dir).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "--managed-policies: "+dir+"/Readers.json: Syntax errors in policy.")
	require.NoDirExists(t, data)
}
