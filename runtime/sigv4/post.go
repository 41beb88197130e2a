package sigv4

import (
	"context"
	"fmt"
	"time"
)

// A Post is what the form of a browser says about its signature, field by field.
// The signature covers the policy and nothing else: what the policy says of the
// other fields is for the caller to hold them against.
type Post struct {
	Algorithm    string // x-amz-algorithm
	Credential   string // x-amz-credential
	Date         string // x-amz-date
	Signature    string // x-amz-signature
	SessionToken string // x-amz-security-token
	Policy       string // policy, in base64 as it was sent
}

// VerifyPost checks the signature of a form. It is good for MaxPresign of the
// service; the policy itself says how long it is good for. Errors are those of
// Parse and Verify.
func (v *Verifier[P]) VerifyPost(ctx context.Context, p Post) (Identity[P], error) {
	now := v.now()
	a, err := v.cfg.parsePost(p, now)
	if err != nil {
		return Identity[P]{}, err
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	s.buf = append(s.buf[:0], p.Policy...)
	return v.identify(ctx, a, s)
}

func (c *Config) parsePost(p Post, now time.Time) (*Authorization, error) {
	if p.Policy == "" || p.Signature == "" || p.Credential == "" {
		return nil, missingAuthentication()
	}
	if p.Algorithm != algorithm {
		return nil, incomplete("Unsupported AWS 'algorithm': '%s' (only %s for now). ", clip(p.Algorithm), algorithm)
	}
	a := &Authorization{sessionToken: p.SessionToken}
	if err := a.setDate(p.Date); err != nil {
		return nil, err
	}
	if err := a.setCredential(p.Credential, c); err != nil {
		return nil, err
	}
	if !a.profile.ObjectStore {
		return nil, missingAuthentication()
	}
	switch {
	case a.Date.After(now.Add(c.Skew)):
		return nil, &Error{Skewed, fmt.Sprintf("Signature not yet current: %s is still later than %s", a.timestamp, now.UTC().Format(isoBasic))}
	case now.After(a.Date.Add(a.profile.MaxPresign)):
		return nil, &Error{RequestExpired, "Request has expired."}
	}
	if !decodeHash(&a.signature, p.Signature) {
		return nil, mismatch()
	}
	return a, nil
}
