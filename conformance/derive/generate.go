package derive

import (
	"fmt"
	"strconv"
	"strings"

	"iamserver/codegen/model"
	"iamserver/conformance"
)

// A generator makes the cases of one action.
type generator struct {
	service *model.Service
	action  *model.Action
	cases   []*conformance.Case
	err     error
}

// form is the parameters of a request in their order.
type form []parameter

type parameter struct {
	name  string
	value value
}

func (f form) set(name string, v value) form {
	out := append(form(nil), f...)
	for i := range out {
		if out[i].name == name {
			out[i].value = v
			return out
		}
	}
	return append(out, parameter{name, v})
}

// without leaves out a parameter with everything in it.
func (f form) without(name string) form {
	var out form
	for _, p := range f {
		if p.name != name && !strings.HasPrefix(p.name, name+".") {
			out = append(out, p)
		}
	}
	return out
}

// base is the least that the action asks for. It names whom it is about: who
// the caller is must not matter, and nothing may happen to it.
func (g *generator) base() form {
	var f form
	if subject := g.action.ImplicitSubject; subject != "" {
		f = append(f, parameter{subject, value{"{{name}}", "n"}})
	}
	for _, m := range g.action.Input.Members {
		if m.Required {
			f = fill(f, m.Name, m.Type)
		}
	}
	return f
}

func fill(f form, name string, t *model.Type) form {
	switch t.Kind {
	case model.List:
		return fill(f, name+".member.1", t.Elem)
	case model.Struct:
		for _, m := range t.Struct.Members {
			f = fill(f, name+"."+m.Name, m.Type)
		}
		return f
	case model.String, model.Integer, model.Boolean, model.Timestamp:
		return append(f, parameter{name, ordinary(t.Scalar)})
	default:
		return f
	}
}

// step is a request with parameters, as the caller.
func (g *generator) step(number int, f form, response *conformance.Response) *conformance.Step {
	body := "Action=" + g.action.Name + "&Version=" + g.service.Version
	for _, p := range f {
		body += "&" + p.name + "=" + p.value.sent //nolint:perfsprint // a request has a handful of parameters
	}
	t, err := conformance.ParseTemplate(body)
	if err != nil && g.err == nil {
		g.err = fmt.Errorf("%s: %w", body, err)
	}
	return &conformance.Step{Number: number, Response: response, Request: &conformance.Request{
		Method: "POST", Target: conformance.Literal("/"), Body: t,
		Headers: []conformance.Header{{Name: "Content-Type", Value: conformance.Literal(conformance.FormType)}},
	}}
}

// refusal is an error with a sentence.
func (g *generator) refusal(status int, code, sentence string) *conformance.Response {
	element := func(name string, children ...*conformance.Element) *conformance.Element {
		return &conformance.Element{Name: name, Namespace: g.service.Namespace, Children: children}
	}
	leaf := func(name, content string) *conformance.Element {
		t, err := conformance.ParseTemplate(content)
		if err != nil && g.err == nil {
			g.err = fmt.Errorf("%s: %w", content, err)
		}
		e := element(name)
		e.Text = t
		return e
	}
	return &conformance.Response{Status: status, Body: element("ErrorResponse",
		element("Error", leaf("Type", "Sender"), leaf("Code", code), leaf("Message", sentence)),
		leaf("RequestId", "{{any}}"))}
}

func (g *generator) add(name, sentence string, level conformance.Level, steps ...*conformance.Step) *conformance.Case {
	source := "https://docs.aws.amazon.com/IAM/latest/APIReference/API_" + g.action.Name + ".html"
	if g.service.Name == "sts" {
		source = "https://docs.aws.amazon.com/STS/latest/APIReference/API_" + g.action.Name + ".html"
	}
	if g.action.Extension != "" {
		level, source = conformance.Extension, "docs/actions.md: "+g.action.Name
	}
	c := &conformance.Case{
		Name: "generated/" + g.action.Name + "/" + name, Sentence: sentence, Level: level,
		Actions: []string{g.action.Name}, Sources: []string{source}, Steps: steps, Generated: true,
	}
	g.cases = append(g.cases, c)
	return c
}

// alias tells whether a request that is accepted changes the account's alias.
func (g *generator) alias() bool { return g.action.Name == "CreateAccountAlias" }

// valid is the case with the least that the action asks for.
func (g *generator) valid() {
	c := g.add("least", g.action.Name+" accepts the parameters that it requires, and nothing else.", conformance.AWS,
		g.step(1, g.base(), &conformance.Response{Accepted: true}))
	c.Serial = g.alias()
}

// parameters are the cases on constraints.
func (g *generator) parameters() {
	for _, c := range constraints(g.action) {
		for _, side := range c.sides() {
			g.probe(c, side)
		}
	}
}

