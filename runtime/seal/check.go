package seal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// checkPlaintext is what a check value seals.
const checkPlaintext = "iamserver master key"

// checkData is what it is sealed with; no valid AssociatedData is equal to it.
var checkData = AssociatedData{Purpose: "check"}

// A check is kept beside the data to recognise the keyset that goes with it.
type check struct {
	KeyIDs []uint32 `json:"keyIds"`
	Sealed []byte   `json:"sealed"`
}

// CheckValue returns a record for the caller to keep with the data it seals, by
// which Verify later recognises the keyset. It is not secret. It is stored when
// the data is new and after each rotation.
func (k *Keyset) CheckValue() ([]byte, error) {
	now := k.keys.Load()
	sealed, err := now.aead.Encrypt([]byte(checkPlaintext), checkData.encode())
	if err != nil {
		return nil, fmt.Errorf("master key: check value: %w", err)
	}
	return json.Marshal(check{KeyIDs: now.ids, Sealed: sealed})
}

// Verify compares the keyset with the CheckValue that is kept with the data. Its
// error says that the keyset is not the one of this data, for the start to stop.
func (k *Keyset) Verify(checkValue []byte) error {
	var c check
	if err := json.Unmarshal(checkValue, &c); err != nil || len(c.KeyIDs) == 0 {
		return errors.New("master key: the check value in the data is damaged; restore the data from a backup")
	}
	now := k.keys.Load()
	// A keyset from before a rotation opens older values and not the newer ones.
	for _, id := range c.KeyIDs {
		if !slices.Contains(now.ids, id) {
			return k.mismatch(fmt.Sprintf("the data needs key %d, the keyset holds %v", id, now.ids))
		}
	}
	// The ids are not secret, so that equal ones do not make equal keys.
	plaintext, err := now.aead.Decrypt(c.Sealed, checkData.encode())
	if err != nil || string(plaintext) != checkPlaintext {
		return k.mismatch("the key ids agree but the check value does not open")
	}
	return nil
}

func (k *Keyset) mismatch(detail string) error {
	return fmt.Errorf("master key: %s is not the keyset that the secrets in this data directory are sealed with (%s); restore the one that belongs to it",
		k.Source(), detail)
}
