package rootcreds_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/rootcreds"
)

const (
	secretA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	secretB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

var (
	rootA = rootcreds.Credentials{AccessKeyID: "AKIAROOTA", SecretAccessKey: secretA}
	rootB = rootcreds.Credentials{AccessKeyID: "AKIAROOTB", SecretAccessKey: secretB}
)

func TestFirstStartMakesRootEnv(t *testing.T) {
	c := config(t)
	c.Fresh = true
	root, err := rootcreds.Open(c)
	require.NoError(t, err)
	path := filepath.Join(c.Dir, "root.env")
	require.Equal(t, &rootcreds.Root{
		Credentials: rootcreds.Credentials{
			AccessKeyID:     "AKIAAAAQEAYEAUDAOCAJ",
			SecretAccessKey: "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",
		},
		Source:  rootcreds.Source(path),
		Created: true,
	}, root)
	require.Equal(t, `# The root credentials of this iamserver, and where to reach it. Whoever has
# them may do everything: keep this file to yourself (mode 0600). To use them:
#   source root.env
# iamserver reads the two keys from here when it starts, and keeps the rest of
# the file in step with its configuration. New keys: iamserver root reset
export AWS_ACCESS_KEY_ID='AKIAAAAQEAYEAUDAOCAJ'
export AWS_SECRET_ACCESS_KEY='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'
export AWS_DEFAULT_REGION='us-east-1'
export AWS_REGION='us-east-1'
export AWS_ENDPOINT_URL='http://127.0.0.1:8333'
export AWS_ENDPOINT='http://127.0.0.1:8333'
export AWS_DATA_PATH='/var/lib/iamserver/awscli'
unset AWS_SESSION_TOKEN AWS_PROFILE
`, readFile(t, path))
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())

	for _, fresh := range []bool{false, true} {
		c.Fresh, c.Rand = fresh, iotest.ErrReader(errors.New("no new credentials are needed"))
		again, err := rootcreds.Open(c)
		require.NoError(t, err)
		require.Equal(t, &rootcreds.Root{Credentials: root.Credentials, Source: root.Source}, again)
	}
}

func TestNewCredentialsHaveTheFormOfAWS(t *testing.T) {
	seen := map[string]bool{}
	random := rand.NewChaCha8([32]byte{})
	for range 100 {
		c := config(t)
		c.Fresh, c.Rand = true, random
		root, err := rootcreds.Open(c)
		require.NoError(t, err)
		require.Regexp(t, `^AKIA[A-Z2-7]{16}$`, root.Credentials.AccessKeyID)
		require.Regexp(t, `^[A-Za-z0-9+/]{40}$`, string(root.Credentials.SecretAccessKey))
		seen[root.Credentials.AccessKeyID] = true
		seen[string(root.Credentials.SecretAccessKey)] = true
	}
	require.Len(t, seen, 200)
}

func TestOfManyFirstStartsOneMakesTheCredentials(t *testing.T) {
	dir := t.TempDir()
	roots := make([]*rootcreds.Root, 16)
	var group sync.WaitGroup
	for i := range roots {
		c := config(t)
		c.Dir, c.Fresh, c.Rand = dir, true, rand.NewChaCha8([32]byte{byte(i)})
		group.Go(func() { roots[i], _ = rootcreds.Open(c) })
	}
	group.Wait()

	stored, err := rootcreds.Parse([]byte(readFile(t, filepath.Join(dir, "root.env"))))
	require.NoError(t, err)
	created := 0
	for _, root := range roots {
		if root == nil {
			continue // it was overtaken, and stops
		}
		require.Equal(t, stored, root.Credentials)
		if root.Created {
			created++
		}
	}
	require.Equal(t, 1, created)
}

func TestWithoutRandomnessThereAreNoCredentials(t *testing.T) {
	c := config(t)
	c.Fresh, c.Rand = true, bytes.NewReader(make([]byte, 39))
	_, err := rootcreds.Open(c)
	require.EqualError(t, err, "root credentials: make new ones: unexpected EOF")
	require.NoFileExists(t, filepath.Join(c.Dir, "root.env"))
}

