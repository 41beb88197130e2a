package host

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"iamserver/plugins/meter"
)

const (
	logModule  = "iam_v1"
	wasiModule = "wasi_snapshot_preview1"
)

// Errors of WASI (https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno).
const (
	wasiSuccess = 0
	wasiBadFile = 8
	wasiInvalid = 28
)

// An importable is a function that plugins may import.
type importable struct {
	params, results []api.ValueType
	cost            int64 // fuel of a call, beside what it charges itself
	call            func(i *instance, m api.Memory, stack []uint64)
}

func (f importable) wasmType() meter.FunctionType {
	return meter.FunctionType{Params: string(f.params), Results: string(f.results)}
}

// What a call of the host costs, about as much as it takes.
const (
	costHostCall = 100
	costLogCall  = 3000
	costPerByte  = 2
)

// imports are all that plugins get: a log, a clock, randomness, and as much of
// WASI as the start of a Go or C program asks for. There are no files, no
// network, no arguments and no environment: the functions that a runtime
// imports for those say that there is nothing.
var imports = func() map[string]importable {
	all := map[string]importable{
		logModule + ".log": {params: i32s(3), cost: costLogCall, call: hostLog},
	}
	wasi := func(name string, params []api.ValueType, call func(i *instance, m api.Memory, stack []uint64) uint32) {
		all[wasiModule+"."+name] = importable{params: params, results: i32s(1), cost: costHostCall, call: func(i *instance, m api.Memory, stack []uint64) {
			stack[0] = uint64(call(i, m, stack))
		}}
	}
	badFile := func(*instance, api.Memory, []uint64) uint32 { return wasiBadFile }
	succeed := func(*instance, api.Memory, []uint64) uint32 { return wasiSuccess }
	wasi("args_get", i32s(2), succeed)
	wasi("args_sizes_get", i32s(2), nothing)
	wasi("environ_get", i32s(2), succeed)
	wasi("environ_sizes_get", i32s(2), nothing)
	wasi("clock_time_get", []api.ValueType{api.ValueTypeI32, api.ValueTypeI64, api.ValueTypeI32}, clockTime)
	wasi("random_get", i32s(2), randomGet)
	wasi("fd_write", i32s(4), fdWrite)
	wasi("fd_close", i32s(1), badFile)
	wasi("fd_seek", []api.ValueType{api.ValueTypeI32, api.ValueTypeI64, api.ValueTypeI32, api.ValueTypeI32}, badFile)
	wasi("fd_fdstat_get", i32s(2), fdStat)
	wasi("fd_fdstat_set_flags", i32s(2), badFile)
	wasi("fd_prestat_get", i32s(2), badFile)
	wasi("fd_prestat_dir_name", i32s(3), badFile)
	wasi("poll_oneoff", i32s(4), pollOneOff)
	wasi("sched_yield", nil, succeed)
	all[wasiModule+".proc_exit"] = importable{params: i32s(1), call: func(_ *instance, _ api.Memory, stack []uint64) {
		panic(sys.NewExitError(uint32(stack[0])))
	}}
	return all
}()

func i32s(n int) []api.ValueType {
	types := make([]api.ValueType, n)
	for i := range types {
		types[i] = api.ValueTypeI32
	}
	return types
}

// provide makes the functions available to the modules of a runtime.
func provide(ctx context.Context, r wazero.Runtime) error {
	builders := map[string]wazero.HostModuleBuilder{logModule: r.NewHostModuleBuilder(logModule), wasiModule: r.NewHostModuleBuilder(wasiModule)}
	for name, f := range imports {
		module, function := logModule, name[len(logModule)+1:]
		if name[:len(logModule)+1] != logModule+"." {
			module, function = wasiModule, name[len(wasiModule)+1:]
		}
		builders[module].NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, m api.Module, stack []uint64) {
			i := instanceOf(ctx)
			i.charge(f.cost)
			f.call(i, m.Memory(), stack)
		}), f.params, f.results).Export(function)
	}
	builders[meter.ImportModule] = r.NewHostModuleBuilder(meter.ImportModule)
	builders[meter.ImportModule].NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, _ api.Module, _ []uint64) {
		instanceOf(ctx).refuel()
	}), nil, nil).Export(meter.ImportFunction)
	for _, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// read returns the bytes at a place of the memory, or stops the plugin.
