package record

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"iamserver/conformance"
	"iamserver/conformance/replay"
)

// A Signer signs what clients send anew for the endpoint, so that they need to
// know neither its credentials nor its name. It verifies nothing: whoever
// reaches the proxy acts with these credentials.
//
// A request that is signed with an access key which the endpoint made since is
// signed with that key again: the proxy has seen its secret in the answer. All
// others are signed with Credentials, whatever signed them, for the region and
// the service that the client chose. What is not signed stays so.
type Signer struct {
	Credentials replay.Credentials
	Now         func() time.Time

	mu   sync.Mutex
	made map[string]replay.Credentials // guarded by mu; by access key id
}

// scope is the credential of a signature: id, date, region and service.
var scope = regexp.MustCompile(`Credential=([^/,]+)/[0-9]{8}/([^/,]*)/([^/,]+)/aws4_request`)

// errPresigned is what a presigned request is answered: its client may hand it
// to anyone, so that there is nothing to sign anew.
var errPresigned = errors.New("a presigned request cannot be signed anew")

// roundTrip signs a request as it goes out.
func (s *Signer) roundTrip(r *http.Request) (*http.Response, error) {
	signed := r.Clone(r.Context())
	if err := s.sign(r.Context(), signed); err != nil {
		return nil, fmt.Errorf("sign anew: %w", err)
	}
	return http.DefaultTransport.RoundTrip(signed)
}

func (s *Signer) sign(ctx context.Context, r *http.Request) error {
	if r.URL.Query().Has("X-Amz-Signature") {
		return errPresigned
	}
	m := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	hash := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case strings.HasPrefix(hash, "STREAMING-AWS4-"):
		return errors.New("each chunk of the body is signed")
	case hash == "":
		sum := sha256.Sum256(body)
		hash = hex.EncodeToString(sum[:])
	}
	c := s.credentials(m[1])
	for _, old := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		r.Header.Del(old)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = m[3] == serviceS3 })
	credentials := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
	return signer.SignHTTP(ctx, credentials, r, hash, m[3], m[2], s.Now())
}

// credentials are those that take the place of an access key.
func (s *Signer) credentials(id string) replay.Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.made[id]; ok {
		return c
	}
	return s.Credentials
}

// learn takes note of the access keys that an answer has with their secrets.
func (s *Signer) learn(answer []byte) {
	root, err := conformance.ParseAnswer(answer)
	if err != nil {
		return // not every answer is XML
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.learnFrom(root)
}

// learnFrom is for learn, which holds mu.
func (s *Signer) learnFrom(e *conformance.Element) {
	text := func(name string) string {
		if c := e.Child(name); c != nil {
			return c.Text.String()
		}
		return ""
	}
	if id, secret := text("AccessKeyId"), text("SecretAccessKey"); id != "" && secret != "" {
		if s.made == nil {
			s.made = map[string]replay.Credentials{}
		}
		s.made[id] = replay.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: text("SessionToken")}
	}
	for _, c := range e.Children {
		s.learnFrom(c)
	}
}
