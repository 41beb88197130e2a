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
	"iamserver/runtime/s3"
	"iamserver/runtime/storage"
)

// A bucket is what is kept of a bucket, compiled.
type bucket struct {
	policy  *policy.Set // nil if it has none
	public  bool        // the policy is public
	block   identity.PublicAccessBlock
	cors    *s3.CORS          // nil if it has none
	weight  int               // in the cache
	read    *storage.Recorder // what it was read from
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

// mostBuckets bounds the cache, in statements of policies, 512 bytes of rules for pages
// of other sites, and buckets. Names that no bucket has count as well: anybody can ask
// for them.
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
	if x.size += found.weight; x.size > mostBuckets {
		clear(x.cache)
		x.size = found.weight
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
		found = &bucket{block: x.byDefault, weight: 1, read: read, depends: x.server.changes.on(r.Revision(), read.Keys())}
		if stored == nil {
			return nil
		}
		if stored.PublicAccessBlock != nil {
			found.block = *stored.PublicAccessBlock
		}
		if stored.Policy != "" {
			found.policy, found.public = x.server.permissions.OfBucket(stored)
			found.weight += found.policy.Len()
		}
		if stored.CORS != "" {
			found.weight += 1 + len(stored.CORS)>>9
			if found.cors, err = s3.ParseCORS([]byte(stored.CORS)); err != nil {
				// They let nobody do anything, and are no reason to close the bucket.
				x.server.log.Error("the rules of a bucket for pages of other sites cannot be read", "bucket", name, "error", err)
			}
		}
		return nil
	})
	return found, err
}

// update changes what is kept of a bucket, if the caller still is who was decided
// about, and the bucket what the decision knew.
func (c *s3Call) update(ctx context.Context, change func(tx *identity.Tx) error) error {
	s := c.store.server
	_, err := s.store.Update(ctx, func(w storage.Tx) error {
		for _, read := range c.decisionRead() {
			same, err := read.Unchanged(w)
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

// decisionRead is what the decision was made from.
func (c *s3Call) decisionRead() []*storage.Recorder {
	var read []*storage.Recorder
	if c.cred != nil && c.cred.read != nil {
		read = append(read, c.cred.read)
	}
	if c.decided != nil {
		read = append(read, c.decided.read)
	}
	return read
}

// beginBucket lets a new bucket begin without what a former one of that name left
// behind. A bucket that is there keeps what it has: whoever may make buckets could
// otherwise take the policy of another one away. One that somebody else makes at
// the same moment keeps what it gets: update notices.
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
	db := c.store.server.db
	var err error
	switch c.req.Operation.Name {
	case "DeleteBucket":
		err = c.forget(ctx)
	case "CreateMultipartUpload":
		upload := &identity.Upload{Bucket: c.req.Bucket, ID: c.writer.uploadID(), Begun: c.start}
		if c.isAnonymous() || upload.ID == "" {
			return nil
		}
		upload.Initiator = initiator(c.principal)
		_, err = db.Update(ctx, func(tx *identity.Tx) error { return tx.PutUpload(upload) })
	case "CompleteMultipartUpload", "AbortMultipartUpload":
		id, _ := c.req.Parameter("uploadId")
		_, err = db.Update(ctx, func(tx *identity.Tx) error { return tx.DeleteUpload(c.req.Bucket, id) })
	}
	if err != nil {
		c.store.server.log.Error("what is kept of a bucket is not in step with the store", "error", err, "bucket", c.req.Bucket, "request", c.id)
	}
	return nil
}

// forget removes what is kept of a bucket that is gone. Where it is not what the
// decision knew, it may already belong to a new bucket of that name; what is left
// of the old one is gone when that begins.
func (c *s3Call) forget(ctx context.Context) error {
	s := c.store.server
	_, err := s.store.Update(ctx, func(w storage.Tx) error {
		same, err := c.decided.read.Unchanged(w)
		if err != nil || !same {
			return err
		}
		return s.db.NewTx(w).DeleteBucket(c.req.Bucket)
	})
	return err
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
