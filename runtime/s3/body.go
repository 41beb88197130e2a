package s3

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"strconv"
	"sync"

	"iamserver/generated/s3err"
	"iamserver/runtime/operation"
	"iamserver/runtime/sigv4"
)

const (
	// This much of the end of a body is held back until all of it has been
	// verified: a store that was promised more must not keep what it got.
	heldBack = 64 << 10
	// The largest object that is put at once, and the largest part.
	maxObject = 5 << 30
	// The largest document.
	maxDocument = 2 << 20
)

// A Body reads the data of a body, whatever coding it came in. Of the last 64
// KiB it returns nothing before the payload hash, the signatures of the chunks,
// the length, Content-MD5 and the checksum have been verified: where one of
// them is wrong, whoever was promised Length bytes gets fewer.
type Body struct {
	length   int64
	free     int64 // what may be returned before everything is verified
	src      io.Reader
	sums     []hash.Hash
	payload  sigv4.Payload
	sha256   hash.Hash // nil unless the payload is hashed
	md5      hash.Hash // nil unless there is a Content-MD5
	wantMD5  []byte
	checksum *checksum // nil if there is none
	trailing bool      // the checksum comes in the trailer
	tail     *bytes.Reader

	mu  sync.Mutex
	err error // guarded by mu
}

// NewBody begins to read src, the body of a classified request, which is
// contentLength bytes long as it is sent; negative means unknown. payload is
// what the request declares, and key what its chunks are signed with, nil if it
// was not signed. The error is an *apierror.Error.
func (r *Request) NewBody(src io.Reader, contentLength int64, payload sigv4.Payload, key *sigv4.ChunkKey) (*Body, error) {
	b := &Body{payload: payload, length: contentLength}
	if r.Operation.Body == operation.NoBody && contentLength == 0 {
		src = bytes.NewReader(nil)
	}
	if err := b.expectDigests(r); err != nil {
		return nil, err
	}
	if payload.Kind.Chunked() {
		if err := b.unchunk(r, src, key); err != nil {
			return nil, err
		}
	} else {
		b.src = src
	}
	most := int64(maxDocument)
	switch r.Operation.Body {
	case operation.NoBody:
		most = 0
	case operation.ObjectBody, operation.Form:
		most = maxObject
	case operation.Document, operation.Deletions, operation.Tagging, operation.Retention, operation.LegalHold, operation.NewBucket, operation.ACL, operation.Policy:
	}
	switch {
	case b.length < 0:
		return nil, s3err.LengthRequired()
	case b.length > 0 && most == 0:
		return nil, s3err.UnexpectedBody()
	case b.length > most && most == maxDocument:
		return nil, s3err.DocumentTooLong()
	case b.length > most:
		return nil, s3err.TooLarge()
	}
	if b.checksum != nil {
		b.sums = append(b.sums, b.checksum.hash)
	}
	b.free = max(0, b.length-heldBack)
	return b, nil
}

// expectDigests finds the digests of the body in the headers.
func (b *Body) expectDigests(r *Request) error {
	if b.payload.Kind == sigv4.HashedPayload {
		b.sha256 = sha256.New()
		b.sums = append(b.sums, b.sha256)
	}
	if text, ok := r.Header("Content-Md5"); ok {
		sum, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(sum) != md5.Size {
			return s3err.InvalidMD5()
		}
		b.md5, b.wantMD5 = md5.New(), sum
		b.sums = append(b.sums, b.md5)
	}
	// Those of the request that completes an upload are of the whole object.
	if r.Operation.Body == operation.Document && passes(r.Operation, "X-Amz-Checksum-Crc32") {
		for name := range checksums {
			if _, ok := r.Header(checksumPrefix + name); ok && !passes(r.Operation, checksumPrefix+name) {
				return s3err.HeaderNotImplemented() // neither the store nor anybody here verifies it
			}
		}
		return nil
	}
	var err error
	b.checksum, err = headerChecksum(r.Header)
	return err
}

