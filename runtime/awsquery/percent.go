package awsquery

import (
	"strings"
	"unicode/utf8"
)

// An unescaper undoes percent-encoding. All that it decodes shares one
// allocation.
type unescaper struct {
	decoded strings.Builder
	room    int // the length of all that may come
}

// text undoes the percent-encoding of s, in which a plus is a space. It reports
// false if s is not valid, or encodes what is not text.
func (u *unescaper) text(s *string) bool {
	if u.decoded.Cap() == 0 {
		u.decoded.Grow(u.room)
	}
	start, ascii := u.decoded.Len(), true
	var chunk [64]byte // writing to a Builder costs much more than a byte
	n := 0
	for i := 0; i < len(*s); i++ {
		c := (*s)[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if len(*s)-i < 3 {
				return false
			}
			high, low := hexValue((*s)[i+1]), hexValue((*s)[i+2])
			if high > 0xF || low > 0xF || high|low == 0 {
				return false
			}
			c = high<<4 | low
			ascii = ascii && c < utf8.RuneSelf
			i += 2
		}
		if n == len(chunk) {
			u.decoded.Write(chunk[:])
			n = 0
		}
		chunk[n] = c
		n++
	}
	u.decoded.Write(chunk[:n])
	*s = u.decoded.String()[start:]
	return ascii || utf8.ValidString(*s)
}

// hexValue returns a value above 0xF for what is not a hexadecimal digit.
func hexValue(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xFF
}
