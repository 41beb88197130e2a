package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gopkg.in/yaml.v3"

	"iamserver/plugins/hooks"
	"iamserver/plugins/host"
	"iamserver/runtime/server"
)

// pluginsSetting is the key of the configuration file that is no flag.
const pluginsSetting = "plugins"

// pluginFlags are for trying plugins out.
type pluginFlags struct {
	Plugin []string `name:"plugin" help:"WebAssembly module to run as a plugin with all its hooks and without a configuration, for trying one out. What a server is to run belongs into the file of --config, under plugins." placeholder:"FILE" type:"existingfile" sep:"none"`
}

// plugins are those of a server, as the configuration file has them at the time.
type plugins struct {
	file  string   // the configuration file, or empty
	tried []string // modules of --plugin
	host  *host.Host
	set   *host.Set
	log   *slog.Logger

	mu     sync.Mutex
	closed bool     // guarded by mu
	files  []string // guarded by mu; all that the plugins depend on
	seen   string   // guarded by mu; state of the files when they were last read
	found  string   // guarded by mu; state of the files when follow last looked
}

// openPlugins loads what is configured. A plugin that cannot be loaded stops the
// start.
func (f *pluginFlags) openPlugins(p *process, cache string, log *slog.Logger, metrics prometheus.Registerer) (*plugins, error) {
	h, err := host.New(host.Options{Now: time.Now, Log: log, Metrics: metrics, CacheDir: cache, Version: version()})
	if err != nil {
		return nil, err
	}
	x := &plugins{file: p.config, tried: f.Plugin, host: h, log: log}
	configs, err := x.read()
	if err == nil {
		x.set, err = h.NewSet(p.stop, configs)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close(context.WithoutCancel(p.stop)))
	}
	x.announce()
	return x, nil
}

// join has a server ask the plugins.
func (x *plugins) join(config *server.Config) {
	asked := hooks.Of(x.set)
	config.Hook, config.Validator, config.Generator = asked, asked, asked
}

// announce tells the log what runs.
func (x *plugins) announce() {
	for _, m := range x.set.Modules() {
		x.log.Info("plugin", "name", m.Name(), "sha256", m.Describe().SHA256, "hooks", hookList(m.Hooks()))
	}
}

// names are those of the plugins with their hooks, for people.
func (x *plugins) names() string {
	var all []string
	for _, m := range x.set.Modules() {
		all = append(all, m.Name()+" ("+hookList(m.Hooks())+")")
	}
	return strings.Join(all, ", ")
}

// reload takes up what the configuration says now. With an error, everything stays
// as it was.
func (x *plugins) reload(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	configs, err := x.read()
	if err != nil {
		return err
	}
	return x.set.Reload(ctx, configs)
}

// followEvery is how often the configuration is looked at. A change is taken up
// when it is seen the second time.
const followEvery = time.Second

// follow reloads if the configuration file or a module has changed, and has not
// changed since the last look: a file that is being written may lack plugins, and
// requests would be allowed that they deny. Of a module that has changed, only a
// new hash in the configuration makes a difference.
func (x *plugins) follow(ctx context.Context) {
	x.mu.Lock()
	now := state(x.files)
	ripe := now != x.seen && now == x.found
	x.found = now
	x.mu.Unlock()
	if !ripe {
		return
	}
	if err := x.reload(ctx); err != nil {
		x.log.Error("the configuration of the plugins has changed, and they stay as they were", "error", err)
		return
	}
	x.log.Info("the configuration of the plugins was read anew")
	x.announce()
}

// Close closes the plugins. The server must have stopped before.
func (x *plugins) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	return errors.Join(x.set.Close(context.Background()), x.host.Close(context.Background()))
}

var errChanging = errors.New("the configuration of the plugins changed while it was read")

