package host

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/meter"
)

// A Hook is one of the questions that plugins are asked.
type Hook string

// The hooks, by the names that configurations use.
const (
	Authorize         Hook = "authorize"
	ValidatePolicy    Hook = "validate_policy"
	GenerateAccessKey Hook = "generate_access_key"
)

// initialize stands where a hook's name is expected for what happens before
// any hook is called.
const initialize Hook = "init"

var exports = map[Hook]string{
	initialize: pluginapi.ExportInit, Authorize: pluginapi.ExportAuthorize,
	ValidatePolicy: pluginapi.ExportValidatePolicy, GenerateAccessKey: pluginapi.ExportGenerateAccessKey,
}

// A Config is what an operator says about one plugin.
type Config struct {
	// Name is unique among the plugins; logs, metrics and the audit log use it.
	Name string `yaml:"name"`
	// Path of the compiled module.
	Path string `yaml:"path"`
	// SHA256 of the file, 64 hexadecimal digits. A file that differs is not loaded.
	SHA256 string `yaml:"sha256"`
	// Hooks that the plugin is asked; the module must export each of them.
	Hooks []Hook `yaml:"hooks"`
	// Filter chooses the requests that authorize sees, within what the plugin
	// itself chooses. The zero value chooses all.
	Filter Filter `yaml:"filter"`
	// Limits that differ from DefaultLimits; fields that are 0 have the default.
	Limits Limits `yaml:"limits"`
	// Config is JSON that is handed to the plugin, at most 64 KiB.
	Config string `yaml:"config"`
	// OnError is what becomes of a request when authorize fails: deny, which is
	// the default, or abstain.
	OnError OnError `yaml:"on_error"`
	// MayGrant lets authorize allow what no policy allows. An explicit Deny
	// wins all the same.
	MayGrant bool `yaml:"may_grant"`
	// IncludeRoot asks authorize about root's IAM actions too. A plugin that
	// denies them, or fails, locks the operator out.
	IncludeRoot bool `yaml:"include_root"`
	// AllowSupplied accepts access keys that callers bring, if they have the
	// shape that the generator declares.
	AllowSupplied bool `yaml:"allow_supplied"`
	// SecretSource says who makes secret access keys: host, which is the
	// default, or plugin.
	SecretSource SecretSource `yaml:"secret_source"`
	// Isolation says how long an instance lives that answers authorize: pooled,
	// which is the default, or fresh for each request. The memory of a pooled
	// instance may hold what it learnt from earlier requests.
	Isolation Isolation `yaml:"isolation"`
}

// OnError is what a failure of authorize means.
type OnError string

// The meanings of a failure.
const (
	OnErrorDeny    OnError = "deny"
	OnErrorAbstain OnError = "abstain"
)

// SecretSource is who makes secret access keys.
type SecretSource string

// The makers of secrets.
const (
	SecretFromHost   SecretSource = "host"
	SecretFromPlugin SecretSource = "plugin"
)

// Isolation is how long an instance lives.
type Isolation string

// The lives of instances.
const (
	Pooled Isolation = "pooled"
	Fresh  Isolation = "fresh"
)

// Limits bound what a plugin may use. Fuel is about one unit for one
// instruction, somewhat less than a nanosecond.
type Limits struct {
	MemoryPages    uint32        `yaml:"memory_pages"` // of 64 KiB, for each instance
	Instances      int           `yaml:"instances"`    // at the same time
	AuthorizeFuel  int64         `yaml:"authorize_fuel"`
	ValidateFuel   int64         `yaml:"validate_fuel"`
	GenerateFuel   int64         `yaml:"generate_fuel"`
	InitFuel       int64         `yaml:"init_fuel"`
	AuthorizeTime  time.Duration `yaml:"authorize_time"`
	ValidateTime   time.Duration `yaml:"validate_time"`
	GenerateTime   time.Duration `yaml:"generate_time"`
	InitTime       time.Duration `yaml:"init_time"`
	AuthorizeInput int           `yaml:"authorize_input"` // bytes of the request
	OtherInput     int           `yaml:"other_input"`
	CallsPerMemory int           `yaml:"calls"` // that a pooled instance answers before another takes its place
}

// DefaultLimits are those of a configuration that names none. Instances is
// twice the number of processors that Go uses.
func DefaultLimits(processors int) Limits {
	return Limits{
		MemoryPages: 256, Instances: 2 * processors,
		AuthorizeFuel: 5_000_000, ValidateFuel: 100_000_000, GenerateFuel: 20_000_000, InitFuel: 500_000_000,
		AuthorizeTime: 10 * time.Millisecond, ValidateTime: 200 * time.Millisecond, GenerateTime: 50 * time.Millisecond, InitTime: time.Second,
		AuthorizeInput: 64 << 10, OtherInput: 256 << 10, CallsPerMemory: 1_000_000,
	}
}

