package server_test

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/runtime/authz"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

// A request that reads a single record which was read before reads no snapshot, and
// answers what there is nevertheless.
func TestSingleRecordsAreKept(t *testing.T) {
	store := &countingStore{Store: memory.Open()}
	f := open(t, func(c *server.Config) { c.Store = store })
	f.must(t, f.root, "CreateUser", "UserName", "alice", "Path", "/a/")
	f.must(t, f.root, "CreateUser", "UserName", "bob", "Path", "/b/")
	path := func(user string) (path string, snapshots int64) {
		before := store.views.Load()
		status, body := do(t, f.request(t, f.root, "GetUser", "UserName", user))
		if status != http.StatusOK {
			return element(body, "Code"), store.views.Load() - before
		}
		return element(body, "Path"), store.views.Load() - before
	}
	for _, tt := range []struct {
		name      string
		change    []string
		user      string
		path      string
		snapshots int64
	}{
		{"first", nil, "alice", "/a/", 1},
		{"again", nil, "alice", "/a/", 0},
		{"in another case", nil, "ALICE", "/a/", 0},
		{"another user", nil, "bob", "/b/", 1},
		{"both are kept", nil, "alice", "/a/", 0},
		{"one that is not there", nil, "carol", "NoSuchEntity", 1},
		{"that one is not there is kept too", nil, "carol", "NoSuchEntity", 0},
		{"after a refusal", nil, "alice", "/a/", 0},
		{"after it came to be", []string{"CreateUser", "UserName", "Carol", "Path", "/f/"}, "carol", "/f/", 1},
		{"after a change", []string{"UpdateUser", "UserName", "alice", "NewPath", "/c/"}, "alice", "/c/", 1},
		{"after a change of another one", []string{"UpdateUser", "UserName", "bob", "NewPath", "/d/"}, "alice", "/c/", 0},
		{"after it has another name", []string{"UpdateUser", "UserName", "alice", "NewUserName", "alicia"}, "alice", "NoSuchEntity", 1},
		{"by the other name", nil, "alicia", "/c/", 1},
		{"after it is gone", []string{"DeleteUser", "UserName", "alicia"}, "alicia", "NoSuchEntity", 1},
		{"after another one has the name", []string{"CreateUser", "UserName", "alicia", "Path", "/e/"}, "alicia", "/e/", 1},
	} {
		if tt.change != nil {
			f.must(t, f.root, tt.change[0], tt.change[1:]...)
		}
		path, snapshots := path(tt.user)
		require.Equal(t, []any{tt.path, tt.snapshots}, []any{path, snapshots}, tt.name)
	}
}

// An interrupter lets something happen in the middle of decisions.
type interrupter struct {
	asked     []string // the actions
	meanwhile func()
	word      authz.Word
}

func (*interrupter) Interested(action, _, _ string, _ pluginapi.EngineDecision) bool {
	return action == "iam:GetUser" || action == "iam:ListUsers"
}

func (i *interrupter) Authorize(_ context.Context, req *pluginapi.AuthorizeRequest, _ authz.KeyValues) (authz.Word, error) {
	i.asked = append(i.asked, req.Action)
	once(&i.meanwhile)
	return i.word, nil
}

// Whoever may not ask does not learn from the time that a refusal takes whether there
// is such a user: where neither is read from the store, or both are.
func TestRefusalsReadTheSame(t *testing.T) {
	store := &countingStore{Store: memory.Open()}
	f := open(t, func(c *server.Config) { c.Store = store })
	alice := f.user(t, "alice")
	f.must(t, f.root, "CreateUser", "UserName", "bob")
	f.must(t, f.root, "GetUser", "UserName", "alice")
	snapshots := func(user string) int64 {
		before := store.views.Load()
		_, code, _ := refusal(t, f.request(t, alice, "GetUser", "UserName", user))
		require.Equal(t, "AccessDenied", code)
		return store.views.Load() - before
	}
	snapshots("bob") // reads the caller, too
	snapshots("carol")
	for range 3 {
		require.Equal(t, []int64{0, 0}, []int64{snapshots("bob"), snapshots("carol")})
	}
}

