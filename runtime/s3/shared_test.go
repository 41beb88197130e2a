package s3_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// shared reads one of AWS's models, which are not part of the sources.
func shared(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("../../../shared/models/" + name)
	if os.IsNotExist(err) && os.Getenv("IAMSERVER_REQUIRE_SHARED") != "1" {
		t.Skipf("%s is not part of the sources", name)
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}
