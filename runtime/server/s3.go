package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"iamserver/generated/s3err"
	"iamserver/runtime/apierror"
	"iamserver/runtime/authz"
	"iamserver/runtime/iam"
	"iamserver/runtime/operation"
	"iamserver/runtime/policy"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

// S3 says how S3 requests are served on the same port.
type S3 struct {
	// Upstream is the store that Handler forwards authorized requests to; without an
	// Endpoint, Handler serves no S3. For a store in the same process see Authorize.
	// An empty Owner means s3.CanonicalUser of the account.
	Upstream s3.Upstream
	// Domains are the hosts whose subdomains are buckets.
	Domains []string
	// Keys are the object keys that the store tells apart; nil means those of a
	// store that may keep objects as files.
	Keys *s3.KeyProfile
	// ReservedBuckets are names of buckets that there cannot be, since the store has
	// something else in their place; nor can keys begin with them, in front of a store
	// with virtual hosts. Nil means s3.APIBuckets, and none for a store in
	// the same process.
	ReservedBuckets []string
	// Operations are those that the store has, such as GetObject; nil means all. See
	// s3.Config.
	Operations []string
	// Spool is the folder for files that have to be there as a whole before the
	// store gets them; empty means that of the system for temporary files.
	Spool string
	// BlockPublicAccess turns all four settings of the public access block on for
	// buckets that have none of their own.
	BlockPublicAccess bool
}

const s3Service = "s3"

// An objectStore authorizes S3 requests and forwards them to a store.
type objectStore struct {
	server     *Server
	config     S3
	verifier   *sigv4.Verifier[*credential]
	classifier *s3.Classifier
	gateway    *s3.Gateway
	state      *s3.State
	buckets    *buckets
	spooled    chan struct{} // holds as many as there are files of forms on disk
	formWait   time.Duration // how long one waits for its place
	inside     bool          // the store is a handler, which is told what was decided
}

// maxPresigned is how long a presigned request to S3 may be valid.
const maxPresigned = 7 * 24 * time.Hour

func newObjectStore(s *Server, cfg S3) (*objectStore, error) {
	if cfg.Upstream.Owner == "" {
		cfg.Upstream.Owner = s3.CanonicalUser(s.config.Account)
	}
	if cfg.Keys == nil {
		cfg.Keys = &s3.KeyProfile{Files: true}
	}
	if cfg.ReservedBuckets == nil && !cfg.Upstream.Plain {
		cfg.ReservedBuckets = s3.APIBuckets
	}
	state, err := s3.NewState(cfg.Upstream)
	if err != nil {
		return nil, err
	}
	return &objectStore{
		server: s, config: cfg,
		verifier: sigv4.New(s.credentials, s.config.Now, sigv4.Config{
			Profiles: []sigv4.Profile{{Service: s3Service, ObjectStore: true, MaxPresign: maxPresigned}}, Regions: s.config.Regions,
		}),
		classifier: s3.NewClassifier(s3.Config{Domains: cfg.Domains, Keys: *cfg.Keys, ReservedBuckets: cfg.ReservedBuckets, VirtualHosts: cfg.Upstream.VirtualHosts, Operations: cfg.Operations}),
		gateway:    s3.NewGateway(cfg.Upstream),
		state:      state,
		buckets:    newBuckets(s, cfg.BlockPublicAccess),
		spooled:    make(chan struct{}, mostSpooled),
		formWait:   maxWait,
	}, nil
}

// isAPI reports whether a request is for IAM or STS, and not for S3: by the
// service that it says it is signed for, and an unsigned one by its form. Each
// then verifies it for itself alone.
func (o *objectStore) isAPI(r *http.Request) bool {
	req := sigv4.RequestOf(r)
	switch service := req.ClaimedService(); {
	case service == s3Service:
		return false
	case service != "":
		return true
	case req.Path != "/" && req.Path != "", o.classifier.IsBucketHost(req.Host):
		return false
	case r.Method == http.MethodPost:
		return !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
	default:
		return strings.HasPrefix(req.Query, "Action=") || strings.Contains(req.Query, "&Action=")
	}
}

