// Package rootcreds finds or makes the credentials of the account's root, and
// keeps root.env, the file that a shell sources to use them. It does not
// authenticate anyone; see package sigv4 for that.
package rootcreds

import (
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"iamserver/runtime/seal/privatefile"
)

const (
	// FileName is the name of root's file in the data directory.
	FileName = "root.env"
	// AccessKeyIDVariable names the environment variable with root's access
	// key id.
	AccessKeyIDVariable = "IAMSERVER_ROOT_ACCESS_KEY_ID"
	// SecretAccessKeyVariable names the one with its secret; both are set, or
	// neither.
	SecretAccessKeyVariable = "IAMSERVER_ROOT_SECRET_ACCESS_KEY"

	// maxFileSize is in bytes.
	maxFileSize = 64 << 10
)

// Credentials are an access key id and its secret.
type Credentials struct {
	// AccessKeyID is 4 to 128 of [A-Za-z0-9] and does not begin with ASIA, as
	// the ids of temporary credentials do, or ABIA, as those of service
	// accounts do.
	AccessKeyID string
	// SecretAccessKey is 8 to 128 printable ASCII characters without space.
	SecretAccessKey SecretAccessKey
}

// A Source is where credentials come from, in words for a message: the path of a
// file, or Environment.
type Source string

// Environment is the source of the credentials in AccessKeyIDVariable and
// SecretAccessKeyVariable.
const Environment Source = "the environment (" + AccessKeyIDVariable + ")"

// Config says where root's credentials may be and what goes into root.env.
type Config struct {
	// Dir is the data directory.
	Dir string
	// Fresh tells that the data directory is empty. Only then is root.env made;
	// with data present a missing one is an error.
	Fresh bool
	// Getenv reads the environment.
	Getenv func(name string) string
	// File is a file with credentials in the form of root.env that counts in
	// its place; empty where there is none.
	File string
	// Client is what root.env tells clients beside the credentials.
	Client Client
	// Rand is the source of new credentials, such as crypto/rand.Reader.
	Rand io.Reader
}

// Root is what Open found.
type Root struct {
	// Credentials are those that count.
	Credentials Credentials
	// Source is where they come from.
	Source Source
	// Overruled are the sources that hold other credentials, which do not
	// count; for start-up to say so.
	Overruled []Source
	// Created tells that root.env was made just now.
	Created bool
}

// found is the credentials of one source.
type found struct {
	source      Source
	credentials Credentials
	content     string // of the file, where it is one
}

// Open returns root's credentials: those of the environment, else of the file
// that Config names, else of root.env in the data directory, which it makes when
// the installation is fresh and there is none. A root.env whose credentials count
// is written anew where it does not agree with Config.Client. A file with a mode
// wider than 0600, of another owner or not in the form of root.env is an error
// that says what to do, even when its credentials would not count. No error holds
// a secret.
func Open(c Config) (*Root, error) {
	if err := c.Client.validate(); err != nil {
		return nil, fmt.Errorf("root credentials: %w", err)
	}
	configured, err := c.configured()
	if err != nil {
		return nil, fmt.Errorf("root credentials: %w", err)
	}
	root, err := c.open(configured)
	if err != nil {
		return nil, fmt.Errorf("root credentials: %w", err)
	}
	return root, nil
}

// Reset makes new credentials and writes them to root.env, in place of what is
// there. It refuses while the environment or a file gives the credentials,
// because the new ones would not count.
func Reset(c Config) (*Root, error) {
	root, err := c.reset()
	if err != nil {
		return nil, fmt.Errorf("reset root credentials: %w", err)
	}
	return root, nil
}

func (c Config) open(configured []found) (*Root, error) {
	stored, err := read(c.path())
	switch {
	case err == nil:
		root := choose(append(configured, *stored))
		if stored.credentials == root.Credentials {
			err = c.refresh(stored)
		}
		return root, err
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case len(configured) > 0:
		return choose(configured), nil
	case !c.Fresh:
		return nil, fmt.Errorf("%s does not exist; restore it, set %s and %s, or make new credentials with: iamserver root reset",
			c.path(), AccessKeyIDVariable, SecretAccessKeyVariable)
	default:
		return c.create(privatefile.Create)
	}
}

