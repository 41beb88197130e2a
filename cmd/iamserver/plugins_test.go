package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/plugins/host"
)

// example returns the compiled module of an example.
func example(t *testing.T, name string) []byte {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join("..", "..", "plugins", "examples", name, "plugin.wasm"))
	require.NoError(t, err)
	return wasm
}

func hashOf(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return hex.EncodeToString(sum[:])
}

// install puts examples into a folder and returns the path of a configuration file
// that has them, each with more lines.
func install(t *testing.T, folder string, examples ...[2]string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("plugins:\n")
	for _, e := range examples {
		wasm := example(t, e[0])
		require.NoError(t, os.WriteFile(filepath.Join(folder, e[0]+".wasm"), wasm, 0o600))
		fmt.Fprintf(&text, "  - name: %s\n    path: %s.wasm\n    sha256: %s\n    %s\n", e[0], e[0], hashOf(wasm), strings.ReplaceAll(e[1], "\n", "\n    "))
	}
	path := filepath.Join(folder, "iamserver.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
	return path
}

// The examples in a real server, seen with the AWS CLI: a key of the generator's
// shape that signs, a validator's words, and an authorizer that denies what
// policies allow, and that the audit log names.
func TestPluginsWithTheAWSCLI(t *testing.T) {
	needs(t, "aws")
	sh := newShell(t)
	config := install(t, sh.dir,
		[2]string{"company-key", "hooks: [generate_access_key]\nconfig: WIDGET"},
		[2]string{"policy-rules", "hooks: [validate_policy]"},
		[2]string{"mfa-delete", "hooks: [authorize]\nconfig: [\"s3:GetObject\"]"},
	)
	log := filepath.Join(sh.dir, "audit.log")
	s := startWhole(t, filepath.Join(sh.dir, "iamdata"), "--config", config, "--audit-log", log)
	require.Contains(t, s.output.String(), "company-key (generate_access_key), policy-rules (validate_policy), mfa-delete (authorize)")
	sh.must("source iamdata/root.env")
	sh.must("aws iam create-user --user-name alice")
	sh.must("aws iam create-access-key --user-name alice > key.json")
	require.Regexp(t, `"AccessKeyId": "WIDGET[0-9A-Z]{17}"`, sh.must("cat key.json"))

	output, status := sh.run(`aws iam put-user-policy --user-name alice --policy-name p --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'`)
	require.NotZero(t, status)
	require.Contains(t, output, "An error occurred (MalformedPolicyDocument) when calling the PutUserPolicy operation: Statement[0].Action: Every action on every resource is too much for one statement.")
	sh.must(`aws iam put-user-policy --user-name alice --policy-name p --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'`)

	sh.must(`export AWS_ACCESS_KEY_ID=$(sed -n 's/.*"AccessKeyId": "\(.*\)".*/\1/p' key.json) AWS_SECRET_ACCESS_KEY=$(sed -n 's/.*"SecretAccessKey": "\([^"]*\)".*/\1/p' key.json)`)
	require.Contains(t, sh.must("aws sts get-caller-identity"), "user/alice")
	sh.must("aws s3 mb s3://photos; echo a picture > a.txt; aws s3 cp a.txt s3://photos/a.txt")
	output, status = sh.run("aws s3api get-object --bucket photos --key a.txt b.txt")
	require.NotZero(t, status)
	require.Contains(t, output, `An error occurred (AccessDenied) when calling the GetObject operation: User: arn:aws:iam::000000000000:user/alice is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::photos/a.txt" with an explicit deny in an authorization plugin`)
	require.NotContains(t, output, "mfa")
	sh.must("aws s3 rm s3://photos/a.txt")

	records, err := os.ReadFile(log)
	require.NoError(t, err)
	var denied map[string]any
	for line := range strings.Lines(string(records)) {
		var record map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		if record["eventName"] == "GetObject" {
			denied = record["additionalEventData"].(map[string]any)
		}
	}
	require.Equal(t, "mfa-delete", denied["plugin"])
	require.Equal(t, "deleting needs a second factor", denied["pluginReason"])
	_, metrics := get(t, s.admin+"/metrics")
	require.Contains(t, metrics, `iamserver_plugin_calls_total{answer="DENY",hook="authorize",plugin="mfa-delete"} 1`)
	require.Contains(t, metrics, `iamserver_plugin_calls_total{answer="REJECT",hook="validate_policy",plugin="policy-rules"} 1`)
	require.NoError(t, s.stop())
}

// created makes a key of a user anew and returns its id.
func created(t *testing.T, root *client) string {
	t.Helper()
	id := element(root.must(t, "CreateAccessKey", "UserName", "alice"), "AccessKeyId")
	root.must(t, "DeleteAccessKey", "UserName", "alice", "AccessKeyId", id)
	return id
}

// Another configuration of the plugins is taken up with SIGHUP, and when the file
// changes. A module that changed alone is not; what cannot be loaded leaves
// everything as it was.
func TestPluginsAreReloaded(t *testing.T) {
	folder := t.TempDir()
	const hooks = "hooks: [generate_access_key]"
	config := install(t, folder, [2]string{"company-key", hooks})
	s := start(t, filepath.Join(folder, "iamdata"), "--config", config)
	root := rootClient(t, s, 1)
	root.must(t, "CreateUser", "UserName", "alice")
	require.Regexp(t, "^ACME", created(t, root))

	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	good, err := os.ReadFile(config)
	require.NoError(t, err)
	write("iamserver.yaml", strings.Replace(string(good), hooks, hooks+"\n    config: WIDGET", 1))
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.waitFor(t, "plugins read anew")
	require.Regexp(t, "^WIDGET", created(t, root))
	// Without a signal, the file is looked at every second.

	write("iamserver.yaml", strings.Replace(string(good), hooks, hooks+"\n    config: FACTORY", 1))
	for !strings.HasPrefix(created(t, root), "FACTORY") { // the deadline of the tests ends it
	}

	// The module alone: the hash in the file is that of the old one.
	old := example(t, "company-key")
	changed := append(append([]byte{}, old...), 0, 2, 1, 'x') // with an empty custom section
	write("company-key.wasm", string(changed))
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.waitFor(t, `(?s)plugins read anew.*plugins read anew`)
	require.Regexp(t, "^FACTORY", created(t, root))
	write("iamserver.yaml", "plugins: nonsense\n")
	s.waitFor(t, `they stay as they were.*plugins: it is a list`)
	require.Regexp(t, "^FACTORY", created(t, root))
	write("iamserver.yaml", string(good))
	s.waitFor(t, `they stay as they were.*but the configuration says`)
	require.Regexp(t, "^FACTORY", created(t, root))
	write("iamserver.yaml", strings.Replace(string(good), hashOf(old), hashOf(changed), 1))
	s.waitFor(t, hashOf(changed)+" hooks")
	require.Regexp(t, "^ACME", created(t, root))

	write("iamserver.yaml", "")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.waitFor(t, `(?s)plugins read anew.*plugins read anew.*plugins read anew`)
	require.Regexp(t, "^AKIA", created(t, root))
	require.NoError(t, s.stop())
}

// An editor empties a file before it writes it anew. Looking at the file in between
// must not take the plugins away.
func TestPluginsStayWhileTheFileIsWritten(t *testing.T) {
	folder := t.TempDir()
	config := install(t, folder, [2]string{"mfa-delete", "hooks: [authorize]"})
	good, err := os.ReadFile(config)
	require.NoError(t, err)
	x, err := (&pluginFlags{}).openPlugins(&process{config: config, stop: t.Context()}, "", slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, x.Close()) })
	look := func(text string) string {
		require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
		x.follow(t.Context())
		return x.names()
	}
	const all = "mfa-delete (authorize)"
	require.Equal(t, all, look(""))
	require.Equal(t, all, look(string(good)))
	require.Equal(t, all, look("# all of them are gone\n"))
	x.follow(t.Context())
	require.Empty(t, x.names())
}

