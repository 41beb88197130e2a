package audit

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Limit is how many records of refused requests a peer may cause: Burst at
// once, and then PerSecond. A peer is an IPv4 address or the /64 network of an
// IPv6 address, which one customer of a provider has to itself.
type Limit struct {
	// PerSecond is over 0.
	PerSecond float64
	// Burst is 1 or more.
	Burst int
	// Peers is how many peers are told apart, 1 or more. All others share the
	// limit of one, so that the log grows slowly however many they are.
	Peers int
}

// DefaultLimit is the limit where none is configured.
var DefaultLimit = Limit{PerSecond: 5, Burst: 100, Peers: 4096}

// limiter counts the refused requests of peers.
type limiter struct {
	limit Limit

	mu     sync.Mutex
	peers  map[netip.Prefix]*bucket // guarded by mu
	others *bucket                  // guarded by mu; of all for whom peers has no room
	swept  time.Time                // guarded by mu
}

// bucket is a token bucket and how many found it empty.
type bucket struct {
	tokens  *rate.Limiter
	dropped int64
}

// drops is how many records of a peer were dropped.
type drops struct {
	peer  netip.Prefix // the zero value for peers without address
	other bool         // for all peers that were not told apart
	count int64
}

func newLimiter(limit Limit) *limiter {
	if limit == (Limit{}) {
		limit = DefaultLimit
	}
	l := &limiter{limit: limit, peers: map[netip.Prefix]*bucket{}}
	l.others = l.newBucket()
	return l
}

func (l *limiter) newBucket() *bucket {
	return &bucket{tokens: rate.NewLimiter(rate.Limit(l.limit.PerSecond), l.limit.Burst)}
}

// network returns the peer that an address counts as; the zero value for none.
func network(address netip.Addr) netip.Prefix {
	address = address.Unmap()
	bits := 32
	if address.Is6() {
		bits = 64
	}
	p, _ := address.Prefix(bits) // fails only for bits out of range
	return p
}

// admit tells whether a record may be written, and how many of its peer were
// dropped before it, which the record then has to tell. Only refused requests
// are counted and dropped.
func (l *limiter) admit(peer netip.Prefix, refused bool, now time.Time) (dropped int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.peers[peer]
	if b == nil && !refused {
		return 0, true
	}
	if b == nil {
		b = l.enter(peer, now)
	}
	if refused && !b.tokens.AllowN(now, 1) {
		b.dropped++
		return 0, false
	}
	if b == l.others {
		return 0, true // not this peer's alone: drain tells of them
	}
	dropped, b.dropped = b.dropped, 0
	return dropped, true
}

// enter returns the bucket of a peer that has none yet. The caller holds mu.
func (l *limiter) enter(peer netip.Prefix, now time.Time) *bucket {
	if len(l.peers) >= l.limit.Peers {
		l.sweep(now)
	}
	if len(l.peers) >= l.limit.Peers {
		return l.others
	}
	b := l.newBucket()
	l.peers[peer] = b
	return b
}

// sweep forgets the peers whose bucket is full, which is as if they had never
// come. It looks at all of them, so it does that no more often than an empty
// bucket takes to fill. The caller holds mu.
func (l *limiter) sweep(now time.Time) {
	full := float64(l.limit.Burst)
	if now.Sub(l.swept).Seconds() < full/l.limit.PerSecond {
		return
	}
	l.swept = now
	for peer, b := range l.peers {
		if b.tokens.TokensAt(now) >= full {
			l.others.dropped += b.dropped
			delete(l.peers, peer)
		}
	}
}

// restore counts again what admit or drain returned and no record could tell.
func (l *limiter) restore(d drops) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.peers[d.peer]
	if b == nil || d.other {
		b = l.others
	}
	b.dropped += d.count
}

// drain returns what was dropped since it was last told, in order of the peers.
func (l *limiter) drain() []drops {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []drops
	for peer, b := range l.peers {
		if b.dropped > 0 {
			all = append(all, drops{peer: peer, count: b.dropped})
			b.dropped = 0
		}
	}
	slices.SortFunc(all, func(a, b drops) int {
		return cmp.Or(a.peer.Addr().Compare(b.peer.Addr()), cmp.Compare(a.peer.Bits(), b.peer.Bits()))
	})
	if l.others.dropped > 0 {
		all = append(all, drops{other: true, count: l.others.dropped})
		l.others.dropped = 0
	}
	return all
}

// name is the peer as sourceIPAddress tells it.
func (d drops) name() string {
	switch {
	case d.other:
		return "others"
	case !d.peer.IsValid():
		return ""
	case d.peer.IsSingleIP():
		return d.peer.Addr().String()
	default:
		return d.peer.String()
	}
}
