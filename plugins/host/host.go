// Package host runs plugins: WebAssembly modules that shape access keys,
// validate policies and take part in authorization. It decides nothing about a
// request itself, and does not know who asks; see package authz for that.
//
// Whatever a plugin does, the host fails closed: what is not answered in
// order, in time and within the limits is a PluginError, the instance is thrown
// away, and whoever asked denies or refuses. Code is rewritten by package
// meter, so that it cannot run longer than it may, nor keep the garbage
// collector waiting.
package host

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/tetratelabs/wazero"
)

// Options are what plugins share. Now and Log must be set.
type Options struct {
	Now func() time.Time
	Log *slog.Logger
	// Metrics takes the metrics of the plugins; nil keeps them to oneself.
	Metrics prometheus.Registerer
	// Random is where entropy comes from; crypto/rand if nil.
	Random io.Reader
	// CacheDir keeps compiled machine code, which is run as it is found there:
	// the folder must be private to the server's user. Empty means no cache.
	CacheDir string
	// Version of the server, for InitRequest.
	Version string
	// Processors bounds how many plugins run at once, and how many instances
	// there are; GOMAXPROCS if 0.
	Processors int
	// Wait is how long a question waits for its turn, and for an instance; 25 ms if 0.
	Wait time.Duration
	// Ended gets the memory of each instance that is given up, before it is
	// overwritten: for looking at what a plugin got to see. It may hold a key that the
	// instance made, and must not be kept. Nil is nobody.
	Ended func(plugin string, memory []byte)
}

const defaultWait = 25 * time.Millisecond

// A Host runs plugins.
type Host struct {
	now        func() time.Time
	random     io.Reader
	log        *slog.Logger
	metrics    *metrics
	version    string
	processors int
	cache      wazero.CompilationCache // nil without a folder
	ended      func(plugin string, memory []byte)
	turn       *turnstile
}

// New returns a host without plugins.
func New(o Options) (*Host, error) {
	h := &Host{now: o.Now, random: o.Random, log: o.Log, metrics: newMetrics(o.Metrics), version: o.Version, processors: o.Processors, ended: o.Ended}
	if h.random == nil {
		h.random = rand.Reader
	}
	if h.processors == 0 {
		h.processors = runtime.GOMAXPROCS(0)
	}
	// At least one processor is left for the rest of the server.
	h.turn = newTurnstile(max(1, h.processors/2), cmp.Or(o.Wait, defaultWait))
	if o.CacheDir != "" {
		if err := privateFolder(o.CacheDir); err != nil {
			return nil, fmt.Errorf("plugin cache: %w", err)
		}
		cache, err := wazero.NewCompilationCacheWithDir(o.CacheDir)
		if err != nil {
			return nil, fmt.Errorf("plugin cache: %w", err)
		}
		h.cache = cache
	}
	return h, nil
}

// Close gives up the cache. Plugins must be closed before.
func (h *Host) Close(ctx context.Context) error {
	if h.cache == nil {
		return nil
	}
	return h.cache.Close(ctx)
}
