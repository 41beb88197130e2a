// Command iamserver is AWS IAM for everyone who does not run on AWS: an IAM and
// STS server for the AWS CLI and SDKs.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"iamserver/runtime/s3"
)

// commands are the commands and flags of iamserver. Every flag can also be set
// by its environment variable and in the YAML file that --config names.
type commands struct {
	Config string `help:"YAML file with settings by the names of the flags." placeholder:"FILE" type:"existingfile"`

	Serve       serveCommand   `cmd:"" default:"withargs" help:"Serve IAM and STS (the default command)."`
	AwscliModel modelCommand   `cmd:"" name:"awscli-model" help:"Write the model that teaches the AWS CLI the actions and parameters that AWS lacks."`
	Plugin      pluginCommand  `cmd:"" help:"Look at plugins, and try them out."`
	Root        rootCommand    `cmd:"" help:"Manage the credentials of the account's root."`
	Version     versionCommand `cmd:"" help:"Print the version."`
}

// process is what commands have of the process that they run in.
type process struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	stop           context.Context // done when the process is told to end
	insist         func()          // from then on, telling it again ends it at once
	reload         <-chan os.Signal
	config         string // absolute path of the configuration file, or empty
}

// ballastSize is what lives more than there is, in bytes, for the collector of
// garbage, which otherwise comes some sixty times a second under load: what lives is
// a few MiB, and it comes whenever as much again was allocated. The ballast is never
// touched, and so takes no memory.
const ballastSize = 16 << 20

func main() {
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	ballast := make([]byte, ballastSize)
	defer runtime.KeepAlive(ballast)
	p := &process{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, stop: stop, insist: cancel, reload: reload}

	var c commands
	parsed := kong.Parse(&c, options(p)...)
	parsed.FatalIfErrorf(parsed.Run())
}

func options(p *process) []kong.Option {
	return []kong.Option{
		kong.Name("iamserver"),
		kong.Description("AWS IAM for everyone who does not run on AWS."),
		kong.DefaultEnvars("IAMSERVER"),
		kong.Writers(p.stdout, p.stderr),
		kong.Bind(p),
		kong.Vars{"apiBuckets": strings.Join(s3.APIBuckets, ",")},
	}
}

type versionCommand struct{}

// Run prints the version of the module, or of the source where it was built from a checkout.
func (versionCommand) Run(p *process) error {
	_, err := io.WriteString(p.stdout, "iamserver "+version()+"\n")
	return err
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version + " " + info.GoVersion
}
