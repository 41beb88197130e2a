package replay

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"iamserver/conformance"
)

// A Session is one case on its way: what its names and captures stand for, what
// it has sent, and what it has made.
type Session struct {
	runner    *Runner
	c         *conformance.Case
	base      string // of the unique names
	variables map[string]string
	sent      map[int]*Sent
	made      made
}

// NewSession begins a case; number makes its names unique among those of the runner.
func (r *Runner) NewSession(number int, c *conformance.Case) *Session {
	base := r.run + fmt.Sprintf("%05d", number)
	s := &Session{runner: r, c: c, base: base, variables: map[string]string{}, sent: map[int]*Sent{}}
	for _, n := range c.Names {
		s.variables[n.Label] = pad(base+n.Label, n.Length)
	}
	return s
}

func pad(name string, length int) string {
	if len(name) < length {
		return name + strings.Repeat("x", length-len(name))
	}
	return name
}

// Variables are what the names and captures of the case stand for so far.
func (s *Session) Variables() map[string]string { return s.variables }

// Expand writes a template out; encode is applied to what placeholders stand for.
func (s *Session) Expand(t conformance.Template, encode func(string) string) (string, error) {
	if encode == nil {
		encode = func(text string) string { return text }
	}
	var b strings.Builder
	for _, p := range t.Parts {
		if p.Func == "" {
			b.WriteString(p.Text)
			continue
		}
		value, err := s.value(p)
		if err != nil {
			return "", err
		}
		b.WriteString(encode(value))
	}
	return b.String(), nil
}

// value is what a placeholder that is no matcher stands for.
func (s *Session) value(p conformance.Part) (string, error) {
	switch p.Func {
	case conformance.Var, "upper":
		value, ok := s.variables[p.Args[0]]
		if !ok {
			return "", fmt.Errorf("%s has not been captured", p.Args[0])
		}
		if p.Func == "upper" {
			value = strings.ToUpper(value)
		}
		return value, nil
	case "name":
		length := 0
		if len(p.Args) > 0 {
			length, _ = strconv.Atoi(p.Args[0])
		}
		return pad(s.base+"n", length), nil
	case "account":
		return s.runner.account, nil
	case "caller":
		return s.runner.caller, nil
	case "repeat":
		n, _ := strconv.Atoi(p.Args[0])
		return strings.Repeat(p.Args[1], n), nil
	case "text":
		return s.Expand(s.c.Text(p.Args[0]).Content, nil)
	}
	return "", fmt.Errorf("{{%s}} stands for nothing in particular", p.Func)
}

// matchers are the placeholders that stand for any text of a form. A time may
// have a fraction of a second: AWS's example of create-access-key has one.
var matchers = map[string]string{
	"any":    `(?s:(.*))`,
	"date":   `([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?Z)`,
	"number": `(-?[0-9]+)`,
}

// match compares text with a template and captures; it reports whether they agree.
func (s *Session) match(t conformance.Template, text string) (bool, error) {
	var b strings.Builder
	var binds []string
	b.WriteString(`^`)
	for _, p := range t.Parts {
		switch {
		case p.Func == "optional":
		case p.Func == "":
			b.WriteString(regexp.QuoteMeta(p.Text))
		case matchers[p.Func] != "":
			b.WriteString(matchers[p.Func])
			binds = append(binds, p.Bind)
		case p.Func == "id":
			// AWS's ids are the prefix and 17 letters and digits; its reference
			// promises 16 to 128 in all.
			b.WriteString(`(` + regexp.QuoteMeta(p.Args[0]) + `[A-Z0-9]{12,124})`)
			binds = append(binds, p.Bind)
		default:
			value, err := s.value(p)
			if err != nil {
				return false, err
			}
			b.WriteString(regexp.QuoteMeta(value))
		}
	}
	pattern, err := regexp.Compile(b.String() + `$`)
	if err != nil {
		return false, fmt.Errorf("%s: %w", t, err)
	}
	groups := pattern.FindStringSubmatch(text)
	if groups == nil {
		return false, nil
	}
	for i, bind := range binds {
		if bind != "" {
			s.variables[bind] = groups[i+1]
		}
	}
	return true, nil
}

// hide takes what could sign out of what a report shows.
func (s *Session) hide(text string) string {
	if secret := s.runner.config.Credentials.SecretAccessKey; secret != "" {
		text = strings.ReplaceAll(text, secret, "SECRET")
	}
	return secretElement.ReplaceAllString(text, "<SecretAccessKey>SECRET</SecretAccessKey>")
}

var secretElement = regexp.MustCompile(`<SecretAccessKey>[^<]*</SecretAccessKey>`)

// CleanUp deletes what the case has made, also after ctx has ended, and returns
// what it could not delete.
func (s *Session) CleanUp(ctx context.Context) []string {
	return s.made.delete(context.WithoutCancel(ctx), s.runner)
}

// Answered takes note of an exchange that somebody else had for the session.
func (s *Session) Answered(method, target, body string, status int, headers http.Header, content []byte) *Answer {
	answer := newAnswer(status, headers, content)
	s.made.note(s.runner.account, method, target, body, status, answer)
	return answer
}