func TestPluginThatCannotBeLoadedStopsTheStart(t *testing.T) {
	folder := t.TempDir()
	config := install(t, folder, [2]string{"mfa-delete", "hooks: [authorize]"})
	data := filepath.Join(folder, "iamdata")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "mfa-delete.wasm"), example(t, "company-key"), 0o600))
	require.Contains(t, refused(t, nil, "--data", data, "--config", config), `load plugin "mfa-delete": `)
	require.Contains(t, refused(t, nil, "--data", data, "--plugin", config), "--plugin "+config+": ")
}

// A module can be tried out without a configuration; a key is made with it, and
// neither the log nor the file of the module is where the server's own folder is.
func TestPluginFlag(t *testing.T) {
	folder := t.TempDir()
	module := filepath.Join(folder, "Company Key.wasm")
	require.NoError(t, os.WriteFile(module, example(t, "company-key"), 0o600))
	s := start(t, filepath.Join(folder, "iamdata"), "--plugin", module)
	require.Contains(t, s.output.String(), "company-key (generate_access_key)")
	root := rootClient(t, s, 1)
	root.must(t, "CreateUser", "UserName", "alice")
	require.Regexp(t, "^ACME", created(t, root))
	info, err := os.Stat(filepath.Join(s.data, cacheName))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.NoError(t, s.stop())
	// Nobody else may put machine code there.
	require.NoError(t, os.Chmod(filepath.Join(s.data, cacheName), 0o770)) //nolint:gosec // it is what is to be refused
	require.Contains(t, refused(t, nil, "--data", s.data, "--s3", "off"), "others could put machine code there")
}

