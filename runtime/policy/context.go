package policy

import (
	"net/netip"
	"time"
)

// A Key is a condition key that a policy names, such as aws:PrincipalTag/team.
type Key struct {
	text, name, tag string
}

// ParseKey takes the name of a condition key apart.
func ParseKey(s string) Key { panic("not yet") }

// Name returns the key in lower case, without the tag key: "aws:principaltag".
func (k *Key) Name() string { return k.name }

// Tag returns the tag key as written, "team", of a key whose name before its
// first slash ends in "tag"; otherwise "".
func (k *Key) Tag() string { return k.tag }

// String returns the key as written.
func (k *Key) String() string { return k.text }

// A Context gives the values of condition keys. It is asked at most once for each
// key in the evaluation of one part, and only for keys that a statement in play names.
type Context interface {
	// Value returns the value of a key, or the zero Value if the request does not
	// have it.
	Value(key *Key) Value
}

// A Value is what a condition key has in a request. The zero Value is absent.
type Value struct {
	kind   valueKind
	text   string
	list   []string
	number int64
	nanos  int32
	addr   netip.Addr
}

type valueKind uint8

// Text is a value of one string.
func Text(s string) Value { panic("not yet") }

// List is the value of a multi-valued key. An empty list is a key that is present
// and has no values.
func List(values []string) Value { panic("not yet") }

// Time is a point in time; its text is ISO 8601 in UTC, or for aws:EpochTime the
// caller gives Integer.
func Time(t time.Time) Value { panic("not yet") }

// Boolean is true or false.
func Boolean(b bool) Value { panic("not yet") }

// Integer is a whole number.
func Integer(n int64) Value { panic("not yet") }

// Address is an IP address.
func Address(a netip.Addr) Value { panic("not yet") }

// Failed is the value of a key that could not be obtained: whatever asks for it
// fails closed.
func Failed() Value { panic("not yet") }

// Values is a Context from names to values. Names compare without regard to case.
type Values map[string]Value

// Value implements Context.
func (v Values) Value(key *Key) Value { panic("not yet") }
