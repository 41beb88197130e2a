package replay_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/replay"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

func now() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

type plainSealer struct{}

func (plainSealer) Seal(secret []byte, _, _ string) ([]byte, error) { return secret, nil }
func (plainSealer) Open(sealed []byte, _, _ string) ([]byte, error) { return sealed, nil }

const secret = "the secret of root"

// target is an empty account over HTTP; before sees each request.
func target(t *testing.T, before func(action string)) replay.Config {
	t.Helper()
	s, err := server.Open(t.Context(), server.Config{
		Store: memory.Open(), Sealer: plainSealer{}, Account: "123456789012", Now: now,
		Root: server.RootKey{AccessKeyID: "AKIAROOT", SecretAccessKey: secret},
	})
	require.NoError(t, err)
	handler := s.Handler()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before != nil {
			body := new(strings.Builder)
			r.Body = &tee{r.Body, body}
			handler.ServeHTTP(w, r)
			form, err := url.ParseQuery(body.String())
			if err == nil {
				before(form.Get("Action"))
			}
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, s.Close())
	})
	return replay.Config{
		Endpoint: web.URL, Now: now, Levels: conformance.Levels(),
		Credentials: replay.Credentials{AccessKeyID: "AKIAROOT", SecretAccessKey: secret},
	}
}

type tee struct {
	body interface {
		Read([]byte) (int, error)
		Close() error
	}
	to *strings.Builder
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	t.to.Write(p[:n])
	return n, err
}

func (t *tee) Close() error { return t.body.Close() }

const head = "A case of the test is here.\nlevel: aws\nactions: CreateUser\nnames: alice, group, pol\nsource: the test\n"

// parse reads cases from what stands after their heads.
func parse(t *testing.T, steps ...string) []*conformance.Case {
	t.Helper()
	files := fstest.MapFS{}
	for i, s := range steps {
		files["case"+string(rune('a'+i))+".txtar"] = &fstest.MapFile{Data: []byte(head + s)}
	}
	cases, err := conformance.Load(files)
	require.NoError(t, err)
	return cases
}

const everything = `-- 1.request --
Action=CreateUser&UserName={{alice}}
-- 1.response --
200
-- 2.request --
Action=CreateGroup&GroupName={{group}}
-- 2.response --
200
-- 3.request --
Action=AddUserToGroup&GroupName={{group}}&UserName={{alice}}
-- 3.response --
200
-- 4.request --
Action=CreatePolicy&PolicyName={{pol}}&PolicyDocument={{text policy.json}}
-- 4.response --
200
-- 5.request --
Action=AttachUserPolicy&UserName={{alice}}&PolicyArn=arn%3Aaws%3Aiam%3A%3A{{account}}%3Apolicy%2F{{pol}}
-- 5.response --
200
-- 6.request --
Action=AttachGroupPolicy&GroupName={{group}}&PolicyArn=arn%3Aaws%3Aiam%3A%3A{{account}}%3Apolicy%2F{{pol}}
-- 6.response --
200
-- 7.request --
Action=PutUserPolicy&UserName={{alice}}&PolicyName=p&PolicyDocument={{text policy.json}}
-- 7.response --
200
-- 8.request --
Action=PutGroupPolicy&GroupName={{group}}&PolicyName=p&PolicyDocument={{text policy.json}}
-- 8.response --
200
-- 9.request --
Action=CreateAccessKey&UserName={{alice}}
-- 9.response --
200
-- 10.request --
Action=CreateServiceAccount&ParentUser={{alice}}
-- 10.response --
200
-- 11.request --
Action=CreatePolicyVersion&PolicyArn=arn%3Aaws%3Aiam%3A%3A{{account}}%3Apolicy%2F{{pol}}&PolicyDocument={{text policy.json}}
-- 11.response --
200
-- 12.request --
Action=UpdateUser&UserName={{alice}}&NewUserName={{upper alice}}-new
-- 12.response --
200
-- policy.json --
{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
`

const failing = "-- 13.request --\nAction=GetUser&UserName={{alice}}\n-- 13.response --\n200\n"

