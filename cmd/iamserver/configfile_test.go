package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
)

// parse reads a command line with a configuration file.
func parse(t *testing.T, file string, arguments ...string) (*commands, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "iamserver.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	var c commands
	parser, err := kong.New(&c, options(&process{stdout: io.Discard, stderr: io.Discard})...)
	require.NoError(t, err)
	_, err = parser.Parse(append([]string{"--config", path}, arguments...))
	return &c, err
}

func TestConfigurationFile(t *testing.T) {
	defaults, err := parse(t, "")
	require.NoError(t, err)
	for _, tt := range []struct {
		name      string
		file      string
		arguments []string
		change    func(*serveCommand) // of the defaults
	}{
		{"an empty file changes nothing", "", nil, func(*serveCommand) {}},
		{"a setting of the default command", "listen: 0.0.0.0:8333", nil, func(c *serveCommand) { c.Listen = "0.0.0.0:8333" }},
		{"the command may be named", "listen: 0.0.0.0:8333", []string{"serve"}, func(c *serveCommand) { c.Listen = "0.0.0.0:8333" }},
		{"an account id keeps its zeros", "account-id: 000000000012", nil, func(c *serveCommand) { c.AccountID = "000000000012" }},
		{"off is the word off", "self-service: off", nil, func(c *serveCommand) { c.SelfService = "off" }},
		{"a list", "accept-region: [us-east-1, eu-west-1]", nil, func(c *serveCommand) { c.AcceptRegion = []string{"us-east-1", "eu-west-1"} }},
		{"a map", "quota:\n  AccessKeysPerUserQuota: 5\n  GroupsPerUserQuota: 7", nil, func(c *serveCommand) {
			c.Quota = map[string]int{"AccessKeysPerUserQuota": 5, "GroupsPerUserQuota": 7}
		}},
		{"none, where that is the meaning", `admin-listen: ""`, nil, func(c *serveCommand) { c.AdminListen = "" }},
		{"a flag wins over the file", "region: eu-west-1", []string{"--region", "eu-west-2"}, func(c *serveCommand) { c.Region = "eu-west-2" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.file, tt.arguments...)
			require.NoError(t, err)
			want := defaults.Serve
			tt.change(&want)
			require.Equal(t, want, got.Serve)
		})
	}
	t.Run("the environment wins over the file", func(t *testing.T) {
		t.Setenv("IAMSERVER_REGION", "eu-west-2")
		got, err := parse(t, "region: eu-west-1")
		require.NoError(t, err)
		require.Equal(t, "eu-west-2", got.Serve.Region)
	})
	t.Run("the environment may name the file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "iamserver.yaml")
		require.NoError(t, os.WriteFile(path, []byte("region: eu-west-1"), 0o600))
		t.Setenv("IAMSERVER_CONFIG", path)
		var c commands
		parser, err := kong.New(&c, options(&process{stdout: io.Discard, stderr: io.Discard})...)
		require.NoError(t, err)
		_, err = parser.Parse(nil)
		require.NoError(t, err)
		require.Equal(t, "eu-west-1", c.Serve.Region)
	})
	t.Run("another command takes what it has", func(t *testing.T) {
		got, err := parse(t, "data: /srv/iam\nself-service: off", "root", "reset")
		require.NoError(t, err)
		require.Equal(t, "/srv/iam", got.Root.Reset.Data)
	})
	t.Run("the example of the reference is a configuration file", func(t *testing.T) {
		reference, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
		require.NoError(t, err)
		example := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(reference)
		require.NotNil(t, example)
		got, err := parse(t, string(example[1]))
		require.NoError(t, err)
		want := defaults.Serve
		want.Listen, want.Data, want.AuditLog = "0.0.0.0:8333", "/var/lib/iamserver", "/var/log/iamserver/audit.log"
		want.Quota = map[string]int{"AccessKeysPerUserQuota": 5}
		require.Equal(t, want, got.Serve)
	})
}

// A mistake in the file must not look as if the setting were in force.
func TestConfigurationFileIsRefused(t *testing.T) {
	for _, tt := range []struct{ name, file, message string }{
		{"a misspelt name", "self_service: off\nlisten: 0.0.0.0:8333\nnonsense: 1", `there is no setting nonsense, self_service`},
		{"a flag that is for the command line alone", "plugin-config: 60", `there is no setting plugin-config`},
		{"a secret of root", "root-secret-access-key: x", `there is no setting root-secret-access-key`},
		{"a name without a value", "region: us-east-1\naudit-log:", `line 2: audit-log: it has no value`},
		{"a setting twice", "region: a\nregion: b", `already defined`},
		{"a list of lists", "accept-region: [[a]]", `line 1: accept-region: its elements must be plain values`},
		{"a value that has no place in a list", "accept-region: ['a,b']", `line 1: accept-region: its elements must be plain values`},
		{"no map at all", "- listen", `cannot unmarshal`},
		{"a word that is none of the choices", "self-service: maybe", `--self-service must be one of "on","off" but got "maybe"`},
		{"a word where a number belongs", "quota: {AccessKeysPerUserQuota: many}", `invalid map value "many"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(t, tt.file)
			require.ErrorContains(t, err, tt.message)
		})
	}
}

// Every name that the reference lists is known to the quotas.
func TestQuotas(t *testing.T) {
	want := iamapi.DefaultQuotas()
	want.AccessKeysPerUserQuota = 5
	got, err := quotas(map[string]int{"AccessKeysPerUserQuota": 5})
	require.NoError(t, err)
	require.Equal(t, &want, got)
	_, err = quotas(map[string]int{"AccessKeys": 5})
	require.ErrorContains(t, err, "there is no quota AccessKeys; there are ")
	_, err = quotas(map[string]int{"AccessKeysPerUserQuota": -1})
	require.ErrorContains(t, err, "AccessKeysPerUserQuota cannot be negative")
}
