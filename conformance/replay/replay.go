// Package replay sends the requests of conformance cases to a target, signed
// for it, and compares the answers with what is expected. It judges nobody; see
// package report for what several targets answered.
package replay

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"iamserver/conformance"
)

// Credentials sign requests.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Config says what to replay against which target. Endpoint, Credentials and
// Now are required.
type Config struct {
	Endpoint    string // URL
	Credentials Credentials
	Region      string // us-east-1 if empty
	Profile     *Profile
	// Levels are those to replay; none means core, aws and extension.
	Levels []conformance.Level
	// Actions limits the cases to those about one of them; none means all.
	Actions []string
	// Parallel is how many cases run at once; 1 if 0. Serial cases run alone.
	Parallel int
	// AllowExisting replays on a target that has entities which others made.
	// They are not touched; cases that need an empty account are left out.
	AllowExisting bool
	// Reset empties the target before and after, as its profile says: whatever
	// it has is lost.
	Reset bool
	// Client sends; nil means one that follows no redirects.
	Client *http.Client
	Now    func() time.Time
	// Rand is what unique names are made from; nil means crypto/rand.
	Rand io.Reader
	// Progress is called after each case, never twice at once; nil means never.
	Progress func(Result)
}

// An Outcome is what became of a case.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// A Result is the outcome of one case.
type Result struct {
	Case        string
	Sentence    string
	Level       conformance.Level
	Actions     []string
	Sources     []string `json:",omitempty"`
	Generated   bool     `json:",omitempty"`
	Outcome     Outcome
	Reason      string       `json:",omitempty"` // why it was skipped, or could not go on
	Differences []Difference `json:",omitempty"` // of the step that failed
	Request     string       `json:",omitempty"` // of the step that failed, without its signature
	Answer      string       `json:",omitempty"` // of the step that failed
	Left        []string     `json:",omitempty"` // entities that could not be deleted
	Duration    time.Duration
}

// maxShown bounds what a result keeps of a request and an answer, in bytes.
const maxShown = 4 << 10

// A Runner replays cases.
type Runner struct {
	config  Config
	run     string // what unique names of this run begin with
	account string
	caller  string
	alias   bool // others gave the account an alias
}

// ErrExisting is returned for a target that has entities which others made.
var ErrExisting = errors.New("the target has entities already")

// ErrGone is returned for a target that answers nothing any more.
var ErrGone = errors.New("the target does not answer any more")

