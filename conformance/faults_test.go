package conformance_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http/httptest"
	"slices"
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

// declaring returns the actions that declare an error.
func declaring(t *testing.T, code string) []string {
	t.Helper()
	rows, err := derive.Coverage(nil, nil)
	require.NoError(t, err)
	var actions []string
	for _, row := range rows {
		if slices.ContainsFunc(row.Errors, func(e derive.Fact) bool { return e.Name == code }) {
			actions = append(actions, row.Action)
		}
	}
	require.NotEmpty(t, actions)
	return actions
}

// administrator makes a user that may do everything, and a key of it.
func administrator(t *testing.T, r *replay.Runner) replay.Credentials {
	t.Helper()
	c, err := conformance.Parse("administrator.txtar", []byte(`A user may do everything.

level: aws
actions: CreateUser
names: admin
source: the test
-- 1.request --
Action=CreateUser&Version=2010-05-08&UserName={{admin}}
-- 1.response --
200
-- 2.request --
Action=AttachUserPolicy&Version=2010-05-08&UserName={{admin}}&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess
-- 2.response --
200
-- 3.request --
Action=CreateAccessKey&Version=2010-05-08&UserName={{admin}}
-- 3.response --
200
<CreateAccessKeyResponse>
  <CreateAccessKeyResult>
    <AccessKey>
      <AccessKeyId>{{key:any}}</AccessKeyId>
      <SecretAccessKey>{{secret:any}}</SecretAccessKey>
      {{more}}
    </AccessKey>
  </CreateAccessKeyResult>
  {{more}}
</CreateAccessKeyResponse>
`))
	require.NoError(t, err)
	session := r.NewSession(1, c)
	for _, step := range c.Steps {
		sent, err := session.Request(t.Context(), step)
		require.NoError(t, err)
		answer, err := session.Send(sent)
		require.NoError(t, err)
		require.Empty(t, session.Compare(step, answer))
	}
	v := session.Variables()
	return replay.Credentials{AccessKeyID: v["key"], SecretAccessKey: v["secret"]}
}

// A store that fails is no fault of the client.
func TestFaults(t *testing.T) {
	store := &brokenStore{Store: memory.Open()}
	config := openStore(t, store, nil)
	// What was read once may be answered without the store, so nothing is read first.
	config.Profile = &replay.Profile{Account: "123456789012", WithoutActions: []string{"List*"}}
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
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

// Whatever a user does, others may change meanwhile what it is allowed, or what
// it names.
func TestConflicts(t *testing.T) {
	store := &brokenStore{Store: memory.Open()}
	config := openStore(t, store, nil)
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	config.Credentials, config.AllowExisting = administrator(t, runner), true
	asUser, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	store.changes.Store(true)
	for _, action := range declaring(t, "ConcurrentModification") {
		code, status := answers(t, asUser, least(t)[action])
		require.Equal(t, "ConcurrentModification", code, action)
		require.Equal(t, 409, status, action)
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
