package policy

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A decoder reads JSON (RFC 8259) token by token. It is our own because
// encoding/json silently takes the last of duplicate keys, and forgets where
// values stand. After a first fault its methods return zero values and nothing
// more is read, so callers need not look until the end. It never recurses: how
// deep it goes is up to the grammar that drives it.
type decoder struct {
	text   string
	pos    int
	failed bool
	// first is set between the opening of an array or object and its first
	// element, where no comma stands.
	first bool
	// closed is the place of the bracket that ended the latest array or object.
	closed Position
	line   int
	// column is the offset at which column 1 of this line would stand, if every
	// character of the line so far were one byte long.
	column int
}

// fail ends the reading.
func (d *decoder) fail() {
	d.failed = true
	d.pos = len(d.text)
}

// peek skips white space and returns the byte after it, or 0 at the end.
func (d *decoder) peek() byte {
	for ; d.pos < len(d.text); d.pos++ {
		switch c := d.text[d.pos]; c {
		case ' ', '\t', '\r':
		case '\n':
			d.line++
			d.column = d.pos + 1
		default:
			return c
		}
	}
	return 0
}

// position returns the place of the byte that peek returned.
func (d *decoder) position() Position {
	return Position{Offset: d.pos, Line: d.line, Column: d.pos - d.column + 1}
}

// next returns the byte where the decoder stands, or 0 at the end.
func (d *decoder) next() byte {
	if d.pos == len(d.text) {
		return 0
	}
	return d.text[d.pos]
}

// end fails unless only white space is left.
func (d *decoder) end() {
	if d.peek(); d.pos < len(d.text) {
		d.fail()
	}
}

// open reads the bracket that begins an array or object and returns its place.
func (d *decoder) open(bracket byte) Position {
	if d.peek() != bracket {
		d.fail()
		return Position{}
	}
	opened := d.position()
	d.pos++
	d.first = true
	return opened
}

// more reports whether the open array or object has another element, and reads
// the comma before it, or else the bracket that ends it.
func (d *decoder) more(bracket byte) bool {
	first := d.first
	d.first = false
	switch c := d.peek(); {
	case d.failed:
		return false
	case c == bracket:
		d.closed = d.position()
		d.pos++
		return false
	case first:
		return true
	case c == ',':
		d.pos++
		return true
	default:
		d.fail()
		return false
	}
}

// key reads the name of a member and its colon. It fails if seen has the name.
func (d *decoder) key(seen *nameSet) string {
	name := d.string()
	if d.peek() != ':' || !seen.add(name) {
		d.fail()
		return ""
	}
	d.pos++
	return name
}

// string reads a string. It fails at characters that no policy document may
// have: all but U+0009, U+000A, U+000D and U+0020 to U+00FF (the pattern of
// PolicyDocument parameters). Others may be written as escapes.
func (d *decoder) string() string {
	if d.peek() != '"' {
		d.fail()
		return ""
	}
	d.pos++
	switch text := d.plain(); d.next() {
	case '"':
		d.pos++
		return text
	case '\\':
		return d.escaped(text)
	default:
		d.fail()
		return ""
	}
}

// escaped reads the rest of a string that begins with text and has an escape
// where the decoder stands.
func (d *decoder) escaped(text string) string {
	b := []byte(text)
	for !d.failed {
		switch d.next() {
		case '"':
			d.pos++
			return string(b)
		case '\\':
			b = utf8.AppendRune(b, d.escape())
		default:
			if text = d.plain(); text == "" {
				d.fail()
			}
			b = append(b, text...)
		}
	}
	return ""
}

// plain reads the characters of a string up to one that ends it, begins an
// escape or is not allowed.
func (d *decoder) plain() string {
	start := d.pos
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"', c == '\\', c < ' ':
			return d.text[start:d.pos]
		case c < utf8.RuneSelf:
			d.pos++
		case c == 0xC2 || c == 0xC3: // the first of two bytes of U+0080 to U+00FF
			if d.pos+1 == len(d.text) || utf8.RuneStart(d.text[d.pos+1]) {
				return d.text[start:d.pos]
			}
			d.pos += 2
			d.column++
		default:
			return d.text[start:d.pos]
		}
	}
	return d.text[start:d.pos]
}

// escape reads an escape. It fails at half a surrogate pair, which is no
// character: encoding/json would read all of them as the same one, U+FFFD.
func (d *decoder) escape() rune {
	d.pos++ // the backslash
	c := d.next()
	d.pos++ // fail resets it at the end of the text
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		r := d.codeUnit()
		if utf16.IsSurrogate(r) {
			if strings.HasPrefix(d.text[d.pos:], `\u`) {
				d.pos += len(`\u`)
				if r = utf16.DecodeRune(r, d.codeUnit()); r != utf8.RuneError {
					return r
				}
			}
			d.fail()
			return 0
		}
		return r
	default:
		d.fail()
		return 0
	}
}

// codeUnit reads the four hexadecimal digits of a \u escape.
func (d *decoder) codeUnit() rune {
	if len(d.text)-d.pos < 4 {
		d.fail()
		return 0
	}
	unit, err := strconv.ParseUint(d.text[d.pos:d.pos+4], 16, 16)
	if err != nil {
		d.fail()
		return 0
	}
	d.pos += 4
	return rune(unit)
}

// scalar reads a string, a boolean or a number, the latter two as they stand.
func (d *decoder) scalar() string {
	switch d.peek() {
	case '"':
		return d.string()
	case 't':
		return d.literal("true")
	case 'f':
		return d.literal("false")
	default:
		return d.number()
	}
}

// literal reads the given word.
func (d *decoder) literal(word string) string {
	d.peek()
	if !strings.HasPrefix(d.text[d.pos:], word) {
		d.fail()
		return ""
	}
	d.pos += len(word)
	return word
}

// number reads a number and returns its source text.
func (d *decoder) number() string {
	start := d.pos
	if d.next() == '-' {
		d.pos++
	}
	if d.next() == '0' {
		d.pos++
	} else {
		d.digits()
	}
	if d.next() == '.' {
		d.pos++
		d.digits()
	}
	if c := d.next(); c == 'e' || c == 'E' {
		d.pos++
		if c = d.next(); c == '+' || c == '-' {
			d.pos++
		}
		d.digits()
	}
	if d.failed {
		return ""
	}
	return d.text[start:d.pos]
}

// digits reads one or more digits.
func (d *decoder) digits() {
	start := d.pos
	for c := d.next(); '0' <= c && c <= '9'; c = d.next() {
		d.pos++
	}
	if d.pos == start {
		d.fail()
	}
}

// A nameSet is a set of names. It keeps a map only once there are many, because
// the objects of a policy document have few members.
type nameSet struct {
	few  [10]string
	n    int
	many map[string]struct{}
}

// add adds a name and reports whether it was new.
func (s *nameSet) add(name string) bool {
	if s.many == nil {
		if slices.Contains(s.few[:s.n], name) {
			return false
		}
		if s.n < len(s.few) {
			s.few[s.n] = name
			s.n++
			return true
		}
		s.many = make(map[string]struct{}, 4*len(s.few))
		for _, one := range s.few {
			s.many[one] = struct{}{}
		}
	}
	if _, ok := s.many[name]; ok {
		return false
	}
	s.many[name] = struct{}{}
	return true
}
