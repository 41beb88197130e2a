// Package s3 recognises S3 requests, says what each of them needs to be
// allowed, and forwards those that have been authorized to a store. It decides
// nothing; see package authz for that.
//
// A request takes this way:
//
//	err := classifier.Classify(sigv4.RequestOf(r), &request)
//	needs = request.AppendNeeds(needs[:0])
//	… every need is allowed …
//	gateway.Forward(w, r, &request, …)
//
// What a store is sent is built anew from the classified request, never from
// the client's own text: a store cannot see a request that was not authorized.
package s3

import (
	"net/http"
	"slices"
	"strings"

	"iamserver/generated/s3api"
	"iamserver/generated/s3err"
	"iamserver/runtime/operation"
	"iamserver/runtime/sigv4"
)

// A Request is an S3 request that was recognised. Its strings are parts of the
// request that it was made from, or decoded from them.
type Request struct {
	// Operation is the row of the table.
	Operation *operation.Operation
	// Bucket is a valid name of a bucket; empty where the service itself is meant.
	Bucket string
	// Key is the object key as the client means it: decoded once, never cleaned,
	// valid UTF-8 of 1 to 1024 bytes. It is empty unless the target is an object.
	Key string
	// Source is the object that is copied; its bucket is empty if none is.
	Source Source

	method  string
	inHost  bool // the bucket stands in the host, not in the path
	header  http.Header
	params  [maxParams]parameter
	used    int
	hoisted [maxParams]parameter // x-amz-… parameters, which stand for headers
	lifted  int
	facts   Facts
	form    *Form
}

// A Source is the object that is copied.
type Source struct {
	Bucket, Key string
	// VersionID is empty where the current version is meant.
	VersionID string
}

// Config says how requests name buckets and keys.
type Config struct {
	// Domains are the hosts whose subdomains are buckets, in lower case and
	// without port: with "s3.example.com", photos.s3.example.com is the bucket
	// photos. In requests to any other host, the bucket stands in the path.
	Domains []string
	// Keys are the object keys that the store tells apart.
	Keys KeyProfile
	// ReservedBuckets are names of buckets that there cannot be: the store has
	// something else in their place. See APIBuckets.
	ReservedBuckets []string
	// VirtualHosts says that the store is sent buckets by host. In their place stands
	// the key then, whose first segment must not be one of ReservedBuckets either.
	VirtualHosts bool
	// Operations are the names of the operations that the store has; nil means all. A
	// store that does not know a parameter may take the request for another one:
	// DELETE /bucket/key?tagging for deleting the object. Those that never reach the
	// store are served in any case.
	Operations []string
}

// APIBuckets are the names under which stores have other APIs than S3 on the same port,
// which take the credentials of this server just as well: what is a request for an
// object here would be one for them. MinIO has minio, RustFS rustfs, Ceph's gateway
// admin, auth and swift, SeaweedFS healthz, readyz and status.
var APIBuckets = []string{"admin", "auth", "healthz", "minio", "readyz", "rustfs", "status", "swift"}

// A Classifier recognises requests. It is safe for concurrent use.
type Classifier struct {
	cfg   Config
	table *table
}

// NewClassifier returns a Classifier of the operations of the specification.
func NewClassifier(cfg Config) *Classifier {
	return &Classifier{cfg: cfg, table: newTable(s3api.Operations)}
}

// Classify recognises a request and leaves it in r, whatever r held before. The
// error is an *apierror.Error: of an operation that is not in the table, that is
// refused, or whose bucket, key, parameters or headers cannot be accepted.
func (c *Classifier) Classify(req sigv4.Request, r *Request) error {
	r.reset(req)
	target, err := c.locate(req, r)
	if err != nil {
		return err
	}
	if err := r.readQuery(req.Query); err != nil {
		return err
	}
	if err := r.uniqueHeaders(); err != nil {
		return err
	}
	if r.Operation, err = c.table.find(req, target, r); err != nil {
		return err
	}
	if refused := r.Operation.Refused; refused != "" {
		return s3err.OperationRefused(r.Operation.Name, refused)
	}
	if c.cfg.Operations != nil && !r.Operation.Here && !slices.Contains(c.cfg.Operations, r.Operation.Name) {
		return s3err.OperationRefused(r.Operation.Name, "The store does not have it.")
	}
	if err := r.checkParameters(); err != nil {
		return err
	}
	if err := r.checkParameterValues(); err != nil {
		return err
	}
	return c.checkKeys(r)
}

