// Package sigv4 verifies AWS Signature Version 4, in the Authorization header
// or in a presigned query. It finds out who signed a request, not what they may
// do; see package authz for that.
//
// A request is verified in two steps, so that the caller knows the service, and
// with it the limits that apply, before it reads the body:
//
//	auth, err := verifier.Parse(sigv4.RequestOf(r))
//	…
//	identity, err := verifier.Verify(ctx, auth, sha256.Sum256(body))
//
// The law is AWS's: IAM user guide, "AWS Signature Version 4 for API requests".
package sigv4

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"

	// Requests of an unknown access key are checked against this secret, so that
	// they cost what those of a known one do. That it is public opens nothing:
	// they are refused whatever they are signed with.
	dummySecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

const (
	defaultSkew       = 15 * time.Minute
	defaultMaxPresign = 15 * time.Minute
)

// ErrUnknownKey is what a KeySource returns for an access key that is unknown,
// inactive, or of a disabled owner, and for a session token that does not
// belong to it: a caller must not be able to tell these apart.
var ErrUnknownKey = errors.New("sigv4: unknown access key")

// A KeySource finds access keys. P is the caller's own type of principal.
type KeySource[P any] interface {
	// Key returns the key of that access key ID. sessionToken is the
	// X-Amz-Security-Token of the request, empty if it has none; the KeySource
	// refuses a temporary key without its token, and a long-term key with one.
	// The error is, or wraps, ErrUnknownKey where the request must be refused;
	// any other is a failure of the server. Neither string may be kept without
	// cloning: they are parts of the request's headers.
	Key(ctx context.Context, accessKeyID, sessionToken string) (Key[P], error)
}

// A Key is what a request was, or was not, signed with.
type Key[P any] struct {
	// Secret is the secret access key. An empty one never verifies.
	Secret string
	// Principal is handed back in the Identity.
	Principal P
	// Expires is the end of temporary credentials; zero means never.
	Expires time.Time
}

// A Profile is how one service has its requests signed.
type Profile struct {
	// Service is the name in the credential scope: iam, sts. It must match exactly.
	Service string
	// MaxPresign is the longest X-Amz-Expires of a presigned request; zero means
	// 15 minutes.
	MaxPresign time.Duration
	// RawPath signs the path as it was sent. Otherwise dot segments and repeated
	// slashes are removed first, as AWS does for every service but S3.
	RawPath bool
	// UnsignedToken accepts a session token that the signature does not cover,
	// as clients of AWS IoT send it. IAM and STS do not.
	UnsignedToken bool
	// ObjectStore is how S3 has requests signed: the path as it decodes, encoded
	// once, and the body unsigned or chunk by chunk if the client likes. Such
	// requests are for VerifyHeaders; Verify takes those with a payload hash.
	ObjectStore bool
}

// Config is what a Verifier accepts. The zero Config accepts nothing.
type Config struct {
	// Profiles are the services. Where a credential is scoped to none of them,
	// the error names the first.
	Profiles []Profile
	// Regions are the names accepted in the credential scope. None means any,
	// an empty one too.
	Regions []string
	// Skew is how far the date of a request may be from the clock, either way;
	// zero means 15 minutes.
	Skew time.Duration
}

// A Verifier verifies requests. It is safe for concurrent use.
type Verifier[P any] struct {
	keys  KeySource[P]
	now   func() time.Time
	cfg   Config
	cache *keyCache
}

// New returns a Verifier of requests signed with keys, on the clock now.
func New[P any](keys KeySource[P], now func() time.Time, cfg Config) *Verifier[P] {
	if cfg.Skew == 0 {
		cfg.Skew = defaultSkew
	}
	profiles := make([]Profile, len(cfg.Profiles))
	for i, p := range cfg.Profiles {
		if p.MaxPresign == 0 {
			p.MaxPresign = defaultMaxPresign
		}
		profiles[i] = p
	}
	cfg.Profiles = profiles
	return &Verifier[P]{keys: keys, now: now, cfg: cfg, cache: newKeyCache(cacheSize)}
}

