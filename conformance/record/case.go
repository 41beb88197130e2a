package record

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"iamserver/conformance"
)

// A Recording is what becomes a case: exchanges, and the command that each came
// from, if any.
type Recording struct {
	Name, Sentence string
	Level          conformance.Level
	Source         string
	Exchanges      []Exchange
	Commands       []string          // as many as Exchanges; empty where there was none
	Texts          map[string]string // files that the commands refer to
}

// Case returns the recording as a case. What differs from run to run becomes
// placeholders: names, the account, ids, dates, markers; access keys are
// captured for the requests that they sign. Secrets do not get into it.
func (r *Recording) Case() (*conformance.Case, error) {
	w := &writer{values: map[string]string{}, secrets: map[string]string{}, c: &conformance.Case{
		Name: r.Name, Sentence: r.Sentence, Level: r.Level, Sources: []string{r.Source},
	}}
	for _, e := range r.Exchanges {
		w.names(e)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Texts)) {
		t, err := w.template(r.Texts[name], nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		w.c.Texts = append(w.c.Texts, conformance.Text{Name: name, Content: t})
	}
	for i, e := range r.Exchanges {
		if err := w.step(i+1, e, r.Commands[i], r.Texts); err != nil {
			return nil, fmt.Errorf("request %d: %w", i+1, err)
		}
	}
	// What has been put together has to be a case.
	return conformance.Parse(r.Name+".txtar", conformance.Format(w.c))
}

type writer struct {
	c       *conformance.Case
	values  map[string]string // placeholder by value
	secrets map[string]string // placeholder of the secret by access key id
}

// named are the parameters that give names which must be unique.
var named = map[string][]string{
	"CreateUser": {"UserName"}, "UpdateUser": {"NewUserName"},
	"CreateGroup": {"GroupName"}, "UpdateGroup": {"NewGroupName"},
	"CreatePolicy": {"PolicyName"}, "CreateAccountAlias": {"AccountAlias"},
}

var notLabel = regexp.MustCompile(`[^a-z0-9]`)

func (w *writer) names(e Exchange) {
	p, err := url.ParseQuery(e.Body)
	if err != nil {
		return // step finds it
	}
	for _, parameter := range named[p.Get("Action")] {
		value := p.Get(parameter)
		if value == "" || w.values[value] != "" {
			continue
		}
		label := strings.TrimLeft(notLabel.ReplaceAllString(strings.ToLower(value), ""), "0123456789")
		if label = label[:min(len(label), 6)]; label == "" || w.taken(label) {
			label = fmt.Sprintf("n%d", len(w.c.Names)+1)
		}
		w.c.Names = append(w.c.Names, conformance.Name{Label: label})
		w.values[value] = label
	}
}

func (w *writer) taken(label string) bool {
	t, err := conformance.ParseTemplate("{{" + label + "}}")
	return err != nil || !t.Is(conformance.Var) || slices.Contains(slices.Collect(maps.Values(w.values)), label)
}

