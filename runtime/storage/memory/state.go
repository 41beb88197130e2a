package memory

import (
	"bytes"
	"iter"

	"iamserver/runtime/storage"
	"iamserver/runtime/storage/changes"
)

// A state is the content of a store at a revision. Its tree never changes, so
// that whoever holds a state has a snapshot.
type state struct {
	revision storage.Revision
	root     *node
}

// Revision is that of the commit that made the state.
func (s *state) Revision() storage.Revision { return s.revision }

// Get returns the value of key.
func (s *state) Get(key []byte) (value []byte, ok bool, err error) {
	for n := s.root; n != nil; {
		switch c := bytes.Compare(key, n.record.Key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n.record.Value, true, nil
		}
	}
	return nil, false, nil
}

// Scan yields records in order; within a transaction those of the moment at
// which it begins.
func (s *state) Scan(prefix, after []byte, limit int) iter.Seq2[storage.Record, error] {
	return func(yield func(storage.Record, error) bool) {
		from := prefix
		if bytes.Compare(after, prefix) > 0 {
			from = after
		}
		left := limit
		s.root.ascend(from, func(r storage.Record) bool {
			if after != nil && bytes.Equal(r.Key, after) {
				return true
			}
			left--
			return bytes.HasPrefix(r.Key, prefix) && yield(r, nil) && left != 0
		})
	}
}

// A transaction is a state of its own until it is committed.
type transaction struct {
	state
	writes changes.Set
}

// Put sets the value of key.
func (t *transaction) Put(key, value []byte) error {
	if err := t.writes.Put(key, value); err != nil {
		return err
	}
	t.root = t.root.put(storage.Record{Key: bytes.Clone(key), Value: append([]byte{}, value...)})
	return nil
}

// Delete removes key.
func (t *transaction) Delete(key []byte) error {
	if err := t.writes.Delete(key); err != nil {
		return err
	}
	t.root = t.root.delete(key)
	return nil
}
