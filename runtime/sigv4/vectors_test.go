package sigv4

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The suite of awslabs/aws-c-auth: each request unsigned, and signed in either way.
type vector struct {
	Name    string
	Context struct {
		Credentials struct {
			AccessKeyID     string `json:"access_key_id"`
			SecretAccessKey string `json:"secret_access_key"`
			Token           string
		}
		Expiration       int `json:"expiration_in_seconds"`
		Normalize        bool
		Service          string
		Timestamp        time.Time
		OmitSessionToken bool `json:"omit_session_token"`
	}
	Header, Query signedVector
}

type signedVector struct {
	CanonicalRequest string `json:"canonical_request"`
	StringToSign     string `json:"string_to_sign"`
	SignedHeaders    string `json:"signed_headers"`
	Signature        string
	SignedRequest    struct {
		Method, Target string
		Headers        [][2]string
		Body           string
	} `json:"signed_request"`
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the test")
		dir = parent
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", "testdata", "sigv4-suite.json"))
	if os.IsNotExist(err) && os.Getenv("IAMSERVER_REQUIRE_SHARED") != "1" {
		t.Skip("the SigV4 suite, shared/testdata/sigv4-suite.json beside the repository, is absent")
	}
	require.NoError(t, err)
	var suite struct{ Cases []vector }
	require.NoError(t, json.Unmarshal(data, &suite))
	require.Len(t, suite.Cases, 38)
	return suite.Cases
}

// forms calls f with each vector in both forms, as subtests.
func forms(t *testing.T, f func(t *testing.T, v *vector, form *signedVector)) {
	t.Helper()
	for _, v := range readVectors(t) {
		t.Run(v.Name+"/header", func(t *testing.T) { f(t, &v, &v.Header) })
		t.Run(v.Name+"/query", func(t *testing.T) { f(t, &v, &v.Query) })
	}
}

// request builds the request directly: targets with raw spaces do not pass net/http.
func (s *signedVector) request() Request {
	r := s.SignedRequest
	target, query, _ := strings.Cut(r.Target, "?")
	req := Request{Method: r.Method, Path: target, Query: query, Header: http.Header{}, ContentLength: int64(len(r.Body))}
	for _, h := range r.Headers {
		if h[0] == "Host" {
			req.Host = h[1]
			continue
		}
		req.Header.Add(h[0], h[1])
	}
	return req
}

func (s *signedVector) payload() [sha256.Size]byte {
	return sha256.Sum256([]byte(s.SignedRequest.Body))
}

func (v *vector) verifier() *Verifier[string] {
	c := v.Context
	keys := oneKey{id: c.Credentials.AccessKeyID, token: c.Credentials.Token, key: Key[string]{Secret: c.Credentials.SecretAccessKey, Principal: "signer"}}
	return New(keys, func() time.Time { return c.Timestamp }, Config{Profiles: []Profile{{
		Service:       c.Service,
		MaxPresign:    time.Duration(c.Expiration) * time.Second,
		RawPath:       !c.Normalize,
		UnsignedToken: c.OmitSessionToken,
	}}})
}

// oneKey is a KeySource of a single access key.
type oneKey struct {
	id, token string
	key       Key[string]
}

func (s oneKey) Key(_ context.Context, accessKeyID, sessionToken string) (Key[string], error) {
	if accessKeyID != s.id || sessionToken != s.token {
		return Key[string]{}, fmt.Errorf("key %s: %w", accessKeyID, ErrUnknownKey)
	}
	return s.key, nil
}

func verify(v *Verifier[string], req Request, payload [sha256.Size]byte) (*Identity[string], error) {
	auth, err := v.Parse(req)
	if err != nil {
		return nil, err
	}
	identity, err := v.Verify(context.Background(), auth, payload)
	if err != nil {
		return nil, err
	}
	return &identity, nil
}

func TestEveryVectorIsCanonicalizedAndVerified(t *testing.T) {
	forms(t, func(t *testing.T, v *vector, form *signedVector) {
		verifier := v.verifier()
		auth, err := verifier.Parse(form.request())
		require.NoError(t, err)

		canonical, err := auth.appendCanonicalRequest(nil, form.payload())
		require.NoError(t, err)
		require.Equal(t, form.CanonicalRequest, string(canonical))

		var s scratch
		require.NoError(t, s.writeStringToSign(auth, form.payload()))
		require.Equal(t, form.StringToSign, string(s.buf))
		require.Equal(t, form.Signature, hex.EncodeToString(auth.signature[:]))

		identity, err := verifier.Verify(t.Context(), auth, form.payload())
		require.NoError(t, err)
		presigned := form == &v.Query
		expires := time.Duration(0)
		if presigned {
			expires = time.Duration(v.Context.Expiration) * time.Second
		}
		require.Equal(t, "signer", identity.Principal)
		require.Equal(t, Authorization{
			AccessKeyID:   "AKIDEXAMPLE",
			Date:          v.Context.Timestamp,
			Region:        "us-east-1",
			Service:       "service",
			SignedHeaders: form.SignedHeaders,
			Presigned:     presigned,
			Expires:       expires,
		}, public(identity.Authorization))

		mac := hmac.New(sha256.New, identity.signingKey.key[:])
		mac.Write([]byte(form.StringToSign))
		require.Equal(t, form.Signature, hex.EncodeToString(mac.Sum(nil)))
	})
}

