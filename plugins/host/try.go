package host

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A Trial is what one question to a plugin brought, for people who write one.
type Trial struct {
	Answer []byte // a message, not yet decoded
	Fuel   int64
	Time   time.Duration
}

// Try asks a hook of a fresh instance, within the limits, with a message that
// is passed on as it is. It is for trying a plugin out, not for requests: no
// rule of the hook is applied to the answer. The error is a PluginError, and
// the fuel counts in either case.
func (m *Module) Try(ctx context.Context, h Hook, question []byte) (Trial, error) {
	if !slices.Contains(m.description.Hooks, h) {
		return Trial{}, fmt.Errorf("the module does not export %s", exports[h])
	}
	if !m.pool.enter() {
		return Trial{}, &PluginError{m.config.Name, h, Unavailable, errClosed}
	}
	defer m.pool.leave()
	i, class, err := m.begin(ctx, true)
	if err != nil {
		return Trial{}, &PluginError{m.config.Name, h, class, err}
	}
	defer m.end(ctx, i, false)
	b := m.limits.budget(h)
	i.encoded = append(i.encoded[:0], question...)
	began := m.host.now()
	i.allow(ctx, b, "", began)
	class, err = i.ask(h, b)
	trial := Trial{slices.Clone(i.answer), i.used(b), m.host.now().Sub(began)}
	if err != nil {
		return trial, &PluginError{m.config.Name, h, class, err}
	}
	return trial, nil
}
