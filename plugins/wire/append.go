// Package wire reads and writes the protobuf wire format of plugin messages.
// It knows no messages; the codecs of generated/pluginapi call it, in the
// server as well as in guests written in Go, so it imports next to nothing.
package wire

// The wire types that messages use or skip
// (https://protobuf.dev/programming-guides/encoding/).
const (
	typeVarint  = 0
	typeFixed64 = 1
	typeBytes   = 2
	typeFixed32 = 5
)

// A Message can be written after its length.
type Message interface {
	// Size is the length of what Append appends.
	Size() int
	Append(b []byte) []byte
}

// AppendVarint appends v in groups of seven bits, least first.
func AppendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func sizeVarint(v uint64) int {
	n := 1
	for v >= 0x80 {
		v >>= 7
		n++
	}
	return n
}

func appendTag(b []byte, field, kind int) []byte {
	return AppendVarint(b, uint64(field)<<3|uint64(kind))
}

func sizeTag(field int) int { return sizeVarint(uint64(field) << 3) }

// AppendString appends a string field, or nothing for "".
func AppendString(b []byte, field int, s string) []byte {
	if s == "" {
		return b
	}
	return AppendElement(b, field, s)
}

// SizeString is the length of what AppendString appends.
func SizeString(field int, s string) int {
	if s == "" {
		return 0
	}
	return SizeElement(field, s)
}

// AppendElement appends one string of a repeated field, the empty one too.
func AppendElement(b []byte, field int, s string) []byte {
	b = appendTag(b, field, typeBytes)
	b = AppendVarint(b, uint64(len(s)))
	return append(b, s...)
}

// SizeElement is the length of what AppendElement appends.
func SizeElement(field int, s string) int {
	return sizeTag(field) + sizeVarint(uint64(len(s))) + len(s)
}

// AppendBytes appends a bytes field, or nothing for no bytes.
func AppendBytes(b []byte, field int, data []byte) []byte {
	if len(data) == 0 {
		return b
	}
	b = appendTag(b, field, typeBytes)
	b = AppendVarint(b, uint64(len(data)))
	return append(b, data...)
}

// SizeBytes is the length of what AppendBytes appends.
func SizeBytes(field int, data []byte) int {
	if len(data) == 0 {
		return 0
	}
	return sizeTag(field) + sizeVarint(uint64(len(data))) + len(data)
}

// AppendInt appends an int64 field, or nothing for 0. A negative number takes
// ten bytes.
func AppendInt(b []byte, field int, v int64) []byte {
	if v == 0 {
		return b
	}
	b = appendTag(b, field, typeVarint)
	return AppendVarint(b, uint64(v))
}

// SizeInt is the length of what AppendInt appends.
func SizeInt(field int, v int64) int {
	if v == 0 {
		return 0
	}
	return sizeTag(field) + sizeVarint(uint64(v))
}

// AppendBool appends a bool field, or nothing for false.
func AppendBool(b []byte, field int, v bool) []byte {
	if !v {
		return b
	}
	return AppendInt(b, field, 1)
}

// SizeBool is the length of what AppendBool appends.
func SizeBool(field int, v bool) int {
	if !v {
		return 0
	}
	return SizeInt(field, 1)
}

// AppendMessage appends a message field, or one element of a repeated one.
func AppendMessage[M Message](b []byte, field int, m M) []byte {
	b = appendTag(b, field, typeBytes)
	b = AppendVarint(b, uint64(m.Size()))
	return m.Append(b)
}

// SizeMessage is the length of what AppendMessage appends.
func SizeMessage[M Message](field int, m M) int {
	n := m.Size()
	return sizeTag(field) + sizeVarint(uint64(n)) + n
}
