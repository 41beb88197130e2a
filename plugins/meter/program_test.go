package meter_test

import "encoding/binary"

// A program is a valid module made of arbitrary bytes: whatever they are, it
// compiles and comes to an end. It uses every sort of instruction that metering
// treats apart: blocks and branches of all kinds, calls, bulk memory, growth, vectors.
// Floats are only looked at through comparisons and saturating conversions,
// since the bits of a NaN may differ from one compilation to the next.
type program struct {
	choices []byte
	code    []byte
	self    int // number of the function being written
	nesting int
	blocks  int // enclosing blocks that may be branched to
}

const (
	programFunctions = 4
	localA           = 0 // i32, a parameter
	localB           = 1 // i64, a parameter
	localI           = 2 // i32
	localJ           = 3 // i64
	localV           = 4 // v128
	localCounter     = 5 // i32, one for each nesting from here
	maxNesting       = 5
)

// next is the next choice, below n.
func (p *program) next(n int) int {
	if len(p.choices) == 0 {
		return 0
	}
	c := p.choices[0]
	p.choices = p.choices[1:]
	return int(c) % n
}

func (p *program) op(b ...byte) { p.code = append(p.code, b...) }

func (p *program) spent() bool { return len(p.choices) == 0 || len(p.code) > 20_000 }

