package host_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
)

func hostile(t testing.TB, name string, hooks ...host.Hook) host.Config {
	t.Helper()
	if len(hooks) == 0 {
		hooks = []host.Hook{host.Authorize}
	}
	return configure(t, filepath.Join("testdata", "hostile", name+".wasm"), hooks...)
}

// What cannot be made safe is not loaded, and the error says why.
func TestHostileModulesAreNotLoaded(t *testing.T) {
	generator := []host.Hook{host.GenerateAccessKey}
	for _, tt := range []struct {
		name, module string
		hooks        []host.Hook
		reason       string
	}{
		{"a loop in a start section", "start", nil, "module rejected at byte 85: a start section: code that runs before the host can limit it"},
		{"a loop in _initialize", "initialize", nil, "plugin initialize: init: fuel: fuel is used up"},
		{"a loop in init", "init", nil, "plugin init: init: fuel: fuel is used up"},
		{"a trap in init", "init_trap", nil, "plugin init_trap: init: trap: wasm error: unreachable"},
		{"a table of 100 million entries", "table_bomb", nil, "module rejected at byte 36: a table of up to 100000000 entries, the limit is 65536"},
		{"a table that grows", "table_grow", nil, "module rejected at byte 96: instruction 0xd0 is not supported"},
		{"a write to the fuel", "refuel", nil, "module rejected at byte 98: global 0 does not exist"},
		{"a global in the place of the fuel", "refuel_export", nil, "module rejected at byte 84: the export iam_meter_fuel has a name that is reserved"},
		{"an import of the refuelling", "refuel_import", nil, "module rejected at byte 45: the import iam_meter.refuel has a name that is reserved"},
		{"an import of files", "import_file", nil, "the module imports wasi_snapshot_preview1.path_open, which plugins do not get"},
		{"an import of what there is not", "import_env", nil, "the module imports env.system, which plugins do not get"},
		{"an import of another type", "import_type", nil, "the module imports iam_v1.log with another type than it has"},
		{"another version of the interface", "version", nil, "the module speaks version 2 of the interface, this server version 1"},
		{"a program instead of a reactor", "command", nil, "the module exports _start: it is a program that runs and ends; build it as a reactor"},
		{"a memory that is not exported", "no_memory", nil, `the module does not export its memory as "memory"`},
		{"no hook at all", "no_hook", nil, "the module exports no hook, such as iam_v1_authorize"},
		{"a hook that it does not export", "loop", generator, "the module does not export iam_v1_generate_access_key"},
		{"a hook of another type", "hook_type", nil, "the export iam_v1_authorize is not a function of the type that the interface says"},
		{"the same key for all", "deterministic", generator, "self-test: the generator made the same key from different entropy"},
		{"a counter instead of entropy", "counting", generator, "self-test: the generator made the same key from different entropy"},
		{"an id that is none", "bad_shape", generator, "self-test: plugin bad_shape: generate_access_key: answer: the access key id does not have the shape that the generator declares"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newHost(t)
			c := hostile(t, tt.module, tt.hooks...)
			c.Limits.InitTime = time.Minute // fuel stops it, however slow the machine is
			_, err := f.NewSet(t.Context(), []host.Config{c})
			require.EqualError(t, err, `load plugin "`+c.Name+`": `+tt.reason)
			require.Zero(t, f.metric(t, "iamserver_plugin_instances"))
		})
	}
}

