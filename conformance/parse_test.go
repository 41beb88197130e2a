package conformance_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
)

// good is a case that uses most of the format.
const good = `A user sees itself.

level: aws
actions: CreateUser, GetUser
constraint: CreateUser UserName maxLength at
serial: true
needs: authentication, self-service
recorded: aws-cli/1, aws-cli/2
names: alice, long 64
source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
# Nothing is said of pages.
-- 1.command --
aws iam create-user --user-name {{alice}}
-- 1.request --
Action=CreateUser&Version=2010-05-08&UserName={{alice}}
-- 1.request aws-cli/2 --
Action=CreateUser&UserName={{alice}}
-- 1.response --
200
Content-Type: text/xml
<CreateUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <CreateUserResult>
    <User>
      <UserId>{{key:id AIDA}}</UserId>
      {{more}}
    </User>
  </CreateUserResult>
</CreateUserResponse>
-- 2.request --
GET /?Action=GetUser&Version=2010-05-08
Accept: */*
-- 2.sign --
access-key-id: {{key}}
clock: -20m0s
unsigned: X-Amz-Extra: 1
-- 2.response --
accepted
-- 3.request --
GET /bucket/key
-- 3.sign --
service: s3
-- 3.response --
200
Content-Length: 40

{{text policy.json}}
-- policy.json --
{"Version":"2012-10-17","Statement":[]}
`

func TestParse(t *testing.T) {
	got, err := conformance.Parse("users/self.txtar", []byte(good))
	require.NoError(t, err)
	variable := func(name string) conformance.Template {
		return conformance.Template{Parts: []conformance.Part{{Func: conformance.Var, Args: []string{name}}}}
	}
	after := func(text, name string) conformance.Template {
		return conformance.Template{Parts: append([]conformance.Part{{Text: text}}, variable(name).Parts...)}
	}
	const namespace = "https://iam.amazonaws.com/doc/2010-05-08/"
	id := conformance.Template{Parts: []conformance.Part{{Bind: "key", Func: "id", Args: []string{"AIDA"}}}}
	require.Equal(t, &conformance.Case{
		Name: "users/self", Sentence: "A user sees itself.", Level: conformance.AWS,
		Actions: []string{"CreateUser", "GetUser"}, Constraints: []string{"CreateUser UserName maxLength at"},
		Sources: []string{"https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html"}, Serial: true,
		Comments: []string{"# Nothing is said of pages."},
		Needs:    []conformance.Need{conformance.Authentication, conformance.SelfService},
		Recorded: []string{"aws-cli/1", "aws-cli/2"},
		Names:    []conformance.Name{{Label: "alice"}, {Label: "long", Length: 64}},
		Texts:    []conformance.Text{{Name: "policy.json", Content: conformance.Literal("{\"Version\":\"2012-10-17\",\"Statement\":[]}\n")}},
		Steps: []*conformance.Step{
			{
				Number: 1, Line: 12,
				Command: after("aws iam create-user --user-name ", "alice"),
				Request: &conformance.Request{
					Method: "POST", Target: conformance.Literal("/"),
					Headers: []conformance.Header{{Name: "Content-Type", Value: conformance.Literal(conformance.FormType)}},
					Body:    after("Action=CreateUser&Version=2010-05-08&UserName=", "alice"),
				},
				Others: []conformance.ClientRequest{{Client: "aws-cli/2", Request: &conformance.Request{
					Method: "POST", Target: conformance.Literal("/"),
					Headers: []conformance.Header{{Name: "Content-Type", Value: conformance.Literal(conformance.FormType)}},
					Body:    after("Action=CreateUser&UserName=", "alice"),
				}}},
				Response: &conformance.Response{
					Status:  200,
					Headers: []conformance.Header{{Name: "Content-Type", Value: conformance.Literal("text/xml")}},
					Body: &conformance.Element{Name: "CreateUserResponse", Namespace: namespace, Children: []*conformance.Element{
						{Name: "CreateUserResult", Namespace: namespace, Children: []*conformance.Element{
							{Name: "User", Namespace: namespace, More: true, Children: []*conformance.Element{
								{Name: "UserId", Namespace: namespace, Text: id},
							}},
						}},
					}},
				},
			},
			{
				Number: 2, Line: 29,
				Request: &conformance.Request{
					Method: "GET", Target: conformance.Literal("/?Action=GetUser&Version=2010-05-08"),
					Headers: []conformance.Header{{Name: "Accept", Value: conformance.Literal("*/*")}},
				},
				Sign: conformance.Sign{
					AccessKeyID: variable("key"), Clock: -20 * time.Minute,
					Unsigned: []conformance.Header{{Name: "X-Amz-Extra", Value: conformance.Literal("1")}},
				},
				Response: &conformance.Response{Accepted: true},
			},
			{
				Number: 3, Line: 38,
				Request: &conformance.Request{Method: "GET", Target: conformance.Literal("/bucket/key")},
				Sign:    conformance.Sign{Service: "s3"},
				Response: &conformance.Response{
					Status: 200, Headers: []conformance.Header{{Name: "Content-Length", Value: conformance.Literal("40")}},
					Text: conformance.Template{Parts: []conformance.Part{{Func: "text", Args: []string{"policy.json"}}}},
				},
			},
		},
	}, got)
	require.Equal(t, "CreateUser", got.Steps[0].Request.Action())
	require.Equal(t, "GetUser", got.Steps[1].Request.Action())
}

