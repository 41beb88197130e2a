package changes

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"sort"
	"sync"

	"iamserver/runtime/storage"
)

// A log keeps at least what a consumer that is a few seconds late has missed,
// and never so much that it shows in the memory of the server.
const (
	maxCommits = 4096
	maxBytes   = 4 << 20
	// commitBytes and keyBytes are what a commit and a key take beside the bytes
	// of the key.
	commitBytes, keyBytes = 32, 24
)

// A Log keeps the latest commits of a store in memory, at most 4,096 and 4 MiB
// of keys, for those who watch it. It is safe for concurrent use.
type Log struct {
	mu       sync.Mutex
	commits  []storage.Commit // guarded by mu; revisions rise
	bytes    int              // guarded by mu; of commits
	dropped  storage.Revision // guarded by mu; up to here nothing is kept
	appended chan struct{}    // guarded by mu; closed by the next change; nil while none waits
	closed   bool             // guarded by mu
}

// NewLog returns the log of a store whose last commit so far is opened.
func NewLog(opened storage.Revision) *Log { return &Log{dropped: opened} }

// Append adds the commit with the given revision, which is higher than any
// before, and keys, of which duplicates are dropped. The log keeps the slice.
func (l *Log) Append(revision storage.Revision, keys [][]byte) {
	slices.SortFunc(keys, bytes.Compare)
	keys = slices.CompactFunc(keys, bytes.Equal)

	l.mu.Lock()
	defer l.mu.Unlock()
	commit := storage.Commit{Revision: revision, Keys: keys}
	l.commits = append(l.commits, commit)
	l.bytes += size(commit)
	for len(l.commits) > maxCommits || l.bytes > maxBytes {
		l.drop()
	}
	l.wake()
}

// Forget ends every watch that has not yet yielded the given revision with
// storage.ErrCompacted, for a commit whose outcome is not known.
func (l *Log) Forget(revision storage.Revision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.commits) > 0 {
		l.drop()
	}
	l.dropped = revision
	l.wake()
}

// Close ends every watch with storage.ErrClosed.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.wake()
}

// Watch is the Watch of a storage.Store.
func (l *Log) Watch(ctx context.Context, after storage.Revision) iter.Seq2[storage.Commit, error] {
	return func(yield func(storage.Commit, error) bool) {
		for after := after; ctx.Err() == nil; {
			commit, appended, err := l.next(after)
			switch {
			case err != nil:
				yield(storage.Commit{}, err)
				return
			case appended != nil:
				select {
				case <-appended:
				case <-ctx.Done():
				}
			case yield(commit, nil):
				after = commit.Revision
			default:
				return
			}
		}
	}
}

// next returns the first commit after the given revision or, as long as there
// is none, a channel that is closed when that may have changed.
func (l *Log) next(after storage.Revision) (storage.Commit, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return storage.Commit{}, nil, storage.ErrClosed
	}
	if after < l.dropped {
		return storage.Commit{}, nil, storage.ErrCompacted
	}
	i := sort.Search(len(l.commits), func(i int) bool { return l.commits[i].Revision > after })
	if i < len(l.commits) {
		return l.commits[i], nil, nil
	}
	if l.appended == nil {
		l.appended = make(chan struct{})
	}
	return storage.Commit{}, l.appended, nil
}

// drop forgets the oldest commit; mu is held.
func (l *Log) drop() {
	oldest := l.commits[0]
	l.commits[0] = storage.Commit{} // the array outlives the slice: free the keys
	l.commits = l.commits[1:]
	l.bytes -= size(oldest)
	l.dropped = oldest.Revision
}

// wake lets all waiting watches look again; mu is held.
func (l *Log) wake() {
	if l.appended != nil {
		close(l.appended)
		l.appended = nil
	}
}

func size(c storage.Commit) int {
	n := commitBytes + keyBytes*len(c.Keys)
	for _, key := range c.Keys {
		n += len(key)
	}
	return n
}
