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
		if !c.store.server.place(ctx) {
			return nil, s3err.TooManyDocuments()
		}
		c.large = true
	}
	return body.ReadAll()
}

// release gives back what the request held.
func (c *s3Call) release() {
	if c.large {
		<-c.store.server.large
	}
}
