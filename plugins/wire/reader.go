package wire

import (
	"errors"
	"math"
	"unicode/utf8"
)

// Errors of decoding. They name no field: a guest's message is refused whole.
var (
	ErrTruncated = errors.New("message ends within a field")
	ErrVarint    = errors.New("number is longer than 64 bits")
	ErrTag       = errors.New("field number is 0 or too great")
	ErrType      = errors.New("field has another wire type than its schema says")
	ErrUTF8      = errors.New("string is not UTF-8")
	ErrTooLong   = errors.New("string is longer than the schema allows")
	ErrTooMany   = errors.New("field is repeated more often than the schema allows")
)

// A Decoder is a message that can read itself.
type Decoder interface {
	Decode(message string) error
}

// A Reader walks over the fields of a message. Strings that it returns are
// parts of the message: one copy of the message serves all of them.
//
//	for r := wire.Read(message); r.Next(); {
//		switch r.Field() {
//		case 1:
//			m.Name = r.String()
//		}
//	}
//	return r.Err()
type Reader struct {
	rest    string
	field   int
	kind    int
	pending bool // the value of the field has not been read
	err     error
}

// Read returns a Reader of a message.
func Read(message string) Reader { return Reader{rest: message} }

// Next goes to the next field, skipping the value of the present one if nobody
// has read it. It returns false at the end and after an error.
func (r *Reader) Next() bool {
	if r.pending {
		r.skip()
	}
	if r.err != nil || r.rest == "" {
		return false
	}
	tag := r.varint()
	if n := tag >> 3; n == 0 || n >= 1<<29 {
		r.fail(ErrTag)
		return false
	}
	r.field, r.kind, r.pending = int(tag>>3), int(tag&7), true
	return true
}

// Field is the number of the present field.
func (r *Reader) Field() int { return r.field }

// Err is the first error, or nil.
func (r *Reader) Err() error { return r.err }

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest, r.pending = "", false
}

func (r *Reader) skip() {
	r.pending = false
	switch r.kind {
	case typeVarint:
		r.varint()
	case typeFixed64:
		r.take(8)
	case typeBytes:
		r.take(r.varint())
	case typeFixed32:
		r.take(4)
	default: // groups, and what was never defined
		r.fail(ErrType)
	}
}

func (r *Reader) varint() uint64 {
	var v uint64
	for i := range 10 {
		if i == len(r.rest) {
			break
		}
		c := r.rest[i]
		if i == 9 && c > 1 {
			r.fail(ErrVarint)
			return 0
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return v
		}
	}
	r.fail(ErrTruncated)
	return 0
}

func (r *Reader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.fail(ErrTruncated)
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// is tells whether the value has a wire type, and marks it as read.
func (r *Reader) is(kind int) bool {
	r.pending = false
	if r.kind != kind {
		r.fail(ErrType)
	}
	return r.kind == kind
}

// Int reads an int64.
func (r *Reader) Int() int64 {
	if !r.is(typeVarint) {
		return 0
	}
	return int64(r.varint())
}

// Bool reads a bool: any number but 0 is true.
func (r *Reader) Bool() bool { return r.Int() != 0 }

// Enum reads the number of an enumeration. One beyond 32 bits is read as the
// greatest there is, which no enumeration has.
func (r *Reader) Enum() int32 {
	v := r.Int()
	if v != int64(int32(v)) {
		return math.MaxInt32
	}
	return int32(v)
}

// String reads a string of at most most bytes.
func (r *Reader) String(most int) string {
	s := r.bytes(most)
	if !utf8.ValidString(s) {
		r.fail(ErrUTF8)
		return ""
	}
	return s
}

// Bytes reads a copy of at most most bytes.
func (r *Reader) Bytes(most int) []byte {
	s := r.bytes(most)
	if s == "" {
		return nil
	}
	return []byte(s)
}

func (r *Reader) bytes(most int) string {
	if !r.is(typeBytes) {
		return ""
	}
	s := r.take(r.varint())
	if len(s) > most {
		r.fail(ErrTooLong)
		return ""
	}
	return s
}

// Nested reads a message into m.
func (r *Reader) Nested(m Decoder) {
	if !r.is(typeBytes) {
		return
	}
	s := r.take(r.varint())
	if r.err != nil {
		return
	}
	if err := m.Decode(s); err != nil {
		r.fail(err)
	}
}

// Unlimited is the limit of fields that have none of their own: the limit of
// the whole message bounds them.
const Unlimited = math.MaxInt

// Room fails if a repeated field has as many elements as it may.
func (r *Reader) Room(have, most int) bool {
	if have >= most {
		r.fail(ErrTooMany)
	}
	return have < most
}
