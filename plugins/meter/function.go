package meter

// Opcodes that metering treats apart from the others.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opSelect       = 0x1b
	opLocalGet     = 0x20
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opFirstMemory  = 0x28
	opLastMemory   = 0x3e
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI64LtS       = 0x53
	opLastNumeric  = 0xc4
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Shl       = 0x86
	opI64ShrU      = 0x88
	opExtendU      = 0xad
	opMisc         = 0xfc
	opSIMD         = 0xfd

	blockVoid = 0x40
)

// Instructions behind opMisc.
const (
	miscLastTruncation = 7
	miscMemoryInit     = 8
	miscDataDrop       = 9
	miscMemoryCopy     = 10
	miscMemoryFill     = 11
	miscTableInit      = 12
	miscElemDrop       = 13
	miscTableCopy      = 14
)

// Instructions behind opSIMD.
const (
	simdLastMemory    = 11
	simdConst         = 12
	simdShuffle       = 13
	simdFirstLane     = 21
	simdLastLane      = 34
	simdFirstLoadLane = 84
	simdLastLoadLane  = 91
	simdLoadZero32    = 92
	simdLoadZero64    = 93
	simdLast          = 255
)

// What things cost, in units of fuel.
const (
	costInstruction = 1
	// A call sets up a frame and checks the stack.
	costCall = 4
	// A frame is memory that a recursion takes and touches; its size goes with
	// the locals, and with the values that a long body keeps.
	costFrame             = 4
	frameBodyBytes        = 64 // of body for one more unit
	bulkBytesShift        = 4  // one unit for 16 bytes of a bulk instruction
	growthPageShift       = 12 // growing copies the memory: a page is 4096 times 16 bytes
	movesShift            = 3  // one unit for 8 values that may have to be moved where ways meet
	costBulk        int64 = 16
)

// A function rewrites the body of one function: before each stretch of
// instructions that can only be executed together, it charges for them all.
// Whether there was enough fuel is looked at where a function begins and where
// a loop begins anew: what is executed between two such places is no longer
// than a body, and was paid for.
type function struct {
	body    []byte // declarations and instructions
	out     []byte // instructions
	pending []byte // the stretch, not yet written
	cost    int64  // of the stretch
	check   bool   // the stretch begins where the fuel is looked at

	w      *rewriter
	r      reader
	locals uint32 // with parameters
	// Of the blocks that are open, the values that their ends leave on the stack.
	blocks []int
	moves  uint64 // that the compiler may write, in all places where ways meet
	// Indexes of the locals that metering adds: for fuel, and for lengths.
	fuel, length uint32
	bulk         bool // the latter is needed
}

func (f *function) rewrite(w *rewriter, body reader, t FunctionType) {
	f.w, f.r, f.bulk, f.blocks, f.moves = w, body, false, f.blocks[:0], 0
	f.out, f.pending, f.cost = f.out[:0], f.pending[:0], 0

	groups := f.r.u32()
	start := f.r.pos
	locals := uint64(len(t.Params))
	for range groups {
		locals += uint64(f.r.u32())
		f.r.byte() // value type
		if locals > uint64(w.limits.FunctionLocals) {
			f.r.reject("a function with %d locals, the limit is %d", locals, w.limits.FunctionLocals)
		}
	}
	declared := f.r.data[start:f.r.pos]
	f.locals, f.fuel, f.length = uint32(locals), uint32(locals), uint32(locals)+1
	f.check = true
	f.cost = costFrame + int64(locals) + int64(len(t.Results)) + int64(body.end-body.pos)/frameBodyBytes

	f.code()
	f.r.done("a function")

	// The body's own declarations come first, so that its locals keep their indexes.
	added := []byte{1, 0x7e} // one i64
	more := uint32(1)
	if f.bulk {
		added, more = append(added, 1, 0x7f), 2 // one i32
	}
	f.pending = appendU32(f.pending[:0], groups+more)
	f.pending = append(append(f.pending, declared...), added...)
	f.body = append(append(f.body[:0], f.pending...), f.out...)
}

