package host

import (
	"sync/atomic"
	"time"
)

// A turnstile lets a number of plugins run at once. Those that run for long
// let those that wait go first, after each slice of fuel: a question that is
// answered in a microsecond does not wait for one that takes a second.
type turnstile struct {
	slots   chan struct{}
	wait    time.Duration // for a turn
	waiting atomic.Int32
}

func newTurnstile(n int, wait time.Duration) *turnstile {
	return &turnstile{slots: make(chan struct{}, n), wait: wait}
}

// enter returns false if no turn came in time.
func (t *turnstile) enter() bool {
	select {
	case t.slots <- struct{}{}:
		return true
	default:
	}
	t.waiting.Add(1)
	defer t.waiting.Add(-1)
	timer := time.NewTimer(t.wait)
	defer timer.Stop()
	select {
	case t.slots <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

func (t *turnstile) leave() { <-t.slots }

// yield lets one who waits go first. It tells whether anybody did.
func (t *turnstile) yield() bool {
	if t.waiting.Load() == 0 {
		return false
	}
	t.leave()
	// Those who run leave after a slice, so this does not take long; and who
	// waits in a channel gets in before who comes later.
	t.slots <- struct{}{}
	return true
}

// enterPatiently waits as long as it takes.
func (t *turnstile) enterPatiently() {
	t.waiting.Add(1)
	defer t.waiting.Add(-1)
	t.slots <- struct{}{}
}
