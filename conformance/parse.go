package conformance

import (
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
)

// Load reads every case below a folder, in the order of their names. An error
// is an *Error, or that of fsys.
func Load(fsys fs.FS) ([]*Case, error) { return load(fsys, Parse) }

// LoadDrafts is Load for cases whose commands have not been recorded yet.
func LoadDrafts(fsys fs.FS) ([]*Case, error) { return load(fsys, ParseDraft) }

func load(fsys fs.FS, parse func(string, []byte) (*Case, error)) ([]*Case, error) {
	var cases []*Case
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if path.Ext(name) != ".txtar" {
			return &Error{name, 1, "a case is a .txtar file"}
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		c, err := parse(name, data)
		cases = append(cases, c)
		return err
	})
	return cases, err
}

// Parse reads a case. What it returns for one that is not in the format is an
// *Error with file and line.
func Parse(file string, data []byte) (*Case, error) { return parse(file, data, false) }

// ParseDraft is Parse for a case whose commands have not been recorded yet:
// where there is a command, the request may be missing.
func ParseDraft(file string, data []byte) (*Case, error) { return parse(file, data, true) }

func parse(file string, data []byte, draft bool) (*Case, error) {
	p := &parser{file: file, draft: draft, c: &Case{Name: strings.TrimSuffix(file, ".txtar")}, known: map[string]bool{}}
	p.last = strings.Count(string(data), "\n") + 1
	for i, text := range strings.Split(string(data), "\n") {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, p.fail(i+1, "the line has a control character, or is not UTF-8")
		}
		if text == "-- --" { // txtar.Parse panics (go-internal v1.16.0)
			return nil, p.fail(i+1, "the section has no name")
		}
	}
	archive := txtar.Parse(data)
	p.markers(string(data))
	if len(p.lines) != len(archive.Files) {
		return nil, p.fail(1, "the file is no txtar archive that is read as it is written")
	}
	if err := p.header(string(archive.Comment)); err != nil {
		return nil, err
	}
	// Texts are read first: steps above them refer to them.
	for i, f := range archive.Files {
		if textName.MatchString(f.Name) {
			if err := p.text(f.Name, string(f.Data), p.lines[i]); err != nil {
				return nil, err
			}
		}
	}
	for i, f := range archive.Files {
		if !textName.MatchString(f.Name) {
			if err := p.section(f.Name, string(f.Data), p.lines[i]); err != nil {
				return nil, err
			}
		}
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return p.c, nil
}

type parser struct {
	file  string
	draft bool
	c     *Case
	lines []int // of the markers of sections
	last  int   // line
	known map[string]bool
}