// Each mistake is refused with the line that it is on.
func TestParseRefuses(t *testing.T) {
	const head = "A user is created.\nlevel: aws\nactions: CreateUser\nnames: alice\nsource: here\n"
	const both = "A user is created.\nlevel: aws\nactions: CreateUser\nrecorded: aws-cli/1, aws-cli/2\nnames: alice\nsource: here\n"
	const request = "-- 1.request --\nAction=CreateUser&UserName={{alice}}\n"
	const response = "-- 1.response --\n200\n"
	for _, tt := range []struct{ name, text, want string }{
		{"no sentence", "level: aws\n", "f:1: the first line is a sentence, with its full stop"},
		{"no level", "A user is created.\nactions: A\nsource: x\n" + request, "f:1: there is no level: core, aws, extension, strict"},
		{"a level that is none", "A user is created.\nlevel: high\n", `f:2: there is no level "high": core, aws, extension, strict`},
		{"no actions", "A user is created.\nlevel: aws\nsource: x\n", "f:1: there are no actions"},
		{"no source", "A user is created.\nlevel: aws\nactions: A\n", "f:1: there is no source of the expectation"},
		{"prose in the header", "A user is created.\nlevel: aws\n\nand more\n", `f:4: "and more" is not key: value`},
		{"a property that is none", "A user is created.\nlevl: aws\n", `f:2: there is no property "levl"`},
		{"an action twice", "A user is created.\nactions: A, A\n", `f:2: "A" is no action, or stands twice`},
		{"serial that is not true", "A user is created.\nserial: yes\n", "f:2: serial is true, or left out"},
		{"a need that is none", "A user is created.\nneeds: luck\n", `f:2: there is no need "luck": authentication, authorization, self-service, s3`},
		{"a client that is none", "A user is created.\nrecorded: aws\n", `f:2: "aws" is no client such as aws-cli/2, or stands twice`},
		{"a request of a client that is not recorded", head + request + "-- 1.request aws-cli/2 --\nAction=B\n", "f:8: nothing is recorded of aws-cli/2"},
		{"a request of the first client", both + request + "-- 1.request aws-cli/1 --\nAction=B\n", "f:9: aws-cli/1 is recorded first: its request is that of the step"},
		{"a request of a client before that of the step", both + "-- 1.request aws-cli/2 --\nAction=B\n", "f:7: requests of clients stand between the request and the response"},
		{"a request of a client twice", both + request + "-- 1.request aws-cli/2 --\nAction=B\n-- 1.request aws-cli/2 --\nAction=C\n", "f:11: requests of clients stand in the order of recorded, once"},
		{"a request of a client that is the first one's", both + request + "-- 1.request aws-cli/2 --\nAction=CreateUser\nUserName={{alice}}\n", "f:9: aws-cli/2 sends what the first client sends"},
		{"a command of a client", head + "-- 1.command aws-cli/2 --\naws iam x\n", `f:6: there is no section "1.command aws-cli/2": N.command, N.request, N.sign, N.response, or a text such as policy.json`},
		{"a constraint without its side", "A user is created.\nconstraint: A B maxLength\n", "f:2: a constraint is ACTION PARAMETER CONSTRAINT at|beyond"},
		{"a name twice", "A user is created.\nnames: a, a\n", `f:2: "a" is no name of up to 8 lower-case letters and digits, or stands twice`},
		{"names that may be the same", "A user is created.\nnames: al 30, alx 30\n", `f:2: alx may stand for the same name as al`},
		{"a name that may be that without a label", "A user is created.\nnames: nx\n", `f:2: nx may stand for the same name as n`},
		{"a name that is too short to be unique", head + "-- 1.request --\nAction=CreateUser&UserName={{name 23}}\n", `f:7: {{name 23}}: a name has at least 24 characters`},
		{"a name that is a placeholder", "A user is created.\nnames: any\n", `f:2: "any" is no name of up to 8 lower-case letters and digits, or stands twice`},
		{"a name too short to be unique", "A user is created.\nnames: a 5\n", `f:2: a name has 24 to 1024 characters, not "5"`},
		{"no steps", head, "f:1: there are no steps"},
		{"a section that is none", head + "-- 1.reply --\n", `f:6: there is no section "1.reply": N.command, N.request, N.sign, N.response, or a text such as policy.json`},
		{"a section without a name", head + "-- --\n", "f:6: the section has no name"},
		{"steps that begin with 2", head + "-- 2.request --\nAction=A\n", "f:6: steps are numbered from 1 in their order; this is not number 2"},
		{"no request", head + response, "f:6: step 1 has no request"},
		{"no response", head + request, "f:6: step 1 has no response"},
		{"no response before another step", head + request + "-- 2.request --\nAction=A\n", "f:6: step 1 has no response"},
		{"two requests", head + request + request, "f:8: the request stands before the response, once"},
		{"two responses", head + request + response + response, "f:10: the response stands twice"},
		{"a command after its request", head + request + "-- 1.command --\naws iam x\n", "f:8: the command stands before the request, once"},
		{"a command of another program", head + "-- 1.command --\nrm -r /\n", "f:7: a command begins with aws"},
		{"a body that is neither", head + "-- 1.request --\nHello World\n", "f:7: this is neither METHOD /TARGET nor parameters as they are sent"},
		{"a parameter that is not encoded", head + "-- 1.request --\nAction=A\nB=a b\n", "f:8: this is neither METHOD /TARGET nor parameters as they are sent"},
		{"a name that is not declared", head + "-- 1.request --\nAction=A&B={{bob}}\n", "f:7: nothing before this names or captures bob"},
		{"a matcher that is sent", head + "-- 1.request --\nAction=A&B={{any}}\n", "f:7: {{any}} cannot be sent"},
		{"a text that is missing", head + "-- 1.request --\nAction=A&B={{text a.json}}\n", "f:7: there is no text a.json"},
		{"a text twice", head + "-- a.json --\n{}\n-- a.json --\n{}\n", "f:8: a.json stands twice"},
		{"a parameter without an equals sign", head + "-- 1.request --\nAction=A&B\n", "f:7: this is neither METHOD /TARGET nor parameters as they are sent"},
		{"a parameter that is empty", head + "-- 1.request --\nAction=A&&B=b\n", "f:7: this is neither METHOD /TARGET nor parameters as they are sent"},
		{"a placeholder that does not end", head + "-- 1.request --\nAction=A&B={{alice\n", "f:7: this is neither METHOD /TARGET nor parameters as they are sent"},
		{"a placeholder that is none", head + "-- 1.command --\naws iam {{ALICE}}\n", `f:7: {{ALICE}}: there is no placeholder "ALICE"`},
		{"an argument too many", head + request + "-- 1.response --\n200\n<A>{{date now}}</A>\n", "f:10: the body: in A: {{date now}}: date takes no argument"},
		{"an id without its prefix", head + request + "-- 1.response --\n200\n<A>{{id}}</A>\n", "f:10: the body: in A: {{id}}: id takes 1 argument(s)"},
		{"a capture of what is known", head + request + "-- 1.response --\n200\n<A>{{alice:any}}</A>\n", "f:10: alice stands for something else already"},
		{"a capture of nothing", head + request + "-- 1.response --\n200\n<A>{{a:account}}</A>\n", "f:10: the body: in A: {{a:account}}: account captures nothing"},
		{"absent beside text", head + request + "-- 1.response --\n200\n<A>no {{absent}}</A>\n", "f:10: {{absent}} stands alone"},
		{"a status that is none", head + request + "-- 1.response --\nfine\n", `f:9: "fine" is neither a status nor accepted`},
		{"a header that is none", head + request + "-- 1.response --\n200\nfine\n", `f:10: "fine" is no header`},
		{"XML that does not end", head + request + "-- 1.response --\n200\n<A>\n", "f:10: the body: XML syntax error on line 2: unexpected EOF"},
		{"elements beside text", head + request + "-- 1.response --\n200\n<A>b<C/></A>\n", "f:10: the body: A has both elements and text"},
		{"a signature of something else", head + request + "-- 1.sign --\nkey: x\n", `f:9: there is nothing to sign called "key"`},
		{"a clock that is none", head + request + "-- 1.sign --\nclock: late\n", `f:9: clock: time: invalid duration "late"`},
		{"a replay of itself", head + "-- 1.sign --\nreplay: 1\n", "f:7: only an earlier step can be replayed"},
		{"a replay with a request", head + request + response + "-- 2.request --\nAction=A\n-- 2.sign --\nreplay: 1\n-- 2.response --\n200\n", "f:10: step 2 has a request of its own and replays another"},
		{"a signature after the response", head + request + response + "-- 1.sign --\nnone: true\n", "f:10: how to sign stands before the response"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := conformance.Parse("f", []byte(tt.text))
			require.EqualError(t, err, tt.want)
		})
	}
}

