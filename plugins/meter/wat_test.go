package meter_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"iamserver/plugins/meter"
)

// wat returns the modules of testdata.
func wat(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.wasm")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return names
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	require.NoError(t, err)
	return data
}

func TestRejected(t *testing.T) {
	for _, tt := range []struct{ name, module, reason string }{
		{"a start section", "reject_start", "module rejected at byte 20: a start section: code that runs before the host can limit it"},
		{"growth of a table", "reject_table_grow", "module rejected at byte 39: instruction 0xfc 15 is not supported"},
		{"a table that starts large", "reject_table_large", "module rejected at byte 17: a table of up to 100000000 entries, the limit is 65536"},
		{"a table that may become large", "reject_table_limit", "module rejected at byte 17: a table of up to 100000 entries, the limit is 65536"},
		{"a memory that starts large", "reject_memory_large", "module rejected at byte 14: a memory of at least 257 pages, the limit is 256"},
		{"a memory for threads", "reject_memory_shared", "module rejected at byte 12: a memory that is shared, or of 64 bits"},
		{"a memory of somebody else", "reject_memory_imported", "module rejected at byte 23: the import env.memory is no function"},
		{"an import of the host's refuelling", "reject_reserved_import", "module rejected at byte 34: the import iam_meter.refuel has a name that is reserved"},
		{"an export named like the fuel", "reject_reserved_export", "module rejected at byte 35: the export iam_meter_fuel has a name that is reserved"},
		{"a write to the fuel", "reject_refuel", "module rejected at byte 48: global 1 does not exist"},
		{"a call of the refuelling", "reject_call_refuel", "module rejected at byte 34: function 1 does not exist"},
		{"a use of the local for lengths", "reject_local", "module rejected at byte 43: local 0 does not exist"},
		{"a tail call", "reject_tail_call", "module rejected at byte 32: instruction 0x12 is not supported"},
		{"an exception", "reject_exception", "module rejected at byte 18: section 13 is unknown, or stands where it may not"},
		{"an atomic instruction", "reject_atomic", "module rejected at byte 37: instruction 0xfe is not supported"},
		{"a reference", "reject_reference", "module rejected at byte 32: instruction 0xd2 is not supported"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := meter.Rewrite(read(t, tt.module), meter.DefaultLimits())
			require.EqualError(t, err, tt.reason)
		})
	}
}

func TestRejectedForm(t *testing.T) {
	tight := meter.DefaultLimits()
	tight.ModuleBytes, tight.FunctionBodyBytes, tight.FunctionLocals, tight.Exports = 400, 5, 3, 1
	for _, tt := range []struct {
		name   string
		wasm   []byte
		limits meter.Limits
		reason string
	}{
		{"a component", []byte("\x00asm\x0d\x00\x01\x00"), meter.DefaultLimits(), "module rejected at byte 0: this is no WebAssembly core module, version 1; components are not supported"},
		{"440 million data segments in seven bytes", []byte("\x00asm\x01\x00\x00\x00\x0b\x07\xd2\xd2\xbc\xd2\x01\x60\x02"), meter.DefaultLimits(), "module rejected at byte 15: 441395538 data segments, the limit is 50000"},
		{"an empty file", nil, meter.DefaultLimits(), "module rejected at byte 0: unexpected end"},
		{"a module that is cut off", read(t, "names")[:60], meter.DefaultLimits(), "module rejected at byte 59: unexpected end"},
		{"a module that is too large", read(t, "exponential"), tight, "module rejected at byte 0: the module has 946 bytes, the limit is 400"},
		{"a function that is too large", read(t, "loop"), tight, "module rejected at byte 38: a function of 7 bytes, the limit is 5"},
		{"too many exports", read(t, "names"), tight, "module rejected at byte 60: 3 exports, the limit is 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := meter.Rewrite(tt.wasm, tt.limits)
			require.EqualError(t, err, tt.reason)
		})
	}
}

func TestDeclarations(t *testing.T) {
	m, err := meter.Rewrite(read(t, "names"), meter.DefaultLimits())
	require.NoError(t, err)
	binary := meter.FunctionType{Params: meter.I64 + meter.I64, Results: meter.I64}
	require.Equal(t, []meter.Import{{Module: "env", Name: "add", Type: binary}}, m.Imports)
	require.Equal(t, []meter.Export{
		{Name: "memory", Kind: meter.ExportMemory},
		{Name: "run", Type: meter.FunctionType{Params: meter.I32 + meter.I64, Results: meter.I64}},
		{Name: "trap"},
	}, m.Exports)
	require.Equal(t, 3, m.Functions)
	require.EqualValues(t, 1, m.MemoryPages)
}