// read returns what is configured, and remembers the state of the files, whatever
// is wrong with them: it is not said again before one changes. Their state is that
// of before they are read: a change meanwhile is one that is still to be noticed.
func (x *plugins) read() ([]host.Config, error) {
	own := append([]string{x.file}, x.tried...)
	before := state(own)
	x.seen = before
	configs, err := x.configs()
	if err == nil && state(own) != before {
		err = errChanging
	}
	if err != nil && x.files != nil {
		x.seen += state(x.files[len(own):])
		return nil, err
	}
	x.files = own
	for _, c := range configs {
		x.files = append(x.files, c.Path)
	}
	x.seen += state(x.files[len(own):])
	return configs, err
}

// configs are those of the configuration file and of --plugin.
func (x *plugins) configs() ([]host.Config, error) {
	var configs []host.Config
	if x.file != "" {
		file, err := readSettings(x.file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.file, err)
		}
		configs = file.plugins
	}
	for _, path := range x.tried {
		c, err := trial(path)
		if err != nil {
			return nil, fmt.Errorf("--plugin %s: %w", path, err)
		}
		configs = append(configs, c)
	}
	return configs, nil
}

// state differs once one of the files has changed.
func state(files []string) string {
	var b strings.Builder
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			fmt.Fprintln(&b, name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// trial is the configuration of a module as it is.
func trial(path string) (host.Config, error) {
	wasm, err := host.ReadModule(path)
	if err != nil {
		return host.Config{}, err
	}
	d, err := host.Inspect(wasm)
	if err != nil {
		return host.Config{}, err
	}
	return host.Config{Name: pluginName(path), Path: path, SHA256: d.SHA256, Hooks: d.Hooks}, nil
}

var notInNames = regexp.MustCompile(`[^a-z0-9_-]+`)

// pluginName makes a name of a path: that of the file, or of its folder where the
// file is just plugin.wasm.
func pluginName(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return "plugin"
	}
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if name == "plugin" {
		name = filepath.Base(filepath.Dir(path))
	}
	name = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(name), "-"), "-_")
	if name == "" {
		return "plugin"
	}
	return name[:min(len(name), 64)]
}

// readPlugins reads the list of a configuration file. Paths are relative to its
// folder. A misspelt setting is an error.
func readPlugins(list *yaml.Node, folder string) ([]host.Config, error) {
	if list.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("line %d: %s: it is a list", list.Line, pluginsSetting)
	}
	var configs []host.Config
	for _, node := range list.Content {
		c, err := readPlugin(node)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", node.Line, pluginsSetting, err)
		}
		if c.Path != "" && !filepath.IsAbs(c.Path) {
			c.Path = filepath.Join(folder, c.Path)
		}
		configs = append(configs, c)
	}
	return configs, nil
}

func readPlugin(node *yaml.Node) (c host.Config, err error) {
	if err := configAsJSON(node); err != nil {
		return c, err
	}
	text, err := yaml.Marshal(node)
	if err != nil {
		return c, err
	}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(&c); err != nil {
		var wrong *yaml.TypeError
		if errors.As(err, &wrong) { // its lines are those of the text above
			err = errors.New(strings.Join(withoutLines(wrong.Errors), "; "))
		}
		return c, err
	}
	return c, nil
}

var leadingLine = regexp.MustCompile(`^line [0-9]+: `)

func withoutLines(messages []string) []string {
	var bare []string
	for _, m := range messages {
		bare = append(bare, strings.ReplaceAll(leadingLine.ReplaceAllString(m, ""), " in type host.Config", ""))
	}
	return bare
}

// configAsJSON puts JSON, which plugins read, in the place of the value of config.
func configAsJSON(plugin *yaml.Node) error {
	if plugin.Kind != yaml.MappingNode {
		return nil // what follows says so
	}
	for i := 0; i+1 < len(plugin.Content); i += 2 {
		if plugin.Content[i].Value != "config" {
			continue
		}
		var value any
		if err := plugin.Content[i+1].Decode(&value); err != nil {
			return fmt.Errorf("config: %w", err)
		}
		text, err := json.Marshal(value)
		if err != nil {
			return errors.New("config: it has no form in JSON, whose names are strings")
		}
		plugin.Content[i+1] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(text)}
	}
	return nil
}