func TestWhichCredentialsCount(t *testing.T) {
	const file, rootEnv = rootcreds.Source("FILE"), rootcreds.Source("ROOTENV")
	for _, tt := range []struct {
		name                  string
		env, file, rootEnv    *rootcreds.Credentials
		fresh                 bool
		want                  rootcreds.Root
		rootEnvIsKeptInStep   bool
		rootEnvExistsAfterAll bool
	}{
		{
			name: "root.env alone", rootEnv: &rootA,
			want:                rootcreds.Root{Credentials: rootA, Source: rootEnv},
			rootEnvIsKeptInStep: true,
		},
		{
			name: "the environment alone, which leaves nothing on disk", env: &rootA, fresh: true,
			want: rootcreds.Root{Credentials: rootA, Source: rootcreds.Environment},
		},
		{
			name: "the environment alone, with data present", env: &rootA,
			want: rootcreds.Root{Credentials: rootA, Source: rootcreds.Environment},
		},
		{
			name: "the file alone", file: &rootA, fresh: true,
			want: rootcreds.Root{Credentials: rootA, Source: file},
		},
		{
			name: "the environment before root.env", env: &rootA, rootEnv: &rootB,
			want: rootcreds.Root{Credentials: rootA, Source: rootcreds.Environment, Overruled: []rootcreds.Source{rootEnv}},
		},
		{
			name: "the file before root.env", file: &rootA, rootEnv: &rootB,
			want: rootcreds.Root{Credentials: rootA, Source: file, Overruled: []rootcreds.Source{rootEnv}},
		},
		{
			name: "the environment before the file", env: &rootA, file: &rootB,
			want: rootcreds.Root{Credentials: rootA, Source: rootcreds.Environment, Overruled: []rootcreds.Source{file}},
		},
		{
			name: "the environment before all others", env: &rootA, file: &rootB, rootEnv: &rootB,
			want: rootcreds.Root{Credentials: rootA, Source: rootcreds.Environment, Overruled: []rootcreds.Source{file, rootEnv}},
		},
		{
			name: "equal ones overrule nothing", env: &rootA, file: &rootA, rootEnv: &rootA,
			want:                rootcreds.Root{Credentials: rootA, Source: rootcreds.Environment},
			rootEnvIsKeptInStep: true,
		},
		{
			name: "another secret with the same id is another credential", env: &rootA, rootEnv: &rootcreds.Credentials{AccessKeyID: "AKIAROOTA", SecretAccessKey: secretB},
			want: rootcreds.Root{Credentials: rootA, Source: rootcreds.Environment, Overruled: []rootcreds.Source{rootEnv}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config(t)
			c.Fresh = tt.fresh
			path := filepath.Join(c.Dir, "root.env")
			paths := strings.NewReplacer("FILE", filepath.Join(c.Dir, "given.env"), "ROOTENV", path)
			if tt.env != nil {
				c.Getenv = environment(tt.env.AccessKeyID, string(tt.env.SecretAccessKey))
			}
			if tt.file != nil {
				c.File = filepath.Join(c.Dir, "given.env")
				writeFile(t, c.File, exports(*tt.file))
			}
			if tt.rootEnv != nil {
				writeFile(t, path, exports(*tt.rootEnv))
			}
			tt.want.Source = rootcreds.Source(paths.Replace(string(tt.want.Source)))
			for i, source := range tt.want.Overruled {
				tt.want.Overruled[i] = rootcreds.Source(paths.Replace(string(source)))
			}

			root, err := rootcreds.Open(c)
			require.NoError(t, err)
			require.Equal(t, &tt.want, root)
			switch {
			case tt.rootEnv == nil:
				require.NoFileExists(t, path)
			case tt.rootEnvIsKeptInStep:
				require.Contains(t, readFile(t, path), "AWS_ENDPOINT_URL='http://127.0.0.1:8333'")
			default:
				require.Equal(t, exports(*tt.rootEnv), readFile(t, path))
			}
			if tt.file != nil {
				require.Equal(t, exports(*tt.file), readFile(t, c.File))
			}
		})
	}
}

