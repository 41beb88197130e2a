package server

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"iamserver/generated/s3err"
	"iamserver/runtime/authz"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
	"iamserver/runtime/storage"
)

// A bucket is what decides about a bucket, compiled.
type bucket struct {
	policy  *policy.Set // nil if it has none
	public  bool        // the policy is public
	block   identity.PublicAccessBlock
	depends dependencies
}

// policyFor returns the policy of the bucket that counts for a principal. A
// public one that is restricted counts only within the account.
func (b *bucket) policyFor(p *authz.Principal) *policy.Set {
	if b.public && b.block.RestrictPublicBuckets && p.Type == authz.Anonymous {
		return nil
	}
	return b.policy
}

// buckets finds what decides about buckets. Those in use are kept until their
// record changes.
type buckets struct {
	server    *Server
	byDefault identity.PublicAccessBlock

	mu    sync.RWMutex
	cache map[string]*bucket // guarded by mu; by name
	size  int                // guarded by mu
}

// mostBuckets bounds the cache, in statements of policies and buckets. Names that
// no bucket has count as well: anybody can ask for them.
const mostBuckets = 50_000

func newBuckets(s *Server, block bool) *buckets {
	return &buckets{
		server: s, cache: map[string]*bucket{},
		byDefault: identity.PublicAccessBlock{BlockPublicAcls: block, IgnorePublicAcls: block, BlockPublicPolicy: block, RestrictPublicBuckets: block},
	}
}

func (x *buckets) find(ctx context.Context, name string) (*bucket, error) {
	x.mu.RLock()
	found := x.cache[name]
	x.mu.RUnlock()
	if found != nil && !x.server.changes.since(found.depends) {
		return found, nil
	}
	found, err := x.load(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read what is kept of a bucket: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.size += 1 + found.policy.Len(); x.size > mostBuckets {
		clear(x.cache)
		x.size = 1 + found.policy.Len()
	}
	x.cache[name] = found
	return found, nil
}

func (x *buckets) load(ctx context.Context, name string) (found *bucket, err error) {
	err = x.server.store.View(ctx, func(r storage.Reader) error {
		read := storage.NewRecorder(r)
		stored, err := x.server.db.NewReadTx(read).Bucket(name)
		if err != nil && !errors.Is(err, identity.ErrNotFound) {
			return err
		}
		found = &bucket{block: x.byDefault, depends: x.server.changes.on(r.Revision(), read.Keys())}
		if stored == nil {
			return nil
		}
		if stored.PublicAccessBlock != nil {
			found.block = *stored.PublicAccessBlock
		}
		if stored.Policy != "" {
			found.policy, found.public = x.server.permissions.OfBucket(stored)
		}
		return nil
	})
	return found, err
}

// update changes what is kept of a bucket, if the caller still is who decided.
func (c *s3Call) update(ctx context.Context, change func(tx *identity.Tx) error) error {
	s := c.store.server
	_, err := s.store.Update(ctx, func(w storage.Tx) error {
		if c.cred != nil && c.cred.read != nil {
			same, err := c.cred.read.Unchanged(w)
			if err != nil {
				return err
			}
			if !same {
				return s3err.Conflict()
			}
		}
		return change(s.db.NewTx(w))
	})
	return err
}

// beginBucket lets a new bucket begin without what a former one of that name left
// behind. A bucket that is there keeps what it has: whoever may make buckets could
// otherwise take the policy of another one away.
func (c *s3Call) beginBucket(ctx context.Context) error {
	exists, err := c.store.state.BucketExists(ctx, c.req.Bucket)
	switch {
	case err != nil:
		return c.stateFailed(err)
	case exists:
		return s3err.BucketIsYours()
	}
	return c.update(ctx, func(tx *identity.Tx) error { return tx.DeleteBucket(c.req.Bucket) })
}

// settle keeps what belongs to buckets and uploads in step with what the store
// has carried out.
func (c *s3Call) settle(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // it has happened, whether the client is still there or not
	var change func(tx *identity.Tx) error
	switch id, _ := c.req.Parameter("uploadId"); c.req.Operation.Name {
	case "DeleteBucket":
		change = func(tx *identity.Tx) error { return tx.DeleteBucket(c.req.Bucket) }
	case "CreateMultipartUpload":
		if c.principal.Type == authz.Anonymous || c.writer.uploadID() == "" {
			return nil
		}
		change = func(tx *identity.Tx) error {
			return tx.PutUpload(&identity.Upload{Bucket: c.req.Bucket, ID: c.writer.uploadID(), Initiator: initiator(c.principal), Begun: c.start})
		}
	case "CompleteMultipartUpload", "AbortMultipartUpload":
		change = func(tx *identity.Tx) error { return tx.DeleteUpload(c.req.Bucket, id) }
	default:
		return nil
	}
	if _, err := c.store.server.db.Update(ctx, change); err != nil {
		c.store.server.log.Error("what is kept of a bucket is not in step with the store", "error", err, "bucket", c.req.Bucket, "request", c.id)
	}
	return nil
}

// initiator is who a principal is to the uploads that it begins.
func initiator(p *authz.Principal) string {
	if p.Type == authz.Root {
		return p.Account
	}
	return p.ID
}

// isInitiator reports whether the caller began the upload of the request.
func (c *s3Call) isInitiator(ctx context.Context) (is bool, err error) {
	id, _ := c.req.Parameter("uploadId")
	err = c.store.server.db.View(ctx, func(tx *identity.Tx) error {
		by, err := tx.Initiator(c.req.Bucket, id)
		is = by != "" && by == initiator(c.principal)
		return err
	})
	return is, err
}