func TestPluginsOfTheConfigurationFile(t *testing.T) {
	read := func(text string) ([]host.Config, error) {
		folder := t.TempDir()
		path := filepath.Join(folder, "c.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		s, err := readSettings(path)
		if err != nil {
			return nil, err
		}
		for i := range s.plugins {
			s.plugins[i].Path = strings.Replace(s.plugins[i].Path, folder, "FOLDER", 1)
		}
		return s.plugins, nil
	}
	got, err := read("plugins:\n" +
		"  - {name: a, path: a.wasm, sha256: ab, hooks: [authorize], config: {x: [1, true]}, may_grant: true}\n" +
		"  - name: b\n    path: /b.wasm\n    config: 60\n    on_error: abstain\n    limits: {authorize_time: 3ms, instances: 2}\n    filter: {actions: ['s3:*']}\n")
	require.NoError(t, err)
	require.Equal(t, []host.Config{
		{Name: "a", Path: "FOLDER/a.wasm", SHA256: "ab", Hooks: []host.Hook{host.Authorize}, Config: `{"x":[1,true]}`, MayGrant: true},
		{Name: "b", Path: "/b.wasm", Config: "60", OnError: host.OnErrorAbstain, Limits: host.Limits{AuthorizeTime: 3 * time.Millisecond, Instances: 2}, Filter: host.Filter{Actions: []string{"s3:*"}}},
	}, got)
	for _, tt := range []struct{ name, text, message string }{
		{"a misspelt name", "plugins:\n- {name: a, may-grant: true}", "line 2: plugins: field may-grant not found"},
		{"a misspelt limit", "plugins:\n- {name: a, limits: {fuel: 1}}", "line 2: plugins: field fuel not found"},
		{"a value of the wrong kind", "plugins:\n- {name: a, may_grant: maybe}", "line 2: plugins: cannot unmarshal"},
		{"a map instead of a list", "plugins: {name: a}", "line 1: plugins: it is a list"},
		{"a text instead of a plugin", "plugins: [a.wasm]", "line 1: plugins: cannot unmarshal"},
		{"a config that JSON cannot hold", "plugins:\n- {name: a, config: {1: 2}}", "line 2: plugins: config: it has no form in JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(tt.text)
			require.ErrorContains(t, err, tt.message)
		})
	}
	t.Run("the example of the reference", func(t *testing.T) {
		reference, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
		require.NoError(t, err)
		block := regexp.MustCompile("(?s)```yaml\n(plugins:.*?)```").FindSubmatch(reference)
		require.NotNil(t, block)
		got, err := read(string(block[1]))
		require.NoError(t, err)
		limits := host.DefaultLimits(1)
		limits.Instances = 0
		require.Equal(t, []host.Config{{
			Name: "office-hours", Path: "FOLDER/office-hours.wasm", SHA256: hashOf(example(t, "office-hours")), Hooks: []host.Hook{host.Authorize}, Config: "60",
			Filter:  host.Filter{Actions: []string{"s3:Get*", "iam:*"}, ResourcePrefixes: []string{"arn:aws:s3:::finance/"}, PrincipalTypes: []string{"IAMUser", "ServiceAccount"}},
			OnError: host.OnErrorDeny, Isolation: host.Pooled, SecretSource: host.SecretFromHost, Limits: limits,
		}}, got, "what it says of defaults is true")
	})
}

