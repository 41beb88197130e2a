package hooks_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/plugins/host"
)

const (
	tooMuch = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	modest  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	words   = "Statement[0].Action: Every action on every resource is too much for one statement."
)

// Wherever a policy document is stored, a validator's refusal reaches the caller
// with its words, and nothing is stored.
func TestValidatorRefuses(t *testing.T) {
	f := open(t, config(t, policyRules, host.ValidatePolicy))
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	f.must(t, f.root, "CreateGroup", "GroupName", "staff")
	policy := element(f.must(t, f.root, "CreatePolicy", "PolicyName", "readers", "PolicyDocument", modest), "Arn")
	account := element(f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice", "Policy", modest), "ServiceAccountId")
	for _, request := range [][]string{
		{"PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument"},
		{"PutGroupPolicy", "GroupName", "staff", "PolicyName", "p", "PolicyDocument"},
		{"CreatePolicy", "PolicyName", "admins", "PolicyDocument"},
		{"CreatePolicyVersion", "PolicyArn", policy, "PolicyDocument"},
		{"CreateServiceAccount", "ParentUser", "alice", "Policy"},
		{"UpdateServiceAccount", "ServiceAccountId", account, "Policy"},
	} {
		t.Run(request[0], func(t *testing.T) {
			status, body := f.call(t, f.root, request[0], append(request[1:], tooMuch)...)
			require.Equal(t, http.StatusBadRequest, status, body)
			require.Equal(t, "MalformedPolicyDocument", element(body, "Code"))
			require.Equal(t, words, element(body, "Message"))
			require.Equal(t, map[string]any{"plugin": "policy-rules"}, f.audit.last(t).AdditionalEventData)
		})
	}
	t.Run("PutBucketPolicy", func(t *testing.T) {
		const stranger = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}}`
		status, body := f.send(t, f.root, "s3", http.MethodPut, "/photos?policy", stranger)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.Equal(t, "MalformedPolicy", element(body, "Code"))
		require.Equal(t, "Statement[0].Principal: The account 111122223333 is not ours.", element(body, "Message"))
		require.Equal(t, map[string]any{"plugin": "policy-rules"}, f.audit.last(t).AdditionalEventData)
		status, body = f.send(t, f.root, "s3", http.MethodGet, "/photos?policy", "")
		require.Equal(t, "NoSuchBucketPolicy", element(body, "Code"), status)
	})
	require.NotContains(t, f.must(t, f.root, "ListUserPolicies", "UserName", "alice"), "<member>")
	require.NotContains(t, f.must(t, f.root, "ListGroupPolicies", "GroupName", "staff"), "<member>")
	require.Contains(t, f.must(t, f.root, "ListPolicyVersions", "PolicyArn", policy), "v1")
	require.NotContains(t, f.must(t, f.root, "ListPolicyVersions", "PolicyArn", policy), "v2")
	f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", modest)
}

// A validator that does not do its work, or replaces a document by what is none,
// keeps everything from being stored; the caller is not told why.
func TestHostileValidatorsRefuseWrites(t *testing.T) {
	const bucketPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}}`
	for _, module := range []string{"loop", "replace"} {
		t.Run(module, func(t *testing.T) {
			f := open(t, hostile(t, module, host.ValidatePolicy))
			f.must(t, f.root, "CreateUser", "UserName", "alice")
			status, body := f.call(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", modest)
			require.Equal(t, http.StatusInternalServerError, status, body)
			require.Equal(t, "ServiceFailure", element(body, "Code"))
			require.NotContains(t, body, module)
			require.NotContains(t, f.must(t, f.root, "ListUserPolicies", "UserName", "alice"), "<member>")
			status, body = f.send(t, f.root, "s3", http.MethodPut, "/photos?policy", bucketPolicy)
			require.Equal(t, http.StatusInternalServerError, status, body)
			require.NotContains(t, body, module)
			_, body = f.send(t, f.root, "s3", http.MethodGet, "/photos?policy", "")
			require.Equal(t, "NoSuchBucketPolicy", element(body, "Code"))
		})
	}
}