func TestRootEnvFollowsTheConfiguration(t *testing.T) {
	c := config(t)
	c.Fresh = true
	root, err := rootcreds.Open(c)
	require.NoError(t, err)
	path := filepath.Join(c.Dir, "root.env")
	before := readFile(t, path)

	c.Fresh = false
	c.Client = rootcreds.Client{Listen: "192.0.2.7:443", TLS: true, Region: "eu-west-1", ModelDir: "/it's here"}
	again, err := rootcreds.Open(c)
	require.NoError(t, err)
	require.Equal(t, root.Credentials, again.Credentials)
	require.Equal(t, strings.NewReplacer(
		"http://127.0.0.1:8333", "https://192.0.2.7:443", "us-east-1", "eu-west-1", "'/var/lib/iamserver/awscli'", `'/it'\''s here'`,
	).Replace(before), readFile(t, path))
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())

	_, err = rootcreds.Open(c)
	require.NoError(t, err)
	unchanged, err := os.Lstat(path)
	require.NoError(t, err)
	require.True(t, os.SameFile(info, unchanged), "a file that is right is not written again")
}

func TestEndpointURL(t *testing.T) {
	for _, tt := range []struct {
		name, listen string
		tls          bool
		want         string
	}{
		{"an address", "192.0.2.7:8333", false, "http://192.0.2.7:8333"},
		{"with TLS", "192.0.2.7:8333", true, "https://192.0.2.7:8333"},
		{"a name", "iam.example.com:443", true, "https://iam.example.com:443"},
		{"no host, which is every address", ":8333", false, "http://127.0.0.1:8333"},
		{"the IPv4 wildcard", "0.0.0.0:8333", false, "http://127.0.0.1:8333"},
		{"the IPv6 wildcard", "[::]:8333", true, "https://127.0.0.1:8333"},
		{"the IPv6 wildcard in another form", "[0:0::0]:8333", false, "http://127.0.0.1:8333"},
		{"the IPv4 wildcard within IPv6", "[::ffff:0.0.0.0]:8333", false, "http://127.0.0.1:8333"},
		{"IPv6 loopback", "[::1]:8333", false, "http://[::1]:8333"},
		{"an IPv6 address with a zone", "[fe80::1%eth0]:8333", false, "http://[fe80::1%25eth0]:8333"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config(t)
			c.Fresh, c.Client.Listen, c.Client.TLS = true, tt.listen, tt.tls
			_, err := rootcreds.Open(c)
			require.NoError(t, err)
			content := readFile(t, filepath.Join(c.Dir, "root.env"))
			require.Contains(t, content, "\nexport AWS_ENDPOINT_URL='"+tt.want+"'\nexport AWS_ENDPOINT='"+tt.want+"'\n")
		})
	}
}

