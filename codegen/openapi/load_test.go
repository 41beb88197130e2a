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

// Whatever stands in the contract with plugins, LoadPlugin says what is wrong
// with it and where, or loads it.
func FuzzLoadPlugin(f *testing.F) {
	names, err := filepath.Glob("../testdata/negative/plugin-*/spec/plugin/*.yaml")
	require.NoError(f, err)
	require.NotEmpty(f, names)
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(data), filepath.Base(name) == "plugin.yaml")
	}
	good, err := os.ReadFile("../testdata/negative/plugin-recursion/spec/plugin/plugin.yaml")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string, asRoot bool) {
		files := fstest.MapFS{"plugin/plugin.yaml": {Data: good}, "plugin/paint.yaml": {Data: []byte("Colour: {type: string, enum: [RED]}\n")}}
		if asRoot {
			files["plugin/plugin.yaml"].Data = []byte(text)
		} else {
			files["plugin/paint.yaml"].Data = []byte(text)
		}
		contract, err := openapi.LoadPlugin(files)
		var invalid *openapi.InvalidError
		if err == nil {
			require.NotNil(t, contract)
			return
		}
		require.ErrorAs(t, err, &invalid)
		for _, p := range invalid.Problems {
			require.NotEmpty(t, p.File)
			require.Positive(t, p.Line)
			require.NotEmpty(t, p.Text)
		}
	})
}
