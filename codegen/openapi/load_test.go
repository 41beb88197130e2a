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

// Whatever stands in a file of the specification, Load says what is wrong with
// it and where, or loads it.
func FuzzLoad(f *testing.F) {
	const root = "../testdata/negative/constraint-beside-ref/spec/toy/toy.yaml"
	shapes, err := filepath.Glob("../testdata/*/*/spec/toy/shapes.yaml")
	require.NoError(f, err)
	for _, name := range append(shapes, root) {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(data), false)
		f.Add(string(data), true)
	}
	good, err := os.ReadFile("../testdata/negative/key-twice/spec/toy/toy.yaml")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string, asRoot bool) {
		files := fstest.MapFS{
			"toy/toy.yaml":    {Data: good},
			"toy/shapes.yaml": {Data: []byte("Name: {type: string}\n")},
		}
		if asRoot {
			files["toy/toy.yaml"].Data = []byte(text)
		} else {
			files["toy/shapes.yaml"].Data = []byte(text)
		}
		services, err := openapi.Load(files)
		var invalid *openapi.InvalidError
		switch {
		case err == nil:
			require.Len(t, services, 1)
		case errors.As(err, &invalid):
			require.NotEmpty(t, invalid.Problems)
			for _, p := range invalid.Problems {
				require.NotEmpty(t, p.File)
				require.Positive(t, p.Line)
				require.Positive(t, p.Column)
				require.NotEmpty(t, p.Text)
			}
		default:
			t.Fatal(err)
		}
	})
}
