package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"

	"iamserver/generated/s3err"
	"iamserver/runtime/apierror"
	"iamserver/runtime/authz"
	"iamserver/runtime/operation"
	"iamserver/runtime/policy"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

// What a proxy says of the request that it asks about, and what it is told. The
// headers of the client stand beside those of the proxy as they came.
const (
	originalPrefix = "X-Original-"
	originalMethod = originalPrefix + "Method"         // GET
	originalURI    = originalPrefix + "Uri"            // path and query as they were sent
	originalHost   = originalPrefix + "Host"           // the Host header
	originalPeer   = originalPrefix + "Peer"           // the address of the client, without port
	originalScheme = originalPrefix + "Scheme"         // http or https
	originalLength = originalPrefix + "Content-Length" // at most once
	tokenHeader    = "X-Authorize-Token"

	answeredHash      = "X-Authorized-Content-Sha256"
	answeredPrincipal = "X-Authorized-Principal"
	answeredRequest   = "X-Authorize-Request-Id"
	answeredReason    = "X-Authorize-Reason"
)

// The reasons, beside the codes of S3's errors, why a proxy may not pass a request
// on that this server would serve itself.
const (
	needsBody    = "NeedsBody"    // the decision depends on the body, or has to verify it
	needsGateway = "NeedsGateway" // the store must be sent another request, or none, or the outcome matters here
)

// ErrNoStore is returned by ForwardAuth where Config.S3 has no Upstream.
var ErrNoStore = errors.New("server: forward-auth needs the store that the proxy passes requests on to, as S3.Upstream")

// ForwardAuth returns a handler that tells a proxy whether it may pass a request on
// to the store that is Config.S3.Upstream: 204, or 403. It is for a listener of its
// own that only the proxy reaches. Where token is not empty, each question must have
// it in X-Authorize-Token.
//
// A question has the client's headers and, each exactly once, X-Original-Method, -URI
// (path and query, raw), -Host, -Peer (an address without port) and -Scheme, with
// X-Original-Content-Length where the client sent one; else it is answered 400. The
// proxy must overwrite all of them, whatever the client sent. The body of a question
// is not read.
//
// A 204 has X-Authorized-Content-Sha256: what x-amz-content-sha256 the store has to
// hold the body against, and X-Authorized-Principal. A 403 has X-Authorize-Reason,
// for the proxy's log alone: the code of the error and its message. What cannot be
// decided without the body is NeedsBody. What this server answers itself, keeps in
// step with the store, or would not send to the store as the client wrote it, is
// NeedsGateway: a proxy can pass such requests on to Handler instead.
func (s *Server) ForwardAuth(token string) (http.Handler, error) {
	if s.objects == nil {
		return nil, ErrNoStore
	}
	f := &forwardAuth{store: s.objects}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		f.token = &sum
	}
	return f, nil
}

type forwardAuth struct {
	store *objectStore
	token *[sha256.Size]byte // the hash of the token; nil if none is asked for
}

