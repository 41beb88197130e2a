package server_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever embeds the server links neither a store nor the generator.
func TestEmbeddingLinksNoStoreAndNoGenerator(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "iamserver/runtime/server").CombinedOutput()
	require.NoError(t, err, string(output))
	linked := strings.Fields(string(output))
	require.Contains(t, linked, "iamserver/runtime/authz")
	for _, path := range linked {
		for _, prefix := range []string{
			"github.com/versity/", "github.com/getkin/kin-openapi", "github.com/dave/jennifer", "github.com/tetratelabs/wazero",
			"iamserver/codegen", "iamserver/cmd/", "iamserver/conformance", "iamserver/spec", "testing",
		} {
			require.False(t, strings.HasPrefix(path, prefix), path)
		}
	}
}
