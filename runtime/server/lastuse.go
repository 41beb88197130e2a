package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"iamserver/runtime/authz"
	"iamserver/runtime/identity"
)

// lastUse remembers when access keys were last used until that is stored:
// requests must not wait for a disk only to be counted.
type lastUse struct {
	mu   sync.RWMutex
	uses map[string]identity.LastUsed // guarded by mu; by access key id, not yet stored
}

const (
	// A use is noted to the minute; AWS tells it to the hour or so.
	useGranularity = time.Minute
	// storeUsesEvery bounds what a crash forgets.
	storeUsesEvery = time.Minute
	// usesPerTransaction keeps below storage.MaxOperations.
	usesPerTransaction = 100
)

func newLastUse() *lastUse { return &lastUse{uses: map[string]identity.LastUsed{}} }

func (l *lastUse) get(accessKeyID string) (identity.LastUsed, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	use, ok := l.uses[accessKeyID]
	return use, ok
}

// record notes the use of a principal's key, but not root's, which is not stored.
func (l *lastUse) record(p *authz.Principal, service, region string, at time.Time) {
	if p.UserID == "" {
		return
	}
	id := p.AccessKeyID
	last, ok := l.get(id)
	if ok && last.Service == service && last.Region == region && at.Sub(last.Time) < useGranularity {
		return
	}
	l.mu.Lock()
	l.uses[id] = identity.LastUsed{Time: at, Service: service, Region: strings.Clone(region)}
	l.mu.Unlock()
}

// some returns up to n of the uses that are not stored.
func (l *lastUse) some(n int) map[string]identity.LastUsed {
	l.mu.RLock()
	defer l.mu.RUnlock()
	batch := make(map[string]identity.LastUsed, min(n, len(l.uses)))
	for id, use := range l.uses {
		if len(batch) == n {
			break
		}
		batch[id] = use
	}
	return batch
}

// stored forgets the uses that have been stored, but not those that came since.
func (l *lastUse) stored(batch map[string]identity.LastUsed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, use := range batch {
		if l.uses[id] == use {
			delete(l.uses, id)
		}
	}
}

func (s *Server) storeLastUse(ctx context.Context) {
	tick := time.NewTicker(storeUsesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.flushLastUse(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("the last use of access keys could not be stored", "error", err)
			}
		}
	}
}

func (s *Server) flushLastUse(ctx context.Context) error {
	for {
		batch := s.used.some(usesPerTransaction)
		if len(batch) == 0 {
			return nil
		}
		_, err := s.db.Update(ctx, func(tx *identity.Tx) error {
			for id, use := range batch {
				if err := tx.PutKeyLastUsed(id, use); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store the last use of access keys: %w", err)
		}
		s.used.stored(batch)
	}
}
