package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"golang.org/x/time/rate"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/meter"
)

// features are what guests may be compiled for: WebAssembly 2.0 without
// reference types, which would make tables grow without a limit.
const features = api.CoreFeaturesV2 &^ api.CoreFeatureReferenceTypes

// A Module is a plugin that is ready to be asked: one version of one module
// with one configuration. It never changes; a reload makes another.
type Module struct {
	host        *Host
	config      Config
	limits      Limits
	description *Description
	log         *guestLog
	failures    *rate.Limiter // of lines in the log

	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	pool     *pool
	breaker  breaker

	filters     [2]*matcher // the plugin's own and the operator's
	contextKeys []string
	shape       keyShape

	metrics   map[Hook]*hookMetrics
	instances prometheus.Gauge
	closing   sync.Once
	closed    error
}

// Load makes a plugin ready: it reads the file once, compares the hash, checks
// and rewrites the module, compiles it, starts an instance, initializes it and
// tests what can be tested. What the file holds later does not matter.
func (h *Host) Load(ctx context.Context, c Config) (*Module, error) {
	m, err := h.load(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("load plugin %q: %w", c.Name, err)
	}
	return m, nil
}

func (h *Host) load(ctx context.Context, c Config) (*Module, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	limits := c.Limits.or(DefaultLimits(h.processors))
	wasm, err := ReadModule(c.Path)
	if err != nil {
		return nil, err
	}
	d, rewritten, err := inspect(wasm, limits.module())
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(d.SHA256, c.SHA256) {
		return nil, fmt.Errorf("%s has the sha256 %s, but the configuration says %s", c.Path, d.SHA256, strings.ToLower(c.SHA256))
	}
	for _, hook := range c.Hooks {
		if !slices.Contains(d.Hooks, hook) {
			return nil, fmt.Errorf("the module does not export %s", exports[hook])
		}
	}
	if d.Go && c.Limits.Instances == 0 {
		limits.Instances = h.processors // they are large
	}
	m := &Module{
		host: h, config: c, limits: limits, description: d, failures: rate.NewLimiter(10, 10), pool: newPool(limits.Instances, h.turn.wait),
		metrics: map[Hook]*hookMetrics{}, instances: h.metrics.instances.WithLabelValues(c.Name),
	}
	m.log = &guestLog{
		logger:  h.log.With(slog.String("plugin", c.Name), slog.String("sha256", d.SHA256[:12])),
		limiter: rate.NewLimiter(logLinesPerTime, logLinesPerTime), now: h.now, dropped: h.metrics.dropped.WithLabelValues(c.Name),
	}
	for hook, answers := range answers {
		if hook == initialize || slices.Contains(c.Hooks, hook) {
			m.metrics[hook] = h.metrics.of(c.Name, hook, answers)
		}
	}
	if err := m.prepare(ctx, rewritten); err != nil {
		return nil, errors.Join(err, m.Close(context.WithoutCancel(ctx)))
	}
	return m, nil
}

// answers are what calls are counted by.
var answers = map[Hook][]string{
	initialize:        {"ready"},
	Authorize:         {pluginapi.EffectAbstain.String(), pluginapi.EffectAllow.String(), pluginapi.EffectDeny.String()},
	ValidatePolicy:    {pluginapi.VerdictAccept.String(), pluginapi.VerdictReject.String(), pluginapi.VerdictReplace.String()},
	GenerateAccessKey: {"key"},
}

// ReadModule reads a file of at most a module's size. It waits for nobody, as one
// who opens a pipe would.
func ReadModule(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	return io.ReadAll(io.LimitReader(f, int64(meter.DefaultLimits().ModuleBytes)+1))
}

// prepare compiles the module, and asks a first instance what it wants.
func (m *Module) prepare(ctx context.Context, rewritten *meter.Module) error {
	config := wazero.NewRuntimeConfig().WithCoreFeatures(features).WithMemoryLimitPages(m.limits.MemoryPages).WithDebugInfoEnabled(false)
	if m.host.cache != nil {
		config = config.WithCompilationCache(m.host.cache)
	}
	m.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if err := provide(ctx, m.runtime); err != nil {
		return err
	}
	var err error
	if m.compiled, err = m.runtime.CompileModule(ctx, rewritten.Wasm); err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	m.host.turn.enterPatiently()
	defer m.host.turn.leave()
	first, wishes, err := m.open(ctx)
	if err != nil {
		return err
	}
	if err := m.obey(wishes); err != nil {
		m.discard(ctx, first)
		return err
	}
	if m.answers(Authorize) && m.config.Isolation != Fresh {
		m.pool.push(first)
	} else {
		m.discard(ctx, first)
	}
	if m.answers(GenerateAccessKey) {
		return m.testGenerator(ctx)
	}
	return nil
}

func (m *Module) answers(h Hook) bool { return slices.Contains(m.config.Hooks, h) }

// obey takes over what init answered.
func (m *Module) obey(wishes *pluginapi.InitResponse) error {
	var err error
	if m.filters[0], err = filterOf(wishes.Filter).compile(); err != nil {
		return fmt.Errorf("the plugin's own %w", err)
	}
	if m.filters[1], err = m.config.Filter.compile(); err != nil {
		return err
	}
	m.contextKeys = wishes.ContextKeys
	m.shape, err = shapeOf(wishes.KeyShape)
	return err
}

// open starts an instance and initializes it. The caller has its turn.
func (m *Module) open(ctx context.Context) (*instance, *pluginapi.InitResponse, error) {
	i, err := m.start()
	if err != nil {
		return nil, nil, err
	}
	m.instances.Inc()
	wishes, err := m.initialize(ctx, i)
	if err != nil {
		m.discard(ctx, i)
		return nil, nil, err
	}
	return i, wishes, nil
}

