package derive

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"iamserver/codegen/model"
	"iamserver/conformance"
)

// A value is the value of a parameter as it is sent, in the form of a template,
// and, to be checked against constraints, as it is.
type value struct {
	sent, plain string
}

func text(plain string) value { return value{conformance.Percent(plain), plain} }

// repeated is head, n times letter, tail.
func repeated(head string, n int, letter, tail string) value {
	n = max(n, 0)
	return value{
		fmt.Sprintf("%s{{repeat %d %s}}%s", conformance.Percent(head), n, letter, conformance.Percent(tail)),
		head + strings.Repeat(letter, n) + tail,
	}
}

// names are the schemas of names that have to be unique.
var names = map[string]bool{
	"UserName": true, "ExistingUserName": true, "GroupName": true, "PolicyName": true, "AccountAlias": true,
	"AccessKeyId": true, "SuppliedAccessKeyId": true,
}

func isName(s *model.Scalar) bool {
	return names[s.Name] && s.Name != "AccountAlias" && !strings.HasSuffix(s.Name, "AccessKeyId")
}

const (
	document      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::`
	documentEnd   = `"}]}`
	arnHead       = "arn:aws:iam::{{account}}:policy/"
	accountLength = 12
)

// ordinary is a value that nobody could object to.
func ordinary(s *model.Scalar) value {
	switch {
	case names[s.Name]:
		return value{"{{name}}", strings.Repeat("n", conformance.MinName)}
	case len(s.Enum) > 0:
		return text(s.Enum[0])
	case s.Kind == model.Integer:
		return text("1")
	case s.Kind == model.Boolean:
		return text("true")
	}
	switch s.Name {
	case "Arn":
		return value{conformance.Percent("arn:aws:iam::") + "{{account}}" + conformance.Percent(":policy/") + "{{name}}", "arn:aws:iam::000000000000:policy/n"}
	case "PolicyDocument", "ServiceAccountPolicy":
		return text(document + "bucket/*" + documentEnd)
	case "PolicyVersionId":
		return text("v1")
	case "ServiceAccountId":
		return value{conformance.Percent("sa:") + "{{name}}" + conformance.Percent(":0"), "sa:nnnn:0"}
	case "ServiceAccountExpiration":
		return text("2100-01-01T00:00:00Z")
	case "Path", "PathPrefix", "PolicyPath":
		return text("/")
	case "SecretAccessKey":
		return text("a secret of some length")
	case "ActionName":
		return text("s3:GetObject")
	case "ContextKeyName":
		return text("aws:username")
	}
	return text("a")
}

// ofLength is a value of so many characters that breaks no constraint but,
// where it must, that of its length.
func ofLength(s *model.Scalar, n int) value {
	if n == 0 {
		return value{}
	}
	switch s.Name {
	case "UserName", "ExistingUserName", "GroupName", "PolicyName", "AccountAlias", "AccessKeyId", "SuppliedAccessKeyId":
		if n >= conformance.MinName {
			return value{"{{name " + strconv.Itoa(n) + "}}", strings.Repeat("n", n)}
		}
	case "Path", "PolicyPath":
		if n == 1 {
			return text("/")
		}
		return repeated("/", n-2, "p", "/")
	case "PathPrefix":
		return repeated("/", n-1, "p", "")
	case "PolicyDocument", "ServiceAccountPolicy":
		if n > len(document+documentEnd) {
			return repeated(document, n-len(document+documentEnd), "b", documentEnd)
		}
		return repeated("", n, "1", "")
	case "Arn":
		head := "arn:aws:iam::"
		if rest := n - len(head) - accountLength - len(":policy/"); rest > 0 {
			return value{
				conformance.Percent(head) + "{{account}}" + conformance.Percent(":policy/") + fmt.Sprintf("{{repeat %d n}}", rest),
				strings.Repeat("n", n),
			}
		}
	case "ServiceAccountId":
		if n > len("sa::0") {
			return repeated("sa:", n-len("sa::0"), "n", ":0")
		}
	}
	return repeated("", n, "a", "")
}

// strange are values that some pattern does not match.
var strange = []string{"a b", "a/b", "a#b", "relative", "/a b/", "/a b", "/{}/", "no version", "é", "漢字", "sa:none", "12-34", "tag!", "tab\there"}

// outside is a value that breaks the pattern and nothing else; false if none is known.
func outside(s *model.Scalar) (value, bool) {
	pattern, err := compile(s.Pattern)
	if err != nil {
		return value{}, false
	}
	for _, v := range strange {
		if s.MinLength > utf8.RuneCountInString(v) {
			v = strings.Repeat(v, s.MinLength)
		}
		if !pattern.MatchString(v) && (s.MaxLength == nil || utf8.RuneCountInString(v) <= *s.MaxLength) {
			return text(v), true
		}
	}
	return value{}, false
}

var codePoint = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// compile compiles a pattern, in which AWS writes code points as Java does.
func compile(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile("^(?:" + codePoint.ReplaceAllString(pattern, `\x{$1}`) + ")$")
}

// broken counts the constraints of the scalar that a value breaks.
func broken(s *model.Scalar, v value) int {
	n := 0
	length := utf8.RuneCountInString(v.plain)
	if length < s.MinLength {
		n++
	}
	if s.MaxLength != nil && length > *s.MaxLength {
		n++
	}
	if s.Pattern != "" {
		if pattern, err := compile(s.Pattern); err != nil || !pattern.MatchString(v.plain) {
			n++
		}
	}
	return n
}

// memberPath is a parameter as IAM calls it: tags.1.member.key.
func memberPath(parameter string) string {
	parts := strings.Split(parameter, ".")
	for i := 0; i+1 < len(parts); i++ {
		if parts[i] == "member" {
			parts[i], parts[i+1] = parts[i+1], "member"
			i++
		}
	}
	for i, p := range parts {
		parts[i] = strings.ToLower(p[:1]) + p[1:]
	}
	return strings.Join(parts, ".")
}
