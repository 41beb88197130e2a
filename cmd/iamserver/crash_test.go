package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var crashRounds = flag.Int("crash.rounds", 3, "how often TestCrash kills the server")

// An acknowledged write is one whose answer a client has seen.
type acknowledged struct {
	mu    sync.Mutex
	users map[string]string // guarded by mu; name → id
	keys  map[string][2]string
	gone  map[string]bool // guarded by mu; names of users that were deleted
}

// The server is killed at random moments under 16 writers. After each restart
// every acknowledged write is there, and nothing is half there.
func TestCrash(t *testing.T) {
	const writers = 16
	data := filepath.Join(t.TempDir(), "iamdata")
	written := &acknowledged{users: map[string]string{}, keys: map[string][2]string{}, gone: map[string]bool{}}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range *crashRounds {
		server := start(t, data)
		root := rootClient(t, server, writers)
		written.check(t, server, root)
		var all sync.WaitGroup
		for writer := range writers {
			all.Go(func() { written.write(t.Context(), root, fmt.Sprintf("round%dwriter%d", round, writer)) })
		}
		// The moment is random, not a duration to be met: too early a kill
		// leaves less to check, and nothing to fail.
		time.AfterFunc(time.Duration(20+random.IntN(300))*time.Millisecond, server.kill)
		all.Wait()
	}
	server := start(t, data)
	written.check(t, server, rootClient(t, server, writers))
	t.Logf("%d users, %d keys and %d deletions were acknowledged", len(written.users), len(written.keys), len(written.gone))
	require.NotEmpty(t, written.keys)
}

// write makes users with a key each, and deletes every third, until the server is gone.
func (w *acknowledged) write(ctx context.Context, root *client, prefix string) {
	for i := 0; ; i++ {
		name := prefix + "user" + strconv.Itoa(i)
		created, err := root.call(ctx, "CreateUser", "UserName", name)
		if err != nil {
			return
		}
		w.note(func() { w.users[name] = element(created, "UserId") })
		if i%3 == 2 {
			w.note(func() { delete(w.users, name) }) // from here on it may be there or not
			if _, err := root.call(ctx, "DeleteUser", "UserName", name); err != nil {
				return
			}
			w.note(func() { w.gone[name] = true })
			continue
		}
		key, err := root.call(ctx, "CreateAccessKey", "UserName", name)
		if err != nil {
			return
		}
		w.note(func() { w.keys[name] = [2]string{element(key, "AccessKeyId"), element(key, "SecretAccessKey")} })
	}
}

func (w *acknowledged) note(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
}

func (w *acknowledged) check(t *testing.T, server *running, root *client) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	listed := root.everyName(t, "ListUsers", "UserName")
	there := map[string]bool{}
	for _, name := range listed {
		there[name] = true
		user := root.must(t, "GetUser", "UserName", name)
		if id, ok := w.users[name]; ok {
			require.Equal(t, id, element(user, "UserId"), name)
		}
	}
	require.Len(t, there, len(listed), "a user is listed twice")
	for name := range w.users {
		require.Contains(t, there, name, "an acknowledged user is lost")
	}
	for name := range w.gone {
		require.NotContains(t, there, name, "an acknowledged deletion is lost")
	}
	for name, key := range w.keys {
		own := newClient(server.url, key[0], key[1], 1)
		require.Contains(t, own.must(t, "GetUser"), "<UserName>"+name+"</UserName>", "an acknowledged key does not work")
		own.http.CloseIdleConnections()
	}
	summary := root.must(t, "GetAccountSummary")
	require.Contains(t, summary, fmt.Sprintf("<key>Users</key><value>%d</value>", len(listed)), "the count and the list differ")
	// What was not acknowledged is there as a whole or not at all: every
	// listed key can be told of.
	for _, name := range listed {
		for _, id := range elements(root.must(t, "ListAccessKeys", "UserName", name), "AccessKeyId") {
			_, err := root.call(t.Context(), "GetAccessKeyLastUsed", "AccessKeyId", id)
			require.NoError(t, err, "key %s of %s is half there", id, name)
		}
	}
	var answer answerError
	_, err := root.call(t.Context(), "GetUser", "UserName", "nobody")
	require.ErrorAs(t, err, &answer)
	require.Equal(t, 404, answer.status)
}
