// Command iamgen writes the code, the documentation and the AWS CLI model from
// the specification. The server does not need it.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"iamserver/codegen"
	"iamserver/codegen/model"
	"iamserver/codegen/openapi"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// commands are iamgen's commands and flags.
type commands struct {
	Root string `help:"Root of the module; by default the folder with go.mod, at or above the working directory." type:"existingdir" placeholder:"DIR"`

	Generate generateCommand `cmd:"" help:"Write everything that is generated from spec/, and remove what no longer is."`
	Check    checkCommand    `cmd:"" help:"Fail if the generated files are not those that generate would write."`
	Lint     lintCommand     `cmd:"" help:"Find what does not stop generation but should not be: names that nothing uses, descriptions that are missing."`
	Diff     diffCommand     `cmd:"" help:"Compare the specification with AWS's model of the service."`

	DiffAuthorization diffAuthorizationCommand `cmd:"" help:"Compare the authorization reference of the specification with AWS's."`

	Import importCommand `cmd:"" help:"Print the YAML of an action of AWS's model, to start from."`
}

// errFound ends a command that has printed what it found.
var errFound = errors.New("there are findings")

func run(args []string, stdout, stderr io.Writer) int {
	var c commands
	parser := kong.Must(&c, kong.Name("iamgen"), kong.Description("Writes code, documentation and the AWS CLI model from the specification."), kong.Writers(stdout, stderr))
	ctx, err := parser.Parse(args)
	if err != nil {
		say(stderr, "iamgen: "+err.Error())
		return 80
	}
	if c.Root == "" {
		c.Root = moduleRoot()
	}
	p := &project{root: c.Root, stdout: stdout, stderr: stderr}
	switch err := ctx.Run(p); {
	case errors.Is(err, errFound):
		return 1
	case err != nil:
		say(stderr, err)
		return 1
	}
	return 0
}

// moduleRoot is the nearest folder with a go.mod, from the working directory upwards.
func moduleRoot() string {
	start, err := os.Getwd()
	if err != nil {
		return "."
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return start
		}
	}
}

// A project is the module that the commands work on.
type project struct {
	root           string
	stdout, stderr io.Writer
}

func (p *project) spec() fs.FS { return os.DirFS(filepath.Join(p.root, "spec")) }

func (p *project) services() ([]*model.Service, error) {
	services, err := openapi.Load(p.spec())
	return services, p.report(err)
}

func (p *project) files() (codegen.Files, error) {
	files, err := codegen.Generate(p.spec())
	return files, p.report(err)
}

// report prints the problems of the specification, if err is that, with paths
// from the working directory.
func (p *project) report(err error) error {
	var invalid *openapi.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	return p.findings(invalid.Problems)
}

// findings prints problems, and returns errFound if there are any.
func (p *project) findings(problems openapi.Problems) error {
	for _, problem := range problems {
		p.line(problem.Position, problem.Text)
	}
	if len(problems) == 0 {
		return nil
	}
	return errFound
}

// say prints a line. Where it cannot, there is nobody to tell.
func say(w io.Writer, line any) { _, _ = fmt.Fprintln(w, line) }

// line prints a finding at a place in the specification.
func (p *project) line(at model.Position, text string) {
	at.File = fromHere(filepath.Join(p.root, "spec", filepath.FromSlash(at.File)))
	say(p.stderr, at.String()+": "+text)
}

// fromHere is a path from the working directory, if there is one.
func fromHere(name string) string {
	if dir, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(dir, name); err == nil {
			return relative
		}
	}
	return name
}

type generateCommand struct{}

// Run writes the files and prints which it changed.
func (generateCommand) Run(p *project) error {
	files, err := p.files()
	if err != nil {
		return err
	}
	changes, err := codegen.Write(p.root, files)
	for _, change := range changes {
		say(p.stdout, change)
	}
	return err
}

type checkCommand struct{}

// Run prints how the files in the tree differ from those that generate would write.
func (checkCommand) Run(p *project) error {
	files, err := p.files()
	if err != nil {
		return err
	}
	drift, err := codegen.Compare(p.root, files)
	if err != nil {
		return err
	}
	for _, d := range drift {
		say(p.stderr, d)
	}
	if len(drift) > 0 {
		return errors.New("run iamgen generate")
	}
	return nil
}

type lintCommand struct{}

// Run prints the findings.
func (lintCommand) Run(p *project) error {
	findings, err := codegen.Lint(os.DirFS(p.root))
	if err != nil {
		return p.report(err)
	}
	return p.findings(findings)
}
