package openapi_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"iamserver/codegen/openapi"
)

// Whatever stands in a requests.yaml, LoadRequests says what is wrong with it
// and where, or loads it.
func FuzzLoadRequests(f *testing.F) {
	names, err := filepath.Glob("../testdata/*/*/spec/store/requests.yaml")
	require.NoError(f, err)
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(data))
	}
	codes, err := os.ReadFile("../testdata/positive/requests/spec/store/errors.yaml")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		loaded, err := openapi.LoadRequests(fstest.MapFS{"store/requests.yaml": {Data: []byte(text)}, "store/errors.yaml": {Data: codes}})
		if err == nil {
			require.Len(t, loaded, 1)
			return
		}
		var invalid *openapi.InvalidError
		if !errors.As(err, &invalid) {
			t.Fatal(err)
		}
		require.NotEmpty(t, invalid.Problems)
		for _, p := range invalid.Problems {
			require.NotEmpty(t, p.File)
			require.Positive(t, p.Line)
			require.NotEmpty(t, p.Text)
		}
	})
}
