package storagetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/storage"
)

// watch returns the keys of the next n commits, those of each sorted and joined
// with commas.
func watch(t *testing.T, s storage.Store, after storage.Revision, n int) []string {
	t.Helper()
	var all []string
	for commit, err := range s.Watch(t.Context(), after) {
		require.NoError(t, err)
		require.Greater(t, commit.Revision, after)
		after = commit.Revision
		all = append(all, joined(commit.Keys))
		if len(all) == n {
			break
		}
	}
	return all
}

func joined(keys [][]byte) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = string(key)
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// requireCompacted requires that a watch after the given revision ends, with
// storage.ErrCompacted, before it yields anything.
func requireCompacted(t *testing.T, s storage.Store, after storage.Revision) {
	t.Helper()
	var errs []error
	for commit, err := range s.Watch(t.Context(), after) {
		require.Equal(t, storage.Commit{}, commit)
		errs = append(errs, err)
	}
	require.Equal(t, []error{storage.ErrCompacted}, errs)
}

func testWatch(t *testing.T, s storage.Store) {
	start := revision(t, s)
	next := make(chan storage.Commit)
	go func() { // waits before there is anything to see
		for commit, err := range s.Watch(t.Context(), start) {
			assert.NoError(t, err)
			next <- commit
		}
		close(next)
	}()

	var revisions []storage.Revision
	for i, tt := range []struct {
		want string
		fn   func(storage.Tx) error
	}{
		{"a,b", func(tx storage.Tx) error { return putIn(tx, "b", "1", "a", "1") }},
		{"a", func(tx storage.Tx) error { return tx.Delete([]byte("a")) }},
		{"a,b,gone,new", scribble},
		{"b", func(tx storage.Tx) error { return putIn(tx, "b", "1") }},
		{"b", func(tx storage.Tx) error { return putIn(tx, "b", "1") }},
	} {
		_, err := s.Update(t.Context(), func(tx storage.Tx) error {
			require.NoError(t, putIn(tx, "discarded", ""))
			return errDiscard
		})
		require.ErrorIs(t, err, errDiscard)
		revisions = append(revisions, update(t, s, tt.fn))
		update(t, s, func(storage.Tx) error { return nil })
		commit := <-next
		require.Equal(t, revisions[i], commit.Revision)
		require.Equal(t, tt.want, joined(commit.Keys))
	}
	require.Equal(t, []string{"a,b", "a", "a,b,gone,new", "b", "b"}, watch(t, s, start, 5))
	require.Equal(t, []string{"a,b,gone,new", "b"}, watch(t, s, revisions[1], 2))
}

func testWatchConcurrent(t *testing.T, s storage.Store) {
	const writers, updates = 8, 20
	start := revision(t, s)
	got := map[string]storage.Revision{}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		last := start
		for commit, err := range s.Watch(t.Context(), start) {
			assert.NoError(t, err)
			assert.Greater(t, commit.Revision, last)
			last = commit.Revision
			for _, key := range commit.Keys {
				assert.NotContains(t, got, string(key))
				got[string(key)] = commit.Revision
			}
			if len(got) == 2*writers*updates {
				return
			}
		}
	}()

	revisions := [writers][updates]storage.Revision{}
	concurrently(writers, func(w int) {
		for u := range updates {
			name := fmt.Sprintf("%d/%d", w, u)
			revisions[w][u] = put(t, s, "x/"+name, "", "y/"+name, "")
		}
	})
	<-watched
	want := map[string]storage.Revision{}
	for w := range writers {
		for u := range updates {
			want[fmt.Sprintf("x/%d/%d", w, u)] = revisions[w][u]
			want[fmt.Sprintf("y/%d/%d", w, u)] = revisions[w][u]
		}
	}
	require.Equal(t, want, got)
}

func testWatchContext(t *testing.T, s storage.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	start := revision(t, s)
	put(t, s, "a", "1")
	put(t, s, "b", "1")
	for commit, err := range s.Watch(ctx, start) {
		require.NoError(t, err)
		require.Equal(t, "a", joined(commit.Keys), "nothing is yielded after the end")
		cancel()
	}

	ctx, cancel = context.WithCancel(t.Context())
	last, ended := revision(t, s), make(chan struct{})
	go func() {
		defer close(ended)
		for commit, err := range s.Watch(ctx, last) {
			assert.Fail(t, "yielded", "%v, %v", commit, err)
		}
	}()
	cancel()
	<-ended
}

// testWatchCompacted writes more than any backend keeps for its watchers.
func testWatchCompacted(t *testing.T, s storage.Store) {
	requireCompacted(t, s, 0)
	start := revision(t, s)
	put(t, s, "first", "")

	var errs []error
	yielded := 0
	for _, err := range s.Watch(t.Context(), start) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if yielded++; yielded > 1 {
			continue
		}
		key := strings.Repeat("k", storage.MaxKeySize-1)
		for range 64 {
			update(t, s, func(tx storage.Tx) error {
				for i := range storage.MaxOperations {
					if err := tx.Put(append([]byte(key), byte(i)), nil); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	require.Equal(t, []error{storage.ErrCompacted}, errs)
	require.Equal(t, 1, yielded)
	requireCompacted(t, s, start)

	last := revision(t, s)
	put(t, s, "next", "")
	require.Equal(t, []string{"next"}, watch(t, s, last, 1))
}

func testWatchClosed(t *testing.T, s storage.Store) {
	start := revision(t, s)
	put(t, s, "a", "1")
	var errs []error
	for _, err := range s.Watch(t.Context(), start) {
		if err == nil {
			err = s.Close()
		}
		errs = append(errs, err)
	}
	require.Equal(t, []error{nil, storage.ErrClosed}, errs)
}

func testWatchClosedWhileWaiting(t *testing.T, s storage.Store) {
	start := revision(t, s)
	put(t, s, "a", "1")
	yielded := make(chan error)
	go func() {
		for _, err := range s.Watch(t.Context(), start) {
			yielded <- err
		}
		close(yielded)
	}()
	require.NoError(t, <-yielded)
	for range 1000 { // the watch has time to find that there is nothing more
		runtime.Gosched()
	}
	require.NoError(t, s.Close())
	require.Equal(t, storage.ErrClosed, <-yielded)
	require.NoError(t, <-yielded, "the sequence has ended")
}