// Nothing is left of a case, whether it passed, failed, or was interrupted.
func TestCleanUp(t *testing.T) {
	failed := strings.Replace(everything, "-- policy.json --", failing+"-- policy.json --", 1)
	for _, tt := range []struct {
		name, steps string
		interrupt   string // the action after which the run is interrupted
		want        replay.Outcome
	}{
		{"a case that passed", everything, "", replay.Passed},
		{"a case that failed", failed, "", replay.Failed},
		{"a case that was interrupted", everything, "CreateServiceAccount", replay.Skipped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			config := target(t, func(action string) {
				if action == tt.interrupt {
					interrupt()
				}
			})
			runner, err := replay.New(t.Context(), config)
			require.NoError(t, err)
			results, err := runner.Run(ctx, parse(t, tt.steps))
			require.Equal(t, tt.interrupt != "", err != nil)
			require.Equal(t, tt.want, results[0].Outcome, results[0].Reason)
			require.Empty(t, results[0].Left)
			_, err = replay.New(t.Context(), config)
			require.NoError(t, err, "something is left")
		})
	}
}

// Inline policies go before what they belong to, which some targets delete
// without them.
func TestCleanUpDeletesInlinePoliciesFirst(t *testing.T) {
	var seen []string
	config := target(t, func(action string) { seen = append(seen, action) })
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	seen = nil
	results, err := runner.Run(t.Context(), parse(t, `-- 1.request --
Action=CreateGroup&GroupName={{group}}
-- 1.response --
200
-- 2.request --
Action=PutGroupPolicy&GroupName={{group}}&PolicyName=p&PolicyDocument={{text policy.json}}
-- 2.response --
200
-- policy.json --
{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
`))
	require.NoError(t, err)
	require.Equal(t, replay.Passed, results[0].Outcome)
	require.Equal(t, []string{"CreateGroup", "PutGroupPolicy", "ListGroupPolicies", "DeleteGroupPolicy", "DeleteGroup"}, seen)
}

// A target that others use is refused, and what they made is never touched.
func TestExisting(t *testing.T) {
	config := target(t, nil)
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	others := runner.NewSession(0, parse(t, everything)[0])
	for _, step := range parse(t, everything)[0].Steps[:11] {
		sent, err := others.Request(t.Context(), step)
		require.NoError(t, err)
		answer, err := others.Send(sent)
		require.NoError(t, err)
		require.Equal(t, 200, answer.Status(), "%s", answer.Body())
	}

	_, err = replay.New(t.Context(), config)
	require.ErrorIs(t, err, replay.ErrExisting)

	config.AllowExisting = true
	runner, err = replay.New(t.Context(), config)
	require.NoError(t, err)
	results, err := runner.Run(t.Context(), parse(t, everything, strings.Replace(everything, "-- policy.json --", failing+"-- policy.json --", 1)))
	require.NoError(t, err)
	require.Equal(t, []replay.Outcome{replay.Passed, replay.Failed}, []replay.Outcome{results[0].Outcome, results[1].Outcome})
	// What was there is there still, whole.
	require.Empty(t, others.CleanUp(t.Context()))
	config.AllowExisting = false
	_, err = replay.New(t.Context(), config)
	require.NoError(t, err)
}

// A case that reads or changes the whole account is left out where others are.
func TestSerialOnExisting(t *testing.T) {
	config := target(t, nil)
	config.AllowExisting = true
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	c := parse(t, "-- 1.request --\nAction=GetAccountSummary\n-- 1.response --\n200\n")[0]
	c.Serial = true
	results, err := runner.Run(t.Context(), []*conformance.Case{c})
	require.NoError(t, err)
	require.Equal(t, replay.Skipped, results[0].Outcome)
	require.Equal(t, "it needs an account to itself", results[0].Reason)
}

// Secrets are in no result, though the answer that differs has one.
func TestSecretsAreHidden(t *testing.T) {
	runner, err := replay.New(t.Context(), target(t, nil))
	require.NoError(t, err)
	results, err := runner.Run(t.Context(), parse(t, `-- 1.request --
Action=CreateUser&UserName={{alice}}
-- 1.response --
200
-- 2.request --
Action=CreateAccessKey&UserName={{alice}}
-- 2.response --
201
`))
	require.NoError(t, err)
	require.Equal(t, replay.Failed, results[0].Outcome)
	require.Contains(t, results[0].Answer, "<SecretAccessKey>SECRET</SecretAccessKey>")
	require.NotContains(t, results[0].Request, secret)
}

