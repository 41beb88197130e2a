package replay

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"iamserver/conformance"
)

// A Difference is one thing that was answered otherwise than expected.
type Difference struct {
	Step  int
	Where string // status, header X, or the path of an element
	Want  string
	Got   string
	Why   string // it matters
	// Sentence is true if only the wording of an error differs.
	Sentence bool `json:",omitempty"`
}

// String returns the difference on three lines.
func (d Difference) String() string {
	return fmt.Sprintf("step %d, %s: %s\n  want %s\n  got  %s", d.Step, d.Where, d.Why, d.Want, d.Got)
}

// Why a difference matters.
const (
	whyStatus    = "clients decide by the status whether it worked and whether to try again"
	whyCode      = "programs tell errors apart by their code"
	whySentence  = "people read it, and some programs search it"
	whyMissing   = "SDKs show a member that is absent as null"
	whyExtra     = "what AWS does not answer here may tell more than it should, or upset strict parsers"
	whyValue     = "programs act on the value"
	whyCount     = "programs take the list for complete and correct"
	whyXML       = "clients cannot read what is no XML"
	whyText      = "it is what was stored, or it is worth nothing"
	whyNamespace = "clients that check namespaces take it for something else"
	whyHeader    = "clients read the header"
	whyRefused   = "what AWS accepts is refused"
	nothing      = "nothing"
)

// Compare returns the differences between what a step expects and an answer,
// and takes the captures.
func (s *Session) Compare(step *conformance.Step, got *Answer) []Difference {
	c := &comparison{session: s, step: step.Number}
	want := step.Response
	switch {
	case want.Accepted:
		if code := got.code(); got.status != http.StatusOK && !slices.Contains(judgements, code) {
			c.add("status", "success, or an error about what the request names", fmt.Sprintf("%d %s: %s", got.status, code, got.text("Message")), whyRefused)
		}
	case want.Status != got.status:
		c.add("status", statusAndCode(want.Status, want.Code()), statusAndCode(got.status, got.code()), whyStatus)
	}
	for _, h := range want.Headers {
		c.header(h, got.headers)
	}
	switch {
	case !want.Text.Empty():
		c.text("body", want.Text, string(got.body), whyText)
	case want.Body == nil:
	case got.root == nil:
		c.add("body", "XML", quoted(string(got.body)), whyXML)
	default:
		c.element("", want.Body, got.root)
	}
	return c.differences
}

// statusAndCode is a status with the code of the error, if it is one.
func statusAndCode(status int, code string) string {
	return strings.TrimSuffix(strconv.Itoa(status)+" "+code, " ")
}

// judgements are the errors of IAM about what a request names and asks for. They
// say that it was understood, which an action that the target does not know, or
// an error before the parameters are read, does not. AccessDenied is what a key
// that does not exist gets GetAccessKeyLastUsed.
var judgements = []string{
	"AccessDenied", "ConcurrentModification", "DeleteConflict", "EntityAlreadyExists", "EntityTemporarilyUnmodifiable", "InvalidInput",
	"LimitExceeded", "MalformedPolicyDocument", "NoSuchEntity", "NotSupportedService", "PolicyEvaluation",
	"PolicyNotAttachable", "UnmodifiableEntity",
}

type comparison struct {
	session     *Session
	step        int
	differences []Difference
}

// maxDifferences is how many differences of a step are kept.
const maxDifferences = 50

func (c *comparison) add(where, want, got, why string) {
	if len(c.differences) == maxDifferences {
		return
	}
	c.differences = append(c.differences, Difference{
		Step: c.step, Where: where, Want: want, Got: got, Why: why, Sentence: strings.HasSuffix(where, "/Error/Message"),
	})
}

func (c *comparison) header(want conformance.Header, got http.Header) {
	if want.Value.Is("absent") {
		if value := got.Get(want.Name); value != "" {
			c.add("header "+want.Name, nothing, quoted(value), whyExtra)
		}
		return
	}
	if len(got.Values(want.Name)) == 0 && !want.Value.Optional() {
		c.add("header "+want.Name, c.shown(want.Value), nothing, whyHeader)
		return
	}
	c.text("header "+want.Name, want.Value, got.Get(want.Name), whyHeader)
}

func (c *comparison) text(where string, want conformance.Template, got, why string) {
	same, err := c.session.match(want, got)
	switch {
	case err != nil:
		c.add(where, want.String(), quoted(got), err.Error())
	case !same:
		c.add(where, c.shown(want), quoted(got), why)
	}
}

// shown is a template with what is known written out.
func (c *comparison) shown(t conformance.Template) string {
	var b strings.Builder
	for _, p := range t.Parts {
		value, err := p.Text, error(nil)
		if p.Func != "" {
			value, err = c.session.value(p)
		}
		if err != nil {
			value = conformance.Template{Parts: []conformance.Part{p}}.String()
		}
		b.WriteString(value)
	}
	return quoted(b.String())
}

