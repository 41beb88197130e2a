package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/managed"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/bolt"
)

// What is attached to a user decides with the next request, though nobody wrote it.
func TestPolicyOfAWSDecides(t *testing.T) {
	f := open(t, nil)
	alice := f.user(t, "alice")
	status := func(action string, parameters ...string) int {
		status, _ := do(t, f.request(t, alice, action, parameters...))
		return status
	}
	const readOnly = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
	require.Equal(t, http.StatusForbidden, status("ListUsers"))
	f.must(t, f.root, "AttachUserPolicy", "UserName", "alice", "PolicyArn", readOnly)
	require.Equal(t, http.StatusOK, status("ListUsers"))
	require.Equal(t, http.StatusOK, status("GetPolicyVersion", "PolicyArn", readOnly, "VersionId", "v1"))
	require.Equal(t, http.StatusForbidden, status("CreateUser", "UserName", "mallory"))
	require.Equal(t, http.StatusForbidden, status("AttachUserPolicy", "UserName", "alice", "PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"))

	f.must(t, f.root, "AttachUserPolicy", "UserName", "alice", "PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")
	require.Equal(t, http.StatusOK, status("CreateUser", "UserName", "bob"))
	f.must(t, f.root, "PutUserPermissionsBoundary", "UserName", "alice", "PermissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess")
	require.Equal(t, http.StatusForbidden, status("CreateUser", "UserName", "carol"))
	require.Equal(t, http.StatusForbidden, status("ListUsers"), "a boundary holds against what is attached")

	// Administrators cannot change AWS's policies either.
	f.must(t, f.root, "DeleteUserPermissionsBoundary", "UserName", "alice")
	_, code, message := refusal(t, f.request(t, alice, "DeletePolicy", "PolicyArn", readOnly))
	require.Equal(t, []string{"AccessDenied", "Policy is outside your own account."}, []string{code, message})
}

// Attachments survive a restart; a user with a policy that is not there any more
// can do nothing until it is detached, since it may have denied something.
func TestPolicyOfAWSThatGoes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Listers.json"),
		[]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:List*","Resource":"*"}}`), 0o600))
	loaded, err := managed.Load(dir)
	require.NoError(t, err)
	store, err := bolt.Open(filepath.Join(t.TempDir(), "iam.db"), bolt.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	const listers = "arn:aws:iam::aws:policy/Listers"
	serve := func(p *managed.Policies) *fixture {
		return open(t, func(c *server.Config) { c.Store, c.Managed = store, p })
	}

	f := serve(loaded)
	alice := f.user(t, "alice")
	f.must(t, f.root, "AttachUserPolicy", "UserName", "alice", "PolicyArn", listers)
	f.must(t, alice, "ListUsers")
	f = serve(loaded)
	f.must(t, alice, "ListUsers")

	f = serve(nil)
	status, _ := do(t, f.request(t, alice, "ListUsers"))
	require.NotEqual(t, http.StatusOK, status)
	require.Equal(t, listers, element(f.must(t, f.root, "ListAttachedUserPolicies", "UserName", "alice"), "PolicyArn"))
	f.must(t, f.root, "DetachUserPolicy", "UserName", "alice", "PolicyArn", listers)
	_, code, _ := refusal(t, f.request(t, alice, "ListUsers"))
	require.Equal(t, "AccessDenied", code)
}