// Differences say what was expected, what was answered, where, and why it matters.
func TestCompare(t *testing.T) {
	const xmlns = ` xmlns="https://iam.amazonaws.com/doc/2010-05-08/"`
	for _, tt := range []struct {
		name, want, got string
		differences     []replay.Difference
	}{
		{"the same", "<A><B>1</B><C>2</C></A>", "<A><C>2</C><B>1</B></A>", nil},
		{
			"an element that is missing", "<A><B>1</B></A>", "<A/>",
			[]replay.Difference{{Step: 1, Where: "/A/B", Want: "1", Got: "nothing", Why: "SDKs show a member that is absent as null"}},
		},
		{
			"an element that is not expected", "<A><B>1</B></A>", "<A><B>1</B><C>2</C></A>",
			[]replay.Difference{{Step: 1, Where: "/A/C", Want: "nothing", Got: `"2"`, Why: "what AWS does not answer here may tell more than it should, or upset strict parsers"}},
		},
		{"an element that may be there", "<A><B>1</B>{{more}}</A>", "<A><B>1</B><C>2</C></A>", nil},
		{"an element that may be missing", "<A><B>1</B><C>{{optional}}2</C></A>", "<A><B>1</B></A>", nil},
		{
			"an element that may be missing, with another value", "<A><C>{{optional}}2</C></A>", "<A><C>3</C></A>",
			[]replay.Difference{{Step: 1, Where: "/A/C", Want: `"{{optional}}2"`, Got: `"3"`, Why: "programs act on the value"}},
		},
		{
			"an element that must not be there", "<A><B>{{absent}}</B>{{more}}</A>", "<A><B>1</B></A>",
			[]replay.Difference{{Step: 1, Where: "/A/B", Want: "nothing", Got: `"1"`, Why: "what AWS does not answer here may tell more than it should, or upset strict parsers"}},
		},
		{
			"a list in another order", "<A><member>1</member><member>2</member></A>", "<A><member>2</member><member>1</member></A>",
			[]replay.Difference{
				{Step: 1, Where: "/A[1]/member", Want: `"1"`, Got: `"2"`, Why: "programs act on the value"},
				{Step: 1, Where: "/A[2]/member", Want: `"2"`, Got: `"1"`, Why: "programs act on the value"},
			},
		},
		{"members among others", "<A>{{more}}<member>2</member></A>", "<A><member>1</member><member>2</member></A>", nil},
		{
			"a member that is not among others", "<A>{{more}}<member>3</member></A>", "<A><member>1</member><member>2</member></A>",
			[]replay.Difference{{Step: 1, Where: "/A/member", Want: "<member>3</member>\n", Got: "2 others", Why: "programs take the list for complete and correct"}},
		},
		{
			"another namespace", "<A" + xmlns + ">1</A>", "<A>1</A>",
			[]replay.Difference{{Step: 1, Where: "/A xmlns", Want: `"https://iam.amazonaws.com/doc/2010-05-08/"`, Got: `""`, Why: "clients that check namespaces take it for something else"}},
		},
		{"no namespace asked for", "<A>1</A>", "<A" + xmlns + ">1</A>", nil},
		{"an id", "<A>{{id AIDA}}</A>", "<A>AIDAJQABLZS4A3QDU576Q</A>", nil},
		{
			"an id of something else", "<A>{{id AIDA}}</A>", "<A>AGPAJQABLZS4A3QDU576Q</A>",
			[]replay.Difference{{Step: 1, Where: "/A", Want: `"{{id AIDA}}"`, Got: `"AGPAJQABLZS4A3QDU576Q"`, Why: "programs act on the value"}},
		},
		{"a date", "<A>{{date}}</A>", "<A>2026-03-04T05:06:07Z</A>", nil},
		{"a date with a fraction", "<A>{{date}}</A>", "<A>2026-03-04T05:06:07.5Z</A>", nil},
		{
			"a date that is none of ISO 8601's", "<A>{{date}}</A>", "<A>2026-03-04 05:06:07</A>",
			[]replay.Difference{{Step: 1, Where: "/A", Want: `"{{date}}"`, Got: `"2026-03-04 05:06:07"`, Why: "programs act on the value"}},
		},
		{"a capture that stands twice", "<A><B>{{b:any}}</B><C>{{b}}</C></A>", "<A><B>1</B><C>1</C></A>", nil},
		{
			"a sentence", "<ErrorResponse><Error><Message>no</Message></Error></ErrorResponse>", "<ErrorResponse><Error><Message>No.</Message></Error></ErrorResponse>",
			[]replay.Difference{{Step: 1, Where: "/ErrorResponse/Error/Message", Want: `"no"`, Got: `"No."`, Why: "people read it, and some programs search it", Sentence: true}},
		},
		{
			"no XML", "<A/>", "oops",
			[]replay.Difference{{Step: 1, Where: "body", Want: "XML", Got: `"oops"`, Why: "clients cannot read what is no XML"}},
		},
		{"a document", "<A>{{document p.json}}</A>", "<A>%7B%22a%22%3A%22b%20c%22%7D%0A</A>", nil},
		{
			"a document that is not encoded", "<A>{{document p.json}}</A>", "<A>{\"a\":\"b c\"}\n</A>",
			[]replay.Difference{{Step: 1, Where: "/A", Want: `percent-encoded "{\"a\":\"b c\"}\n"`, Got: `"{\"a\":\"b c\"}\n"`, Why: "programs act on the value"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if _, err := w.Write([]byte(tt.got)); err != nil {
					t.Error(err)
				}
			}))
			defer web.Close()
			runner, err := replay.New(t.Context(), replay.Config{
				Endpoint: web.URL, Now: now, Levels: conformance.Levels(), Profile: &replay.Profile{Account: "123456789012", WithoutActions: []string{"List*"}},
				Credentials: replay.Credentials{AccessKeyID: "a", SecretAccessKey: secret},
			})
			require.NoError(t, err)
			c := parse(t, "-- 1.request --\nAction=GetUser\n-- 1.response --\n200\n"+tt.want+"\n-- p.json --\n{\"a\":\"b c\"}\n")
			results, err := runner.Run(t.Context(), c)
			require.NoError(t, err)
			require.Equal(t, tt.differences, results[0].Differences)
			require.Equal(t, len(tt.differences) == 0, results[0].Outcome == replay.Passed)
		})
	}
}

