// Package bolt keeps the records of package storage in one file, through bbolt:
// what an Update has returned survives a crash of the process and of the machine.
// It serves one process; a second one that opens the file gets storage.ErrInUse.
package bolt

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"iamserver/runtime/storage"
	"iamserver/runtime/storage/changes"
)

const (
	fileMode = 0o600
	// bbolt asks for the lock of the file every 50 ms until this has passed.
	lockTimeout = 200 * time.Millisecond
	// defaultMapSize is 8 GiB, or 1 GiB where an int has 32 bits.
	defaultMapSize = 1 << (30 + 3*(strconv.IntSize/64))
)

var bucketName = []byte("records")

// A Config tells how to open a store. Its zero value is a good one.
type Config struct {
	// MapSize is how much address space is reserved for the file, in bytes; it
	// takes no memory. While a file that has outgrown it is mapped anew, writers
	// wait for all running readers and new readers wait for the writer. 0 means 8
	// GiB, or 1 GiB where an int has 32 bits; it is ignored on Windows, where the
	// file would be made that large.
	MapSize int
}

// A Store is a storage.Store in one file. Its revisions are bbolt's transaction
// ids.
type Store struct {
	db     *bbolt.DB
	log    *changes.Log
	commit func(*bbolt.Tx) error // (*bbolt.Tx).Commit; tests watch and hold it

	turns  turns
	batch  *batch // the batch that can be joined, or nil; of whoever has the turn
	closed bool   // of whoever has the turn
	failed error  // why no commit is possible any more; of whoever has the turn
}

// Open opens the store in the file at path, which it makes, readable and
// writable for its owner only, if there is none. The errors are storage.ErrInUse
// while another process has the file open, and those of the file and its format.
func Open(path string, cfg Config) (*Store, error) {
	db, err := bbolt.Open(path, fileMode, options(cfg))
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, fmt.Errorf("open %s: %w", path, storage.ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	revision, err := prepare(db)
	if err != nil {
		_ = db.Close() // nothing has been written that closing could lose
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &Store{db: db, log: changes.NewLog(revision), commit: (*bbolt.Tx).Commit}, nil
}

// options never sets NoSync, NoGrowSync or NoFreelistSync: the first two lose
// what was acknowledged, and without a list of the free pages in the file, bbolt
// reads all of it when it opens.
func options(cfg Config) *bbolt.Options {
	size := cfg.MapSize
	if size == 0 {
		size = defaultMapSize
	}
	if runtime.GOOS == "windows" {
		size = 0
	}
	return &bbolt.Options{
		Timeout: lockTimeout,
		// Each commit writes the list of the free pages. The map type sorts them
		// all for that, which after a burst of writes costs more than the rest of
		// the commit; the array type keeps them sorted, and where a page is
		// wanted it nearly always takes the first.
		FreelistType:    bbolt.FreelistArrayType,
		InitialMmapSize: size,
		// The counters cost every reader a lock.
		NoStatistics: true,
	}
}

// prepare makes the bucket in a new file and returns the revision of db.
func prepare(db *bbolt.DB) (revision storage.Revision, err error) {
	exists := false
	err = db.View(func(tx *bbolt.Tx) error {
		exists = tx.Bucket(bucketName) != nil
		revision = storage.Revision(tx.ID())
		return nil
	})
	if err != nil || exists {
		return revision, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		revision = storage.Revision(tx.ID())
		_, err := tx.CreateBucket(bucketName)
		return err
	})
	if err != nil {
		return 0, err
	}
	return revision, syncDirectory(filepath.Dir(db.Path()))
}

// syncDirectory makes the name of a new file durable; syncing the file alone
// does not.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be opened there
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// View runs fn on the latest commit; see storage.Store.
func (s *Store) View(ctx context.Context, fn func(storage.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, err := s.db.Begin(false)
	switch {
	case errors.Is(err, bbolterrors.ErrDatabaseNotOpen):
		return storage.ErrClosed
	case err != nil:
		return err
	}
	defer tx.Rollback() //nolint:errcheck // there is nothing to undo, and it is open
	return fn(reader{tx.Bucket(bucketName)})
}

// Watch yields the commits after the given revision; see storage.Store.
func (s *Store) Watch(ctx context.Context, after storage.Revision) iter.Seq2[storage.Commit, error] {
	return s.log.Watch(ctx, after)
}

// Close waits for running transactions, ends all watches and closes the file.
// Callers of Update that have not yet had their turn get storage.ErrClosed.
func (s *Store) Close() error {
	if err := s.turns.take(context.Background()); err != nil {
		return err
	}
	defer s.turns.release()
	if s.closed {
		return storage.ErrClosed
	}
	s.finish()
	s.closed = true
	s.log.Close()
	return s.db.Close()
}