// An s3Call is one S3 request on its way.
type s3Call struct {
	store   *objectStore
	writer  *patientWriter
	request *http.Request
	id      string
	start   time.Time
	source  netip.Addr
	secure  bool

	auth       *sigv4.Authorization // nil if nobody signed
	posted     bool                 // it is the policy of a form that is signed
	cred       *credential          // nil for Anonymous
	principal  *authz.Principal
	payload    sigv4.Payload
	chunks     *sigv4.ChunkKey
	req        s3.Request
	needs      []s3.Need
	granted    []Permission // for a handler
	unlocked   bool         // no right to bypass a lock was asked for: there was none
	untagged   bool         // no rights on the tags of a copy's source: there were none
	entries    []s3Entry    // of DeleteObjects, as they were decided
	denial     *authz.Outcome
	hooked     *authz.Outcome // of what was allowed, if a hook had a word in it
	validation iam.Validation // of a bucket policy
	decided    *bucket        // what the first decision about the bucket of the request knew of it
	large      bool           // the body has one of the places of large ones
}

func (o *objectStore) serveHTTP(w http.ResponseWriter, r *http.Request) {
	patient := newPatient(w)
	defer patient.end()
	// A copy: by the body of its own request the HTTP server sees whether there is
	// too much left of it to be read, and whether the client waits to be told to send.
	own := *r
	own.Body = patient.body(r.Body)
	c := &s3Call{
		store: o, request: &own, writer: &patientWriter{ResponseWriter: w, patience: patient},
		start: o.server.config.Now(), id: o.server.requestID(),
	}
	h := w.Header()
	h["X-Amz-Request-Id"] = []string{c.id}
	h["X-Amz-Id-2"] = []string{s3.HostID}
	defer c.release()
	err := c.run(r.Context())
	if err != nil && !c.writer.begun {
		s3.WriteError(c.writer, r, err, string(c.req.AppendPath(nil)), c.id)
	}
	c.finish(err)
	if c.writer.aborted {
		panic(http.ErrAbortHandler)
	}
}

// run carries the request out. A panic is an error that nobody expected, but for
// that with which an answer is broken off.
func (c *s3Call) run(ctx context.Context) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			c.writer.aborted = true
		default:
			err = panicError{p, debug.Stack()}
		}
	}()
	if c.request.Method == http.MethodOptions {
		return c.preflight(ctx)
	}
	if origin := c.request.Header["Origin"]; len(origin) == 1 {
		if err := c.showTo(ctx, origin[0]); err != nil {
			return err
		}
	}
	if err := c.authenticate(ctx); err != nil {
		return err
	}
	if err := c.store.classifier.Classify(sigv4.RequestOf(c.request), &c.req); err != nil {
		return err
	}
	if !readOnly(c.request.Method) && c.store.server.auditFails() {
		return s3err.AuditLogUnavailable()
	}
	if c.req.Operation.Body == operation.Form {
		return c.postForm(ctx)
	}
	if err := c.acceptable(); err != nil {
		return err
	}
	body, err := c.req.NewBody(c.request.Body, c.request.ContentLength, c.payload, c.chunks)
	if err != nil {
		return err
	}
	if c.req.Operation.Body == operation.Deletions {
		return c.deleteObjects(ctx, body)
	}
	content := s3.Content{Body: body}
	if decides(c.req.Operation) {
		document, err := c.readDocument(ctx, body)
		if err != nil {
			return err
		}
		if content.Document, err = c.req.ReadDocument(document); err != nil {
			return err
		}
		content.Body = nil
	}
	c.needs = c.req.AppendNeeds(c.needs[:0])
	if err := c.allowed(ctx, c.needs); err != nil {
		return err
	}
	if c.req.Operation.Here {
		return c.here(ctx, content)
	}
	return c.forward(ctx, content)
}

// decides reports whether the authorization has to know of the body of an operation,
// or this server answers it.
func decides(o *operation.Operation) bool {
	switch o.Body {
	case operation.NoBody, operation.ObjectBody, operation.Form:
		return false
	case operation.Document:
		return o.Here
	case operation.Deletions, operation.Tagging, operation.Retention, operation.LegalHold, operation.NewBucket, operation.ACL, operation.Policy:
	}
	return true
}