// Whatever a plugin does when it is asked, the request is denied, the instance
// is gone, and the log and the metrics say why.
func TestHostileAuthorizersFailClosed(t *testing.T) {
	for _, tt := range []struct {
		name, module string
		class        host.Class
		reason       string
	}{
		{"an endless loop", "loop", host.OutOfFuel, "fuel is used up"},
		{"calls without end or loop", "exponential", host.OutOfFuel, "fuel is used up"},
		{"endless recursion", "recursion", host.OutOfFuel, "fuel is used up"},
		{"filling memory without end", "fill", host.OutOfFuel, "fuel is used up"},
		{"copying memory without end", "copy", host.OutOfFuel, "fuel is used up"},
		{"taking all memory", "memory_bomb", host.OutOfFuel, "fuel is used up"},
		{"a loop instead of a buffer", "buffer_loop", host.OutOfFuel, "fuel is used up"},
		{"no buffer", "buffer_refused", host.Trapped, "the plugin has no buffer for the question"},
		{"a buffer out of its memory", "buffer_outside", host.BadOutput, "a pointer or a length is out of the memory"},
		{"an answer out of its memory", "output_outside", host.BadOutput, "a pointer or a length is out of the memory"},
		{"an answer that ends out of its memory", "output_edge", host.BadOutput, "a pointer or a length is out of the memory"},
		{"an answer of 4 GiB", "output_length", host.BadOutput, "the answer has 4294967295 bytes, the limit is 4096"},
		{"an answer of a megabyte", "output_huge", host.BadOutput, "the answer has 1048576 bytes, the limit is 4096"},
		{"an answer that is no message", "output_garbage", host.BadOutput, "message ends within a field"},
		{"an effect that there is not", "output_unknown", host.BadAnswer, "there is no effect 7"},
		{"a trap", "trap", host.Trapped, "wasm error: unreachable"},
		{"a division by zero", "divide", host.Trapped, "wasm error: integer divide by zero"},
		{"an exit with success", "exit", host.Trapped, "exited with code 0"},
		{"a log without end", "log_flood", host.OutOfFuel, "fuel is used up"},
		{"output without end", "write_flood", host.OutOfFuel, "fuel is used up"},
		{"randomness without end", "random_flood", host.OutOfFuel, "fuel is used up"},
		{"a log from out of its memory", "log_outside", host.Trapped, "a host function was called with a bad pointer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newHost(t)
			c := hostile(t, tt.module)
			// A busy machine must not turn one reason into another.
			c.Limits.AuthorizeTime = time.Minute
			s := newSet(t, f, c)
			for range 3 {
				verdict, err := s.Authorize(t.Context(), deleteRequest(), nil)
				require.Equal(t, host.Verdict{Effect: pluginapi.EffectDeny, Plugin: c.Name, Code: "plugin_failure"}, verdict)
				require.EqualError(t, err, "plugin "+c.Name+": authorize: "+string(tt.class)+": "+tt.reason)
				var failure *host.PluginError
				require.ErrorAs(t, err, &failure)
				require.Equal(t, tt.class, failure.Class)
				require.Zero(t, f.metric(t, "iamserver_plugin_instances"), "an instance that failed is used no more")
			}
			require.Equal(t, 3, f.failures(t, tt.class))
			require.Contains(t, f.log.String(), "plugin failed")
		})
	}
}

func TestFailureMayAbstainWhereTheOperatorSaysSo(t *testing.T) {
	c := hostile(t, "trap")
	c.OnError = host.OnErrorAbstain
	f := newHost(t)
	verdict, err := newSet(t, f, c).Authorize(t.Context(), deleteRequest(), nil)
	require.Equal(t, host.Verdict{}, verdict)
	require.ErrorContains(t, err, "unreachable")
	require.Equal(t, 1, f.failures(t, host.Trapped))
}

// Abstaining is for plugins that fail. A client must not get around one by sending
// what the plugin cannot be asked about, or by hanging up.
func TestClientCannotMakeAPluginAbstain(t *testing.T) {
	denied := func(c host.Config) host.Verdict {
		return host.Verdict{Effect: pluginapi.EffectDeny, Plugin: c.Name, Code: "plugin_failure"}
	}
	t.Run("by a question that is too long", func(t *testing.T) {
		c := configure(t, mfaDelete, host.Authorize)
		c.OnError = host.OnErrorAbstain
		long := deleteRequest()
		long.UserAgent = strings.Repeat("a", 64<<10)
		verdict, err := newSet(t, newHost(t), c).Authorize(t.Context(), long, nil)
		require.ErrorContains(t, err, "authorize: input: the question has ")
		require.Equal(t, denied(c), verdict)
	})
	t.Run("by hanging up", func(t *testing.T) {
		c := hostile(t, "loop")
		c.OnError, c.Limits.AuthorizeFuel, c.Limits.AuthorizeTime = host.OnErrorAbstain, 1<<50, time.Hour
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		verdict, err := newSet(t, newHost(t), c).Authorize(ctx, deleteRequest(), nil)
		require.EqualError(t, err, "plugin loop: authorize: cancelled: context canceled")
		require.Equal(t, denied(c), verdict)
	})
}

