package record

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
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
	Needs          []conformance.Need
	Sources        []string
	Exchanges      []Exchange
	Commands       []string          // as many as Exchanges; empty where there was none
	Texts          map[string]string // files that the commands refer to
}

// Case returns the recording as a case. What differs from run to run becomes
// placeholders: names, the account, ids, dates, markers; access keys are
// captured for the requests that they sign. Secrets do not get into it.
func (r *Recording) Case() (*conformance.Case, error) {
	w := &writer{values: map[string]string{}, secrets: map[string]string{}, texts: map[string]string{}, c: &conformance.Case{
		Name: r.Name, Sentence: r.Sentence, Level: r.Level, Needs: slices.Clone(r.Needs), Sources: r.Sources,
	}}
	for _, e := range r.Exchanges {
		w.names(e)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Texts)) {
		t, err := w.template(r.Texts[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		w.c.Texts = append(w.c.Texts, conformance.Text{Name: name, Content: t})
		w.texts[r.Texts[name]] = name
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
	texts   map[string]string // name of a text by its content
}

// named are the parameters that give names which must be unique.
var named = map[string][]string{
	"CreateUser": {"UserName"}, "UpdateUser": {"NewUserName"},
	"CreateGroup": {"GroupName"}, "UpdateGroup": {"NewGroupName"},
	"CreatePolicy": {"PolicyName"}, "CreateAccountAlias": {"AccountAlias"},
}

var notLabel = regexp.MustCompile(`[^a-z0-9]`)

func (w *writer) names(e Exchange) {
	var all []string
	if e.Service() == serviceS3 {
		bucket, _, _ := strings.Cut(strings.TrimPrefix(e.Target, "/"), "/")
		if bucket, _, _ = strings.Cut(bucket, "?"); e.Method == http.MethodPut {
			all = append(all, bucket)
		}
	} else if p, err := url.ParseQuery(e.Body); err == nil { // step finds one that is none
		for _, parameter := range named[p.Get("Action")] {
			all = append(all, p.Get(parameter))
		}
	}
	for _, value := range all {
		if value == "" || w.values[value] != "" {
			continue
		}
		label := strings.TrimLeft(notLabel.ReplaceAllString(strings.ToLower(value), ""), "0123456789")
		// Names are filled up with x, and n is what {{name}} is.
		if label = strings.TrimRight(label[:min(len(label), 6)], "x"); label == "" || label == "n" || w.taken(label) {
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

// hide puts placeholders into text, the longest values first, which stand there
// percent-encoded if encoded is true.
func (w *writer) hide(text string, encoded bool) string {
	values := slices.SortedFunc(maps.Keys(w.values), func(a, b string) int {
		return cmp.Or(len(b)-len(a), strings.Compare(a, b))
	})
	for _, value := range values {
		written := value
		if encoded {
			written = conformance.Percent(value)
		}
		text = strings.ReplaceAll(text, written, "{{"+w.values[value]+"}}")
	}
	return text
}

// template is hide for a text that is not encoded.
func (w *writer) template(text string) (conformance.Template, error) {
	return conformance.ParseTemplate(w.hide(text, false))
}

var (
	account = regexp.MustCompile(`arn:aws:[a-z]+::([0-9]{12}):`)
	// secretParameter is a secret that a caller brings along, such as a key, a password or a session token.
	secretParameter = regexp.MustCompile(`(^|[?&])(SecretAccessKey|Password|OldPassword|NewPassword|X-Amz-Security-Token)=[^&]*`)
	secretOption    = regexp.MustCompile(`--(secret-access-key|password|old-password|new-password)[ =]('[^']*'|"[^"]*"|\S+)`)
)

func (w *writer) step(number int, e Exchange, command string, texts map[string]string) error {
	if m := account.FindSubmatch(e.Answer); m != nil {
		w.values[string(m[1])] = "account"
	}
	if err := w.about(e); err != nil {
		return err
	}
	s := &conformance.Step{Number: number}
	command = secretOption.ReplaceAllString(command, "--$1 'an invented secret'")
	var err error
	if s.Command, err = w.template(command); err != nil {
		return err
	}
	s.Request, err = e.request(func(text string, encoded bool) string {
		if encoded {
			text = secretParameter.ReplaceAllString(text, "${1}${2}=an%20invented%20secret")
		}
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			content := texts[name]
			if encoded {
				content = conformance.Percent(content)
			}
			text = strings.ReplaceAll(text, content, "{{text "+name+"}}")
		}
		return w.hide(text, encoded)
	})
	if err != nil {
		return err
	}
	if err := w.sign(s, e); err != nil {
		return err
	}
	s.Response = &conformance.Response{Status: e.Status}
	if err := w.answer(s.Response, e, texts); err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	w.c.Steps = append(w.c.Steps, s)
	return nil
}

// about takes note of what the case is about: its actions, clients and needs.
func (w *writer) about(e Exchange) error {
	if e.Service() == serviceS3 {
		if !slices.Contains(w.c.Needs, conformance.S3) {
			w.c.Needs = append(w.c.Needs, conformance.S3)
		}
	} else {
		p, err := url.ParseQuery(e.Body)
		if err != nil {
			return err
		}
		if a := p.Get("Action"); a != "" && !slices.Contains(w.c.Actions, a) {
			w.c.Actions = append(w.c.Actions, a)
		}
	}
	switch client := e.Client(); {
	case client == "" || slices.Contains(w.c.Recorded, client):
	case len(w.c.Recorded) > 0:
		return fmt.Errorf("%s sends this, and %s what is before it: a recording is of one client", client, w.c.Recorded[0])
	default:
		w.c.Recorded = []string{client}
	}
	return nil
}

// sign says how a request was signed, where that was with a key whose secret
// has been captured, or for S3.
func (w *writer) sign(s *conformance.Step, e Exchange) error {
	if e.Service() == serviceS3 {
		s.Sign.Service = serviceS3
	}
	m := scope.FindStringSubmatch(e.Header.Get("Authorization"))
	if m == nil || w.secrets[m[1]] == "" {
		return nil
	}
	var err error
	if s.Sign.AccessKeyID, err = conformance.ParseTemplate("{{" + w.values[m[1]] + "}}"); err != nil {
		return err
	}
	s.Sign.SecretAccessKey, err = conformance.ParseTemplate("{{" + w.secrets[m[1]] + "}}")
	return err
}

// answer is what the case expects: XML, or the text of an object.
func (w *writer) answer(r *conformance.Response, e Exchange, texts map[string]string) error {
	var err error
	if len(e.Answer) == 0 {
		return nil
	}
	if e.Service() == serviceS3 && !strings.Contains(e.AnswerHeader.Get("Content-Type"), "xml") {
		text := string(e.Answer)
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			text = strings.ReplaceAll(text, texts[name], "{{text "+name+"}}")
		}
		r.Text, err = w.template(text)
		return err
	}
	if r.Body, err = conformance.ParseAnswer(e.Answer); err != nil {
		return err
	}
	if r.Body.Name == "Error" {
		// What else S3 says about an error differs from store to store.
		r.Body.Children = slices.DeleteFunc(r.Body.Children, func(c *conformance.Element) bool { return c.Name != "Code" && c.Name != "Message" })
		r.Body.More = true
	}
	return w.element(r.Body, nil)
}

// secretElements are what else AWS answers that signs, or logs in.
var secretElements = []string{"SessionToken", "ServicePassword", "Base32StringSeed", "QRCodePNG"}

var (
	uniqueID = regexp.MustCompile(`^(A[A-Z]{3})[A-Z0-9]{12,124}$`)
	date     = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$`)
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
	case e.Name == "RequestId", slices.Contains(secretElements, e.Name):
		written = "{{any}}"
	case date.MatchString(text):
		written = "{{date}}"
	case e.Name == "ETag":
		written = "{{any}}"
	case e.Name == "SecretAccessKey":
		written = w.secret(siblings)
	case e.Name == "AccessKeyId", e.Name == "Marker", e.Name == "ServiceAccountId":
		written = w.capture(e.Name, text)
	case w.document(text) != "":
		written = "{{document " + w.document(text) + "}}"
	case uniqueID.MatchString(text):
		written = "{{id " + uniqueID.FindStringSubmatch(text)[1] + "}}"
	}
	var err error
	if written != "" {
		e.Text, err = conformance.ParseTemplate(written)
	} else {
		e.Text, err = w.template(text)
	}
	return err
}

// document returns the text that an answer has percent-encoded, or "".
func (w *writer) document(text string) string {
	decoded, err := url.PathUnescape(text)
	if err != nil || decoded == text {
		return ""
	}
	return w.texts[decoded]
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