// Where no answer in particular is expected, the target must have understood
// the request all the same.
func TestAccepted(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   replay.Outcome
	}{
		{"success", 200, "<A/>", replay.Passed},
		{"what is named is not there", 404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>", replay.Passed},
		{"a complaint about a parameter", 400, "<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>", replay.Failed},
		{"an action that the target does not have", 400, "<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>", replay.Failed},
		{"a method that it does not have", 405, "", replay.Failed},
		{"a failure", 500, "<ErrorResponse><Error><Code>ServiceFailure</Code></Error></ErrorResponse>", replay.Failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, err := w.Write([]byte(tt.body))
				assert.NoError(t, err)
			}))
			defer web.Close()
			runner, err := replay.New(t.Context(), replay.Config{
				Endpoint: web.URL, Now: now, Levels: conformance.Levels(), Profile: &replay.Profile{Account: "123456789012", WithoutActions: []string{"List*"}},
			})
			require.NoError(t, err)
			results, err := runner.Run(t.Context(), parse(t, "-- 1.request --\nAction=GetUser\n-- 1.response --\naccepted\n"))
			require.NoError(t, err)
			require.Equal(t, tt.want, results[0].Outcome, results[0].Differences)
		})
	}
}

func TestParseProfile(t *testing.T) {
	for _, name := range []string{"aws", "ceph-rgw", "ceph-rgw-16", "iamserver", "localstack", "minio", "moto", "seaweedfs", "versitygw"} {
		data, err := conformance.Profile(name)
		require.NoError(t, err)
		p, err := replay.ParseProfile(data)
		require.NoError(t, err)
		require.Equal(t, name, p.Name)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"no name", "description: x", "profile: there is no name"},
		{"an unknown key", "name: x\ncolour: blue", "profile: yaml: unmarshal errors:\n  line 2: field colour not found in type replay.Profile"},
		{"a need that is none", "name: x\nwithout: [luck]", `profile: there is no need "luck"`},
		{"a clock that is none", "name: x\nclock: late", `profile: clock: time: invalid duration "late"`},
		{"a quirk without its reason", "name: x\nquirks: [{where: /A}]", `profile: the quirk at "/A" needs where and reason`},
		{"a quirk that matches nothing", "name: x\nquirks: [{where: '[', reason: x}]", `profile: quirk "[": syntax error in pattern`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := replay.ParseProfile([]byte(tt.text))
			require.EqualError(t, err, tt.want)
		})
	}
}