// initialize asks an instance that was started what it wants.
func (m *Module) initialize(ctx context.Context, i *instance) (*pluginapi.InitResponse, error) {
	b := m.limits.budget(initialize)
	wishes := &pluginapi.InitResponse{}
	if err := i.initialize(ctx, b); err != nil {
		return nil, &PluginError{m.config.Name, initialize, classOf(err), brief(err)}
	}
	if m.description.HasInit {
		request := pluginapi.InitRequest{HostVersion: m.host.version, AbiMinor: pluginapi.Minor, Config: []byte(m.config.Config)}
		i.encoded = request.Append(i.encoded[:0])
		if class, err := i.ask(initialize, b); err != nil {
			return nil, &PluginError{m.config.Name, initialize, class, err}
		}
		if err := i.decode(wishes, true); err != nil {
			return nil, &PluginError{m.config.Name, initialize, BadOutput, err}
		}
	}
	m.metrics[initialize].fuel.Observe(float64(i.used(b)))
	if wishes.Error != "" {
		return nil, &PluginError{m.config.Name, initialize, BadAnswer, fmt.Errorf("the plugin says: %s", printable([]byte(wishes.Error)))}
	}
	m.metrics[initialize].answers["ready"].Inc()
	return wishes, nil
}

// discard closes an instance.
func (m *Module) discard(ctx context.Context, i *instance) {
	if m.host.ended != nil && i.memory != nil {
		if view, ok := i.memory.Read(0, i.memory.Size()); ok {
			m.host.ended(m.config.Name, view)
		}
	}
	i.close(context.WithoutCancel(ctx))
	m.instances.Dec()
}

// begin gets an instance and its turn. Without an error, end must follow.
func (m *Module) begin(ctx context.Context, fresh bool) (*instance, Class, error) {
	class, ok := m.pool.slot(ctx)
	if !ok {
		return nil, class, errBusy
	}
	i, class, err := m.take(ctx, fresh)
	if err != nil {
		<-m.pool.slots
	}
	return i, class, err
}

// take gets an idle instance, or a new one, and its turn.
func (m *Module) take(ctx context.Context, fresh bool) (*instance, Class, error) {
	if !fresh {
		if i := m.pool.pop(); i != nil {
			if !m.host.turn.enter() {
				m.pool.push(i)
				return nil, Busy, errBusy
			}
			return i, "", nil
		}
	}
	// Others may run meanwhile: this runs no code of the plugin.
	i, err := m.start()
	if err != nil {
		return nil, Trapped, err
	}
	m.instances.Inc()
	if !m.host.turn.enter() {
		m.discard(ctx, i)
		return nil, Busy, errBusy
	}
	if _, err := m.initialize(ctx, i); err != nil {
		m.host.turn.leave()
		m.discard(ctx, i)
		class := Trapped
		var f *PluginError
		if errors.As(err, &f) {
			class, err = f.Class, fmt.Errorf("%s: %w", f.Hook, f.Err)
		}
		return nil, class, err
	}
	return i, "", nil
}

var errBusy = errors.New("no instance became free in time")

// end gives the turn and the instance back. One that failed, or is not to be
// used again, is closed.
func (m *Module) end(ctx context.Context, i *instance, reuse bool) {
	m.host.turn.leave()
	i.calls++
	i.request, i.requestID = nil, ""
	// A memory that fills up would make the next questions fail.
	if reuse && i.calls < m.limits.CallsPerMemory && uint64(i.memory.Size()) <= uint64(m.limits.MemoryPages)*(64<<10)*3/4 {
		m.pool.push(i)
	} else {
		m.discard(ctx, i)
	}
	<-m.pool.slots
}

// fail makes a PluginError, counts it, and tells the log.
func (m *Module) fail(h Hook, class Class, err error) *PluginError {
	m.host.metrics.failures.WithLabelValues(m.config.Name, string(h), string(class)).Inc()
	now := m.host.now()
	if class.blames() {
		m.breaker.fail(now)
	}
	if m.failures.AllowN(now, 1) {
		m.log.logger.Warn("plugin failed", slog.String("hook", string(h)), slog.String("class", string(class)), slog.String("error", printable([]byte(err.Error()))))
	}
	return &PluginError{m.config.Name, h, class, err}
}

var errOpen = errors.New("it failed too often and is not asked for a while")

// Close waits until nobody is being answered, and gives up everything. Until
// then, and if ctx ends before, the module stays as it is.
func (m *Module) Close(ctx context.Context) error {
	idle, err := m.pool.close(ctx)
	if err != nil {
		return fmt.Errorf("close plugin %q: %w", m.config.Name, err)
	}
	m.closing.Do(func() {
		for _, i := range idle {
			m.discard(ctx, i)
		}
		if m.compiled != nil {
			m.closed = errors.Join(m.closed, m.compiled.Close(ctx))
		}
		if m.runtime != nil {
			m.closed = errors.Join(m.closed, m.runtime.Close(ctx))
		}
	})
	return m.closed
}

// Name is the plugin's name.
func (m *Module) Name() string { return m.config.Name }

// Hooks are those that the configuration has it asked.
func (m *Module) Hooks() []Hook { return slices.Clone(m.config.Hooks) }

// Describe returns what the module showed when it was loaded.
func (m *Module) Describe() Description { return *m.description }

// same tells whether a configuration would load the same module again.
func (m *Module) same(c Config) bool { return reflect.DeepEqual(m.config, c) }

// observe notes an answer.
func (m *Module) observe(h Hook, answer string, i *instance, b budget, began time.Time) {
	o := m.metrics[h]
	o.answers[answer].Inc()
	o.fuel.Observe(float64(i.used(b)))
	o.duration.Observe(m.host.now().Sub(began).Seconds())
}
