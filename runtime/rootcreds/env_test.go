package rootcreds_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iamserver/runtime/rootcreds"
)

func TestParse(t *testing.T) {
	good := exports(rootA)
	for _, tt := range []struct {
		name, file string
		want       rootcreds.Credentials
	}{
		{"two lines", good, rootA},
		{"no line feed at the end", strings.TrimSuffix(good, "\n"), rootA},
		{"in the other order", "export AWS_SECRET_ACCESS_KEY='" + secretA + "'\nexport AWS_ACCESS_KEY_ID='AKIAROOTA'\n", rootA},
		{"with comments, empty lines and the rest", "# $(touch x)\n\n" + good + "export AWS_REGION=''\nunset AWS_SESSION_TOKEN AWS_PROFILE\n", rootA},
		{
			"what a shell would expand outside quotes",
			exports(rootcreds.Credentials{AccessKeyID: "AKIAROOTA", SecretAccessKey: "$(id)`id`\"\\$HOME;&|*~#!%"}),
			rootcreds.Credentials{AccessKeyID: "AKIAROOTA", SecretAccessKey: "$(id)`id`\"\\$HOME;&|*~#!%"},
		},
		{
			"a quote in the value",
			`export AWS_ACCESS_KEY_ID='AKIAROOTA'` + "\n" + `export AWS_SECRET_ACCESS_KEY=''\''a'\'''\''aaaaaaa'\'''` + "\n",
			rootcreds.Credentials{AccessKeyID: "AKIAROOTA", SecretAccessKey: "'a''aaaaaaa'"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := rootcreds.Parse([]byte(tt.file))
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	good := exports(rootA)
	const form = "it is not of the form export NAME='value'"
	for _, tt := range []struct {
		name, file, want string
	}{
		{"nothing", "", "there is no AWS_ACCESS_KEY_ID"},
		{"no secret", "export AWS_ACCESS_KEY_ID='AKIAROOTA'\n", "there is no AWS_SECRET_ACCESS_KEY"},
		{"no id", "export AWS_SECRET_ACCESS_KEY='" + secretA + "'\n", "there is no AWS_ACCESS_KEY_ID"},
		{"an empty secret", "export AWS_ACCESS_KEY_ID='AKIAROOTA'\nexport AWS_SECRET_ACCESS_KEY=''\n", "there is no AWS_SECRET_ACCESS_KEY"},
		{"no export", "AWS_ACCESS_KEY_ID='AKIAROOTA'\n", "line 1: " + form},
		{"a value without quotes", good + "export AWS_REGION=us-east-1\n", "line 3: " + form},
		{"a value in double quotes", good + `export AWS_REGION="us-east-1"` + "\n", "line 3: " + form},
		{"a quote that does not end", good + "export AWS_REGION='us-east-1\n", "line 3: " + form},
		{"a lone quote", good + "export AWS_REGION='\n", "line 3: " + form},
		{"no value", good + "export AWS_REGION\n", "line 3: " + form},
		{"a command after the value", good + "export AWS_REGION='x';id\n", "line 3: " + form},
		{"a command between two quotes", good + "export AWS_REGION='x'$(id)'y'\n", "line 3: " + form},
		{"a comment after the value", good + "export AWS_REGION='x' # here\n", "line 3: " + form},
		{"two variables on a line", good + "export AWS_REGION='x' AWS_ENDPOINT='y'\n", "line 3: " + form},
		{"spaces around the sign", good + "export AWS_REGION = 'x'\n", "line 3: " + form},
		{"an indented line", good + " export AWS_REGION='x'\n", "line 3: " + form},
		{"a line feed of another system", "export AWS_ACCESS_KEY_ID='AKIAROOTA'\r\n", "line 1: " + form},
		{"a zero byte", good + "export AWS_REGION='x\x00'\n", "line 3: " + form},
		{"a byte order mark", "\ufeff" + good, "line 1: " + form},
		{"the unset of something else", good + "unset PATH\n", "line 3: " + form},
		{"a variable that is not root.env's", good + "export LD_PRELOAD='x'\n", "line 3: the variable is not one that root.env has"},
		{"a variable twice", good + "export AWS_ACCESS_KEY_ID='AKIAROOTB'\n", "line 3: the variable is exported twice"},
		{"the secret where the name should be", "export " + secretA + "='x'\n", "line 1: the variable is not one that root.env has"},
		{"an id that is none", strings.Replace(good, "AKIAROOTA", "AKIA ROOT", 1), "the access key id is not 4 to 128 letters and digits"},
		{"a secret that is none", strings.Replace(good, secretA, "aaaaaaaaaa a", 1), "the secret access key is not 8 to 128 printable ASCII characters without space"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := rootcreds.Parse([]byte(tt.file))
			require.EqualError(t, err, tt.want)
			require.NotContains(t, err.Error(), "aaaaaaa")
			require.Equal(t, rootcreds.Credentials{}, got)
		})
	}
}

// TestEveryTruncationIsNoticed cuts a file where a full disk could have: what is
// left yields the credentials as they were, or none.
func TestEveryTruncationIsNoticed(t *testing.T) {
	c := config(t)
	c.Fresh = true
	root, err := rootcreds.Open(c)
	require.NoError(t, err)
	content := readFile(t, filepath.Join(c.Dir, "root.env"))
	for i := range content {
		if got, err := rootcreds.Parse([]byte(content[:i])); err == nil {
			require.Equal(t, root.Credentials, got, "cut to %d bytes", i)
		}
	}
}

// TestShellsReadWhatWeWrote sources root.env in the shells at hand.
func TestShellsReadWhatWeWrote(t *testing.T) {
	const script = `AWS_SESSION_TOKEN=old; AWS_PROFILE=old; export AWS_SESSION_TOKEN AWS_PROFILE; set -eu; . "$1"
env | grep '^AWS_' | LC_ALL=C sort`
	c := config(t)
	c.Fresh, c.Client.Listen, c.Client.ModelDir = true, "[::]:8333", `/it's "$(id)" \ é`
	root, err := rootcreds.Open(c)
	require.NoError(t, err)
	want := `AWS_ACCESS_KEY_ID=` + root.Credentials.AccessKeyID + `
AWS_DATA_PATH=/it's "$(id)" \ é
AWS_DEFAULT_REGION=us-east-1
AWS_ENDPOINT=http://127.0.0.1:8333
AWS_ENDPOINT_URL=http://127.0.0.1:8333
AWS_REGION=us-east-1
AWS_SECRET_ACCESS_KEY=` + string(root.Credentials.SecretAccessKey) + "\n"
	for _, shell := range []string{"sh", "bash", "dash", "zsh"} {
		t.Run(shell, func(t *testing.T) {
			require.Equal(t, want, source(t, shell, script, filepath.Join(c.Dir, "root.env")))
		})
	}
}

// TestParseAgreesWithTheShell: the server and whoever sources the file take the
// same secret from it, whatever is in it.
func TestParseAgreesWithTheShell(t *testing.T) {
	path := filepath.Join(t.TempDir(), "given.env")
	rapid.Check(t, func(rt *rapid.T) {
		secret := rapid.StringMatching("['\\\\$`\"!a]{8,12}").Draw(rt, "secret")
		file := exports(rootcreds.Credentials{AccessKeyID: "AKIAROOTA", SecretAccessKey: rootcreds.SecretAccessKey(secret)})
		writeFile(t, path, file)
		parsed, err := rootcreds.Parse([]byte(file))
		require.NoError(rt, err)
		require.Equal(rt, secret, string(parsed.SecretAccessKey))
		require.Equal(rt, secret, source(t, "sh", `. "$1"; printf %s "$AWS_SECRET_ACCESS_KEY"`, path))
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(exports(rootA)))
	f.Add([]byte("# c\n\nexport AWS_ACCESS_KEY_ID='AKIA1'\nexport AWS_SECRET_ACCESS_KEY=''\\''aaaaaaaa'\nunset AWS_SESSION_TOKEN AWS_PROFILE\n"))
	f.Add([]byte("export AWS_REGION=''\\'''\n"))
	f.Add([]byte("export AWS_REGION='a'b'c'\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		credentials, err := rootcreds.Parse(data)
		if err != nil {
			return
		}
		// What parses is also what would be written: each value stands in the
		// file in the one form that quoting gives it.
		for line := range strings.Lines(exports(credentials)) {
			require.Contains(t, strings.Split(string(data), "\n"), strings.TrimSuffix(line, "\n"))
		}
		again, err := rootcreds.Parse([]byte(exports(credentials)))
		require.NoError(t, err)
		require.Equal(t, credentials, again)
	})
}

// source runs script in shell with path as its first argument.
func source(t *testing.T, shell, script, path string) string {
	t.Helper()
	found, err := exec.LookPath(shell)
	if errors.Is(err, exec.ErrNotFound) && shell != "sh" {
		t.Skipf("%s is not installed", shell)
	}
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), found, "-c", script, shell, path)
	command.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
}
