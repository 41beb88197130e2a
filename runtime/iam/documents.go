package iam

import (
	"iamserver/generated/iamerr"
	"iamserver/runtime/policy"
)

// checkDocument returns AWS's MalformedPolicyDocument for a policy document
// that breaks the grammar. Its size is another matter.
func checkDocument(document string, kind policy.Kind) error {
	parsed, err := policy.Parse(document)
	if err == nil {
		err = parsed.Validate(kind)
	}
	if err != nil {
		return iamerr.MalformedPolicy(err.Error())
	}
	return nil
}
