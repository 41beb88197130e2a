package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/audit"
	"iamserver/runtime/server"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/memory"
)

// An interruptedStore lets something happen at a chosen moment of a request.
type interruptedStore struct {
	storage.Store

	beforeView, beforeUpdate func()       // each called once
	afterUpdate              func() error // its error is that of a commit
}

func once(hook *func()) {
	if fn := *hook; fn != nil {
		*hook = nil
		fn()
	}
}

func (s *interruptedStore) View(ctx context.Context, fn func(storage.Reader) error) error {
	once(&s.beforeView)
	return s.Store.View(ctx, fn)
}

func (s *interruptedStore) Update(ctx context.Context, fn func(storage.Tx) error) (storage.Revision, error) {
	once(&s.beforeUpdate)
	revision, err := s.Store.Update(ctx, fn)
	if err == nil && s.afterUpdate != nil {
		if err := s.afterUpdate(); err != nil {
			return 0, err
		}
	}
	return revision, err
}

func openInterrupted(t *testing.T) (*fixture, *interruptedStore) {
	t.Helper()
	store := &interruptedStore{Store: memory.Open()}
	return open(t, func(c *server.Config) { c.Store = store }), store
}

// What happens to the caller between the decision and the transaction counts.
func TestCallerChangesMeanwhile(t *testing.T) {
	for _, tt := range []struct {
		name      string
		meanwhile []string // an action of root
		status    int
		code      string
	}{
		{"a tag of the caller is nothing to the request", []string{"TagUser", "UserName", "alice", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red"}, 200, ""},
		{"a new name of the caller is nothing to the request", []string{"UpdateUser", "UserName", "alice", "NewUserName", "alicia"}, 200, ""},
		{"a caller that is disabled is refused", []string{"SetUserStatus", "UserName", "alice", "Status", "Inactive"}, 403, "InvalidClientTokenId"},
		{"a caller whose key is switched off is refused", []string{"UpdateAccessKey", "UserName", "alice", "AccessKeyId", "alices1", "Status", "Inactive"}, 403, "InvalidClientTokenId"},
		{"a caller whose key is deleted is refused", []string{"DeleteAccessKey", "UserName", "alice", "AccessKeyId", "alices1"}, 403, "InvalidClientTokenId"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, store := openInterrupted(t)
			alice := key{AccessKeyID: "alices1", SecretAccessKey: "long enough"}
			f.must(t, f.root, "CreateUser", "UserName", "alice")
			f.must(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", alice.AccessKeyID, "SecretAccessKey", alice.SecretAccessKey)
			store.beforeUpdate = func() { f.must(t, f.root, tt.meanwhile[0], tt.meanwhile[1:]...) }
			status, body := do(t, f.request(t, alice, "CreateAccessKey"))
			require.Equal(t, []any{tt.status, tt.code}, []any{status, element(body, "Code")}, body)
			require.Nil(t, store.beforeUpdate, "it has happened")
		})
	}
	t.Run("a key that came back with another secret is another key", func(t *testing.T) {
		f, store := openInterrupted(t)
		alice := key{AccessKeyID: "alices1", SecretAccessKey: "long enough"}
		f.must(t, f.root, "CreateUser", "UserName", "alice")
		f.must(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", alice.AccessKeyID, "SecretAccessKey", alice.SecretAccessKey)
		store.beforeUpdate = func() {
			f.must(t, f.root, "DeleteAccessKey", "UserName", "alice", "AccessKeyId", alice.AccessKeyID)
			f.must(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", alice.AccessKeyID, "SecretAccessKey", "another secret")
		}
		_, code, _ := refusal(t, f.request(t, alice, "CreateAccessKey"))
		require.Equal(t, "InvalidClientTokenId", code)
	})
}

// A user that is deleted while its request is under way is nobody, and no fault
// of the server.
func TestCallerIsDeletedMeanwhile(t *testing.T) {
	f, store := openInterrupted(t)
	alice := f.user(t, "alice")
	f.must(t, alice, "GetUser") // from here on the key is known without reading
	store.beforeView = func() {
		f.must(t, f.root, "DeleteAccessKey", "UserName", "alice", "AccessKeyId", alice.AccessKeyID)
		f.must(t, f.root, "DeleteUser", "UserName", "alice")
	}
	_, code, _ := refusal(t, f.request(t, alice, "ListAccessKeys"))
	require.Equal(t, "InvalidClientTokenId", code)
	require.Nil(t, store.beforeView, "it has happened")
}

// A commit that failed may be in the store all the same. What the server keeps
// in memory must not say otherwise than the store.
func TestFailedCommitIsSeen(t *testing.T) {
	f, store := openInterrupted(t)
	alice := f.user(t, "alice")
	f.must(t, alice, "GetUser")
	store.afterUpdate = func() error { return errors.New("the disk is gone") }
	status, code, _ := refusal(t, f.request(t, f.root, "SetUserStatus", "UserName", "alice", "Status", "Inactive"))
	require.Equal(t, []any{500, "ServiceFailure"}, []any{status, code})
	store.afterUpdate = nil
	require.Contains(t, f.must(t, f.root, "GetUser", "UserName", "alice"), "<Status>Inactive</Status>")
	_, code, _ = refusal(t, f.request(t, alice, "GetUser"))
	require.Equal(t, "InvalidClientTokenId", code)
}

// A panic is answered, and the log shows where it was.
func TestPanicIsLoggedWithItsPlace(t *testing.T) {
	f, store := openInterrupted(t)
	var output lockedBuffer
	g := open(t, func(c *server.Config) {
		c.Store, c.Log = store, slog.New(slog.NewTextHandler(&output, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	store.beforeView = func() { panic("a bug") }
	status, code, message := refusal(t, g.request(t, f.root, "ListUsers"))
	require.Equal(t, []any{500, "ServiceFailure"}, []any{status, code})
	require.NotContains(t, message, "a bug")
	require.Contains(t, output.String(), "panic: a bug")
	require.Contains(t, output.String(), "TestPanicIsLoggedWithItsPlace")
	require.Contains(t, output.String(), "action=iam:ListUsers")
}

// A panickingAuditor fails where no answer can tell it.
type panickingAuditor struct{ auditor }

func (*panickingAuditor) Write(*audit.Record) error { panic("a bug of the auditor") }

func TestPanicOutsideOfTheActionIsLogged(t *testing.T) {
	var output lockedBuffer
	f := open(t, func(c *server.Config) {
		c.Audit, c.Log = &panickingAuditor{}, slog.New(slog.NewTextHandler(&output, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	response, err := http.DefaultClient.Do(f.request(t, f.root, "ListUsers"))
	if err == nil {
		require.NoError(t, response.Body.Close())
	}
	require.Error(t, err, "the connection ends")
	require.Contains(t, output.String(), "panic: a bug of the auditor")
	require.Contains(t, output.String(), "panickingAuditor")
}

// Parameters come from one place. Names that begin as those of a signature do
// are no exception, unless the signature is there.
func TestQueryOfAPOST(t *testing.T) {
	f := open(t, nil)
	_, code, _ := refusal(t, f.signed(t, f.root, http.MethodPost, "/?X-Amz-Meta=1", form("ListUsers"), nil))
	require.Equal(t, "MalformedQueryString", code)
	_, code, _ = refusal(t, f.signed(t, f.root, http.MethodPost, "/?%58-Amz-Meta=1", form("ListUsers"), nil))
	require.Equal(t, "MalformedQueryString", code)
}