func leb(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

func sleb(v int64) []byte {
	var b []byte
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}

func (p *program) i32const(v int32) { p.op(append([]byte{0x41}, sleb(int64(v))...)...) }

var edgeNumbers = []int64{0, 1, -1, 2, 31, 64, 0x7fffffff, -0x80000000, 255, 65535, 65536, 1 << 40, -1 << 63, 1<<63 - 1}

// address writes an address, mostly within the first page.
func (p *program) address(depth int) {
	p.i32(depth)
	if p.next(16) > 0 {
		p.i32const(0x7fff)
		p.op(0x71) // and
	}
}

func (p *program) i32(depth int) {
	if depth <= 0 || p.spent() {
		switch p.next(4) {
		case 0:
			p.op(0x20, localA)
		case 1:
			p.op(0x20, localI)
		case 2:
			p.op(0x23, 0) // global.get
		default:
			p.i32const(int32(edgeNumbers[p.next(len(edgeNumbers))]))
		}
		return
	}
	depth--
	switch p.next(16) {
	case 0, 1, 2:
		p.i32(depth)
		p.i32(depth)
		p.op(0x6a + byte(p.next(15))) // add … rotr, with the divisions that trap
	case 3:
		p.i32(depth)
		p.i32(depth)
		p.op(0x46 + byte(p.next(10))) // comparisons
	case 4:
		p.i32(depth)
		p.op([]byte{0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1}[p.next(6)])
	case 5:
		p.i64(depth)
		p.op(0xa7) // wrap
	case 6:
		p.i64(depth)
		p.i64(depth)
		p.op(0x51 + byte(p.next(10)))
	case 7:
		p.f64(depth)
		p.f64(depth)
		p.op(0x61 + byte(p.next(6)))
	case 8:
		p.f64(depth)
		p.op(0xfc, []byte{2, 3}[p.next(2)]) // trunc_sat
	case 9:
		p.address(depth)
		p.op([]byte{0x28, 0x2c, 0x2d, 0x2e, 0x2f}[p.next(5)], 0, byte(p.next(100)))
	case 10:
		p.i32(depth)
		p.i32(depth)
		p.i32(depth)
		p.op(0x1b) // select
	case 11:
		p.v128(depth)
		switch p.next(3) {
		case 0:
			p.op(0xfd, 0x1b, byte(p.next(4))) // i32x4.extract_lane
		case 1:
			p.op(0xfd, 0x53) // any_true
		default:
			p.op(0xfd, 0x15, byte(p.next(16))) // i8x16.extract_lane_s
		}
	case 12:
		p.op(0x3f, 0) // memory.size
	case 13:
		p.i32const(int32(p.next(3)))
		p.op(0x40, 0) // memory.grow
	case 14:
		p.i32(depth)
		p.op(0x04, 0x7f) // if (result i32)
		p.i32(depth)
		p.op(0x05)
		p.i32(depth)
		p.op(0x0b)
	default:
		p.i32(depth)
		p.op(0x22, localI) // tee
	}
}

func (p *program) i64(depth int) {
	if depth <= 0 || p.spent() {
		switch p.next(4) {
		case 0:
			p.op(0x20, localB)
		case 1:
			p.op(0x20, localJ)
		case 2:
			p.op(0x23, 1)
		default:
			p.op(append([]byte{0x42}, sleb(edgeNumbers[p.next(len(edgeNumbers))])...)...)
		}
		return
	}
	depth--
	switch p.next(10) {
	case 0, 1, 2:
		p.i64(depth)
		p.i64(depth)
		p.op(0x7c + byte(p.next(15)))
	case 3:
		p.i64(depth)
		p.op([]byte{0x79, 0x7a, 0x7b, 0xc2, 0xc3, 0xc4}[p.next(6)])
	case 4:
		p.i32(depth)
		p.op([]byte{0xac, 0xad}[p.next(2)])
	case 5:
		p.address(depth)
		p.op(0x29+7*byte(p.next(2)), 0, byte(p.next(120))) // load, load8_s
	case 6:
		p.f64(depth)
		p.op(0xfc, []byte{6, 7}[p.next(2)])
	case 7:
		p.v128(depth)
		p.op(0xfd, 0x1d, byte(p.next(2)))
	case 8:
		p.call(depth)
	default:
		p.i64(depth)
		p.op(0x22, localJ)
	}
}

// call calls a function further on, so that no recursion is endless.
func (p *program) call(depth int) {
	if p.self == programFunctions-1 {
		p.op(0x20, localB)
		return
	}
	to := p.self + 1 + p.next(programFunctions-1-p.self)
	p.i32(depth)
	p.i64(depth)
	if p.next(2) == 0 {
		p.op(0x10, byte(to))
		return
	}
	p.i32const(int32(to))
	p.op(0x11, 0, 0) // call_indirect
}

func (p *program) f64(depth int) {
	if depth <= 0 || p.spent() {
		p.i32(0)
		p.op([]byte{0xb7, 0xb8}[p.next(2)])
		return
	}
	depth--
	switch p.next(4) {
	case 0:
		p.f64(depth)
		p.f64(depth)
		p.op(0xa0 + byte(p.next(6)))
	case 1:
		p.f64(depth)
		p.op(0x99 + byte(p.next(7)))
	case 2:
		p.i64(depth)
		p.op([]byte{0xb9, 0xba}[p.next(2)])
	default:
		p.f64(depth)
		p.op(0xb6, 0xbb) // demote, promote
	}
}

func (p *program) v128(depth int) {
	if depth <= 0 || p.spent() {
		if p.next(2) == 0 {
			p.op(0x20, localV)
			return
		}
		p.op(0xfd, 12)
		for range 16 {
			p.op(byte(p.next(256)))
		}
		return
	}
	depth--
	vector := func(op uint64) { p.op(leb([]byte{0xfd}, op)...) }
	switch p.next(9) {
	case 0:
		p.i32(depth)
		vector([]uint64{0x0f, 0x10, 0x11}[p.next(3)]) // splat
	case 1:
		p.v128(depth)
		p.v128(depth)
		vector([]uint64{0x6e, 0x71, 0x8e, 0xae, 0xb5, 0xce, 0xd1, 0xd5, 0x4e, 0x50, 0x51, 0x0e, 0x23, 0x37, 0x66, 0xba}[p.next(16)])
	case 2:
		p.v128(depth)
		p.v128(depth)
		vector(13) // shuffle
		for range 16 {
			p.op(byte(p.next(32)))
		}
	case 3:
		p.address(depth)
		vector(uint64(p.next(11)))
		p.op(0, byte(p.next(64)))
	case 4:
		p.address(depth)
		p.v128(depth)
		lane := p.next(4)
		vector(uint64(84 + lane))
		p.op(0, byte(p.next(8)), byte(p.next(16>>lane)))
	case 5:
		p.address(depth)
		vector(uint64(92 + p.next(2)))
		p.op(0, 0)
	case 6:
		p.v128(depth)
		p.i64(depth)
		vector(0x1e) // i64x2.replace_lane
		p.op(byte(p.next(2)))
	case 7:
		p.v128(depth)
		p.v128(depth)
		p.v128(depth)
		vector(0x52) // bitselect
	default:
		p.v128(depth)
		p.op(0x22, localV)
	}
}

func (p *program) statements() {
	for range 1 + p.next(4) {
		if p.spent() {
			return
		}
		p.statement()
	}
}

// length writes a length for a bulk instruction, sometimes beyond the memory.
func (p *program) length() {
	p.i32(1)
	if p.next(8) > 0 {
		p.i32const(0x3ff)
		p.op(0x71)
	}
}

func (p *program) statement() {
	const depth = 3
	nest := func(body func()) {
		p.nesting++
		p.blocks++
		body()
		p.blocks--
		p.nesting--
	}
	deep := p.nesting >= maxNesting
	switch c := p.next(18); {
	case c == 0:
		p.i32(depth)
		p.op(0x21, localI)
	case c == 1:
		p.i64(depth)
		p.op(0x21, localJ)
	case c == 2:
		p.v128(depth)
		p.op(0x21, localV)
	case c == 3:
		p.i32(depth)
		p.op(0x24, 0)
	case c == 4:
		p.i64(depth)
		p.op(0x24, 1)
	case c == 5:
		p.address(depth)
		p.i64(depth)
		p.op(0x37, 0, byte(p.next(100)))
	case c == 6:
		p.address(depth)
		p.v128(depth)
		p.op(0xfd, 11, 0, 0)
	case c == 7:
		p.address(1)
		p.i32(1)
		p.length()
		p.op(0xfc, 11, 0) // memory.fill
	case c == 8:
		p.address(1)
		p.address(1)
		p.length()
		p.op(0xfc, 10, 0, 0) // memory.copy
	case c == 9:
		p.address(1)
		p.i32const(int32(p.next(20)))
		p.i32const(int32(p.next(20)))
		p.op(0xfc, 8, 0, 0) // memory.init
	case c == 10:
		// Only downwards, so that an entry never holds a function before it.
		to := p.next(3)
		p.i32const(int32(to))
		p.i32const(int32(to + p.next(3)))
		p.i32const(int32(p.next(3)))
		p.op(0xfc, 14, 0, 0) // table.copy
	case c == 11 && !deep:
		p.i32(depth)
		p.op(0x04, 0x40)
		nest(p.statements)
		if p.next(2) == 0 {
			p.op(0x05)
			nest(p.statements)
		}
		p.op(0x0b)
	case c == 12 && !deep:
		p.op(0x02, 0x40)
		nest(func() {
			p.statements()
			p.i32(1)
			p.op(0x0d, byte(p.next(p.blocks))) // br_if
			p.statements()
		})
		p.op(0x0b)
	case c == 13 && !deep:
		p.loop(nest)
	case c == 14 && p.blocks > 0:
		p.i32(1)
		p.op(0x04, 0x40)
		p.op(0x0c, byte(1+p.next(p.blocks))) // br
		p.op(0x0b)
	case c == 15 && p.blocks > 1:
		p.i32(1)
		p.op(0x04, 0x40)
		p.i32(1)
		p.op(0x0e, 2, byte(1+p.next(p.blocks)), byte(1+p.next(p.blocks)), byte(1+p.next(p.blocks)))
		p.op(0x0b)
	case c == 16:
		p.i32(2)
		p.op(0x45, 0x45, 0x04, 0x40)
		p.i64(1)
		p.op(0x0f, 0x0b) // return, end
	default:
		p.i64(depth)
		p.op(0x1a) // drop
	}
}

// loop writes a loop that counts down. Branches out of its body go to the
// block around it: one to the loop itself could be endless.
func (p *program) loop(nest func(func())) {
	counter := byte(localCounter + p.nesting)
	p.i32const(int32(1 + p.next(6)))
	p.op(0x21, counter)
	p.op(0x02, 0x40, 0x03, 0x40)
	outer := p.blocks
	p.blocks = 0
	nest(func() {
		p.blocks = 0
		p.statements()
	})
	p.blocks = outer
	p.op(0x20, counter, 0x41, 1, 0x6b, 0x22, counter, 0x0d, 0) // br_if to the loop
	p.op(0x0b, 0x0b)
}

// module makes the program of some choices.
func module(choices []byte) []byte {
	p := &program{choices: choices}
	section := func(out []byte, id byte, content ...byte) []byte {
		return append(leb(append(out, id), uint64(len(content))), content...)
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = section(out, 1, 1, 0x60, 2, 0x7f, 0x7e, 1, 0x7e)
	out = section(out, 3, programFunctions, 0, 0, 0, 0)
	out = section(out, 4, 1, 0x70, 1, programFunctions, programFunctions)
	out = section(out, 5, 1, 1, 1, 4)
	out = section(out, 6, 2, 0x7f, 1, 0x41, 7, 0x0b, 0x7e, 1, 0x42, 9, 0x0b)
	exports := []byte{4}
	for _, e := range []struct {
		name string
		kind byte
		i    byte
	}{{"run", 0, 0}, {"memory", 2, 0}, {"g0", 3, 0}, {"g1", 3, 1}} {
		exports = append(append(append(exports, byte(len(e.name))), e.name...), e.kind, e.i)
	}
	out = section(out, 7, exports...)
	out = section(out, 9, 1, 0, 0x41, 0, 0x0b, programFunctions, 0, 1, 2, 3)
	out = section(out, 12, 1)
	bodies := []byte{programFunctions}
	for self := range programFunctions {
		// Each function gets its part of the choices.
		p.self, p.code = self, nil
		p.choices = choices[len(choices)*self/programFunctions : len(choices)*(self+1)/programFunctions]
		for !p.spent() {
			p.statement()
		}
		p.i64(0)
		body := []byte{4, 1, 0x7f, 1, 0x7e, 1, 0x7b, maxNesting + 1, 0x7f}
		body = append(append(body, p.code...), 0x0b)
		bodies = append(leb(bodies, uint64(len(body))), body...)
	}
	out = section(out, 10, bodies...)
	return section(out, 11, append([]byte{1, 1, 12}, "passive data"...)...)
}
