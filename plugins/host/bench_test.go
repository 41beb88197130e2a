package host_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
)

func quiet(o *host.Options) { o.Log = slog.New(slog.DiscardHandler) }

// report adds the median and the 99th percentile of single calls.
func report(b *testing.B, call func()) {
	b.Helper()
	for range 1000 {
		call()
	}
	b.ReportAllocs()
	var times []time.Duration
	for b.Loop() {
		began := time.Now() //nolint:forbidigo // a benchmark measures time
		call()
		times = append(times[:min(len(times), 1<<20)], time.Since(began))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds()), "p99-ns")
}

func BenchmarkAuthorize(b *testing.B) {
	f := newHost(b, quiet)
	asked := deleteRequest()
	with := *asked
	with.Mfa = true
	for _, bench := range []struct {
		name string
		set  *host.Set
		call func(*host.Set) bool
	}{
		{"no hook at all", nil, func(*host.Set) bool { return true }},
		{"no plugin", newSet(b, f), func(s *host.Set) bool {
			return !s.Interested(asked.Action, asked.Resource, asked.PrincipalType, pluginapi.EngineDecisionAllowed)
		}},
		{"filtered out", newSet(b, f, configure(b, mfaDelete, host.Authorize)), func(s *host.Set) bool {
			return !s.Interested("s3:GetObject", asked.Resource, asked.PrincipalType, pluginapi.EngineDecisionAllowed)
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !bench.call(bench.set) {
					b.Fatal("a plugin is interested")
				}
			}
		})
	}
	cache := withCache(b)
	for _, guest := range []struct{ name, path string }{
		{"C guest", mfaDelete}, {"AssemblyScript guest", officeHours}, {"Go guest", goAuthorize},
	} {
		s := newSet(b, newHost(b, quiet, cache), configure(b, guest.path, host.Authorize))
		b.Run(guest.name, func(b *testing.B) {
			report(b, func() {
				if v, err := s.Authorize(b.Context(), &with, nil); err != nil || v.Effect != pluginapi.EffectAbstain {
					b.Fatal(v, err)
				}
			})
		})
	}
}

func BenchmarkGenerate(b *testing.B) {
	s := newSet(b, newHost(b, quiet), configure(b, companyKey, host.GenerateAccessKey))
	b.Run("C guest, fresh instance", func(b *testing.B) {
		report(b, func() {
			_, err := s.GenerateAccessKey(b.Context(), &pluginapi.GenerateAccessKeyRequest{UserName: "alice"}, func(string) (bool, error) { return false, nil })
			require.NoError(b, err)
		})
	})
}

// What it takes until a plugin can be asked.
func BenchmarkLoad(b *testing.B) {
	cached := newHost(b, quiet, withCache(b))
	for _, bench := range []struct {
		name string
		h    *fixture
		path string
	}{
		{"C guest", newHost(b, quiet), mfaDelete},
		{"AssemblyScript guest", newHost(b, quiet), officeHours},
		{"Go guest", newHost(b, quiet), goAuthorize},
		{"Go guest, cached", cached, goAuthorize},
	} {
		b.Run(bench.name, func(b *testing.B) {
			c := configure(b, bench.path, host.Authorize)
			load := func() {
				m, err := bench.h.Load(b.Context(), c)
				require.NoError(b, err)
				require.NoError(b, m.Close(b.Context()))
			}
			if bench.h == cached {
				load()
			}
			for b.Loop() {
				load()
			}
		})
	}
}

// What an idle instance takes of the heap.
func BenchmarkInstanceMemory(b *testing.B) {
	for _, bench := range []struct{ name, path string }{{"C guest", mfaDelete}, {"Go guest", goAuthorize}} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				const sets = 10
				c := configure(b, bench.path, host.Authorize)
				f := newHost(b, quiet, withCache(b))
				before := int64(liveHeap())
				for range sets {
					m, err := f.Load(b.Context(), c)
					require.NoError(b, err)
					b.Cleanup(func() { require.NoError(b, m.Close(context.Background())) })
				}
				// The machine code of a module is not on the heap.
				b.ReportMetric(float64(int64(liveHeap())-before)/sets/1024, "KiB/instance")
			}
		})
	}
}
