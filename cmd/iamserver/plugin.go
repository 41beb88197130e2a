package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
)

type pluginCommand struct {
	Inspect pluginInspect `cmd:"" help:"Show what a module is: its hooks, imports, limits and hash, and how to configure it. None of it is run."`
	Test    pluginTest    `cmd:"" help:"Ask a module one question, and show its answer and the fuel that it took."`
	Bench   pluginBench   `cmd:"" help:"Ask a module many questions, and show how long each hook takes."`
}

type pluginInspect struct {
	File string `arg:"" help:"WebAssembly module." type:"existingfile"`
}

// Run shows what a module is.
func (c *pluginInspect) Run(p *process) error {
	wasm, err := host.ReadModule(c.File)
	if err != nil {
		return err
	}
	d, err := host.Inspect(wasm)
	if err != nil {
		sum := sha256.Sum256(wasm)
		return fmt.Errorf("%s (sha256 %s) cannot be a plugin: %w", c.File, hex.EncodeToString(sum[:]), err)
	}
	path, err := filepath.Abs(c.File)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "sha256     %s\n", d.SHA256)
	fmt.Fprintf(&b, "size       %d bytes, %d functions, %d KiB of memory at the start\n", d.Bytes, d.Functions, d.MemoryPages*64)
	fmt.Fprintf(&b, "hooks      %s\n", hookList(d.Hooks))
	fmt.Fprintf(&b, "init       %s\n", map[bool]string{true: "yes", false: "no: it takes no config"}[d.HasInit])
	imports := "none"
	if len(d.Imports) > 0 {
		imports = strings.Join(d.Imports, ", ")
	}
	fmt.Fprintf(&b, "imports    %s\n", imports)
	limits := host.DefaultLimits(1)
	for _, h := range d.Hooks {
		fuel, within := limits.Of(h)
		fmt.Fprintf(&b, "limits     %s: %d units of fuel, %v\n", h, fuel, within)
	}
	for _, w := range warnings(d) {
		fmt.Fprintf(&b, "warning    %s\n", w)
	}
	fmt.Fprintf(&b, "\nplugins:\n  - name: %s\n    path: %s\n    sha256: %s\n    hooks: [%s]\n", pluginName(c.File), path, d.SHA256, hookList(d.Hooks))
	_, err = io.WriteString(p.stdout, b.String())
	return err
}

func hookList(all []host.Hook) string {
	var names []string
	for _, h := range all {
		names = append(names, string(h))
	}
	return strings.Join(names, ", ")
}

// warnings are what an operator should know of a module that can be run.
func warnings(d *host.Description) []string {
	var all []string
	if d.Go {
		all = append(all, "it is made by the Go compiler: each instance takes some 8 MiB, and loading takes seconds where the cache has no code of it")
		if slices.Contains(d.Hooks, host.Authorize) {
			all = append(all, "its pauses for collecting garbage delay requests; C, AssemblyScript or Rust suit authorize better")
		}
	}
	if slices.Contains(d.Hooks, host.GenerateAccessKey) && !d.HasInit {
		all = append(all, "it does not say what its access key ids look like: 16 to 128 characters of A-Z and 0-9 are accepted")
	}
	return all
}

// trialFlags choose a module and what it is configured with.
type trialFlags struct {
	File   string `arg:"" help:"WebAssembly module." type:"existingfile"`
	With   string `name:"plugin-config" env:"-" help:"JSON that init is handed, as under config in the configuration file." placeholder:"JSON"`
	Source string `name:"secret-source" env:"-" help:"Who makes secrets: host, or plugin, as secret_source in the configuration file." enum:"host,plugin" default:"host"`
}

// load makes the module ready. What it logs goes to standard error.
func (f *trialFlags) load(p *process) (*host.Host, host.Config, error) {
	c, err := trial(f.File)
	if err != nil {
		return nil, host.Config{}, fmt.Errorf("%s: %w", f.File, err)
	}
	c.Config = f.With
	c.SecretSource = host.SecretSource(f.Source)
	log := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h, err := host.New(host.Options{Now: time.Now, Log: log, Version: version(), Wait: time.Minute})
	return h, c, err
}

