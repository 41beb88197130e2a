package bolt

import (
	"bytes"
	"iter"

	"go.etcd.io/bbolt"

	"iamserver/runtime/storage"
	"iamserver/runtime/storage/changes"
)

// A reader reads the state of a bbolt transaction.
type reader struct {
	bucket *bbolt.Bucket
}

// Revision is the transaction id; that of a writer is the next commit's.
func (r reader) Revision() storage.Revision { return storage.Revision(r.bucket.Tx().ID()) }

// Get returns the value of key, in the pages of the file.
func (r reader) Get(key []byte) (value []byte, ok bool, err error) {
	value = r.bucket.Get(key)
	return value, value != nil, nil
}

// Scan yields records in order.
func (r reader) Scan(prefix, after []byte, limit int) iter.Seq2[storage.Record, error] {
	return r.scan(prefix, after, limit, func() int { return 0 })
}

// scan is Scan in a bucket that has been written to written() times: a bbolt
// cursor is lost after a write.
func (r reader) scan(prefix, after []byte, limit int, written func() int) iter.Seq2[storage.Record, error] {
	return func(yield func(storage.Record, error) bool) {
		cursor := r.bucket.Cursor()
		key, value := cursor.Seek(prefix)
		if bytes.Compare(after, prefix) >= 0 {
			key, value = seekAfter(cursor, after)
		}
		for left := limit; bytes.HasPrefix(key, prefix) && key != nil; {
			then := written()
			if !yield(storage.Record{Key: key, Value: value}, nil) {
				return
			}
			if left--; left == 0 {
				return
			}
			if written() == then {
				key, value = cursor.Next()
			} else {
				key, value = seekAfter(cursor, key)
			}
		}
	}
}

// seekAfter moves cursor to the first record after key.
func seekAfter(cursor *bbolt.Cursor, key []byte) (k, v []byte) {
	k, v = cursor.Seek(key)
	if k != nil && bytes.Equal(k, key) {
		return cursor.Next()
	}
	return k, v
}

// A transaction is what a member of a batch writes to the bbolt transaction of
// all. It remembers how to undo it.
type transaction struct {
	reader
	writes changes.Set
	bytes  int              // of the keys and values written
	before []storage.Record // what each write replaced; a nil value: nothing
}

// Scan yields records in order, each as it is when its turn comes.
func (t *transaction) Scan(prefix, after []byte, limit int) iter.Seq2[storage.Record, error] {
	return t.scan(prefix, after, limit, func() int { return len(t.before) })
}

// Put sets the value of key.
func (t *transaction) Put(key, value []byte) error {
	if err := t.writes.Put(key, value); err != nil {
		return err
	}
	t.remember(key, value)
	// bbolt copies the key and keeps the value; a nil value would read as none.
	return t.bucket.Put(key, append([]byte{}, value...))
}

// Delete removes key.
func (t *transaction) Delete(key []byte) error {
	if err := t.writes.Delete(key); err != nil {
		return err
	}
	t.remember(key, nil)
	return t.bucket.Delete(key)
}

// remember keeps what the write of value at key is about to replace. The old
// value stays where it is until the pages are written, so it need not be copied.
func (t *transaction) remember(key, value []byte) {
	keys := t.writes.Keys()
	t.before = append(t.before, storage.Record{Key: keys[len(keys)-1], Value: t.bucket.Get(key)})
	t.bytes += len(key) + len(value)
}

// undo takes the writes back, the last one first.
func (t *transaction) undo() error {
	for len(t.before) > 0 {
		last := len(t.before) - 1
		record := t.before[last]
		t.before = t.before[:last]
		err := t.bucket.Delete(record.Key)
		if record.Value != nil {
			err = t.bucket.Put(record.Key, record.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
