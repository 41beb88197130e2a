package server_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/runtime/iam"
	"iamserver/runtime/server"
)

// A narrower puts a document of its own in the place of every other.
type narrower struct{ document string }

func (narrower) Validates() bool { return true }

func (n narrower) ValidatePolicy(_ context.Context, _ *pluginapi.ValidatePolicyRequest, check func([]byte) error) (iam.Validation, error) {
	if err := check([]byte(n.document)); err != nil {
		return iam.Validation{}, err
	}
	return iam.Validation{Document: []byte(n.document), Replacements: []iam.Replacement{{Plugin: "narrower", Before: "b", After: "a"}}}, nil
}

// What a validator puts in the place of a document is what is stored and what
// counts; the audit log has both hashes. One that is too large for the user is
// refused as the caller's own would be.
func TestReplacedDocumentCounts(t *testing.T) {
	log := &auditor{}
	f := open(t, func(c *server.Config) {
		c.Audit, c.Validator = log, narrower{allow(`"iam:ListUsers"`, "*")}
	})
	alice := f.user(t, "alice")
	f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", allow(`"*"`, "*"))
	require.Equal(t, map[string]any{"policyReplacements": []iam.Replacement{{Plugin: "narrower", Before: "b", After: "a"}}}, log.records[len(log.records)-1].AdditionalEventData)
	f.must(t, alice, "ListUsers")
	status, _ := do(t, f.request(t, alice, "ListGroups"))
	require.Equal(t, http.StatusForbidden, status)

	large := open(t, func(c *server.Config) {
		var actions []byte
		for range 200 {
			actions = append(actions, `"iam:ListUsers",`...)
		}
		c.Validator = narrower{allow("["+string(actions[:len(actions)-1])+"]", "*")}
	})
	large.user(t, "alice")
	_, code, _ := refusal(t, large.request(t, large.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", allow(`"*"`, "*")))
	require.Equal(t, "LimitExceeded", code)
}

// A repeater makes each id twice, and does not look whether there is one.
type repeater struct {
	asked int
	err   error
}

func (*repeater) Generates() bool            { return true }
func (*repeater) CheckSupplied(string) error { return nil }

func (r *repeater) GenerateAccessKey(context.Context, *pluginapi.GenerateAccessKeyRequest, func(string) (bool, error)) (iam.Key, error) {
	r.asked++
	id := "ACMEACMEACMEACMEACM" + string(rune('A'+r.asked/2))
	return iam.Key{AccessKeyID: id, Secret: []byte("a secret that the plugin made itself"), Plugin: "keys"}, r.err
}

// An id that is taken only when the key is stored makes the generator be asked
// again; a failure is not told.
func TestTakenIdsAreMadeAnew(t *testing.T) {
	r := &repeater{}
	f := open(t, func(c *server.Config) { c.Generator = r })
	alice := f.user(t, "alice")
	require.Equal(t, key{AccessKeyID: "ACMEACMEACMEACMEACMA", SecretAccessKey: "a secret that the plugin made itself"}, alice)
	made := f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice")
	require.Equal(t, "ACMEACMEACMEACMEACMB", element(made, "AccessKeyId"))
	made = f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice")
	require.Equal(t, "ACMEACMEACMEACMEACMC", element(made, "AccessKeyId"))
	require.Equal(t, 4, r.asked)
	f.must(t, alice, "GetUser")

	r.err = errors.New("it trapped")
	_, code, message := refusal(t, f.request(t, f.root, "CreateAccessKey", "UserName", "alice"))
	require.Equal(t, "ServiceFailure", code)
	require.NotContains(t, message, "trapped")
}
