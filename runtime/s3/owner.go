package s3

import (
	"crypto/sha256"
	"encoding/hex"
)

// CanonicalUser is the canonical user id of an account, by which S3 names owners.
// It has AWS's form, tells nothing, and is the same everywhere and always.
func CanonicalUser(account string) string {
	sum := sha256.Sum256([]byte("iamserver canonical user of account " + account))
	return hex.EncodeToString(sum[:])
}
