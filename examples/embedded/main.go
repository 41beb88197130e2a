// Command embedded is a small S3 server that is made safe by embedding iamserver: one
// process and one port for S3, IAM and STS. The store is gofakes3, as rclone serves S3
// with it, which keeps objects in memory and asks nobody who they are.
//
//	go run . -data ./data
//
// Root's credentials are in data/root.env, ready to source.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"

	"iamserver/runtime/rootcreds"
	"iamserver/runtime/s3"
	"iamserver/runtime/seal"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/bolt"
)

// account is the account id, which stands in ARNs.
const account = "000000000000"

// operations are what the store has. What it does not know of, it must not be sent: it
// could take it for something else.
var operations = []string{
	"ListBuckets", "CreateBucket", "HeadBucket", "DeleteBucket", "GetBucketLocation", "ListObjects", "ListObjectsV2",
	"GetObject", "HeadObject", "PutObject", "CopyObject", "DeleteObject", "DeleteObjects", "PostObject",
	"CreateMultipartUpload", "UploadPart", "ListParts", "ListMultipartUploads", "CompleteMultipartUpload", "AbortMultipartUpload",
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8333", "address to serve on")
	data := flag.String("data", "./data", "directory of IAM's data")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *data, func(address string) { fmt.Println("serving on http://" + address) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context, listen, data string, ready func(address string)) (err error) {
	iam, err := open(ctx, listen, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, iam.close()) }()

	// The store, and the one line that makes it safe. Nothing else may serve it.
	store := gofakes3.New(s3mem.New(), gofakes3.WithoutVersioning()).Server()
	handler := iam.server.Authorize(store)

	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	context.AfterFunc(ctx, func() { web.Shutdown(context.WithoutCancel(ctx)) }) //nolint:errcheck // Serve tells
	ready(listener.Addr().String())
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// An iam is an open server with its records.
type iam struct {
	server *server.Server
	store  *bolt.Store
}

func (i *iam) close() error { return errors.Join(i.server.Close(), i.store.Close()) }

// open opens IAM in a directory, in which it makes keys and root's credentials if it is
// new.
func open(ctx context.Context, listen, data string) (*iam, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(data, "iam.db")
	_, err := os.Stat(path)
	fresh := errors.Is(err, os.ErrNotExist)
	store, err := bolt.Open(path, bolt.Config{})
	if err != nil {
		return nil, err
	}
	opened, err := openOn(ctx, store, listen, data, fresh)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &iam{opened, store}, nil
}

func openOn(ctx context.Context, store *bolt.Store, listen, data string, fresh bool) (*server.Server, error) {
	// Secrets are sealed with a key of this machine.
	keyset, err := seal.Load(seal.Config{Dir: data, Fresh: fresh, Getenv: os.Getenv})
	if err != nil {
		return nil, err
	}
	root, err := rootcreds.Open(rootcreds.Config{
		Dir: data, Fresh: fresh, Getenv: os.Getenv, Rand: rand.Reader, Client: rootcreds.Client{Listen: listen, Region: "us-east-1"},
	})
	if err != nil {
		return nil, err
	}
	return server.Open(ctx, server.Config{
		Store: store, Sealer: keyset.OfAccount(account), Account: account, Now: time.Now, Log: slog.Default(),
		Root: server.RootKey{AccessKeyID: root.Credentials.AccessKeyID, SecretAccessKey: string(root.Credentials.SecretAccessKey)},
		// gofakes3 in memory tells all keys apart.
		S3: &server.S3{Operations: operations, Keys: &s3.KeyProfile{}},
	})
}
