package policy

import (
	"iter"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A Key is a condition key that a policy names, such as aws:PrincipalTag/team.
type Key struct {
	text, name, tag string
}

// ParseKey takes the name of a condition key apart.
func ParseKey(s string) Key {
	name, tag, ok := strings.Cut(s, "/")
	// Other keys hold slashes as well: those of an identity provider are named
	// by its URL.
	if lower := strings.ToLower(name); ok && strings.HasSuffix(lower, "tag") {
		return Key{text: s, name: lower, tag: tag}
	}
	return Key{text: s, name: strings.ToLower(s)}
}

// Name returns the key in lower case, without the tag key: "aws:principaltag".
func (k *Key) Name() string { return k.name }

// Tag returns the tag key as written, "team", of a key whose name before its
// first slash ends in "tag"; otherwise "".
func (k *Key) Tag() string { return k.tag }

// String returns the key as written.
func (k *Key) String() string { return k.text }

// folded returns the key as keys are compared: without regard to case, the tag
// key included (IAM user guide, "IAM JSON policy elements: Condition").
func (k *Key) folded() string { return strings.ToLower(k.text) }

// spelled returns the key by which values are kept. Where the tags of an object
// differ in case only, it depends on the spelling of the tag key which one is meant.
func (k *Key) spelled() string {
	if k.tag == "" {
		return k.name
	}
	return k.name + "/" + k.tag
}

// A Context gives the values of condition keys. It is asked at most once for each
// key in the evaluation of one part, and only for keys that a statement in play
// names: one whose action and resource match.
type Context interface {
	// Value returns the value of a key, or the zero Value if the request does not
	// have it.
	Value(key *Key) Value
}

// A FrugalContext is a Context of which some values cost something to obtain.
// Explain does not ask for those only to tell that they are missing.
type FrugalContext interface {
	Context
	// Costs reports whether the value of a key has to be fetched from somewhere.
	Costs(key *Key) bool
}

// A Value is what a condition key has in a request. The zero Value is absent.
type Value struct {
	kind valueKind
	// text is that of Text, and of others once somebody asked for it.
	text    string
	list    []string
	instant instant
	number  int64
	addr    netip.Addr
}

type valueKind uint8

const (
	absent valueKind = iota
	failed
	textValue
	listValue
	timeValue
	booleanValue
	integerValue
	addressValue
)

// Text is a value of one string.
func Text(s string) Value { return Value{kind: textValue, text: s} }

// List is the value of a multi-valued key. An empty list is a key that is present
// and has no values.
func List(values []string) Value { return Value{kind: listValue, list: values} }

// Time is a point in time; its text is RFC 3339 in UTC. (The text of
// aws:EpochTime is digits: it is an Integer.)
func Time(t time.Time) Value {
	return Value{kind: timeValue, instant: instant{t.Unix(), int32(t.Nanosecond())}} //nolint:gosec // below 1e9
}

// Boolean is true or false.
func Boolean(b bool) Value {
	v := Value{kind: booleanValue}
	if b {
		v.number = 1
	}
	return v
}

// Integer is a whole number.
func Integer(n int64) Value { return Value{kind: integerValue, number: n} }

// Address is an IP address.
func Address(a netip.Addr) Value { return Value{kind: addressValue, addr: a.Unmap().WithZone("")} }

// Failed is the value of a key that could not be obtained: whatever asks for it
// fails closed.
func Failed() Value { return Value{kind: failed} }

// Present reports whether the request has the key.
func (v *Value) Present() bool { return v.kind != absent }

// Strings returns what the value is as text, several of a multi-valued key. It
// is false for a key that could not be obtained.
func (v *Value) Strings() (texts []string, ok bool) {
	switch v.kind {
	case absent:
		return nil, true
	case failed:
		return nil, false
	case listValue:
		return v.list, true
	case textValue, timeValue, booleanValue, integerValue, addressValue:
	}
	text, ok := v.asText()
	return []string{text}, ok
}

// asText returns the value as a string; of a list there is none.
func (v *Value) asText() (string, bool) {
	switch v.kind {
	case textValue:
		return v.text, true
	case absent, failed, listValue:
		return "", false
	case timeValue:
		if v.text == "" {
			v.text = time.Unix(v.instant.seconds, int64(v.instant.nanos)).UTC().Format(time.RFC3339Nano)
		}
	case booleanValue:
		v.text = strconv.FormatBool(v.number != 0)
	case integerValue:
		if v.text == "" {
			v.text = strconv.FormatInt(v.number, 10)
		}
	case addressValue:
		if v.text == "" {
			v.text = v.addr.String()
		}
	}
	return v.text, true
}

func (v *Value) asInstant() (instant, bool) {
	switch v.kind {
	case textValue:
		return parseInstant(v.text)
	case timeValue:
		return v.instant, true
	case integerValue:
		return instant{seconds: v.number}, true
	case absent, failed, listValue, booleanValue, addressValue:
	}
	return instant{}, false
}

func (v *Value) asDecimal() (decimal, bool) {
	switch v.kind {
	case textValue:
		return parseDecimal(v.text)
	case timeValue:
		return decimal{small: v.instant.seconds}, true
	case integerValue:
		return decimal{small: v.number}, true
	case absent, failed, listValue, booleanValue, addressValue:
	}
	return decimal{}, false
}

func (v *Value) asBoolean() (value, ok bool) {
	if v.kind == booleanValue {
		return v.number != 0, true
	}
	if v.kind != textValue {
		return false, false
	}
	return parseBoolean(v.text)
}

func (v *Value) asAddress() (netip.Addr, bool) {
	if v.kind == addressValue {
		return v.addr, v.addr.IsValid()
	}
	if v.kind != textValue {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(v.text)
	return a.Unmap(), err == nil && a.Zone() == ""
}

func parseBoolean(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// TagValue is the value of the tag with a key. Tag keys compare without regard to
// case; of several tags the one counts whose key is written the same. If there is
// none, nobody can tell which is meant, and the value is Failed.
func TagValue(tags iter.Seq2[string, string], key string) Value {
	var found Value
	for name, value := range tags {
		switch {
		case name == key:
			return Text(value)
		case !strings.EqualFold(name, key):
		case found.Present():
			found = Failed()
		default:
			found = Text(value)
		}
	}
	return found
}

// Values is a Context from names to values. Names compare as those of keys do; see
// TagValue for names that differ in case only.
type Values map[string]Value

// Value implements Context.
func (v Values) Value(key *Key) Value {
	if value, ok := v[key.text]; ok {
		return value
	}
	var found Value
	for name, value := range v {
		if !strings.EqualFold(name, key.text) {
			continue
		}
		if same := ParseKey(name); same.spelled() == key.spelled() {
			return value
		}
		if found.Present() {
			value = Failed()
		}
		found = value
	}
	return found
}