// Of returns the fuel and the time that one call of a hook may take.
func (l Limits) Of(h Hook) (fuel int64, within time.Duration) {
	b := l.budget(h)
	return b.fuel, b.time
}

// or returns the limits with those of d where they are 0.
func (l Limits) or(d Limits) Limits {
	or(&l.MemoryPages, d.MemoryPages)
	or(&l.Instances, d.Instances)
	or(&l.AuthorizeFuel, d.AuthorizeFuel)
	or(&l.ValidateFuel, d.ValidateFuel)
	or(&l.GenerateFuel, d.GenerateFuel)
	or(&l.InitFuel, d.InitFuel)
	or(&l.AuthorizeTime, d.AuthorizeTime)
	or(&l.ValidateTime, d.ValidateTime)
	or(&l.GenerateTime, d.GenerateTime)
	or(&l.InitTime, d.InitTime)
	or(&l.AuthorizeInput, d.AuthorizeInput)
	or(&l.OtherInput, d.OtherInput)
	or(&l.CallsPerMemory, d.CallsPerMemory)
	return l
}

func or[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// budget is what one call of a hook may use.
type budget struct {
	fuel          int64
	time          time.Duration
	input, output int // bytes
}

func (l Limits) budget(h Hook) budget {
	switch h {
	case Authorize:
		return budget{l.AuthorizeFuel, l.AuthorizeTime, l.AuthorizeInput, 4 << 10}
	case ValidatePolicy:
		return budget{l.ValidateFuel, l.ValidateTime, l.OtherInput, 256 << 10}
	case GenerateAccessKey:
		return budget{l.GenerateFuel, l.GenerateTime, l.OtherInput, 4 << 10}
	default:
		return budget{l.InitFuel, l.InitTime, l.OtherInput, 1 << 20}
	}
}

const mostConfig = 64 << 10

var (
	namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	hashPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// check refuses what makes no sense, before any file is read.
func (c *Config) check() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !namePattern.MatchString(c.Name) {
		problem("name %q: up to 64 of a-z, 0-9, _ and -, not beginning with _ or -", c.Name)
	}
	if c.Path == "" {
		problem("path is missing")
	}
	if !hashPattern.MatchString(strings.ToLower(c.SHA256)) {
		problem("sha256 %q: the hash of the file is 64 hexadecimal digits", c.SHA256)
	}
	if len(c.Hooks) == 0 {
		problem("hooks: name at least one of %s, %s and %s", Authorize, ValidatePolicy, GenerateAccessKey)
	}
	for i, h := range c.Hooks {
		if h == initialize || exports[h] == "" || slices.Contains(c.Hooks[:i], h) {
			problem("hooks: %q is not one of %s, %s and %s, or stands there twice", h, Authorize, ValidatePolicy, GenerateAccessKey)
		}
	}
	if len(c.Config) > mostConfig {
		problem("config has %d bytes, the limit is %d", len(c.Config), mostConfig)
	}
	oneOf := func(setting, value string, values ...string) {
		if value != "" && !slices.Contains(values, value) {
			problem("%s %q: it is one of %s", setting, value, strings.Join(values, " and "))
		}
	}
	oneOf("on_error", string(c.OnError), string(OnErrorDeny), string(OnErrorAbstain))
	oneOf("secret_source", string(c.SecretSource), string(SecretFromHost), string(SecretFromPlugin))
	oneOf("isolation", string(c.Isolation), string(Pooled), string(Fresh))
	if err := c.Limits.check(); err != nil {
		problem("limits: %w", err)
	}
	return errors.Join(problems...)
}

func (l Limits) check() error {
	for _, n := range []int64{
		int64(l.Instances), l.AuthorizeFuel, l.ValidateFuel, l.GenerateFuel, l.InitFuel, int64(l.AuthorizeTime), int64(l.ValidateTime),
		int64(l.GenerateTime), int64(l.InitTime), int64(l.AuthorizeInput), int64(l.OtherInput), int64(l.CallsPerMemory),
	} {
		if n < 0 {
			return errors.New("a limit cannot be negative; 0 means the default")
		}
	}
	if most := uint32(4096); l.MemoryPages > most {
		return fmt.Errorf("memory_pages can be %d at most, 256 MiB", most)
	}
	return nil
}

// module limits of a plugin whose memory may have so many pages.
func (l Limits) module() meter.Limits {
	m := meter.DefaultLimits()
	m.MemoryPages = l.MemoryPages
	return m
}
