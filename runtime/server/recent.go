package server

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"sync"

	"iamserver/runtime/storage"
)

// recent keeps the records that were read lately, for requests that read no more
// than one, as GetUser does: one record needs no snapshot, and a transaction costs
// more than all else that such a request does with the store. That a record is not
// there is kept as well: who may not ask must not learn it from the time it takes.
type recent struct {
	store   storage.Store
	changes *changes

	mu      sync.RWMutex
	records map[string]recentRecord // guarded by mu; by key
	size    int                     // guarded by mu; of all records, see recentRecord.size
}

// A recentRecord is a record as it was at a revision.
type recentRecord struct {
	value    []byte
	ok       bool // it is there
	slot     uint16
	revision storage.Revision
}

const (
	// mostRecent bounds what is kept: 16 MiB. When it is full, all is dropped.
	mostRecent = 16 << 20
	// longestRecent is the longest value that is kept.
	longestRecent = 16 << 10
	// recentOverhead is about what a record takes besides its key and value, in bytes.
	recentOverhead = 128
)

func newRecent(store storage.Store, changes *changes) *recent {
	return &recent{store: store, changes: changes, records: map[string]recentRecord{}}
}

// view runs fn on a snapshot like View, or, if guess says that it is worth a try, on
// one record that has not changed since it was read; where that was not enough, it
// runs fn again. It tells whether fn needed no more than one record.
func (x *recent) view(ctx context.Context, guess bool, fn func(storage.Reader) error) (single bool, err error) {
	if guess {
		r := oneRecord{recent: x}
		err := fn(&r)
		// What was read is what there is, if nothing can have changed it until now.
		if !r.more && (r.key == nil || !x.changed(r.record)) {
			return true, err
		}
	}
	var r watchedReader
	err = x.store.View(ctx, func(reader storage.Reader) error {
		r = watchedReader{Reader: reader}
		err := fn(&r)
		if !r.more && r.key != nil {
			x.keep(r.key, recentRecord{r.value, r.ok, x.changes.slot(r.key), reader.Revision()})
		}
		return err
	})
	return !r.more, err
}

func (x *recent) find(key []byte) (recentRecord, bool) {
	x.mu.RLock()
	record, ok := x.records[string(key)]
	x.mu.RUnlock()
	return record, ok && !x.changed(record)
}

// changed tells whether a record has changed since it was read, or is being written.
func (x *recent) changed(r recentRecord) bool {
	return x.changes.changing(r.slot, r.revision)
}

// keep keeps a copy of a record, whose value may be one of the store's.
func (x *recent) keep(key []byte, record recentRecord) {
	if len(record.value) > longestRecent {
		return
	}
	record.value = bytes.Clone(record.value)
	x.mu.Lock()
	defer x.mu.Unlock()
	if old, ok := x.records[string(key)]; ok {
		x.size -= old.size(key)
	}
	if x.size += record.size(key); x.size > mostRecent {
		clear(x.records)
		x.size = record.size(key)
	}
	x.records[string(key)] = record
}

// size is what a record takes with its key, in bytes.
func (r *recentRecord) size(key []byte) int { return len(key) + len(r.value) + recentOverhead }

// oneRecord reads one recent record and no more.
type oneRecord struct {
	recent *recent
	key    []byte // nil before the first
	record recentRecord
	more   bool // than one, or one that is not recent
}

var errMoreThanOne = errors.New("server: more than one record is needed")

// Revision implements storage.Reader.
func (r *oneRecord) Revision() storage.Revision { return r.record.revision }

// Get implements storage.Reader.
func (r *oneRecord) Get(key []byte) (value []byte, ok bool, err error) {
	if r.key == nil && !r.more {
		if record, ok := r.recent.find(key); ok {
			r.key, r.record = key, record
		}
	}
	if r.key == nil || !bytes.Equal(r.key, key) {
		r.more = true
		return nil, false, errMoreThanOne
	}
	return r.record.value, r.record.ok, nil
}

// Scan implements storage.Reader.
func (r *oneRecord) Scan(_, _ []byte, _ int) iter.Seq2[storage.Record, error] {
	r.more = true
	return func(yield func(storage.Record, error) bool) { yield(storage.Record{}, errMoreThanOne) }
}

// A watchedReader notices whether more than one record is read.
type watchedReader struct {
	storage.Reader

	key, value []byte // of the first record
	ok         bool   // it is there
	more       bool   // than one, or one that could not be read
}

// Get implements storage.Reader.
func (r *watchedReader) Get(key []byte) (value []byte, ok bool, err error) {
	value, ok, err = r.Reader.Get(key)
	switch {
	case err != nil:
		r.more = true
	case r.key == nil:
		r.key, r.value, r.ok = key, value, ok
	case !bytes.Equal(r.key, key):
		r.more = true
	}
	return value, ok, err
}

// Scan implements storage.Reader.
func (r *watchedReader) Scan(prefix, after []byte, limit int) iter.Seq2[storage.Record, error] {
	r.more = true
	return r.Reader.Scan(prefix, after, limit)
}
