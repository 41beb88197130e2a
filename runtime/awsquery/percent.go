package awsquery

import "strings"

// appendUnescaped appends s with its percent-encoding undone and each + as a
// space. It reports false if a percent sign is not followed by two hexadecimal
// digits, or if they encode a NUL.
func appendUnescaped(dst []byte, s string) ([]byte, bool) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return append(dst, s...), true
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if len(s)-i < 3 {
				return nil, false
			}
			high, low := hexValue(s[i+1]), hexValue(s[i+2])
			if high > 0xF || low > 0xF || high|low == 0 {
				return nil, false
			}
			c = high<<4 | low
			i += 2
		}
		dst = append(dst, c)
	}
	return dst, true
}

// hexValue returns a value above 0xF for what is not a hexadecimal digit.
func hexValue(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xFF
}
