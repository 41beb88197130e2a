package derive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"iamserver/codegen/model"
	"iamserver/conformance"
)

// A Row is what cases cover of one action.
type Row struct {
	Action    string
	Extension bool
	Cases     int // about the action
	Success   Fact
	// Errors are the codes that the action declares: covered, or why not.
	Errors []Fact
	// Constraints are the sides of the constraints of its parameters.
	Constraints []Fact
	// Paging is empty for an action that has no pages.
	Paging      []Fact
	Denied      []Fact // empty for an action that nobody is denied
	SelfService []Fact // empty for an action that has none
	Unsigned    bool
}

// A Fact is covered by a case, or has a reason not to be, or is missing.
type Fact struct {
	Name    string
	Covered bool
	Reason  string
}

// Missing lists what is neither covered nor excused.
func (r *Row) Missing() []string {
	var all []string
	note := func(missing bool, what string) {
		if missing {
			all = append(all, what)
		}
	}
	note(!r.Unsigned, "a request that is not signed")
	for _, facts := range [][]Fact{{r.Success}, r.Errors, r.Constraints, r.Paging, r.Denied, r.SelfService} {
		for _, f := range facts {
			note(!f.Covered && f.Reason == "", f.Name)
		}
	}
	return all
}

// An Excuse says why no client can provoke an error, or why there is no success
// or no next page.
type Excuse struct {
	Code    string   `yaml:"code"`
	Actions []string `yaml:"actions"` // none means every action
	Reason  string   `yaml:"reason"`
}

// Excuses reads the errors that no case provokes, with the reasons.
func Excuses(data []byte) ([]Excuse, error) {
	var all []Excuse
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("unprovoked errors: %w", err)
	}
	for _, e := range all {
		if e.Code == "" || e.Reason == "" {
			return nil, fmt.Errorf("unprovoked errors: %q needs a code and a reason", e.Code)
		}
	}
	return all, nil
}

// Coverage computes what cases cover, a row for each action in the order of the
// specification. An excuse that is not needed is an error.
func Coverage(cases []*conformance.Case, excuses []Excuse) ([]Row, error) {
	all, err := services()
	if err != nil {
		return nil, err
	}
	seen := look(cases)
	used := make([]bool, len(excuses))
	var rows []Row
	for _, s := range all {
		for _, a := range s.Actions {
			rows = append(rows, seen.row(s, a, excuses, used))
		}
	}
	for i, e := range excuses {
		if !used[i] {
			return nil, fmt.Errorf("unprovoked errors: %s of %s is provoked, or not declared", e.Code, strings.Join(e.Actions, ", "))
		}
	}
	return rows, nil
}

// seen is what cases show, by action and what it is.
type seen map[string]bool

func look(cases []*conformance.Case) seen {
	found := seen{}
	for _, c := range cases {
		for _, x := range c.Constraints {
			found[x] = true
		}
		for _, step := range c.Steps {
			if step.Request == nil {
				continue
			}
			action := step.Request.Action()
			found.step(action, step)
		}
	}
	return found
}

func (f seen) step(action string, step *conformance.Step) {
	r := step.Response
	if code := r.Code(); code != "" {
		f[action+" "+code] = true
	}
	switch {
	case step.Sign.None:
		f[action+" unsigned"] = true
	case r.Status == 200 && (step.Sign.AccessKeyID.Empty() || !step.Sign.Plain()):
		f[action+" success"] = true
	case r.Status == 200:
		f[action+" self-service"] = true
	}
	body := step.Request.Body.String() + step.Request.Target.String()
	if r.Status == 200 && strings.Contains(body, "Marker=") {
		f[action+" next page"] = true
	}
}

func (f seen) row(s *model.Service, a *model.Action, excuses []Excuse, used []bool) Row {
	fact := func(name string) Fact {
		fact := Fact{Name: name, Covered: f[a.Name+" "+name]}
		for i, e := range excuses {
			if !fact.Covered && e.Code == name && (len(e.Actions) == 0 || slices.Contains(e.Actions, a.Name)) {
				fact.Reason, used[i] = e.Reason, true
			}
		}
		return fact
	}
	r := Row{Action: a.Name, Extension: a.Extension != "", Success: fact("success"), Unsigned: f[a.Name+" unsigned"]}
	for _, code := range a.Errors {
		r.Errors = append(r.Errors, fact(code))
	}
	for _, c := range constraints(a) {
		for _, side := range c.sides() {
			r.Constraints = append(r.Constraints, Fact{c.side(side), f[c.side(side)], unprobed(a, c, side)})
		}
	}
	if a.Pagination != nil {
		r.Paging = append(r.Paging, fact("next page"))
	}
	if s.Name == "iam" {
		r.Denied = append(r.Denied, Fact{Name: "denied", Covered: f[a.Name+" AccessDenied"]})
	}
	if a.SelfService {
		r.SelfService = append(r.SelfService, Fact{Name: "self-service", Covered: f[a.Name+" self-service"]})
	}
	return r
}

// Table writes coverage as Markdown.
func Table(rows []Row, cases []*conformance.Case) string {
	written := 0
	for _, c := range cases {
		if !c.Generated {
			written++
		}
		for i := range rows {
			if slices.Contains(c.Actions, rows[i].Action) {
				rows[i].Cases++
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d cases: %d written, %d generated from the specification.\n\n", len(cases), written, len(cases)-written)
	b.WriteString("| action | cases | success | errors | constraints | paging | denied | self-service | unsigned |\n|---|---|---|---|---|---|---|---|---|\n")
	reasons := map[string][]string{}
	var order []string
	for i := range rows {
		r := &rows[i]
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %s | %s | %s |\n", r.Action, r.Cases, mark([]Fact{r.Success}),
			fraction(r.Errors), fraction(r.Constraints), mark(r.Paging), mark(r.Denied), mark(r.SelfService), yes(r.Unsigned))
		for _, f := range slices.Concat([]Fact{r.Success}, r.Errors, r.Constraints, r.Paging) {
			if f.Covered || f.Reason == "" {
				continue
			}
			if reasons[f.Reason] == nil {
				order = append(order, f.Reason)
			}
			reasons[f.Reason] = append(reasons[f.Reason], strings.TrimPrefix(r.Action+" "+f.Name, r.Action+" "+r.Action+" "))
		}
	}
	b.WriteString("\nNot covered, with the reason:\n\n")
	for _, reason := range order {
		what := reasons[reason]
		const shown = 3
		list := strings.Join(what[:min(shown, len(what))], "; ")
		if len(what) > shown {
			list += fmt.Sprintf("; and %d more", len(what)-shown)
		}
		fmt.Fprintf(&b, "- %s: %s.\n", strings.ToUpper(reason[:1])+reason[1:], list)
	}
	return b.String()
}

func yes(covered bool) string {
	if covered {
		return "yes"
	}
	return "**no**"
}

func mark(facts []Fact) string {
	switch {
	case len(facts) == 0:
		return ""
	case facts[0].Covered:
		return "yes"
	case facts[0].Reason != "":
		return "no"
	}
	return "**no**"
}

func fraction(facts []Fact) string {
	covered := 0
	for _, f := range facts {
		if f.Covered {
			covered++
		}
	}
	return fmt.Sprintf("%d/%d", covered, len(facts))
}
