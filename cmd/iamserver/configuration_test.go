package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md")

// The reference of the configuration is what the flags say.
func TestConfigurationReferenceIsCurrent(t *testing.T) {
	var c commands
	parser, err := kong.New(&c, options(&process{})...)
	require.NoError(t, err)
	want := configurationReference(parser.Model)
	path := filepath.Join("..", "..", "docs", "configuration.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644)) //nolint:gosec // documentation is for everyone
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "go test ./cmd/iamserver -update rewrites it")
}

const configurationHead = `# Configuration

Every setting is a flag, an environment variable, and a key in the YAML file that ` + "`--config FILE`" + ` names; a flag wins over
the environment, and both win over the file. Keys of the file are the names of the flags without the dashes in front:

` + "```yaml" + `
listen: 0.0.0.0:8333
data: /var/lib/iamserver
audit-log: /var/log/iamserver/audit.log
quota:
  AccessKeysPerUserQuota: 5
` + "```" + `

Secrets are never flags. These come from the environment alone:

| variable | meaning |
| --- | --- |
| ` + "`IAMSERVER_ROOT_ACCESS_KEY_ID`, `IAMSERVER_ROOT_SECRET_ACCESS_KEY`" + ` | root's credentials, instead of those in ` + "`root.env`" + ` |
| ` + "`IAMSERVER_MASTER_KEY`" + ` | the keyset that seals secrets, base64 of what ` + "`master.key`" + ` holds, instead of that file |

## Plugins

The file alone has ` + "`plugins`" + `, a list of WebAssembly modules that the server asks; [plugins.md](plugins.md) says how to write and
use them. A name that is none of these is an error, and a plugin that cannot be loaded stops the start.

` + "```yaml" + `
plugins:
  - name: office-hours              # in logs, metrics and the audit log
    path: office-hours.wasm         # relative to the folder of this file
    sha256: f7e0275a87a94e77499c27a1df06af3bc6a2a4c7c9ce530a93f74feb4c724e73
    hooks: [authorize]              # of authorize, validate_policy, generate_access_key
    config: 60                      # any value; the plugin gets it as JSON
    filter:                         # what authorize is asked about; all by default
      actions: ["s3:Get*", "iam:*"]
      resource_prefixes: ["arn:aws:s3:::finance/"]
      principal_types: [IAMUser, ServiceAccount]
    on_error: deny                  # or abstain: what a failure of authorize means
    may_grant: false                # whether authorize may allow what no policy allows
    include_root: false             # whether authorize is asked about root's IAM actions
    isolation: pooled               # or fresh: a new instance for each question of authorize
    allow_supplied: false           # whether callers may bring keys of the generator's shape
    secret_source: host             # or plugin: who makes secret access keys
    limits:                         # 0, or none, is the default
      authorize_fuel: 5000000
      authorize_time: 10ms
      validate_fuel: 100000000
      validate_time: 200ms
      generate_fuel: 20000000
      generate_time: 50ms
      init_fuel: 500000000
      init_time: 1s
      memory_pages: 256             # of 64 KiB
      instances: 0
      authorize_input: 65536        # bytes
      other_input: 262144
      calls: 1000000                # of one instance
` + "```" + `

## Signals

SIGHUP opens the audit log and the certificate anew, and reads ` + "`plugins`" + ` again; a change of the file or of a module is
noticed within two seconds as well. A module that changed is loaded once the file has its new hash; what cannot be loaded
leaves everything as it was. SIGTERM and SIGINT let running requests finish.
`

func configurationReference(app *kong.Application) string {
	var b strings.Builder
	b.WriteString(configurationHead)
	writeFlags(&b, "Everywhere", "", app.Flags)
	for _, leaf := range app.Leaves(true) {
		writeFlags(&b, "iamserver "+strings.TrimPrefix(leaf.FullPath(), "iamserver "), leaf.Help, leaf.Flags)
	}
	fmt.Fprintf(&b, "\n## Quotas\n\n%s\n", "Names for `--quota`, with their defaults in [actions.md](actions.md): "+strings.Join(quotaNames(), ", ")+".")
	return b.String()
}

func writeFlags(b *strings.Builder, title, help string, flags []*kong.Flag) {
	fmt.Fprintf(b, "\n## %s\n", title)
	if help != "" {
		fmt.Fprintf(b, "\n%s\n", help)
	}
	if len(flags) == 0 {
		return
	}
	b.WriteString("\n| flag | environment | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, f := range flags {
		fallback := ""
		if f.HasDefault && f.Default != "" {
			fallback = "`" + f.Default + "`"
		}
		var environment []string
		for _, name := range f.Envs {
			environment = append(environment, "`"+name+"`")
		}
		fmt.Fprintf(b, "| `--%s` | %s | %s | %s |\n", f.Name, strings.Join(environment, ", "), fallback, strings.ReplaceAll(f.Help, "|", `\|`))
	}
}
