// Package storagetest is the suite that each backend of package storage passes.
// It tests what the interfaces promise, not how a backend keeps its files; see
// the tests of the backends for that.
package storagetest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/storage"
)

var errDiscard = errors.New("discard")

// Run runs the suite against stores that open returns, a new and empty one each
// time. The suite closes them.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, storage.Store)
	}{
		{"records are put, got and deleted", testRecords},
		{"keys and values are copied", testCopies},
		{"a transaction sees its own writes", testOwnWrites},
		{"a scan is bounded by prefix, after and limit", testScan},
		{"a scan stops when its consumer does and starts anew for the next", testScanStops},
		{"a scan goes through thousands of records in pages", testScanPages},
		{"a transaction may write while it scans", testScanAndWrite},
		{"an error discards the writes", testErrorDiscards},
		{"a panic discards the writes and goes on in the caller", testPanicDiscards},
		{"a goroutine that ends in its transaction leaves nothing", testGoexitDiscards},
		{"a transaction writes 128 times and no more", testOperationLimit},
		{"keys and values have a size limit", testSizeLimits},
		{"a context that has ended commits nothing", testContext},
		{"revisions rise with the commits", testRevisions},
		{"a snapshot does not change", testSnapshot},
		{"no update is lost", testLostUpdate},
		{"readers see whole transactions", testWholeTransactions},
		{"two transactions that each read what the other writes conflict", testWriteSkew},
		{"a parent is not deleted while it gets children", testParents},
		{"a decision on a snapshot holds only while its records are unchanged", testRecorder},
		{"a watch yields each commit once and in order", testWatch},
		{"a watch yields the commits of concurrent writers", testWatchConcurrent},
		{"a watch ends with its context", testWatchContext},
		{"a watch that is too far behind ends", testWatchCompacted},
		{"a watch ends when the store is closed", testWatchClosed},
		{"a watch that waits ends when the store is closed", testWatchClosedWhileWaiting},
		{"a closed store answers nothing", testClosed},
		{"Close waits for running transactions", testCloseWaits},
		{"any sequence of transactions does what it does to a map", testModel},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, opened(t, open(t))) })
	}
}

// RunDurable runs the suite of Run, and more, against a backend that keeps its
// records in the directory dir.
func RunDurable(t *testing.T, open func(dir string) (storage.Store, error)) {
	in := func(t *testing.T, dir string) storage.Store {
		s, err := open(dir)
		require.NoError(t, err)
		return opened(t, s)
	}
	Run(t, func(t *testing.T) storage.Store { return in(t, t.TempDir()) })

	t.Run("records and revisions outlive the process", func(t *testing.T) {
		dir := t.TempDir()
		s := in(t, dir)
		put(t, s, "a", "1", "b", "2")
		first := put(t, s, "b", "3", "c", "4")
		second := remove(t, s, "c")
		require.NoError(t, s.Close())

		s = in(t, dir)
		require.Equal(t, []string{"a=1", "b=3"}, content(t, s, ""))
		require.Equal(t, second, revision(t, s))
		require.Greater(t, put(t, s, "d", "5"), second)
		require.Equal(t, []string{"d"}, watch(t, s, second, 1))
		requireCompacted(t, s, first)
	})
	t.Run("one process at a time has the data open", func(t *testing.T) {
		dir := t.TempDir()
		s := in(t, dir)
		_, err := open(dir)
		require.ErrorIs(t, err, storage.ErrInUse)
		put(t, s, "a", "1")
		require.NoError(t, s.Close())
		require.Equal(t, []string{"a=1"}, content(t, in(t, dir), ""))
	})
}

// opened closes s at the end of the test, if the test has not done so.
func opened(t *testing.T, s storage.Store) storage.Store {
	t.Cleanup(func() {
		if err := s.Close(); !errors.Is(err, storage.ErrClosed) {
			require.NoError(t, err)
		}
	})
	return s
}

// update commits fn.
func update(t require.TestingT, s storage.Store, fn func(storage.Tx) error) storage.Revision {
	revision, err := s.Update(context.Background(), fn)
	require.NoError(t, err)
	return revision
}

// put commits the records given as a key, a value, the next key and so on.
func put(t require.TestingT, s storage.Store, records ...string) storage.Revision {
	return update(t, s, func(tx storage.Tx) error { return putIn(tx, records...) })
}

func putIn(tx storage.Tx, records ...string) error {
	for i := 0; i < len(records); i += 2 {
		if err := tx.Put([]byte(records[i]), []byte(records[i+1])); err != nil {
			return err
		}
	}
	return nil
}

// remove commits the removal of keys.
func remove(t require.TestingT, s storage.Store, keys ...string) storage.Revision {
	return update(t, s, func(tx storage.Tx) error {
		for _, key := range keys {
			if err := tx.Delete([]byte(key)); err != nil {
				return err
			}
		}
		return nil
	})
}

// content returns the records under prefix in order, each as "key=value".
func content(t require.TestingT, s storage.Store, prefix string) []string {
	var all []string
	err := s.View(context.Background(), func(r storage.Reader) (err error) {
		all, err = scan(r, []byte(prefix), nil, 0)
		return err
	})
	require.NoError(t, err)
	return all
}

// scan is the Scan of r, each record as "key=value".
func scan(r storage.Reader, prefix, after []byte, limit int) ([]string, error) {
	all := []string{}
	for record, err := range r.Scan(prefix, after, limit) {
		if err != nil {
			return nil, err
		}
		all = append(all, string(record.Key)+"="+string(record.Value))
	}
	return all, nil
}

func revision(t require.TestingT, s storage.Store) (revision storage.Revision) {
	err := s.View(context.Background(), func(r storage.Reader) error {
		revision = r.Revision()
		return nil
	})
	require.NoError(t, err)
	return revision
}
