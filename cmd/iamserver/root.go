package main

import (
	"crypto/rand"
	"errors"
	"fmt"

	"iamserver/runtime/rootcreds"
)

type rootCommand struct {
	Reset resetCommand `cmd:"" help:"Make new root credentials and write them to root.env. The server must be stopped."`
}

type resetCommand struct {
	location
}

// Run replaces the credentials in root.env.
func (c resetCommand) Run(p *process) error {
	data, err := openData(p.stop, c.Data)
	if err != nil {
		return err
	}
	root, err := rootcreds.Reset(rootcreds.Config{
		Dir: data.path, Fresh: data.fresh, Getenv: p.getenv, File: c.RootCredentialsFile,
		Client: c.client(c.Listen, data), Rand: rand.Reader,
	})
	if err := errors.Join(err, data.store.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "New root credentials, access key id %s, are in %s. The old ones stop working when the server starts again.\n",
		root.Credentials.AccessKeyID, root.Source)
	return err
}