// template writes text with placeholders, the longest values first.
func (w *writer) template(text string, encode func(string) string) (conformance.Template, error) {
	values := slices.SortedFunc(maps.Keys(w.values), func(a, b string) int {
		if d := len(b) - len(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, value := range values {
		written := value
		if encode != nil {
			written = encode(value)
		}
		text = strings.ReplaceAll(text, written, "{{"+w.values[value]+"}}")
	}
	return conformance.ParseTemplate(text)
}

var (
	account    = regexp.MustCompile(`arn:aws:[a-z]+::([0-9]{12}):`)
	credential = regexp.MustCompile(`Credential=([^/]+)/`)
	// secretParameter is a secret that a caller brings along.
	secretParameter = regexp.MustCompile(`(^|&)SecretAccessKey=[^&]*`)
	secretOption    = regexp.MustCompile(`--secret-access-key[ =]('[^']*'|"[^"]*"|\S+)`)
)

func (w *writer) step(number int, e Exchange, command string, texts map[string]string) error {
	if e.Method != "POST" || e.Target != "/" {
		return fmt.Errorf("%s %s is no request of the query protocol", e.Method, e.Target)
	}
	if m := account.FindSubmatch(e.Answer); m != nil {
		w.values[string(m[1])] = "account"
	}
	p, err := url.ParseQuery(e.Body)
	if err != nil {
		return err
	}
	if a := p.Get("Action"); !slices.Contains(w.c.Actions, a) {
		w.c.Actions = append(w.c.Actions, a)
	}
	body := secretParameter.ReplaceAllString(e.Body, "${1}SecretAccessKey=an%20invented%20secret")
	for name, content := range texts {
		body = strings.ReplaceAll(body, conformance.Percent(content), "{{text "+name+"}}")
	}
	s := &conformance.Step{Number: number}
	command = secretOption.ReplaceAllString(command, "--secret-access-key 'an invented secret'")
	if s.Command, err = w.template(command, nil); err != nil {
		return err
	}
	request := conformance.Request{Method: "POST", Target: conformance.Literal("/"), Headers: []conformance.Header{{Name: "Content-Type", Value: conformance.Literal(conformance.FormType)}}}
	if request.Body, err = w.template(body, conformance.Percent); err != nil {
		return err
	}
	s.Request = &request
	if m := credential.FindStringSubmatch(e.Header.Get("Authorization")); m != nil && w.secrets[m[1]] != "" {
		if s.Sign.AccessKeyID, err = conformance.ParseTemplate("{{" + w.values[m[1]] + "}}"); err != nil {
			return err
		}
		if s.Sign.SecretAccessKey, err = conformance.ParseTemplate("{{" + w.secrets[m[1]] + "}}"); err != nil {
			return err
		}
	}
	s.Response = &conformance.Response{Status: e.Status}
	if s.Response.Body, err = conformance.ParseAnswer(e.Answer); err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	if err := w.element(s.Response.Body, nil); err != nil {
		return err
	}
	w.c.Steps = append(w.c.Steps, s)
	return nil
}

var (
	uniqueID = regexp.MustCompile(`^(A[A-Z]{3})[A-Z0-9]{12,124}$`)
	date     = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`)
)

// element puts placeholders into an answer, and takes note of what later
// requests may send.
func (w *writer) element(e *conformance.Element, siblings []*conformance.Element) error {
	for _, c := range e.Children {
		if err := w.element(c, e.Children); err != nil {
			return err
		}
	}
	if len(e.Children) > 0 || e.Text.Empty() {
		return nil
	}
	text := e.Text.String()
	written := ""
	switch {
	case w.values[text] != "":
		written = "{{" + w.values[text] + "}}"
	case e.Name == "RequestId":
		written = "{{any}}"
	case date.MatchString(text):
		written = "{{date}}"
	case e.Name == "SecretAccessKey":
		written = w.secret(siblings)
	case e.Name == "AccessKeyId", e.Name == "Marker", e.Name == "ServiceAccountId":
		written = w.capture(e.Name, text)
	case uniqueID.MatchString(text):
		written = "{{id " + uniqueID.FindStringSubmatch(text)[1] + "}}"
	}
	var err error
	if written != "" {
		e.Text, err = conformance.ParseTemplate(written)
	} else {
		e.Text, err = w.template(text, nil)
	}
	return err
}

// capture names a value for the steps that follow.
func (w *writer) capture(element, text string) string {
	label := map[string]string{"AccessKeyId": "key", "Marker": "marker", "ServiceAccountId": "sa"}[element]
	name := fmt.Sprintf("%s%d", label, len(w.values))
	w.values[text] = name
	matcher := "any"
	if m := uniqueID.FindStringSubmatch(text); m != nil {
		matcher = "id " + m[1]
	}
	return "{{" + name + ":" + matcher + "}}"
}

// secret captures the secret of the key beside it, whose value is not kept.
func (w *writer) secret(siblings []*conformance.Element) string {
	for _, s := range siblings {
		if s.Name != "AccessKeyId" || s.Text.Only() == nil {
			continue
		}
		key := s.Text.Only().Bind
		if key == "" && s.Text.Is(conformance.Var) {
			key = s.Text.Only().Args[0]
		}
		for id, name := range w.values {
			if name == key {
				w.secrets[id] = "secret" + key
				return "{{secret" + key + ":any}}"
			}
		}
	}
	return "{{any}}"
}
