package conformance

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Template is text with placeholders.
type Template struct {
	Parts []Part
}

// A Part is literal text, or a placeholder where Func is not empty.
type Part struct {
	Text string
	// Bind names the variable that a placeholder of a response captures.
	Bind string
	// Func is a placeholder's kind. Var stands for a variable, which Args[0] names.
	Func string
	Args []string
}

// Var is the Func of a placeholder that is a variable's name alone.
const Var = "var"

// Literal returns a template without placeholders.
func Literal(text string) Template {
	if text == "" {
		return Template{}
	}
	return Template{Parts: []Part{{Text: text}}}
}

// Empty tells whether there is nothing in the template.
func (t Template) Empty() bool { return len(t.Parts) == 0 }

// Only returns the placeholder that the whole template is, or nil.
func (t Template) Only() *Part {
	if len(t.Parts) == 1 && t.Parts[0].Func != "" {
		return &t.Parts[0]
	}
	return nil
}

// Optional tells whether the template says that its element may be absent.
func (t Template) Optional() bool { return len(t.Parts) > 0 && t.Parts[0].Func == "optional" }

// Is tells whether the whole template is a placeholder of that kind.
func (t Template) Is(kind string) bool {
	p := t.Only()
	return p != nil && p.Func == kind
}

// String returns the template as it is written.
func (t Template) String() string {
	var b strings.Builder
	for _, p := range t.Parts {
		if p.Func == "" {
			b.WriteString(p.Text)
			continue
		}
		b.WriteString("{{")
		if p.Bind != "" {
			b.WriteString(p.Bind + ":")
		}
		if p.Func == Var {
			b.WriteString(p.Args[0])
		} else {
			b.WriteString(strings.Join(append([]string{p.Func}, p.Args...), " "))
		}
		b.WriteString("}}")
	}
	return b.String()
}

// kind is what a placeholder takes and where it may stand.
type kind struct {
	least, most int  // arguments
	sent        bool // may stand in what is sent
	expected    bool // may stand in what is expected
	captures    bool // may be bound
	variable    bool // the first argument is a variable
	number      bool // the first argument is a number
}

// kinds are the placeholders of the format; docs/conformance.md explains them.
var kinds = map[string]kind{
	Var:        {least: 1, most: 1, sent: true, expected: true, variable: true},
	"name":     {most: 1, sent: true, expected: true, number: true},
	"upper":    {least: 1, most: 1, sent: true, expected: true, variable: true},
	"account":  {sent: true, expected: true},
	"caller":   {sent: true, expected: true},
	"repeat":   {least: 2, most: 2, sent: true, expected: true, number: true},
	"text":     {least: 1, most: 1, sent: true, expected: true},
	"any":      {expected: true, captures: true},
	"date":     {expected: true, captures: true},
	"id":       {least: 1, most: 1, expected: true, captures: true},
	"number":   {expected: true, captures: true},
	"document": {least: 1, most: 1, expected: true},
	"absent":   {expected: true},
	"optional": {expected: true},
	"more":     {expected: true},
}

// reserved words mean a placeholder of their own, so no variable has them.
func reserved(word string) bool {
	_, ok := kinds[word]
	return ok
}

var identifier = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// MaxRepeat is the most characters that {{repeat}} and {{name}} may stand for.
const MaxRepeat = 1 << 18

// ParseTemplate reads text with placeholders: {{name}}, {{name:any}}, {{id AIDA}}.
// The error says what is wrong with which placeholder.
func ParseTemplate(text string) (Template, error) {
	var t Template
	for text != "" {
		before, rest, found := strings.Cut(text, "{{")
		if before != "" {
			t.Parts = append(t.Parts, Part{Text: before})
		}
		if !found {
			break
		}
		inner, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return Template{}, fmt.Errorf("{{%s: the placeholder does not end", firstLine(rest))
		}
		p, err := parsePart(inner)
		if err != nil {
			return Template{}, fmt.Errorf("{{%s}}: %w", inner, err)
		}
		t.Parts = append(t.Parts, p)
		text = after
	}
	return t, nil
}

func parsePart(inner string) (Part, error) {
	var p Part
	expression := inner
	if bind, rest, bound := strings.Cut(inner, ":"); bound {
		if !identifier.MatchString(bind) || reserved(bind) {
			return p, fmt.Errorf("%q is no name for a variable", bind)
		}
		p.Bind, expression = bind, rest
	}
	words := strings.Split(expression, " ")
	if slices.Contains(words, "") {
		return p, errors.New("words are separated by one space")
	}
	p.Func, p.Args = words[0], words[1:]
	k, known := kinds[p.Func]
	if !known || p.Func == Var {
		if len(words) > 1 || p.Bind != "" || !identifier.MatchString(words[0]) {
			return p, fmt.Errorf("there is no placeholder %q", words[0])
		}
		return Part{Func: Var, Args: words}, nil
	}
	if len(p.Args) == 0 {
		p.Args = nil
	}
	switch {
	case p.Bind != "" && !k.captures:
		return p, fmt.Errorf("%s captures nothing", p.Func)
	case len(p.Args) < k.least || len(p.Args) > k.most:
		return p, fmt.Errorf("%s takes %s", p.Func, arguments(k))
	case k.variable && (!identifier.MatchString(p.Args[0]) || reserved(p.Args[0])):
		return p, fmt.Errorf("%q is no variable", p.Args[0])
	}
	if k.number && len(p.Args) > 0 {
		if n, err := strconv.Atoi(p.Args[0]); err != nil || n < 0 || n > MaxRepeat || strconv.Itoa(n) != p.Args[0] {
			return p, fmt.Errorf("%q is no number from 0 to %d", p.Args[0], MaxRepeat)
		} else if p.Func == "name" && n < MinName {
			return p, fmt.Errorf("a name has at least %d characters", MinName)
		}
	}
	return p, nil
}

func arguments(k kind) string {
	switch {
	case k.most == 0:
		return "no argument"
	case k.least == k.most:
		return fmt.Sprintf("%d argument(s)", k.most)
	default:
		return fmt.Sprintf("%d to %d arguments", k.least, k.most)
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if len(line) > 40 {
		line = line[:40]
	}
	return line
}

// Percent encodes a value as the AWS CLI encodes parameters (RFC 3986).
func Percent(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// parameter returns the value of the first parameter of a name in a form, as written.
func parameter(form, name string) string {
	if _, query, ok := strings.Cut(form, "?"); ok {
		form = query
	}
	for pair := range strings.FieldsFuncSeq(form, func(r rune) bool { return r == '&' || r == '\n' }) {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value
		}
	}
	return ""
}
