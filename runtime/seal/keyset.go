package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"iamserver/runtime/seal/privatefile"
)

const (
	// FileName is the name of the keyset's file in the data directory.
	FileName = "master.key"
	// EnvironmentVariable names the variable that may hold the keyset instead
	// of the file: the content of the file in standard base64.
	EnvironmentVariable = "IAMSERVER_MASTER_KEY"

	// maxFileSize is in bytes; a key takes some 250, so that more than a hundred
	// rotations fit.
	maxFileSize = 64 << 10
	// keySize is that of AES-256 in bytes.
	keySize = 32
)

// Config says where the keyset is.
type Config struct {
	// Dir is the data directory.
	Dir string
	// Fresh tells that nothing has been sealed yet: the data directory is empty.
	// Only then is a keyset made. With data present a missing one is an error,
	// because a new one would open none of it.
	Fresh bool
	// Getenv reads the environment.
	Getenv func(name string) string
}

// A Keyset is the keys that seal the secrets of one installation: a primary key,
// which seals, and those it took over from, which still open.
type Keyset struct {
	path string // of the file; empty when the keyset comes from the environment
	keys atomic.Pointer[keys]

	rotation sync.Mutex // held by Rotate
}

// keys is one state of a Keyset. It is not changed, only replaced.
type keys struct {
	handle        *keyset.Handle
	aead          tink.AEAD
	ids           []uint32 // in the order of the keyset, with those of disabled keys
	primary       uint32
	primaryPrefix []byte // of every value sealed under the primary key
}

// Load reads the keyset from EnvironmentVariable where that is set, else from
// FileName in the data directory, which it makes when the installation is fresh
// and there is none. A file with a mode wider than 0600, of another owner, or
// that is not a Tink keyset in JSON form of nothing but AES-256-GCM keys is an
// error that says what to do; no error holds any part of the keyset. The caller
// then compares it with the data: see Verify.
func Load(c Config) (*Keyset, error) {
	if encoded := c.Getenv(EnvironmentVariable); encoded != "" {
		return loadEnvironment(encoded)
	}
	path := filepath.Join(c.Dir, FileName)
	data, err := privatefile.Read(path, maxFileSize)
	switch {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("master key: %w", err)
	case !c.Fresh:
		return nil, fmt.Errorf("master key: %s does not exist, and without it the secrets in this data directory cannot be opened; "+
			"restore it from a backup or set %s", path, EnvironmentVariable)
	default:
		if data, err = createFile(path); err != nil {
			return nil, fmt.Errorf("master key: %w", err)
		}
	}
	k, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("master key: %s %w; restore it from a backup", path, err)
	}
	return newKeyset(path, k), nil
}

func loadEnvironment(encoded string) (*Keyset, error) {
	if len(encoded) > base64.StdEncoding.EncodedLen(maxFileSize) {
		return nil, fmt.Errorf("master key: %s is longer than that of %d bytes", EnvironmentVariable, maxFileSize)
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return nil, fmt.Errorf("master key: %s is not base64; set it to the output of: base64 < %s", EnvironmentVariable, FileName)
	}
	k, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("master key: %s %w; set it to the output of: base64 < %s", EnvironmentVariable, err, FileName)
	}
	return newKeyset("", k), nil
}

func createFile(path string) ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	data, err := encode(handle)
	if err != nil {
		return nil, err
	}
	return data, privatefile.Create(path, data)
}

func newKeyset(path string, k *keys) *Keyset {
	ks := &Keyset{path: path}
	ks.keys.Store(k)
	return ks
}

// encode returns the content of the keyset's file.
func encode(handle *keyset.Handle) ([]byte, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// parse reads what encode wrote. Its errors continue a sentence that begins with
// where the keyset is from.
func parse(data []byte) (*keys, error) {
	// Tink's errors are dropped: the JSON decoder quotes what it stumbles over,
	// which may be a key.
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(data)))
	if err != nil {
		return nil, errors.New("is not a Tink keyset in JSON form (is it truncated?)")
	}
	return newKeys(handle)
}

func newKeys(handle *keyset.Handle) (*keys, error) {
	k := &keys{handle: handle}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, errors.New("holds a key that cannot be read")
		}
		aes, ok := entry.Key().(*aesgcm.Key)
		if !ok || !isAES256GCM(aes) {
			return nil, fmt.Errorf("holds key %d, which is not an AES256_GCM key with Tink's output prefix", entry.KeyID())
		}
		k.ids = append(k.ids, entry.KeyID())
		if entry.IsPrimary() {
			k.primary, k.primaryPrefix = entry.KeyID(), aes.OutputPrefix()
		}
	}
	var err error
	if k.aead, err = aead.New(handle); err != nil {
		return nil, errors.New("holds keys that do not work")
	}
	return k, nil
}

// isAES256GCM also asks for the output prefix, by which NeedsReseal tells keys
// apart.
func isAES256GCM(k *aesgcm.Key) bool {
	p, ok := k.Parameters().(*aesgcm.Parameters)
	return ok && p.KeySizeInBytes() == keySize && p.Variant() == aesgcm.VariantTink
}

// Rotate adds a key and makes it the primary one: from then on values are sealed
// under it, and those sealed before still open. The file holds the new key before
// anything is sealed under it. The caller then stores a new CheckValue, and seals
// anew the values that NeedsReseal tells. A keyset from the environment cannot be
// rotated. Safe for concurrent use.
func (k *Keyset) Rotate() error {
	if k.path == "" {
		return fmt.Errorf("rotate master key: it comes from %s, which the server cannot change; start with the keyset in %s instead", EnvironmentVariable, FileName)
	}
	k.rotation.Lock()
	defer k.rotation.Unlock()
	rotated, data, err := k.keys.Load().rotated()
	if err != nil {
		return fmt.Errorf("rotate master key: %w", err)
	}
	if err := privatefile.Replace(k.path, data); err != nil {
		return fmt.Errorf("rotate master key: %w", err)
	}
	k.keys.Store(rotated)
	return nil
}

// rotated returns k with a new primary key, and the content of its file.
func (k *keys) rotated() (*keys, []byte, error) {
	manager := keyset.NewManagerFromHandle(k.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, nil, err
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, nil, err
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, nil, err
	}
	data, err := encode(handle)
	if err != nil {
		return nil, nil, err
	}
	if len(data) > maxFileSize {
		return nil, nil, fmt.Errorf("the keyset would be longer than %d bytes", maxFileSize)
	}
	rotated, err := newKeys(handle)
	return rotated, data, err
}

// NeedsReseal tells whether a sealed value is not under the primary key.
func (k *Keyset) NeedsReseal(sealed []byte) bool {
	return !bytes.HasPrefix(sealed, k.keys.Load().primaryPrefix)
}

// Source says where the keyset is from: the path of its file, or
// EnvironmentVariable.
func (k *Keyset) Source() string {
	if k.path == "" {
		return EnvironmentVariable
	}
	return k.path
}

// String names the keyset by its source and the id of its primary key, neither
// of which is secret.
func (k *Keyset) String() string {
	return fmt.Sprintf("keyset %d from %s", k.keys.Load().primary, k.Source())
}

// GoString is String.
func (k *Keyset) GoString() string { return k.String() }

// LogValue is String.
func (k *Keyset) LogValue() slog.Value { return slog.StringValue(k.String()) }
