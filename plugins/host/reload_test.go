package host_test

import (
	"context"
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
)

// Reloads of a small module; of a large one it is a fiftieth.
var reloads = flag.Int("reloads", 100, "how often TestReloadUnderLoad reloads")

const goAuthorize = "testdata/go/plugin.wasm"

// While plugins are reloaded again and again, every question is answered by
// one version or the other, nothing fails, and nothing stays behind.
func TestReloadUnderLoad(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		reloads    int
	}{
		{"a small module", mfaDelete, *reloads},
		{"a module of the standard Go compiler", goAuthorize, *reloads / 50},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newHost(t, quiet, withCache(t))
			c := configure(t, tt.path, host.Authorize)
			// A busy machine must not look like a failure.
			c.Limits.AuthorizeTime, c.Limits.InitTime = 1<<40, 1<<40
			s := newSet(t, f, c)

			reload := func() {
				c.IncludeRoot = !c.IncludeRoot
				require.NoError(t, s.Reload(t.Context(), []host.Config{c}))
			}
			for range 3 { // what is made once, is made by now
				reload()
			}
			heap := liveHeap()

			ctx, stop := context.WithCancel(t.Context())
			var asking sync.WaitGroup
			var asked atomic.Int64
			ask := func() {
				verdict, err := s.Authorize(t.Context(), deleteRequest(), nil)
				if err != nil || verdict.Code != "mfa_required" {
					t.Error("a question was not answered by a plugin", verdict, err)
				}
				asked.Add(1)
			}
			for range 2 {
				asking.Go(func() {
					for ctx.Err() == nil {
						ask()
					}
				})
			}
			for range tt.reloads {
				reload()
			}
			stop()
			asking.Wait()
			reload() // one instance again, as before
			growth := int64(liveHeap()) - int64(heap)
			t.Logf("%d reloads, %d questions, heap growth %d KiB", tt.reloads, asked.Load(), growth>>10)
			require.Positive(t, asked.Load())
			require.Less(t, growth, int64(2<<20))
			require.InDelta(t, 1, f.metric(t, "iamserver_plugin_instances"), 0)
		})
	}
}

// liveHeap is what is in use after a collection.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A plugin whose configuration is the same is not loaded again.
func TestReloadKeepsWhatIsTheSame(t *testing.T) {
	f := newHost(t)
	authorizer, generator := configure(t, mfaDelete, host.Authorize), configure(t, companyKey, host.GenerateAccessKey)
	s := newSet(t, f, authorizer, generator)
	before := s.Modules()
	generator.AllowSupplied = true
	require.NoError(t, s.Reload(t.Context(), []host.Config{generator, authorizer}))
	after := s.Modules()
	require.Same(t, before[0], after[1])
	require.NotSame(t, before[1], after[0])

	require.NoError(t, s.Reload(t.Context(), nil))
	require.Empty(t, s.Modules())
	require.False(t, s.Interested("s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionAllowed))
	require.Zero(t, f.metric(t, "iamserver_plugin_instances"))
}

// A set that is closed denies.
func TestClosedSetFailsClosed(t *testing.T) {
	f := newHost(t)
	s, err := f.NewSet(t.Context(), []host.Config{configure(t, mfaDelete, host.Authorize), configure(t, companyKey, host.GenerateAccessKey)})
	require.NoError(t, err)
	require.NoError(t, s.Close(t.Context()))
	require.NoError(t, s.Close(t.Context()))
	verdict, err := s.Authorize(t.Context(), deleteRequest(), nil)
	require.EqualError(t, err, "plugins: authorize: unavailable: the set was closed")
	require.Equal(t, pluginapi.EffectDeny, verdict.Effect)
	_, err = s.GenerateAccessKey(t.Context(), &pluginapi.GenerateAccessKeyRequest{}, nil)
	require.Error(t, err)
}
