package storage

import (
	"bytes"
	"iter"
	"maps"
)

// A Recorder is a Reader that remembers what it got from another, so that a
// decision made on a snapshot can be acted on later, in a transaction that
// first asks whether it would still be made. It is not safe for concurrent use.
type Recorder struct {
	reader Reader
	seen   map[string][]byte // nil where there was no record
}

// NewRecorder returns a Recorder that reads from r and has seen nothing yet.
func NewRecorder(r Reader) *Recorder {
	return &Recorder{reader: r, seen: map[string][]byte{}}
}

// Revision is that of the state read.
func (r *Recorder) Revision() Revision { return r.reader.Revision() }

// Get returns the value of key and remembers it, or that there is none.
func (r *Recorder) Get(key []byte) (value []byte, ok bool, err error) {
	value, ok, err = r.reader.Get(key)
	if err != nil {
		return nil, false, err
	}
	r.seen[string(key)] = nil
	if ok {
		// The store owns value only until the snapshot ends, and an empty value
		// is not an absent one.
		r.seen[string(key)] = append([]byte{}, value...)
	}
	return value, ok, nil
}

// Scan yields what the state read holds and remembers none of it: who must know
// that a range has not changed gets the version record of its parent as well.
func (r *Recorder) Scan(prefix, after []byte, limit int) iter.Seq2[Record, error] {
	return r.reader.Scan(prefix, after, limit)
}

// Keys yields each key that Get was asked for, once, in no particular order.
func (r *Recorder) Keys() iter.Seq[string] { return maps.Keys(r.seen) }

// Unchanged reports whether every record that Get was asked for is in now as it
// was then, byte for byte, and every one that was absent still is. Its errors
// are those of now.
func (r *Recorder) Unchanged(now Reader) (bool, error) {
	for key, then := range r.seen {
		value, ok, err := now.Get([]byte(key))
		if err != nil {
			return false, err
		}
		if ok != (then != nil) || !bytes.Equal(value, then) {
			return false, nil
		}
	}
	return true, nil
}
