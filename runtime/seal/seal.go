// Package seal encrypts secrets for storage, each bound to the record it belongs
// to. It does not store them and does not know what they are; see package
// identity for that.
//
// Sealing is AES-256-GCM with a random nonce under a Tink keyset. What a value
// is for and whose it is goes in as associated data, so that a sealed value that
// is moved into another record does not open there.
package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrNotOpened is returned for a sealed value that is damaged, was sealed with a
// key that the keyset does not hold, or with other associated data. Which of
// them it was cannot be told.
var ErrNotOpened = errors.New("sealed value does not open with this keyset and associated data")

// A Purpose says what kind of secret a sealed value is. A value sealed for one
// purpose does not open for another.
type Purpose string

// SecretAccessKey is the purpose of the secret access keys of users and service
// accounts. Its associated data names the account, the owner and the key.
const SecretAccessKey Purpose = "secret-access-key"

// AssociatedData is what a sealed value is bound to. It opens only with equal
// associated data.
type AssociatedData struct {
	// Purpose is always given.
	Purpose Purpose
	// Account is the 12-digit account id, always given.
	Account string
	// OwnerID is the unique id of the entity that owns the secret (AIDA…).
	OwnerID string
	// AccessKeyID is the access key id that the secret belongs to.
	AccessKeyID string
}

// associatedDataFormat begins the encoding of AssociatedData. An encoding that
// means something else by the same fields takes another number.
const associatedDataFormat = 1

// Seal encrypts plaintext under the primary key and binds it to ad. Sealing the
// same plaintext twice gives different values. Safe for concurrent use.
func (k *Keyset) Seal(plaintext []byte, ad AssociatedData) ([]byte, error) {
	if err := ad.validate(); err != nil {
		return nil, err
	}
	sealed, err := k.keys.Load().aead.Encrypt(plaintext, ad.encode())
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", ad.Purpose, err)
	}
	return sealed, nil
}

// Open decrypts what Seal returned for equal associated data, under whichever
// key of the keyset it was sealed with; otherwise the error is an ErrNotOpened.
// Safe for concurrent use.
func (k *Keyset) Open(sealed []byte, ad AssociatedData) ([]byte, error) {
	if err := ad.validate(); err != nil {
		return nil, err
	}
	plaintext, err := k.keys.Load().aead.Decrypt(sealed, ad.encode())
	if err != nil {
		return nil, fmt.Errorf("open %s of access key %q: %w", ad.Purpose, ad.AccessKeyID, ErrNotOpened)
	}
	return plaintext, nil
}

// validate refuses associated data that binds less than it should: an empty
// field would let a secret move between the records that differ in it.
func (ad AssociatedData) validate() error {
	if ad.Purpose == "" || ad.Account == "" {
		return errors.New("associated data lacks the purpose or the account")
	}
	if ad.Purpose == SecretAccessKey && (ad.OwnerID == "" || ad.AccessKeyID == "") {
		return errors.New("associated data of a secret access key lacks the owner or the access key id")
	}
	return nil
}

// encode writes each field after its length, so that no two values of
// AssociatedData have the same encoding.
func (ad AssociatedData) encode() []byte {
	b := []byte{associatedDataFormat}
	for _, field := range []string{string(ad.Purpose), ad.Account, ad.OwnerID, ad.AccessKeyID} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(field)))
		b = append(b, field...)
	}
	return b
}