// New returns a Runner, once it has found out who the caller is and that the
// target is empty.
func New(ctx context.Context, cfg Config) (*Runner, error) {
	if cfg.Client == nil {
		cfg.Client = &http.Client{
			Timeout:       time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Profile == nil {
		cfg.Profile = &Profile{}
	}
	if len(cfg.Levels) == 0 {
		cfg.Levels = []conformance.Level{conformance.Core, conformance.AWS, conformance.Extension}
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	cfg.Parallel = max(cfg.Parallel, 1)
	id := make([]byte, 5)
	if _, err := io.ReadFull(cfg.Rand, id); err != nil {
		return nil, fmt.Errorf("make unique names: %w", err)
	}
	r := &Runner{config: cfg, run: "conf" + strings.ToLower(base32.StdEncoding.EncodeToString(id))[:6]}
	if err := r.reset(ctx); err != nil {
		return nil, err
	}
	if err := r.identify(ctx); err != nil {
		return nil, err
	}
	return r, r.empty(ctx)
}

// identify finds out the account and the ARN of the caller.
func (r *Runner) identify(ctx context.Context) error {
	p := r.config.Profile
	if p.Account != "" {
		r.account, r.caller = p.Account, "arn:aws:iam::"+p.Account+":root"
		return nil
	}
	answer, err := r.call(ctx, "GetCallerIdentity", "Version", "2011-06-15")
	if err != nil {
		return fmt.Errorf("who is calling: %w", err)
	}
	if answer.status != http.StatusOK {
		return fmt.Errorf("who is calling: GetCallerIdentity answered %d %s; give the account in a profile if the target has no STS", answer.status, answer.code())
	}
	r.account, r.caller = answer.text("Account"), answer.text("Arn")
	return nil
}

// empty makes sure that there is nothing that others made.
func (r *Runner) empty(ctx context.Context) error {
	for _, list := range []struct{ action, element, parameter string }{
		{"ListUsers", "UserName", ""},
		{"ListGroups", "GroupName", ""},
		{"ListPolicies", "PolicyName", "Local"},
		{"ListAccountAliases", "member", ""},
	} {
		if r.config.Profile.lacks(list.action) {
			continue
		}
		parameters := []string{"MaxItems", "1"}
		if list.parameter != "" {
			parameters = append(parameters, "Scope", list.parameter)
		}
		answer, err := r.call(ctx, list.action, parameters...)
		if err != nil {
			return fmt.Errorf("what the target has: %w", err)
		}
		if s := answer.status; (s == http.StatusUnauthorized || s == http.StatusForbidden || s >= http.StatusInternalServerError) && s != http.StatusNotImplemented {
			return fmt.Errorf("what the target has: %s answered %d %s", list.action, s, answer.code())
		}
		found := answer.text(list.element)
		if found == "" && answer.text("IsTruncated") == "true" {
			found = "an empty page, and that there are more"
		}
		if found == "" {
			continue
		}
		r.alias = r.alias || list.action == "ListAccountAliases"
		if !r.config.AllowExisting {
			return fmt.Errorf("%w: %s shows %s; give a fresh one, or allow existing entities", ErrExisting, list.action, found)
		}
	}
	return nil
}

// Run replays cases and returns a result for each, in their order. An error is
// that of emptying the target at the end, or ErrGone, or the cause of ctx's end:
// then cases that had not begun are skipped, and those that had were ended after
// the request on its way and cleaned up after.
func (r *Runner) Run(ctx context.Context, cases []*conformance.Case) ([]Result, error) {
	results := make([]Result, len(cases))
	going, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var progress sync.Mutex
	one := func(i int) {
		var lost error
		if results[i], lost = r.one(going, i, cases[i]); lost != nil && !r.answers(ctx) {
			stop(fmt.Errorf("%w: %w", ErrGone, lost))
		}
		if r.config.Progress != nil {
			progress.Lock()
			defer progress.Unlock()
			r.config.Progress(results[i])
		}
	}
	var together, alone []int
	for i, c := range cases {
		if c.Serial {
			alone = append(alone, i)
		} else {
			together = append(together, i)
		}
	}
	// Cases that look at the whole account come first, while it is empty.
	for _, i := range alone {
		one(i)
	}
	next := make(chan int)
	var workers sync.WaitGroup
	for range r.config.Parallel {
		workers.Go(func() {
			for i := range next {
				one(i)
			}
		})
	}
	for _, i := range together {
		next <- i
	}
	close(next)
	workers.Wait()
	if going.Err() != nil && ctx.Err() == nil {
		return results, context.Cause(going)
	}
	if err := r.reset(context.WithoutCancel(ctx)); err != nil {
		return results, err
	}
	return results, context.Cause(ctx)
}

// answers tells whether the target answers anything at all.
func (r *Runner) answers(ctx context.Context) bool {
	_, err := r.call(context.WithoutCancel(ctx), "GetCallerIdentity", "Version", versionSTS)
	return err == nil
}

// one replays a case and cleans up after it. An error is that of a request
// which was not answered.
func (r *Runner) one(ctx context.Context, number int, c *conformance.Case) (result Result, lost error) {
	result = Result{
		Case: c.Name, Sentence: c.Sentence, Level: c.Level, Actions: c.Actions, Sources: c.Sources, Generated: c.Generated,
	}
	if reason := r.skip(ctx, c); reason != "" {
		result.Outcome, result.Reason = Skipped, reason
		return result, nil
	}
	begin := r.config.Now()
	s := r.NewSession(number, c)
	result.Outcome = Passed
	for _, step := range c.Steps {
		if ctx.Err() != nil {
			result.Outcome, result.Reason = Skipped, interrupted(ctx)
			break
		}
		var ok bool
		if ok, lost = r.step(ctx, s, step, &result); !ok {
			break
		}
	}
	result.Left = s.CleanUp(ctx)
	if len(result.Left) > 0 && result.Outcome == Passed {
		result.Outcome, result.Reason = Failed, "what the case made could not be deleted"
	}
	result.Duration = r.config.Now().Sub(begin)
	return result, lost
}

// step carries a step out; it reports false if the case ends there, and the
// error of a request that was not answered. What is on its way is not called off
// when ctx ends: the target might carry it out after the case was cleaned up
// after.
func (r *Runner) step(ctx context.Context, s *Session, step *conformance.Step, result *Result) (ok bool, lost error) {
	sent, err := s.Request(context.WithoutCancel(ctx), step)
	if err == nil {
		var got *Answer
		if got, lost = s.Send(sent); lost == nil {
			differences := r.counted(s.Compare(step, got))
			if len(differences) == 0 {
				return true, nil
			}
			for i := range differences {
				differences[i].Got = s.hide(differences[i].Got)
			}
			result.Outcome, result.Differences = Failed, differences
			result.Request, result.Answer = clip(s.hide(sent.show())), clip(s.hide(got.show()))
			return false, nil
		}
		err = lost
	}
	result.Outcome, result.Reason = Failed, fmt.Sprintf("step %d: %v", step.Number, err)
	return false, lost
}

// interrupted is why a case was not begun, or not gone on with.
func interrupted(ctx context.Context) string {
	if cause := context.Cause(ctx); errors.Is(cause, ErrGone) {
		return ErrGone.Error()
	}
	return "interrupted"
}

// counted leaves out the sentences where only sticklers compare them, and what
// the profile puts up with.
func (r *Runner) counted(all []Difference) []Difference {
	strict := slices.Contains(r.config.Levels, conformance.Strict)
	return slices.DeleteFunc(all, func(d Difference) bool {
		return d.Sentence && !strict || r.config.Profile.tolerates(d)
	})
}

// skip returns why a case is not for this run, or "".
func (r *Runner) skip(ctx context.Context, c *conformance.Case) string {
	p := r.config.Profile
	switch {
	case ctx.Err() != nil:
		return interrupted(ctx)
	case !c.Proves(r.config.Levels):
		return "level " + string(c.Level) + " is not asked for"
	case len(r.config.Actions) > 0 && !slices.ContainsFunc(c.Actions, func(a string) bool { return slices.Contains(r.config.Actions, a) }):
		return "none of its actions is asked for"
	case r.config.AllowExisting && c.Serial && len(c.Actions) > 0 && (r.alias || !strings.Contains(strings.Join(c.Actions, " "), "Alias")):
		return "it needs an account to itself"
	}
	return p.skip(c)
}

func clip(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return text[:maxShown] + "…"
}
