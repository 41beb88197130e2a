package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"iamserver/generated/pluginapi"
)

// A Set is the plugins of a server. Its methods can be called at any time and
// from any goroutine, also while Reload changes the plugins: each question is
// answered by the plugins that there were when it was asked, or by the new ones.
type Set struct {
	host    *Host
	current atomic.Pointer[plugins]
	// authorizing is nil where no plugin has the hook, so that such a server
	// pays for one load.
	authorizing atomic.Pointer[[]*Module]

	mu sync.Mutex // of Reload and Close
}

// plugins are those of one configuration. They never change.
type plugins struct {
	all         []*Module
	authorizers []*Module
	validators  []*Module
	generator   *Module // or nil
	contextKeys []string
}

// NewSet loads plugins. The error names all that cannot be loaded; there is no
// set then, since a server must not start without a plugin that it was told to ask.
func (h *Host) NewSet(ctx context.Context, configs []Config) (*Set, error) {
	s := &Set{host: h}
	if err := s.Reload(ctx, configs); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload puts other plugins in the place of the present ones. Those whose
// configuration is the same stay; a file that changed counts only with its new
// hash. With an error, everything stays as it was. Plugins that are gone are
// closed as soon as they have answered what they were asked; Reload waits for
// that, whatever becomes of ctx: it takes no longer than their limits of time.
func (s *Set) Reload(ctx context.Context, configs []Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.current.Load()
	next, loaded, err := s.load(ctx, old, configs)
	if err != nil {
		for _, m := range loaded {
			err = errors.Join(err, m.Close(context.WithoutCancel(ctx)))
		}
		return err
	}
	s.current.Store(next)
	if len(next.authorizers) > 0 {
		s.authorizing.Store(&next.authorizers)
	} else {
		s.authorizing.Store(nil)
	}
	return s.retire(context.WithoutCancel(ctx), old, next)
}

// load makes the plugins of a configuration and says which of them are new.
func (s *Set) load(ctx context.Context, old *plugins, configs []Config) (next *plugins, loaded []*Module, err error) {
	next = &plugins{}
	var problems []error
	for i, c := range configs {
		if slices.ContainsFunc(configs[:i], func(other Config) bool { return other.Name == c.Name }) {
			problems = append(problems, fmt.Errorf("there are two plugins with the name %q", c.Name))
			continue
		}
		m := old.find(c)
		if m == nil {
			if m, err = s.host.Load(ctx, c); err != nil {
				problems = append(problems, err)
				continue
			}
			loaded = append(loaded, m)
		}
		if m.answers(GenerateAccessKey) && next.generator != nil {
			problems = append(problems, fmt.Errorf("the plugins %q and %q both have the hook %s; there can be one", next.generator.Name(), m.Name(), GenerateAccessKey))
		}
		next.add(m)
	}
	return next, loaded, errors.Join(problems...)
}

func (p *plugins) find(c Config) *Module {
	if p == nil {
		return nil
	}
	for _, m := range p.all {
		if m.same(c) {
			return m
		}
	}
	return nil
}

func (p *plugins) add(m *Module) {
	p.all = append(p.all, m)
	if m.answers(Authorize) {
		p.authorizers = append(p.authorizers, m)
		for _, key := range m.contextKeys {
			if !slices.Contains(p.contextKeys, key) {
				p.contextKeys = append(p.contextKeys, key)
			}
		}
	}
	if m.answers(ValidatePolicy) {
		p.validators = append(p.validators, m)
	}
	if m.answers(GenerateAccessKey) {
		p.generator = m
	}
}

// retire closes the old plugins that are not among the next ones.
func (s *Set) retire(ctx context.Context, old, next *plugins) error {
	if old == nil {
		return nil
	}
	var err error
	for _, m := range old.all {
		if next != nil && slices.Contains(next.all, m) {
			continue
		}
		err = errors.Join(err, m.Close(ctx))
		if next == nil || !slices.ContainsFunc(next.all, func(n *Module) bool { return n.Name() == m.Name() }) {
			s.host.metrics.forget(m.Name())
		}
	}
	return err
}

// Close closes all plugins. Questions fail from then on.
func (s *Set) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.retire(ctx, s.current.Load(), nil)
}

// Modules are the plugins, in the order of the configuration.
func (s *Set) Modules() []*Module { return slices.Clone(s.current.Load().all) }

// enter returns the present plugins that choose picks, all of them open until
// leave. A reload may close some between looking and entering; then there are
// others by now.
func (s *Set) enter(choose func(*plugins) []*Module) ([]*Module, bool) {
	for {
		p := s.current.Load()
		modules := choose(p)
		entered := 0
		for entered < len(modules) && modules[entered].pool.enter() {
			entered++
		}
		if entered == len(modules) {
			return modules, true
		}
		leave(modules[:entered])
		if s.current.Load() == p {
			return nil, false // the set is closed
		}
	}
}

func leave(modules []*Module) {
	for _, m := range modules {
		m.pool.leave()
	}
}