func TestHostileValidatorAndGeneratorFailClosed(t *testing.T) {
	f := newHost(t)
	validator, generator := hostile(t, "loop", host.ValidatePolicy), hostile(t, "generate_loop", host.GenerateAccessKey)
	validator.Limits.ValidateTime, generator.Limits.GenerateTime = time.Minute, time.Minute
	s := newSet(t, f, validator, generator)

	_, err := s.ValidatePolicy(t.Context(), &pluginapi.ValidatePolicyRequest{Document: []byte("{}")}, nil)
	require.EqualError(t, err, "plugin loop: validate_policy: fuel: fuel is used up")

	_, err = s.GenerateAccessKey(t.Context(), &pluginapi.GenerateAccessKeyRequest{UserName: "alice"}, nil)
	require.EqualError(t, err, "plugin generate_loop: generate_access_key: fuel: fuel is used up")
	require.Zero(t, f.metric(t, "iamserver_plugin_instances"))
}

// The time limit counts beside the fuel: fuel says nothing about a machine
// that is slow.
func TestDeadline(t *testing.T) {
	clock := time.Unix(1_700_000_000, 0)
	var mu sync.Mutex
	c := hostile(t, "loop")
	c.Limits.AuthorizeFuel = 1 << 50
	f := newHost(t, func(o *host.Options) {
		o.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			clock = clock.Add(time.Millisecond)
			return clock
		}
	})
	_, err := newSet(t, f, c).Authorize(t.Context(), deleteRequest(), nil)
	require.EqualError(t, err, "plugin loop: authorize: time: time is used up")
}

// How long a unit takes is up to the guest: loads that no cache has take a hundred
// times as long as others. So the host gets in often, and looks at the clock.
func TestHostGetsInOften(t *testing.T) {
	var looks atomic.Int64
	c := hostile(t, "loop")
	c.Limits.AuthorizeFuel = 5_000_000
	f := newHost(t, func(o *host.Options) {
		o.Now = func() time.Time { looks.Add(1); return time.Unix(1_700_000_000, 0) }
	})
	s := newSet(t, f, c)
	before := looks.Load()
	_, err := s.Authorize(t.Context(), deleteRequest(), nil)
	require.EqualError(t, err, "plugin loop: authorize: fuel: fuel is used up")
	require.GreaterOrEqual(t, looks.Load()-before, int64(5_000_000/50_000))
}

