package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"strings"
	"sync"
	"time"
)

// A signingKey signs for one access key on one date in one region and service.
type signingKey struct {
	key  [sha256.Size]byte
	macs sync.Pool // of hash.Hash with that key
}

func deriveKey(secret string, id cacheKey) *signingKey {
	k := &signingKey{}
	sum := []byte("AWS4" + secret)
	for _, part := range [...]string{id.date, id.region, id.service, terminator} {
		mac := hmac.New(sha256.New, sum)
		mac.Write([]byte(part))
		sum = mac.Sum(nil)
	}
	copy(k.key[:], sum)
	return k
}

// appendMAC appends to data the HMAC of it.
func (k *signingKey) appendMAC(data []byte) []byte {
	mac, ok := k.macs.Get().(hash.Hash)
	if !ok {
		mac = hmac.New(sha256.New, k.key[:])
	}
	mac.Write(data)
	data = mac.Sum(data)
	mac.Reset()
	k.macs.Put(mac)
	return data
}

const (
	// A generation of the cache is this many keys, some 4 MiB.
	cacheSize = 4096
	// A signing key is good for the requests of one day.
	cacheAge = 24 * time.Hour
)

type cacheKey struct{ accessKeyID, date, region, service string }

type cacheEntry struct {
	secret string
	key    *signingKey
}

// A keyCache keeps signing keys in two generations. When a key is put into a
// young one that is full or a day old, that becomes the old one, and what was
// not used since the last time is gone. A key counts only with the secret it
// was derived from.
type keyCache struct {
	size int

	mu         sync.RWMutex
	young, old map[cacheKey]cacheEntry // guarded by mu
	since      time.Time               // guarded by mu; when young was begun
}

func newKeyCache(size int) *keyCache {
	return &keyCache{size: size, young: map[cacheKey]cacheEntry{}}
}

// get returns nil if it has no key, and whether the key is of the young
// generation: one that is not must be put again to stay.
func (c *keyCache) get(id cacheKey, secret string) (key *signingKey, young bool) {
	c.mu.RLock()
	entry, young := c.young[id]
	if !young {
		entry = c.old[id]
	}
	c.mu.RUnlock()
	if entry.secret != secret {
		return nil, false
	}
	return entry.key, young
}

func (c *keyCache) put(id cacheKey, secret string, key *signingKey, now time.Time) {
	// The parts of id are parts of a header, which must not stay with them.
	id = cacheKey{strings.Clone(id.accessKeyID), strings.Clone(id.date), strings.Clone(id.region), strings.Clone(id.service)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.size || now.Sub(c.since) >= cacheAge {
		c.old, c.young, c.since = c.young, map[cacheKey]cacheEntry{}, now
	}
	c.young[id] = cacheEntry{secret, key}
}
