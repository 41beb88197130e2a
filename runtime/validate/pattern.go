package validate

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// A Pattern is a regular expression of the specification. It describes whole
// values, and is safe for concurrent use.
type Pattern struct {
	quoted  string
	message string
	fast    *automaton     // nil where the expression needs regexp
	slow    *regexp.Regexp // nil where fast is not
}

// MustPattern prepares a pattern as AWS writes it: in Java's syntax, without
// the anchors that it implies. Of that syntax it knows what Go's has too, in
// which \w, \d and \s are ASCII as they are in Java, and \u with four
// hexadecimal digits. It panics if the pattern cannot be compiled.
func MustPattern(source string) *Pattern {
	expression := "^(?:" + fromJava(source) + ")$"
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		panic("validate: pattern " + source + ": " + err.Error())
	}
	p := &Pattern{quoted: source, fast: newAutomaton(parsed)}
	if p.fast == nil {
		p.slow = regexp.MustCompile(expression)
	}
	return p
}

// fromJava turns each \uABCD into \x{ABCD}. Java reads exactly four digits, so
// that the \u10000-\u10FFFF in a pattern of STS is not a range of supplementary
// characters; AWS indeed refuses those.
func fromJava(source string) string {
	const width = len(`\uABCD`)
	var b strings.Builder
	for i := 0; i < len(source); {
		switch {
		case source[i] != '\\' || i+1 == len(source):
			b.WriteByte(source[i])
			i++
		case source[i+1] == 'u' && i+width <= len(source):
			b.WriteString(`\x{` + source[i+2:i+width] + `}`)
			i += width
		default:
			b.WriteString(source[i : i+2])
			i += 2
		}
	}
	return b.String()
}

// Message returns a pattern with a sentence of its own, which is the whole
// message where a mismatch is the only violation. {name} in it stands for the
// path of the member.
func (p *Pattern) Message(sentence string) *Pattern {
	q := *p
	q.message = sentence
	return &q
}

// Quoted returns a pattern that messages quote as source, for an expression
// that had to be written differently than AWS's.
func (p *Pattern) Quoted(source string) *Pattern {
	q := *p
	q.quoted = source
	return &q
}

// String returns the pattern as messages quote it.
func (p *Pattern) String() string { return p.quoted }

// Match reports whether the whole of s matches. What is not UTF-8 never does.
func (p *Pattern) Match(s string) bool {
	if p.fast != nil {
		return p.fast.match(s)
	}
	return utf8.ValidString(s) && p.slow.MatchString(s)
}
