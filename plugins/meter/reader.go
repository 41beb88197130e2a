package meter

import (
	"fmt"
	"unicode/utf8"
)

// A reader reads the binary format. What it cannot read, it rejects.
type reader struct {
	data     []byte
	pos, end int
}

// reject panics with a RejectedError, which Rewrite recovers.
func (r *reader) reject(format string, args ...any) {
	panic(&RejectedError{r.pos, fmt.Sprintf(format, args...)})
}

func (r *reader) more() bool { return r.pos < r.end }

func (r *reader) byte() byte {
	if r.pos >= r.end {
		r.reject("unexpected end")
	}
	b := r.data[r.pos]
	r.pos++
	return b
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(r.end-r.pos) {
		r.reject("unexpected end")
	}
	b := r.data[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// u32 reads an unsigned number of at most 32 bits.
func (r *reader) u32() uint32 {
	var v uint32
	for shift := 0; ; shift += 7 {
		b := r.byte()
		if shift == 28 && b > 0x0f {
			r.reject("a number has more than 32 bits")
		}
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

// signed skips a signed number of at most most bytes.
func (r *reader) signed(most int) {
	for range most {
		if r.byte() < 0x80 {
			return
		}
	}
	r.reject("a number is too long")
}

func (r *reader) name() string {
	b := r.bytes(r.u32())
	if !utf8.Valid(b) {
		r.reject("a name is not UTF-8")
	}
	return string(b)
}

// section reads the length of a part and returns a reader of just that part.
func (r *reader) section() reader {
	n := r.u32()
	start := r.pos
	r.bytes(n)
	return reader{r.data, start, r.pos}
}

func (r *reader) done(what string) {
	if r.pos != r.end {
		r.reject("%s has bytes after its end", what)
	}
}

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendS64(b []byte, v int64) []byte {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}

func appendName(b []byte, name string) []byte {
	return append(appendU32(b, uint32(len(name))), name...)
}

// appendSection appends a part after its length.
func appendSection(b []byte, id byte, content []byte) []byte {
	return append(appendU32(append(b, id), uint32(len(content))), content...)
}
