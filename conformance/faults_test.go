package conformance_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/derive"
	"iamserver/conformance/objects"
	"iamserver/conformance/replay"
	"iamserver/generated/iamapi"
	"iamserver/runtime/server"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/memory"
)

// A brokenStore fails once it is told to: at once, or by reading otherwise in
// transactions than on snapshots, as if somebody else wrote all the time.
type brokenStore struct {
	storage.Store

	fails, changes atomic.Bool
	reads          atomic.Uint64
}

var errBroken = errors.New("the disk is on fire")

func (s *brokenStore) View(ctx context.Context, fn func(storage.Reader) error) error {
	if s.fails.Load() {
		return errBroken
	}
	return s.Store.View(ctx, fn)
}

func (s *brokenStore) Update(ctx context.Context, fn func(storage.Tx) error) (storage.Revision, error) {
	if s.fails.Load() {
		return 0, errBroken
	}
	return s.Store.Update(ctx, func(tx storage.Tx) error {
		if s.changes.Load() {
			tx = restlessTx{tx, &s.reads}
		}
		return fn(tx)
	})
}

// A restlessTx never reads the same twice.
type restlessTx struct {
	storage.Tx

	reads *atomic.Uint64
}

func (t restlessTx) Get([]byte) ([]byte, bool, error) {
	return binary.BigEndian.AppendUint64(nil, t.reads.Add(1)), true, nil
}

// least returns, by action, the generated case with the least parameters.
func least(t *testing.T) map[string]*conformance.Case {
	t.Helper()
	cases, err := derive.Cases()
	require.NoError(t, err)
	found := map[string]*conformance.Case{}
	for _, c := range cases {
		if strings.HasSuffix(c.Name, "/least") {
			found[c.Actions[0]] = c
		}
	}
	return found
}

// answers replays what an action asks for at least, and returns code and status.
func answers(t *testing.T, r *replay.Runner, c *conformance.Case) (string, int) {
	t.Helper()
	session := r.NewSession(0, c)
	sent, err := session.Request(t.Context(), c.Steps[0])
	require.NoError(t, err)
	answer, err := session.Send(sent)
	require.NoError(t, err)
	root, err := conformance.ParseAnswer(answer.Body())
	require.NoError(t, err)
	if root.Name != "ErrorResponse" {
		return "", answer.Status()
	}
	return root.Child("Error").Child("Code").Text.String(), answer.Status()
}

// Errors that no client can provoke are answered where the store fails.
func TestFaults(t *testing.T) {
	store := &brokenStore{Store: memory.Open()}
	runner, err := replay.New(t.Context(), openStore(t, store, nil))
	require.NoError(t, err)

	store.changes.Store(true)
	for _, action := range []string{"TagUser", "UntagUser", "DeleteUser", "UpdateUser"} {
		code, status := answers(t, runner, least(t)[action])
		require.Equal(t, "ConcurrentModification", code, action)
		require.Equal(t, 409, status, action)
	}
	store.changes.Store(false)

	// The server keeps what it read last: the alias must change after the runner has looked for one.
	code, _ := answers(t, runner, least(t)["CreateAccountAlias"])
	require.Empty(t, code)

	store.fails.Store(true)
	for action, c := range least(t) {
		if action == "GetCallerIdentity" {
			continue // the root user is not stored
		}
		code, status := answers(t, runner, c)
		require.Equal(t, "ServiceFailure", code, action)
		require.Equal(t, 500, status, action)
	}
}

// Quotas of the whole account, which are too large to fill, hold.
func TestQuotas(t *testing.T) {
	quotas := iamapi.DefaultQuotas()
	quotas.UsersQuota, quotas.GroupsQuota, quotas.PoliciesQuota = 1, 1, 1
	runner, err := replay.New(t.Context(), openStore(t, memory.Open(), &quotas))
	require.NoError(t, err)
	for _, action := range []string{"CreateUser", "CreateGroup", "CreatePolicy"} {
		c := least(t)[action]
		code, status := answers(t, runner, c)
		require.Empty(t, code, action)
		require.Equal(t, 200, status, action)
		second := *c
		step := *c.Steps[0]
		request := *step.Request
		body, err := conformance.ParseTemplate(strings.ReplaceAll(request.Body.String(), "{{name}}", "second"))
		require.NoError(t, err)
		request.Body = body
		step.Request = &request
		second.Steps = []*conformance.Step{&step}
		code, status = answers(t, runner, &second)
		require.Equal(t, "LimitExceeded", code, action)
		require.Equal(t, 409, status, action)
	}
}

// openStore serves an account of a store.
func openStore(t testing.TB, store storage.Store, quotas *iamapi.Quotas) replay.Config {
	t.Helper()
	root := replay.Credentials{AccessKeyID: "AKIAROOT", SecretAccessKey: "the secret of root"}
	s, err := server.Open(t.Context(), server.Config{
		Store: store, Sealer: plainSealer{}, Account: "123456789012", Quotas: quotas,
		Root: server.RootKey{AccessKeyID: root.AccessKeyID, SecretAccessKey: root.SecretAccessKey}, Now: now,
		S3: &server.S3{Operations: objects.Operations()},
	})
	require.NoError(t, err)
	web := httptest.NewServer(s.Authorize(objects.New()))
	t.Cleanup(web.Close)
	return replay.Config{Endpoint: web.URL, Credentials: root, Now: now, Levels: conformance.Levels(), Parallel: 8}
}
