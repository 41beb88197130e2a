package main

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"iamserver/cmd/iamserver/localstore"
	"iamserver/runtime/rootcreds"
	"iamserver/runtime/s3"
	"iamserver/runtime/seal/privatefile"
	"iamserver/runtime/server"
)

// objectFlags say which S3 store is served, and how.
type objectFlags struct {
	S3                string   `name:"s3" env:"IAMSERVER_S3" help:"S3 store to serve on the same port: local:DIR, a store on this disk (local: alone is s3 in the data directory); the address of another one, http://HOST:PORT or https://…, to stand in front of; or off." default:"local:" placeholder:"STORE"`
	S3CredentialsFile string   `name:"s3-credentials-file" env:"IAMSERVER_S3_CREDENTIALS_FILE" help:"File with the credentials of the other store in the form of root.env, two lines export AWS_ACCESS_KEY_ID=… and export AWS_SECRET_ACCESS_KEY=… with values in single quotes, mode 0600. Otherwise they are IAMSERVER_S3_ACCESS_KEY_ID and IAMSERVER_S3_SECRET_ACCESS_KEY in the environment." placeholder:"FILE"`
	S3Region          string   `name:"s3-region" env:"IAMSERVER_S3_REGION" help:"Region of the store's signatures." default:"us-east-1"`
	S3Domain          []string `name:"s3-domain" env:"IAMSERVER_S3_DOMAIN" help:"Hosts whose subdomains are buckets: with s3.example.com, photos.s3.example.com is the bucket photos." placeholder:"HOST,…"`
	S3Keys            string   `name:"s3-keys" env:"IAMSERVER_S3_KEYS" help:"Object keys that the other store tells apart: exact, all of them; or files, none with an empty, . or .. segment, which may be the same file. Declare exact only what is." enum:"exact,files" default:"files"`
	S3Reserved        []string `name:"s3-reserved" env:"IAMSERVER_S3_RESERVED" help:"Names that the other store keeps for itself in each bucket: no key may begin with one of them and a slash, nor have a segment that ends as one with a * in front, unless --s3-keys is exact." default:".sgwtmp,.uploads,*.versions" placeholder:"NAME,…"`
	S3ReservedBuckets []string `name:"s3-reserved-buckets" env:"IAMSERVER_S3_RESERVED_BUCKETS" help:"Names of buckets that there cannot be: the other store has APIs of its own in their place. With --s3-virtual-hosts, no key may begin with one of them either." default:"${apiBuckets}" placeholder:"NAME,…"`
	S3VirtualHosts    bool     `name:"s3-virtual-hosts" env:"IAMSERVER_S3_VIRTUAL_HOSTS" help:"Name buckets to the other store by host, not by path."`
	BlockPublicAccess bool     `help:"Block public access to every bucket that has no setting of its own."`
}

// localPrefix marks a store on this disk.
const localPrefix = "local:"

// Validate is called by kong.
func (f *objectFlags) Validate() error {
	switch {
	case f.S3 == "off", strings.HasPrefix(f.S3, localPrefix):
		return nil
	}
	u, err := url.Parse(f.S3)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" {
		return fmt.Errorf("--s3 must be off, local:DIR, or an address like https://store.example.com:9000, not %q", f.S3)
	}
	return nil
}