// The commands for plugins, from the outside.
func TestPluginCommands(t *testing.T) {
	module := func(name string) string { return filepath.Join("..", "..", "plugins", "examples", name, "plugin.wasm") }
	hostile := func(name string) string {
		return filepath.Join("..", "..", "plugins", "host", "testdata", "hostile", name+".wasm")
	}
	for _, tt := range []struct {
		name      string
		arguments []string
		want      string
		fails     bool
	}{
		{"inspect shows what there is", []string{"inspect", module("office-hours")}, `(?s)^sha256     ` + hashOf(example(t, "office-hours")) + `\n.*hooks      authorize\ninit       yes\nimports    iam_v1.log\nlimits     authorize: 5000000 units of fuel, 10ms\n.*  - name: office-hours\n    path: /`, false},
		{"inspect warns of Go", []string{"inspect", module("policy-rules")}, `warning    it is made by the Go compiler`, false},
		{"inspect refuses what may not be imported", []string{"inspect", hostile("import_file")}, `cannot be a plugin: the module imports `, true},
		{"inspect refuses what is no module", []string{"inspect", "plugins_test.go"}, `cannot be a plugin: `, true},
		{"test shows an answer and the fuel", []string{"test", module("mfa-delete")}, `(?s)^\{\n  "effect": "DENY",\n  "reason": "deleting needs a second factor",\n  "code": "mfa_required"\n\}\nfuel [1-9][0-9]* of 5000000, `, false},
		{"test takes a question", []string{"test", module("mfa-delete"), "--hook", "authorize", "--json", `{"mfa":true}`}, `"effect": "ABSTAIN"`, false},
		{"test takes a document as it stands", []string{"test", module("policy-rules"), "--json", `{"document":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}`}, `(?s)"verdict": "REJECT".*"path": "Statement\[0\].Action"`, false},
		{"test takes a config", []string{"test", module("company-key"), "--plugin-config", `"WIDGET"`}, `"access_key_id": "WIDGET[0-9A-Z]{17}"`, false},
		{"test refuses a member that there is not", []string{"test", module("mfa-delete"), "--json", `{"mfaa":true}`}, `--json: json: unknown field "mfaa"`, true},
		{"test refuses a hook that the module has not", []string{"test", module("mfa-delete"), "--hook", "validate_policy"}, `the module does not export iam_v1_validate_policy`, true},
		{"test shows the fuel of a failure too", []string{"test", hostile("trap")}, `(?s)authorize: trap: .*fuel [0-9]+ of 5000000`, true},
		{"bench shows times", []string{"bench", module("mfa-delete"), "--count", "20"}, `(?m)^authorize: 20 questions, p50 \S+, p99 \S+, max \S+$`, false},
		{"bench of a generator", []string{"bench", module("company-key"), "--count", "5"}, `(?m)^generate_access_key: 5 questions, p50 `, false},
		{"bench says where the plugin is not asked", []string{"bench", module("mfa-delete"), "--json", `{"action":"s3:GetObject"}`}, `does not want to be asked this question`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			output, err := program(t.Context(), t, append([]string{"plugin"}, tt.arguments...)...).CombinedOutput()
			require.Equal(t, tt.fails, err != nil, "%s", output)
			require.Regexp(t, tt.want, string(output))
		})
	}
}

var guideBlock = regexp.MustCompile("(?ms)^```sh ?([a-z]*)\n(.*?)^```")

// What the guide has a reader type works: each block of commands in turn, and the
// server where it starts one.
func TestPluginGuideWorks(t *testing.T) {
	needs(t, "aws", "clang", "wasm-ld", "asc", "go")
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "plugins.md"))
	require.NoError(t, err)
	source, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	sh := newShell(t)
	sh.must(programOnPath(t))
	sh.must("SRC='" + source + "'")
	ran := map[string]int{}
	for _, block := range guideBlock.FindAllStringSubmatch(string(text), -1) {
		kind, commands := block[1], block[2]
		ran[kind]++
		switch kind {
		case "setup":
		case "server":
			flags := strings.Fields(strings.TrimPrefix(commands, "iamserver "))
			cmd := program(t.Context(), t, append(flags, "--listen", "127.0.0.1:0", "--admin-listen", "")...)
			cmd.Dir = sh.dir
			run(t, cmd)
		case "denied":
			output, status := sh.run(commands)
			require.NotZero(t, status, commands)
			require.Contains(t, output, "with an explicit deny in an authorization plugin")
		default:
			output := sh.must("set -e\n" + commands + "set +e")
			require.NotContains(t, strings.ToLower(output), "error", commands)
		}
	}
	require.Equal(t, map[string]int{"setup": 1, "server": 1, "denied": 1, "": 7}, ran)
}