// start instantiates a module for tests that call it themselves.
func start(t testing.TB, wasm []byte, k *tank) api.Module {
	t.Helper()
	m, err := newRuntime(t, k).InstantiateWithConfig(t.Context(), wasm, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	require.NoError(t, err)
	return m
}

// newRuntime makes a runtime with all that the modules of tests import.
func newRuntime(t testing.TB, k *tank) wazero.Runtime {
	t.Helper()
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features).WithMemoryLimitPages(256))
	t.Cleanup(func() { require.NoError(t, r.Close(context.Background())) })
	export := func(module, name string, f any) {
		_, err := r.NewHostModuleBuilder(module).NewFunctionBuilder().WithFunc(f).Export(name).Instantiate(ctx)
		require.NoError(t, err)
	}
	export("env", "add", func(_ context.Context, a, b int64) int64 { return a + b })
	export("iam_v1", "log", func(uint32, uint32, uint32) {})
	export(meter.ImportModule, meter.ImportFunction, func(ctx context.Context, m api.Module) { k.refuel(ctx, m, nil) })
	_, err := wasi_snapshot_preview1.Instantiate(ctx, r)
	require.NoError(t, err)
	return r
}

// Functions keep calling those that they called, through each way of calling,
// and traces keep their names.
func TestIndexesMoveTogether(t *testing.T) {
	m := start(t, rewrite(t, read(t, "names")), &tank{slice: 1000, left: 100_000})
	got, err := m.ExportedFunction("run").Call(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []uint64{10 - 3 + 10 + 4}, got)
	_, err = m.ExportedFunction("trap").Call(t.Context())
	require.ErrorContains(t, err, "fails()")
}

// Whatever a guest does, it stops when its fuel is used up, and other
// goroutines and the collector get in meanwhile: the host is called at least
// once for each slice.
func TestEverythingEnds(t *testing.T) {
	for _, tt := range []struct{ name, module string }{
		{"a loop", "loop"},
		{"calls without a loop", "exponential"},
		{"recursion", "recursion"},
		{"recursion with large frames", "frames"},
		{"filling memory", "fill"},
		{"copying memory", "copy"},
		{"initializing memory", "init"},
		{"growing memory", "grow"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const slice, budget = 100_000, 5_000_000
			k := &tank{slice: slice, left: budget}
			m := start(t, rewrite(t, read(t, tt.module)), k)
			_, err := m.ExportedFunction("run").Call(t.Context())
			require.ErrorIs(t, err, errEmpty)
			require.Zero(t, k.left)
			// One bulk instruction may cost more than several slices.
			require.GreaterOrEqual(t, k.calls, budget/(16<<20>>4+slice))
			runtime.GC()
		})
	}
}

// The examples of the specification's own words: one unit for one instruction,
// sixteen bytes of a bulk instruction for another.
func TestPrices(t *testing.T) {
	spent := func(module string) int64 {
		k := &tank{slice: 1 << 40, left: 1 << 40}
		m := start(t, rewrite(t, read(t, module)), k)
		_, err := m.ExportedFunction("run").Call(t.Context(), 0, 0)
		require.NoError(t, err)
		return 1<<40 - int64(m.ExportedGlobal(meter.FuelExport).Get())
	}
	const frame = 4
	// run: a frame with 2 parameters and a result; 9 instructions, of them 3 calls at 4 more.
	// subtract: a frame with 2 parameters and a result, and 3 instructions.
	require.EqualValues(t, frame+3+9+3*4+frame+3+3, spent("names"))
}

// What the compiler moves, where ways meet and from function to function, is
// executed without an instruction, and paid for all the same: else a loop of a few
// instructions would take as long as hundreds.
func TestMovesArePaidFor(t *testing.T) {
	for _, tt := range []struct {
		name, module string
		moves        int64 // price of those of one more round
	}{
		{"locals where ways meet", "moves_locals", 2 * 65 / 8},
		{"parameters of a loop", "moves_parameters", 65 / 8},
		{"results that are handed on", "moves_results", 2 * 64},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spent := func(rounds uint64) int64 {
				k := &tank{slice: 1 << 40, left: 1 << 40}
				m := start(t, rewrite(t, read(t, tt.module)), k)
				_, err := m.ExportedFunction("run").Call(t.Context(), rounds)
				require.NoError(t, err)
				return 1<<40 - int64(m.ExportedGlobal(meter.FuelExport).Get())
			}
			const instructions = 5 // at least
			require.GreaterOrEqual(t, spent(1001)-spent(1), 1000*(tt.moves+instructions))
		})
	}
}

func TestTooManyMovesAreRejected(t *testing.T) {
	limits := meter.DefaultLimits()
	limits.FunctionMoves = 2*65 + 65
	_, err := meter.Rewrite(read(t, "moves_locals"), limits)
	require.NoError(t, err, "a loop, the end of an if, and that of the loop")
	limits.FunctionMoves--
	_, err = meter.Rewrite(read(t, "moves_locals"), limits)
	require.ErrorContains(t, err, "a function with too many locals for its blocks: they may have to be moved more than 194 times")
}