// code rewrites instructions up to the end of the body.
func (f *function) code() {
	f.blocks = append(f.blocks, 0)
	for len(f.blocks) > 0 {
		at := f.r.pos
		op := f.r.byte()
		f.cost += costInstruction
		switch {
		case op == opBlock:
			t := f.blockType()
			f.blocks = append(f.blocks, len(t.Results))
			f.keep(at)
		case op == opLoop, op == opIf:
			t := f.blockType()
			f.blocks = append(f.blocks, len(t.Results))
			f.keep(at)
			f.flush() // a loop's body is entered again, an if's perhaps never
			if f.check = op == opLoop; f.check {
				f.meet(len(t.Params))
			}
		case op == opEnd:
			last := len(f.blocks) - 1
			results := f.blocks[last]
			f.blocks = f.blocks[:last]
			f.cost -= costInstruction
			f.flush()
			f.out = append(f.out, op)
			if last > 0 {
				f.meet(results)
			}
		case op == opElse:
			f.flush()
			f.out = append(f.out, op)
		case op == opBrIf:
			f.r.u32()
			f.keep(at)
			f.flush()
		case op == opBr:
			f.r.u32()
			f.keep(at)
			f.flush()
		case op == opBrTable:
			for range f.r.u32() {
				f.r.u32()
			}
			f.r.u32()
			f.keep(at)
			f.flush()
		case op == opReturn, op == opUnreachable:
			f.keep(at)
			f.flush()
		case op == opCall:
			f.cost += costCall
			f.pending = appendU32(append(f.pending, op), f.w.indexIn(f))
		case op == opCallIndirect:
			f.cost += costCall
			f.typeIndex()
			f.r.u32()
			f.keep(at)
		case op >= opLocalGet && op <= opLocalTee:
			f.localIndex()
			f.keep(at)
		case op == opGlobalGet, op == opGlobalSet:
			f.globalIndex()
			f.keep(at)
		case op >= opFirstMemory && op <= opLastMemory:
			f.memoryArgument()
			f.keep(at)
		case op == opMemorySize:
			f.r.byte()
			f.keep(at)
		case op == opMemoryGrow:
			f.r.byte()
			f.growth()
			f.keep(at)
		case op == opI32Const:
			f.r.signed(5)
			f.keep(at)
		case op == opI64Const:
			f.r.signed(10)
			f.keep(at)
		case op == opF32Const:
			f.r.bytes(4)
			f.keep(at)
		case op == opF64Const:
			f.r.bytes(8)
			f.keep(at)
		case op == opMisc:
			f.misc(at)
		case op == opSIMD:
			f.simd()
			f.keep(at)
		case op == 0x01, op == 0x1a, op == opSelect, op > opF64Const && op <= opLastNumeric: // nop, drop, select, arithmetic
			f.keep(at)
		default:
			f.r.pos = at
			f.r.reject("instruction %#x is not supported", op)
		}
	}
}

// meet charges for a place that is reached in several ways: the compiler makes
// them agree on where each local and each of the values on the stack is, which no
// instruction stands for. There are as many moves in the code for each of the ways.
func (f *function) meet(values int) {
	n := uint64(f.locals) + uint64(values)
	if f.moves += n; f.moves > f.w.limits.FunctionMoves {
		f.r.reject("a function with too many locals for its blocks: they may have to be moved more than %d times", f.w.limits.FunctionMoves)
	}
	f.cost += int64(n >> movesShift)
}

// keep takes over the instruction that was read since at.
func (f *function) keep(at int) { f.pending = append(f.pending, f.r.data[at:f.r.pos]...) }

// flush writes the stretch after the charge for it.
func (f *function) flush() {
	if f.cost > 0 || f.check {
		f.out = append(f.out, opGlobalGet)
		f.out = appendU32(f.out, f.w.globals)
		f.out = appendS64(append(f.out, opI64Const), f.cost)
		f.out = append(f.out, opI64Sub)
		f.settle(f.check)
	}
	f.out = append(f.out, f.pending...)
	f.pending, f.cost, f.check = f.pending[:0], 0, false
}

