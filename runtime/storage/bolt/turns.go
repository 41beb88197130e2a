package bolt

import (
	"context"
	"slices"
	"sync"
)

// turns lets in one caller at a time, in the order of their arrival. Unlike a
// mutex, it lets a caller give up, and tells who has the turn whether others
// wait for it.
type turns struct {
	mu      sync.Mutex
	taken   bool            // guarded by mu
	waiting []chan struct{} // guarded by mu; one is closed to give its owner the turn
}

// take waits for the turn. Its only error is that of ctx; a ctx that ends while
// the turn is being given loses to it.
func (t *turns) take(ctx context.Context) error {
	t.mu.Lock()
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	t.waiting = append(t.waiting, turn)
	t.mu.Unlock()

	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, turn)
	if i < 0 {
		return nil
	}
	t.waiting = slices.Delete(t.waiting, i, i+1)
	return ctx.Err()
}

// next gives the turn to the caller that has waited longest. Where none waits
// it returns false, and the turn stays where it is.
func (t *turns) next() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.give()
}

// release ends the turn, whether or not another caller waits for it.
func (t *turns) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken = t.give()
}

// give is next; mu is held.
func (t *turns) give() bool {
	if len(t.waiting) == 0 {
		return false
	}
	close(t.waiting[0])
	t.waiting = slices.Delete(t.waiting, 0, 1)
	return true
}
