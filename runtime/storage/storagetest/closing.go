package storagetest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/storage"
)

func testClosed(t *testing.T, s storage.Store) {
	start := revision(t, s)
	put(t, s, "a", "1")
	require.NoError(t, s.Close())

	require.Equal(t, storage.ErrClosed, s.View(t.Context(), func(storage.Reader) error { panic("run") }))
	_, err := s.Update(t.Context(), func(storage.Tx) error { panic("run") })
	require.Equal(t, storage.ErrClosed, err)
	for _, err := range s.Watch(t.Context(), start) {
		require.Equal(t, storage.ErrClosed, err)
	}
	require.Equal(t, storage.ErrClosed, s.Close())
}

// testCloseWaits closes the store under transactions that take their time.
func testCloseWaits(t *testing.T, s storage.Store) {
	fill(t, s, "k/", 1000)
	count := func(records *int, started chan<- struct{}) func(storage.Reader) error {
		return func(r storage.Reader) error {
			started <- struct{}{}
			*records = 0
			for range 20 {
				for _, err := range r.Scan([]byte("k/"), nil, 0) {
					if err != nil {
						return err
					}
					*records++
				}
			}
			return nil
		}
	}
	started, errs := make(chan struct{}), make(chan error)
	// Without a lock: if Close does not wait, -race finds it as well.
	var viewed, updated int
	view, write := count(&viewed, started), count(&updated, started)
	go func() { errs <- s.View(context.Background(), view) }()
	go func() {
		_, err := s.Update(context.Background(), func(tx storage.Tx) error {
			return errors.Join(write(tx), putIn(tx, "last", ""))
		})
		errs <- err
	}()
	<-started
	<-started
	require.NoError(t, s.Close())
	require.Equal(t, 20_000, viewed)
	require.Equal(t, 20_000, updated)
	require.NoError(t, <-errs)
	require.NoError(t, <-errs)
}
