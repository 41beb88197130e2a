package server

import (
	"context"
	"errors"

	"iamserver/generated/s3err"
	"iamserver/runtime/authz"
	"iamserver/runtime/s3"
)

// postForm puts the file of a form that a browser posted. The caller is who signed
// the form's policy, whoever posted it; the fields stand for headers.
func (c *s3Call) postForm(ctx context.Context) error {
	if c.auth != nil {
		return s3err.OneAuthentication()
	}
	// Nobody knows yet who the caller is: the fields are few, and have to come soon.
	c.writer.patience.hurry()
	form, err := c.store.classifier.ReadForm(&c.req, c.request.Header.Get("Content-Type"), c.request.Body)
	if err != nil {
		return err
	}
	if err := c.signedForm(ctx, form); err != nil {
		return err
	}
	if err := form.CheckPolicy(c.req.Bucket, c.start); err != nil {
		return err
	}
	if err := c.acceptable(); err != nil {
		return err
	}
	c.needs = c.req.AppendNeeds(c.needs[:0])
	if err := c.allowed(ctx, c.needs); err != nil {
		return err
	}
	c.writer.patience.relax()
	return c.putFile(ctx, form)
}

// signedForm finds out who signed the policy of the form, or that nobody did.
func (c *s3Call) signedForm(ctx context.Context, form *s3.Form) error {
	if !form.Signed() {
		return nil // it stays with Anonymous
	}
	post := form.Post()
	if _, old := form.Field("AWSAccessKeyId"); old && post.Signature == "" {
		return s3err.MechanismNotSupported()
	}
	identity, err := c.store.verifier.VerifyPost(ctx, post)
	if err != nil {
		return err
	}
	c.auth, c.posted = identity.Authorization, true
	c.cred, c.principal = identity.Principal, identity.Principal.principal
	c.store.server.used.record(c.principal, s3Service, c.auth.Region, c.start)
	return nil
}

// mostSpooled bounds the files of forms that are on disk at a time: each may be as
// long as an object, and as slow as an upload.
const mostSpooled = 16

// putFile has the store put the file, once it is there as a whole: a form does not
// say how long its file is.
func (c *s3Call) putFile(ctx context.Context, form *s3.Form) (err error) {
	if length := c.request.ContentLength; length < 0 || length > s3.FileInMemory {
		if !c.store.spoolPlace(ctx) {
			return s3err.TooManyForms()
		}
		defer func() { <-c.store.spooled }()
	}
	file, err := form.ReadFile(c.store.config.Spool)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	body, err := c.req.NewFormBody(file)
	if err != nil {
		return err
	}
	return c.forward(ctx, s3.Content{Body: body})
}

// spoolPlace waits for one of the places on disk, and reports whether it got it.
func (o *objectStore) spoolPlace(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, o.formWait)
	defer cancel()
	select {
	case o.spooled <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// isAnonymous reports whether nobody signed the request.
func (c *s3Call) isAnonymous() bool { return c.principal.Type == authz.Anonymous }