// Interested tells whether a plugin wants to be asked about a request. Where
// none does, it costs next to nothing, and no AuthorizeRequest need be made.
func (s *Set) Interested(action, resource, principalType string, engine pluginapi.EngineDecision) bool {
	modules := s.authorizing.Load()
	return modules != nil && anyInterested(*modules, action, resource, principalType, engine)
}

func anyInterested(modules []*Module, action, resource, principalType string, engine pluginapi.EngineDecision) bool {
	for _, m := range modules {
		if m.interested(action, resource, principalType, engine) {
			return true
		}
	}
	return false
}

// ContextKeys are the condition keys that plugins ask for.
func (s *Set) ContextKeys() []string { return s.current.Load().contextKeys }

func authorizers(p *plugins) []*Module { return p.authorizers }

// Authorize asks the plugins that are interested. Whoever denies, wins; an
// allow comes only from a plugin that may grant, and the caller must still
// heed an explicit Deny of the policies. The error joins the failures, and is
// for the audit log: the verdict heeds it already. Values gives each plugin the
// condition keys that it asked for; without it they stand in the request.
func (s *Set) Authorize(ctx context.Context, req *pluginapi.AuthorizeRequest, values Values) (Verdict, error) {
	modules, open := s.enter(authorizers)
	if !open {
		return Verdict{Effect: pluginapi.EffectDeny, Code: "plugin_failure"}, &PluginError{"", Authorize, Unavailable, errClosed}
	}
	defer leave(modules)
	var verdict Verdict
	var failed error
	for _, m := range modules {
		if !m.interested(req.Action, req.Resource, req.PrincipalType, req.EngineDecision) {
			continue
		}
		v, err := m.authorizeWith(ctx, req, values)
		if err != nil {
			failed = errors.Join(failed, err)
		}
		if v.Effect == pluginapi.EffectDeny {
			return v, failed
		}
		if v.Effect == pluginapi.EffectAllow && verdict.Effect == pluginapi.EffectAbstain {
			verdict = v
		}
	}
	return verdict, failed
}

// Validates tells whether there is a plugin that validates policies.
func (s *Set) Validates() bool { return len(s.current.Load().validators) > 0 }

// ValidatePolicy asks the validators one after the other. Check is called with
// each document that one puts in the place of the caller's, and must refuse
// what the server would not store. An error is a PluginError, or check's as one:
// nothing may be stored.
func (s *Set) ValidatePolicy(ctx context.Context, req *pluginapi.ValidatePolicyRequest, check func(document []byte) error) (Validation, error) {
	modules, open := s.enter(func(p *plugins) []*Module { return p.validators })
	if !open {
		return Validation{}, &PluginError{"", ValidatePolicy, Unavailable, errClosed}
	}
	defer leave(modules)
	return validateAll(ctx, modules, req, check)
}

// Generates tells whether there is a plugin that makes access keys.
func (s *Set) Generates() bool { return s.current.Load().generator != nil }

// ErrNoGenerator says that no plugin makes access keys.
var ErrNoGenerator = errors.New("no plugin makes access keys")

func generators(p *plugins) []*Module {
	if p.generator == nil {
		return nil
	}
	return []*Module{p.generator}
}

// GenerateAccessKey asks the generator for a key. Exists is asked about each
// id; one that exists is not returned, and the generator asked again, a few
// times. The request's entropy is the host's to set.
func (s *Set) GenerateAccessKey(ctx context.Context, req *pluginapi.GenerateAccessKeyRequest, exists func(accessKeyID string) (bool, error)) (Key, error) {
	modules, open := s.enter(generators)
	if !open {
		return Key{}, &PluginError{"", GenerateAccessKey, Unavailable, errClosed}
	}
	defer leave(modules)
	if len(modules) == 0 {
		return Key{}, ErrNoGenerator
	}
	m := modules[0]
	for range attempts {
		key, err := m.generate(ctx, req)
		if err != nil {
			return Key{}, err
		}
		taken, err := exists(key.AccessKeyID)
		if err == nil && !taken {
			return key, nil
		}
		key.Secret.Wipe()
		if err != nil {
			return Key{}, fmt.Errorf("look for an access key id: %w", err)
		}
	}
	return Key{}, m.fail(GenerateAccessKey, BadAnswer, fmt.Errorf("made an id that exists %d times", attempts))
}

// Errors of CheckSupplied.
var (
	ErrNotSupplied = errors.New("access keys are made by a plugin, and callers cannot bring their own")
	ErrKeyShape    = errShape
)

// CheckSupplied tells whether a caller may bring an access key of its own:
// always without a generator; with one, if the operator allows it and the id
// has the shape that the generator declares.
func (s *Set) CheckSupplied(accessKeyID string) error {
	m := s.current.Load().generator
	switch {
	case m == nil:
		return nil
	case !m.config.AllowSupplied:
		return ErrNotSupplied
	default:
		return m.shape.check(accessKeyID)
	}
}
