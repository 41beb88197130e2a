// Command iamconform replays conformance cases of IAM against any
// implementation, records new ones, and reports what differs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"iamserver/conformance"
	"iamserver/conformance/derive"
	"iamserver/conformance/replay"
)

func main() { os.Exit(start()) }

// start runs until it is done, or told to stop: then it cleans up first. Told
// once more, the process ends at once.
func start() int {
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	context.AfterFunc(stop, cancel)
	return run(stop, os.Args[1:], os.Stdout, os.Stderr)
}

// commands are iamconform's commands.
type commands struct {
	Run      runCommand      `cmd:"" help:"Replay cases against an endpoint. The exit code is 1 if any failed."`
	List     listCommand     `cmd:"" help:"List cases."`
	Show     showCommand     `cmd:"" help:"Print cases as files."`
	Coverage coverageCommand `cmd:"" help:"Print what the cases cover of the specification; the exit code is 1 if something is missing."`
	Record   recordCommand   `cmd:"" help:"Record what AWS CLI commands, or any client, send and get, as a case."`
	Report   reportCommand   `cmd:"" help:"Turn results of runs into Markdown, HTML or JUnit XML."`
	Sample   sampleCommand   `cmd:"" help:"Print failures of runs that a seed chooses, to be checked by hand."`
	Drift    driftCommand    `cmd:"" help:"Drive cases with the AWS CLI and compare what it sends with what is recorded."`
}

// errFailed ends a command that has printed what failed.
var errFailed = errors.New("there are failures")

// process is what the commands have of the process.
type process struct {
	stop           context.Context
	stdout, stderr io.Writer
}

func (p *process) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(p.stdout, format, args...)
	return err
}

func run(stop context.Context, args []string, stdout, stderr io.Writer) int {
	var c commands
	exit := -1
	parser := kong.Must(&c, kong.Name("iamconform"), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.Description("Replays conformance cases of IAM against any implementation."))
	ctx, err := parser.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintln(stderr, "iamconform: "+err.Error()) //nolint:errcheck // there is nobody left to tell
		return 2
	}
	switch err := ctx.Run(&process{stop, stdout, stderr}); {
	case errors.Is(err, errFailed):
		return 1
	case err != nil:
		fmt.Fprintln(stderr, "iamconform: "+err.Error()) //nolint:errcheck // as above
		return 2
	}
	return 0
}

// selection says which cases.
type selection struct {
	Cases   []string `help:"Cases by name, such as users/*; all by default." placeholder:"PATTERN,…" name:"case"`
	Dir     string   `help:"Read cases from this folder in place of those that are built in." type:"existingdir" placeholder:"DIR"`
	Written bool     `help:"Leave out the cases that are generated from the specification."`

	drafts bool // the cases may lack what the AWS CLI sends
}

// load returns the cases that were chosen.
func (s *selection) load() ([]*conformance.Case, error) {
	read := conformance.Written
	if s.Dir != "" {
		load := conformance.Load
		if s.drafts {
			load = conformance.LoadDrafts
		}
		read = func() ([]*conformance.Case, error) { return load(os.DirFS(s.Dir)) }
	}
	cases, err := read()
	if err != nil {
		return nil, err
	}
	if !s.Written && s.Dir == "" {
		generated, err := derive.Cases()
		if err != nil {
			return nil, err
		}
		cases = append(cases, generated...)
	}
	if len(s.Cases) == 0 {
		return cases, nil
	}
	cases = slices.DeleteFunc(cases, func(c *conformance.Case) bool {
		return !slices.ContainsFunc(s.Cases, func(pattern string) bool {
			prefix, below := strings.CutSuffix(pattern, "/*")
			matched, err := path.Match(pattern, c.Name)
			return err == nil && matched || below && strings.HasPrefix(c.Name, prefix+"/")
		})
	})
	if len(cases) == 0 {
		return nil, fmt.Errorf("no case is called %s", strings.Join(s.Cases, ", "))
	}
	return cases, nil
}

// target says which implementation, and as whom.
type target struct {
	Endpoint        string `help:"URL of the implementation." required:"" env:"AWS_ENDPOINT_URL" placeholder:"URL"`
	AccessKeyID     string `help:"Access key id of the account's root or administrator." required:"" env:"AWS_ACCESS_KEY_ID" placeholder:"ID"`
	SecretAccessKey string `help:"Its secret; better given in the environment." required:"" env:"AWS_SECRET_ACCESS_KEY" placeholder:"SECRET"`
	Region          string `help:"Region to sign for." default:"us-east-1" env:"AWS_REGION"`
	Profile         string `help:"What is special about the implementation: a file, or the name of a profile that is built in." placeholder:"FILE|NAME"`
	AllowExisting   bool   `help:"Replay on a target that has entities; they are not touched." xor:"existing"`
	Reset           bool   `help:"Empty the target before and after, as its profile says. Whatever it has is lost." xor:"existing"`
}

func (t *target) config() (replay.Config, error) {
	c := replay.Config{
		Endpoint: t.Endpoint, Region: t.Region, AllowExisting: t.AllowExisting, Reset: t.Reset,
		Credentials: replay.Credentials{AccessKeyID: t.AccessKeyID, SecretAccessKey: t.SecretAccessKey},
		Now:         now,
	}
	if t.Profile == "" {
		return c, nil
	}
	// A file in this folder that is called as a target is, its program for
	// example, is not meant.
	data, err := conformance.Profile(t.Profile)
	if errors.Is(err, os.ErrNotExist) {
		data, err = os.ReadFile(t.Profile)
	}
	if err != nil {
		return c, err
	}
	c.Profile, err = replay.ParseProfile(data)
	return c, err
}
