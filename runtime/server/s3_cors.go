package server

import (
	"context"
	"net/http"
	"slices"

	"iamserver/generated/s3err"
	"iamserver/runtime/identity"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

// vary tells caches what the answer to a page of another site depends on.
var vary = []string{"Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"}

// preflight answers a browser that asks whether a page of another site may send a
// request. Nobody signs that: the answer is in the rules of the bucket alone, and says
// nothing else of it; of one without rules, not even whether it is there.
func (c *s3Call) preflight(ctx context.Context) error {
	h := c.request.Header
	from := s3.CrossOrigin{Origin: h.Get("Origin"), Method: h.Get("Access-Control-Request-Method"), Headers: h.Get("Access-Control-Request-Headers")}
	switch {
	case from.Origin == "":
		return s3err.OriginMissing()
	case !slices.Contains(s3.CORSMethods, from.Method):
		return s3err.RequestMethodInvalid(from.Method)
	}
	rules, err := c.rules(ctx)
	switch {
	case err != nil:
		return err
	case rules == nil:
		return s3err.CrossOriginNotEnabled()
	case !rules.Answer(c.writer.Header(), from):
		return s3err.CrossOriginNotAllowed()
	}
	c.writer.Header()["Vary"] = vary
	c.writer.WriteHeader(http.StatusOK)
	return nil
}

// showTo lets a page of another site see the answer to its request, if the rules of
// the bucket do. Errors are answers too: the page is to see what it may not do.
func (c *s3Call) showTo(ctx context.Context, origin string) error {
	rules, err := c.rules(ctx)
	if err != nil || rules == nil {
		return err
	}
	c.writer.Header()["Vary"] = vary
	rules.Answer(c.writer.Header(), s3.CrossOrigin{Origin: origin, Method: c.request.Method})
	return nil
}

// rules are those of the bucket that the request names; nil if it has none.
func (c *s3Call) rules(ctx context.Context) (*s3.CORS, error) {
	name, ok := c.store.classifier.BucketOf(sigv4.RequestOf(c.request))
	if !ok {
		return nil, nil
	}
	b, err := c.store.buckets.find(ctx, name)
	if err != nil {
		return nil, err
	}
	return b.cors, nil
}

func (c *s3Call) getCORS(ctx context.Context) error {
	b, err := c.kept(ctx)
	switch {
	case err != nil:
		return err
	case b.CORS == "":
		return s3err.CORSNotFound()
	}
	c.writer.Header().Set("Content-Type", "application/xml")
	return c.answer([]byte(b.CORS))
}

func (c *s3Call) putCORS(ctx context.Context, document []byte) error {
	rules, err := s3.ParseCORS(document)
	if err != nil {
		return err
	}
	text, err := rules.Document()
	if err != nil {
		return err
	}
	return c.change(ctx, http.StatusOK, func(b *identity.Bucket) { b.CORS = string(text) })
}
