package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"iamserver/runtime/arn"
	"iamserver/runtime/authz"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
	"iamserver/runtime/sigv4"
	"iamserver/runtime/storage"
)

// A credential is an access key with its principal, as they were read.
type credential struct {
	principal *authz.Principal
	secret    string
	active    bool
	expires   time.Time         // zero: never
	read      *storage.Recorder // what it was read from; nil for root
	depends   dependencies
}

// credentials finds the keys that requests are signed with. Those in use are
// kept until a record that they were read from changes.
type credentials struct {
	server *Server
	root   *credential

	loads singleflight.Group // by access key id

	mu    sync.RWMutex
	cache map[string]*credential // guarded by mu; by access key id
	size  int                    // guarded by mu; of all that is in cache
}

// mostCached bounds the cache, in the units of credential.size: some 100 MiB. A
// full one is emptied: simple, and far above what is in use at a time.
const mostCached = 200_000

func newCredentials(s *Server) *credentials {
	return &credentials{
		server: s,
		root:   &credential{principal: s.root(), secret: s.config.Root.SecretAccessKey, active: true},
		cache:  map[string]*credential{},
	}
}

// Key implements sigv4.KeySource.
func (c *credentials) Key(ctx context.Context, accessKeyID, sessionToken string) (sigv4.Key[*credential], error) {
	if sessionToken != "" {
		return sigv4.Key[*credential]{}, sigv4.ErrUnknownKey // no temporary credentials are issued
	}
	found, err := c.find(ctx, accessKeyID)
	if err != nil {
		return sigv4.Key[*credential]{}, err
	}
	return sigv4.Key[*credential]{Secret: found.secret, Principal: found}, nil
}

func (c *credentials) find(ctx context.Context, accessKeyID string) (*credential, error) {
	if subtle.ConstantTimeCompare([]byte(accessKeyID), []byte(c.root.principal.AccessKeyID)) == 1 {
		return c.root, nil
	}
	c.mu.RLock()
	found := c.cache[accessKeyID]
	c.mu.RUnlock()
	if found != nil && !c.server.changes.since(found.depends) {
		return found, c.server.usable(found)
	}
	found, err := c.loadOnce(ctx, strings.Clone(accessKeyID))
	if err != nil {
		return nil, err
	}
	return found, c.server.usable(found)
}

// loadOnce loads a key into the cache, once for all requests that need it at the
// same time. A request that comes after a change does not get what was read before
// it: it joins a load that is under way only if nothing has changed since.
func (c *credentials) loadOnce(ctx context.Context, accessKeyID string) (*credential, error) {
	for {
		result, err, shared := c.loads.Do(accessKeyID, func() (any, error) {
			// Others wait for this load, whatever becomes of the request that began it.
			found, err := c.load(context.WithoutCancel(ctx), accessKeyID)
			if err == nil {
				c.keep(accessKeyID, found)
			}
			return found, err
		})
		switch {
		case err != nil && shared: // perhaps of a moment before this request
			return c.load(ctx, accessKeyID)
		case err != nil:
			return nil, err
		}
		found := result.(*credential) //nolint:forcetypeassert // the function above returns nothing else
		if !shared || !c.server.changes.since(found.depends) {
			return found, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

func (c *credentials) keep(accessKeyID string, found *credential) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.cache[accessKeyID]; old != nil {
		c.size -= old.size()
	}
	if c.size += found.size(); c.size > mostCached {
		clear(c.cache)
		c.size = found.size()
	}
	c.cache[accessKeyID] = found
}

// size is what a credential takes of the cache: a unit for itself, and one for
// each statement.
func (c *credential) size() int {
	p := &c.principal.Policies
	return 1 + p.Identity.Len() + p.Boundary.Len() + p.ServiceAccount.Len()
}

// load reads a key and remembers what it was read from.
func (c *credentials) load(ctx context.Context, accessKeyID string) (found *credential, err error) {
	err = c.server.store.View(ctx, func(r storage.Reader) error {
		read := storage.NewRecorder(r)
		tx := c.server.db.NewReadTx(read)
		stored, err := tx.Credential(accessKeyID)
		if err != nil {
			return err
		}
		policies, err := c.server.permissions.Of(tx, stored.User, stored.ServiceAccount)
		if err != nil {
			return err
		}
		found = &credential{
			principal: c.server.principal(stored, policies),
			secret:    string(stored.Secret),
			active:    active(stored),
			read:      read,
			depends:   c.server.changes.on(r.Revision(), read.Keys()),
		}
		if stored.ServiceAccount != nil {
			found.expires = stored.ServiceAccount.Expires
		}
		return nil
	})
	if errors.Is(err, identity.ErrNotFound) {
		return nil, sigv4.ErrUnknownKey
	}
	if err != nil {
		return nil, fmt.Errorf("read the access key: %w", err)
	}
	return found, nil
}

// renew reads the key of the call anew, after a record of it or of its owner has
// changed. What was signed with it stays signed as long as the secret is the
// same; who the caller is, and whether it may go on, may not.
func (c *call) renew(ctx context.Context) error {
	if c.cred.read == nil {
		return nil // root's, which is not stored
	}
	found, err := c.server.credentials.load(ctx, c.cred.principal.AccessKeyID)
	if err == nil {
		err = c.server.usable(found)
	}
	switch {
	case errors.Is(err, sigv4.ErrUnknownKey), err == nil && found.secret != c.cred.secret:
		return signatureError(sigv4.NewUnknownKeyError())
	case err != nil:
		return err
	}
	c.cred, c.principal = found, found.principal
	return nil
}

// active tells whether nobody has switched off the key, its service account or its user.
func active(c *identity.Credential) bool {
	return c.Key.Status == identity.Active && !c.User.Disabled &&
		(c.ServiceAccount == nil || c.ServiceAccount.Status == identity.Active)
}

// usable refuses a key that is switched off or over, as if it did not exist:
// which of these it is, is nobody's business who cannot sign with it.
func (s *Server) usable(c *credential) error {
	if !c.active || (!c.expires.IsZero() && !s.config.Now().Before(c.expires)) {
		return sigv4.ErrUnknownKey
	}
	return nil
}

func (s *Server) principal(c *identity.Credential, policies policy.Policies) *authz.Principal {
	p := &authz.Principal{
		Type: authz.User, Account: s.config.Account, ARN: arn.User(s.config.Account, c.User.Path, c.User.Name),
		ID: c.User.ID, UserID: c.User.ID, UserName: c.User.Name, AccessKeyID: c.Key.ID,
		Tags: tagsOf(c.User.Tags), Policies: policies,
	}
	p.UserARN = p.ARN
	if c.ServiceAccount != nil {
		p.Type, p.ID = authz.ServiceAccount, c.ServiceAccount.ID
		p.ARN = arn.ServiceAccount(s.config.Account, c.ServiceAccount.ID)
	}
	return p
}
