// Package localstore runs an S3 store on the local disk inside this process:
// versitygw's, reached through a private unix socket. It authorizes nothing: whoever
// holds its credentials, which are made anew at each start, may do everything.
package localstore

import (
	"context"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"

	"iamserver/runtime/s3"
)

// Config says where the store is.
type Config struct {
	// Dir holds the objects; it is made if it is not there. Where its file system
	// has no extended attributes, metadata goes into files beside the objects.
	Dir string
	// Region is that of the buckets; empty means us-east-1.
	Region string
	// Owner is the canonical user id of the account.
	Owner string
	// Random is where the credentials come from.
	Random io.Reader
	// Log is told what goes wrong.
	Log *slog.Logger
}

// A Store is a running store.
type Store struct {
	upstream  s3.Upstream
	transport *http.Transport
	sockets   string
	stop      context.CancelFunc
	done      chan error // gets what the store ended with
}

// Keys are the object keys that the store tells apart.
func Keys() s3.KeyProfile {
	return s3.KeyProfile{Files: true, Reserved: []string{posix.MetaTmpDir}}
}

// Open starts the store. There can be one in a process.
//
// The store works with paths relative to its folder, so that Open changes the
// working directory of the process to it: the caller must have made its own
// paths absolute.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	// Before anything else: to open a second one would take the working directory
	// from the first.
	if !running.CompareAndSwap(false, true) {
		return nil, errors.New("local store: there is one in this process already")
	}
	s, err := open(ctx, cfg)
	if err != nil {
		running.Store(false)
		return nil, fmt.Errorf("local store: %w", err)
	}
	return s, nil
}

var running atomic.Bool

func open(ctx context.Context, cfg Config) (*Store, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	backend, err := openBackend(dir)
	if err != nil {
		return nil, err
	}
	id, secret, err := credentials(cfg.Random)
	if err != nil {
		return nil, fmt.Errorf("make credentials: %w", err)
	}
	// Not in Dir, whose path may be longer than the 107 bytes that the name of a
	// socket can have.
	sockets, err := os.MkdirTemp("", "iamserver-")
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(sockets, "s3")
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	s := &Store{transport: s3.NewTransport(dial, nil), sockets: sockets, stop: stop, done: make(chan error, 1)}
	s.upstream = s3.Upstream{
		Endpoint: &url.URL{Scheme: "http", Host: "localhost"}, Region: cfg.Region, AccessKeyID: id, SecretAccessKey: secret,
		UnsignedChunks: true, Owner: cfg.Owner, Transport: s.transport, Now: time.Now, Log: cfg.Log,
	}
	go func() {
		s.done <- embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
			RootUserAccess: id, RootUserSecret: secret, Region: cfg.Region,
			IAMService: auth.NewIAMServiceSingle(auth.Account{Access: id, Secret: secret, Role: auth.RoleAdmin}),
			Ports:      []string{socket},
			// On a socket of its own, which nothing is ever forwarded to.
			AdminPorts: []string{filepath.Join(sockets, "admin")}, AdminMaxConnections: 1, AdminMaxRequests: 1,
			SocketPerm: "0600", MaxConnections: 8192, MaxRequests: 8192, MultipartMaxParts: 10000,
			KeepAlive: true, DisableACLs: true, Quiet: true,
		})
	}()
	if err := s.await(ctx, dial); err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

// The largest object that is copied at once, as on AWS.
const maxCopy = 5 << 30

// openBackend opens the folders of the store.
func openBackend(dir string) (*posix.Posix, error) {
	buckets, versions := filepath.Join(dir, "buckets"), filepath.Join(dir, "versions")
	for _, folder := range []string{buckets, versions} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	opts := posix.PosixOpts{VersioningDir: versions, CopyObjectThreshold: maxCopy}
	opts.SetNewDirPerm(0o700)
	opts.SetNewFilePerm(0o600)
	metadata := filepath.Join(dir, "metadata")
	// A store that began with files goes on with them.
	if _, err := os.Stat(metadata); errors.Is(err, fs.ErrNotExist) && (meta.XattrMeta{}).Test(buckets) == nil {
		return posix.New(buckets, meta.XattrMeta{}, opts)
	}
	if err := os.MkdirAll(metadata, 0o700); err != nil {
		return nil, err
	}
	sidecar, err := meta.NewSideCar(metadata)
	if err != nil {
		return nil, err
	}
	opts.SideCarDir = metadata
	return posix.New(buckets, sidecar, opts)
}

func credentials(random io.Reader) (id, secret string, err error) {
	var entropy [40]byte
	if _, err := io.ReadFull(random, entropy[:]); err != nil {
		return "", "", err
	}
	return "LOCAL" + base32.StdEncoding.EncodeToString(entropy[:10]), base64.RawURLEncoding.EncodeToString(entropy[10:]), nil
}

// await waits until the store takes connections.
func (s *Store) await(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := dial(ctx, "", "")
		if err == nil {
			return conn.Close()
		}
		select {
		case ended := <-s.done:
			s.done <- ended
			return fmt.Errorf("the store did not start: %w", ended)
		case <-ctx.Done():
			return fmt.Errorf("the store does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// Upstream is how a gateway reaches the store.
func (s *Store) Upstream() s3.Upstream { return s.upstream }

// Close ends the store, and waits until it has ended.
func (s *Store) Close() error {
	defer running.Store(false)
	return s.end()
}

func (s *Store) end() error {
	s.transport.CloseIdleConnections() // the store waits for them
	s.stop()
	err := <-s.done
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(s.sockets))
}
