package codegen_test

import (
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/codegen"
	"iamserver/spec"
)

var update = flag.Bool("update", false, "rewrite what the cases under testdata expect")

// cases returns the folders under testdata/KIND.
func cases(t *testing.T, kind string) []string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	return folders
}

// Every file that is generated from a good specification is as expected, to
// the byte.
func TestPositive(t *testing.T) {
	for _, folder := range cases(t, "positive") {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			got, err := codegen.Generate(os.DirFS(filepath.Join(folder, "spec")))
			require.NoError(t, err)
			want := filepath.Join(folder, "want")
			if *update {
				require.NoError(t, os.RemoveAll(want))
				_, err := codegen.Write(want, got)
				require.NoError(t, err)
			}
			requireSame(t, filesUnder(t, want), got)
		})
	}
}

// The Go that is generated from a good specification compiles.
func TestPositiveCompiles(t *testing.T) {
	for _, folder := range cases(t, "positive") {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			root := filepath.Join(folder, "want", "generated")
			check := newChecker(t, root)
			packages, err := os.ReadDir(root)
			require.NoError(t, err)
			for _, p := range packages {
				_, err := check.Import("iamserver/generated/" + p.Name())
				require.NoError(t, err)
			}
		})
	}
}

// Every problem of a bad specification is reported in the words expected, with
// its place.
func TestNegative(t *testing.T) {
	for _, folder := range cases(t, "negative") {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			_, err := codegen.Generate(os.DirFS(filepath.Join(folder, "spec")))
			require.Error(t, err)
			want := filepath.Join(folder, "want.txt")
			if *update {
				require.NoError(t, os.WriteFile(want, []byte(err.Error()+"\n"), 0o644))
			}
			text, readErr := os.ReadFile(want)
			require.NoError(t, readErr)
			require.Equal(t, string(text), err.Error()+"\n")
		})
	}
}

// What stands in the tree is what the specification says.
func TestGeneratedIsCurrent(t *testing.T) {
	files, err := codegen.Generate(spec.FS)
	require.NoError(t, err)
	drift, err := codegen.Compare("..", files)
	require.NoError(t, err)
	require.Empty(t, drift, "run: go run ./cmd/iamgen generate")
}

// The same specification gives the same bytes.
func TestGenerateIsDeterministic(t *testing.T) {
	first, err := codegen.Generate(spec.FS)
	require.NoError(t, err)
	for range 3 { // maps are ranged over in another order each time
		again, err := codegen.Generate(spec.FS)
		require.NoError(t, err)
		requireSame(t, first, again)
	}
}

// The specification has no unused names, no parameter without description, and
// no error that nothing answers.
func TestSpecificationIsTidy(t *testing.T) {
	findings, err := codegen.Lint(os.DirFS(".."))
	require.NoError(t, err)
	require.Empty(t, findings)
}

func TestWriteMakesTheTreeCurrent(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	write("generated/iamapi/current.go", "same")
	write("generated/iamapi/stale.go", "old")
	write("generated/oldapi/stray.go", "stray")
	write("docs/actions.md", "stray")
	write("docs/guide.md", "not ours")
	files := codegen.Files{
		"generated/iamapi/current.go": []byte("same"),
		"generated/iamapi/missing.go": []byte("new"),
		"generated/iamapi/stale.go":   []byte("new"),
	}
	want := []codegen.Drift{
		{Path: "docs/actions.md", Kind: "stray"},
		{Path: "generated/iamapi/missing.go", Kind: "missing"},
		{Path: "generated/iamapi/stale.go", Kind: "stale"},
		{Path: "generated/oldapi/stray.go", Kind: "stray"},
	}

	found, err := codegen.Compare(root, files)
	require.NoError(t, err)
	require.Equal(t, want, found)

	changed, err := codegen.Write(root, files)
	require.NoError(t, err)
	require.Equal(t, want, changed)
	all := codegen.Files{"docs/guide.md": []byte("not ours")}
	for name, data := range files {
		all[name] = data
	}
	requireSame(t, all, filesUnder(t, root))
	require.NoDirExists(t, filepath.Join(root, "generated/oldapi"))

	again, err := codegen.Write(root, files)
	require.NoError(t, err)
	require.Empty(t, again)
}

func filesUnder(t *testing.T, root string) codegen.Files {
	t.Helper()
	files := codegen.Files{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		files[name], err = os.ReadFile(filepath.Join(root, name))
		return err
	})
	require.NoError(t, err)
	return files
}

// requireSame compares file by file, so that a failing test shows a readable
// difference.
func requireSame(t *testing.T, want, got codegen.Files) {
	t.Helper()
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	for name := range want {
		require.Equal(t, string(want[name]), string(got[name]), name)
	}
}
