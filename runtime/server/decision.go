package server

import (
	"context"
	"net/http"
	"net/netip"

	"iamserver/runtime/authz"
	"iamserver/runtime/s3"
)

// A Decision is what was found out about a request that may be carried out: who
// made it, and what of it was allowed. It must not be changed.
type Decision struct {
	// RequestID is in the answer to the client and in the audit log.
	RequestID string
	// Principal is who made the request. Its Type is authz.Anonymous if nobody
	// signed it.
	Principal *authz.Principal
	// Source is the address that the request came from; behind trusted proxies, that
	// of the client. It is invalid where there is none.
	Source netip.Addr
	// Operation is that of S3, such as GetObject, or the action that
	// AuthorizeRequest was asked for.
	Operation string
	// Allowed are the actions that policies allowed, with their resources. What
	// needs no permission, such as to go on with an upload of one's own, is not
	// among them. Of DeleteObjects they are those of the entries that are left.
	Allowed []Permission

	peer string // http.Request.RemoteAddr
}

// A Permission is an action on a resource.
type Permission struct {
	// Action is the name in policies, such as s3:GetObject.
	Action string
	// Resource is an ARN, or "*".
	Resource string
}

type decisionKey struct{}

// DecisionOf returns what was decided about the request of a context, as Authorize
// passes it on. It is nil for a request that the server makes itself, to learn what
// a decision needs to know: whether a bucket or an object exists, its tags, its
// lock. Such a request reads only.
func DecisionOf(ctx context.Context) *Decision {
	decision, _ := ctx.Value(decisionKey{}).(*Decision)
	return decision
}

// PrincipalOf returns who made the request of a context; nil where DecisionOf
// returns nil.
func PrincipalOf(ctx context.Context) *authz.Principal {
	if decision := DecisionOf(ctx); decision != nil {
		return decision.Principal
	}
	return nil
}

// grant keeps what was allowed, for a store that is told.
func (c *s3Call) grant(need *s3.Need) {
	if c.store.inside {
		c.granted = append(c.granted, Permission{Action: need.Action, Resource: need.ARN()})
	}
}

// told is the request with what a store in this process is told of it.
func (c *s3Call) told(ctx context.Context) *http.Request {
	if !c.store.inside {
		return c.request
	}
	return c.request.WithContext(context.WithValue(ctx, decisionKey{}, &Decision{
		RequestID: c.id, Principal: c.principal, Source: c.source, Operation: c.req.Operation.Name, Allowed: c.granted, peer: c.request.RemoteAddr,
	}))
}
