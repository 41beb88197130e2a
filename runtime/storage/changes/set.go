// Package changes does for every backend what does not depend on where records
// are kept: it holds a transaction to the limits of package storage and tells
// watchers what has been committed. It keeps no values and makes nothing durable.
package changes

import (
	"bytes"

	"iamserver/runtime/storage"
)

// A Set is the account of what one transaction writes; its zero value is ready.
// It is not safe for concurrent use.
type Set struct {
	keys [][]byte
	err  error
}

// Put enters a write of value at key. It returns storage.ErrKeySize,
// storage.ErrValueSize or storage.ErrTooManyOperations where that breaks a
// limit, and after the first error nothing else.
func (s *Set) Put(key, value []byte) error {
	switch {
	case s.err != nil:
	case len(key) == 0 || len(key) > storage.MaxKeySize:
		s.err = storage.ErrKeySize
	case len(value) > storage.MaxValueSize:
		s.err = storage.ErrValueSize
	case len(s.keys) == storage.MaxOperations:
		s.err = storage.ErrTooManyOperations
	default:
		s.keys = append(s.keys, bytes.Clone(key))
	}
	return s.err
}

// Delete enters a removal of key, with the errors of Put.
func (s *Set) Delete(key []byte) error { return s.Put(key, nil) }

// Err returns the first error of Put or Delete: while there is one, the
// transaction must not commit.
func (s *Set) Err() error { return s.err }

// Keys returns copies of the keys entered, one for each operation.
func (s *Set) Keys() [][]byte { return s.keys }