// An Identity is who signed a request, and how.
type Identity[P any] struct {
	// Authorization is what was verified.
	*Authorization
	// Principal is that of the Key.
	Principal P

	// The chunks of an aws-chunked body are signed with this key, the first of
	// them over the signature of the request, which Authorization has.
	signingKey *signingKey
}

// Parse reads who claims to have signed req, and refuses it where that can be
// told without the secret and the body: the form of the signature, the
// credential scope, the dates, headers that must be signed, and a declared
// payload hash that is none. An error is always an *Error.
func (v *Verifier[P]) Parse(req Request) (*Authorization, error) {
	a := new(Authorization)
	if err := v.ParseInto(a, req); err != nil {
		return nil, err
	}
	return a, nil
}

// ParseInto is Parse into memory of the caller's, where nothing of what it held
// stays. After an error it is of no use.
func (v *Verifier[P]) ParseInto(a *Authorization, req Request) error {
	return v.cfg.parse(a, req, v.now())
}

// Verify checks the signature of a request that Parse has read. payload is the
// SHA-256 of the body as it was received: the hash that the request declares
// must equal it, and never stands in for it. An error is an *Error where the
// request is refused; any other is a failure of the KeySource.
func (v *Verifier[P]) Verify(ctx context.Context, a *Authorization, payload [sha256.Size]byte) (Identity[P], error) {
	s := scratches.Get().(*scratch)
	defer s.release()
	if err := s.writeStringToSign(a, payload); err != nil {
		return Identity[P]{}, err
	}
	return v.identify(ctx, a, s)
}

// identify finds the key that a names, and checks the signature of the string to
// sign in s with it.
func (v *Verifier[P]) identify(ctx context.Context, a *Authorization, s *scratch) (Identity[P], error) {
	key, err := v.keys.Key(ctx, a.AccessKeyID, a.sessionToken)
	known := err == nil && key.Secret != ""
	switch {
	case known:
	case err == nil || errors.Is(err, ErrUnknownKey):
		key.Secret = dummySecret
	default:
		return Identity[P]{}, fmt.Errorf("look up access key %q: %w", clip(a.AccessKeyID), err)
	}
	now := v.now()
	signingKey, ok := v.signedWith(a, s, key.Secret, known, now)
	switch {
	case !known:
		return Identity[P]{}, NewUnknownKeyError()
	case !ok:
		return Identity[P]{}, mismatch()
	case !key.Expires.IsZero() && !now.Before(key.Expires):
		return Identity[P]{}, &Error{ExpiredToken, "The security token included in the request is expired"}
	}
	return Identity[P]{Authorization: a, Principal: key.Principal, signingKey: signingKey}, nil
}

// signedWith says whether the string to sign in s was signed with secret.
//
// A failure derives a signing key exactly once, whether one was cached or not
// and whether the access key is known or not, so that its duration does not
// tell which keys exist and which are in use. Only a signature that verified
// puts a key in the cache: nobody else chooses regions to fill it with.
func (v *Verifier[P]) signedWith(a *Authorization, s *scratch, secret string, known bool, now time.Time) (*signingKey, bool) {
	id := cacheKey{a.AccessKeyID, a.timestamp[:dateLength], a.Region, a.Service}
	key, young := v.cache.get(id, secret)
	cached := key != nil
	if !cached {
		key = deriveKey(secret, id)
	}
	ok := s.signedBy(key, &a.signature)
	switch {
	case cached && !ok:
		deriveKey(secret, id)
	case ok && known && !young:
		v.cache.put(id, secret, key, now)
	}
	return key, ok
}

// scratch is the memory in which one request is verified.
type scratch struct {
	buf    []byte
	params params
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// One large request must not keep its memory for ever.
const maxKept = 64 << 10

func (s *scratch) release() {
	if cap(s.buf)+cap(s.params.text) <= maxKept {
		scratches.Put(s)
	}
}