var (
	textName    = regexp.MustCompile(`^[a-z][a-z0-9-]*\.(json|txt)$`)
	sectionName = regexp.MustCompile(`^([1-9][0-9]?)\.(command|request|sign|response)( \S+)?$`)
	clientName  = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*/[0-9]+$`)
	actionName  = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	headerName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
	requestLine = regexp.MustCompile(`^([A-Z]+) (/\S*)$`)
)

func (p *parser) fail(line int, format string, args ...any) error {
	return &Error{p.file, min(line, p.last), fmt.Sprintf(format, args...)}
}

// markers finds the lines on which sections begin.
func (p *parser) markers(data string) {
	for i, line := range strings.Split(data, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(line, "-- ") && strings.HasSuffix(line, " --") && len(line) > len("-- ")+len(" --") &&
			strings.TrimSpace(line[3:len(line)-3]) != "" {
			p.lines = append(p.lines, i+1)
		}
	}
}

// header reads the sentence and what follows it: key: value, one a line.
func (p *parser) header(comment string) error {
	lines := strings.Split(comment, "\n")
	p.c.Sentence = strings.TrimSpace(lines[0])
	if !strings.HasSuffix(p.c.Sentence, ".") || len(p.c.Sentence) < 10 {
		return p.fail(1, "the first line is a sentence, with its full stop")
	}
	for i, line := range lines[1:] {
		n := i + 2
		switch line = strings.TrimSpace(line); {
		case line == "":
			continue
		case strings.HasPrefix(line, "#"):
			p.c.Comments = append(p.c.Comments, line)
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		value = strings.TrimSpace(value)
		if !ok || value == "" {
			return p.fail(n, "%q is not key: value", line)
		}
		if err := p.property(n, key, value); err != nil {
			return err
		}
	}
	switch {
	case p.c.Level == "":
		return p.fail(1, "there is no level: %s", join(Levels()))
	case len(p.c.Actions) == 0:
		return p.fail(1, "there are no actions")
	case len(p.c.Sources) == 0:
		return p.fail(1, "there is no source of the expectation")
	}
	return nil
}

func (p *parser) property(line int, key, value string) error {
	switch key {
	case "level":
		p.c.Level = Level(value)
		if !slices.Contains(Levels(), p.c.Level) {
			return p.fail(line, "there is no level %q: %s", value, join(Levels()))
		}
	case "actions":
		for _, a := range strings.Split(value, ", ") {
			if !actionName.MatchString(a) || slices.Contains(p.c.Actions, a) {
				return p.fail(line, "%q is no action, or stands twice", a)
			}
			p.c.Actions = append(p.c.Actions, a)
		}
	case "source":
		p.c.Sources = append(p.c.Sources, value)
	case "recorded":
		for _, client := range strings.Split(value, ", ") {
			if !clientName.MatchString(client) || slices.Contains(p.c.Recorded, client) {
				return p.fail(line, "%q is no client such as aws-cli/2, or stands twice", client)
			}
			p.c.Recorded = append(p.c.Recorded, client)
		}
	case "constraint":
		if len(strings.Fields(value)) != 4 {
			return p.fail(line, "a constraint is ACTION PARAMETER CONSTRAINT at|beyond")
		}
		p.c.Constraints = append(p.c.Constraints, value)
	case "serial":
		if value != "true" {
			return p.fail(line, "serial is true, or left out")
		}
		p.c.Serial = true
	case "needs":
		for _, n := range strings.Split(value, ", ") {
			if !slices.Contains(Needs(), Need(n)) {
				return p.fail(line, "there is no need %q: %s", n, join(Needs()))
			}
			p.c.Needs = append(p.c.Needs, Need(n))
		}
	case "names":
		return p.names(line, value)
	default:
		return p.fail(line, "there is no property %q", key)
	}
	return nil
}

// MinName is the least length of a unique name that has an exact one.
const MinName = 24

// unnamed is what {{name}} is in place of a label.
const unnamed = "n"

func (p *parser) names(line int, value string) error {
	for _, item := range strings.Split(value, ", ") {
		label, length, exact := strings.Cut(item, " ")
		n := Name{Label: label}
		if !identifier.MatchString(label) || reserved(label) || len(label) > 8 || p.known[label] {
			return p.fail(line, "%q is no name of up to 8 lower-case letters and digits, or stands twice", label)
		}
		if exact {
			var err error
			if n.Length, err = strconv.Atoi(length); err != nil || n.Length < MinName || n.Length > 1024 {
				return p.fail(line, "a name has %d to 1024 characters, not %q", MinName, length)
			}
		}
		for _, other := range append([]Name{{Label: unnamed}}, p.c.Names...) {
			// A name that is too short is filled up with x.
			if strings.TrimRight(label, "x") == strings.TrimRight(other.Label, "x") {
				return p.fail(line, "%s may stand for the same name as %s", label, other.Label)
			}
		}
		p.known[label] = true
		p.c.Names = append(p.c.Names, n)
	}
	return nil
}

func (p *parser) text(name, content string, line int) error {
	if p.c.Text(name) != nil {
		return p.fail(line, "%s stands twice", name)
	}
	t, err := p.template(content, line+1)
	if err != nil {
		return err
	}
	p.c.Texts = append(p.c.Texts, Text{name, t})
	return nil
}

func (p *parser) section(name, content string, line int) error {
	m := sectionName.FindStringSubmatch(name)
	if m == nil || m[3] != "" && m[2] != "request" {
		return p.fail(line, "there is no section %q: N.command, N.request, N.sign, N.response, or a text such as policy.json", name)
	}
	n, _ := strconv.Atoi(m[1])
	step, err := p.step(n, line)
	if err != nil {
		return err
	}
	switch m[2] {
	case "command":
		if !step.Command.Empty() || step.Request != nil {
			return p.fail(line, "the command stands before the request, once")
		}
		if !strings.HasPrefix(content, "aws ") {
			return p.fail(line+1, "a command begins with aws")
		}
		step.Command, err = p.sent(strings.TrimSuffix(content, "\n"), line+1)
	case "sign":
		if step.Response != nil {
			return p.fail(line, "how to sign stands before the response")
		}
		err = p.sign(step, content, line+1)
	case "request":
		if m[3] != "" {
			return p.clientRequest(step, m[3][1:], content, line)
		}
		if step.Request != nil || step.Response != nil {
			return p.fail(line, "the request stands before the response, once")
		}
		step.Request, err = p.request(content, line+1)
	case "response":
		if step.Response != nil {
			return p.fail(line, "the response stands twice")
		}
		step.Response, err = p.response(content, line+1)
	}
	return err
}

// clientRequest reads what a client sends that is not the first to be recorded.
func (p *parser) clientRequest(step *Step, client, content string, line int) error {
	last := ""
	if len(step.Others) > 0 {
		last = step.Others[len(step.Others)-1].Client
	}
	order := slices.Index(p.c.Recorded, client)
	switch {
	case order < 0:
		return p.fail(line, "nothing is recorded of %s", client)
	case order == 0:
		return p.fail(line, "%s is recorded first: its request is that of the step", client)
	case order <= slices.Index(p.c.Recorded, last):
		return p.fail(line, "requests of clients stand in the order of recorded, once")
	case step.Request == nil || step.Response != nil:
		return p.fail(line, "requests of clients stand between the request and the response")
	}
	r, err := p.request(content, line+1)
	if err != nil {
		return err
	}
	if FormatRequest(r) == FormatRequest(step.Request) {
		return p.fail(line, "%s sends what the first client sends", client)
	}
	step.Others = append(step.Others, ClientRequest{client, r})
	return nil
}

// step returns the step that a section belongs to, which is the last or a new one.
func (p *parser) step(n, line int) (*Step, error) {
	have := len(p.c.Steps)
	switch n {
	case have:
		return p.c.Steps[n-1], nil
	case have + 1:
		if have > 0 {
			if err := p.complete(p.c.Steps[have-1]); err != nil {
				return nil, err
			}
		}
		s := &Step{Number: n, Line: line}
		p.c.Steps = append(p.c.Steps, s)
		return s, nil
	}
	return nil, p.fail(line, "steps are numbered from 1 in their order; this is not number %d", n)
}

func (p *parser) complete(s *Step) error {
	switch {
	case s.Request == nil && s.Sign.Replay == 0 && (!p.draft || s.Command.Empty()):
		return p.fail(s.Line, "step %d has no request", s.Number)
	case s.Request != nil && s.Sign.Replay != 0:
		return p.fail(s.Line, "step %d has a request of its own and replays another", s.Number)
	case s.Response == nil:
		return p.fail(s.Line, "step %d has no response", s.Number)
	}
	return nil
}

func (p *parser) finish() error {
	if len(p.c.Steps) == 0 {
		return p.fail(1, "there are no steps")
	}
	return p.complete(p.c.Steps[len(p.c.Steps)-1])
}

// template reads a template whose first line is line.
func (p *parser) template(text string, line int) (Template, error) {
	t, err := ParseTemplate(text)
	if err != nil {
		return t, p.fail(line+p.lineOf(text), "%v", err)
	}
	return t, nil
}

// lineOf counts the lines before the first placeholder that cannot be read.
func (p *parser) lineOf(text string) int {
	for i := range strings.Count(text, "\n") {
		head := strings.Join(strings.SplitAfterN(text, "\n", i+2)[:i+1], "")
		if _, err := ParseTemplate(head); err != nil {
			return i
		}
	}
	return strings.Count(strings.TrimSuffix(text, "\n"), "\n")
}

// sent reads what goes out: placeholders stand for something that is known.
func (p *parser) sent(text string, line int) (Template, error) {
	t, err := p.template(text, line)
	if err != nil {
		return t, err
	}
	for _, part := range t.Parts {
		if part.Func == "" {
			continue
		}
		k := kinds[part.Func]
		switch {
		case !k.sent:
			return t, p.fail(line, "{{%s}} cannot be sent", part.Func)
		case k.variable && !p.known[part.Args[0]]:
			return t, p.fail(line, "nothing before this names or captures %s", part.Args[0])
		case part.Func == "text" && p.c.Text(part.Args[0]) == nil:
			return t, p.fail(line, "there is no text %s", part.Args[0])
		}
		if part.Func == "text" {
			if _, err := p.sent(p.c.Text(part.Args[0]).Content.String(), line); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

// expected checks a template of a response and takes note of its captures.
func (p *parser) expected(t Template, line int) error {
	for i, part := range t.Parts {
		if part.Func == "" {
			continue
		}
		k := kinds[part.Func]
		switch {
		case part.Func == "optional" && i > 0:
			return p.fail(line, "{{optional}} stands first")
		case !k.expected:
			return p.fail(line, "{{%s}} cannot be expected", part.Func)
		case k.variable && !p.known[part.Args[0]]:
			return p.fail(line, "nothing before this names or captures %s", part.Args[0])
		case (part.Func == "document" || part.Func == "text") && p.c.Text(part.Args[0]) == nil:
			return p.fail(line, "there is no text %s", part.Args[0])
		case (part.Func == "absent" || part.Func == "more" || part.Func == "document") && len(t.Parts) > 1:
			return p.fail(line, "{{%s}} stands alone", part.Func)
		case part.Bind != "" && p.known[part.Bind]:
			return p.fail(line, "%s stands for something else already", part.Bind)
		case part.Bind != "":
			p.known[part.Bind] = true
		}
	}
	return nil
}

func (p *parser) request(content string, line int) (*Request, error) {
	first, rest, _ := strings.Cut(content, "\n")
	m := requestLine.FindStringSubmatch(first)
	if m == nil {
		return p.form(content, line)
	}
	r := &Request{Method: m[1]}
	var err error
	if r.Target, err = p.sent(m[2], line); err != nil {
		return nil, err
	}
	for {
		line++
		var text string
		text, rest, _ = strings.Cut(rest, "\n")
		if text == "" {
			break
		}
		h, err := p.headerLine(text, line)
		if err != nil {
			return nil, err
		}
		if h.Value, err = p.sent(h.Value.String(), line); err != nil {
			return nil, err
		}
		r.Headers = append(r.Headers, h)
	}
	r.Body, err = p.sent(strings.TrimSuffix(rest, "\n"), line+1)
	return r, err
}

// FormType is the content type of a request that is written as its parameters alone.
const FormType = "application/x-www-form-urlencoded; charset=utf-8"

// form reads a request that is a POST of parameters, on as many lines as one likes.
func (p *parser) form(content string, line int) (*Request, error) {
	lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
	for i, text := range lines {
		lines[i] = strings.TrimSuffix(text, "&")
		for parameter := range strings.SplitSeq(placeholder.ReplaceAllString(lines[i], ""), "&") {
			if !strings.Contains(parameter, "=") || strings.ContainsAny(parameter, " \t<>{}") {
				return nil, p.fail(line+i, "this is neither METHOD /TARGET nor parameters as they are sent")
			}
		}
	}
	body, err := p.sent(strings.Join(lines, "&"), line)
	if err != nil {
		return nil, err
	}
	return &Request{
		Method: http.MethodPost, Target: Literal("/"), Body: body,
		Headers: []Header{{"Content-Type", Literal(FormType)}},
	}, nil
}

var placeholder = regexp.MustCompile(`\{\{[^{}]*\}\}`)

func (p *parser) headerLine(text string, line int) (Header, error) {
	name, value, ok := strings.Cut(text, ": ")
	if !ok || !headerName.MatchString(name) {
		return Header{}, p.fail(line, "%q is no header", text)
	}
	t, err := p.template(value, line)
	return Header{name, t}, err
}

func (p *parser) sign(s *Step, content string, line int) error {
	for i, text := range strings.Split(strings.TrimSuffix(content, "\n"), "\n") {
		key, value, ok := strings.Cut(text, ": ")
		if !ok {
			return p.fail(line+i, "%q is not key: value", text)
		}
		t, err := p.sent(value, line+i)
		if err != nil {
			return err
		}
		if err := p.signature(&s.Sign, key, value, t, line+i); err != nil {
			return err
		}
		if s.Sign.Replay >= s.Number {
			return p.fail(line+i, "only an earlier step can be replayed")
		}
	}
	return nil
}

func (p *parser) signature(s *Sign, key, value string, t Template, line int) (err error) {
	switch key {
	case "access-key-id":
		s.AccessKeyID = t
	case "secret-access-key":
		s.SecretAccessKey = t
	case "session-token":
		s.SessionToken = t
	case "clock":
		s.Clock, err = time.ParseDuration(value)
	case "presign":
		s.Presign, err = time.ParseDuration(value)
	case "service":
		s.Service = value
	case "region":
		s.Region = value
	case "tampered":
		s.Tampered = t
	case "authorization":
		s.Authorization = t
	case "unsigned":
		h, err := p.headerLine(value, line)
		s.Unsigned = append(s.Unsigned, h)
		return err
	case "none":
		s.None = value == "true"
		if !s.None {
			return p.fail(line, "none is true, or left out")
		}
	case "replay":
		s.Replay, err = strconv.Atoi(value)
		if s.Replay < 1 {
			return p.fail(line, "%q is no step", value)
		}
	default:
		return p.fail(line, "there is nothing to sign called %q", key)
	}
	if err != nil {
		return p.fail(line, "%s: %v", key, err)
	}
	return nil
}

func (p *parser) response(content string, line int) (*Response, error) {
	first, rest, _ := strings.Cut(content, "\n")
	r := &Response{}
	if first == "accepted" {
		r.Accepted = true
	} else {
		var err error
		if r.Status, err = strconv.Atoi(first); err != nil || r.Status < 100 || r.Status > 599 {
			return nil, p.fail(line, "%q is neither a status nor accepted", first)
		}
	}
	for rest != "" && !strings.HasPrefix(rest, "<") {
		line++
		var text string
		if text, rest, _ = strings.Cut(rest, "\n"); text == "" {
			break
		}
		h, err := p.headerLine(text, line)
		if err != nil {
			return nil, err
		}
		if err := p.expected(h.Value, line); err != nil {
			return nil, err
		}
		r.Headers = append(r.Headers, h)
	}
	if strings.TrimSpace(rest) == "" {
		return r, nil
	}
	if !strings.HasPrefix(rest, "<") {
		return p.textBody(r, strings.TrimSuffix(rest, "\n"), line+1)
	}
	body, err := ParseExpected(rest)
	if err != nil {
		return nil, p.fail(line+1, "the body: %v", err)
	}
	r.Body = body
	return r, p.element(body, line+1)
}

// textBody reads the body of a response that is no XML.
func (p *parser) textBody(r *Response, text string, line int) (*Response, error) {
	var err error
	if r.Text, err = p.template(text, line); err != nil {
		return nil, err
	}
	return r, p.expected(r.Text, line)
}

// element checks what is expected of an element, in the order of its captures.
func (p *parser) element(e *Element, line int) error {
	if err := p.expected(e.Text, line); err != nil {
		return err
	}
	for _, c := range e.Children {
		if err := p.element(c, line); err != nil {
			return err
		}
	}
	return nil
}

func join[T ~string](words []T) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return strings.Join(all, ", ")
}
