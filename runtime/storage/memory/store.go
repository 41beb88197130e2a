// Package memory keeps the records of package storage in memory, for tests. It
// keeps nothing beyond the process; see package bolt for that.
package memory

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"iamserver/runtime/storage"
	"iamserver/runtime/storage/changes"
)

// A Store is a storage.Store in memory: one writer at a time, and readers that
// never wait.
type Store struct {
	running sync.RWMutex          // held for reading by each transaction
	closed  bool                  // guarded by running
	writer  chan struct{}         // holds a token while a writer runs
	state   atomic.Pointer[state] // stored by the writer
	log     *changes.Log
}

// Open returns an empty store at revision 1.
func Open() *Store {
	s := &Store{writer: make(chan struct{}, 1), log: changes.NewLog(1)}
	s.state.Store(&state{revision: 1})
	return s
}

// View runs fn on the latest state; see storage.Store.
func (s *Store) View(ctx context.Context, fn func(storage.Reader) error) error {
	s.running.RLock()
	defer s.running.RUnlock()
	if s.closed {
		return storage.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fn(s.state.Load())
}

// Update runs fn once and publishes what it wrote; see storage.Store.
func (s *Store) Update(ctx context.Context, fn func(storage.Tx) error) (storage.Revision, error) {
	s.running.RLock()
	defer s.running.RUnlock()
	if s.closed {
		return 0, storage.ErrClosed
	}
	select {
	case s.writer <- struct{}{}:
		defer func() { <-s.writer }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	tx := transaction{state: *s.state.Load()}
	if err := fn(&tx); err != nil {
		return 0, err
	}
	if err := tx.writes.Err(); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if keys := tx.writes.Keys(); len(keys) > 0 {
		tx.revision++
		s.state.Store(&tx.state)
		s.log.Append(tx.revision, keys)
	}
	return tx.revision, nil
}

// Watch yields the commits after the given revision; see storage.Store.
func (s *Store) Watch(ctx context.Context, after storage.Revision) iter.Seq2[storage.Commit, error] {
	return s.log.Watch(ctx, after)
}

// Close waits for running transactions and ends all watches.
func (s *Store) Close() error {
	s.running.Lock()
	defer s.running.Unlock()
	if s.closed {
		return storage.ErrClosed
	}
	s.closed = true
	s.log.Close()
	return nil
}
