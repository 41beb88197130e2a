package hooks_test

import (
	"flag"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iamserver/plugins/host"
)

// Keys have the shape that a generator gives them, and sign requests; the audit
// log tells who made them.
func TestGeneratorShapesKeys(t *testing.T) {
	f := open(t, config(t, companyKey, host.GenerateAccessKey))
	alice := f.user(t, "alice", everything)
	require.Regexp(t, `^ACME[0-9A-Z]{17}$`, alice.AccessKeyID)
	require.Equal(t, map[string]any{"plugin": "company-key"}, f.audit.last(t).AdditionalEventData)
	require.Contains(t, f.must(t, alice, "GetUser"), "alice")
	service := keyOf(f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice"))
	require.Regexp(t, `^ACME[0-9A-Z]{17}$`, service.AccessKeyID)
	require.Len(t, service.SecretAccessKey, 40)
	status, body := f.send(t, service, "s3", http.MethodGet, "/photos/a", "")
	require.Equal(t, http.StatusOK, status, body)

	// No key can be brought past the generator.
	status, body = f.call(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", "chosenchosenchosen", "SecretAccessKey", "a secret of the caller")
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "InvalidInput", element(body, "Code"))
	require.Equal(t, "The access key cannot be used: access keys are made by a plugin, and callers cannot bring their own.", element(body, "Message"))
	// One for whom there is nobody is not made.
	status, body = f.call(t, f.root, "CreateAccessKey", "UserName", "nobody")
	require.Equal(t, http.StatusNotFound, status, body)
	status, body = f.call(t, f.root, "CreateAccessKey")
	require.NotEqual(t, http.StatusOK, status, body)
}

func TestSuppliedKeysOfTheGeneratorsShape(t *testing.T) {
	c := config(t, companyKey, host.GenerateAccessKey)
	c.AllowSupplied = true
	f := open(t, c)
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	const secret = "a secret of the caller"
	f.must(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", "ACME0123456789ABCDEFG", "SecretAccessKey", secret)
	status, body := f.call(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", "OTHER0123456789ABCDEF", "SecretAccessKey", secret)
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "The access key cannot be used: the access key id does not have the shape that the generator declares.", element(body, "Message"))
}

// A generator that fails makes the request fail: the server does not make a key
// in its place.
func TestHostileGeneratorFailsClosed(t *testing.T) {
	f := open(t, hostile(t, "generate_loop", host.GenerateAccessKey))
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	for _, request := range [][]string{{"CreateAccessKey", "UserName", "alice"}, {"CreateServiceAccount", "ParentUser", "alice"}} {
		status, body := f.call(t, f.root, request[0], request[1:]...)
		require.Equal(t, http.StatusInternalServerError, status, body)
		require.Equal(t, "ServiceFailure", element(body, "Code"))
	}
	require.NotContains(t, f.must(t, f.root, "ListAccessKeys", "UserName", "alice"), "<member>")
	require.NotContains(t, f.must(t, f.root, "ListServiceAccounts"), "<member>")
}

// While plugins are reloaded again and again, no request fails but by a plugin's
// own word, and each key has the shape of a generator that there was.
func TestReloadUnderRequests(t *testing.T) {
	guard, keys := config(t, mfaDelete, host.Authorize), config(t, companyKey, host.GenerateAccessKey)
	f := open(t, guard, keys)
	alice := f.user(t, "alice", everything)
	var ended atomic.Bool
	var asked atomic.Int64
	var clients sync.WaitGroup
	for range 2 {
		clients.Go(func() {
			for !ended.Load() {
				status, body := f.send(t, alice, "s3", http.MethodGet, "/photos/a", "")
				assert.Equal(t, http.StatusOK, status, body)
				status, _ = f.send(t, alice, "s3", http.MethodDelete, "/photos/a", "")
				assert.Equal(t, http.StatusForbidden, status, "only the plugin denies it")
				asked.Add(2)
			}
		})
	}
	turns := make(chan struct{}, 1)
	clients.Go(func() {
		for range turns { // the store remembers each change
			made, body := f.call(t, f.root, "CreateAccessKey", "UserName", "alice")
			assert.Equal(t, http.StatusOK, made, body)
			id := element(body, "AccessKeyId")
			assert.Regexp(t, `^(ACME|WIDGET)[0-9A-Z]{17}$`, id)
			deleted, body := f.call(t, f.root, "DeleteAccessKey", "UserName", "alice", "AccessKeyId", id)
			assert.Equal(t, http.StatusOK, deleted, body)
			asked.Add(2)
		}
	})
	reload := func(i int) {
		guard.Limits.AuthorizeFuel = 5_000_000 + int64(i) // another configuration
		keys.Config = []string{`"ACME"`, `"WIDGET"`}[i%2]
		require.NoError(t, f.set.Reload(t.Context(), []host.Config{guard, keys}))
		if i%5 == 0 {
			turns <- struct{}{}
		}
	}
	for i := range 10 { // what is kept for good is kept by then
		reload(i)
	}
	f.forget()
	before := liveHeap()
	for i := range *reloads {
		reload(i)
	}
	ended.Store(true)
	close(turns)
	clients.Wait()
	f.forget()
	growth := int64(liveHeap()) - int64(before) //nolint:gosec // below 2^63
	t.Logf("%d reloads, %d requests, heap growth %d KiB", *reloads, asked.Load(), growth>>10)
	require.Positive(t, asked.Load())
	require.Less(t, growth, int64(2<<20))
}

// Reloads of small modules under requests.
var reloads = flag.Int("reloads", 100, "how often TestReloadUnderRequests reloads")

// liveHeap is what is in use after a collection.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