// What lies among the cases and is none is found.
func TestLoadRefuses(t *testing.T) {
	_, err := conformance.Load(fstest.MapFS{"users/notes.md": {}})
	require.EqualError(t, err, "users/notes.md:1: a case is a .txtar file")
}

// Every case is written as Format writes it, so that recording one anew changes
// nothing else.
func TestFormat(t *testing.T) {
	cases, err := conformance.Written()
	require.NoError(t, err)
	for _, c := range cases {
		again, err := conformance.Parse(c.Name+".txtar", conformance.Format(c))
		require.NoError(t, err)
		for _, s := range append(c.Steps, again.Steps...) {
			s.Line = 0
		}
		require.Equal(t, c, again)
	}
}

// Whatever is read can be written, and is read again as the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	cases, err := conformance.Written()
	require.NoError(f, err)
	for i, c := range cases {
		if i%20 == 0 {
			f.Add(conformance.Format(c))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := conformance.Parse("f.txtar", data)
		if err != nil {
			var mistake *conformance.Error
			require.ErrorAs(t, err, &mistake)
			require.Positive(t, mistake.Line)
			require.LessOrEqual(t, mistake.Line, strings.Count(string(data), "\n")+1)
			return
		}
		written := conformance.Format(c)
		again, err := conformance.Parse("f.txtar", written)
		require.NoError(t, err, "%s", written)
		require.Equal(t, string(written), string(conformance.Format(again)))
	})
}