// settle stores the fuel that is on the stack and, where it is to be looked
// at, calls the host if it is below zero.
func (f *function) settle(check bool) {
	if check {
		f.out = appendU32(append(f.out, opLocalTee), f.fuel)
	}
	f.out = append(f.out, opGlobalSet)
	f.out = appendU32(f.out, f.w.globals)
	if check {
		f.out = appendU32(append(f.out, opLocalGet), f.fuel)
		f.out = append(f.out, opI64Const, 0, opI64LtS, opIf, blockVoid, opCall)
		f.out = appendU32(f.out, f.w.refuel())
		f.out = append(f.out, opEnd)
	}
}

// length16 charges for a bulk instruction whose length is on the stack.
func (f *function) length16() {
	f.bulk = true
	f.cost += costBulk
	f.flush()
	f.out = appendU32(append(f.out, opLocalTee), f.length)
	f.out = appendU32(append(f.out, opGlobalGet), f.w.globals)
	f.out = appendU32(append(f.out, opLocalGet), f.length)
	f.out = append(f.out, opExtendU, opI64Const, bulkBytesShift, opI64ShrU, opI64Sub)
	f.settle(true)
}

// growth charges for copying the memory that there is. The memory that is
// added costs nothing here: the limit of the memory bounds it.
func (f *function) growth() {
	f.flush()
	f.out = appendU32(append(f.out, opGlobalGet), f.w.globals)
	f.out = append(f.out, opMemorySize, 0, opExtendU, opI64Const, 1, opI64Add, opI64Const, growthPageShift, opI64Shl, opI64Sub)
	f.settle(true)
}

func (f *function) misc(at int) {
	switch op := f.r.u32(); op {
	case 0, 1, 2, 3, 4, 5, 6, miscLastTruncation:
		f.keep(at)
	case miscMemoryInit, miscTableInit, miscTableCopy:
		f.r.u32()
		f.r.u32()
		f.length16()
		f.keep(at)
	case miscMemoryCopy:
		f.r.byte()
		f.r.byte()
		f.length16()
		f.keep(at)
	case miscMemoryFill:
		f.r.byte()
		f.length16()
		f.keep(at)
	case miscDataDrop, miscElemDrop:
		f.r.u32()
		f.keep(at)
	default: // table.grow, which no limit bounds, table.size and table.fill
		f.r.pos = at
		f.r.reject("instruction 0xfc %d is not supported", op)
	}
}

func (f *function) simd() {
	op := f.r.u32()
	switch {
	case op <= simdLastMemory, op == simdLoadZero32, op == simdLoadZero64:
		f.memoryArgument()
	case op == simdConst, op == simdShuffle:
		f.r.bytes(16)
	case op >= simdFirstLane && op <= simdLastLane:
		f.r.byte()
	case op >= simdFirstLoadLane && op <= simdLastLoadLane:
		f.memoryArgument()
		f.r.byte()
	case op > simdLast:
		f.r.reject("vector instruction %d is not supported", op)
	}
}

func (f *function) memoryArgument() {
	f.r.u32() // alignment
	f.r.u32() // offset
}

// blockType reads the type of a block: nothing, a value type, or a function type.
func (f *function) blockType() FunctionType {
	switch b := f.r.data[min(f.r.pos, f.r.end-1)]; {
	case b == blockVoid:
		f.r.byte()
		return FunctionType{}
	case b > blockVoid && b < 0x80:
		return FunctionType{Results: string(f.r.bytes(1))}
	default:
		return f.w.types[f.typeIndex()]
	}
}

func (f *function) typeIndex() uint32 {
	i := f.r.u32()
	if int(i) >= len(f.w.types) {
		f.r.reject("type %d does not exist", i)
	}
	return i
}

func (f *function) localIndex() {
	if i := f.r.u32(); i >= f.locals {
		f.r.reject("local %d does not exist", i)
	}
}

func (f *function) globalIndex() {
	if i := f.r.u32(); i >= f.w.globals {
		f.r.reject("global %d does not exist", i)
	}
}

// indexIn reads the index of a function in a body.
func (w *rewriter) indexIn(f *function) uint32 {
	i := f.r.u32()
	if int(i) >= len(w.imports)+len(w.defined) {
		f.r.reject("function %d does not exist", i)
	}
	return w.moved(i)
}