func TestRequestThatEndsStopsThePlugin(t *testing.T) {
	c := hostile(t, "loop")
	c.Limits.AuthorizeFuel, c.Limits.AuthorizeTime = 1<<50, time.Hour
	f := newHost(t)
	s := newSet(t, f, c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	verdict, err := s.Authorize(ctx, deleteRequest(), nil)
	require.Equal(t, pluginapi.EffectDeny, verdict.Effect)
	require.EqualError(t, err, "plugin loop: authorize: cancelled: context canceled")
}

func TestSleepingTakesNoTime(t *testing.T) {
	s := newSet(t, newHost(t), hostile(t, "poll"))
	verdict, err := s.Authorize(t.Context(), deleteRequest(), nil)
	require.NoError(t, err)
	require.Equal(t, host.Verdict{}, verdict)
}

func TestAllowCountsOnlyFromWhoMayGrant(t *testing.T) {
	f := newHost(t)
	c := hostile(t, "output_allow")
	request := deleteRequest()
	request.EngineDecision = pluginapi.EngineDecisionImplicitDeny
	verdict, err := newSet(t, f, c).Authorize(t.Context(), request, nil)
	require.NoError(t, err)
	require.Equal(t, host.Verdict{}, verdict)

	c.Name, c.MayGrant = "granting", true
	granting := newSet(t, f, c)
	verdict, err = granting.Authorize(t.Context(), request, nil)
	require.NoError(t, err)
	require.Equal(t, host.Verdict{Effect: pluginapi.EffectAllow, Plugin: "granting"}, verdict)

	request.EngineDecision = pluginapi.EngineDecisionExplicitDeny
	verdict, err = granting.Authorize(t.Context(), request, nil)
	require.NoError(t, err)
	require.Equal(t, host.Verdict{}, verdict, "it is not even asked: an explicit Deny wins")

	denying := hostile(t, "output_reason")
	request.EngineDecision = pluginapi.EngineDecisionAllowed
	for _, order := range [][]host.Config{{c, denying}, {denying, c}} {
		verdict, err = newSet(t, newHost(t), order...).Authorize(t.Context(), request, nil)
		require.NoError(t, err)
		require.Equal(t, pluginapi.EffectDeny, verdict.Effect, "any deny wins, in whatever order")
	}
}

func TestWhatPluginsSayCannotForgeLines(t *testing.T) {
	f := newHost(t)
	s := newSet(t, f, hostile(t, "log_some"), hostile(t, "output_reason"))
	verdict, err := s.Authorize(t.Context(), deleteRequest(), nil)
	require.NoError(t, err)
	require.Equal(t, "a\uFFFDlevel=ERROR \uFFFD[31mmsg=b", verdict.Reason)
	log := f.log.String()
	require.Contains(t, log, "hello\uFFFDlevel=ERROR msg=\uFFFD[31mfoo")
	require.Contains(t, log, "plugin=log_some")
	require.Contains(t, log, "request_id=request-1")
	require.NotContains(t, log, "\x1b")
}

// A flood is cut after 4 KiB of a call and 100 lines of a second.
func TestLogIsLimited(t *testing.T) {
	clock := time.Unix(1_700_000_000, 0) // stands still
	f := newHost(t, func(o *host.Options) { o.Now = func() time.Time { return clock } })
	s := newSet(t, f, hostile(t, "log_some"))
	for range 15 {
		_, err := s.Authorize(t.Context(), deleteRequest(), nil)
		require.NoError(t, err)
	}
	require.InDelta(t, 50, f.metric(t, "iamserver_plugin_log_dropped_total"), 0)

	flood := newHost(t, func(o *host.Options) { o.Now = func() time.Time { return clock } })
	_, err := newSet(t, flood, hostile(t, "log_flood")).Authorize(t.Context(), deleteRequest(), nil)
	require.Error(t, err)
	require.Less(t, len(flood.log.String()), 14<<10, "4 KiB of the call, each byte of which may be escaped, and the failure")
}

func TestFileMustBeWhatTheConfigurationSays(t *testing.T) {
	f := newHost(t)
	path := filepath.Join(t.TempDir(), "plugin.wasm")
	install := func(from string) host.Config {
		wasm, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, wasm, 0o600))
		c := configure(t, from, host.Authorize)
		c.Path, c.Name = path, "plugin"
		return c
	}
	good := install(mfaDelete)
	s := newSet(t, f, good)
	other := install(filepath.Join("testdata", "hostile", "output_allow.wasm"))

	_, err := f.NewSet(t.Context(), []host.Config{good})
	require.EqualError(t, err, `load plugin "plugin": `+path+" has the sha256 "+other.SHA256+", but the configuration says "+good.SHA256)
	changed := good
	changed.MayGrant = true
	require.ErrorContains(t, s.Reload(t.Context(), []host.Config{changed}), "has the sha256")

	// The file changed under us; what was loaded stays.
	verdict, err := s.Authorize(t.Context(), deleteRequest(), nil)
	require.NoError(t, err)
	require.Equal(t, pluginapi.EffectDeny, verdict.Effect)

	require.NoError(t, s.Reload(t.Context(), []host.Config{other}))
	verdict, err = s.Authorize(t.Context(), deleteRequest(), nil)
	require.NoError(t, err)
	require.Equal(t, host.Verdict{}, verdict)
}