func readOnly(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// authenticate finds out who signed the request, or that nobody did.
func (c *s3Call) authenticate(ctx context.Context) error {
	s := c.store.server
	var err error
	if c.source, c.secure, err = s.locate(c.request); err != nil {
		return s3err.ForwardedForNotValid()
	}
	c.auth, err = c.store.verifier.Parse(sigv4.RequestOf(c.request))
	var refused *sigv4.Error
	switch {
	case errors.As(err, &refused) && refused.Reason == sigv4.MissingAuthentication:
		if err := otherSignature(c.request); err != nil {
			return err
		}
		c.auth = nil
		c.principal = &authz.Principal{Type: authz.Anonymous}
		c.payload, err = sigv4.UnsignedRequestPayload(c.request.Header)
		return err
	case err != nil:
		return err
	}
	identity, err := c.store.verifier.VerifyHeaders(ctx, c.auth)
	if err != nil {
		return err
	}
	c.cred, c.principal, c.payload, c.chunks = identity.Principal, identity.Principal.principal, c.auth.Payload(), identity.ChunkKey()
	s.used.record(c.principal, s3Service, c.auth.Region, c.start)
	return nil
}

// otherSignature refuses a request that is signed in a way that is not understood:
// it must not pass for one that nobody signed.
func otherSignature(r *http.Request) error {
	if values := r.Header["Authorization"]; len(values) > 0 && values[0] != "" {
		if strings.HasPrefix(values[0], "AWS ") {
			return s3err.MechanismNotSupported() // Signature Version 2
		}
		return s3err.UnsupportedAuthorization()
	}
	for parameter := range strings.SplitSeq(sigv4.RequestOf(r).Query, "&") {
		if name, _, _ := strings.Cut(parameter, "="); name == "AWSAccessKeyId" || name == "Signature" {
			return s3err.MechanismNotSupported()
		}
	}
	return nil
}

// acceptable refuses what no policy could make meaningful: a bucket that is to have
// another owner, access lists, which decide nothing here, and from whoever signed
// nothing the headers of the answer.
func (c *s3Call) acceptable() error {
	account := c.store.server.config.Account
	for _, name := range []string{"X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner"} {
		if owner, ok := c.req.Header(name); ok && owner != account {
			return s3err.NotTheOwner()
		}
	}
	if acl, ok := c.req.Header("X-Amz-Acl"); ok && acl != "private" && acl != "bucket-owner-full-control" {
		return s3err.ListsNotSupported()
	}
	for _, grant := range []string{"Full-Control", "Read", "Read-Acp", "Write", "Write-Acp"} {
		if _, ok := c.req.Header("X-Amz-Grant-" + grant); ok {
			return s3err.ListsNotSupported()
		}
	}
	if ownership, ok := c.req.Header("X-Amz-Object-Ownership"); ok && ownership != ownerEnforced {
		return s3err.ListsNotSupported()
	}
	if c.isAnonymous() && c.req.ChangesAnswer() {
		return s3err.AnonymousAnswer()
	}
	return nil
}

// allowed asks for each need whether it is allowed, or does not apply. The error
// is AccessDenied for the first that is not.
func (c *s3Call) allowed(ctx context.Context, needs []s3.Need) error {
	before := len(c.granted)
	for i := range needs {
		need := &needs[i]
		if need.If == operation.Tagged && !c.req.TaggedBody() {
			continue
		}
		request, outcome, err := c.decide(ctx, need)
		if err != nil {
			return err
		}
		if outcome.Decision == policy.Allowed {
			if outcome.Word.Plugin != "" || outcome.HookFailed != nil {
				c.hooked = &outcome
			}
			c.grant(need)
			continue
		}
		if spared, err := c.spared(ctx, need, request, &outcome); err != nil || spared {
			if err != nil {
				return err
			}
			continue
		}
		c.denial, c.granted = &outcome, c.granted[:before]
		return c.deny(request, &outcome)
	}
	return nil
}

// deny words a denial. Whoever signed nothing is told nothing.
func (c *s3Call) deny(request *authz.Request, outcome *authz.Outcome) error {
	if c.isAnonymous() {
		return s3err.NotAllowed()
	}
	quoted := *outcome
	quoted.Resource = `"` + outcome.Resource + `"` // S3 quotes what IAM does not
	return s3err.Denied(authz.Denial(request, &quoted))
}

// spared reports whether a need that is denied does not apply after all: because
// the store is not in the state that it is about, which is only now asked for, or
// because the caller began the upload and no hook denies it. The state may change
// before the store gets the request, which must then ask it for no more than what is
// allowed in any state; see unlocked and untagged.
func (c *s3Call) spared(ctx context.Context, need *s3.Need, request *authz.Request, outcome *authz.Outcome) (bool, error) {
	if need.OrInitiator {
		if outcome.Decision == policy.ExplicitDeny || c.isAnonymous() {
			return false, nil
		}
		if is, err := c.isInitiator(ctx); err != nil || !is {
			return false, err
		}
		*outcome = c.store.server.decider.Confirm(ctx, request, &request.Resources[0], authz.Outcome{Decision: policy.Allowed})
		if outcome.Decision != policy.Allowed {
			return false, nil
		}
		if outcome.HookFailed != nil {
			c.hooked = outcome
		}
		return true, nil
	}
	bucket, key, version := c.req.Subject(need)
	switch need.If {
	case operation.Governed:
		governed, err := c.store.state.Governed(ctx, bucket, key, version)
		c.unlocked = err == nil && !governed
		return c.unlocked, c.stateFailed(err)
	case operation.SourceTagged:
		tags, err := c.store.state.Tags(ctx, bucket, key, version)
		c.untagged = err == nil && len(tags) == 0
		return c.untagged, c.stateFailed(err)
	case operation.Always, operation.Tagged, operation.Compared:
	}
	return false, nil
}

// stateFailed is the error of a decision for which the store had to be asked and
// did not answer.
func (c *s3Call) stateFailed(err error) error {
	if err == nil {
		return nil
	}
	c.store.server.log.Error("the store did not tell what a decision needs", "error", err, "request", c.id)
	return s3err.StoreUnavailable()
}

// decide asks the policies whether a need is allowed.
func (c *s3Call) decide(ctx context.Context, need *s3.Need) (*authz.Request, authz.Outcome, error) {
	s := c.store.server
	resource := authz.Resource{Type: "bucket", ARN: need.ARN()}
	if need.Key != "" {
		resource.Type = "object"
	}
	if need.Bucket != "" {
		b, err := c.store.buckets.find(ctx, need.Bucket)
		if err != nil {
			return nil, authz.Outcome{}, err
		}
		if need.Bucket == c.req.Bucket && c.decided == nil {
			c.decided = b
		}
		resource.Policy = b.policyFor(c.principal)
	}
	request := &authz.Request{
		Principal: c.principal, Account: s.config.Account, Action: s.permissions.Vocabulary().Action(need.Action),
		Resources: []authz.Resource{resource}, Environment: c.environment(), Keys: &s3Keys{call: c, ctx: ctx, need: need},
		ID: c.id,
	}
	outcome, err := s.decider.Decide(ctx, request)
	if err != nil {
		return nil, authz.Outcome{}, fmt.Errorf("decide %s: %w", need.Action, err)
	}
	return request, outcome, nil
}

func (c *s3Call) environment() authz.Environment {
	e := authz.Environment{
		SourceIP: c.source, SecureTransport: c.secure, UserAgent: c.request.UserAgent(), Referer: c.request.Referer(), Time: c.start,
	}
	if c.auth != nil {
		e.Region = c.auth.Region
	}
	return e
}

// deleteObjects decides each entry of the body by itself.
func (c *s3Call) deleteObjects(ctx context.Context, body *s3.Body) error {
	document, err := c.readDocument(ctx, body)
	if err != nil {
		return err
	}
	deletions, err := c.store.classifier.ParseDeletions(document)
	if err != nil {
		return err
	}
	var content s3.Content
	var allowed, unlocked []s3.Deletion
	for i := range deletions.Objects {
		c.unlocked = false
		c.needs = c.req.AppendEntryNeeds(c.needs[:0], &deletions.Objects[i])
		err := c.allowed(ctx, c.needs)
		c.entries = append(c.entries, s3Entry{deletions.Objects[i].Key, deletions.Objects[i].VersionID, err != nil})
		switch {
		case err == nil && c.unlocked:
			unlocked = append(unlocked, deletions.Objects[i])
		case err == nil:
			allowed = append(allowed, deletions.Objects[i])
		case apierror.CodeOf(err) == s3err.AccessDenied.Name:
			content.Denied = append(content.Denied, deletions.Objects[i])
		default:
			return err
		}
	}
	c.unlocked = len(allowed) == 0
	switch {
	case len(allowed)+len(unlocked) == 0:
		return s3.WriteDenied(c.writer, content.Denied)
	case c.unlocked:
		allowed = unlocked
	case len(unlocked) > 0:
		deletions.Objects = unlocked
		if content.KeepingLocks, err = deletions.Document(); err != nil {
			return err
		}
	}
	deletions.Objects = allowed
	if content.Document, err = deletions.Document(); err != nil {
		return err
	}
	return c.forward(ctx, content)
}

// forward has the store carry the request out, and keeps what belongs to the
// bucket in step with it.
func (c *s3Call) forward(ctx context.Context, content s3.Content) error {
	if c.req.Operation.Name == "CreateBucket" {
		if err := c.beginBucket(ctx); err != nil {
			return err
		}
	}
	if c.req.Operation.Name == "GetObject" || c.req.Operation.Name == "HeadObject" {
		content.ShowTaggingCount = c.mayReadTags(ctx)
	}
	content.KeepLocks, content.LeaveTags = c.unlocked, c.untagged
	c.writer.watch(c.req.Operation.Name)
	err := c.store.gateway.Forward(c.writer, c.told(ctx), &c.req, content)
	if err != nil {
		return c.hidden(ctx, err)
	}
	return c.settle(ctx)
}

// mayReadTags reports whether the caller may know how many tags an object has.
func (c *s3Call) mayReadTags(ctx context.Context) bool {
	need := s3.Need{Action: "s3:GetObjectTagging", Bucket: c.req.Bucket, Key: c.req.Key}
	if version, ok := c.req.VersionID(); ok {
		need.Action, need.VersionID = "s3:GetObjectVersionTagging", version
	}
	_, outcome, err := c.decide(ctx, &need)
	return err == nil && outcome.Decision == policy.Allowed
}

// hidden turns the store's word that there is no such object into a denial for
// those who may not list the bucket, and so must not learn what is in it (Amazon
// S3 API reference, "GetObject").
func (c *s3Call) hidden(ctx context.Context, err error) error {
	if !c.req.Operation.HidesMissing {
		return err
	}
	switch apierror.CodeOf(err) {
	case "NoSuchKey", "NoSuchVersion", "NotFound":
	default:
		return err
	}
	request, outcome, failure := c.decide(ctx, &s3.Need{Action: "s3:ListBucket", Bucket: c.req.Sought().Bucket})
	switch {
	case failure != nil:
		return failure
	case outcome.Decision == policy.Allowed:
		return err
	}
	c.denial = &outcome
	return c.deny(request, &outcome)
}

// finish records the request when it has been answered.
func (c *s3Call) finish(err error) {
	s, name := c.store.server, ""
	if c.req.Operation != nil {
		name = c.req.Operation.Name
	}
	code := ""
	if err != nil {
		answer := s3.ErrorOf(err)
		code = answer.Code.Name
		// What is not supported is no failure, and anybody can ask for it.
		if answer.Code.Fault == apierror.Receiver && answer.Code.Status != http.StatusNotImplemented && !errors.Is(err, context.Canceled) {
			s.log.Error("request failed", "error", err, "request", c.id, "action", "s3:"+name)
		}
	}
	c.audit(name, err)
	s.metrics.requests.WithLabelValues(s3Service, name, code).Inc()
	s.metrics.duration.WithLabelValues(s3Service).Observe(s.config.Now().Sub(c.start).Seconds())
}