type pluginTest struct {
	trialFlags

	Hook host.Hook `env:"-" help:"Hook to ask: authorize, validate_policy or generate_access_key; the only one if the module has one."`
	JSON string    `name:"json" env:"-" help:"The question, in the names of docs/plugin-messages.md, or - to read it from standard input; document is JSON as it stands. Without it an example." placeholder:"REQUEST"`
}

// Run asks a module one question.
func (c *pluginTest) Run(p *process) (err error) {
	h, config, err := c.load(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.Background())) }()
	if c.Hook == "" && len(config.Hooks) == 1 {
		c.Hook = config.Hooks[0]
	}
	if c.Hook == "" {
		return fmt.Errorf("the module has the hooks %s; choose one with --hook", hookList(config.Hooks))
	}
	text := c.JSON
	if text == "-" {
		content, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		text = string(content)
	}
	question, err := questionOf(c.Hook, text)
	if err != nil {
		return err
	}
	m, err := h.Load(p.stop, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close(context.Background())) }()
	trial, err := m.Try(p.stop, c.Hook, question.Append(nil))
	fuel, within := host.DefaultLimits(1).Of(c.Hook)
	used := fmt.Sprintf("fuel %d of %d, %v of %v\n", trial.Fuel, fuel, trial.Time.Round(time.Microsecond), within)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(used))
	}
	answer, err := answerJSON(c.Hook, trial.Answer)
	if err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n%s", answer, used)
	return err
}

type pluginBench struct {
	trialFlags

	JSON  string `name:"json" env:"-" help:"The question, as for test; without it an example." placeholder:"REQUEST"`
	Count int    `env:"-" help:"How many questions." default:"1000"`
}

// Validate is called by kong.
func (c *pluginBench) Validate() error {
	if c.Count < 1 {
		return errors.New("--count must be at least 1")
	}
	return nil
}

// Run asks each hook of a module many times, as a server does.
func (c *pluginBench) Run(p *process) (err error) {
	h, config, err := c.load(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.Background())) }()
	began := time.Now()
	set, err := h.NewSet(p.stop, []host.Config{config})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.Close(context.Background())) }()
	_, err = fmt.Fprintf(p.stdout, "load: %v\n", time.Since(began).Round(time.Millisecond))
	for _, hook := range config.Hooks {
		ask, failure := c.asking(p.stop, set, hook)
		if failure != nil {
			return failure
		}
		times := make([]time.Duration, c.Count)
		for i := range times {
			began := time.Now()
			if err := ask(); err != nil {
				return err
			}
			times[i] = time.Since(began)
		}
		slices.Sort(times)
		at := func(percent int) time.Duration { return times[(len(times)-1)*percent/100].Round(10 * time.Nanosecond) }
		_, failure = fmt.Fprintf(p.stdout, "%s: %d questions, p50 %v, p99 %v, max %v\n", hook, c.Count, at(50), at(99), at(100))
		err = errors.Join(err, failure)
	}
	return err
}

var errNotChosen = errors.New("the plugin does not want to be asked this question (the filter of its init); give one that it does with --json")

// asking returns what asks one question, as a server does.
func (c *pluginBench) asking(ctx context.Context, set *host.Set, hook host.Hook) (func() error, error) {
	question, err := questionOf(hook, c.JSON)
	if err != nil {
		return nil, err
	}
	switch q := question.(type) {
	case *pluginapi.AuthorizeRequest:
		if !set.Interested(q.Action, q.Resource, q.PrincipalType, q.EngineDecision) {
			return nil, errNotChosen
		}
		return func() error {
			_, err := set.Authorize(ctx, q, nil)
			return err
		}, nil
	case *pluginapi.ValidatePolicyRequest:
		return func() error {
			_, err := set.ValidatePolicy(ctx, q, func([]byte) error { return nil })
			return err
		}, nil
	case *pluginapi.GenerateAccessKeyRequest:
		return func() error {
			key, err := set.GenerateAccessKey(ctx, q, func(string) (bool, error) { return false, nil })
			key.Secret.Wipe()
			return err
		}, nil
	}
	return nil, fmt.Errorf("there is no hook %q", hook)
}

// entropy is what a generator is given.
func entropy() ([]byte, error) {
	random := make([]byte, 64)
	_, err := rand.Read(random)
	return random, err
}