// A reload must not wait for somebody to write into what was a module.
func TestPipeIsNoModule(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plugin.wasm")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	c := configure(t, mfaDelete, host.Authorize)
	c.Path = path
	_, err := newHost(t).NewSet(t.Context(), []host.Config{c})
	require.EqualError(t, err, `load plugin "mfa-delete": `+path+" is not a regular file")
	for _, path := range []string{path, "/dev/zero"} {
		_, err = host.ReadModule(path)
		require.EqualError(t, err, path+" is not a regular file")
	}
}

func TestConfigurationMistakes(t *testing.T) {
	f := newHost(t)
	good := configure(t, mfaDelete, host.Authorize)
	generator := configure(t, companyKey, host.GenerateAccessKey)
	second := generator
	second.Name = "second"
	for _, tt := range []struct {
		name    string
		configs []host.Config
		change  func(*host.Config)
		want    string
	}{
		{"a name with a slash", []host.Config{good}, func(c *host.Config) { c.Name = "a/b" }, `name "a/b": up to 64`},
		{"no hash", []host.Config{good}, func(c *host.Config) { c.SHA256 = "" }, `sha256 ""`},
		{"no hooks", []host.Config{good}, func(c *host.Config) { c.Hooks = nil }, "hooks: name at least one"},
		{"a hook that there is not", []host.Config{good}, func(c *host.Config) { c.Hooks = []host.Hook{"init"} }, `hooks: "init" is not one of`},
		{"on_error allow", []host.Config{good}, func(c *host.Config) { c.OnError = "allow" }, `on_error "allow": it is one of deny and abstain`},
		{"a negative limit", []host.Config{good}, func(c *host.Config) { c.Limits.AuthorizeFuel = -1 }, "limits: a limit cannot be negative"},
		{"a filter that matches nothing", []host.Config{good}, func(c *host.Config) { c.Filter.Actions = []string{"s3:*Object"} }, `filter: action "s3:*Object"`},
		{"a file that is not there", []host.Config{good}, func(c *host.Config) { c.Path = "nowhere.wasm" }, "no such file"},
		{"a folder", []host.Config{good}, func(c *host.Config) { c.Path = "." }, ". is not a regular file"},
		{"the same name twice", []host.Config{good, good}, nil, `there are two plugins with the name "mfa-delete"`},
		{"two generators", []host.Config{generator, second}, nil, `the plugins "company-key" and "second" both have the hook generate_access_key`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			configs := append([]host.Config(nil), tt.configs...)
			if tt.change != nil {
				tt.change(&configs[0])
			}
			_, err := f.NewSet(t.Context(), configs)
			require.ErrorContains(t, err, tt.want)
			require.Zero(t, f.metric(t, "iamserver_plugin_instances"), "what was loaded beside it is closed")
		})
	}
}

// After five failures in ten seconds the plugin is not asked for ten seconds,
// and the requests are denied all the same.
func TestBreaker(t *testing.T) {
	clock := time.Unix(1_700_000_000, 0)
	f := newHost(t, func(o *host.Options) { o.Now = func() time.Time { return clock } })
	s := newSet(t, f, hostile(t, "trap"))
	ask := func() host.Class {
		verdict, err := s.Authorize(t.Context(), deleteRequest(), nil)
		require.Equal(t, pluginapi.EffectDeny, verdict.Effect)
		var failure *host.PluginError
		require.ErrorAs(t, err, &failure)
		return failure.Class
	}
	for range 4 {
		require.Equal(t, host.Trapped, ask())
	}
	clock = clock.Add(11 * time.Second)
	for range 5 {
		require.Equal(t, host.Trapped, ask(), "four failures long ago do not count")
	}
	require.Equal(t, host.Broken, ask())
	clock = clock.Add(9 * time.Second)
	require.Equal(t, host.Broken, ask())
	clock = clock.Add(2 * time.Second)
	require.Equal(t, host.Trapped, ask())
}

