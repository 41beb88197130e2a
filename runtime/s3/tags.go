package s3

import (
	"strings"
	"unicode/utf8"

	"iamserver/generated/s3err"
)

// tagSet are tags in the order in which a request has them.
type tagSet []tag

type tag struct {
	Key     string   `xml:"Key"`
	Value   string   `xml:"Value"`
	Unknown *unknown `xml:",any"`
}

const maxTags = 50

// parseTags reads the header x-amz-tagging: tags in the form of a query. It takes
// no tag twice and no semicolon, which readers take for different things.
func parseTags(header string) (tagSet, error) {
	var tags tagSet
	if strings.IndexByte(header, ';') >= 0 {
		return nil, s3err.InvalidTagging()
	}
	for pair := range strings.SplitSeq(header, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		key, err := unescape(strings.ReplaceAll(name, "+", " "))
		if err != nil {
			return nil, s3err.InvalidTagging()
		}
		text, err := unescape(strings.ReplaceAll(value, "+", " "))
		if err != nil {
			return nil, s3err.InvalidTagging()
		}
		tags = append(tags, tag{Key: key, Value: text})
	}
	return tags, tags.check()
}

func (t tagSet) check() error {
	if len(t) > maxTags {
		return s3err.InvalidTagging()
	}
	seen := map[string]bool{}
	for _, one := range t {
		if one.Key == "" || !utf8.ValidString(one.Key) || !utf8.ValidString(one.Value) {
			return s3err.InvalidTagging()
		}
		if seen[one.Key] {
			return s3err.TagTwice()
		}
		seen[one.Key] = true
	}
	return nil
}

// header writes the tags in the one form that every reader takes for the same.
func (t tagSet) header() string {
	var out []byte
	for i, one := range t {
		if i > 0 {
			out = append(out, '&')
		}
		out = appendEscaped(out, one.Key, false)
		out = append(out, '=')
		out = appendEscaped(out, one.Value, false)
	}
	return string(out)
}

func (t tagSet) keys() []string {
	keys := make([]string, len(t))
	for i, one := range t {
		keys[i] = one.Key
	}
	return keys
}

// value finds the tag that a condition key is about.
func (t tagSet) value(key string) (value string, ok bool) {
	key, ok = sameTagKey(t.keys(), key)
	for _, one := range t {
		if ok && one.Key == key {
			return one.Value, true
		}
	}
	return "", false
}

// facts adds the tags to what is known of a body.
func (t tagSet) facts(into Facts) {
	into["tag-keys"] = t.keys()
	for _, one := range t {
		into["tags/"+one.Key] = []string{one.Value}
	}
}

// appendEscaped percent-encodes s: all but the unreserved characters of RFC
// 3986 and, in a path, slashes.
func appendEscaped(dst []byte, s string, path bool) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~', path && c == '/':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&0xF])
		}
	}
	return dst
}
