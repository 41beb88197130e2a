package s3

import (
	"slices"
	"strings"
	"unicode/utf8"

	"iamserver/generated/s3err"
)

// The largest number of parameters that a request may have of those that count,
// and of those that stand for headers.
const maxParams = 32

// A parameter is one of the query. Its value is decoded when it is asked for.
type parameter struct {
	name  string
	value string // as it was sent
}

// readQuery reads the parameters. A semicolon separates parameters for some
// readers and not for others, so that a query with one is refused; so are
// escapes that are none, and what is not UTF-8.
func (r *Request) readQuery(raw string) error {
	if strings.IndexByte(raw, ';') >= 0 {
		return s3err.UnreadableURI()
	}
	for more := raw != ""; more; {
		var pair string
		pair, raw, more = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if !validEscapes(value) {
			return s3err.UnreadableURI()
		}
		if strings.ContainsAny(name, "%+") {
			// Nobody has a reason to encode a name, but it means the same.
			var err error
			if name, err = unescape(strings.ReplaceAll(name, "+", " ")); err != nil || !utf8.ValidString(name) {
				return s3err.UnreadableURI()
			}
		}
		into, n := &r.params, &r.used
		if len(name) >= 2 && (name[0] == 'x' || name[0] == 'X') && name[1] == '-' {
			// S3 ignores parameters that begin with "x-": they are for logs. Those
			// that begin with "x-amz-" stand for headers.
			if len(name) < len(amzPrefix) || !strings.EqualFold(name[:len(amzPrefix)], amzPrefix) {
				continue
			}
			if hasControls(value) {
				return s3err.UnreadableURI()
			}
			if isChecksumOfNothing(name, value) {
				continue
			}
			into, n = &r.hoisted, &r.lifted
		}
		if *n == len(into) {
			return s3err.ParameterNotImplemented(name)
		}
		if slices.ContainsFunc(into[:*n], func(p parameter) bool { return strings.EqualFold(p.name, name) }) {
			return s3err.ParameterTwice(name)
		}
		into[*n] = parameter{name, value}
		*n++
	}
	return nil
}

// validEscapes says whether s decodes to UTF-8.
func validEscapes(s string) bool {
	if strings.IndexByte(s, '%') < 0 {
		return utf8.ValidString(s)
	}
	var char [utf8.UTFMax]byte
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) {
				return false
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high|low > 0xF {
				return false
			}
			c = high<<4 | low
			i += 2
		}
		if n == 0 && c < utf8.RuneSelf {
			continue
		}
		char[n] = c
		n++
		if utf8.FullRune(char[:n]) {
			if r, size := utf8.DecodeRune(char[:n]); size != n || (r == utf8.RuneError && size == 1) {
				return false
			}
			n = 0
		}
	}
	return n == 0
}

// decode decodes the value of a parameter, where a plus sign is a space. It was
// found to be valid before.
func decode(value string) string {
	if !strings.ContainsAny(value, "%+") {
		return value
	}
	text, err := unescape(strings.ReplaceAll(value, "+", " "))
	if err != nil {
		return ""
	}
	return text
}

// Parameter returns the decoded value of a parameter of the query. Signatures
// and parameters that stand for headers are not among them.
func (r *Request) Parameter(name string) (value string, ok bool) {
	for _, p := range r.params[:r.used] {
		if p.name == name {
			return decode(p.value), true
		}
	}
	return "", false
}

// hoistedValue returns a parameter that stands for a header.
func (r *Request) hoistedValue(header string) (value string, n int) {
	for _, p := range r.hoisted[:r.lifted] {
		if strings.EqualFold(p.name, header) {
			value = decode(p.value)
			n++
		}
	}
	return value, n
}

// checkParameters refuses parameters that the operation does not have: dropping
// one could turn the request into another one.
func (r *Request) checkParameters() error {
	for _, p := range r.params[:r.used] {
		if slices.Contains(r.Operation.Optional, p.name) {
			continue
		}
		required := false
		for _, q := range r.Operation.Query {
			required = required || q.Name == p.name
		}
		if !required {
			return s3err.ParameterNotImplemented(p.name)
		}
	}
	return nil
}
