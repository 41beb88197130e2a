package meter_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"iamserver/generated/pluginapi"
)

// Guests that compilers made answer and trap alike with and without metering,
// whatever the question is. Each keeps its memory from one question to the next.
func TestCompiledGuestsAgree(t *testing.T) {
	for _, guest := range []string{"../examples/mfa-delete/plugin.wasm", "../examples/office-hours/plugin.wasm", "../host/testdata/go/plugin.wasm"} {
		t.Run(path.Dir(guest), func(t *testing.T) {
			plain, err := os.ReadFile(guest)
			require.NoError(t, err)
			metered := rewrite(t, plain)
			random := rand.New(rand.NewPCG(5, 6))
			a, b := newAsker(t, plain), newAsker(t, metered)
			for range 400 {
				question := mutated(random)
				answer, trap := a.ask(t, question)
				meteredAnswer, meteredTrap := b.ask(t, question)
				require.Equal(t, answer, meteredAnswer, "%x", question)
				require.Equal(t, trap, meteredTrap, "%x", question)
			}
		})
	}
}

// mutated is a request in which, half of the time, some bytes were changed.
func mutated(random *rand.Rand) []byte {
	request := pluginapi.AuthorizeRequest{
		Action: "s3:DeleteObject", Resource: "arn:aws:s3:::b/" + strings.Repeat("k", random.IntN(200)), PrincipalType: "IAMUser",
		TimeMs: random.Int64N(1 << 41), Mfa: random.IntN(2) == 0,
		Context: []pluginapi.ContextEntry{{Key: "aws:PrincipalTag/hours", Values: []string{[]string{"office", "any"}[random.IntN(2)]}}},
	}
	question := request.Append(nil)
	if random.IntN(2) == 0 {
		for range 1 + random.IntN(4) {
			question[random.IntN(len(question))] = byte(random.Uint32())
		}
	}
	return question
}

// An asker asks an instance until it traps, and then another one.
type asker struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	m        api.Module
}

func newAsker(t *testing.T, wasm []byte) *asker {
	t.Helper()
	r := newRuntime(t, &tank{slice: 1000, left: math.MaxInt64 / 2})
	compiled, err := r.CompileModule(t.Context(), wasm)
	require.NoError(t, err)
	return &asker{runtime: r, compiled: compiled}
}

func (k *asker) ask(t *testing.T, question []byte) (answer, trap string) {
	t.Helper()
	if k.m == nil {
		var err error
		k.m, err = k.runtime.InstantiateModule(t.Context(), k.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
		require.NoError(t, err)
		k.call(t, "_initialize")
	}
	buffer := k.call(t, "iam_v1_buffer", 16<<10)[0]
	require.True(t, k.m.Memory().Write(uint32(buffer), question))
	result, err := k.m.ExportedFunction(pluginapi.ExportAuthorize).Call(t.Context(), buffer, uint64(len(question)))
	if err != nil {
		require.NoError(t, k.m.Close(t.Context()))
		k.m = nil
		trap, _, _ = strings.Cut(err.Error(), "\n")
		return "", trap
	}
	view, ok := k.m.Memory().Read(uint32(result[0]>>32), uint32(result[0]))
	require.True(t, ok)
	return string(view), ""
}

// call calls a function if there is one.
func (k *asker) call(t *testing.T, name string, params ...uint64) []uint64 {
	t.Helper()
	f := k.m.ExportedFunction(name)
	if f == nil {
		return nil
	}
	results, err := f.Call(t.Context(), params...)
	require.NoError(t, err)
	return results
}
