package identity_test

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"iamserver/runtime/storage"
)

// An optimisticStore promises as little as a storage.Store may: a transaction
// runs on a snapshot and is run again if a key that it got has changed since;
// what it scanned is not checked.
type optimisticStore struct {
	mu        sync.Mutex
	revision  storage.Revision         // guarded by mu
	records   map[string]versionedItem // guarded by mu
	conflicts int                      // guarded by mu
	// between, if set, runs once, between the next transaction and its commit.
	between func()
}

type versionedItem struct {
	value    string
	revision storage.Revision
}

func newOptimisticStore() *optimisticStore {
	return &optimisticStore{records: map[string]versionedItem{}}
}

func (s *optimisticStore) snapshot() *optimisticTx {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &optimisticTx{
		revision: s.revision, records: maps.Clone(s.records),
		got: map[string]storage.Revision{}, written: map[string]*string{},
	}
}

func (s *optimisticStore) View(_ context.Context, fn func(storage.Reader) error) error {
	return fn(s.snapshot())
}

func (s *optimisticStore) Update(_ context.Context, fn func(storage.Tx) error) (storage.Revision, error) {
	for {
		tx := s.snapshot()
		err := fn(tx)
		if between := s.between; between != nil {
			s.between = nil
			between()
		}
		if revision, ok := s.commit(tx, err == nil); ok {
			if err != nil {
				return 0, err
			}
			return revision, nil
		}
	}
}

func (s *optimisticStore) commit(tx *optimisticTx, keep bool) (storage.Revision, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, revision := range tx.got {
		if s.records[key].revision != revision {
			s.conflicts++
			return 0, false
		}
	}
	if keep && len(tx.written) > 0 {
		s.revision++
		for key, value := range tx.written {
			if value == nil {
				delete(s.records, key)
			} else {
				s.records[key] = versionedItem{*value, s.revision}
			}
		}
	}
	return s.revision, true
}

func (s *optimisticStore) Watch(context.Context, storage.Revision) iter.Seq2[storage.Commit, error] {
	panic("not used")
}

func (s *optimisticStore) Close() error { return nil }

type optimisticTx struct {
	revision   storage.Revision
	records    map[string]versionedItem
	got        map[string]storage.Revision
	written    map[string]*string
	operations int
}

func (tx *optimisticTx) Revision() storage.Revision { return tx.revision }

func (tx *optimisticTx) Get(key []byte) (value []byte, ok bool, err error) {
	if value, ok := tx.written[string(key)]; ok {
		if value == nil {
			return nil, false, nil
		}
		return []byte(*value), true, nil
	}
	item, ok := tx.records[string(key)]
	tx.got[string(key)] = item.revision
	return []byte(item.value), ok, nil
}

func (tx *optimisticTx) Scan(prefix, after []byte, limit int) iter.Seq2[storage.Record, error] {
	merged := map[string]string{}
	for key, item := range tx.records {
		merged[key] = item.value
	}
	for key, value := range tx.written {
		delete(merged, key)
		if value != nil {
			merged[key] = *value
		}
	}
	return func(yield func(storage.Record, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(merged)) {
			if !strings.HasPrefix(key, string(prefix)) || after != nil && key <= string(after) {
				continue
			}
			if !yield(storage.Record{Key: []byte(key), Value: []byte(merged[key])}, nil) {
				return
			}
			if limit--; limit == 0 {
				return
			}
		}
	}
}

func (tx *optimisticTx) write(key []byte, value *string) error {
	if tx.operations++; tx.operations > storage.MaxOperations {
		return storage.ErrTooManyOperations
	}
	tx.written[string(bytes.Clone(key))] = value
	return nil
}

func (tx *optimisticTx) Put(key, value []byte) error {
	s := string(value)
	return tx.write(key, &s)
}

func (tx *optimisticTx) Delete(key []byte) error { return tx.write(key, nil) }
