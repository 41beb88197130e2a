package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"iamserver/runtime/rootcreds"
	"iamserver/runtime/seal"
	"iamserver/runtime/seal/privatefile"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/bolt"
)

// Names in the data directory, beside those of packages rootcreds and seal.
const (
	databaseName = "iam.db"
	modelName    = "awscli"
	objectsName  = "s3"
	cacheName    = "plugin-cache"
)

// dataDirectory is an open data directory: nobody else has it open.
type dataDirectory struct {
	path  string // absolute
	store *bolt.Store
	fresh bool // nothing has been stored yet
}

// openData opens a data directory, which it makes where there is none. A
// directory with other things in it is refused: keys are made only where there
// can be no data that older ones sealed.
func openData(ctx context.Context, path string) (*dataDirectory, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := onlyOurs(path); err != nil {
		return nil, err
	}
	database := filepath.Join(path, databaseName)
	if err := privatefile.Check(database); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	store, err := bolt.Open(database, bolt.Config{})
	if errors.Is(err, storage.ErrInUse) {
		return nil, fmt.Errorf("another iamserver is running on %s; stop it first, or give this one a directory of its own with --data", path)
	}
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	d := &dataDirectory{path: path, store: store}
	if d.fresh, err = empty(ctx, store); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return d, nil
}

// onlyOurs refuses a directory that holds things, but no data of ours.
func onlyOurs(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	foreign := ""
	for _, e := range entries {
		switch e.Name() {
		case databaseName:
			return nil
		case modelName, objectsName, cacheName, rootcreds.FileName, seal.FileName, "lost+found": // which a new file system has
		default:
			foreign = e.Name()
		}
	}
	if foreign != "" {
		return fmt.Errorf("%s is no data directory: it holds %s and no %s; give an empty or a new directory with --data", path, foreign, databaseName)
	}
	return nil
}

func empty(ctx context.Context, store storage.Store) (bool, error) {
	nothing := true
	err := store.View(ctx, func(r storage.Reader) error {
		for _, err := range r.Scan(nil, nil, 1) {
			nothing = false
			return err
		}
		return nil
	})
	return nothing, err
}

// root returns root's credentials and brings root.env and the AWS CLI model
// beside it up to date.
func (d *dataDirectory) root(p *process, file string, client rootcreds.Client) (*rootcreds.Root, error) {
	client.ModelDir = filepath.Join(d.path, modelName)
	if err := writeModel(client.ModelDir); err != nil {
		return nil, err
	}
	return rootcreds.Open(rootcreds.Config{
		Dir: d.path, Fresh: d.fresh, Getenv: p.getenv, File: file, Client: client, Rand: rand.Reader,
	})
}