func TestReset(t *testing.T) {
	c := config(t)
	path := filepath.Join(c.Dir, "root.env")
	for _, tt := range []struct {
		name    string
		prepare func()
	}{
		{"nothing there", func() {}},
		{"other credentials", func() { writeFile(t, path, exports(rootA)) }},
		{"a damaged file", func() { writeFile(t, path, "export AWS_ACC") }},
		{"a file that others may read", func() { require.NoError(t, os.Chmod(path, 0o644)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.prepare()
			c.Rand = counting()
			root, err := rootcreds.Reset(c)
			require.NoError(t, err)
			want := rootcreds.Credentials{AccessKeyID: "AKIAAAAQEAYEAUDAOCAJ", SecretAccessKey: "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"}
			require.Equal(t, &rootcreds.Root{Credentials: want, Source: rootcreds.Source(path), Created: true}, root)
			opened, err := rootcreds.Open(c)
			require.NoError(t, err)
			require.Equal(t, &rootcreds.Root{Credentials: want, Source: rootcreds.Source(path)}, opened)
		})
	}

	before := readFile(t, path)
	c.Getenv = environment("AKIAROOTA", secretA)
	_, err := rootcreds.Reset(c)
	require.EqualError(t, err, "reset root credentials: they come from the environment (IAMSERVER_ROOT_ACCESS_KEY_ID) and are changed there")
	c.Getenv, c.File = environment("", ""), filepath.Join(c.Dir, "given.env")
	writeFile(t, c.File, exports(rootA))
	_, err = rootcreds.Reset(c)
	require.EqualError(t, err, "reset root credentials: they come from "+c.File+" and are changed there")
	require.Equal(t, before, readFile(t, path))
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, c *rootcreds.Config, rootEnv string)
		want    string
	}{
		{
			"a missing root.env with data present",
			func(*testing.T, *rootcreds.Config, string) {},
			"ROOTENV does not exist; restore it, set IAMSERVER_ROOT_ACCESS_KEY_ID and IAMSERVER_ROOT_SECRET_ACCESS_KEY, or make new credentials with: iamserver root reset",
		},
		{
			"a root.env that others may read",
			func(t *testing.T, _ *rootcreds.Config, rootEnv string) {
				t.Helper()
				writeFile(t, rootEnv, exports(rootA))
				require.NoError(t, os.Chmod(rootEnv, 0o640))
			},
			`ROOTENV has mode 0640 and may be read by others; run: chmod 600 "ROOTENV"`,
		},
		{
			"a root.env that others may read, though the environment counts",
			func(t *testing.T, c *rootcreds.Config, rootEnv string) {
				t.Helper()
				c.Getenv = environment("AKIAROOTA", secretA)
				writeFile(t, rootEnv, exports(rootA))
				require.NoError(t, os.Chmod(rootEnv, 0o640))
			},
			`ROOTENV has mode 0640 and may be read by others; run: chmod 600 "ROOTENV"`,
		},
		{
			"a root.env that is a symbolic link",
			func(t *testing.T, _ *rootcreds.Config, rootEnv string) {
				t.Helper()
				writeFile(t, rootEnv+".target", exports(rootA))
				require.NoError(t, os.Symlink(rootEnv+".target", rootEnv))
			},
			`ROOTENV is a symbolic link; give the path of the file itself`,
		},
		{
			"a truncated root.env",
			func(t *testing.T, _ *rootcreds.Config, rootEnv string) {
				t.Helper()
				writeFile(t, rootEnv, exports(rootA)[:80])
			},
			`ROOTENV: line 2: it is not of the form export NAME='value'`,
		},
		{
			"an empty root.env in a fresh directory",
			func(t *testing.T, c *rootcreds.Config, rootEnv string) {
				t.Helper()
				c.Fresh = true
				writeFile(t, rootEnv, "")
			},
			`ROOTENV: there is no AWS_ACCESS_KEY_ID`,
		},
		{
			"a credentials file that is not there",
			func(_ *testing.T, c *rootcreds.Config, rootEnv string) {
				c.Fresh, c.File = true, rootEnv+".given"
			},
			`open ROOTENV.given: no such file or directory`,
		},
		{
			"a credentials file that others may read",
			func(t *testing.T, c *rootcreds.Config, rootEnv string) {
				t.Helper()
				c.Fresh, c.File = true, rootEnv+".given"
				writeFile(t, c.File, exports(rootA))
				require.NoError(t, os.Chmod(c.File, 0o604))
			},
			`ROOTENV.given has mode 0604 and may be read by others; run: chmod 600 "ROOTENV.given"`,
		},
		{
			"an id without a secret in the environment",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Getenv = environment("AKIAROOTA", "") },
			"of IAMSERVER_ROOT_ACCESS_KEY_ID and IAMSERVER_ROOT_SECRET_ACCESS_KEY only one is set; set both or neither",
		},
		{
			"a secret without an id in the environment",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Getenv = environment("", secretA) },
			"of IAMSERVER_ROOT_ACCESS_KEY_ID and IAMSERVER_ROOT_SECRET_ACCESS_KEY only one is set; set both or neither",
		},
		{
			"an id that is too short",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Getenv = environment("abc", secretA) },
			"the environment (IAMSERVER_ROOT_ACCESS_KEY_ID): the access key id is not 4 to 128 letters and digits",
		},
		{
			"an id that is too long",
			func(_ *testing.T, c *rootcreds.Config, _ string) {
				c.Getenv = environment(strings.Repeat("a", 129), secretA)
			},
			"the environment (IAMSERVER_ROOT_ACCESS_KEY_ID): the access key id is not 4 to 128 letters and digits",
		},
		{
			"the two exchanged",
			func(_ *testing.T, c *rootcreds.Config, _ string) {
				c.Getenv = environment(secretA+"/+", "AKIAROOTA")
			},
			"the environment (IAMSERVER_ROOT_ACCESS_KEY_ID): the access key id is not 4 to 128 letters and digits",
		},
		{
			"the id of temporary credentials",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Getenv = environment("ASIAROOT", secretA) },
			"the environment (IAMSERVER_ROOT_ACCESS_KEY_ID): the access key id begins with ASIA or ABIA, which are kept for temporary credentials and service accounts",
		},
		{
			"the id of a service account",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Getenv = environment("ABIAROOT", secretA) },
			"the environment (IAMSERVER_ROOT_ACCESS_KEY_ID): the access key id begins with ASIA or ABIA, which are kept for temporary credentials and service accounts",
		},
		{
			"a secret that is too short",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Getenv = environment("AKIAROOTA", "aaaaaaa") },
			"the environment (IAMSERVER_ROOT_ACCESS_KEY_ID): the secret access key is not 8 to 128 printable ASCII characters without space",
		},
		{
			"a secret with a line feed",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Getenv = environment("AKIAROOTA", secretA+"\n") },
			"the environment (IAMSERVER_ROOT_ACCESS_KEY_ID): the secret access key is not 8 to 128 printable ASCII characters without space",
		},
		{
			"a listen address without port",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Client.Listen = "127.0.0.1" },
			`the listen address "127.0.0.1" is not host:port`,
		},
		{
			"a listen address with a line feed",
			func(_ *testing.T, c *rootcreds.Config, _ string) {
				c.Client.Listen = "a'\nexport AWS_ENDPOINT_URL='mallory:1"
			},
			`"a'\nexport AWS_ENDPOINT_URL='mallory:1" holds a control character`,
		},
		{
			"a relative model directory",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Client.ModelDir = "iamdata/awscli" },
			`the path of the AWS CLI model, "iamdata/awscli", is not absolute`,
		},
		{
			"a model directory with a line feed",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Client.ModelDir = "/a\nb" },
			`"/a\nb" holds a control character`,
		},
		{
			"no region",
			func(_ *testing.T, c *rootcreds.Config, _ string) { c.Client.Region = "" },
			`there is no region`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config(t)
			path := filepath.Join(c.Dir, "root.env")
			tt.prepare(t, &c, path)
			_, err := rootcreds.Open(c)
			require.EqualError(t, err, "root credentials: "+strings.ReplaceAll(tt.want, "ROOTENV", path))
			require.NotContains(t, err.Error(), "aaaaaaa")
		})
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	root := &rootcreds.Root{Credentials: rootA, Source: rootcreds.Environment}
	var output bytes.Buffer
	slog.New(slog.NewTextHandler(&output, nil)).Info("root", "root", root, "secret", rootA.SecretAccessKey)
	slog.New(slog.NewJSONHandler(&output, nil)).Info("root", "root", root, "secret", rootA.SecretAccessKey)
	marshalled, err := json.Marshal(root)
	require.NoError(t, err)
	output.Write(marshalled)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%!"} {
		fmt.Fprintf(&output, verb, rootA.SecretAccessKey)
		fmt.Fprintf(&output, verb, rootA)
		fmt.Fprintf(&output, verb, root)
		fmt.Fprintf(&output, verb, map[rootcreds.SecretAccessKey]any{rootA.SecretAccessKey: rootA})
	}
	require.Contains(t, output.String(), "REDACTED")
	require.NotContains(t, output.String(), "aaaaaaa")
	require.NotContains(t, strings.ToLower(output.String()), "616161616161")
	require.Equal(t, "REDACTED REDACTED", rootA.SecretAccessKey.String()+" "+rootA.SecretAccessKey.GoString())
}

// config is that of a start with data present.
func config(t *testing.T) rootcreds.Config {
	t.Helper()
	return rootcreds.Config{
		Dir:    t.TempDir(),
		Getenv: environment("", ""),
		Client: rootcreds.Client{Listen: "127.0.0.1:8333", Region: "us-east-1", ModelDir: "/var/lib/iamserver/awscli"},
		Rand:   counting(),
	}
}

// counting yields the bytes 0 to 39.
func counting() *bytes.Reader {
	b := make([]byte, 40)
	for i := range b {
		b[i] = byte(i)
	}
	return bytes.NewReader(b)
}

func environment(id, secret string) func(string) string {
	return func(name string) string {
		return map[string]string{"IAMSERVER_ROOT_ACCESS_KEY_ID": id, "IAMSERVER_ROOT_SECRET_ACCESS_KEY": secret}[name]
	}
}

func exports(c rootcreds.Credentials) string {
	secret := strings.ReplaceAll(string(c.SecretAccessKey), "'", `'\''`)
	return "export AWS_ACCESS_KEY_ID='" + c.AccessKeyID + "'\nexport AWS_SECRET_ACCESS_KEY='" + secret + "'\n"
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
