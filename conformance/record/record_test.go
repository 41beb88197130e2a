package record_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/record"
	"iamserver/conformance/replay"
	"iamserver/generated/awscli"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

type plainSealer struct{}

func (plainSealer) Seal(secret []byte, _, _ string) ([]byte, error) { return secret, nil }
func (plainSealer) Open(sealed []byte, _, _ string) ([]byte, error) { return sealed, nil }

var root = replay.Credentials{AccessKeyID: "AKIAROOT", SecretAccessKey: "the secret of root"}

// open serves an empty account on a clock.
func open(t *testing.T, now func() time.Time) string {
	t.Helper()
	s, err := server.Open(t.Context(), server.Config{
		Store: memory.Open(), Sealer: plainSealer{}, Account: "123456789012", Now: now,
		Root: server.RootKey{AccessKeyID: root.AccessKeyID, SecretAccessKey: root.SecretAccessKey},
	})
	require.NoError(t, err)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, s.Close())
	})
	return web.URL
}

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       []string
	}{
		{"words", "aws iam  list-users", []string{"aws", "iam", "list-users"}},
		{"quoted space", `aws 'a b' "c d"`, []string{"aws", "a b", "c d"}},
		{"quotes inside a word", `Key='a b',Value=c`, []string{"Key=a b,Value=c"}},
		{"quotes in other quotes", `'say "hi"'`, []string{`say "hi"`}},
		{"an empty word", `aws ''`, []string{"aws", ""}},
		{"lines", "aws iam\n  list-users\n", []string{"aws", "iam", "list-users"}},
		{"nothing", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := record.Words(tt.line)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
	_, err := record.Words("aws 'open")
	require.EqualError(t, err, "a quotation mark is not closed")
}

func answer(status int, body string) record.Exchange {
	return record.Exchange{Method: "POST", Target: "/", Status: status, Header: http.Header{}, Answer: []byte(body)}
}

// What differs from run to run, and what is secret, does not get into a case.
func TestCase(t *testing.T) {
	const xmlns = ` xmlns="https://iam.amazonaws.com/doc/2010-05-08/"`
	created := answer(200, "<CreateUserResponse"+xmlns+"><CreateUserResult><User><UserName>Alice.Smith</UserName><UserId>AIDAJQABLZS4A3QDU576Q</UserId>"+
		"<Arn>arn:aws:iam::111122223333:user/Alice.Smith</Arn><CreateDate>2026-03-04T05:06:07Z</CreateDate></User></CreateUserResult>"+
		"<ResponseMetadata><RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId></ResponseMetadata></CreateUserResponse>")
	created.Body = "Action=CreateUser&Version=2010-05-08&UserName=Alice.Smith"
	key := answer(200, "<CreateAccessKeyResponse"+xmlns+"><CreateAccessKeyResult><AccessKey><AccessKeyId>AKIAIOSFODNN7EXAMPLE</AccessKeyId>"+
		"<SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>")
	key.Body = "Action=CreateAccessKey&Version=2010-05-08&UserName=Alice.Smith&SecretAccessKey=hush%20hush"
	self := answer(403, "<ErrorResponse"+xmlns+"><Error><Message>User: arn:aws:iam::111122223333:user/Alice.Smith is not authorized</Message></Error></ErrorResponse>")
	self.Body = "Action=ListUsers&Version=2010-05-08"
	self.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260304/us-east-1/iam/aws4_request, …")
	policy := answer(200, "<PutUserPolicyResponse"+xmlns+"/>")
	policy.Body = "Action=PutUserPolicy&Version=2010-05-08&UserName=Alice.Smith&PolicyName=p&PolicyDocument=%7B%7D%0A"

	c, err := (&record.Recording{
		Name: "recorded", Sentence: "A user is recorded.", Level: conformance.AWS, Source: "the test",
		Exchanges: []record.Exchange{created, key, self, policy},
		Commands:  []string{"aws iam create-user --user-name Alice.Smith", "aws iam create-access-key --user-name Alice.Smith --secret-access-key 'hush hush'", "", ""},
		Texts:     map[string]string{"policy.json": "{}\n"},
	}).Case()
	require.NoError(t, err)
	require.Equal(t, `A user is recorded.

level: aws
actions: CreateUser, CreateAccessKey, ListUsers, PutUserPolicy
names: alices
source: the test
-- 1.command --
aws iam create-user --user-name {{alices}}
-- 1.request --
Action=CreateUser&Version=2010-05-08&UserName={{alices}}
-- 1.response --
200
<CreateUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <CreateUserResult>
    <User>
      <UserName>{{alices}}</UserName>
      <UserId>{{id AIDA}}</UserId>
      <Arn>arn:aws:iam::{{account}}:user/{{alices}}</Arn>
      <CreateDate>{{date}}</CreateDate>
    </User>
  </CreateUserResult>
  <ResponseMetadata>
    <RequestId>{{any}}</RequestId>
  </ResponseMetadata>
</CreateUserResponse>
-- 2.command --
aws iam create-access-key --user-name {{alices}} --secret-access-key 'an invented secret'
-- 2.request --
Action=CreateAccessKey&Version=2010-05-08&UserName={{alices}}&SecretAccessKey=an%20invented%20secret
-- 2.response --
200
<CreateAccessKeyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <CreateAccessKeyResult>
    <AccessKey>
      <AccessKeyId>{{key2:id AKIA}}</AccessKeyId>
      <SecretAccessKey>{{secretkey2:any}}</SecretAccessKey>
    </AccessKey>
  </CreateAccessKeyResult>
</CreateAccessKeyResponse>
-- 3.request --
Action=ListUsers&Version=2010-05-08
-- 3.sign --
access-key-id: {{key2}}
secret-access-key: {{secretkey2}}
-- 3.response --
403
<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <Error>
    <Message>User: arn:aws:iam::{{account}}:user/{{alices}} is not authorized</Message>
  </Error>
</ErrorResponse>
-- 4.request --
Action=PutUserPolicy&Version=2010-05-08
UserName={{alices}}
PolicyName=p
PolicyDocument={{text policy.json}}
-- 4.response --
200
<PutUserPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"/>
-- policy.json --
{}
`, string(conformance.Format(c)))
}

// The proxy hands on what the client signed, and takes down both sides.
func TestProxy(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
	proxy, err := record.NewProxy(open(t, now))
	require.NoError(t, err)
	front := httptest.NewServer(proxy)
	defer front.Close()
	_, err = replay.New(t.Context(), replay.Config{Endpoint: front.URL, Credentials: root, Now: now})
	require.NoError(t, err)
	said := proxy.Take()
	require.Equal(t, "Action=GetCallerIdentity&Version=2011-06-15", said[0].Body)
	require.Equal(t, 200, said[0].Status)
	require.Contains(t, string(said[0].Answer), "<Arn>arn:aws:iam::123456789012:root</Arn>")
	require.Empty(t, proxy.Take())
}

// tool returns the path of a program that a test needs, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("IAMSERVER_REQUIRE_TOOLS") != "" {
			t.Fatalf("%s is missing", name)
		}
		t.Skipf("%s is missing", name)
	}
	return path
}

