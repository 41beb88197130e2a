package awsxml

import "unicode/utf8"

// escapes holds what stands for a character in text; "" is the character
// itself. Quotes are escaped too, so that the same text is right in an
// attribute. Tab, line feed and carriage return are character references,
// because a parser would turn a literal carriage return into a line feed (XML
// 1.0, 2.11) and, in attributes, all of them into spaces (3.3.3).
var escapes = func() (table [utf8.RuneSelf]string) {
	for c := range 0x20 {
		table[c] = "\uFFFD"
	}
	table['\t'], table['\n'], table['\r'] = "&#x9;", "&#xA;", "&#xD;"
	table['&'], table['<'], table['>'] = "&amp;", "&lt;", "&gt;"
	table['"'], table['\''] = "&quot;", "&apos;"
	return table
}()

// plain marks the ASCII characters that stand for themselves.
var plain = func() (table [256]bool) {
	for c := range escapes {
		table[c] = escapes[c] == ""
	}
	return table
}()

// appendText appends s, escaped. Whatever XML 1.0 cannot hold (2.2: most control
// characters, U+FFFE, U+FFFF, and bytes that are not UTF-8) becomes U+FFFD.
func appendText(buf []byte, s string) []byte {
	kept := 0
	for i := 0; i < len(s); {
		for i < len(s) && plain[s[i]] {
			i++
		}
		if i == len(s) {
			break
		}
		size, escape := 1, ""
		if c := s[i]; c < utf8.RuneSelf {
			escape = escapes[c]
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r == '\uFFFE' || r == '\uFFFF' || size == 1 {
				escape = "\uFFFD"
			}
		}
		if escape != "" {
			buf = append(buf, s[kept:i]...)
			buf = append(buf, escape...)
			kept = i + size
		}
		i += size
	}
	return append(buf, s[kept:]...)
}

// appendURLEncoded appends s with every byte but the unreserved characters of
// RFC 3986 percent-encoded. What it appends needs no escaping in XML.
func appendURLEncoded(buf []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			buf = append(buf, c)
		default:
			buf = append(buf, '%', hex[c>>4], hex[c&0xF])
		}
	}
	return buf
}
