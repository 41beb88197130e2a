package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/conformance/replay"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

type plainSealer struct{}

func (plainSealer) Seal(secret []byte, _, _ string) ([]byte, error) { return secret, nil }
func (plainSealer) Open(sealed []byte, _, _ string) ([]byte, error) { return sealed, nil }

// open serves an empty account and puts its address into the environment.
func open(t *testing.T) {
	t.Helper()
	s, err := server.Open(t.Context(), server.Config{
		Store: memory.Open(), Sealer: plainSealer{}, Account: "123456789012", Now: now,
		Root: server.RootKey{AccessKeyID: "AKIAROOT", SecretAccessKey: "the secret of root"},
	})
	require.NoError(t, err)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, s.Close())
	})
	t.Setenv("AWS_ENDPOINT_URL", web.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAROOT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "the secret of root")
	t.Setenv("AWS_REGION", "us-east-1")
}

// call runs iamconform and returns its exit code and what it printed.
func call(t *testing.T, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	exit = run(context.WithoutCancel(t.Context()), args, &out, &errs)
	return exit, out.String(), errs.String()
}

const wrong = `A user has a name that nobody gave it.

level: aws
actions: CreateUser
names: alice
source: the test
-- 1.request --
Action=CreateUser&Version=2010-05-08&UserName={{alice}}
-- 1.response --
201
`

func TestRun(t *testing.T) {
	open(t)
	results := filepath.Join(t.TempDir(), "results.json")
	exit, stdout, stderr := call(t, "run", "--case", "users/*", "--level", "core,aws,extension,strict", "--out", results, "--name", "ours")
	require.Equal(t, 0, exit, stdout+stderr)
	require.Regexp(t, `(?m)^\d+ passed, 0 failed, 0 skipped$`, stdout)

	exit, stdout, stderr = call(t, "report", results)
	require.Equal(t, 0, exit, stderr)
	require.Contains(t, stdout, "| action | ours |")
	exit, stdout, stderr = call(t, "sample", results, "--seed", "1", "--written")
	require.Equal(t, 0, exit, stderr)
	require.Equal(t, "| target | case | where | expected | got |\n|---|---|---|---|---|\n", stdout, "nothing failed")
	page := filepath.Join(t.TempDir(), "matrix.html")
	exit, _, stderr = call(t, "report", results, "--html", page, "--junit", page+".xml")
	require.Equal(t, 0, exit, stderr)
	require.FileExists(t, page)
	require.FileExists(t, page+".xml")

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "wrong.txtar"), []byte(wrong), 0o600))
	exit, stdout, stderr = call(t, "run", "--dir", dir)
	require.Equal(t, 1, exit, stderr)
	require.Equal(t, `FAIL wrong: A user has a name that nobody gave it.
  step 1, status: clients decide by the status whether it worked and whether to try again
    want 201
    got  200
  sent: POST / Action=CreateUser&Version=2010-05-08&UserName=NAME
  source: the test
0 passed, 1 failed, 0 skipped
`, regexp.MustCompile("conf[a-z0-9]{6}00000alice").ReplaceAllString(stdout, "NAME"))

	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a flag that is none", []string{"run", "--colour"}, "iamconform: unknown flag --colour"},
		{"a level that is none", []string{"run", "--level", "high"}, `iamconform: --level must be one of "core","aws","extension","strict" but got "high"`},
		{"a case that is none", []string{"run", "--case", "nothing/*"}, "iamconform: no case is called nothing/*"},
		{"a profile that is none", []string{"run", "--profile", "nobody"}, "iamconform: open nobody: no such file or directory"},
		{"an endpoint that is not there", []string{"run", "--endpoint", "http://127.0.0.1:1"}, "connection refused"},
		{"a secret that is wrong", []string{"run", "--secret-access-key", "x"}, "iamconform: who is calling: GetCallerIdentity answered 403 SignatureDoesNotMatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			exit, _, stderr := call(t, tt.args...)
			require.Equal(t, 2, exit)
			require.Contains(t, stderr, tt.want)
		})
	}
}

func TestShow(t *testing.T) {
	exit, stdout, stderr := call(t, "show", "--case", "generated/CreateUser/UserName_maxLength_beyond")
	require.Equal(t, 0, exit, stderr)
	require.Equal(t, `CreateUser refuses a UserName of 65 characters.

level: aws
actions: CreateUser
constraint: CreateUser UserName maxLength beyond
source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
-- 1.request --
Action=CreateUser&Version=2010-05-08&UserName={{name 65}}
-- 1.response --
400
<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <Error>
    <Type>Sender</Type>
    <Code>ValidationError</Code>
    <Message>1 validation error detected: Value{{any}}at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64</Message>
  </Error>
  <RequestId>{{any}}</RequestId>
</ErrorResponse>
`, stdout)
	exit, stdout, stderr = call(t, "list", "--case", "sts/*")
	require.Equal(t, 0, exit, stderr)
	require.Equal(t, "sts/get_caller_identity\taws\tThe caller learns who it is.\nsts/get_caller_identity_user\taws\tA user is shown with its path, and needs no policy for it.\n", stdout)
}

// Any client can be recorded, also one that does not have the endpoint's secret.
func TestRecord(t *testing.T) {
	open(t)
	exit, _, stderr := call(t, "record", "--listen", "127.0.0.1:0", "--out", "x", "--sentence", "It is none.", "--resign", "--secret-access-key", "")
	require.Equal(t, 2, exit)
	require.Equal(t, "iamconform: --resign needs --access-key-id and --secret-access-key\n", stderr)

	out := filepath.Join(t.TempDir(), "who.txtar")
	stop, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		ended <- run(stop, []string{"record", "--resign", "--listen", "127.0.0.1:0", "--out", out, "--sentence", "The caller is root.", "--source", "the test, at length"}, writer, &errs)
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	require.NoError(t, err)
	address := regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	_, err = replay.New(t.Context(), replay.Config{
		Endpoint: address, Now: now, Credentials: replay.Credentials{AccessKeyID: "AKIASTRANGER", SecretAccessKey: "of no use"},
		Profile: &replay.Profile{WithoutActions: []string{"List*"}},
	})
	require.NoError(t, err)
	interrupt()
	require.Equal(t, 0, <-ended, errs.String())
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, `The caller is root.

level: aws
actions: GetCallerIdentity
source: the test, at length
-- 1.request --
Action=GetCallerIdentity&Version=2011-06-15
-- 1.response --
200
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <UserId>{{account}}</UserId>
    <Account>{{account}}</Account>
    <Arn>arn:aws:iam::{{account}}:root</Arn>
  </GetCallerIdentityResult>
  <ResponseMetadata>
    <RequestId>{{any}}</RequestId>
  </ResponseMetadata>
</GetCallerIdentityResponse>
`, string(got))
}

func TestCoverage(t *testing.T) {
	exit, stdout, stderr := call(t, "coverage")
	require.Equal(t, 0, exit, stderr)
	require.Contains(t, stdout, "| CreateUser |")
	// Without the generated cases much is missing.
	exit, stdout, _ = call(t, "coverage", "--written")
	require.Equal(t, 1, exit)
	require.Contains(t, stdout, "missing: CreateUser: CreateUser UserName maxLength beyond\n")
}
