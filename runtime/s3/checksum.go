package s3

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"net/http"
	"strings"

	"github.com/minio/crc64nvme"

	"iamserver/generated/s3err"
)

// A checksum is a digest of the body that the client sent, or announced for the
// trailer.
type checksum struct {
	header string // canonical
	name   string // as messages have it
	hash   hash.Hash
	want   string // in base64; empty until the trailer has been read
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksums are those that are verified, by the name behind x-amz-checksum-.
var checksums = map[string]struct {
	name string
	hash func() hash.Hash
}{
	"Crc32":     {"CRC32", func() hash.Hash { return crc32.NewIEEE() }},
	"Crc32c":    {"CRC32C", func() hash.Hash { return crc32.New(castagnoli) }},
	"Crc64nvme": {"CRC64NVME", func() hash.Hash { return crc64nvme.New() }},
	"Sha1":      {"SHA1", sha1.New},
	"Sha256":    {"SHA256", sha256.New},
	"Sha512":    {"SHA512", sha512.New},
	"Md5":       {"MD5", md5.New},
}

const checksumPrefix = "X-Amz-Checksum-"

// newChecksum returns the checksum of a header with that canonical name, nil if
// it is none.
func newChecksum(header string) *checksum {
	name, ok := strings.CutPrefix(header, checksumPrefix)
	if !ok {
		return nil
	}
	c, ok := checksums[name]
	if !ok {
		return nil
	}
	return &checksum{header: header, name: c.name, hash: c.hash()}
}

// isChecksumOfNothing reports whether a parameter is the checksum of an empty body. The
// SDK for JavaScript signs it with the address of an upload, since it does not know the
// body, and Amazon S3 looks at no checksum in the query (github.com/aws/aws-sdk-go-v2,
// issue 2610). Others are there on purpose, and are verified.
func isChecksumOfNothing(name, value string) bool {
	if len(name) <= len(checksumPrefix) || !strings.EqualFold(name[:len(checksumPrefix)], checksumPrefix) {
		return false
	}
	c := newChecksum(http.CanonicalHeaderKey(name))
	return c != nil && decode(value) == base64.StdEncoding.EncodeToString(c.hash.Sum(nil))
}

// headerChecksum returns the checksum in the headers, nil if there is none.
func headerChecksum(h func(name string) (string, bool)) (*checksum, error) {
	var found *checksum
	for name := range checksums {
		value, ok := h(checksumPrefix + name)
		if !ok {
			continue
		}
		if found != nil {
			return nil, s3err.SeveralChecksums()
		}
		found = newChecksum(checksumPrefix + name)
		if err := found.expect(value); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// expect sets what the checksum must be.
func (c *checksum) expect(value string) error {
	sum, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || len(sum) != c.hash.Size() {
		return s3err.ChecksumHeaderInvalid(strings.ToLower(c.header))
	}
	c.want = value
	return nil
}

func (c *checksum) verify() error {
	if base64.StdEncoding.EncodeToString(c.hash.Sum(nil)) != c.want {
		return s3err.WrongChecksum(c.name)
	}
	return nil
}

// trailerChecksum returns the checksum that x-amz-trailer announces, nil if it
// announces nothing.
func trailerChecksum(announced string) (*checksum, error) {
	if announced == "" {
		return nil, nil
	}
	c := newChecksum(http.CanonicalHeaderKey(strings.TrimSpace(announced)))
	if c == nil {
		return nil, s3err.TrailerNotSupported()
	}
	return c, nil
}
