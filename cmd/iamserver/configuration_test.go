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

SIGHUP opens the audit log and the certificate anew. SIGTERM and SIGINT let running requests finish.
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
