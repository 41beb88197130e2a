package identity

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// The prefixes of unique ids and access key ids (IAM user guide, "IAM identifiers").
const (
	prefixUser       = "AIDA"
	prefixGroup      = "AGPA"
	prefixPolicy     = "ANPA"
	prefixAccessKey  = "AKIA"
	prefixServiceKey = "ABIA"
	prefixService    = "sa:"
)

const (
	alphabetID     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	alphabetSecret = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

	lengthID     = 17 // after the prefix
	lengthKeyID  = 16 // after the prefix
	lengthSecret = 40
)

// A Secret is a secret access key. However it is printed, logged or
// marshalled, it shows as REDACTED; a conversion to string gives it away.
type Secret string

const redacted = "REDACTED"

// Format writes REDACTED for every verb.
func (Secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue returns REDACTED.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns REDACTED.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// random returns n characters of an alphabet whose length is a power of two,
// so that each is equally likely.
func (tx *Tx) random(alphabet string, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(tx.db.config.Rand, b); err != nil {
		return "", fmt.Errorf("identity: read random bytes: %w", err)
	}
	for i := range b {
		b[i] = alphabet[int(b[i])&(len(alphabet)-1)]
	}
	return string(b), nil
}

func (tx *Tx) randomHex(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(tx.db.config.Rand, b); err != nil {
		return "", fmt.Errorf("identity: read random bytes: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// newID returns an id that no record of the kind has.
func (tx *Tx) newID(kind, prefix string, length int) (string, error) {
	for range 8 {
		suffix, err := tx.random(alphabetID, length)
		if err != nil {
			return "", err
		}
		id := prefix + suffix
		taken, err := tx.has(tx.key(kind, id))
		if err != nil {
			return "", err
		}
		if !taken {
			return id, nil
		}
	}
	return "", errors.New("identity: the source of random bytes repeats itself")
}
