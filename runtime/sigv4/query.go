package sigv4

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
)

// params are the parameters of a query, in canonical encoding and order.
type params struct {
	text   []byte // the names and values, one after another
	list   []param
	amazon bool // the name of one begins with X-Amz-
}

// A param is a name and a value, as positions in the text.
type param struct{ name, value, end int }

// These make a query one that carries a signature. A session token alone does
// so too: beside an Authorization header it would be a second one.
var authenticationParams = []string{
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Security-Token",
}

// amazonPrefix is what the names of all parameters begin with that are asked for.
const amazonPrefix = "X-Amz-"

// parse decodes a query and encodes it again, so that every way to write the
// same parameters has the same canonical form. A plus sign is a space, as in
// every form that the services read: were it signed as a plus sign, anybody
// could exchange the two. A semicolon is data.
func (p *params) parse(raw string) error {
	p.text, p.list, p.amazon = p.text[:0], p.list[:0], false
	for more := raw != ""; more; {
		var pair string
		pair, raw, more = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		if len(p.list) == maxParams {
			return &Error{MalformedQueryString, "The query string has too many parameters."}
		}
		name, value, _ := strings.Cut(pair, "=")
		at := param{name: len(p.text)}
		if err := p.encode(name); err != nil {
			return err
		}
		at.value = len(p.text)
		p.amazon = p.amazon || bytes.HasPrefix(p.text[at.name:], []byte(amazonPrefix))
		if err := p.encode(value); err != nil {
			return err
		}
		at.end = len(p.text)
		p.list = append(p.list, at)
	}
	// By encoded name, then by encoded value: "Param" comes before "Param-3",
	// though "Param=" would not come before "Param-3=".
	slices.SortFunc(p.list, func(a, b param) int {
		if order := bytes.Compare(p.text[a.name:a.value], p.text[b.name:b.value]); order != 0 {
			return order
		}
		return bytes.Compare(p.text[a.value:a.end], p.text[b.value:b.end])
	})
	return nil
}

func (p *params) encode(s string) error {
	for i := 0; i < len(s); i++ {
		start := i
		for i < len(s) && unreserved[s[i]] {
			i++
		}
		p.text = append(p.text, s[start:i]...)
		if i == len(s) {
			break
		}
		c := s[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if i+2 >= len(s) {
				return &Error{MalformedQueryString, "Incomplete trailing escape % sequence"}
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high|low > 0xF {
				return &Error{MalformedQueryString, "Illegal hex character in escape % pattern: " + strings.ToValidUTF8(s[i:i+3], "?")}
			}
			c = high<<4 | low
			i += 2
		}
		p.text = appendEncoded(p.text, c)
	}
	return nil
}

// unhex returns the value of a hexadecimal digit, more than 15 for any other.
func unhex(c byte) byte {
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

// value returns the decoded value of a parameter, and how often it occurs. name
// begins with X-Amz-, has unreserved characters only, and is matched exactly.
func (p *params) value(name string) (value string, n int) {
	if !p.amazon {
		return "", 0
	}
	for _, at := range p.list {
		if string(p.text[at.name:at.value]) != name {
			continue
		}
		n++
		// It was encoded here, so that it decodes.
		value, _ = url.PathUnescape(string(p.text[at.value:at.end]))
	}
	return value, n
}

// authentication returns the name of a parameter that authenticates, empty if
// the query has none.
func (p *params) authentication() string {
	for _, name := range authenticationParams {
		if _, n := p.value(name); n > 0 {
			return name
		}
	}
	return ""
}

// appendCanonical appends the canonical query string: all but the signature
// and, where the service leaves it unsigned, the session token.
func (p *params) appendCanonical(dst []byte, unsignedToken bool) []byte {
	dst = slices.Grow(dst, len(p.text)+2*len(p.list))
	start := len(dst)
	for _, at := range p.list {
		switch name := p.text[at.name:at.value]; {
		case string(name) == "X-Amz-Signature":
			continue
		case unsignedToken && string(name) == "X-Amz-Security-Token":
			continue
		}
		if len(dst) > start {
			dst = append(dst, '&')
		}
		dst = append(dst, p.text[at.name:at.value]...)
		dst = append(dst, '=')
		dst = append(dst, p.text[at.value:at.end]...)
	}
	return dst
}