func (c *comparison) element(above string, want, got *conformance.Element) {
	where := above + "/" + want.Name
	if want.Name != got.Name {
		c.add(where, want.Name, got.Name, whyValue)
		return
	}
	if want.Namespace != "" && want.Namespace != got.Namespace {
		c.add(where+" xmlns", quoted(want.Namespace), quoted(got.Namespace), whyNamespace)
	}
	if len(want.Children) == 0 && !want.More {
		c.leaf(where, want, got)
		return
	}
	c.children(where, want, got)
}

func (c *comparison) leaf(where string, want, got *conformance.Element) {
	switch {
	case len(got.Children) > 0 && !want.Text.Is("any"):
		c.add(where, c.shown(want.Text), strconv.Itoa(len(got.Children))+" elements", whyCount)
	case want.Text.Is("document"):
		c.document(where, want.Text.Only().Args[0], got.Text.String())
	case len(got.Children) == 0:
		why := whyValue
		switch {
		case strings.HasSuffix(where, "/Error/Message"):
			why = whySentence
		case strings.HasSuffix(where, "/Error/Code"):
			why = whyCode
		}
		c.text(where, want.Text, got.Text.String(), why)
	}
}

// document compares a policy document, which answers have percent-encoded.
func (c *comparison) document(where, name, got string) {
	want, err := c.session.Expand(c.session.c.Text(name).Content, nil)
	if err != nil {
		c.add(where, name, quoted(got), err.Error())
		return
	}
	decoded, err := unescape(got)
	if err != nil || decoded != want || strings.ContainsAny(got, "{} \"") {
		c.add(where, "percent-encoded "+quoted(want), quoted(got), whyValue)
	}
}

// children compares the members of a structure by name and those of a list in order.
func (c *comparison) children(where string, want, got *conformance.Element) {
	expected := map[string]int{}
	for _, w := range want.Children {
		if n := expected[w.Name]; n > 0 {
			expected[w.Name]++
			continue
		}
		expected[w.Name] = 1
		c.group(where, w.Name, named(want, w.Name), named(got, w.Name), want.More)
	}
	if want.More {
		return
	}
	for _, g := range got.Children {
		if expected[g.Name] == 0 {
			expected[g.Name] = 1
			c.add(where+"/"+g.Name, nothing, quoted(inner(g)), whyExtra)
		}
	}
}

func (c *comparison) group(where, name string, want, got []*conformance.Element, more bool) {
	where += "/"
	if len(want) == 1 && want[0].Text.Is("absent") {
		if len(got) > 0 {
			c.add(where+name, nothing, quoted(inner(got[0])), whyExtra)
		}
		return
	}
	if len(want) == 1 && want[0].Text.Optional() && len(got) == 0 {
		return
	}
	if more && (name == "member" || name == "entry") {
		c.among(where, want, got)
		return
	}
	if len(want) != len(got) {
		why := whyCount
		if len(got) == 0 {
			why = whyMissing
		}
		c.add(where+name, count(len(want)), count(len(got)), why)
		return
	}
	for i := range want {
		at := strings.TrimSuffix(where, "/")
		if len(want) > 1 {
			at += fmt.Sprintf("[%d]", i+1)
		}
		c.element(at, want[i], got[i])
	}
}

// among looks for each of want anywhere in got.
func (c *comparison) among(where string, want, got []*conformance.Element) {
	used := make([]bool, len(got))
	for _, w := range want {
		found := false
		for i, g := range got {
			if used[i] {
				continue
			}
			trial := &comparison{session: c.session, step: c.step}
			before := maps.Clone(c.session.variables)
			if trial.element(where, w, g); len(trial.differences) == 0 {
				used[i], found = true, true
				break
			}
			c.session.variables = before
		}
		if !found {
			c.add(where+w.Name, w.String(), fmt.Sprintf("%d others", len(got)), whyCount)
		}
	}
}

func named(e *conformance.Element, name string) []*conformance.Element {
	var all []*conformance.Element
	for _, c := range e.Children {
		if c.Name == name {
			all = append(all, c)
		}
	}
	return all
}

func count(n int) string {
	if n == 0 {
		return nothing
	}
	return strconv.Itoa(n)
}

func inner(e *conformance.Element) string {
	if len(e.Children) == 0 {
		return e.Text.String()
	}
	return e.String()
}

// maxQuoted is how much of a value a difference shows, in bytes.
const maxQuoted = 1000

func quoted(text string) string {
	if len(text) > maxQuoted {
		text = text[:maxQuoted] + "…"
	}
	return strconv.Quote(text)
}
