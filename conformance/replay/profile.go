package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"iamserver/conformance"
)

// A Profile describes a target: what it does not offer, its clock, and what one
// has to live with. The zero value offers everything and has no quirks.
type Profile struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	// Account is given for a target that has no GetCallerIdentity.
	Account string `yaml:"account"`
	// Clock is how far the target's clock is ahead.
	Clock string `yaml:"clock"`
	// WithoutActions are actions that the target does not have; * at the end of
	// a name stands for anything.
	WithoutActions []string `yaml:"without-actions"`
	// Without are needs of cases that it does not meet.
	Without []conformance.Need `yaml:"without"`
	// Quirks are differences that do not count.
	Quirks []Quirk `yaml:"quirks"`
	// Reset empties the target, where Config.Reset asks for it.
	Reset *Reset `yaml:"reset"`
}

// A Quirk is a difference that does not count, by where it is found.
type Quirk struct {
	Where  string `yaml:"where"` // as in Difference, with * for any part of a path
	Reason string `yaml:"reason"`
}

// A Reset is a request that empties the target.
type Reset struct {
	Method string `yaml:"method"`
	Path   string `yaml:"path"`
}

// ParseProfile reads a profile in YAML; unknown keys are errors.
func ParseProfile(data []byte) (*Profile, error) {
	var p Profile
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&p); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if p.Name == "" {
		return nil, errors.New("profile: there is no name")
	}
	if p.Clock != "" {
		if _, err := time.ParseDuration(p.Clock); err != nil {
			return nil, fmt.Errorf("profile: clock: %w", err)
		}
	}
	for _, n := range p.Without {
		if !slices.Contains(conformance.Needs(), n) {
			return nil, fmt.Errorf("profile: there is no need %q", n)
		}
	}
	for _, q := range p.Quirks {
		if q.Reason == "" || q.Where == "" {
			return nil, fmt.Errorf("profile: the quirk at %q needs where and reason", q.Where)
		}
		if _, err := path.Match(q.Where, ""); err != nil {
			return nil, fmt.Errorf("profile: quirk %q: %w", q.Where, err)
		}
	}
	return &p, nil
}

// clock is how far the target's clock is ahead of ours; ParseProfile has read it.
func (p *Profile) clock() time.Duration {
	d, err := time.ParseDuration(p.Clock)
	if err != nil {
		return 0
	}
	return d
}

func (p *Profile) lacks(action string) bool {
	return slices.ContainsFunc(p.WithoutActions, func(a string) bool {
		prefix, wild := strings.CutSuffix(a, "*")
		return a == action || wild && strings.HasPrefix(action, prefix)
	})
}

// skip returns why the target cannot be asked, or "".
func (p *Profile) skip(c *conformance.Case) string {
	for _, a := range c.Actions {
		if p.lacks(a) {
			return "the target has no " + a
		}
	}
	for _, s := range c.Steps {
		if s.Request != nil && p.lacks(s.Request.Action()) {
			return "the target has no " + s.Request.Action()
		}
	}
	for _, n := range c.Needs {
		if slices.Contains(p.Without, n) {
			return "the target has no " + string(n)
		}
	}
	return ""
}

func (p *Profile) tolerates(d Difference) bool {
	return slices.ContainsFunc(p.Quirks, func(q Quirk) bool {
		matched, err := path.Match(q.Where, d.Where)
		return err == nil && matched
	})
}

// reset empties the target, if that is asked for.
func (r *Runner) reset(ctx context.Context) error {
	cfg, p := r.config, r.config.Profile
	switch {
	case !cfg.Reset:
		return nil
	case cfg.AllowExisting:
		return errors.New("reset: what others made is either allowed to exist, or deleted")
	case p.Reset == nil:
		return errors.New("reset: no profile says how to empty the target")
	}
	request, err := http.NewRequestWithContext(ctx, p.Reset.Method, strings.TrimSuffix(cfg.Endpoint, "/")+p.Reset.Path, http.NoBody)
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	response, err := cfg.Client.Do(request)
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	if err := response.Body.Close(); err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("reset: the target answered %d", response.StatusCode)
	}
	return nil
}