// What is kept is looked at again before it is answered: nobody is told of a user
// that was deleted while the request was decided.
func TestKeptRecordChangesMeanwhile(t *testing.T) {
	hook := &interrupter{}
	f := open(t, func(c *server.Config) { c.Hook = hook })
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	f.must(t, f.root, "GetUser", "UserName", "alice")
	f.must(t, f.root, "GetUser", "UserName", "alice")
	require.Len(t, hook.asked, 2, "once for each request")
	hook.meanwhile = func() { f.must(t, f.root, "DeleteUser", "UserName", "alice") }
	status, body := do(t, f.request(t, f.root, "GetUser", "UserName", "alice"))
	require.Equal(t, []any{http.StatusNotFound, "NoSuchEntity"}, []any{status, element(body, "Code")}, body)
	require.Len(t, hook.asked, 4, "and again about what has become of it")
}

// What was decided on a record that has changed since is nothing to the audit log,
// not even where nothing is left to decide on.
func TestDecisionOnAChangedRecordIsForgotten(t *testing.T) {
	hook, log := &interrupter{}, &auditor{}
	f := open(t, func(c *server.Config) { c.Hook, c.Audit = hook, log })
	alice := f.user(t, "alice")
	f.must(t, alice, "GetUser")
	hook.word = authz.Word{Effect: authz.Denies, Plugin: "closed"}
	hook.meanwhile = func() {
		f.must(t, f.root, "DeleteAccessKey", "UserName", "alice", "AccessKeyId", alice.AccessKeyID)
		f.must(t, f.root, "DeleteUser", "UserName", "alice")
	}
	_, code, _ := refusal(t, f.request(t, alice, "GetUser"))
	require.Equal(t, "InvalidClientTokenId", code)
	last := log.records[len(log.records)-1]
	require.Equal(t, []any{"InvalidClientTokenId", map[string]any(nil)}, []any{last.ErrorCode, last.AdditionalEventData})
}

// A refusal says nothing about how much an action reads: were it so, whoever is
// refused could have the requests of others carried out twice.
func TestRefusalsTeachNothing(t *testing.T) {
	hook := &interrupter{}
	f := open(t, func(c *server.Config) { c.Hook = hook })
	alice := f.user(t, "alice")
	_, code, _ := refusal(t, f.request(t, alice, "ListUsers"))
	require.Equal(t, "AccessDenied", code)
	hook.asked = nil
	f.must(t, f.root, "ListUsers")
	require.Equal(t, []string{"iam:ListUsers"}, hook.asked)
}

// What somebody has been shown, nobody is told otherwise of afterwards, though the
// change that made it so has not been acknowledged.
func TestWhatOneHasSeenStays(t *testing.T) {
	f, store := openInterrupted(t)
	f.must(t, f.root, "CreateUser", "UserName", "alice", "Path", "/before/")
	f.must(t, f.root, "GetUser", "UserName", "alice")
	f.must(t, f.root, "GetUser", "UserName", "alice")
	store.afterUpdate = func() error { // committed, and Update has not returned
		store.afterUpdate = nil
		require.Equal(t, "/after/", element(f.must(t, f.root, "ListUsers"), "Path"))
		require.Equal(t, "/after/", element(f.must(t, f.root, "GetUser", "UserName", "alice"), "Path"))
		return nil
	}
	f.must(t, f.root, "UpdateUser", "UserName", "alice", "NewPath", "/after/")
	require.Nil(t, store.afterUpdate, "it has happened")
}

// Whoever asks after a change was acknowledged is answered what the change left, or
// what a later one did.
func TestNobodySeesWhatWasBefore(t *testing.T) {
	f := open(t, nil)
	f.must(t, f.root, "CreateUser", "UserName", "alice", "Path", "/0/")
	var acknowledged atomic.Int64
	writing := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		defer close(writing)
		for n := range int64(100) {
			f.must(t, f.root, "UpdateUser", "UserName", "alice", "NewPath", "/"+strconv.FormatInt(n, 10)+"/")
			acknowledged.Store(n)
		}
	})
	for range 4 {
		all.Go(func() {
			for more := true; more; {
				select {
				case <-writing:
					more = false
				default:
				}
				least := acknowledged.Load()
				path := element(f.must(t, f.root, "GetUser", "UserName", "alice"), "Path")
				n, err := strconv.ParseInt(path[1:len(path)-1], 10, 64)
				if err != nil || n < least {
					t.Errorf("%d was acknowledged, and then there was %s", least, path)
				}
			}
		})
	}
	all.Wait()
}
