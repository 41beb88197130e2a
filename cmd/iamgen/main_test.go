package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"iamgen": main})
}

// Each script starts in a module with the toy specification of the generator's
// corpus; $CORPUS holds the corpus, $MODELS models in AWS's form, and $MODULE this module.
func TestScripts(t *testing.T) {
	codegen, err := filepath.Abs(filepath.Join("..", "..", "codegen"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("CORPUS", filepath.Join(codegen, "testdata"))
			env.Setenv("MODELS", filepath.Join(codegen, "awsmodel", "testdata"))
			env.Setenv("MODULE", filepath.Dir(codegen))
			if err := os.WriteFile(filepath.Join(env.WorkDir, "go.mod"), []byte("module iamserver\n"), 0o644); err != nil {
				return err
			}
			return os.CopyFS(filepath.Join(env.WorkDir, "spec"), os.DirFS(filepath.Join(codegen, "testdata", "positive", "thin", "spec")))
		},
	})
}
