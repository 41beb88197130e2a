package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"iamserver/runtime/storage"
)

var errTest = errors.New("test")

func open(t testing.TB) *Store {
	s, err := Open(filepath.Join(t.TempDir(), "iam.db"), Config{})
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := s.Close(); !errors.Is(err, storage.ErrClosed) {
			require.NoError(t, err)
		}
	})
	return s
}

// A gate stands before the commits of a store. Each is announced on arrived
// and then waits for what to do, which it gets from proceed.
type gate struct {
	arrived chan *bbolt.Tx
	proceed chan func(*bbolt.Tx) error
}

func gated(s *Store) gate {
	g := gate{make(chan *bbolt.Tx), make(chan func(*bbolt.Tx) error)}
	s.commit = func(tx *bbolt.Tx) error {
		g.arrived <- tx
		return (<-g.proceed)(tx)
	}
	return g
}

// commit lets the next commit through.
func (g gate) commit() {
	<-g.arrived
	g.proceed <- (*bbolt.Tx).Commit
}

// An outcome is what an Update returned.
type outcome struct {
	revision storage.Revision
	err      error
}

// start runs an Update of fn in a goroutine and returns when it has run or
// waits for its turn.
func start(ctx context.Context, s *Store, fn func(storage.Tx) error) <-chan outcome {
	n := waiting(s)
	result, ran := make(chan outcome, 1), make(chan struct{})
	go func() {
		revision, err := s.Update(ctx, func(tx storage.Tx) error {
			defer close(ran)
			return fn(tx)
		})
		result <- outcome{revision, err}
	}()
	for waiting(s) == n {
		select {
		case <-ran:
			return result
		default:
			runtime.Gosched()
		}
	}
	return result
}

func waiting(s *Store) int {
	s.turns.mu.Lock()
	defer s.turns.mu.Unlock()
	return len(s.turns.waiting)
}

func putKey(key string) func(storage.Tx) error {
	return func(tx storage.Tx) error { return tx.Put([]byte(key), []byte("value")) }
}

func keys(t *testing.T, s *Store) []string {
	all := []string{}
	err := s.View(t.Context(), func(r storage.Reader) error {
		for record, err := range r.Scan(nil, nil, 0) {
			require.NoError(t, err)
			all = append(all, string(record.Key))
		}
		return nil
	})
	require.NoError(t, err)
	return all
}

func last(t *testing.T, s *Store) (revision storage.Revision) {
	err := s.View(t.Context(), func(r storage.Reader) error {
		revision = r.Revision()
		return nil
	})
	require.NoError(t, err)
	return revision
}

func TestNothingIsAcknowledgedBeforeItsCommit(t *testing.T) {
	s := open(t)
	g, before := gated(s), last(t, s)
	watched := make(chan storage.Commit)
	go func() {
		for commit, err := range s.Watch(t.Context(), before) {
			assert.NoError(t, err)
			watched <- commit
		}
		close(watched)
	}()

	result := start(t.Context(), s, putKey("a"))
	<-g.arrived
	for range 1000 { // whatever ran ahead of the commit has its chance to show
		runtime.Gosched()
	}
	require.Empty(t, result)
	require.Empty(t, keys(t, s))
	require.Equal(t, before, last(t, s))
	select {
	case commit := <-watched:
		require.Fail(t, "watched before it was committed", "%v", commit)
	default:
	}

	g.proceed <- (*bbolt.Tx).Commit
	require.Equal(t, outcome{revision: before + 1}, <-result)
	require.Equal(t, storage.Commit{Revision: before + 1, Keys: [][]byte{[]byte("a")}}, <-watched)
	require.Equal(t, []string{"a"}, keys(t, s))
}

