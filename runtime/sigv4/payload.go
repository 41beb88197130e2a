package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// A PayloadKind is how the body of a request to an object store is protected.
type PayloadKind uint8

// The kinds, with the value of x-amz-content-sha256 that says so.
const (
	// HashedPayload: the signature covers the SHA-256 of the body, which is the
	// value in lower-case hexadecimal.
	HashedPayload PayloadKind = iota
	// UnsignedPayload: nothing covers it. UNSIGNED-PAYLOAD, and presigned requests
	// that say nothing.
	UnsignedPayload
	// SignedChunks: each chunk has a signature. STREAMING-AWS4-HMAC-SHA256-PAYLOAD.
	SignedChunks
	// SignedChunksTrailer: so has the trailer.
	// STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER.
	SignedChunksTrailer
	// UnsignedChunksTrailer: there are chunks and a trailer, and nothing covers
	// them. STREAMING-UNSIGNED-PAYLOAD-TRAILER.
	UnsignedChunksTrailer
)

const unsignedPayload = "UNSIGNED-PAYLOAD"

var payloadKinds = map[string]PayloadKind{
	unsignedPayload:                              UnsignedPayload,
	"STREAMING-AWS4-HMAC-SHA256-PAYLOAD":         SignedChunks,
	"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": SignedChunksTrailer,
	"STREAMING-UNSIGNED-PAYLOAD-TRAILER":         UnsignedChunksTrailer,
}

// Chunked says whether the body is in the coding aws-chunked.
func (k PayloadKind) Chunked() bool { return k >= SignedChunks }

// A Payload is what a request to an object store declares of its body. It is
// for whoever reads the body to find out whether that is true.
type Payload struct {
	Kind PayloadKind

	hash [sha256.Size]byte // of a HashedPayload
	text string            // as the signature covers it
}

// UnsignedRequestPayload is what a request that nobody signed declares of its
// body. Nothing vouches for it, but the body still is in the form it declares.
func UnsignedRequestPayload(h http.Header) (Payload, error) {
	values := h["X-Amz-Content-Sha256"]
	switch len(values) {
	case 0:
		return Payload{Kind: UnsignedPayload}, nil
	case 1:
		p, err := parsePayload(values[0])
		if err == nil && (p.Kind == SignedChunks || p.Kind == SignedChunksTrailer) {
			return Payload{}, missingAuthentication()
		}
		return p, err
	}
	return Payload{}, incomplete("Found more than one 'X-Amz-Content-Sha256'.")
}

// Hash returns the SHA-256 that the body of a HashedPayload must have.
func (p Payload) Hash() [sha256.Size]byte { return p.hash }

func parsePayload(text string) (Payload, error) {
	if kind, ok := payloadKinds[text]; ok {
		return Payload{Kind: kind, text: text}, nil
	}
	p := Payload{Kind: HashedPayload, text: text}
	if !decodeHash(&p.hash, text) {
		return Payload{}, &Error{WrongPayloadHash, "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid sha256 value, not '" + clip(text) + "'."}
	}
	return p, nil
}

// Payload returns what a request to an object store declares of its body.
func (a *Authorization) Payload() Payload { return a.payload }

// setPayload takes the one declaration of the body that a request to an object
// store has. A presigned request needs none: it is for whatever body comes.
func (a *Authorization) setPayload() error {
	switch {
	case len(a.declared) > 1:
		return incomplete("Found more than one 'X-Amz-Content-Sha256'.")
	case len(a.declared) == 1:
		var err error
		a.payload, err = parsePayload(a.declared[0])
		return err
	case a.Presigned:
		a.payload = Payload{Kind: UnsignedPayload, text: unsignedPayload}
		return nil
	}
	return &Error{MissingPayloadHash, "Missing required header for this request: x-amz-content-sha256"}
}

// VerifyHeaders checks the signature of a request to an object store, of which
// the body has not been read. What the request declares of its body is taken for
// true, and has to be held against the body. Errors are those of Verify.
func (v *Verifier[P]) VerifyHeaders(ctx context.Context, a *Authorization) (Identity[P], error) {
	if !a.profile.ObjectStore {
		return Identity[P]{}, &Error{WrongPayloadHash, "The payload must be signed."}
	}
	return v.Verify(ctx, a, a.payload.hash)
}

// appendPathOnce appends the path of a request to an object store: decoded, so
// that every way to write a key has the same form, and encoded once.
func appendPathOnce(dst []byte, path string) ([]byte, bool) {
	if path == "" {
		path = "/"
	}
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			if i+2 >= len(path) {
				return dst, false
			}
			high, low := unhex(path[i+1]), unhex(path[i+2])
			if high|low > 0xF {
				return dst, false
			}
			c = high<<4 | low
			i += 2
		}
		if c == '/' {
			dst = append(dst, c)
			continue
		}
		dst = appendEncoded(dst, c)
	}
	return dst, true
}

// A ChunkKey signs the chunks of one request.
type ChunkKey struct {
	key      *signingKey
	date     string
	scope    string
	previous [sha256.Size]byte // the signature before: of the request, then of each chunk
}

// ChunkKey returns what the chunks of the body are signed with.
func (id *Identity[P]) ChunkKey() *ChunkKey {
	return &ChunkKey{key: id.signingKey, date: id.timestamp, scope: id.scope, previous: id.signature}
}

// emptyHash is the SHA-256 of nothing: the string to sign of a chunk has it
// where that of a request has headers.
var emptyHash = hex.EncodeToString(sha256.New().Sum(nil))

// Chunk checks the signature of the next chunk, in hexadecimal, over the SHA-256
// of its data. Chunks are checked in their order; the last one is empty.
func (k *ChunkKey) Chunk(signature string, data [sha256.Size]byte) error {
	return k.check("-PAYLOAD", signature, emptyHash+"\n", data)
}

// Trailer checks the signature of the trailer, which follows the last chunk,
// over the SHA-256 of its lines.
func (k *ChunkKey) Trailer(signature string, lines [sha256.Size]byte) error {
	return k.check("-TRAILER", signature, "", lines)
}

func (k *ChunkKey) check(kind, signature, headers string, hash [sha256.Size]byte) error {
	var claimed [sha256.Size]byte
	if !decodeHash(&claimed, signature) {
		return mismatch()
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	s.buf = append(s.buf[:0], algorithm...)
	for _, part := range [...]string{kind, "\n", k.date, "\n", k.scope, "\n"} {
		s.buf = append(s.buf, part...)
	}
	s.buf = append(hex.AppendEncode(s.buf, k.previous[:]), '\n')
	s.buf = append(s.buf, headers...)
	s.buf = hex.AppendEncode(s.buf, hash[:])
	if !s.signedBy(k.key, &claimed) {
		return mismatch()
	}
	k.previous = claimed
	return nil
}
