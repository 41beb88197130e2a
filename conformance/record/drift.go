package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"iamserver/conformance"
	"iamserver/conformance/replay"
)

// A Finding is a command that the CLI sends otherwise than recorded, or whose
// answer it cannot read.
type Finding struct {
	Case     string
	Step     int
	Command  string
	Recorded string
	Sends    string
	// Answer is the differences of the answer, if any.
	Answer []replay.Difference
}

// Commands drives a case with the live CLI through proxy: steps that have a
// command are sent by it, the rest by session. It returns the case with the
// requests that were really sent, and what differs from those recorded.
func Commands(ctx context.Context, c *conformance.Case, session *replay.Session, cli CLI, proxy *Proxy) (*conformance.Case, []Finding, error) {
	live := *c
	live.Steps = nil
	var findings []Finding
	for _, step := range c.Steps {
		again := *step
		live.Steps = append(live.Steps, &again)
		if step.Command.Empty() {
			if err := send(ctx, session, step); err != nil {
				return nil, findings, fmt.Errorf("step %d: %w", step.Number, err)
			}
			continue
		}
		finding, err := command(ctx, c, &again, session, cli, proxy)
		if err != nil {
			return nil, findings, fmt.Errorf("step %d: %w", step.Number, err)
		}
		if finding != nil {
			finding.Case = c.Name
			findings = append(findings, *finding)
		}
	}
	return &live, findings, nil
}

// send carries out a step that has no command; its answer is compared for the
// sake of what it captures.
func send(ctx context.Context, session *replay.Session, step *conformance.Step) error {
	sent, err := session.Request(ctx, step)
	if err != nil {
		return err
	}
	answer, err := session.Send(sent)
	if err != nil {
		return err
	}
	session.Compare(step, answer)
	return nil
}

// command has the CLI send a step, whose request becomes what it sent.
func command(ctx context.Context, c *conformance.Case, step *conformance.Step, session *replay.Session, cli CLI, proxy *Proxy) (*Finding, error) {
	line, err := session.Expand(step.Command, nil)
	if err != nil {
		return nil, err
	}
	credentials, err := session.Credentials(&step.Sign)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, t := range c.Texts {
		// A text that a later step captures something for is not needed yet.
		if content, err := session.Expand(t.Content, nil); err == nil {
			texts[t.Name] = content
		}
	}
	if step.Sign.Region != "" {
		cli.Region = step.Sign.Region
	}
	output, err := cli.Run(ctx, line, credentials, texts)
	if err != nil {
		return nil, err
	}
	said := proxy.Take()
	if len(said) != 1 {
		return nil, fmt.Errorf("the command sent %d requests, not one: %s", len(said), output)
	}
	answer := session.Answered(said[0].Body, said[0].Status, said[0].AnswerHeader, said[0].Answer)
	// Names that the answer captures are not in the request yet.
	request, err := Generalize(said[0], step, texts, session)
	if err != nil {
		return nil, err
	}
	recorded := ""
	if step.Request != nil {
		recorded = conformance.FormatRequest(step.Request)
	}
	step.Request = request
	f := &Finding{Step: step.Number, Command: step.Command.String(), Recorded: recorded, Sends: conformance.FormatRequest(request)}
	f.Answer = session.Compare(step, answer)
	f.Answer = slices.DeleteFunc(f.Answer, func(d replay.Difference) bool { return d.Sentence })
	if f.Recorded == f.Sends && len(f.Answer) == 0 {
		return nil, nil
	}
	return f, nil
}

// Generalize returns the request of an exchange with placeholders in place of
// what differs from run to run.
func Generalize(e Exchange, step *conformance.Step, texts map[string]string, session *replay.Session) (*conformance.Request, error) {
	contentType := e.Header.Get("Content-Type")
	if e.Method != "POST" || e.Target != "/" || contentType != conformance.FormType {
		return nil, fmt.Errorf("%s %s with content type %q is not what the query protocol asks for", e.Method, e.Target, contentType)
	}
	body := e.Body
	replace := func(value, name string) {
		if value != "" {
			body = strings.ReplaceAll(body, conformance.Percent(value), "{{"+name+"}}")
		}
	}
	// What the recorded request has as a long run of one letter stays one.
	for _, p := range step.Command.Parts {
		if p.Func == "repeat" || p.Func == "upper" {
			value, err := session.Expand(conformance.Template{Parts: []conformance.Part{p}}, nil)
			if err != nil {
				return nil, err
			}
			replace(value, p.Func+" "+strings.Join(p.Args, " "))
		}
	}
	for name, content := range texts {
		replace(content, "text "+name)
	}
	variables := session.Variables()
	names := make([]string, 0, len(variables))
	for name := range variables {
		names = append(names, name)
	}
	// The longest first: one name may begin with another.
	slices.SortFunc(names, func(a, b string) int {
		if d := len(variables[b]) - len(variables[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		if len(variables[name]) >= minVolatile {
			replace(variables[name], name)
		}
	}
	account, err := session.Expand(conformance.Template{Parts: []conformance.Part{{Func: "account"}}}, nil)
	if err != nil {
		return nil, err
	}
	replace(account, "account")
	t, err := conformance.ParseTemplate(body)
	if err != nil {
		return nil, errors.Join(errors.New("the request cannot be written as a case"), err)
	}
	return &conformance.Request{
		Method: "POST", Target: conformance.Literal("/"), Body: t,
		Headers: []conformance.Header{{Name: "Content-Type", Value: conformance.Literal(conformance.FormType)}},
	}, nil
}

// minVolatile is how long a captured value must be to be looked for in
// requests: v1 or true would be found in anything.
const minVolatile = 8
