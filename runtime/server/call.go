package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/action"
	"iamserver/runtime/apierror"
	"iamserver/runtime/authz"
	"iamserver/runtime/awsquery"
	"iamserver/runtime/awsxml"
	"iamserver/runtime/iam"
	"iamserver/runtime/sigv4"
	"iamserver/runtime/storage"
	"iamserver/runtime/validate"
)

// maxBody is the longest request body: 1 MiB. The largest parameter is a policy
// document of 131,072 characters.
const maxBody = 1 << 20

// A call is one request on its way through the pipeline. What a step learns
// stands here for those after it, and for the audit log.
type call struct {
	server  *Server
	request *http.Request
	id      string
	start   time.Time

	source netip.Addr // where the request came from
	secure bool       // whether it came over TLS

	auth      *sigv4.Authorization // nil until the request is known to be signed
	principal *authz.Principal     // nil until the signature has been verified
	cred      *credential
	service   *service // IAM until the credential scope is known
	row       *row     // nil until the action is known
	input     action.Request
	prepared  iam.Preparation
	resources []authz.Resource
	question  authz.Request
	outcome   authz.Outcome
	denial    *authz.Outcome // nil unless denied
	hooked    *authz.Outcome // of what was allowed
	response  action.Response

	// What the steps need room for: here, so that it is allocated once for many
	// requests.
	authorization sigv4.Authorization
	body          bytes.Buffer
	large         bool // the body has one of the places of large ones
	xml           *awsxml.Writer
	form          awsquery.Form
	decoder       awsquery.Decoder
	violations    validate.Violations
	named         [2]action.Resource
	keys          requestKeys
	answering     func(storage.Reader) error // answerFrom
}

var calls = sync.Pool{New: func() any {
	c := &call{xml: awsxml.NewWriter(nil)}
	c.answering = c.answerFrom
	return c
}}

// maxKept bounds the memory that a call keeps for the next one.
const maxKept = 64 << 10

func (s *Server) newCall(r *http.Request) *call {
	c := calls.Get().(*call) // the pool holds nothing else
	c.server, c.request, c.start = s, r, s.config.Now()
	c.service = s.services[iamapi.Service.Name]
	c.id = s.requestID()
	return c
}

func (c *call) release() {
	if c.large {
		<-c.server.large
	}
	if c.body.Cap() > maxKept || cap(c.xml.Bytes()) > maxKept {
		return
	}
	c.body.Reset()
	c.xml.Reset()
	c.violations.Reset()
	clear(c.resources)
	*c = call{body: c.body, xml: c.xml, violations: c.violations, resources: c.resources[:0], answering: c.answering}
	calls.Put(c)
}

// requestID returns a random UUID (RFC 9562, version 4), as AWS's are.
func (s *Server) requestID() string {
	var id [16]byte
	if _, err := io.ReadFull(s.config.Rand, id[:]); err != nil {
		s.log.Error("no randomness for a request id", "error", err)
	}
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[:], id[:4])
	hex.Encode(text[9:], id[4:6])
	hex.Encode(text[14:], id[6:8])
	hex.Encode(text[19:], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.newCall(r)
	defer c.release()
	defer c.abort()
	status, err := c.run(r.Context(), w)
	if err != nil {
		status = c.encodeError(err)
	}
	c.audit(err)
	c.respond(w, status)
	c.observe(err)
}

// run carries the request out and leaves the response in c.xml. A panic is an
// error like any other that nobody expected.
func (c *call) run(ctx context.Context, w http.ResponseWriter) (status int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError{p, debug.Stack()}
		}
	}()
	if err := c.authenticate(ctx, w); err != nil {
		return 0, err
	}
	if err := c.dispatch(); err != nil {
		return 0, err
	}
	response, err := c.execute(ctx)
	if err != nil {
		return 0, err
	}
	c.xml.Response(c.row.Name, c.service.Namespace, c.id, c.row.HasResult, response.EncodeXML)
	return http.StatusOK, nil
}

// authenticate finds out who signed the request. It reads the body, but only
// for who claims in the right form to have signed it.
func (c *call) authenticate(ctx context.Context, w http.ResponseWriter) error {
	if err := c.acceptable(); err != nil {
		return err
	}
	if err := c.server.verifier.ParseInto(&c.authorization, sigv4.RequestOf(c.request)); err != nil {
		return signatureError(err)
	}
	c.auth = &c.authorization
	c.service = c.server.services[c.auth.Service]
	if err := c.readBody(ctx, w); err != nil {
		return err
	}
	identity, err := c.server.verifier.Verify(ctx, c.auth, sha256.Sum256(c.body.Bytes()))
	if err != nil {
		return signatureError(err)
	}
	c.cred = identity.Principal
	c.principal = c.cred.principal
	c.server.used.record(c.principal, c.service.Name, c.auth.Region, c.start)
	return nil
}