func TestWritersShareCommits(t *testing.T) {
	s := open(t)
	g, before := gated(s), last(t, s)
	first := start(t.Context(), s, putKey("first"))
	tx := <-g.arrived

	var kept, failed []<-chan outcome
	var panicked []chan any
	want := []string{"first"}
	for i := range 30 {
		key := fmt.Sprintf("key/%02d", i)
		write := func(tx storage.Tx) error {
			// Each sees what those before it wrote, and undoes none of it.
			if err := tx.Put([]byte("shared"), []byte(key)); err != nil {
				return err
			}
			return tx.Put([]byte(key), nil)
		}
		switch i % 3 {
		case 0:
			kept = append(kept, start(t.Context(), s, write))
			want = append(want, key)
		case 1:
			failed = append(failed, start(t.Context(), s, func(tx storage.Tx) error {
				return errors.Join(write(tx), tx.Put([]byte("shared"), nil), tx.Delete([]byte("key/00")), errTest)
			}))
		case 2:
			reason := make(chan any, 1)
			n := waiting(s)
			go func() {
				defer func() { reason <- recover() }()
				_, _ = s.Update(context.Background(), func(tx storage.Tx) error { panic(fmt.Sprint("wrote: ", write(tx))) })
			}()
			for waiting(s) == n {
				runtime.Gosched()
			}
			panicked = append(panicked, reason)
		}
	}
	g.proceed <- (*bbolt.Tx).Commit
	require.Equal(t, outcome{revision: before + 1}, <-first)

	require.NotSame(t, tx, <-g.arrived)
	for _, result := range append(kept, failed...) {
		require.Empty(t, result)
	}
	g.proceed <- (*bbolt.Tx).Commit
	for _, result := range kept {
		require.Equal(t, outcome{revision: before + 2}, <-result)
	}
	for _, result := range failed {
		got := <-result
		require.ErrorIs(t, got.err, errTest)
		require.Zero(t, got.revision)
	}
	for _, reason := range panicked {
		require.Equal(t, "wrote: <nil>", <-reason)
	}
	require.Equal(t, append(want, "shared"), keys(t, s))
	err := s.View(t.Context(), func(r storage.Reader) error {
		value, _, err := r.Get([]byte("shared"))
		require.Equal(t, "key/27", string(value))
		return err
	})
	require.NoError(t, err)
}

func TestBatchIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name    string
		writers int
		value   int
		batches []int
	}{
		{"by members", maxMembers + 10, 0, []int{maxMembers, 10}},
		{"by bytes", 10, storage.MaxValueSize, []int{4, 4, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			g, before := gated(s), last(t, s)
			results := []<-chan outcome{start(t.Context(), s, putKey("first"))}
			<-g.arrived
			for i := range tt.writers {
				results = append(results, start(t.Context(), s, func(tx storage.Tx) error {
					return tx.Put(fmt.Appendf(nil, "%03d", i), make([]byte, tt.value))
				}))
			}
			g.proceed <- (*bbolt.Tx).Commit
			for range tt.batches {
				g.commit()
			}

			var batches []int
			for i, result := range results {
				got := <-result
				require.NoError(t, got.err)
				batch := int(got.revision - before - 1)
				if i == 0 {
					require.Zero(t, batch)
					continue
				}
				if batch > len(batches) {
					batches = append(batches, 0)
				}
				batches[batch-1]++
			}
			require.Equal(t, tt.batches, batches)
		})
	}
}

