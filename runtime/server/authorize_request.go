package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/generated/stsapi"
	"iamserver/runtime/apierror"
	"iamserver/runtime/audit"
	"iamserver/runtime/authz"
	"iamserver/runtime/policy"
	"iamserver/runtime/sigv4"
)

// An Action is what a service other than IAM, STS and S3 asks about a request.
type Action struct {
	// Service is the name that the service's requests are signed for, such as photos.
	Service string
	// Name is the action as policies name it, with the service: photos:Share. By it
	// the request is counted and audited, so it must not come from the request.
	Name string
	// Resources are what the action is carried out on, each with its ARN; all of
	// them must be allowed. None means "*".
	Resources []authz.Resource
	// Keys gives the condition keys of the service, such as photos:Album; nil means
	// none. Those of AWS's that every request has are there without it.
	Keys policy.Context
	// ReadOnly says that the action changes nothing.
	ReadOnly bool
	// MaxBody is the longest body, in bytes; 0 means 1 MiB. The signature covers
	// the body, which is held in memory for that.
	MaxBody int64
}

// AuthorizeRequest decides whether whoever signed a request to another service may
// carry out an action there. The request must be signed with AWS Signature Version 4
// for the service, in its header or its query, and must be as net/http's server
// received it. Where its body had to be read to know the action, r.Body must have been
// set to all of it again. Afterwards r.Body has the bytes that were signed.
//
// Whatever the error, the request must not be carried out. One that is, or wraps, an
// *apierror.Error is for the caller and has its HTTP status: AccessDenied with AWS's
// sentence, MissingAuthenticationToken, SignatureDoesNotMatch and others of IAM. Any
// other is a failure of the server, of which the caller must not learn more.
func (s *Server) AuthorizeRequest(r *http.Request, a Action) (*Decision, error) {
	q := &inquiry{server: s, request: r, action: a, id: s.requestID()}
	err := q.run(r.Context())
	if failure := q.finish(err); err == nil {
		err = failure
	}
	if err != nil {
		return nil, err
	}
	return q.decision(), nil
}

// An inquiry is a request to another service on its way.
type inquiry struct {
	server  *Server
	request *http.Request
	action  Action
	id      string

	source    netip.Addr
	auth      *sigv4.Authorization
	principal *authz.Principal
	denial    *authz.Outcome
	hooked    *authz.Outcome // of what was allowed
}

func (q *inquiry) run(ctx context.Context) error {
	s := q.server
	now := s.config.Now()
	switch q.action.Service {
	case "", iamapi.Service.Name, stsapi.Service.Name, s3Service:
		return fmt.Errorf("server: %q is no other service", q.action.Service)
	}
	if !q.action.ReadOnly && s.auditFails() {
		return iamerr.AuditLogUnavailable()
	}
	source, secure, err := s.locate(q.request)
	if err != nil {
		return iamerr.ForwardedForNotValid()
	}
	q.source = source
	if err := q.authenticate(ctx); err != nil {
		return err
	}
	s.used.record(q.principal, q.action.Service, q.auth.Region, now)
	resources := q.action.Resources
	if len(resources) == 0 {
		resources = []authz.Resource{anything}
	}
	request := &authz.Request{
		Principal: q.principal, Account: s.config.Account, Action: s.permissions.Vocabulary().Action(q.action.Name), ReadOnly: q.action.ReadOnly,
		Resources: resources, Keys: q.action.Keys, ID: q.id,
		Environment: authz.Environment{
			SourceIP: source, SecureTransport: secure, UserAgent: q.request.UserAgent(), Referer: q.request.Referer(), Region: q.auth.Region, Time: now,
		},
	}
	outcome, err := s.decider.Decide(ctx, request)
	switch {
	case err != nil:
		return fmt.Errorf("decide %s: %w", q.action.Name, err)
	case outcome.Decision != policy.Allowed:
		q.denial = &outcome
		return iamerr.Denied(authz.Denial(request, &outcome))
	}
	q.hooked = &outcome
	return nil
}