// ServeHTTP implements http.Handler.
func (f *forwardAuth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := f.store.server
	if !f.knows(r) {
		s.metrics.requests.WithLabelValues(forwardAuthService, "", s3err.AccessDenied.Name).Inc()
		s.log.Debug("a question of forward-auth without the token")
		w.WriteHeader(http.StatusForbidden)
		return
	}
	c := &s3Call{store: f.store, start: s.config.Now(), id: s.requestID()}
	w.Header().Set(answeredRequest, c.id)
	var err error
	if c.request, err = original(r); err != nil {
		s.metrics.requests.WithLabelValues(forwardAuthService, "", s3err.InvalidRequest.Name).Inc()
		s.log.Error("a question of forward-auth cannot be read", "error", err, "request", c.id)
		w.Header().Set(answeredReason, printable(err.Error()))
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	err = c.ask(r.Context())
	c.finish(err)
	if err != nil {
		answer := s3.ErrorOf(err)
		w.Header().Set(answeredReason, printable(answer.Code.Name+": "+answer.Message))
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set(answeredHash, declared(c.payload))
	if c.principal.Type != authz.Anonymous {
		w.Header().Set(answeredPrincipal, printable(c.principal.ARN))
	}
	w.WriteHeader(http.StatusNoContent)
}

const forwardAuthService = "forward-auth"

// knows reports whether a question has the token.
func (f *forwardAuth) knows(r *http.Request) bool {
	if f.token == nil {
		return true
	}
	given := r.Header[tokenHeader]
	if len(given) != 1 {
		return false
	}
	sum := sha256.Sum256([]byte(given[0]))
	return subtle.ConstantTimeCompare(sum[:], f.token[:]) == 1
}

// original is the request that a question is about.
func original(r *http.Request) (*http.Request, error) {
	var said [5]string
	for i, name := range []string{originalMethod, originalURI, originalHost, originalPeer, originalScheme} {
		values := r.Header[name]
		if len(values) != 1 || values[0] == "" {
			return nil, errors.New("server: " + name + " must come exactly once")
		}
		said[i] = values[0]
	}
	method, uri, host, scheme := said[0], said[1], said[2], said[4]
	peer, err := netip.ParseAddr(said[3])
	if err != nil {
		return nil, errors.New("server: " + originalPeer + " must be an address")
	}
	length, err := originalBody(r.Header[originalLength])
	switch {
	case err != nil:
		return nil, err
	case uri[0] != '/':
		return nil, errors.New("server: " + originalURI + " must begin with a slash")
	case scheme != "http" && scheme != "https":
		return nil, errors.New("server: " + originalScheme + " must be http or https")
	}
	o := (&http.Request{
		Method: method, RequestURI: uri, Host: host, Header: r.Header.Clone(), Body: http.NoBody, ContentLength: length,
		RemoteAddr: net.JoinHostPort(peer.String(), "0"),
	}).WithContext(r.Context())
	if scheme == "https" {
		o.TLS = &tls.ConnectionState{}
	}
	for name := range o.Header {
		if strings.HasPrefix(name, originalPrefix) || name == tokenHeader || name == "Content-Length" {
			delete(o.Header, name)
		}
	}
	return o, nil
}

// originalBody is the length of the client's body; 0 where it named none.
func originalBody(values []string) (int64, error) {
	if len(values) == 0 {
		return 0, nil
	}
	length, err := strconv.ParseUint(values[0], 10, 62)
	if err != nil || len(values) > 1 {
		return 0, errors.New("server: " + originalLength + " must come at most once, and be a number")
	}
	return int64(length), nil
}

// ask decides the request as run does, but for what run does with the body and the
// store.
func (c *s3Call) ask(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError{p, debug.Stack()}
		}
	}()
	if c.store.isAPI(c.request) {
		return unforwarded(needsGateway, "The request is for IAM or STS.")
	}
	if err := c.authenticate(ctx); err != nil {
		return err
	}
	req := sigv4.RequestOf(c.request)
	if err := c.store.classifier.Classify(req, &c.req); err != nil {
		return err
	}
	if !readOnly(c.request.Method) && c.store.server.auditFails() {
		return s3err.AuditLogUnavailable()
	}
	if err := c.acceptable(); err != nil {
		return err
	}
	if err := c.forwardable(req); err != nil {
		return err
	}
	switch rules, err := c.rules(ctx); {
	case err != nil:
		return err
	case rules != nil && len(c.request.Header["Origin"]) > 0:
		return unforwarded(needsGateway, "The answer has to say which pages may see it.")
	}
	c.needs = c.req.AppendNeeds(c.needs[:0])
	if err := c.allowed(ctx, c.needs); err != nil {
		return err
	}
	if c.unlocked || c.untagged {
		return unforwarded(needsGateway, "What is allowed depends on a lock, or on tags, that there may be by now.")
	}
	return c.reveals(ctx)
}

// forwardable refuses what only a gateway can carry out.
func (c *s3Call) forwardable(req sigv4.Request) error {
	o := c.req.Operation
	switch {
	case o.Here:
		return unforwarded(needsGateway, "The store does not know of this.")
	case o.Name == "CreateBucket", o.Name == "DeleteBucket":
		return unforwarded(needsGateway, "What belongs to the bucket begins and ends with it.")
	case decides(o), o.Body == operation.Form:
		return unforwarded(needsBody, "The decision depends on the body.")
	case !c.req.Verbatim(req):
		return unforwarded(needsGateway, "The store must not be sent the client's own text.")
	}
	switch c.payload.Kind {
	case sigv4.SignedChunks, sigv4.SignedChunksTrailer:
		return unforwarded(needsBody, "Nobody else can verify the chunks of the body.")
	case sigv4.HashedPayload, sigv4.UnsignedPayload, sigv4.UnsignedChunksTrailer:
	}
	return nil
}

// reveals denies what would tell that an object is not there to somebody who may not
// list the bucket: nobody looks at the store's answer.
func (c *s3Call) reveals(ctx context.Context) error {
	sought := c.req.Sought()
	if !c.req.Operation.HidesMissing || sought.Key == "" {
		return nil
	}
	_, outcome, err := c.decide(ctx, &s3.Need{Action: "s3:ListBucket", Bucket: sought.Bucket})
	if err != nil || outcome.Decision == policy.Allowed {
		return err
	}
	exists, err := c.store.state.ObjectExists(ctx, sought.Bucket, sought.Key, sought.VersionID)
	if err != nil {
		return c.stateFailed(err)
	}
	if !exists {
		return c.hidden(ctx, s3err.ObjectNotFound())
	}
	return nil
}

func unforwarded(code, message string) error {
	return (&apierror.Code{Name: code, Status: http.StatusForbidden, Fault: apierror.Sender}).New(message)
}

// declared is the x-amz-content-sha256 that a payload was verified with.
func declared(p sigv4.Payload) string {
	switch p.Kind {
	case sigv4.HashedPayload:
		sum := p.Hash()
		return hex.EncodeToString(sum[:])
	case sigv4.UnsignedChunksTrailer:
		return "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	case sigv4.UnsignedPayload, sigv4.SignedChunks, sigv4.SignedChunksTrailer:
	}
	return "UNSIGNED-PAYLOAD"
}

// printable is text as a header can hold it, in one line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}