// objects opens the store. There is nothing to close but a local one.
func (f *objectFlags) objects(p *process, account string, data *dataDirectory, log *slog.Logger) (*server.S3, io.Closer, error) {
	served := &server.S3{Domains: f.S3Domain, BlockPublicAccess: f.BlockPublicAccess}
	owner := s3.CanonicalUser(account)
	switch {
	case f.S3 == "off":
		return nil, nil, nil
	case strings.HasPrefix(f.S3, localPrefix):
		dir := f.localDir(data)
		quiet(log)
		store, err := localstore.Open(p.stop, localstore.Config{Dir: dir, Region: f.S3Region, Owner: owner, Random: rand.Reader, Log: log})
		if err != nil {
			return nil, nil, fmt.Errorf("--s3 %s: %w", f.S3, err)
		}
		keys := localstore.Keys()
		served.Upstream, served.Keys, served.ReservedBuckets = store.Upstream(), &keys, []string{}
		if served.Spool, err = emptyFolder(filepath.Join(dir, "forms")); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("--s3 %s: %w", f.S3, err), store.Close())
		}
		return served, store, nil
	}
	endpoint, err := url.Parse(f.S3)
	if err != nil {
		return nil, nil, fmt.Errorf("--s3: %w", err)
	}
	id, secret, err := f.credentials(p)
	if err != nil {
		return nil, nil, err
	}
	served.Keys, served.ReservedBuckets = &s3.KeyProfile{}, append([]string{}, f.S3ReservedBuckets...)
	if f.S3Keys == "files" {
		served.Keys = &s3.KeyProfile{Files: true, Reserved: f.S3Reserved}
	}
	served.Upstream = s3.Upstream{
		Endpoint: &url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host}, Region: f.S3Region, VirtualHosts: f.S3VirtualHosts,
		AccessKeyID: id, SecretAccessKey: secret, Owner: owner, Log: log, Now: time.Now,
		Transport: s3.NewTransport(nil, &tls.Config{MinVersion: tls.VersionTLS12}),
	}
	return served, nil, nil
}

// quiet makes a log of what the local store prints: it knows no better, and
// standard output and standard error are not its own. Those of the program have
// been taken before.
func quiet(log *slog.Logger) {
	r, w, err := os.Pipe()
	if err != nil {
		log.Warn("what the local store prints cannot be logged", "error", err)
		return
	}
	os.Stdout, os.Stderr = w, w
	go func() {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			log.Debug("the local store", "says", lines.Text())
		}
		// A line that is too long ends the log, and must not stop the store.
		io.Copy(io.Discard, r) //nolint:errcheck // see above
	}()
}

// emptyFolder makes a folder, without what a process that did not end well has left
// in it.
func emptyFolder(path string) (string, error) {
	return path, errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700))
}

// localDir is where a local store keeps its objects.
func (f *objectFlags) localDir(data *dataDirectory) string {
	if dir := strings.TrimPrefix(f.S3, localPrefix); dir != "" {
		return dir
	}
	return filepath.Join(data.path, objectsName)
}

var errNoStoreCredentials = errors.New("--s3: no credentials of the store; give --s3-credentials-file, or IAMSERVER_S3_ACCESS_KEY_ID and IAMSERVER_S3_SECRET_ACCESS_KEY in the environment")

func (f *objectFlags) credentials(p *process) (id, secret string, err error) {
	if f.S3CredentialsFile == "" {
		id, secret = p.getenv("IAMSERVER_S3_ACCESS_KEY_ID"), p.getenv("IAMSERVER_S3_SECRET_ACCESS_KEY")
		if id == "" || secret == "" {
			return "", "", errNoStoreCredentials
		}
		return id, secret, nil
	}
	if err := privatefile.Check(f.S3CredentialsFile); err != nil {
		return "", "", fmt.Errorf("--s3-credentials-file: %w", err)
	}
	text, err := os.ReadFile(f.S3CredentialsFile)
	if err != nil {
		return "", "", fmt.Errorf("--s3-credentials-file: %w", err)
	}
	parsed, err := rootcreds.Parse(text)
	if err != nil {
		return "", "", fmt.Errorf("--s3-credentials-file: %w", err)
	}
	return parsed.AccessKeyID, string(parsed.SecretAccessKey), nil
}

// absolute makes the paths that are used later ones that do not depend on the
// working directory: the local store changes it.
func (c *serveCommand) absolute() error {
	paths := []*string{&c.AuditLog, &c.TLSCert, &c.TLSKey}
	for i := range c.Plugin {
		paths = append(paths, &c.Plugin[i])
	}
	for _, path := range paths {
		if *path == "" || *path == "-" {
			continue
		}
		full, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = full
	}
	if dir, ok := strings.CutPrefix(c.S3, localPrefix); ok && dir != "" {
		full, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		c.S3 = localPrefix + full
	}
	return nil
}
