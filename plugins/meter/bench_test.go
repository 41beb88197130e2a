package meter_test

import (
	"math"
	"os"
	"path"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero/api"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/meter"
)

// What metering costs a small guest: the same calls of the same module with it
// and without it. The two take turns, and the fastest rounds are compared, so
// that a busy machine slows both alike.
func BenchmarkOverhead(b *testing.B) {
	for _, guest := range []string{"../examples/mfa-delete/plugin.wasm", "../examples/office-hours/plugin.wasm"} {
		b.Run(path.Base(path.Dir(guest)), func(b *testing.B) {
			original, err := os.ReadFile(guest)
			require.NoError(b, err)
			var calls [2]func()
			for i, wasm := range [][]byte{original, rewrite(b, original)} {
				m := start(b, wasm, &tank{slice: math.MaxInt64 / 4, left: math.MaxInt64 / 4})
				if g, ok := m.ExportedGlobal(meter.FuelExport).(api.MutableGlobal); ok {
					g.Set(math.MaxInt64 / 4)
				}
				if f := m.ExportedFunction("_initialize"); f != nil {
					_, err := f.Call(b.Context())
					require.NoError(b, err)
				}
				calls[i] = authorize(b, m)
			}
			best := [2]time.Duration{math.MaxInt64, math.MaxInt64}
			const round = 100
			for b.Loop() {
				for i, call := range calls {
					began := time.Now() //nolint:forbidigo // a benchmark measures time
					for range round {
						call()
					}
					best[i] = min(best[i], time.Since(began))
				}
			}
			b.ReportMetric(float64(best[0].Nanoseconds())/round, "plain-ns")
			b.ReportMetric(float64(best[1].Nanoseconds())/round, "metered-ns")
			b.ReportMetric(100*(float64(best[1])/float64(best[0])-1), "%-overhead")
		})
	}
}

// authorize returns a call that is answered without a word.
func authorize(b *testing.B, m api.Module) func() {
	b.Helper()
	request := pluginapi.AuthorizeRequest{
		Action: "s3:DeleteObject", Resource: "arn:aws:s3:::finance/2026/report.csv",
		PrincipalArn: "arn:aws:iam::000000000000:user/alice", PrincipalType: "IAMUser", Account: "000000000000",
		SourceIp: "192.0.2.10", UserAgent: "aws-cli/2.17.0", TimeMs: 1_700_000_000_000, Secure: true, Mfa: true, RequestId: "request-1",
		Context: []pluginapi.ContextEntry{{Key: "aws:PrincipalTag/team", Values: []string{"finance"}}, {Key: "s3:prefix", Values: []string{"2026/"}}},
	}
	question := request.Append(nil)
	buffer, err := m.ExportedFunction("iam_v1_buffer").Call(b.Context(), 16<<10)
	require.NoError(b, err)
	require.True(b, m.Memory().Write(uint32(buffer[0]), question))
	f := m.ExportedFunction(pluginapi.ExportAuthorize)
	var stack [2]uint64
	return func() {
		stack = [2]uint64{buffer[0], uint64(len(question))}
		if err := f.CallWithStack(b.Context(), stack[:]); err != nil || stack[0] != 0 {
			b.Fatal(stack[0], err)
		}
	}
}

// How long the pass takes for a module of the standard Go compiler.
func BenchmarkRewrite(b *testing.B) {
	wasm, err := os.ReadFile("../host/testdata/go/plugin.wasm")
	require.NoError(b, err)
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		m, err := meter.Rewrite(wasm, meter.DefaultLimits())
		require.NoError(b, err)
		b.ReportMetric(100*(float64(len(m.Wasm))/float64(len(wasm))-1), "%-larger")
	}
}
