package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"

	"iamserver/plugins/host"
)

// settings are those of a configuration file.
type settings struct {
	// flags are by name, as they would be written on the command line.
	flags map[string]string
	// plugins are the only ones that have no flag.
	plugins []host.Config
}

// BeforeResolve is called by kong when the command line has been read. The file
// may be named by the environment too, which kong's own type does not see.
func (c *commands) BeforeResolve(k *kong.Kong, ctx *kong.Context, p *process) error {
	i := slices.IndexFunc(k.Model.Flags, func(f *kong.Flag) bool { return f.Name == "config" })
	path, _ := ctx.FlagValue(k.Model.Flags[i]).(string)
	if path == "" {
		return nil
	}
	// The local store changes the working directory later.
	full, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	p.config = full
	file, err := readSettings(full)
	if err == nil {
		err = file.Validate(k.Model)
	}
	if err != nil {
		return fmt.Errorf("--config: %s: %w", path, err)
	}
	ctx.AddResolver(file)
	return nil
}

func readSettings(path string) (*settings, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var nodes map[string]yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&nodes); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	file := &settings{flags: map[string]string{}}
	if list, ok := nodes[pluginsSetting]; ok {
		if file.plugins, err = readPlugins(&list, filepath.Dir(path)); err != nil {
			return nil, err
		}
		delete(nodes, pluginsSetting)
	}
	for name, node := range nodes {
		if file.flags[name], err = flagText(&node); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", node.Line, name, err)
		}
	}
	return file, nil
}

// flagText returns a value in the form of the command line: a scalar as it
// stands, for an account id must not lose its zeros; a list with commas; a map
// as NAME=VALUE with semicolons.
func flagText(node *yaml.Node) (string, error) {
	separator, join := ",", false
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return "", errors.New("it has no value")
		}
		return node.Value, nil
	case yaml.SequenceNode:
	case yaml.MappingNode:
		separator, join = ";", true
	case yaml.DocumentNode, yaml.AliasNode:
		return "", errors.New("it is not a value, a list or a map")
	}
	var items []string
	for i := 0; i < len(node.Content); i++ {
		item, err := scalar(node.Content[i])
		if err != nil {
			return "", err
		}
		if join {
			i++
			value, err := scalar(node.Content[i])
			if err != nil {
				return "", err
			}
			item += "=" + value
		}
		items = append(items, item)
	}
	return strings.Join(items, separator), nil
}

func scalar(node *yaml.Node) (string, error) {
	if node.Kind != yaml.ScalarNode || strings.ContainsAny(node.Value, ",;=") {
		return "", errors.New("its elements must be plain values")
	}
	return node.Value, nil
}

// Validate implements kong.Resolver. A name that is no flag of any command is
// an error: a setting that is misspelt must not look as if it were in force.
func (s *settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, leaf := range app.Leaves(false) {
		for _, flag := range leaf.Flags {
			known[flag.Name] = true
		}
	}
	var unknown []string
	for name := range s.flags {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("there is no setting %s", strings.Join(unknown, ", "))
	}
	return nil
}

// Resolve implements kong.Resolver. The environment wins over the file, which
// kong would have the other way around.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := s.flags[flag.Name]
	if !ok {
		return nil, nil // kong's word for "not here"
	}
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	return value, nil
}
