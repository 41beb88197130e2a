// Package storage keeps ordered key-value records with serializable
// transactions and a watch. It knows nothing of what the records mean; see
// package identity for that.
package storage

import (
	"context"
	"errors"
	"iter"
)

const (
	// MaxOperations is the most Put and Delete calls that one transaction may
	// make: what etcd accepts in a transaction by default, so that no code
	// relies on more than every backend can do.
	MaxOperations = 128
	// MaxKeySize is the length in bytes of the longest key.
	MaxKeySize = 1024
	// MaxValueSize is the length in bytes of the longest value.
	MaxValueSize = 1 << 20
)

var (
	// ErrClosed is returned by every method of a closed Store.
	ErrClosed = errors.New("storage: store is closed")
	// ErrCompacted ends a watch whose next changes are no longer kept; the
	// consumer reads everything anew and watches from the revision it read at.
	ErrCompacted = errors.New("storage: revision has been compacted")
	// ErrInUse is returned when another process has the data open.
	ErrInUse = errors.New("storage: data is in use by another process")
	// ErrTooManyOperations is returned by the Put or Delete that would be
	// operation MaxOperations+1 of its transaction.
	ErrTooManyOperations = errors.New("storage: transaction has too many operations")
	// ErrKeySize is returned by a Put or Delete of a key that is empty or longer
	// than MaxKeySize.
	ErrKeySize = errors.New("storage: key is empty or too long")
	// ErrValueSize is returned by a Put of a value longer than MaxValueSize.
	ErrValueSize = errors.New("storage: value is too long")
)

// A Revision numbers the commits of a store. It rises with each, not always by
// one; several transactions that were committed together may share one. 0 is
// before every commit.
type Revision uint64

// A Store holds records sorted by key.
//
// Transactions are serializable: the outcome is as if they had run one after
// another. A function given to Update may run more than once, and only the
// effects of its last run are kept; it must not have effects of its own.
//
// A function given to View or Update must not call the Store, which may wait
// for that very function to return; it must not use its Reader or Tx after it
// has returned, nor in several goroutines at once. When it panics, its writes
// are discarded and the panic goes on in the caller.
type Store interface {
	// View runs fn on a snapshot, unless ctx has ended.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn and commits what it wrote, durably, before it returns
	// the revision that holds it; where fn wrote nothing, that is the revision
	// that fn read. An error from fn discards its writes and is returned as it
	// is, with revision 0. The writes of a transaction become visible together.
	//
	// A transaction whose ctx ends before fn has returned is discarded with the
	// error of ctx; afterwards Update waits for the outcome. An error of the
	// commit itself does not tell whether later states contain the writes.
	Update(ctx context.Context, fn func(Tx) error) (Revision, error)
	// Watch yields the changes of each commit after the given revision, in
	// order and each once, until ctx ends (the sequence then just stops) or an
	// error, which is yielded last: ErrCompacted, ErrClosed.
	Watch(ctx context.Context, after Revision) iter.Seq2[Commit, error]
	// Close waits for running transactions and releases the store.
	Close() error
}

// A Reader reads one consistent state. Byte slices that it returns are valid
// until the function given to View or Update returns and must not be changed.
type Reader interface {
	// Revision is that of the last commit that this state contains; within
	// Update it may be that of a commit in the making.
	Revision() Revision
	// Get returns the value of key; ok is false where there is none.
	Get(key []byte) (value []byte, ok bool, err error)
	// Scan yields up to limit records whose keys begin with prefix and sort
	// after the key given as after (nil: from the first), in order of their keys.
	// A limit of 0 or less means no limit. An error is yielded last. A Tx may
	// write while it scans: what it writes may or may not show in the rest of the
	// Scan, and every other record is still yielded once.
	Scan(prefix, after []byte, limit int) iter.Seq2[Record, error]
}

// A Tx is a Reader that sees its own writes, and writes. Keys and values are
// copied. Once a Put or Delete has failed the transaction cannot commit: Update
// returns that error also where the function ignores it.
type Tx interface {
	Reader
	// Put sets the value of key; no value is an empty value. The errors are
	// ErrKeySize, ErrValueSize and ErrTooManyOperations.
	Put(key, value []byte) error
	// Delete removes key; removing what is not there is no error, but an
	// operation. The errors are ErrKeySize and ErrTooManyOperations.
	Delete(key []byte) error
}

// A Record is a key and its value.
type Record struct {
	Key, Value []byte
}

// A Commit is what changed with one revision: the keys put or deleted, each
// once, in no particular order. They must not be changed.
type Commit struct {
	Revision Revision
	Keys     [][]byte
}