// models writes the AWS CLI model of the extensions.
func models(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, awscli.FS))
	_, err := os.Stat(filepath.Join(dir, "iam"))
	require.NoError(t, err)
	return dir
}

// The AWS CLI sends what is recorded, and reads what is answered. It takes
// minutes, so it is for those who ask: CONFORMANCE_DRIFT=sample has a case for
// each action, all has all of them. A newer CLI may send something else, which
// is logged and no failure, unless it sends nothing.
func TestDrift(t *testing.T) {
	ask := os.Getenv("CONFORMANCE_DRIFT")
	if ask == "" {
		t.Skip("CONFORMANCE_DRIFT is neither sample nor all")
	}
	cli := record.CLI{Path: tool(t, "aws"), Models: models(t), Region: "us-east-1"}
	cases, err := conformance.Written()
	require.NoError(t, err)
	if ask != "all" {
		cases = sample(cases)
	}
	endpoint := open(t, time.Now)                                                                      //nolint:forbidigo // the AWS CLI signs with the clock of the machine
	config := replay.Config{Endpoint: endpoint, Credentials: root, Now: time.Now, AllowExisting: true} //nolint:forbidigo // as above
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	proxy, err := record.NewProxy(endpoint)
	require.NoError(t, err)
	front := httptest.NewServer(proxy)
	defer front.Close()
	cli.Endpoint = front.URL
	for i, c := range cases {
		session := runner.NewSession(i, c)
		_, findings, err := record.Commands(t.Context(), c, session, cli, proxy)
		require.Empty(t, session.CleanUp(context.WithoutCancel(t.Context())))
		require.NoError(t, err, c.Name)
		for _, f := range findings {
			require.Empty(t, f.Answer, "%s, step %d", f.Case, f.Step)
			t.Logf("%s, step %d: %s\nrecorded %s\nsends    %s", f.Case, f.Step, f.Command, f.Recorded, f.Sends)
		}
	}
}

// sample chooses few cases whose commands have every action that any has: it
// takes the shortest case with an action that is not there yet.
func sample(cases []*conformance.Case) []*conformance.Case {
	cases = slices.Clone(cases)
	slices.SortStableFunc(cases, func(a, b *conformance.Case) int { return len(a.Steps) - len(b.Steps) })
	have := map[string]bool{}
	var chosen []*conformance.Case
	for _, c := range cases {
		if c.Serial || strings.HasPrefix(c.Name, "sigv4/") {
			continue
		}
		adds := false
		for _, s := range c.Steps {
			if !s.Command.Empty() && s.Response.Status == 200 && !have[s.Request.Action()] {
				have[s.Request.Action()], adds = true, true
			}
		}
		if adds {
			chosen = append(chosen, c)
		}
	}
	return chosen
}