func TestContextEndsWhileWaiting(t *testing.T) {
	s := open(t)
	g, before := gated(s), last(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	running := start(ctx, s, putKey("running"))
	<-g.arrived
	results := []<-chan outcome{
		start(ctx, s, putKey("dropped")),
		start(t.Context(), s, putKey("kept")),
		start(ctx, s, putKey("dropped too")),
	}
	cancel()
	require.Equal(t, outcome{err: context.Canceled}, <-results[0])
	require.Equal(t, outcome{err: context.Canceled}, <-results[2])
	require.Empty(t, running, "it has run and waits for the outcome")
	require.Equal(t, 1, waiting(s))

	g.proceed <- (*bbolt.Tx).Commit
	g.commit()
	require.Equal(t, outcome{revision: before + 1}, <-running)
	require.Equal(t, outcome{revision: before + 2}, <-results[1])
	require.Equal(t, []string{"kept", "running"}, keys(t, s))
}

// ended is a context that has ended and does not say so to those who wait for it.
type ended struct{ context.Context }

func (ended) Done() <-chan struct{} { return nil }
func (ended) Err() error            { return context.Canceled }

// The last in the queue commits for all, so the batch must not be forgotten
// where that one does not run.
func TestBatchIsCommittedWithoutItsLastMember(t *testing.T) {
	s := open(t)
	var dropped <-chan outcome
	kept := start(t.Context(), s, func(tx storage.Tx) error {
		dropped = start(ended{t.Context()}, s, func(storage.Tx) error { panic("run") })
		return tx.Put([]byte("kept"), nil)
	})
	require.NoError(t, (<-kept).err)
	require.Equal(t, outcome{err: context.Canceled}, <-dropped)
	require.Equal(t, []string{"kept"}, keys(t, s))
	require.False(t, s.turns.taken)
}

// A turn that has been given is not lost when the context ends.
func TestTurnIsTakenThoughTheContextEnds(t *testing.T) {
	var turns turns
	require.NoError(t, turns.take(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taken := make(chan error)
	go func() { taken <- turns.take(ctx) }()
	for given := false; !given; {
		turns.mu.Lock()
		if len(turns.waiting) > 0 {
			cancel() // before the turn is given, and noticed after
			given = turns.give()
		}
		turns.mu.Unlock()
	}
	require.NoError(t, <-taken)
	require.True(t, turns.taken)
	turns.release()
	require.False(t, turns.taken)
}

func TestFailedCommitFailsTheBatchAndNothingElse(t *testing.T) {
	s := open(t)
	g, before := gated(s), last(t, s)
	first := start(t.Context(), s, putKey("first"))
	<-g.arrived
	results := []<-chan outcome{
		start(t.Context(), s, putKey("a")),
		start(t.Context(), s, putKey("b")),
		start(t.Context(), s, func(tx storage.Tx) error {
			_, taken, err := tx.Get([]byte("a"))
			require.True(t, taken)
			return errors.Join(err, errors.New("a is taken, which it is not if the commit fails"))
		}),
	}
	g.proceed <- (*bbolt.Tx).Commit
	<-g.arrived
	g.proceed <- func(tx *bbolt.Tx) error { return errors.Join(errTest, tx.Rollback()) }
	require.Equal(t, outcome{revision: before + 1}, <-first)
	for _, result := range results {
		require.EqualError(t, (<-result).err, "commit: test")
	}
	require.Equal(t, []string{"first"}, keys(t, s))

	next := start(t.Context(), s, putKey("next"))
	g.commit()
	require.Equal(t, outcome{revision: before + 2}, <-next)
	require.Equal(t, []string{"first", "next"}, keys(t, s))
}

func TestUnknownOutcomeEndsWriting(t *testing.T) {
	for _, tt := range []struct {
		name   string
		commit func(*bbolt.Tx) error
		want   string
	}{
		{
			"the commit is visible though its last sync failed",
			func(tx *bbolt.Tx) error { return errors.Join(tx.Commit(), errTest) },
			"the outcome of a commit is unknown, and the store must be opened anew: commit: test",
		},
		{
			"bbolt panics after the commit",
			func(tx *bbolt.Tx) error { panic(errors.Join(tx.Commit(), errTest)) },
			"the outcome of a commit is unknown, and the store must be opened anew: commit: panic: test",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			before := last(t, s)
			s.commit = tt.commit
			_, err := s.Update(t.Context(), putKey("a"))
			require.EqualError(t, err, tt.want)
			s.commit = (*bbolt.Tx).Commit
			_, err = s.Update(t.Context(), putKey("b"))
			require.EqualError(t, err, tt.want)

			require.Equal(t, []string{"a"}, keys(t, s))
			var errs []error
			for _, err := range s.Watch(t.Context(), before) {
				errs = append(errs, err)
			}
			require.Equal(t, []error{storage.ErrCompacted}, errs)
		})
	}
}

func TestCloseCommitsTheBatch(t *testing.T) {
	s := open(t)
	path := s.db.Path()
	g := gated(s)
	first := start(t.Context(), s, putKey("first"))
	<-g.arrived
	joined := start(t.Context(), s, putKey("joined"))
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	for waiting(s) < 2 {
		runtime.Gosched()
	}
	late := start(t.Context(), s, func(storage.Tx) error { panic("run") })
	g.proceed <- (*bbolt.Tx).Commit
	g.commit()
	require.NoError(t, (<-first).err)
	require.NoError(t, (<-joined).err)
	require.NoError(t, <-closed)
	require.Equal(t, outcome{err: storage.ErrClosed}, <-late)

	reopened, err := Open(path, Config{})
	require.NoError(t, err)
	require.Equal(t, []string{"first", "joined"}, keys(t, reopened))
	require.NoError(t, reopened.Close())
}
