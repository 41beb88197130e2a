package host_test

import (
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
				if v, err := s.Authorize(b.Context(), &with); err != nil || v.Effect != pluginapi.EffectAbstain {
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
