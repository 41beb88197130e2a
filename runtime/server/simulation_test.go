package server_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whose policies are simulated is what the caller must be allowed to do it on:
// simulations tell what others may do.
func TestSimulationIsAuthorizedOnItsPrincipal(t *testing.T) {
	f := open(t, nil)
	alice := f.user(t, "alice")
	f.user(t, "bob")
	f.must(t, f.root, "CreateGroup", "GroupName", "devs")
	const arn = "arn:aws:iam::123456789012:"
	f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "own", "PolicyDocument", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["iam:SimulatePrincipalPolicy","iam:GetContextKeysForPrincipalPolicy","iam:ListPoliciesGrantingServiceAccess"],"Resource":"`+arn+`user/alice"},
		{"Effect":"Allow","Action":"iam:SimulatePrincipalPolicy","Resource":"*","Condition":{"StringEquals":{"iam:ResourceTag/open":"yes"}}}]}`)
	status := func(action, parameter, principal string) int {
		status, _ := do(t, f.request(t, alice, action, parameter, arn+principal, "ActionNames.member.1", "iam:ListUsers", "ServiceNamespaces.member.1", "iam"))
		return status
	}
	for _, action := range []string{"SimulatePrincipalPolicy", "GetContextKeysForPrincipalPolicy", "ListPoliciesGrantingServiceAccess"} {
		parameter := "PolicySourceArn"
		if action == "ListPoliciesGrantingServiceAccess" {
			parameter = "Arn"
		}
		require.Equal(t, http.StatusOK, status(action, parameter, "user/alice"), action)
		for _, other := range []string{"user/bob", "user/carol", "group/devs", "role/R", "user/ALICE", "user/x/alice", "root"} {
			require.Equal(t, http.StatusForbidden, status(action, parameter, other), "%s of %s", action, other)
		}
	}
	f.must(t, f.root, "TagUser", "UserName", "bob", "Tags.member.1.Key", "open", "Tags.member.1.Value", "yes")
	require.Equal(t, http.StatusOK, status("SimulatePrincipalPolicy", "PolicySourceArn", "user/bob"))

	status403, _ := do(t, f.request(t, alice, "SimulateCustomPolicy", "ActionNames.member.1", "iam:ListUsers", "PolicyInputList.member.1", "{}"))
	require.Equal(t, http.StatusForbidden, status403)
}

// What a simulation says is what happens.
func TestSimulationSaysWhatHappens(t *testing.T) {
	f := open(t, nil)
	alice := f.user(t, "alice")
	f.must(t, f.root, "AttachUserPolicy", "UserName", "alice", "PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "not", "PolicyDocument", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListGroups","Resource":"*"}}`)
	for action, want := range map[string]string{"ListUsers": "allowed", "ListGroups": "explicitDeny", "CreateUser": "implicitDeny"} {
		answer := f.must(t, f.root, "SimulatePrincipalPolicy", "PolicySourceArn", "arn:aws:iam::123456789012:user/alice", "ActionNames.member.1", "iam:"+action)
		require.Equal(t, want, element(answer, "EvalDecision"))
		status, _ := do(t, f.request(t, alice, action, "UserName", "x"))
		require.Equal(t, want == "allowed", status == http.StatusOK, action)
	}
}
