package server

import (
	"context"

	"iamserver/generated/s3err"
	"iamserver/runtime/s3"
)

// readDocument reads a body that the decision has to know of, and so before there is
// one. Whoever no policy could allow anything is refused before; the others may
// have as many large ones read at a time as the other services, and have to be quick.
func (c *s3Call) readDocument(ctx context.Context, body *s3.Body) ([]byte, error) {
	if c.isAnonymous() {
		b, err := c.store.buckets.find(ctx, c.req.Bucket)
		if err != nil {
			return nil, err
		}
		if b.policyFor(c.principal) == nil {
			return nil, s3err.NotAllowed()
		}
	}
	c.writer.patience.hurry()
	defer c.writer.patience.relax()
	if body.Length() > maxKept {
		place, err := c.awaitPlace(ctx)
		if err != nil {
			return nil, err
		}
		defer place()
	}
	return body.ReadAll()
}

// awaitPlace waits for one of the places of large bodies and returns what gives it
// back.
func (c *s3Call) awaitPlace(ctx context.Context) (func(), error) {
	places := c.store.server.large
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, s3err.TooManyDocuments()
	}
}
