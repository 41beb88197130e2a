package bolt

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"iamserver/runtime/storage"
)

// A batch is full with either; its last member may exceed maxBytes.
const (
	maxMembers = 256
	maxBytes   = 4 << 20
)

// A batch is the bbolt transaction that the callers of Update share who arrived
// while the one before it was being synced: one commit for all of them.
type batch struct {
	tx      *bbolt.Tx
	members int
	bytes   int // of the keys and values written
	keys    [][]byte

	done     chan struct{}    // closed when the outcome is known
	revision storage.Revision // set before done is closed
	err      error            // set before done is closed
}

// Update runs fn once and returns when what it wrote has been synced, together
// with what other callers wrote at the same time; see storage.Store.
//
// Each caller runs its fn in its own goroutine when its turn comes, and the last
// in the queue commits for all. A lone writer thus hands nothing over and waits
// for nobody.
func (s *Store) Update(ctx context.Context, fn func(storage.Tx) error) (storage.Revision, error) {
	if err := s.turns.take(ctx); err != nil {
		return 0, err
	}
	b, err := s.join(ctx, fn)
	if b == nil {
		return 0, err
	}
	<-b.done
	// If the commit failed, then what fn read, and judged, may never have been:
	// an error of fn counts only after a commit.
	if b.err != nil {
		return 0, b.err
	}
	if err != nil {
		return 0, err
	}
	return b.revision, nil
}

// join runs fn in the open batch or in a new one. The caller has the turn; it
// has passed it on when join ends, by a panic of fn, too.
func (s *Store) join(ctx context.Context, fn func(storage.Tx) error) (*batch, error) {
	defer s.pass()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case s.closed:
		return nil, storage.ErrClosed
	case s.failed != nil:
		return nil, s.failed
	}
	if s.batch == nil {
		tx, err := s.db.Begin(true)
		if err != nil {
			return nil, fmt.Errorf("begin transaction: %w", err)
		}
		s.batch = &batch{tx: tx, done: make(chan struct{})}
	}
	b := s.batch
	return b, b.run(ctx, fn)
}

// run runs fn and keeps its writes if it returns nil in time.
func (b *batch) run(ctx context.Context, fn func(storage.Tx) error) error {
	b.members++
	tx := &transaction{reader: reader{b.tx.Bucket(bucketName)}}
	keep := false
	defer func() { // a panic, or the end of the goroutine, is no return
		if !keep {
			b.err = tx.undo()
		}
		tx.bucket = nil
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.writes.Err(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	keep = true
	b.keys = append(b.keys, tx.writes.Keys()...)
	b.bytes += tx.bytes
	return nil
}

// pass ends the caller's turn: the next in the queue joins the batch, or there
// is none, or no room, and the batch is committed.
func (s *Store) pass() {
	if !s.full() && s.turns.next() {
		return
	}
	s.finish()
	s.turns.release()
}

func (s *Store) full() bool {
	b := s.batch
	return b != nil && (b.members >= maxMembers || b.bytes >= maxBytes || b.err != nil)
}

// finish commits the batch, if there is one, and tells its members.
func (s *Store) finish() {
	b := s.batch
	if b == nil {
		return
	}
	s.batch = nil
	defer close(b.done)
	b.revision = storage.Revision(b.tx.ID())
	if b.err != nil || len(b.keys) == 0 {
		b.revision-- // what the members read, which has been committed
		_ = b.tx.Rollback()
		return
	}
	if err := s.sync(b.tx); err != nil {
		b.err = fmt.Errorf("commit: %w", err)
		s.distrust(b)
		return
	}
	s.log.Append(b.revision, b.keys)
}

// sync commits tx. bbolt panics where it finds the file corrupted; those who
// wait for the batch must hear of it.
func (s *Store) sync(tx *bbolt.Tx) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
			_ = tx.Rollback()
		}
	}()
	return s.commit(tx)
}

// distrust stops all writing if the commit of b, which failed, may yet be in the
// file. bbolt writes the page that makes a commit valid, then syncs it; when
// that sync fails, the page is visible but perhaps not durable, and the next
// commit would overwrite pages that the file still needs if it is not. An error
// before that page, such as a full disk, leaves the last commit as it was.
func (s *Store) distrust(b *batch) {
	visible := storage.Revision(0)
	err := s.db.View(func(tx *bbolt.Tx) error {
		visible = storage.Revision(tx.ID())
		return nil
	})
	if err == nil && visible < b.revision {
		return
	}
	b.err = fmt.Errorf("the outcome of a commit is unknown, and the store must be opened anew: %w", b.err)
	s.failed = b.err
	s.log.Forget(b.revision)
}
