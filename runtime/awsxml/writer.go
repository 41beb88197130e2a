// Package awsxml writes the XML that AWS's query services answer with: the
// members of a result, and the envelopes around results and errors. It appends
// to one buffer, knows no schema and uses no reflection: what to write, and in
// which order, is the generated code's affair.
package awsxml

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// A Writer appends XML to a buffer. Element names are the specification's and
// are written as they are; text is escaped. The zero value is ready to use.
type Writer struct {
	buf []byte
}

// NewWriter returns a Writer that appends to buf, whose room it reuses. The
// caller gets the buffer back from Bytes.
func NewWriter(buf []byte) *Writer { return &Writer{buf: buf} }

// Bytes returns what has been written. It is valid until the next write.
func (w *Writer) Bytes() []byte { return w.buf }

// Reset forgets what has been written and keeps the room.
func (w *Writer) Reset() { w.buf = w.buf[:0] }

// String writes an element with text.
func (w *Writer) String(name, value string) {
	w.buf = appendClose(appendText(appendOpen(w.buf, name), value), name)
}

// OptionalString writes an element with text, or nothing if value is nil.
func (w *Writer) OptionalString(name string, value *string) {
	if value != nil {
		w.String(name, *value)
	}
}

// URLEncoded writes an element whose text is percent-encoded, as IAM does with
// policy documents.
func (w *Writer) URLEncoded(name, value string) {
	w.buf = appendClose(appendURLEncoded(appendOpen(w.buf, name), value), name)
}

// OptionalURLEncoded writes an element whose text is percent-encoded, or
// nothing if value is nil.
func (w *Writer) OptionalURLEncoded(name string, value *string) {
	if value != nil {
		w.URLEncoded(name, *value)
	}
}

// Int writes an element with a decimal number.
func (w *Writer) Int(name string, value int32) {
	w.buf = appendClose(strconv.AppendInt(appendOpen(w.buf, name), int64(value), 10), name)
}

// OptionalInt writes an element with a decimal number, or nothing if value is
// nil.
func (w *Writer) OptionalInt(name string, value *int32) {
	if value != nil {
		w.Int(name, *value)
	}
}

// Bool writes an element with true or false.
func (w *Writer) Bool(name string, value bool) {
	w.buf = appendClose(strconv.AppendBool(appendOpen(w.buf, name), value), name)
}

// OptionalBool writes an element with true or false, or nothing if value is
// nil.
func (w *Writer) OptionalBool(name string, value *bool) {
	if value != nil {
		w.Bool(name, *value)
	}
}

// Time writes an element with a time in UTC and whole seconds, as in
// 2012-10-17T18:19:20Z. Fractions of a second are cut off.
func (w *Writer) Time(name string, value time.Time) {
	w.buf = appendClose(value.UTC().AppendFormat(appendOpen(w.buf, name), time.RFC3339), name)
}

// OptionalTime writes an element with a time as Time does, or nothing if value
// is nil.
func (w *Writer) OptionalTime(name string, value *time.Time) {
	if value != nil {
		w.Time(name, *value)
	}
}

// Struct writes an element with the members that encode writes.
func Struct[T any](w *Writer, name string, value *T, encode func(*T, *Writer)) {
	w.open(name)
	encode(value, w)
	w.close(name)
}

// OptionalStruct writes an element as Struct does, or nothing if value is nil.
func OptionalStruct[T any](w *Writer, name string, value *T, encode func(*T, *Writer)) {
	if value != nil {
		Struct(w, name, value, encode)
	}
}

// List writes an element with a member element for each item, in order. An
// empty list is an empty element.
func List[T any](w *Writer, name string, items []T, encode func(*T, *Writer)) {
	w.open(name)
	for i := range items {
		Struct(w, "member", &items[i], encode)
	}
	w.close(name)
}

// NonEmptyList writes a list as List does, or nothing if it is empty.
func NonEmptyList[T any](w *Writer, name string, items []T, encode func(*T, *Writer)) {
	if len(items) > 0 {
		List(w, name, items, encode)
	}
}

// Strings writes an element with a member element for each string, in order.
// An empty list is an empty element.
func Strings(w *Writer, name string, items []string) {
	w.open(name)
	for _, item := range items {
		w.String("member", item)
	}
	w.close(name)
}

// NonEmptyStrings writes a list as Strings does, or nothing if it is empty.
func NonEmptyStrings(w *Writer, name string, items []string) {
	if len(items) > 0 {
		Strings(w, name, items)
	}
}

// IntMap writes an element with an entry element for each key, which holds a
// key and a value. Keys are sorted, so that equal maps are equal bytes.
func IntMap(w *Writer, name string, entries map[string]int32) {
	writeMap(w, name, entries, w.Int)
}

// StringMap writes a map as IntMap does, or nothing if it is nil.
func StringMap(w *Writer, name string, entries map[string]string) {
	if entries != nil {
		writeMap(w, name, entries, w.String)
	}
}

func writeMap[V any](w *Writer, name string, entries map[string]V, write func(name string, value V)) {
	w.open(name)
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		w.open("entry")
		w.String("key", key)
		write("value", entries[key])
		w.close("entry")
	}
	w.close(name)
}

func (w *Writer) open(name string) { w.buf = appendOpen(w.buf, name) }

func (w *Writer) close(name string) { w.buf = appendClose(w.buf, name) }

func appendOpen(buf []byte, name string) []byte {
	buf = append(buf, '<')
	buf = append(buf, name...)
	return append(buf, '>')
}

func appendClose(buf []byte, name string) []byte {
	buf = append(buf, '<', '/')
	buf = append(buf, name...)
	return append(buf, '>')
}