// While a plugin spins, the collector gets in and other plugins answer: the
// turnstile and the slices of fuel see to that. The figures are in the log.
func TestServerLivesWhileAPluginSpins(t *testing.T) {
	for _, hook := range []host.Hook{host.Authorize, host.ValidatePolicy, host.GenerateAccessKey, "init"} {
		t.Run(string(hook), func(t *testing.T) {
			f := newHost(t, quiet)
			good := newSet(t, f, configure(t, mfaDelete, host.Authorize))
			var idle time.Duration
			for range 20 {
				idle = max(idle, collect())
			}
			spin := spinner(t, f, hook)
			ctx, stop := context.WithCancel(t.Context())
			var spinning sync.WaitGroup
			started := make(chan struct{})
			spinning.Go(func() {
				close(started)
				for ctx.Err() == nil {
					spin(ctx)
				}
			})
			<-started
			var pause, answer time.Duration
			for range 20 {
				pause = max(pause, collect())
				began := time.Now() //nolint:forbidigo // figures for the log
				verdict, err := good.Authorize(t.Context(), deleteRequest(), nil)
				answer = max(answer, time.Since(began))
				require.NoError(t, err, "it would have been busy")
				require.Equal(t, "mfa_required", verdict.Code)
			}
			stop()
			spinning.Wait()
			t.Logf("worst runtime.GC %v (%v without the plugin), worst answer of another plugin %v", pause, idle, answer)
		})
	}
}

// collect tells how long a collection took.
func collect() time.Duration {
	began := time.Now() //nolint:forbidigo // figures for the log
	runtime.GC()
	return time.Since(began)
}

// spinner returns what makes a hook run for as long as it may.
func spinner(t *testing.T, f *fixture, hook host.Hook) func(context.Context) {
	t.Helper()
	long := func(c host.Config) host.Config {
		c.Limits.AuthorizeFuel, c.Limits.ValidateFuel, c.Limits.GenerateFuel = 1<<40, 1<<40, 1<<40
		c.Limits.AuthorizeTime, c.Limits.ValidateTime, c.Limits.GenerateTime = time.Hour, time.Hour, time.Hour
		return c
	}
	switch hook {
	case host.Authorize:
		s := newSet(t, f, long(hostile(t, "fill")))
		return func(ctx context.Context) { _, _ = s.Authorize(ctx, deleteRequest(), nil) }
	case host.ValidatePolicy:
		s := newSet(t, f, long(hostile(t, "loop", host.ValidatePolicy)))
		return func(ctx context.Context) {
			_, _ = s.ValidatePolicy(ctx, &pluginapi.ValidatePolicyRequest{Document: []byte("{}")}, nil)
		}
	case host.GenerateAccessKey:
		s := newSet(t, f, long(hostile(t, "generate_loop", host.GenerateAccessKey)))
		return func(ctx context.Context) {
			_, _ = s.GenerateAccessKey(ctx, &pluginapi.GenerateAccessKeyRequest{UserName: "a"}, nil)
		}
	default:
		c := hostile(t, "init")
		return func(ctx context.Context) { _, _ = f.Load(ctx, c) }
	}
}

// What a hostile plugin took is given back.
func TestMemoryReturns(t *testing.T) {
	heap := func() uint64 {
		debug.FreeOSMemory()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	f := newHost(t, quiet)
	c := hostile(t, "memory_bomb")
	c.Limits.AuthorizeTime = time.Minute
	s := newSet(t, f, c)
	ask := func() {
		_, err := s.Authorize(t.Context(), deleteRequest(), nil)
		require.Error(t, err)
	}
	ask()
	before := heap()
	for range 100 {
		ask()
	}
	require.Less(t, heap(), before+2<<20)
}
