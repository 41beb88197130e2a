// Package audit writes the audit log: one line of JSON for each request, in the
// shape of a CloudTrail record. It does not decide what becomes of a request that
// cannot be recorded; see package server for that.
//
// Nothing that could sign or open anything belongs in the log: there is no place
// in a Record for a signature, a session token, a secret or the query of a
// presigned request, and what the request parameters may hold is the caller's
// allow-list.
package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"iamserver/runtime/seal/privatefile"
)

// Config says where the log goes.
type Config struct {
	// Path is the file, which is made with mode 0600 where there is none and
	// otherwise appended to; one with a wider mode or of another owner is
	// refused. A "-" means Stdout.
	Path string
	// Stdout is written to, and never closed, where Path is "-".
	Stdout io.Writer
	// Now is the clock, for the time of each event and for Limit.
	Now func() time.Time
	// Rand is the source of event ids. It must be safe for concurrent use, as
	// crypto/rand.Reader is.
	Rand io.Reader
	// Limit is how many refused requests are recorded; the zero value means
	// DefaultLimit.
	Limit Limit
}

// A Log is an open audit log. All its methods are safe for concurrent use.
type Log struct {
	path    string // empty for standard output
	now     func() time.Time
	random  io.Reader
	limiter *limiter

	mu      sync.Mutex
	sink    io.Writer // guarded by mu; nil once the log is closed
	file    io.Closer // guarded by mu; nil for standard output
	torn    bool      // guarded by mu; the sink ends within a line
	failure error     // guarded by mu; of the last write
}

// Open opens the log.
func Open(c Config) (*Log, error) {
	l := &Log{now: c.Now, random: c.Rand, limiter: newLimiter(c.Limit)}
	if c.Path == "-" {
		l.sink = c.Stdout
		return l, nil
	}
	f, err := privatefile.OpenAppend(c.Path)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	l.path, l.sink, l.file = c.Path, f, f
	return l, nil
}

// Write records a request that has just been answered, in one write call. A
// refused one may be dropped and counted instead, as Config.Limit has it; the
// next record of its peer then tells how many were, as DroppedRecords in
// additionalEventData. An error means that the record is not in the log.
func (l *Log) Write(r *Record) error {
	now := l.now()
	peer := network(r.SourceIPAddress)
	dropped, ok := l.limiter.admit(peer, r.Refused, now)
	if !ok {
		return nil
	}
	err := l.write(r.event(now, dropped))
	if err != nil {
		l.limiter.restore(drops{peer: peer, count: dropped})
	}
	return err
}

// ReportDropped writes a record for each peer some of whose refused requests
// were dropped since a record last told so: a peer that does not come back would
// otherwise never be told of. The server calls it from time to time.
func (l *Log) ReportDropped() error {
	var failures error
	for _, d := range l.limiter.drain() {
		if err := l.write(droppedEvent(l.now(), d.name(), d.count)); err != nil {
			l.limiter.restore(d)
			failures = err
		}
	}
	return failures
}

// Healthy returns the error of the last write, and nil when it succeeded. While
// it is not nil, requests that must be recorded should be refused; recording the
// refusal finds out whether the log works again.
func (l *Log) Healthy() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failure
}

// Reopen opens the file anew, for when it has been moved away. If that fails the
// log goes on in the file that it has. Standard output stays as it is.
func (l *Log) Reopen() error {
	if l.path == "" {
		return nil
	}
	f, err := privatefile.OpenAppend(l.path)
	if err != nil {
		return fmt.Errorf("reopen audit log: %w", err)
	}
	l.mu.Lock()
	old := l.file
	if l.sink == nil {
		old, err = f, fs.ErrClosed
	} else {
		l.sink, l.file, l.torn = f, f, false
	}
	l.mu.Unlock()
	if err = errors.Join(err, old.Close()); err != nil {
		return fmt.Errorf("reopen audit log: %w", err)
	}
	return nil
}

// Close reports what has been dropped and closes the log. Writing then fails
// with an fs.ErrClosed.
func (l *Log) Close() error {
	err := l.ReportDropped()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sink == nil {
		return fmt.Errorf("close audit log: %w", fs.ErrClosed)
	}
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	l.sink, l.file, l.failure = nil, nil, fs.ErrClosed
	return err
}

// write gives e an id and writes its line.
func (l *Log) write(e event) error {
	var err error
	if e.EventID, err = newEventID(l.random); err != nil {
		return fmt.Errorf("audit log: event id: %w", err)
	}
	line, err := e.line()
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sink == nil {
		return fmt.Errorf("audit log: %w", fs.ErrClosed)
	}
	if l.torn {
		// The rest of a line that did not fit: this record must not end up on it.
		line = append([]byte{'\n'}, line...)
	}
	n, err := l.sink.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		l.torn = l.torn || n > 0
		l.failure = fmt.Errorf("audit log: %w", err)
		return l.failure
	}
	l.torn, l.failure = false, nil
	return nil
}
