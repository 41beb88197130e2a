package conformance

import (
	"fmt"
	"strconv"
	"strings"
)

// maxLine is how long a line of parameters gets before each has its own.
const maxLine = 100

// Format writes a case as a file.
func Format(c *Case) []byte {
	var b strings.Builder
	b.WriteString(c.Sentence + "\n\n")
	property(&b, "level", string(c.Level))
	property(&b, "actions", strings.Join(c.Actions, ", "))
	for _, constraint := range c.Constraints {
		property(&b, "constraint", constraint)
	}
	if c.Serial {
		property(&b, "serial", "true")
	}
	property(&b, "needs", join(c.Needs))
	property(&b, "recorded", strings.Join(c.Recorded, ", "))
	property(&b, "names", names(c.Names))
	for _, s := range c.Sources {
		property(&b, "source", s)
	}
	for _, comment := range c.Comments {
		line(&b, comment)
	}
	for _, s := range c.Steps {
		formatStep(&b, s)
	}
	for _, t := range c.Texts {
		fmt.Fprintf(&b, "-- %s --\n", t.Name)
		line(&b, t.Content.String())
	}
	return []byte(b.String())
}

func property(b *strings.Builder, key, value string) {
	if value != "" {
		b.WriteString(key + ": " + value + "\n")
	}
}

// line writes a text that ends with the end of a line.
func line(b *strings.Builder, text string) {
	b.WriteString(text)
	if !strings.HasSuffix(text, "\n") {
		b.WriteString("\n")
	}
}

func names(all []Name) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = n.Label
		if n.Length > 0 {
			words[i] += " " + strconv.Itoa(n.Length)
		}
	}
	return strings.Join(words, ", ")
}

func formatStep(b *strings.Builder, s *Step) {
	if !s.Command.Empty() {
		fmt.Fprintf(b, "-- %d.command --\n", s.Number)
		line(b, s.Command.String())
	}
	if s.Request != nil {
		fmt.Fprintf(b, "-- %d.request --\n", s.Number)
		b.WriteString(FormatRequest(s.Request))
	}
	for _, o := range s.Others {
		fmt.Fprintf(b, "-- %d.request %s --\n", s.Number, o.Client)
		b.WriteString(FormatRequest(o.Request))
	}
	if sign := formatSign(&s.Sign); sign != "" {
		fmt.Fprintf(b, "-- %d.sign --\n%s", s.Number, sign)
	}
	fmt.Fprintf(b, "-- %d.response --\n", s.Number)
	r := s.Response
	if r.Accepted {
		b.WriteString("accepted\n")
	} else {
		b.WriteString(strconv.Itoa(r.Status) + "\n")
	}
	for _, h := range r.Headers {
		property(b, h.Name, h.Value.String())
	}
	if r.Body != nil {
		b.WriteString(r.Body.String())
	}
	if !r.Text.Empty() {
		b.WriteString("\n")
		line(b, r.Text.String())
	}
}

// FormatRequest writes a request as its section of a case has it.
func FormatRequest(r *Request) string {
	var b strings.Builder
	if r.IsForm() {
		body := r.Body.String()
		if len(body) > maxLine {
			body = strings.ReplaceAll(body, "&", "\n")
			body = strings.Replace(body, "\nVersion=", "&Version=", 1)
		}
		line(&b, body)
		return b.String()
	}
	b.WriteString(r.Method + " " + r.Target.String() + "\n")
	for _, h := range r.Headers {
		property(&b, h.Name, h.Value.String())
	}
	if !r.Body.Empty() {
		b.WriteString("\n")
		line(&b, r.Body.String())
	}
	return b.String()
}

// IsForm tells whether the request is a POST of parameters as every client sends
// it, and so written as its parameters alone.
func (r *Request) IsForm() bool {
	return r.Method == "POST" && r.Target.String() == "/" && !r.Body.Empty() && len(r.Headers) == 1 &&
		r.Headers[0].Name == "Content-Type" && r.Headers[0].Value.String() == FormType
}

func formatSign(s *Sign) string {
	var b strings.Builder
	property(&b, "access-key-id", s.AccessKeyID.String())
	property(&b, "secret-access-key", s.SecretAccessKey.String())
	property(&b, "session-token", s.SessionToken.String())
	if s.Clock != 0 {
		property(&b, "clock", s.Clock.String())
	}
	if s.Presign != 0 {
		property(&b, "presign", s.Presign.String())
	}
	property(&b, "service", s.Service)
	property(&b, "region", s.Region)
	property(&b, "tampered", s.Tampered.String())
	property(&b, "authorization", s.Authorization.String())
	for _, h := range s.Unsigned {
		property(&b, "unsigned", h.Name+": "+h.Value.String())
	}
	if s.None {
		property(&b, "none", "true")
	}
	if s.Replay > 0 {
		property(&b, "replay", strconv.Itoa(s.Replay))
	}
	return b.String()
}