// authenticate finds out who signed the request, and reads its body only for who
// claims to have.
func (q *inquiry) authenticate(ctx context.Context) error {
	verifier := q.server.verifierOf(q.action.Service)
	auth, err := verifier.Parse(sigv4.RequestOf(q.request))
	if err != nil {
		return signatureError(err)
	}
	q.auth = auth
	body, err := q.readBody(ctx)
	if err != nil {
		return err
	}
	identity, err := verifier.Verify(ctx, auth, sha256.Sum256(body))
	if err != nil {
		return signatureError(err)
	}
	q.principal = identity.Principal.principal
	q.request.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

func (q *inquiry) readBody(ctx context.Context) ([]byte, error) {
	most, length := q.action.MaxBody, q.request.ContentLength
	if most == 0 {
		most = maxBody
	}
	switch {
	case q.request.Body == nil || length == 0:
		return nil, nil
	case length > most:
		return nil, iamerr.BodyTooLarge(strconv.FormatInt(most, 10))
	case length < 0 || length > maxKept:
		if !q.server.place(ctx) {
			return nil, iamerr.TookTooLong()
		}
		defer func() { <-q.server.large }()
	}
	body, err := io.ReadAll(io.LimitReader(q.request.Body, most+1))
	switch {
	case int64(len(body)) > most:
		return nil, iamerr.BodyTooLarge(strconv.FormatInt(most, 10))
	case err != nil:
		return nil, iamerr.BodyIncomplete()
	}
	return body, nil
}

// verifierOf returns the verifier of another service. The program names them, and
// never a request.
func (s *Server) verifierOf(service string) *sigv4.Verifier[*credential] {
	if found, ok := s.others.Load(service); ok {
		return found.(*sigv4.Verifier[*credential]) //nolint:forcetypeassert // the map holds nothing else
	}
	made := sigv4.New(s.credentials, s.config.Now, sigv4.Config{Profiles: []sigv4.Profile{{Service: service}}, Regions: s.config.Regions})
	found, _ := s.others.LoadOrStore(service, made)
	return found.(*sigv4.Verifier[*credential]) //nolint:forcetypeassert // as above
}

func (q *inquiry) decision() *Decision {
	d := &Decision{RequestID: q.id, Principal: q.principal, Source: q.source, Operation: q.action.Name, peer: q.request.RemoteAddr}
	for _, resource := range q.action.Resources {
		d.Allowed = append(d.Allowed, Permission{Action: q.action.Name, Resource: resource.ARN})
	}
	if d.Allowed == nil {
		d.Allowed = []Permission{{Action: q.action.Name, Resource: anything.ARN}}
	}
	return d
}

// finish counts and records the request. What changes something must not be carried
// out unrecorded: nothing has happened yet.
func (q *inquiry) finish(err error) error {
	s, code := q.server, ""
	if err != nil {
		code = apierror.CodeOf(err)
	}
	s.metrics.requests.WithLabelValues(q.action.Service, q.action.Name, code).Inc()
	if s.config.Audit == nil {
		return nil
	}
	failure := s.config.Audit.Write(q.record(err))
	if failure == nil {
		return nil
	}
	s.metrics.audit.Inc()
	s.log.Error("a request is not in the audit log", "error", failure, "request", q.id, "action", q.action.Name)
	if q.action.ReadOnly || s.config.AuditContinue {
		return nil
	}
	return iamerr.AuditLogUnavailable()
}

func (q *inquiry) record(err error) *audit.Record {
	r := &audit.Record{
		UserIdentity: audit.UserIdentity{Type: "Unknown"}, EventSource: q.action.Service, EventName: q.action.Name, SourceIPAddress: q.source,
		UserAgent: q.request.UserAgent(), RequestID: q.id, RecipientAccountID: q.server.config.Account, ReadOnly: q.action.ReadOnly,
	}
	if q.auth != nil {
		r.AWSRegion = q.auth.Region
		r.UserIdentity.AccessKeyID = q.auth.AccessKeyID
	}
	if q.principal != nil {
		r.UserIdentity = userIdentity(q.principal)
	}
	for _, resource := range q.action.Resources {
		r.Resources = append(r.Resources, audit.Resource{ARN: resource.ARN, AccountID: q.server.config.Account})
	}
	r.AdditionalEventData = decisionData(q.denial, q.hooked)
	if err != nil {
		r.ErrorCode, r.Refused = apierror.CodeOf(err), true
		if answer := (*apierror.Error)(nil); errors.As(err, &answer) {
			r.ErrorMessage = answer.Message
		}
	}
	return r
}
