package meter_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"iamserver/plugins/meter"
)

const features = api.CoreFeaturesV2 &^ api.CoreFeatureReferenceTypes

// An outcome is all that a run leaves behind.
type outcome struct {
	Result uint64
	Trap   string
	Memory string
	Global [2]uint64
}

var errEmpty = errors.New("out of fuel")

// tank hands out fuel in slices.
type tank struct {
	slice, left int64
	calls       int
}

func (k *tank) refuel(_ context.Context, m api.Module, _ []uint64) {
	g := m.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	k.calls++
	debt := int64(g.Get()) // below zero
	add := min(k.left, k.slice-debt)
	k.left -= add
	if debt+add < 0 {
		panic(errEmpty)
	}
	g.Set(uint64(debt + add))
}

// run executes a module. Without a tank it is not metered.
func run(t testing.TB, wasm []byte, k *tank) outcome {
	t.Helper()
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features).WithMemoryLimitPages(256))
	defer func() { require.NoError(t, r.Close(ctx)) }()
	if k != nil {
		_, err := r.NewHostModuleBuilder(meter.ImportModule).NewFunctionBuilder().
			WithGoModuleFunction(api.GoModuleFunc(k.refuel), nil, nil).Export(meter.ImportFunction).Instantiate(ctx)
		require.NoError(t, err)
	}
	m, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName(""))
	require.NoError(t, err)
	var o outcome
	results, err := m.ExportedFunction("run").Call(ctx, 41, 1<<33+5)
	if err != nil {
		o.Trap, _, _ = strings.Cut(err.Error(), "\n")
	} else {
		o.Result = results[0]
	}
	if memory := m.Memory(); memory != nil {
		view, _ := memory.Read(0, memory.Size())
		o.Memory = string(view)
	}
	for i, name := range []string{"g0", "g1"} {
		if g := m.ExportedGlobal(name); g != nil {
			o.Global[i] = g.Get()
		}
	}
	return o
}

func rewrite(t testing.TB, wasm []byte) []byte {
	t.Helper()
	m, err := meter.Rewrite(wasm, meter.DefaultLimits())
	require.NoError(t, err)
	return m.Wasm
}

// requireAgreement runs a module without metering, with plenty of fuel, and
// with fuel in slices so small that the host is called all the time.
func requireAgreement(t testing.TB, wasm []byte) {
	t.Helper()
	metered := rewrite(t, wasm)
	want := run(t, wasm, nil)
	plenty := &tank{slice: math.MaxInt64 / 4, left: math.MaxInt64 / 4}
	require.Equal(t, want, run(t, metered, plenty))
	sliced := &tank{slice: 50, left: math.MaxInt64 / 4}
	require.Equal(t, want, run(t, metered, sliced))
	require.Positive(t, sliced.calls)
}

// FuzzMeteredAgrees compares random programs with and without metering.
func FuzzMeteredAgrees(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		choices := make([]byte, 40+random.IntN(1500))
		for i := range choices {
			choices[i] = byte(random.Uint32())
		}
		f.Add(choices)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		if len(choices) > 4000 {
			t.Skip("longer programs only take longer")
		}
		requireAgreement(t, module(choices))
	})
}

// FuzzRewrite: whatever the bytes are, they are rejected with a reason, or the
// result compiles exactly when the original does.
func FuzzRewrite(f *testing.F) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		choices := make([]byte, 200)
		for i := range choices {
			choices[i] = byte(random.Uint32())
		}
		f.Add(module(choices))
	}
	for _, name := range wat(f) {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := meter.Rewrite(wasm, meter.DefaultLimits())
		var rejected *meter.RejectedError
		if errors.As(err, &rejected) {
			require.NotEmpty(t, rejected.Reason)
			return
		}
		require.NoError(t, err)
		ctx := t.Context()
		r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features).WithMemoryLimitPages(256))
		defer func() { require.NoError(t, r.Close(ctx)) }()
		_, original := r.CompileModule(ctx, wasm)
		_, metered := r.CompileModule(ctx, m.Wasm)
		switch {
		case original == nil:
			require.NoError(t, metered)
		case strings.Contains(original.Error(), "custom"):
			// Names are for people, and dropped where they are malformed.
		default:
			require.Error(t, metered, "an invalid module must not become valid: %v", original)
		}
	})
}
