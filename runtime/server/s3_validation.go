package server

import (
	"context"
	"errors"
	"fmt"

	"iamserver/generated/pluginapi"
	"iamserver/generated/s3err"
	"iamserver/runtime/iam"
	"iamserver/runtime/policy"
)

// validated returns a bucket policy that may be stored: the caller's, or what
// plugins put in its place.
func (c *s3Call) validated(ctx context.Context, text string) (string, *policy.Document, error) {
	document, err := c.checkPolicy(text)
	v := c.store.server.config.Validator
	if err != nil || v == nil || !v.Validates() {
		return text, document, err
	}
	c.validation, err = v.ValidatePolicy(ctx, &pluginapi.ValidatePolicyRequest{
		Operation: "s3:PutBucketPolicy", Document: []byte(text), Principal: c.principal.ARN, TargetArn: "arn:aws:s3:::" + c.req.Bucket,
		Account: c.store.server.config.Account,
	}, func(replacement []byte) error {
		_, err := c.checkPolicy(string(replacement))
		return iam.Opaque(err)
	})
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("validate a bucket policy: %w", err)
	case len(c.validation.Findings) > 0:
		return "", nil, s3err.PolicyNotValid(c.validation.Message())
	case len(c.validation.Replacements) == 0:
		return text, document, nil
	}
	text = string(c.validation.Document)
	document, err = c.checkPolicy(text)
	return text, document, err
}

func (c *s3Call) checkPolicy(text string) (*policy.Document, error) {
	document, err := policy.ParseBucketPolicy(text)
	if err == nil {
		err = document.ValidateBucketPolicy(c.req.Bucket, s3Reference{})
	}
	if malformed := (*policy.Error)(nil); errors.As(err, &malformed) {
		return nil, s3err.PolicyNotValid(malformed.Message)
	}
	return document, err
}
