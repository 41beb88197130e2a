package policy

import (
	"cmp"
	"strconv"
	"strings"
)

// A decimal is a number that Numeric operators compare, exactly: a count of bytes
// may not fit a float64. It is small where digits is empty.
type decimal struct {
	small int64
	// The number is 0.whole|fraction × 10^exponent, with neither leading nor
	// trailing zeros: the digits in two parts, since a point stood between them.
	whole, fraction string
	exponent        int
	negative        bool
}

// maxExponent bounds what can be written with an exponent.
const maxExponent = 1000

// parseDecimal reads [+-]digits[.digits][e[+-]digits], in which digits are
// missing on at most one side of the point.
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	rest := s
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		d.negative = rest[0] == '-'
		rest = rest[1:]
	}
	mantissa, exponent := rest, 0
	if at := strings.IndexAny(rest, "eE"); at >= 0 {
		n, err := strconv.Atoi(rest[at+1:])
		if err != nil || n < -maxExponent || n > maxExponent {
			return decimal{}, false
		}
		mantissa, exponent = rest[:at], n
	}
	whole, fraction, pointed := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" || !onlyDigits(whole) || !onlyDigits(fraction) {
		return decimal{}, false
	}
	if !pointed && exponent == 0 && len(whole) <= 18 {
		n, err := strconv.ParseInt(whole, 10, 64)
		if d.negative {
			n = -n
		}
		return decimal{small: n}, err == nil
	}
	return d.normalized(whole, fraction, exponent), true
}

// normalized returns d with the digits whole.fraction × 10^exponent.
func (d decimal) normalized(whole, fraction string, exponent int) decimal {
	exponent += len(whole)
	stripped := strings.TrimLeft(whole, "0")
	exponent -= len(whole) - len(stripped)
	if whole = stripped; whole == "" {
		stripped = strings.TrimLeft(fraction, "0")
		exponent -= len(fraction) - len(stripped)
		fraction = stripped
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
		whole = strings.TrimRight(whole, "0")
	}
	if whole == "" && fraction == "" {
		return decimal{}
	}
	d.whole, d.fraction, d.exponent = whole, fraction, exponent
	return d
}

func (d decimal) isSmall() bool { return d.whole == "" && d.fraction == "" }

// compare returns -1, 0 or +1 as d is less than, equal to or greater than other.
func (d decimal) compare(other decimal) int {
	if d.isSmall() && other.isSmall() {
		return cmp.Compare(d.small, other.small)
	}
	d, other = d.large(), other.large()
	if s := cmp.Compare(d.sign(), other.sign()); s != 0 {
		return s
	}
	return d.sign() * d.compareMagnitude(other)
}

// large returns d with its digits, of which zero has none.
func (d decimal) large() decimal {
	if !d.isSmall() || d.small == 0 {
		return d
	}
	digits, negative := strings.CutPrefix(strconv.FormatInt(d.small, 10), "-")
	return decimal{negative: negative}.normalized(digits, "", 0)
}

func (d decimal) sign() int {
	switch {
	case d.isSmall():
		return 0
	case d.negative:
		return -1
	default:
		return 1
	}
}

func (d decimal) compareMagnitude(other decimal) int {
	if c := cmp.Compare(d.exponent, other.exponent); c != 0 {
		return c
	}
	for i := range max(d.length(), other.length()) {
		if c := cmp.Compare(d.digit(i), other.digit(i)); c != 0 {
			return c
		}
	}
	return 0
}

func (d decimal) length() int { return len(d.whole) + len(d.fraction) }

func (d decimal) digit(i int) byte {
	switch {
	case i < len(d.whole):
		return d.whole[i]
	case i < d.length():
		return d.fraction[i-len(d.whole)]
	default:
		return '0'
	}
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
