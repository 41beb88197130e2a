package codegen_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A checker type-checks generated packages against the compiled ones that
// they import. As an importer, it finds generated packages itself.
type checker struct {
	root     string // holds the generated packages
	files    *token.FileSet
	compiled types.Importer
	checked  map[string]*types.Package
}

func newChecker(t *testing.T, root string) *checker {
	t.Helper()
	const kernel = "iamserver/runtime/"
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}",
		kernel+"action", kernel+"catalogue", kernel+"operation", kernel+"apierror", kernel+"awsquery", kernel+"awsxml", kernel+"validate", "iamserver/plugins/wire",
		"embed", "errors", "log/slog", "slices", "strconv")
	list.Stderr = os.Stderr
	out, err := list.Output()
	require.NoError(t, err)
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[name] = file
	}
	files := token.NewFileSet()
	compiled := importer.ForCompiler(files, "gc", func(name string) (io.ReadCloser, error) { return os.Open(exports[name]) })
	return &checker{root, files, compiled, map[string]*types.Package{}}
}

// Import checks a generated package or loads a compiled one.
func (c *checker) Import(name string) (*types.Package, error) {
	if !strings.HasPrefix(name, "iamserver/generated/") {
		return c.compiled.Import(name)
	}
	if p := c.checked[name]; p != nil {
		return p, nil
	}
	names, err := filepath.Glob(filepath.Join(c.root, path.Base(name), "*.go"))
	if err != nil {
		return nil, err
	}
	var sources []*ast.File
	for _, file := range names {
		source, err := parser.ParseFile(c.files, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	config := types.Config{Importer: c}
	p, err := config.Check(name, c.files, sources, nil)
	c.checked[name] = p
	return p, err
}