func (c Config) reset() (*Root, error) {
	if err := c.Client.validate(); err != nil {
		return nil, err
	}
	configured, err := c.configured()
	if err != nil {
		return nil, err
	}
	if len(configured) > 0 {
		return nil, fmt.Errorf("they come from %s and are changed there", configured[0].source)
	}
	return c.create(privatefile.Replace)
}

// configured returns the credentials that are given from outside the data
// directory, the first of which counts.
func (c Config) configured() ([]found, error) {
	var all []found
	id, secret := c.Getenv(AccessKeyIDVariable), c.Getenv(SecretAccessKeyVariable)
	if id != "" || secret != "" {
		credentials := Credentials{AccessKeyID: id, SecretAccessKey: SecretAccessKey(secret)}
		if id == "" || secret == "" {
			return nil, fmt.Errorf("of %s and %s only one is set; set both or neither", AccessKeyIDVariable, SecretAccessKeyVariable)
		}
		if err := credentials.validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", Environment, err)
		}
		all = append(all, found{source: Environment, credentials: credentials})
	}
	if c.File != "" {
		f, err := read(c.File)
		if err != nil {
			return nil, err
		}
		all = append(all, *f)
	}
	return all, nil
}

func (c Config) path() string { return filepath.Join(c.Dir, FileName) }

func read(path string) (*found, error) {
	data, err := privatefile.Read(path, maxFileSize)
	if err != nil {
		return nil, err
	}
	credentials, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &found{Source(path), credentials, string(data)}, nil
}

// choose takes the first of all and tells which others differ from it.
func choose(all []found) *Root {
	root := &Root{Credentials: all[0].credentials, Source: all[0].source}
	for _, f := range all[1:] {
		if f.credentials != root.Credentials {
			root.Overruled = append(root.Overruled, f.source)
		}
	}
	return root
}

// refresh writes root.env anew when it says something else than it would now.
func (c Config) refresh(stored *found) error {
	want := format(stored.credentials, c.Client)
	if stored.content == want {
		return nil
	}
	return privatefile.Replace(c.path(), []byte(want))
}

// create makes new credentials and writes them to root.env.
func (c Config) create(write func(path string, data []byte) error) (*Root, error) {
	credentials, err := newCredentials(c.Rand)
	if err != nil {
		return nil, err
	}
	if err := write(c.path(), []byte(format(credentials, c.Client))); err != nil {
		return nil, err
	}
	return &Root{Credentials: credentials, Source: Source(c.path()), Created: true}, nil
}

// newCredentials returns credentials in the form of AWS's: AKIA and 16 of
// [A-Z2-7], and a secret of 40 characters of base64.
func newCredentials(random io.Reader) (Credentials, error) {
	var b [10 + 30]byte // 16 characters of 5 bits, 40 of 6
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Credentials{}, fmt.Errorf("make new ones: %w", err)
	}
	return Credentials{
		AccessKeyID:     "AKIA" + base32.StdEncoding.EncodeToString(b[:10]),
		SecretAccessKey: SecretAccessKey(base64.StdEncoding.EncodeToString(b[10:])),
	}, nil
}

// validate does not quote the values: whoever confuses the two would find the
// secret in a log.
func (c Credentials) validate() error {
	if !within(c.AccessKeyID, 4, 128, isAlphanumeric) {
		return errors.New("the access key id is not 4 to 128 letters and digits")
	}
	if strings.HasPrefix(c.AccessKeyID, "ASIA") || strings.HasPrefix(c.AccessKeyID, "ABIA") {
		return errors.New("the access key id begins with ASIA or ABIA, which are kept for temporary credentials and service accounts")
	}
	if !within(string(c.SecretAccessKey), 8, 128, isGraphic) {
		return errors.New("the secret access key is not 8 to 128 printable ASCII characters without space")
	}
	return nil
}

func within(s string, minimum, maximum int, allowed func(c byte) bool) bool {
	if len(s) < minimum || len(s) > maximum {
		return false
	}
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isGraphic(c byte) bool { return ' ' < c && c < 0x7f }
