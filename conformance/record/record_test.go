package record_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/objects"
	"iamserver/conformance/record"
	"iamserver/conformance/replay"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

type plainSealer struct{}

func (plainSealer) Seal(secret []byte, _, _ string) ([]byte, error) { return secret, nil }
func (plainSealer) Open(sealed []byte, _, _ string) ([]byte, error) { return sealed, nil }

var root = replay.Credentials{AccessKeyID: "AKIAROOT", SecretAccessKey: "the secret of root"}

// open serves an empty account on a clock, with a store without buckets.
func open(t *testing.T, now func() time.Time) string {
	t.Helper()
	s, err := server.Open(t.Context(), server.Config{
		Store: memory.Open(), Sealer: plainSealer{}, Account: "123456789012", Now: now,
		Root: server.RootKey{AccessKeyID: root.AccessKeyID, SecretAccessKey: root.SecretAccessKey},
		S3:   &server.S3{Operations: objects.Operations()},
	})
	require.NoError(t, err)
	web := httptest.NewServer(s.Authorize(objects.New()))
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
	header := http.Header{"Content-Type": {conformance.FormType}, "User-Agent": {"aws-cli/1.45.11 md/Botocore#1.43.11 ua/2.1"}}
	return record.Exchange{Method: "POST", Target: "/", Status: status, Header: header, Answer: []byte(body)}
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
		Name: "recorded", Sentence: "A user is recorded.", Level: conformance.AWS, Sources: []string{"the test"},
		Exchanges: []record.Exchange{created, key, self, policy},
		Commands:  []string{"aws iam create-user --user-name Alice.Smith", "aws iam create-access-key --user-name Alice.Smith --secret-access-key 'hush hush'", "", ""},
		Texts:     map[string]string{"policy.json": "{}\n"},
	}).Case()
	require.NoError(t, err)
	require.Equal(t, `A user is recorded.

level: aws
actions: CreateUser, CreateAccessKey, ListUsers, PutUserPolicy
recorded: aws-cli/1
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

// No secret of AWS gets into a case, in whatever parameter, option or element.
func TestSecrets(t *testing.T) {
	login := answer(200, "<CreateLoginProfileResponse/>")
	login.Body = "Action=CreateLoginProfile&Version=2010-05-08&UserName=a&Password=hush"
	change := answer(200, "<ChangePasswordResponse/>")
	change.Body = "Action=ChangePassword&OldPassword=hush&Version=2010-05-08&NewPassword=hush"
	assume := answer(200, "<AssumeRoleResponse><Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>hush</SessionToken></Credentials></AssumeRoleResponse>")
	assume.Body = "Action=AssumeRole&Version=2011-06-15"
	service := answer(200, "<R><ServicePassword>hush</ServicePassword><Base32StringSeed>hush</Base32StringSeed><QRCodePNG>hush</QRCodePNG></R>")
	service.Body = "Action=CreateServiceSpecificCredential&Version=2010-05-08"
	c, err := (&record.Recording{
		Name: "secrets", Sentence: "Nothing is secret here.", Level: conformance.AWS, Sources: []string{"the test"},
		Exchanges: []record.Exchange{login, change, assume, service},
		Commands:  []string{"aws iam create-login-profile --user-name a --password hush", "aws iam change-password --old-password=hush --new-password 'hush'", "", ""},
	}).Case()
	require.NoError(t, err)
	require.NotContains(t, string(conformance.Format(c)), "hush")
}

// The proxy hands on what the client signed, and takes down both sides.
func TestProxy(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
	proxy, err := record.NewProxy(open(t, now), nil)
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

// Neither a request nor an answer is too long for the proxy's memory, and nothing
// is cut short.
func TestProxyIsBounded(t *testing.T) {
	long := strings.Repeat("x", 9<<20)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, long) // the proxy hangs up
	}))
	defer web.Close()
	proxy, err := record.NewProxy(web.URL, nil)
	require.NoError(t, err)
	for body, want := range map[string]int{long: http.StatusRequestEntityTooLarge, "": http.StatusBadGateway} {
		w := httptest.NewRecorder()
		proxy.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
		require.Equal(t, want, w.Code)
	}
	require.Empty(t, proxy.Take())
}

// Clients may be recorded at the same time: nothing is lost or mixed up.
func TestProxyOfManyClients(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, r.Body)
		assert.NoError(t, err)
	}))
	defer web.Close()
	proxy, err := record.NewProxy(web.URL, nil)
	require.NoError(t, err)
	var clients sync.WaitGroup
	want := map[string]bool{}
	for i := range 50 {
		body := fmt.Sprintf("Action=%d", i)
		want[body] = true
		clients.Go(func() {
			w := httptest.NewRecorder()
			proxy.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
			assert.Equal(t, body, w.Body.String())
		})
	}
	clients.Wait()
	got := map[string]bool{}
	for _, e := range proxy.Take() {
		require.Equal(t, e.Body, string(e.Answer))
		got[e.Body] = true
	}
	require.Equal(t, want, got)
}

// What a proxy with a signer hands on is signed for the endpoint, whoever signed
// it; keys that the endpoint makes stay those that their requests are signed with.
func TestProxySignsAnew(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
	proxy, err := record.NewProxy(open(t, now), &record.Signer{Credentials: root, Now: now})
	require.NoError(t, err)
	front := httptest.NewServer(proxy)
	defer front.Close()
	stranger := replay.Credentials{AccessKeyID: "AKIASTRANGER", SecretAccessKey: "a secret that the endpoint does not know"}
	story := `A user asks who it is.

level: aws
actions: GetCallerIdentity
names: alice
source: the test
-- 1.request --
Action=CreateUser&Version=2010-05-08&UserName={{alice}}
-- 1.response --
200
-- 2.request --
Action=CreateAccessKey&Version=2010-05-08&UserName={{alice}}
-- 2.response --
200
<CreateAccessKeyResponse>
  <CreateAccessKeyResult>
    <AccessKey>
      <AccessKeyId>{{key:id AKIA}}</AccessKeyId>
      <SecretAccessKey>{{secret:any}}</SecretAccessKey>
      {{more}}
    </AccessKey>
  </CreateAccessKeyResult>
  {{more}}
</CreateAccessKeyResponse>
-- 3.request --
Action=GetCallerIdentity&Version=2011-06-15
-- 3.sign --
access-key-id: {{key}}
secret-access-key: {{secret}}
clock: -3h
-- 3.response --
200
<GetCallerIdentityResponse>
  <GetCallerIdentityResult>
    <Arn>arn:aws:iam::{{account}}:user/{{alice}}</Arn>
    {{more}}
  </GetCallerIdentityResult>
  {{more}}
</GetCallerIdentityResponse>
-- 4.request --
Action=GetCallerIdentity&Version=2011-06-15
-- 4.response --
200
<GetCallerIdentityResponse>
  <GetCallerIdentityResult>
    <Arn>arn:aws:iam::123456789012:root</Arn>
    {{more}}
  </GetCallerIdentityResult>
  {{more}}
</GetCallerIdentityResponse>
-- 5.request --
Action=GetCallerIdentity&Version=2011-06-15
-- 5.sign --
none: true
-- 5.response --
403
-- 6.request --
GET /?Action=GetCallerIdentity&Version=2011-06-15
-- 6.sign --
presign: 5m
-- 6.response --
502
`
	c, err := conformance.Parse("story.txtar", []byte(story))
	require.NoError(t, err)
	runner, err := replay.New(t.Context(), replay.Config{Endpoint: front.URL, Credentials: stranger, Now: now})
	require.NoError(t, err)
	results, err := runner.Run(t.Context(), []*conformance.Case{c})
	require.NoError(t, err)
	require.Equal(t, replay.Passed, results[0].Outcome, "%+v", results[0])
	require.Empty(t, results[0].Left)
	for _, e := range proxy.Take() {
		require.NotContains(t, e.Header.Get("Authorization"), stranger.AccessKeyID)
	}
}

// The client is taken from what it calls itself.
func TestClient(t *testing.T) {
	for _, tt := range []struct{ agent, want string }{
		{"aws-cli/1.45.11 md/Botocore#1.43.11 ua/2.1 os/linux", "aws-cli/1"},
		{"aws-cli/2.9.19 Python/3.11.2 Linux/6.1 source/x86_64.debian.12 prompt/off command/iam.list-users", "aws-cli/2"},
		{"Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1", "boto3/1"},
		{"aws-sdk-go-v2/1.48.0 ua/2.1 os/linux lang/go#1.26.0", "aws-sdk-go-v2/1"},
		{"curl/8.5.0", ""},
	} {
		e := record.Exchange{Header: http.Header{"User-Agent": {tt.agent}}}
		require.Equal(t, tt.want, e.Client(), tt.agent)
	}
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