// probe adds the cases on one side of a constraint.
func (g *generator) probe(c Constraint, side string) {
	name := strings.ReplaceAll(c.Parameter, ".member.1", "") + "_" + c.Kind + "_" + side
	level := conformance.AWS
	if extension(g.action, c) {
		level = conformance.Extension
	}
	add := func(suffix, sentence string, f form, r *conformance.Response) {
		made := g.add(name+suffix, g.action.Name+" "+sentence+".", level, g.step(1, f, r))
		made.Constraints = []string{c.side(side)}
		made.Serial = g.alias() && r.Accepted
	}
	accept := func(suffix, what string, v value) {
		add(suffix, "accepts "+article(c.Parameter)+" "+what, g.with(c, v), &conformance.Response{Accepted: true})
	}
	refuse := func(suffix, what string, v value) {
		n := 1
		if c.scalar != nil && c.scalar.Kind == model.String {
			n = broken(c.scalar, v)
		}
		sentence := c.sentence(n)
		if strings.HasSuffix(c.Parameter, ".member.1") {
			sentence = "{{any}}" // all elements are spoken of at once
		}
		add(suffix, "refuses "+article(c.Parameter)+" "+what, g.with(c, v), g.refusal(400, "ValidationError", sentence))
	}
	switch c.Kind {
	case "required":
		add("", "refuses a request without "+c.Parameter, g.absent(c.Parameter), g.refusal(400, "ValidationError", c.sentence(1)))
	case "minLength", "maxLength":
		g.length(c, side, accept, refuse)
	case "pattern":
		g.pattern(c, side, accept, refuse)
	case "enum":
		if side == beyond {
			refuse("", "that is none of its values", text("Nonsense"))
			refuse("_case", "in another case", text(otherCase(c.scalar.Enum[0])))
			return
		}
		for _, v := range c.scalar.Enum {
			accept("_"+v, v, text(v))
		}
	case "minimum", "maximum":
		g.bound(c, side, accept, refuse)
	case "type":
		add("", "refuses "+article(c.Parameter)+" that is no "+kindName(c.scalar.Kind), g.with(c, text("maybe")), g.refusal(400, "MalformedInput", "{{optional}}{{any}}"))
	case "maxItems":
		n := *c.list.Max
		if side == at {
			add("", "accepts "+strconv.Itoa(n)+" of "+c.Parameter, g.items(c, n, false), &conformance.Response{Accepted: true})
			return
		}
		add("", "refuses "+strconv.Itoa(n+1)+" of "+c.Parameter, g.items(c, n+1, false), g.refusal(400, "ValidationError", c.sentence(1)))
	case "unique":
		add("", "refuses one of "+c.Parameter+" twice", g.items(c, 2, true), g.refusal(400, "InvalidInput", "{{any}}"))
	}
}

type says func(suffix, what string, v value)

func (g *generator) length(c Constraint, side string, accept, refuse says) {
	n, over := c.scalar.MinLength, -1
	if c.Kind == "maxLength" {
		n, over = *c.scalar.MaxLength, 1
	}
	if side == beyond {
		refuse("", "of "+characters(n+over), ofLength(c.scalar, n+over))
	} else if unprobed(g.action, c, side) == "" {
		accept("", "of "+characters(n), ofLength(c.scalar, n))
	}
}

func (g *generator) pattern(c Constraint, side string, accept, refuse says) {
	if side == at {
		accept("", "with every character that a name may have", value{"{{name}}" + conformance.Percent("+=,.@_-Z9"), "n+=,.@_-Z9"})
		return
	}
	if v, ok := outside(c.scalar); ok {
		refuse("", fmt.Sprintf("such as %q", v.plain), v)
	}
}

func (g *generator) bound(c Constraint, side string, accept, refuse says) {
	n, over := c.scalar.Min, -1
	if c.Kind == "maximum" {
		n, over = c.scalar.Max, 1
	}
	if side == at {
		accept("", "of "+strconv.Itoa(*n), text(strconv.Itoa(*n)))
		return
	}
	refuse("", "of "+strconv.Itoa(*n+over), text(strconv.Itoa(*n+over)))
}

// with is the least form with a value of the constraint's parameter.
func (g *generator) with(c Constraint, v value) form {
	f := g.base()
	// An element of a structure comes with the others.
	if head, _, nested := strings.Cut(c.Parameter, "."); nested {
		f = f.without(head)
		f = fill(f, head, g.action.Input.Member(head).Type)
	}
	return f.set(c.Parameter, v)
}

// absent is the least form without a parameter.
func (g *generator) absent(name string) form {
	f := g.base()
	if head, _, nested := strings.Cut(name, "."); nested {
		f = fill(f.without(head), head, g.action.Input.Member(head).Type)
	}
	return f.without(name)
}

