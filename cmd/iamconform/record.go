package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"iamserver/conformance"
	"iamserver/conformance/record"
	"iamserver/conformance/replay"
)

type recordCommand struct {
	Endpoint        string `help:"URL of the implementation." required:"" env:"AWS_ENDPOINT_URL" placeholder:"URL"`
	AccessKeyID     string `help:"Access key id that the commands sign with, or the proxy with --resign." env:"AWS_ACCESS_KEY_ID" placeholder:"ID"`
	SecretAccessKey string `help:"Its secret; better given in the environment." env:"AWS_SECRET_ACCESS_KEY" placeholder:"SECRET"`
	Region          string `help:"Region to sign for." default:"us-east-1" env:"AWS_REGION"`

	Resign bool `help:"Sign what clients send anew for the endpoint. They need not have its credentials, nor reach it under its name."`

	Script   string            `help:"File with AWS CLI commands, one a line." type:"existingfile" placeholder:"FILE" xor:"from" required:""`
	Listen   string            `help:"Record, until interrupted, what clients such as boto3 send to this address." placeholder:"HOST:PORT" xor:"from" required:""`
	Text     map[string]string `help:"Files that commands refer to, as in policy.json=PATH." placeholder:"NAME=PATH"`
	Out      string            `help:"Case to write." required:"" type:"path" placeholder:"FILE.txtar"`
	Sentence string            `help:"The first line of the case: a sentence." required:""`
	Level    string            `help:"Level of the case." default:"aws" enum:"core,aws,extension,strict"`
	Source   []string          `help:"Sources of the expectation; by default, what was recorded from." sep:"none" placeholder:"TEXT"`
	AWS      string            `help:"The AWS CLI." default:"aws" placeholder:"PROGRAM"`
	Models   string            `help:"Models for the AWS CLI, as AWS_DATA_PATH has them." env:"AWS_DATA_PATH" type:"path" placeholder:"DIR"`
}

// Run records, and writes the case.
func (c *recordCommand) Run(p *process) error {
	if c.Resign && (c.AccessKeyID == "" || c.SecretAccessKey == "") {
		return errors.New("--resign needs --access-key-id and --secret-access-key")
	}
	proxy, err := record.NewProxy(c.Endpoint, c.signer())
	if err != nil {
		return err
	}
	r := &record.Recording{
		Name: strings.TrimSuffix(filepath.Base(c.Out), ".txtar"), Sentence: c.Sentence, Level: conformance.Level(c.Level),
		Sources: c.Source, Texts: map[string]string{},
	}
	if len(r.Sources) == 0 {
		r.Sources = []string{"recorded from " + c.Endpoint}
	}
	for name, path := range c.Text {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r.Texts[name] = string(content)
	}
	if c.Script != "" {
		err = c.commands(p, proxy, r)
	} else {
		err = c.listen(p, proxy)
		r.Exchanges = proxy.Take()
		r.Commands = make([]string, len(r.Exchanges))
	}
	if err != nil {
		return err
	}
	made, err := r.Case()
	if err != nil {
		return err
	}
	return os.WriteFile(c.Out, conformance.Format(made), 0o644) //nolint:gosec // sources are for everybody to read
}

// signer is what the proxy signs with, or nil.
func (c *recordCommand) signer() *record.Signer {
	if !c.Resign {
		return nil
	}
	return &record.Signer{Credentials: replay.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}, Now: now}
}

// stranger is who commands sign as if the proxy signs anew: the CLI signs
// nothing without credentials.
var stranger = replay.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "not a secret"}

// commands runs the script through the proxy.
func (c *recordCommand) commands(p *process, proxy *record.Proxy, r *record.Recording) error {
	front := httptest.NewServer(proxy)
	defer front.Close()
	cli := record.CLI{Path: c.AWS, Endpoint: front.URL, Models: c.Models, Region: c.Region}
	credentials := stranger
	if !c.Resign {
		credentials = replay.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}
	}
	script, err := os.Open(c.Script)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(script)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		output, err := cli.Run(p.stop, line, credentials, r.Texts)
		if err != nil {
			return errors.Join(err, script.Close())
		}
		said := proxy.Take()
		if len(said) == 0 {
			return errors.Join(fmt.Errorf("%s sent nothing: %s", line, output), script.Close())
		}
		for i, e := range said {
			if i > 0 {
				line = "" // a command that pages: the first request is its own
			}
			r.Exchanges, r.Commands = append(r.Exchanges, e), append(r.Commands, line)
		}
	}
	return errors.Join(lines.Err(), script.Close())
}

// listen serves the proxy until the process is told to stop.
func (c *recordCommand) listen(p *process, proxy *record.Proxy) error {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	if err := p.printf("recording; send requests to http://%s, and interrupt to end\n", l.Addr()); err != nil {
		return err
	}
	<-p.stop.Done()
	return errors.Join(s.Close(), ignoreClosed(<-done))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
