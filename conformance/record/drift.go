package record

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"iamserver/conformance"
	"iamserver/conformance/replay"
)

// A Finding is a command that the CLI sends otherwise than recorded, or whose
// answer is not the expected one.
type Finding struct {
	Case     string
	Step     int
	Client   string
	Command  string
	Recorded string
	Sends    string
	// Answer is the differences of the answer, if any.
	Answer []replay.Difference
}

// Driven is what came of driving a case.
type Driven struct {
	// Client is the CLI, as in aws-cli/2; empty if it sent nothing.
	Client string
	// Case is the case with the requests that were really sent.
	Case     *conformance.Case
	Findings []Finding
}

// Commands drives a case with the live CLI through proxy: steps that have a
// command are sent by it, if drives says so or is nil, and the rest by session.
// What it finds is what differs from the requests recorded of the same
// generation of the CLI, or of the first client where there is none of it. With
// an error, Driven is what came before it.
func Commands(ctx context.Context, c *conformance.Case, session *replay.Session, cli CLI, proxy *Proxy, drives func(*conformance.Step) bool) (Driven, error) {
	live := *c
	live.Steps, live.Recorded = nil, slices.Clone(c.Recorded)
	d := Driven{Case: &live}
	for _, step := range c.Steps {
		again := *step
		live.Steps = append(live.Steps, &again)
		if step.Command.Empty() || drives != nil && !drives(step) {
			if err := send(ctx, session, step); err != nil {
				return d, fmt.Errorf("step %d: %w", step.Number, err)
			}
			continue
		}
		finding, err := command(ctx, &live, &again, session, cli, proxy)
		if err != nil {
			return d, fmt.Errorf("step %d: %w", step.Number, err)
		}
		d.Client = finding.Client
		if finding.Recorded != finding.Sends || len(finding.Answer) > 0 {
			d.Findings = append(d.Findings, *finding)
		}
	}
	return d, nil
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

// command has the CLI send a step of c and records what it sent.
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
	answer := session.Answered(said[0].Method, said[0].Target, said[0].Body, said[0].Status, said[0].AnswerHeader, said[0].Answer)
	// Names that the answer captures are not in the request yet.
	request, err := Generalize(said[0], step, texts, session)
	if err != nil {
		return nil, err
	}
	client := said[0].Client()
	if client == "" {
		return nil, fmt.Errorf("the command does not say which client it is: User-Agent %q", said[0].Header.Get("User-Agent"))
	}
	recorded := ""
	if r := step.As(client); r != nil {
		recorded = conformance.FormatRequest(r)
	}
	c.Record(step, client, request)
	f := &Finding{Case: c.Name, Step: step.Number, Client: client, Command: step.Command.String(), Recorded: recorded, Sends: conformance.FormatRequest(request)}
	f.Answer = session.Compare(step, answer)
	f.Answer = slices.DeleteFunc(f.Answer, func(d replay.Difference) bool { return d.Sentence })
	return f, nil
}

// Generalize returns the request of an exchange with placeholders in place of
// what differs from run to run.
func Generalize(e Exchange, step *conformance.Step, texts map[string]string, session *replay.Session) (*conformance.Request, error) {
	volatile, err := volatile(step, texts, session)
	if err != nil {
		return nil, err
	}
	r, err := e.request(func(text string, encoded bool) string {
		for _, v := range volatile {
			value := v.value
			if encoded {
				value = conformance.Percent(value)
			}
			text = strings.ReplaceAll(text, value, "{{"+v.placeholder+"}}")
		}
		return text
	})
	if err != nil {
		return nil, fmt.Errorf("the request cannot be written as a case: %w", err)
	}
	return r, nil
}

// A substitute is a value that a placeholder stands for.
type substitute struct{ value, placeholder string }

// volatile returns what differs from run to run, in the order in which it is to
// be looked for.
func volatile(step *conformance.Step, texts map[string]string, session *replay.Session) ([]substitute, error) {
	var all []substitute
	// What the recorded request has as a long run of one letter stays one.
	for _, p := range step.Command.Parts {
		if p.Func == "repeat" || p.Func == "upper" {
			value, err := session.Expand(conformance.Template{Parts: []conformance.Part{p}}, nil)
			if err != nil {
				return nil, err
			}
			all = append(all, substitute{value, p.Func + " " + strings.Join(p.Args, " ")})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		all = append(all, substitute{texts[name], "text " + name})
	}
	variables := session.Variables()
	names := slices.Collect(maps.Keys(variables))
	// The longest first: one name may begin with another.
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(len(variables[b])-len(variables[a]), strings.Compare(a, b))
	})
	for _, name := range names {
		if len(variables[name]) >= minVolatile {
			all = append(all, substitute{variables[name], name})
		}
	}
	account, err := session.Expand(conformance.Template{Parts: []conformance.Part{{Func: "account"}}}, nil)
	if err != nil {
		return nil, err
	}
	all = append(all, substitute{account, "account"})
	return slices.DeleteFunc(all, func(s substitute) bool { return s.value == "" }), nil
}

// minVolatile is how long a captured value must be to be looked for in
// requests: v1 or true would be found in anything.
const minVolatile = 8