func read(m api.Memory, at, length uint64) []byte {
	if m == nil {
		panic(errHost)
	}
	b, ok := m.Read(uint32(at), uint32(length))
	if !ok {
		panic(errHost)
	}
	return b
}

// hostLog is iam_v1.log(level, pointer, length).
func hostLog(i *instance, m api.Memory, stack []uint64) {
	level := slog.LevelInfo
	switch int32(stack[0]) {
	case 0:
		level = slog.LevelDebug
	case 1:
	case 2:
		level = slog.LevelWarn
	default:
		level = slog.LevelError
	}
	i.charge(costPerByte * int64(uint32(stack[2])))
	i.log.line(i.requestID, level, read(m, stack[1], stack[2]))
}

// nothing answers that there are no strings, of no length.
func nothing(_ *instance, m api.Memory, stack []uint64) uint32 {
	binary.LittleEndian.PutUint32(read(m, stack[0], 4), 0)
	binary.LittleEndian.PutUint32(read(m, stack[1], 4), 0)
	return wasiSuccess
}

func clockTime(i *instance, m api.Memory, stack []uint64) uint32 {
	at := read(m, stack[2], 8)
	now := i.host.now()
	switch uint32(stack[0]) {
	case 0: // real time
		binary.LittleEndian.PutUint64(at, uint64(now.UnixNano()))
	case 1: // monotonic
		binary.LittleEndian.PutUint64(at, uint64(now.Sub(i.born)))
	default:
		return wasiInvalid
	}
	return wasiSuccess
}

func randomGet(i *instance, m api.Memory, stack []uint64) uint32 {
	i.charge(costPerByte * int64(uint32(stack[1])))
	if _, err := io.ReadFull(i.host.random, read(m, stack[0], stack[1])); err != nil {
		// Nothing may go on with bytes that are not random.
		panic(err)
	}
	return wasiSuccess
}

// fdWrite takes what is written to standard output and standard error for the log.
func fdWrite(i *instance, m api.Memory, stack []uint64) uint32 {
	if fd := uint32(stack[0]); fd != 1 && fd != 2 {
		return wasiBadFile
	}
	total := uint32(0)
	for n := range uint64(uint32(stack[2])) {
		i.charge(costHostCall)
		vector := read(m, stack[1]+8*n, 8)
		length := binary.LittleEndian.Uint32(vector[4:])
		if length > math.MaxUint32-total {
			return wasiInvalid
		}
		i.charge(costPerByte * int64(length))
		i.log.write(i.requestID, read(m, uint64(binary.LittleEndian.Uint32(vector)), uint64(length)))
		total += length
	}
	binary.LittleEndian.PutUint32(read(m, stack[3], 4), total)
	return wasiSuccess
}

// fdStat says that the standard files are there, and no others.
func fdStat(_ *instance, m api.Memory, stack []uint64) uint32 {
	if uint32(stack[0]) > 2 {
		return wasiBadFile
	}
	const characterDevice = 2
	stat := read(m, stack[1], 24)
	clear(stat)
	stat[0] = characterDevice
	return wasiSuccess
}

// pollOneOff answers at once, whatever was to be waited for: a plugin that
// sleeps would keep its instance. Each subscription has 48 bytes, each event 32.
func pollOneOff(i *instance, m api.Memory, stack []uint64) uint32 {
	n := uint64(uint32(stack[2]))
	if n == 0 || n > 64 {
		return wasiInvalid
	}
	for k := range n {
		i.charge(costHostCall)
		subscription := read(m, stack[0]+48*k, 48)
		event := read(m, stack[1]+32*k, 32)
		userdata, kind := binary.LittleEndian.Uint64(subscription), subscription[8]
		clear(event)
		binary.LittleEndian.PutUint64(event, userdata)
		event[10] = kind
		if kind != 0 { // not a clock
			binary.LittleEndian.PutUint16(event[8:], wasiBadFile)
		}
	}
	binary.LittleEndian.PutUint32(read(m, stack[3], 4), uint32(n))
	return wasiSuccess
}
