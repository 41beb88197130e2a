package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/storage"
)

// scribble changes, adds and deletes: what must leave no trace if its
// transaction is discarded.
func scribble(tx storage.Tx) error {
	if err := putIn(tx, "a", "changed", "a", "changed again", "new", "1", "gone", "2"); err != nil {
		return err
	}
	if err := tx.Delete([]byte("gone")); err != nil {
		return err
	}
	if err := tx.Delete([]byte("b")); err != nil {
		return err
	}
	return tx.Put([]byte("b"), []byte("other"))
}

// requireDiscarded runs attempt on a store with a few records and requires that
// it changes nothing and that the store still works.
func requireDiscarded(t *testing.T, s storage.Store, attempt func()) {
	t.Helper()
	before := put(t, s, "a", "1", "b", "2")
	attempt()
	require.Equal(t, []string{"a=1", "b=2"}, content(t, s, ""))
	require.Equal(t, before, revision(t, s))
	put(t, s, "c", "3")
	require.Equal(t, []string{"c"}, watch(t, s, before, 1))
	require.Equal(t, []string{"a=1", "b=2", "c=3"}, content(t, s, ""))
	remove(t, s, "c")
}

func testErrorDiscards(t *testing.T, s storage.Store) {
	requireDiscarded(t, s, func() {
		revision, err := s.Update(t.Context(), func(tx storage.Tx) error {
			require.NoError(t, scribble(tx))
			return errDiscard
		})
		require.Equal(t, errDiscard, err)
		require.Zero(t, revision)
	})
}

func testPanicDiscards(t *testing.T, s storage.Store) {
	requireDiscarded(t, s, func() {
		require.PanicsWithValue(t, "a value of its own", func() {
			_, _ = s.Update(t.Context(), func(tx storage.Tx) error {
				require.NoError(t, scribble(tx))
				panic("a value of its own")
			})
		})
	})
	require.PanicsWithValue(t, "in a snapshot", func() {
		_ = s.View(t.Context(), func(storage.Reader) error { panic("in a snapshot") })
	})
	put(t, s, "a", "2")
}

func testGoexitDiscards(t *testing.T, s storage.Store) {
	requireDiscarded(t, s, func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = s.Update(context.Background(), func(tx storage.Tx) error {
				_ = scribble(tx)
				runtime.Goexit()
				return nil
			})
		}()
		<-done
	})
}

func testOperationLimit(t *testing.T, s storage.Store) {
	write := func(tx storage.Tx, n int) error {
		for i := range n {
			key := fmt.Appendf(nil, "k/%d", i/2)
			write := tx.Delete
			if i%2 == 0 {
				write = func(key []byte) error { return tx.Put(key, nil) }
			}
			if err := write(key); err != nil {
				return err
			}
		}
		return nil
	}
	update(t, s, func(tx storage.Tx) error { return write(tx, storage.MaxOperations) })

	requireDiscarded(t, s, func() {
		_, err := s.Update(t.Context(), func(tx storage.Tx) error { return write(tx, storage.MaxOperations+1) })
		require.Equal(t, storage.ErrTooManyOperations, err)
	})
	requireDiscarded(t, s, func() {
		_, err := s.Update(t.Context(), func(tx storage.Tx) error {
			require.NoError(t, write(tx, storage.MaxOperations))
			require.Equal(t, storage.ErrTooManyOperations, tx.Delete([]byte("k/0")))
			require.Equal(t, storage.ErrTooManyOperations, tx.Put([]byte("k/0"), nil))
			return nil
		})
		require.Equal(t, storage.ErrTooManyOperations, err)
	})
}

func testSizeLimits(t *testing.T, s storage.Store) {
	longest := bytes.Repeat([]byte{0xff}, storage.MaxKeySize)
	largest := bytes.Repeat([]byte{'v'}, storage.MaxValueSize)
	update(t, s, func(tx storage.Tx) error { return tx.Put(longest, largest) })
	err := s.View(t.Context(), func(r storage.Reader) error {
		value, _, err := r.Get(longest)
		require.True(t, bytes.Equal(largest, value))
		return err
	})
	require.NoError(t, err)
	update(t, s, func(tx storage.Tx) error { return tx.Delete(longest) })

	for _, tt := range []struct {
		name  string
		write func(storage.Tx) error
		want  error
	}{
		{"put of an empty key", func(tx storage.Tx) error { return tx.Put(nil, nil) }, storage.ErrKeySize},
		{"put of a key that is too long", func(tx storage.Tx) error { return tx.Put(append(longest, 0), nil) }, storage.ErrKeySize},
		{"delete of an empty key", func(tx storage.Tx) error { return tx.Delete([]byte{}) }, storage.ErrKeySize},
		{"delete of a key that is too long", func(tx storage.Tx) error { return tx.Delete(append(longest, 0)) }, storage.ErrKeySize},
		{"put of a value that is too long", func(tx storage.Tx) error { return tx.Put([]byte("k"), append(largest, 0)) }, storage.ErrValueSize},
	} {
		t.Run(tt.name, func(t *testing.T) {
			requireDiscarded(t, s, func() {
				_, err := s.Update(t.Context(), func(tx storage.Tx) error {
					require.NoError(t, scribble(tx))
					require.Equal(t, tt.want, tt.write(tx))
					return nil
				})
				require.Equal(t, tt.want, err)
			})
		})
	}
}

func testContext(t *testing.T, s storage.Store) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	requireDiscarded(t, s, func() {
		_, err := s.Update(ended, scribble)
		require.ErrorIs(t, err, context.Canceled)
	})
	require.ErrorIs(t, s.View(ended, func(storage.Reader) error { return nil }), context.Canceled)

	requireDiscarded(t, s, func() {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := s.Update(ctx, func(tx storage.Tx) error {
			defer cancel()
			return scribble(tx)
		})
		require.ErrorIs(t, err, context.Canceled)
	})
}

func testRevisions(t *testing.T, s storage.Store) {
	last := revision(t, s)
	for i := range 10 {
		var within storage.Revision
		committed := update(t, s, func(tx storage.Tx) error {
			within = tx.Revision()
			return putIn(tx, "k", strconv.Itoa(i))
		})
		require.Greater(t, committed, last)
		require.GreaterOrEqual(t, within, last)
		require.LessOrEqual(t, within, committed)
		require.GreaterOrEqual(t, revision(t, s), committed)

		require.Equal(t, committed, update(t, s, func(storage.Tx) error { return nil }), "no write, no commit")
		require.Equal(t, committed, revision(t, s))
		last = committed
	}
}