// public is a without its unexported fields.
func public(a *Authorization) Authorization {
	return Authorization{
		AccessKeyID: a.AccessKeyID, Date: a.Date, Region: a.Region, Service: a.Service,
		SignedHeaders: a.SignedHeaders, Presigned: a.Presigned, Expires: a.Expires,
	}
}

func TestEveryVectorThatHTTPCarriesIsVerifiedFromTheWire(t *testing.T) {
	forms(t, func(t *testing.T, v *vector, form *signedVector) {
		var wire strings.Builder
		fmt.Fprintf(&wire, "%s %s HTTP/1.1\r\n", form.SignedRequest.Method, form.SignedRequest.Target)
		for _, h := range form.SignedRequest.Headers {
			fmt.Fprintf(&wire, "%s: %s\r\n", h[0], strings.ReplaceAll(h[1], "\n", "\r\n"))
		}
		fmt.Fprintf(&wire, "\r\n%s", form.SignedRequest.Body)
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String())))
		if strings.HasPrefix(v.Name, "get-space-") {
			require.Error(t, err, "a raw space in the target")
			return
		}
		require.NoError(t, err)
		identity, err := verify(v.verifier(), RequestOf(r), form.payload())
		require.NoError(t, err)
		require.Equal(t, "signer", identity.Principal)
	})
}

func TestAnUnsignedTokenIsRefusedUnlessTheProfileSaysOtherwise(t *testing.T) {
	for _, v := range readVectors(t) {
		if v.Name != "post-sts-header-after" {
			continue
		}
		v.Context.OmitSessionToken = false
		_, err := verify(v.verifier(), v.Header.request(), v.Header.payload())
		require.Equal(t, &Error{HeaderNotSigned, "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization."}, err)
		_, err = verify(v.verifier(), v.Query.request(), v.Query.payload())
		require.Equal(t, mismatch(), err)
		return
	}
	t.Fatal("no vector post-sts-header-after")
}

func TestAnyChangedByteOfAVectorIsRefused(t *testing.T) {
	forms(t, func(t *testing.T, v *vector, form *signedVector) {
		refusesChanges(t, v.verifier(), form.request(), []byte(form.SignedRequest.Body))
	})
}

// refusesChanges changes, one at a time, every byte of the method, the path,
// the query, the host, the headers and the body of a request that v accepts,
// and drops every header. Where the change is only another way to write the
// same path or parameters, it must be accepted.
func refusesChanges(t *testing.T, v *Verifier[string], req Request, body []byte) {
	t.Helper()
	_, err := verify(v, req, sha256.Sum256(body))
	require.NoError(t, err)

	changes := 0
	try := func(what string, same bool, changed Request, body []byte) {
		changes++
		identity, err := verify(v, changed, sha256.Sum256(body))
		if same {
			require.NoError(t, err, what)
			return
		}
		require.Error(t, err, what)
		require.Nil(t, identity, what)
		require.ErrorAs(t, err, new(*Error), what)
	}
	each := func(what, s string, f func(what, changed string)) {
		for i := range len(s) {
			for _, c := range []byte{s[i] ^ 0x20, s[i] ^ 0x01, 'x', 'y'} {
				if c != s[i] {
					f(fmt.Sprintf("%s: byte %d of %q becomes %q", what, i, s, c), s[:i]+string([]byte{c})+s[i+1:])
				}
			}
		}
	}
	normalize := !v.cfg.Profiles[0].RawPath

	each("method", req.Method, func(what, changed string) {
		c := req
		c.Method = changed
		try(what, false, c, body)
	})
	each("path", req.Path, func(what, changed string) {
		c := req
		c.Path = changed
		try(what, normalize && changed[0] == '/' && cleaned(changed) == cleaned(req.Path), c, body)
	})
	each("query", req.Query, func(what, changed string) {
		c := req
		c.Query = changed
		try(what, sameQuery(changed, req.Query), c, body)
	})
	each("host", req.Host, func(what, changed string) {
		c := req
		c.Host = changed
		try(what, false, c, body)
	})
	for name, values := range req.Header {
		for i, value := range values {
			each(name, value, func(what, changed string) {
				c := req
				c.Header = req.Header.Clone()
				c.Header[name][i] = changed
				try(what, false, c, body)
			})
		}
		c := req
		c.Header = req.Header.Clone()
		c.Header.Del(name)
		// A Content-Length that net/http drops is that of the body.
		try("without "+name, name == "Content-Length", c, body)
		c.Header = req.Header.Clone()
		c.Header.Add(name, values[0])
		try("twice "+name, false, c, body)
	}
	each("body", string(body), func(what, changed string) { try(what, false, req, []byte(changed)) })
	try("a longer body", false, req, append(body[:len(body):len(body)], 'x'))
	c := req
	c.Query += "&a=b"
	try("another parameter", false, c, body)
	require.Greater(t, changes, 100)
}

// cleaned is the path without dot segments and repeated slashes.
func cleaned(p string) string {
	if c := path.Clean(p); c == "/" || !strings.HasSuffix(p, "/") {
		return c
	}
	return path.Clean(p) + "/"
}

// sameQuery says whether two queries mean the same, by net/url.
func sameQuery(a, b string) bool {
	x, errX := url.ParseQuery(a)
	y, errY := url.ParseQuery(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}
