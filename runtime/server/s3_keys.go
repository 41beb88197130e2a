package server

import (
	"context"
	"crypto/tls"
	"maps"
	"net/http"

	"iamserver/generated/reference"
	"iamserver/runtime/operation"
	"iamserver/runtime/policy"
	"iamserver/runtime/s3"
)

// s3Keys are the condition keys of an S3 request for one of its needs, beyond the
// global ones.
type s3Keys struct {
	call *s3Call
	ctx  context.Context //nolint:containedctx // policy.Context has none, and the store may have to be asked
	need *s3.Need

	tags   map[string]string // of the object, once asked for
	failed error
}

var tlsVersions = map[uint16]string{tls.VersionTLS10: "1.0", tls.VersionTLS11: "1.1", tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"}

// Value implements policy.Context.
func (k *s3Keys) Value(key *policy.Key) policy.Value {
	c := k.call
	switch key.Name() {
	case "s3:authtype":
		switch {
		case c.auth == nil:
			return policy.Value{}
		case c.posted:
			return policy.Text("POST")
		case c.auth.Presigned:
			return policy.Text("REST-QUERY-STRING")
		}
		return policy.Text("REST-HEADER")
	case "s3:signatureversion":
		if c.auth != nil {
			return policy.Text("AWS4-HMAC-SHA256")
		}
		return policy.Value{}
	case "s3:signatureage":
		if c.auth != nil && (c.auth.Presigned || c.posted) {
			return policy.Integer(c.start.Sub(c.auth.Date).Milliseconds())
		}
		return policy.Value{}
	case "s3:x-amz-content-sha256":
		// The header alone: as a parameter of the query it is not looked at (Amazon S3
		// API reference, "Signature Version 4 authentication specific policy keys").
		return header(c.request, "X-Amz-Content-Sha256")
	case "s3:tlsversion":
		if c.request.TLS != nil {
			return policy.Text(tlsVersions[c.request.TLS.Version])
		}
		return policy.Value{}
	case "s3:resourceaccount":
		return policy.Text(c.store.server.config.Account)
	}
	row, tag := c.req.ConditionKey(k.need, key.String())
	switch {
	case row == nil:
		return policy.Value{}
	case row.Source == operation.FromStore:
		return k.existingTag(tag)
	}
	values, ok := c.req.Values(k.need, row, tag, c.start)
	switch {
	case !ok:
		return policy.Value{}
	case isMultiValued(row.Name) || len(values) != 1:
		return policy.List(values)
	}
	return policy.Text(values[0])
}

// Costs implements policy.FrugalContext: what the store knows has to be asked for.
func (k *s3Keys) Costs(key *policy.Key) bool {
	row, _ := k.call.req.ConditionKey(k.need, key.String())
	return row != nil && row.Source == operation.FromStore
}

func header(r *http.Request, name string) policy.Value {
	if value := r.Header.Get(name); value != "" {
		return policy.Text(value)
	}
	return policy.Value{}
}

func isMultiValued(name string) bool {
	key := reference.Catalogue.Key(name)
	return key != nil && key.Many
}

// existingTag is the tag of the object as it is before the request: the store is
// asked, once, since only now a policy wants to know. What it does not tell counts
// against the caller.
func (k *s3Keys) existingTag(tag string) policy.Value {
	if k.tags == nil && k.failed == nil {
		k.tags, k.failed = k.call.store.state.Tags(k.ctx, k.need.Bucket, k.need.Key, k.need.VersionID)
		if k.failed != nil {
			k.call.store.server.log.Error("the store did not tell the tags that a policy asks for", "error", k.failed, "request", k.call.id)
		}
		if k.tags == nil {
			k.tags = map[string]string{}
		}
	}
	if k.failed != nil {
		return policy.Failed()
	}
	return policy.TagValue(maps.All(k.tags), tag)
}