// items is the least form with n elements of the constraint's list.
func (g *generator) items(c Constraint, n int, same bool) form {
	f := g.base().without(c.Parameter)
	for i := range n {
		key := text(fmt.Sprintf("k%02d", i))
		if same {
			key = text("k")
		}
		element := c.Parameter + ".member." + strconv.Itoa(i+1)
		if c.list.Elem.Kind != model.Struct {
			f = append(f, parameter{element, key})
			continue
		}
		for _, m := range c.list.Elem.Struct.Members {
			v := text("v")
			if c.list.Unique == nil || m.Name == c.list.Unique.Member {
				v = key
			}
			f = append(f, parameter{element + "." + m.Name, v})
		}
	}
	return f
}

// strangers are the cases on who should not get in: nobody, and a user whom
// nothing allows anything.
func (g *generator) strangers() {
	unsigned := g.step(1, g.base(), g.refusal(403, "MissingAuthenticationToken", "Request is missing Authentication Token"))
	unsigned.Sign.None = true
	c := g.add("unsigned", g.action.Name+" is not for those who do not sign.", conformance.AWS, unsigned)
	c.Needs = []conformance.Need{conformance.Authentication}
	if g.service.Name != "iam" {
		// What the service of an unsigned request is, nobody can know.
		unsigned.Response.Body = nil
		return
	}
	denied := g.step(3, g.base(), g.refusal(403, "AccessDenied", "User: arn:aws:iam::{{account}}:user/{{alice}} is not authorized to perform: iam:"+g.action.Name+" on resource: {{any}}"))
	denied.Sign.AccessKeyID, denied.Sign.SecretAccessKey = variable("key"), variable("secret")
	c = g.add("denied", g.action.Name+" is not for a user whom nothing allows it.", conformance.AWS,
		g.setup(1, "CreateUser", ""), g.setup(2, "CreateAccessKey", "<CreateAccessKeyResponse xmlns=\""+g.service.Namespace+"\"><CreateAccessKeyResult><AccessKey><AccessKeyId>{{key:any}}</AccessKeyId><SecretAccessKey>{{secret:any}}</SecretAccessKey>{{more}}</AccessKey></CreateAccessKeyResult>{{more}}</CreateAccessKeyResponse>"), denied)
	c.Names = []conformance.Name{{Label: "alice"}}
	c.Needs = []conformance.Need{conformance.Authorization}
}

// setup is a step that a user is made with.
func (g *generator) setup(number int, action, body string) *conformance.Step {
	other := *g
	other.action = &model.Action{Name: action}
	s := other.step(number, form{{"UserName", value{sent: "{{alice}}"}}}, &conformance.Response{Status: 200})
	if body != "" {
		e, err := conformance.ParseExpected(body)
		if err != nil && g.err == nil {
			g.err = err
		}
		s.Response.Body = e
	}
	return s
}

func variable(name string) conformance.Template {
	return conformance.Template{Parts: []conformance.Part{{Func: conformance.Var, Args: []string{name}}}}
}

func otherCase(word string) string {
	if lower := strings.ToLower(word); lower != word {
		return lower
	}
	return strings.ToUpper(word)
}

func characters(n int) string {
	if n == 1 {
		return "1 character"
	}
	return strconv.Itoa(n) + " characters"
}

func kindName(k model.Kind) string {
	if k == model.Boolean {
		return "boolean"
	}
	return "integer"
}

// extension tells whether a constraint is not AWS's; spec/aws-differences.yaml
// has the reasons.
func extension(a *model.Action, c Constraint) bool {
	head, _, _ := strings.Cut(c.Parameter, ".")
	if m := a.Input.Member(head); m != nil && m.Extension != "" {
		return true
	}
	return c.scalar != nil && (c.scalar.Name == "AccessKeyId" && c.Kind == "minLength" || c.scalar.Name == "LongMarker" && c.Kind == "maxLength")
}

// unprobed says why a side of a constraint has no case, or "".
func unprobed(a *model.Action, c Constraint, side string) string {
	switch {
	case side == beyond || c.scalar == nil:
		return ""
	case c.Kind == "maxLength" && c.scalar.Name == "ServiceAccountExpiration":
		return "no time has 40 characters"
	case strings.HasSuffix(c.Parameter, "Marker"):
		return "what becomes of a marker that no list gave is not specified"
	case c.Kind != "minLength":
		return ""
	}
	switch {
	case c.scalar.Name == "Arn":
		return "no ARN of a policy has as few as 20 characters"
	case strings.HasPrefix(a.Name, "Create") && names[c.scalar.Name] && !strings.HasPrefix(c.scalar.Name, "Existing") && c.Parameter != "AccessKeyId":
		return "so short a name would not be unique on a shared endpoint"
	case c.scalar.Name == "PolicyDocument", c.scalar.Name == "ServiceAccountId":
		return "nothing so short is one"
	case c.scalar.Name == "AccountAlias":
		return "so short a name may be somebody's"
	}
	return ""
}

// article is a name with "a" before it, or "an": UserName begins as you does.
func article(name string) string {
	if strings.ContainsAny(name[:1], "AEIO") {
		return "an " + name
	}
	return "a " + name
}
