package identity

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Records are in the wire format of Protocol Buffers, so that fields which a
// later version adds are skipped by an earlier one, and records can be looked
// at with protoc --decode_raw. The comment on each type that is stored gives
// the numbers of its fields; a number is never used again. Fields with zero
// values are left out. Times are Unix seconds.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// An encoder is a record in the making.
type encoder []byte

func (e *encoder) number(field, value uint64) {
	if value != 0 {
		*e = binary.AppendUvarint(*e, field<<3|wireVarint)
		*e = binary.AppendUvarint(*e, value)
	}
}

func (e *encoder) bool(field uint64, value bool) {
	if value {
		e.number(field, 1)
	}
}

func (e *encoder) text(field uint64, value string) {
	if value != "" {
		e.bytes(field, value)
	}
}

func (e *encoder) bytes(field uint64, value string) {
	*e = binary.AppendUvarint(*e, field<<3|wireBytes)
	*e = binary.AppendUvarint(*e, uint64(len(value)))
	*e = append(*e, value...)
}

func (e *encoder) time(field uint64, value time.Time) {
	if !value.IsZero() {
		*e = binary.AppendUvarint(*e, field<<3|wireVarint)
		*e = binary.AppendUvarint(*e, uint64(value.Unix())) // two's complement, as int64 there
	}
}

// tags writes each tag as a message of its own: 1 key, 2 value.
func (e *encoder) tags(field uint64, tags []Tag) {
	var message encoder
	for _, t := range tags {
		message = message[:0]
		message.text(1, t.Key)
		message.text(2, t.Value)
		e.bytes(field, string(message))
	}
}

// policy writes a policy's id and ARN as a message: 1 id, 2 ARN.
func (e *encoder) policy(field uint64, ref PolicyRef) {
	if ref != (PolicyRef{}) {
		var message encoder
		message.text(1, ref.ID)
		message.text(2, ref.ARN)
		e.bytes(field, string(message))
	}
}

// A decoder reads the fields of a record. Texts are parts of the record, not
// copies.
type decoder struct {
	rest  string
	field uint64
	wire  uint64
	value uint64 // of a varint
	bytes string // of a text or message
	err   error
}

// next goes to the next field, if there is one and no error.
func (d *decoder) next() bool {
	if d.rest == "" || d.err != nil {
		return false
	}
	tag := d.uvarint()
	d.field, d.wire = tag>>3, tag&7
	switch d.wire {
	case wireVarint:
		d.value = d.uvarint()
	case wireBytes:
		d.bytes = d.take(d.uvarint())
	case wireFixed64:
		d.take(8)
	case wireFixed32:
		d.take(4)
	default:
		d.fail("wire type %d", d.wire)
	}
	if d.field == 0 {
		d.fail("field number 0")
	}
	return d.err == nil
}

func (d *decoder) fail(reason string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(reason, args...))
	}
}

func (d *decoder) uvarint() uint64 {
	var v uint64
	for i := range min(len(d.rest), binary.MaxVarintLen64) {
		b := d.rest[i]
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			d.rest = d.rest[i+1:]
			return v
		}
	}
	d.fail("number is cut off")
	return 0
}

func (d *decoder) take(n uint64) string {
	if n > uint64(len(d.rest)) {
		d.fail("field %d is cut off", d.field)
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) string() string {
	if d.wire != wireBytes {
		d.fail("field %d is not a text", d.field)
		return ""
	}
	return d.bytes
}

func (d *decoder) number() uint64 {
	if d.wire != wireVarint {
		d.fail("field %d is not a number", d.field)
		return 0
	}
	return d.value
}

func (d *decoder) bool() bool { return d.number() != 0 }

func (d *decoder) uint32() uint32 {
	v := d.number()
	if v > math.MaxUint32 {
		d.fail("field %d is too large", d.field)
		return 0
	}
	return uint32(v)
}

// count reads a number of things; a negative one is an error too.
func (d *decoder) count() int {
	v := d.number()
	if v > math.MaxInt32 {
		d.fail("field %d is no count", d.field)
		return 0
	}
	return int(v)
}

func (d *decoder) time() time.Time { return time.Unix(int64(d.number()), 0).UTC() }

func (d *decoder) tag() Tag {
	var t Tag
	m := decoder{rest: d.string()}
	for m.next() {
		switch m.field {
		case 1:
			t.Key = m.string()
		case 2:
			t.Value = m.string()
		}
	}
	d.within(m.err)
	return t
}

func (d *decoder) policy() PolicyRef {
	var ref PolicyRef
	m := decoder{rest: d.string()}
	for m.next() {
		switch m.field {
		case 1:
			ref.ID = m.string()
		case 2:
			ref.ARN = m.string()
		}
	}
	d.within(m.err)
	return ref
}

func (d *decoder) within(err error) {
	if err != nil && d.err == nil {
		d.err = err
	}
}
