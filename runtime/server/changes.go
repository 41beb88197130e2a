package server

import (
	"context"
	"hash/maphash"
	"iter"
	"math"
	"sync/atomic"

	"iamserver/runtime/storage"
)

// changes knows, for each record, the revision that last changed it, so that
// what was computed from records can be kept until one of them changes: it is
// asked, not told, and nothing has to be dropped in time. Records share 65,536
// slots by hash; a collision costs a needless reload and nothing else.
type changes struct {
	seed  maphash.Seed
	slots [1 << 16]atomic.Uint64
	// under counts the commits under way that have changed a record of the slot:
	// others may see such a commit before it is marked, and long before it is
	// acknowledged.
	under [1 << 16]atomic.Int32
}

// dependencies are what a computed value was read from, and when.
type dependencies struct {
	revision storage.Revision
	slots    []uint16
}

func newChanges() *changes { return &changes{seed: maphash.MakeSeed()} }

func (c *changes) slot(key []byte) uint16 { return uint16(maphash.Bytes(c.seed, key)) }

// mark says that the records changed with a revision.
func (c *changes) mark(revision storage.Revision, keys [][]byte) {
	for _, key := range keys {
		slot := &c.slots[c.slot(key)]
		for {
			old := slot.Load()
			if old >= uint64(revision) || slot.CompareAndSwap(old, uint64(revision)) {
				break
			}
		}
	}
}

// on returns the dependencies on keys as they were at a revision.
func (c *changes) on(revision storage.Revision, keys iter.Seq[string]) dependencies {
	d := dependencies{revision: revision}
	for key := range keys {
		d.slots = append(d.slots, c.slot([]byte(key)))
	}
	return d
}

// since tells whether a record has changed after it was read.
func (c *changes) since(d dependencies) bool {
	for _, slot := range d.slots {
		if c.slots[slot].Load() > uint64(d.revision) {
			return true
		}
	}
	return false
}

// changing tells whether a record has changed after a revision, or may have: a
// commit that changes it is under way. Where it says no, nobody can have seen the
// record changed before the question was asked.
func (c *changes) changing(slot uint16, revision storage.Revision) bool {
	// In this order: a commit that ends between the two is marked by then.
	return c.under[slot].Load() > 0 || c.slots[slot].Load() > uint64(revision)
}

// A markingStore marks what a transaction wrote before Update returns, so that
// the answer to a write is never older than what the next request sees.
type markingStore struct {
	storage.Store

	changes *changes
}

// Update implements storage.Store.
func (s *markingStore) Update(ctx context.Context, fn func(storage.Tx) error) (storage.Revision, error) {
	tx := &markingTx{changes: s.changes}
	defer tx.over()
	var refused error
	revision, err := s.Store.Update(ctx, func(inner storage.Tx) error {
		tx.over() // fn may run again
		tx.Tx, tx.keys = inner, tx.keys[:0]
		if refused = fn(tx); refused == nil {
			tx.underWay()
		}
		return refused
	})
	switch {
	case err == nil:
		s.changes.mark(revision, tx.keys)
	case refused == nil && len(tx.keys) > 0:
		s.markUnknown(ctx, tx.keys)
	}
	return revision, err
}

// markUnknown marks what a failed commit may have written or not: nothing that
// was read so far is kept until a commit has succeeded.
func (s *markingStore) markUnknown(ctx context.Context, keys [][]byte) {
	unknown := storage.Revision(math.MaxUint64) // should nothing be read either
	_ = s.View(context.WithoutCancel(ctx), func(r storage.Reader) error {
		unknown = r.Revision() + 1
		return nil
	})
	s.changes.mark(unknown, keys)
}

type markingTx struct {
	storage.Tx

	changes *changes
	keys    [][]byte
	slots   []uint16 // of the keys, while the commit is under way
}

// underWay says that what the transaction wrote will be committed, unless that fails.
func (tx *markingTx) underWay() {
	for _, key := range tx.keys {
		slot := tx.changes.slot(key)
		tx.changes.under[slot].Add(1)
		tx.slots = append(tx.slots, slot)
	}
}

// over says that nothing is under way any more: it is marked, or has not been
// committed.
func (tx *markingTx) over() {
	for _, slot := range tx.slots {
		tx.changes.under[slot].Add(-1)
	}
	tx.slots = tx.slots[:0]
}

func (tx *markingTx) Put(key, value []byte) error {
	tx.keys = append(tx.keys, append([]byte(nil), key...))
	return tx.Tx.Put(key, value)
}

func (tx *markingTx) Delete(key []byte) error {
	tx.keys = append(tx.keys, append([]byte(nil), key...))
	return tx.Tx.Delete(key)
}
