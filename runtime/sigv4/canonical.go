package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"path"
	"strconv"
	"strings"
)

// writeStringToSign leaves the string to sign of a in s.buf.
func (s *scratch) writeStringToSign(a *Authorization, payload [sha256.Size]byte) error {
	buf, err := a.appendCanonicalRequest(s.buf[:0], payload)
	s.buf = buf
	if err != nil {
		return err
	}
	hash := sha256.Sum256(s.buf)
	s.buf = append(s.buf[:0], algorithm...)
	s.buf = append(s.buf, '\n')
	s.buf = append(s.buf, a.timestamp...)
	s.buf = append(s.buf, '\n')
	s.buf = append(s.buf, a.scope...)
	s.buf = append(s.buf, '\n')
	s.buf = hex.AppendEncode(s.buf, hash[:])
	return nil
}

// signedBy says whether signature is that of the string to sign in s.buf.
func (s *scratch) signedBy(key *signingKey, signature *[sha256.Size]byte) bool {
	n := len(s.buf)
	s.buf = key.appendMAC(s.buf)
	ok := subtle.ConstantTimeCompare(s.buf[n:], signature[:]) == 1
	s.buf = s.buf[:n]
	return ok
}

func (a *Authorization) appendCanonicalRequest(dst []byte, payload [sha256.Size]byte) ([]byte, error) {
	dst = append(dst, a.req.Method...)
	dst = append(dst, '\n')
	if a.profile.ObjectStore {
		var ok bool
		if dst, ok = appendPathOnce(dst, a.req.Path); !ok {
			return dst, mismatch()
		}
	} else {
		dst = appendCanonicalPath(dst, a.req.Path, a.profile.RawPath)
	}
	dst = append(dst, '\n')
	dst = append(dst, a.query...)
	dst = append(dst, '\n')
	for name := range strings.SplitSeq(a.SignedHeaders, ";") {
		var ok bool
		dst = append(dst, name...)
		dst = append(dst, ':')
		if dst, ok = a.req.appendHeader(dst, name); !ok {
			return dst, mismatch()
		}
		dst = append(dst, '\n')
	}
	dst = append(dst, '\n')
	dst = append(dst, a.SignedHeaders...)
	dst = append(dst, '\n')

	if a.profile.ObjectStore && a.payload.Kind != HashedPayload {
		return append(dst, a.payload.text...), nil
	}
	start := len(dst)
	dst = hex.AppendEncode(dst, payload[:])
	for _, declared := range a.declared {
		if declared != string(dst[start:]) {
			return dst, &Error{WrongPayloadHash, "The provided 'x-amz-content-sha256' header does not match what was computed."}
		}
	}
	return dst, nil
}

// appendCanonicalPath encodes each byte of p, the percent signs of its own
// encoding too: every service but S3 signs a path twice-encoded.
func appendCanonicalPath(dst []byte, p string, raw bool) []byte {
	if p == "" {
		p = "/"
	}
	if !raw && p[0] == '/' {
		clean := path.Clean(p)
		if p[len(p)-1] == '/' && clean != "/" {
			clean += "/"
		}
		p = clean
	}
	for i := range len(p) {
		if p[i] == '/' {
			dst = append(dst, '/')
			continue
		}
		dst = appendEncoded(dst, p[i])
	}
	return dst
}

// appendHeader appends the values of a signed header, joined with commas, and
// reports whether the request has it.
func (r *Request) appendHeader(dst []byte, name string) ([]byte, bool) {
	if name == "host" {
		return appendCollapsed(dst, r.Host), true
	}
	values := headerValues(r.Header, name)
	if len(values) == 0 {
		if name == "content-length" && r.ContentLength >= 0 {
			return strconv.AppendInt(dst, r.ContentLength, 10), true
		}
		return dst, false
	}
	for i, value := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCollapsed(dst, value)
	}
	return dst, true
}

// headerValues looks name up, a lower-case token, without allocating the
// canonical form of it.
func headerValues(h http.Header, name string) []string {
	var key [64]byte
	if len(name) > len(key) {
		return h[textproto.CanonicalMIMEHeaderKey(name)]
	}
	upper := true
	for i := range len(name) {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		key[i] = c
		upper = c == '-'
	}
	return h[string(key[:len(name)])]
}

// appendCollapsed appends value without white space around it, and with one
// space for each run of it inside, in quotes too.
func appendCollapsed(dst []byte, value string) []byte {
	start := len(dst)
	for i := 0; i < len(value); {
		word := i
		for i < len(value) && !isSpace(value[i]) {
			i++
		}
		if i > word && len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(dst, value[word:i]...)
		for i < len(value) && isSpace(value[i]) {
			i++
		}
	}
	return dst
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// appendEncoded percent-encodes c unless it is unreserved (RFC 3986).
func appendEncoded(dst []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	if unreserved[c] {
		return append(dst, c)
	}
	return append(dst, '%', digits[c>>4], digits[c&0xF])
}

// unreserved are the characters that RFC 3986 calls so (section 2.3).
var unreserved = func() (is [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
		is[c] = true
	}
	return is
}()