// acceptable refuses what is no request of a query API.
func (c *call) acceptable() error {
	r := c.request
	var err error
	if c.source, c.secure, err = c.server.locate(r); err != nil {
		return iamerr.ForwardedForNotValid()
	}
	switch {
	case r.URL.Path != "/" && r.URL.Path != "":
		return iamerr.PathNotServed()
	case r.Method != http.MethodPost && r.Method != http.MethodGet:
		return iamerr.MethodNotServed()
	case r.ContentLength > maxBody:
		return iamerr.BodyTooLarge(strconv.Itoa(maxBody))
	}
	return nil
}

// Whoever claims to be signed can make the server read a body, and keep it while
// the rest comes slowly. So only this many larger than maxKept are read at a
// time; others wait, and no more than maxWait.
const (
	largeBodies = 64
	maxWait     = 10 * time.Second
)

func (c *call) readBody(ctx context.Context, w http.ResponseWriter) error {
	length := c.request.ContentLength
	if c.request.Method == http.MethodGet && length == 0 {
		return nil
	}
	if length < 0 || length > maxKept {
		if err := c.awaitPlace(ctx); err != nil {
			return err
		}
	}
	body := c.request.Body
	if length < 0 { // otherwise net/http ends it there, and acceptable has seen that it is not too long
		body = http.MaxBytesReader(w, body, maxBody)
	}
	if _, err := c.body.ReadFrom(body); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return iamerr.BodyTooLarge(strconv.Itoa(maxBody))
		}
		return iamerr.BodyIncomplete()
	}
	return nil
}

func (c *call) awaitPlace(ctx context.Context) error {
	if !c.server.place(ctx) {
		return iamerr.TookTooLong()
	}
	c.large = true
	return nil
}

// place waits for one of the places of large bodies, and reports whether it got it.
func (s *Server) place(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	select {
	case s.large <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// dispatch finds the action and reads its parameters, which come from the body
// of a POST and from the query of a GET, never from both: no two readers of a
// request may see different ones.
func (c *call) dispatch() error {
	text, err := c.parameters()
	if err != nil {
		return err
	}
	if err := c.form.Read(text, awsquery.Limits{}); err != nil {
		return err
	}
	if err := c.lookup(&c.form); err != nil {
		return err
	}
	c.violations.OmitValues = c.service.OmitValues
	c.decoder = *awsquery.NewDecoder(&c.form, &c.violations)
	c.input = c.row.parse(&c.decoder)
	c.input.Validate(&c.violations)
	return c.violations.Err()
}

func (c *call) parameters() (string, error) {
	query := sigv4.RequestOf(c.request).Query
	if c.auth.Presigned {
		query = unsigned(query)
	}
	switch {
	case c.request.Method == http.MethodGet && c.body.Len() > 0:
		return "", iamerr.ParametersInBody()
	case c.request.Method == http.MethodGet:
		return query, nil
	case query != "":
		return "", iamerr.ParametersInQuery()
	}
	if t := c.request.Header.Get("Content-Type"); t != "" {
		media, _, _ := strings.Cut(t, ";")
		if !strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded") {
			return "", iamerr.ContentTypeNotServed()
		}
	}
	return c.body.String(), nil
}

// unsigned returns the query of a presigned request without what signing put
// there: the signature, and headers that the client signed as parameters.
func unsigned(query string) string {
	if !strings.Contains(query, "X-Amz-") {
		return query
	}
	var rest []string
	for part := range strings.SplitSeq(query, "&") {
		if !strings.HasPrefix(part, "X-Amz-") {
			rest = append(rest, part)
		}
	}
	return strings.Join(rest, "&")
}

func (c *call) lookup(form *awsquery.Form) error {
	name, ok := form.Get("Action")
	if !ok || name == "" {
		return iamerr.ActionMissing()
	}
	version, ok := form.Get("Version")
	if !ok {
		version = c.service.Version // the seed's examples leave it out
	}
	c.row = c.service.rows[name]
	if c.row == nil || version != c.service.Version {
		c.row = nil
		return iamerr.ActionNotFound(name, version)
	}
	return nil
}

// signatureError is the answer to a request whose signature was refused.
func signatureError(err error) error {
	var refused *sigv4.Error
	if !errors.As(err, &refused) {
		return err
	}
	code, ok := signatureCodes[refused.Reason]
	if !ok {
		code = &iamerr.SignatureDoesNotMatch
	}
	return code.New(refused.Message)
}

var signatureCodes = map[sigv4.Reason]*apierror.Code{
	sigv4.MissingAuthentication: &iamerr.MissingAuthenticationToken,
	sigv4.IncompleteSignature:   &iamerr.IncompleteSignature,
	sigv4.MalformedQueryString:  &iamerr.MalformedQueryString,
	sigv4.RequestExpired:        &iamerr.RequestExpired,
	sigv4.UnknownKey:            &iamerr.InvalidClientTokenId,
	sigv4.ExpiredToken:          &iamerr.ExpiredToken,
}
