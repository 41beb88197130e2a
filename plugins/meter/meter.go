// Package meter rewrites WebAssembly modules so that they run on a budget: the
// code counts what it executes and asks the host when a slice of fuel is used
// up. It runs no code and knows nothing of plugins; see package host.
//
// Fuel is counted for each straight-line stretch of instructions, about one
// unit for one instruction, before the stretch is executed. Bulk memory
// instructions cost by their length, growing memory by its size, and so do values
// that the compiler has to move without an instruction. So there is
// no way through a module, be it a loop, a tree of calls or one long
// instruction, that executes much without paying for it.
package meter

import (
	"fmt"
)

// Names that the rewritten module imports and exports. A module that uses them
// itself is rejected.
const (
	// ImportModule and ImportFunction name the function () -> () that the
	// rewritten code calls when the fuel is below zero. The host returns with
	// the fuel topped up, or does not return.
	ImportModule   = "iam_meter"
	ImportFunction = "refuel"
	// FuelExport names the mutable i64 global that holds the fuel. It is 0
	// when the module is instantiated.
	FuelExport = "iam_meter_fuel"
)

// Limits bound what a module may declare. All of them must be positive.
type Limits struct {
	ModuleBytes       int    // of the module before it is rewritten
	Functions         uint32 // that the module defines
	FunctionBodyBytes uint32
	FunctionLocals    uint32
	FunctionMoves     uint64 // of locals where ways through the code meet: blocks times locals
	TableEntries      uint32 // least and greatest size of a table
	Tables            uint32
	Globals           uint32
	MemoryPages       uint32 // least size of the memory, in pages of 64 KiB
	Imports           uint32
	Exports           uint32
	DataSegments      uint32
}

// DefaultLimits let through what compilers make of programs that fit into a
// plugin.
func DefaultLimits() Limits {
	return Limits{
		ModuleBytes: 8 << 20, Functions: 50_000, FunctionBodyBytes: 256 << 10, FunctionLocals: 5_000, FunctionMoves: 4_000_000,
		TableEntries: 65_536, Tables: 4, Globals: 10_000, MemoryPages: 256, Imports: 64, Exports: 1_000, DataSegments: 50_000,
	}
}

// A RejectedError says why a module cannot be run, and where in it the reason is.
type RejectedError struct {
	Offset int // in bytes from the beginning of the module
	Reason string
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("module rejected at byte %d: %s", e.Offset, e.Reason)
}

// A Module is a rewritten module and what it declares.
type Module struct {
	Wasm      []byte
	Imports   []Import // as the original has them
	Exports   []Export // as the original has them
	Functions int      // that the module defines
	// MemoryPages is the least size of its memory; 0 if it has none.
	MemoryPages uint32
}

// An Import is a function that a module wants from the host.
type Import struct {
	Module, Name string
	Type         FunctionType
}

func (i Import) String() string { return i.Module + "." + i.Name }

// An Export is what a module offers.
type Export struct {
	Name string
	Kind ExportKind
	Type FunctionType // for ExportFunction
}

// ExportKind is the sort of an export.
type ExportKind byte

// The sorts of exports, with the numbers of the binary format.
const (
	ExportFunction ExportKind = iota
	ExportTable
	ExportMemory
	ExportGlobal
)

// A FunctionType holds the value types of the binary format (0x7f is i32),
// one for each byte.
type FunctionType struct{ Params, Results string }

// I32 and I64 are value types of the binary format.
const (
	I32 = "\x7f"
	I64 = "\x7e"
)

// Rewrite checks a module against limits and returns it with metering. The
// error is a RejectedError. A module that Rewrite lets through may still be
// invalid: the runtime that compiles the result validates it.
func Rewrite(wasm []byte, limits Limits) (m *Module, err error) {
	if len(wasm) > limits.ModuleBytes {
		return nil, &RejectedError{0, fmt.Sprintf("the module has %d bytes, the limit is %d", len(wasm), limits.ModuleBytes)}
	}
	w := &rewriter{reader: reader{data: wasm, end: len(wasm)}, limits: limits, out: make([]byte, 0, len(wasm)*3/2)}
	defer func() {
		// reject unwinds the rewriter from wherever it is.
		switch r := recover().(type) {
		case nil:
		case *RejectedError:
			m, err = nil, r
		default:
			panic(r)
		}
	}()
	w.module()
	return &Module{Wasm: w.out, Imports: w.imports, Exports: w.exports, Functions: len(w.defined), MemoryPages: w.memoryPages}, nil
}
