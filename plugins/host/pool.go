package host

import (
	"context"
	"sync"
	"time"
)

// A pool holds the idle instances of a module, the one used last on top: its
// memory is in the processor's caches. A slot stands for each instance.
type pool struct {
	slots chan struct{}
	wait  time.Duration // for a slot

	mu     sync.Mutex
	idle   []*instance // guarded by mu
	active int         // guarded by mu; instances at work, and those on their way
	closed bool        // guarded by mu
	empty  chan struct{}
}

func newPool(n int, wait time.Duration) *pool {
	return &pool{slots: make(chan struct{}, n), wait: wait, empty: make(chan struct{})}
}

// enter keeps the module open until leave. It returns false once it is closed.
func (p *pool) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.active++
	}
	return !p.closed
}

func (p *pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active--
	if p.closed && p.active == 0 {
		close(p.empty)
	}
}

// slot waits for one, but not for long.
func (p *pool) slot(ctx context.Context) (Class, bool) {
	select {
	case p.slots <- struct{}{}:
		return "", true
	default:
	}
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return "", true
	case <-timer.C:
		return Busy, false
	case <-ctx.Done():
		return Cancelled, false
	}
}

func (p *pool) pop() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	i := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return i
}

func (p *pool) push(i *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, i)
}

// close lets nobody in any more, waits until everybody has left, and returns
// the instances that are left.
func (p *pool) close(ctx context.Context) ([]*instance, error) {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	if first && p.active == 0 {
		close(p.empty)
	}
	p.mu.Unlock()
	select {
	case <-p.empty:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle
	p.idle = nil
	return idle, nil
}