func (r *Request) reset(req sigv4.Request) {
	r.Operation, r.Bucket, r.Key, r.Source = nil, "", "", Source{}
	r.method, r.inHost, r.header = req.Method, false, req.Header
	r.used, r.lifted, r.facts, r.form = 0, 0, nil, nil
}

// checkKeys holds what the request names against what the store tells apart.
func (c *Classifier) checkKeys(r *Request) error {
	if r.Operation.Target == operation.Object {
		if err := c.checkKey(r.Key); err != nil {
			return err
		}
	}
	for _, name := range []string{"versionId", "uploadId"} {
		id, _ := r.Parameter(name)
		if err := c.cfg.Keys.checkID(id); err != nil {
			return err
		}
	}
	if prefix, ok := r.Parameter("prefix"); ok && r.Operation.Target == operation.Bucket {
		if err := c.cfg.Keys.checkPrefix(prefix); err != nil {
			return err
		}
	}
	if len(r.Operation.Header) == 0 {
		return nil
	}
	text, _ := r.Header(copySource)
	source, err := parseSource(text)
	if err != nil {
		return err
	}
	if slices.Contains(c.cfg.ReservedBuckets, source.Bucket) {
		return s3err.InvalidCopySource()
	}
	r.Source = source
	if err := c.cfg.Keys.checkID(source.VersionID); err != nil {
		return err
	}
	return c.checkKey(source.Key)
}

// checkKey refuses a key that the store could take for another one, or for no key.
func (c *Classifier) checkKey(key string) error {
	if c.cfg.VirtualHosts {
		first, _, _ := strings.Cut(strings.TrimLeft(key, "/"), "/")
		if slices.Contains(c.cfg.ReservedBuckets, first) {
			return s3err.KeyOfOthers()
		}
	}
	return c.cfg.Keys.Check(key)
}

const (
	copySource = "X-Amz-Copy-Source"
	amzPrefix  = "X-Amz-"
)

// uniqueHeaders refuses a header that stands there twice, or in the query too,
// where two readers could take different ones for the one that counts.
func (r *Request) uniqueHeaders() error {
	for name, values := range r.header {
		if len(values) > 1 && !lists[name] && (strings.HasPrefix(name, amzPrefix) || single[name]) {
			return s3err.HeaderTwice(name)
		}
		if strings.HasPrefix(name, amzPrefix) {
			if _, n := r.hoistedValue(name); n > 0 {
				return s3err.HeaderTwice(name)
			}
		}
	}
	return r.supported()
}

// supported refuses headers without which the request would mean something else, or
// with which it would to some stores.
func (r *Request) supported() error {
	for _, u := range s3api.Unsupported {
		if _, ok := r.Header(u.Header); ok {
			return s3err.HeaderNotImplemented()
		}
	}
	return r.checkLocks()
}

// The headers without the prefix that an operation looks at or passes on.
var single = func() map[string]bool {
	names := map[string]bool{"Content-Md5": true, "Content-Length": true}
	for _, o := range s3api.Operations {
		for _, h := range o.Forward {
			names[h] = true
		}
	}
	return names
}()

// The headers that are lists, of which some clients send each value, or the coding
// of the body, in a line of its own.
var lists = map[string]bool{"Content-Encoding": true, "X-Amz-Object-Attributes": true, "X-Amz-Optional-Object-Attributes": true}

// Header returns a header of the request by its canonical name. One that begins
// with x-amz- may stand in the query of a presigned request, and in the form of
// a browser every one is a field.
func (r *Request) Header(name string) (value string, ok bool) {
	if r.form != nil {
		value, ok = r.form.Field(name)
		return trimmed(value), ok
	}
	if values := r.header[name]; len(values) > 0 {
		return trimmed(values[0]), true // in HTTP/2, nobody has before
	}
	if r.lifted > 0 && strings.HasPrefix(name, amzPrefix) {
		value, n := r.hoistedValue(name)
		return trimmed(value), n > 0
	}
	return "", false
}

// VersionID returns the version that the request names.
func (r *Request) VersionID() (id string, ok bool) {
	if r.Operation.Target != operation.Object {
		return "", false
	}
	return r.Parameter("versionId")
}
