package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/action"
	"iamserver/runtime/authz"
	"iamserver/runtime/iam"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
	"iamserver/runtime/storage"
)

// execute authorizes the call and runs its handler.
func (c *call) execute(ctx context.Context) (action.Response, error) {
	if c.row.Access.ReadOnly() {
		return c.read(ctx)
	}
	return c.write(ctx)
}

// read decides and acts on one snapshot, between which nothing can change. Whether
// an action reads more than one record shows when it is first carried out; a
// refusal, which may come before most of the reading, does not show it.
func (c *call) read(ctx context.Context) (action.Response, error) {
	guess := c.row.single.Load()
	single, err := c.server.recent.view(ctx, guess, c.answering)
	if err != nil {
		return nil, err
	}
	if single != guess {
		c.row.single.Store(single)
	}
	return c.response, nil
}

func (c *call) answerFrom(r storage.Reader) (err error) {
	tx := c.server.db.NewReadTx(r)
	if err := c.authorize(c.request.Context(), tx); err != nil {
		return err
	}
	c.response, err = c.row.handle(tx, c)
	return err
}

// Decisions and transactions conflict only where two requests change the same
// entity at the same moment; one that loses this often gets AWS's error.
const (
	attempts = 20
	// maxWrite bounds how long a request waits for others that write. Reads
	// wait for nobody.
	maxWrite = 30 * time.Second
)

var errChanged = errors.New("server: a record that the decision read has changed")

// write decides on a snapshot and asks the plugins, so that nothing slow runs
// inside the transaction, which then first checks that what was read is unchanged.
func (c *call) write(ctx context.Context) (action.Response, error) {
	if c.server.auditFails() {
		return nil, iamerr.AuditLogUnavailable()
	}
	ctx, cancel := context.WithTimeout(ctx, maxWrite)
	defer cancel()
	for range attempts {
		read, err := c.decide(ctx)
		if err != nil {
			return nil, err
		}
		if err := c.prepare(ctx); err != nil {
			return nil, err
		}
		response, err := c.act(ctx, read)
		c.prepared.Wipe()
		if !errors.Is(err, errChanged) && !errors.Is(err, iam.ErrAskAgain) {
			return response, err
		}
		if err := c.renew(ctx); err != nil {
			return nil, err
		}
	}
	return nil, iamerr.ConcurrentlyModified()
}

// prepare asks the plugins that the request concerns.
func (c *call) prepare(ctx context.Context) (err error) {
	if c.service.Name != iamapi.Service.Name {
		return nil
	}
	c.prepared, err = c.server.handlers.Prepare(ctx, c.input, iam.Occasion{
		Caller: c.principal.ARN, Target: c.resources[0].ARN,
		Taken: func(id string) (taken bool, err error) {
			err = c.server.db.View(ctx, func(tx *identity.Tx) error {
				taken, err = tx.AccessKeyIDTaken(id)
				return err
			})
			return taken, err
		},
	})
	return err
}

func (c *call) decide(ctx context.Context) (*storage.Recorder, error) {
	var read *storage.Recorder
	err := c.server.store.View(ctx, func(r storage.Reader) error {
		read = storage.NewRecorder(r)
		return c.authorize(ctx, c.server.db.NewReadTx(read))
	})
	return read, err
}

func (c *call) act(ctx context.Context, read *storage.Recorder) (response action.Response, err error) {
	_, err = c.server.store.Update(ctx, func(w storage.Tx) error {
		for _, recorder := range []*storage.Recorder{c.cred.read, read} {
			if recorder == nil {
				continue
			}
			same, err := recorder.Unchanged(w)
			if err != nil {
				return err
			}
			if !same {
				return errChanged
			}
		}
		response, err = c.row.handle(c.server.db.NewTx(w), c)
		return err
	})
	return response, err
}

// authorize resolves what the request names and asks whether the caller may.
func (c *call) authorize(ctx context.Context, tx *identity.Tx) error {
	c.keys, c.denial, c.hooked = requestKeys{call: c}, nil, nil // of an earlier attempt
	var err error
	c.resources, err = c.resolve(tx, c.resources[:0])
	if err != nil {
		return fmt.Errorf("resolve the resources of %s: %w", c.row.permission, err)
	}
	if c.row.permission.String() == "sts:GetCallerIdentity" {
		return nil // no policy can deny it
	}
	c.question = authz.Request{
		Principal: c.principal, Account: c.server.config.Account, Action: c.row.permission, SelfService: c.row.SelfService, ReadOnly: c.row.Access.ReadOnly(),
		Resources: c.resources,
		Environment: authz.Environment{
			SourceIP: c.source, SecureTransport: c.secure, UserAgent: c.request.UserAgent(), Referer: c.request.Referer(),
			Region: c.auth.Region, Time: c.start,
		},
		Keys: &c.keys, ID: c.id,
	}
	c.outcome, err = c.server.decider.Decide(ctx, &c.question)
	if err != nil {
		return fmt.Errorf("decide %s: %w", c.row.permission, err)
	}
	switch c.outcome.Decision {
	case policy.Allowed:
		c.hooked = &c.outcome
		return nil
	case policy.ExplicitDeny, policy.ImplicitDeny:
	}
	c.denial = &c.outcome
	return iamerr.Denied(authz.Denial(&c.question, c.asNamed(c.outcome)))
}
