package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
	"iamserver/runtime/server"
)

// overStore serves a store that has every bucket and object, and says so to whatever
// it is asked.
func overStore(t *testing.T) *fixture {
	t.Helper()
	return overHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusOK)
	}))
}

// overHandler serves a store that answers as a handler does.
func overHandler(t *testing.T, handler http.Handler) *fixture {
	t.Helper()
	return open(t, storeBehind(t, handler))
}

func storeBehind(t *testing.T, handler http.Handler) func(*server.Config) {
	t.Helper()
	store := httptest.NewServer(handler)
	t.Cleanup(store.Close)
	endpoint, err := url.Parse(store.URL)
	require.NoError(t, err)
	return func(c *server.Config) {
		c.S3 = &server.S3{Upstream: s3.Upstream{
			Endpoint: endpoint, Region: "us-east-1", AccessKeyID: "store", SecretAccessKey: "secret", Owner: "owner", Transport: http.DefaultTransport, Now: clock,
		}}
	}
}

// What the policy of a bucket gives to a user, a service account of the user has
// only as far as its own policy goes; and the user itself has it without a policy.
func TestServiceAccountsBelowABucketPolicy(t *testing.T) {
	f := overStore(t)
	alice := f.user(t, "alice")
	account := func(policy string) key {
		parameters := []string{"ParentUser", "alice"}
		if policy != "" {
			parameters = append(parameters, "Policy", policy)
		}
		made := f.must(t, f.root, "CreateServiceAccount", parameters...)
		return key{AccessKeyID: element(made, "AccessKeyId"), SecretAccessKey: element(made, "SecretAccessKey")}
	}
	bare, reader, other := account(""), account(allow(`"s3:GetObject"`, photos+"/*")), account(allow(`"s3:*"`, "arn:aws:s3:::other/*"))
	for _, principal := range []string{`{"AWS":"arn:aws:iam::123456789012:user/alice"}`, `"*"`} {
		status, answer := do(t, f.object(t, f.root, http.MethodPut, "/photos?policy",
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":`+principal+`,"Action":["s3:GetObject","s3:PutObject"],"Resource":"`+photos+`/*"}}`, nil))
		require.Equal(t, http.StatusNoContent, status, answer)
		for _, tt := range []struct {
			name     string
			by       key
			get, put int
		}{
			{"the user", alice, 200, 200},
			{"a service account without a policy", bare, 200, 200},
			{"a service account whose policy allows one of them", reader, 200, 403},
			{"a service account whose policy is about something else", other, 403, 403},
		} {
			status, answer := do(t, f.object(t, tt.by, http.MethodGet, "/photos/k", "", nil))
			require.Equal(t, tt.get, status, "%s of %s: %s", tt.name, principal, answer)
			status, answer = do(t, f.object(t, tt.by, http.MethodPut, "/photos/k", "text", nil))
			require.Equal(t, tt.put, status, "%s of %s: %s", tt.name, principal, answer)
		}
	}
	_, answer := do(t, f.object(t, reader, http.MethodPut, "/photos/k", "text", nil))
	require.Contains(t, element(answer, "Message"), "because no service account policy allows the s3:PutObject action")
}

// Policies of buckets name users by what they are, not by their names.
func TestUserMadeAgainHasNothingInABucketPolicy(t *testing.T) {
	f := overStore(t)
	alice := f.user(t, "alice")
	status, answer := do(t, f.object(t, f.root, http.MethodPut, "/photos?policy",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"s3:GetObject","Resource":"`+photos+`/*"}}`, nil))
	require.Equal(t, http.StatusNoContent, status, answer)
	status, _ = do(t, f.object(t, alice, http.MethodGet, "/photos/k", "", nil))
	require.Equal(t, http.StatusOK, status)

	f.must(t, f.root, "DeleteAccessKey", "UserName", "alice", "AccessKeyId", alice.AccessKeyID)
	f.must(t, f.root, "DeleteUser", "UserName", "alice")
	again := f.user(t, "alice")
	status, answer = do(t, f.object(t, again, http.MethodGet, "/photos/k", "", nil))
	require.Equal(t, http.StatusForbidden, status, answer)
}
