package host

import (
	"sync"
	"sync/atomic"
	"time"
)

// Failures within a time after which a plugin is not asked any more, for as long.
const (
	breakerFailures = 5
	breakerWindow   = 10 * time.Second
)

// A breaker spares the server the work of asking a plugin that keeps failing.
// It does not soften the failure: what is not asked has failed.
type breaker struct {
	openUntil atomic.Int64 // Unix nanoseconds; 0 while the breaker is closed

	mu     sync.Mutex
	failed [breakerFailures - 1]time.Time // guarded by mu; a ring of the failures before
	next   int                            // guarded by mu
}

// open tells whether the plugin is not to be asked.
func (b *breaker) open(now func() time.Time) bool {
	until := b.openUntil.Load()
	if until == 0 {
		return false
	}
	if now().UnixNano() < until {
		return true
	}
	b.openUntil.CompareAndSwap(until, 0)
	return false
}

// fail notes a failure.
func (b *breaker) fail(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	oldest := b.failed[b.next]
	b.failed[b.next] = now
	b.next = (b.next + 1) % len(b.failed)
	if !oldest.IsZero() && now.Sub(oldest) <= breakerWindow {
		b.failed = [breakerFailures - 1]time.Time{}
		b.openUntil.Store(now.Add(breakerWindow).UnixNano())
	}
}