// unchunk decodes aws-chunked.
func (b *Body) unchunk(r *Request, src io.Reader, key *sigv4.ChunkKey) error {
	text, ok := r.Header("X-Amz-Decoded-Content-Length")
	length, err := strconv.ParseUint(text, 10, 62)
	if !ok || err != nil {
		return s3err.LengthRequired()
	}
	b.length = int64(length)
	c := &chunkReader{src: bufio.NewReaderSize(src, heldBack)}
	kind := b.payload.Kind
	if kind == sigv4.SignedChunks || kind == sigv4.SignedChunksTrailer {
		if key == nil {
			return s3err.NotAllowed()
		}
		c.key, c.hash = key, sha256.New()
	}
	c.signed = kind == sigv4.SignedChunksTrailer
	if kind != sigv4.SignedChunks {
		announced, _ := r.Header("X-Amz-Trailer")
		sum, err := trailerChecksum(announced)
		if err != nil {
			return err
		}
		if sum != nil {
			if b.checksum != nil {
				return s3err.SeveralChecksums()
			}
			b.checksum, b.trailing, c.checksum = sum, true, sum
		}
	}
	b.src = c
	return nil
}

// Length is the number of bytes that the body has when it is read to its end.
func (b *Body) Length() int64 { return b.length }

// Small says whether the whole body is held back: nothing of it has to be passed
// on before it has been verified.
func (b *Body) Small() bool { return b.free == 0 }

// Verify reads what is held back, and verifies everything. The body must have
// been read up to there; a small one is.
func (b *Body) Verify() error {
	if b.tail == nil && b.Err() == nil && b.free == 0 {
		b.fail(b.verify())
	}
	return b.Err()
}

// Err returns why the body is not what the request declares, nil as long as
// nothing is known of it. It may be called while another goroutine reads.
func (b *Body) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

func (b *Body) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// Read returns data. An error that says that the body is not what the request
// declares is an *apierror.Error or a *sigv4.Error.
func (b *Body) Read(p []byte) (int, error) {
	if err := b.Err(); err != nil {
		return 0, err
	}
	if b.free > 0 {
		n, err := b.src.Read(p[:min(int64(len(p)), b.free)])
		b.sum(p[:n])
		b.free -= int64(n)
		if err == nil {
			return n, nil
		}
		err = unfinished(err)
		b.fail(err)
		return n, err
	}
	if err := b.Verify(); err != nil {
		return 0, err
	}
	return b.tail.Read(p)
}

func (b *Body) sum(p []byte) {
	for _, h := range b.sums {
		h.Write(p)
	}
}

// verify reads the rest, and checks everything that the request says of it.
func (b *Body) verify() error {
	rest := make([]byte, min(b.length, heldBack))
	if _, err := io.ReadFull(b.src, rest); err != nil {
		return unfinished(err)
	}
	b.sum(rest)
	// More than was declared, or chunks and a trailer that are not what they
	// should be.
	var more [1]byte
	switch n, err := io.ReadFull(b.src, more[:]); {
	case n > 0:
		return s3err.BodyTooLong()
	case !errors.Is(err, io.EOF):
		return unfinished(err)
	}
	if b.sha256 != nil {
		want := b.payload.Hash()
		if subtle.ConstantTimeCompare(b.sha256.Sum(nil), want[:]) != 1 {
			return s3err.WrongPayloadHash()
		}
	}
	if b.md5 != nil && !bytes.Equal(b.md5.Sum(nil), b.wantMD5) {
		return s3err.WrongMD5()
	}
	if b.checksum != nil {
		if err := b.checksum.verify(); err != nil {
			return err
		}
	}
	b.tail = bytes.NewReader(rest)
	return nil
}

// ReadAll returns the whole of a document, verified.
func (b *Body) ReadAll() ([]byte, error) {
	data := make([]byte, b.length)
	if _, err := io.ReadFull(b, data); err != nil {
		return nil, err
	}
	if err := b.Verify(); err != nil {
		return nil, err
	}
	return data, nil
}

// passes says whether a header is passed on.
func passes(o *operation.Operation, header string) bool {
	for _, name := range o.Forward {
		if name == header {
			return true
		}
	}
	return false
}
