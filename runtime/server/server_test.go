package server_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/audit"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

func TestAnswerHasAWSsForm(t *testing.T) {
	f := open(t, nil)
	response, err := http.DefaultClient.Do(f.request(t, f.root, "CreateUser", "UserName", "alice"))
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	id := response.Header.Get("X-Amzn-Requestid")
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
	require.Equal(t, "text/xml", response.Header.Get("Content-Type"))
	require.Regexp(t, `^<CreateUserResponse xmlns="https://iam\.amazonaws\.com/doc/2010-05-08/"><CreateUserResult><User>`+
		`<Path>/</Path><UserName>alice</UserName><UserId>AIDA[A-Z2-7]{17}</UserId><Arn>arn:aws:iam::123456789012:user/alice</Arn>`+
		`<CreateDate>2026-03-04T05:06:07Z</CreateDate></User></CreateUserResult>`+
		`<ResponseMetadata><RequestId>`+id+`</RequestId></ResponseMetadata></CreateUserResponse>$`, string(body))
}

// Lists and members that are empty are written by some answers and left out by
// others, as recorded from AWS; SDKs hand the difference on to their users.
func TestEmptyMembers(t *testing.T) {
	f := open(t, nil)
	const (
		document = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`
		arn      = "arn:aws:iam::123456789012:policy/read"
	)
	tags := func(answer string) (there, empty bool) {
		return strings.Contains(answer, "<Tags>"), strings.Contains(answer, "<Tags></Tags>")
	}
	for _, tt := range []struct {
		name         string
		action       []string
		there, empty bool
	}{
		{"a new policy without tags", []string{"CreatePolicy", "PolicyName", "read", "PolicyDocument", document}, false, false},
		{"a policy without tags", []string{"GetPolicy", "PolicyArn", arn}, true, true},
		{"a list of policies", []string{"ListPolicies"}, false, false},
		{"a new user without tags", []string{"CreateUser", "UserName", "alice"}, false, false},
		{"a user without tags", []string{"GetUser", "UserName", "alice"}, false, false},
		{"a new policy with a tag", []string{"CreatePolicy", "PolicyName", "tagged", "PolicyDocument", document, "Tags.member.1.Key", "k", "Tags.member.1.Value", ""}, true, false},
		{"no tags of a user", []string{"ListUserTags", "UserName", "alice"}, true, true},
	} {
		there, empty := tags(f.must(t, f.root, tt.action[0], tt.action[1:]...))
		require.Equal(t, []bool{tt.there, tt.empty}, []bool{there, empty}, tt.name)
	}
}

// refusal is the answer to a request that was not carried out.
func refusal(t *testing.T, r *http.Request) (status int, code, message string) {
	t.Helper()
	status, body := do(t, r)
	require.Regexp(t, `^<ErrorResponse xmlns="(https://(iam|sts)\.amazonaws\.com/doc/[0-9-]+/|http://webservices\.amazon\.com/AWSFault/2005-15-09)"><Error><Type>(Sender|Receiver)</Type><Code>`, body)
	return status, element(body, "Code"), element(body, "Message")
}

// An action that does not exist belongs to no service; what it lacks, to one.
func TestNamespaceOfErrors(t *testing.T) {
	f := open(t, nil)
	for _, tt := range []struct{ name, action, want string }{
		{"an action that does not exist", "MakeCoffee", `<ErrorResponse xmlns="http://webservices.amazon.com/AWSFault/2005-15-09"><Error><Type>Sender</Type><Code>InvalidAction</Code>`},
		{"an action without what it needs", "CreateUser", `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>ValidationError</Code>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, body := do(t, f.request(t, f.root, tt.action))
			require.Equal(t, tt.want, body[:min(len(body), len(tt.want))])
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	f := open(t, nil)
	const listUsers = "Action=ListUsers&Version=2010-05-08"
	for _, tt := range []struct {
		name    string
		request func() *http.Request
		status  int
		code    string
		message string
	}{
		{"a request without a signature", func() *http.Request {
			r := f.signed(t, f.root, http.MethodPost, "/", listUsers, nil)
			r.Header.Del("Authorization")
			return r
		}, 403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
		{"an unknown key", func() *http.Request {
			return f.request(t, key{AccessKeyID: "AKIANOBODY", SecretAccessKey: "secret"}, "ListUsers")
		}, 403, "InvalidClientTokenId", "The security token included in the request is invalid."},
		{"a wrong secret", func() *http.Request {
			return f.request(t, key{AccessKeyID: f.root.AccessKeyID, SecretAccessKey: "guess"}, "ListUsers")
		}, 403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
		{"a body that is not the signed one", func() *http.Request {
			r := f.request(t, f.root, "GetUser", "UserName", "alice")
			r.Body = io.NopCloser(strings.NewReader(form("GetUser", "UserName", "admin")))
			return r
		}, 403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
		{"a session token with a long-term key", func() *http.Request {
			return f.request(t, key{AccessKeyID: f.root.AccessKeyID, SecretAccessKey: f.root.SecretAccessKey, SessionToken: "token"}, "ListUsers")
		}, 403, "InvalidClientTokenId", "The security token included in the request is invalid."},
		{"an action that does not exist", func() *http.Request {
			return f.request(t, f.root, "MakeCoffee")
		}, 400, "InvalidAction", "Could not find operation MakeCoffee for version 2010-05-08"},
		{"an action in lower case", func() *http.Request {
			return f.request(t, f.root, "listusers")
		}, 400, "InvalidAction", "Could not find operation listusers for version 2010-05-08"},
		{"another version", func() *http.Request {
			return f.signed(t, f.root, http.MethodPost, "/", "Action=ListUsers&Version=2011-06-15", nil)
		}, 400, "InvalidAction", "Could not find operation ListUsers for version 2011-06-15"},
		{"no action", func() *http.Request {
			return f.signed(t, f.root, http.MethodPost, "/", "Version=2010-05-08", nil)
		}, 400, "MissingAction", "The request is missing an action or a required parameter."},
		{"an action twice", func() *http.Request {
			return f.signed(t, f.root, http.MethodPost, "/", listUsers+"&Action=GetUser", nil)
		}, 400, "MalformedQueryString", ""},
		{"parameters in the query of a POST", func() *http.Request {
			return f.signed(t, f.root, http.MethodPost, "/?UserName=admin", listUsers, nil)
		}, 400, "MalformedQueryString", "The parameters of a POST belong in its body, not in its query."},
		{"parameters in the body of a GET", func() *http.Request {
			return f.signed(t, f.root, http.MethodGet, "/?"+listUsers, "UserName=admin", nil)
		}, 400, "MalformedQueryString", "The parameters of a GET belong in its query, not in a body."},
		{"JSON", func() *http.Request {
			return f.signed(t, f.root, http.MethodPost, "/", `{"Action":"ListUsers"}`, func(r *http.Request) {
				r.Header.Set("Content-Type", "application/json")
			})
		}, 400, "MalformedInput", "The content type of the request must be application/x-www-form-urlencoded."},
		{"another path", func() *http.Request {
			return f.signed(t, f.root, http.MethodPost, "/admin", listUsers, nil)
		}, 404, "UnknownOperation", "Nothing is served at this path. IAM and STS are at /."},
		{"another method", func() *http.Request {
			return f.signed(t, f.root, http.MethodPut, "/", listUsers, nil)
		}, 405, "MethodNotAllowed", "The specified method is not allowed against this resource."},
		{"a body of more than 1 MiB", func() *http.Request {
			return f.signed(t, f.root, http.MethodPost, "/", listUsers+"&Padding="+strings.Repeat("x", 1<<20), nil)
		}, 413, "RequestEntityTooLarge", "The request body is longer than 1048576 bytes."},
		{"a body of more than 1 MiB that does not say its length", func() *http.Request {
			r := f.signed(t, f.root, http.MethodPost, "/", listUsers+"&Padding="+strings.Repeat("x", 1<<20), nil)
			r.ContentLength = -1
			r.Header.Set("Content-Length", "")
			return r
		}, 413, "RequestEntityTooLarge", "The request body is longer than 1048576 bytes."},
		{"every violation at once", func() *http.Request {
			return f.request(t, f.root, "CreateUser", "UserName", strings.Repeat("a/", 40), "Path", "nowhere")
		}, 400, "ValidationError", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, code, message := refusal(t, tt.request())
			require.Equal(t, tt.status, status)
			require.Equal(t, tt.code, code)
			if tt.message != "" {
				require.Equal(t, tt.message, message)
			}
		})
	}
}

// A GET with the parameters in its query is as good as a POST.
func TestGETIsServed(t *testing.T) {
	f := open(t, nil)
	status, body := do(t, f.signed(t, f.root, http.MethodGet, "/?Action=ListUsers&Version=2010-05-08", "", nil))
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, "<Users></Users>")
}

// A presigned request works until its time is over, which is 15 minutes at most.
func TestPresignedRequests(t *testing.T) {
	at := now
	f := open(t, func(c *server.Config) { c.Now = func() time.Time { return at } })
	presign := func(expires string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/?Action=GetUser&Version=2010-05-08&X-Amz-Expires="+expires, nil)
		require.NoError(t, err)
		const emptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), f.root, r, emptyBody, "iam", "us-east-1", now)
		require.NoError(t, err)
		again, err := http.NewRequestWithContext(t.Context(), http.MethodGet, signed, nil)
		require.NoError(t, err)
		return again
	}
	status, body := do(t, presign("900"))
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, "arn:aws:iam::123456789012:root")

	at = now.Add(901 * time.Second)
	_, code, _ := refusal(t, presign("900"))
	require.Equal(t, "RequestExpired", code)

	at = now
	status, code, _ = refusal(t, presign("901"))
	require.NotEqual(t, http.StatusOK, status)
	require.NotEmpty(t, code)
}

func TestCallerIdentity(t *testing.T) {
	f := open(t, nil)
	alice := f.user(t, "alice")
	whoami := func(by key) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url, strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		const sum = "ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843"
		require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), by, r, sum, "sts", "", now))
		status, body := do(t, r)
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, body, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`)
		return element(body, "Arn")
	}
	require.Equal(t, "arn:aws:iam::123456789012:root", whoami(f.root))
	require.Equal(t, "arn:aws:iam::123456789012:user/alice", whoami(alice))
}

// What a user may do without policies: see itself, and manage its own keys.
func TestSelfService(t *testing.T) {
	f := open(t, nil)
	alice, bob := f.user(t, "alice"), f.user(t, "bob")
	denied := func(action, resource string) string {
		return "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:" + action + " on resource: " + resource +
			" because no identity-based policy allows the iam:" + action + " action"
	}
	const bobsARN, own = "arn:aws:iam::123456789012:user/bob", "arn:aws:iam::123456789012:user/alice"
	for _, tt := range []struct {
		name       string
		action     string
		parameters []string
		message    string // of AccessDenied; empty: allowed
	}{
		{"its own user", "GetUser", nil, ""},
		{"its own user by name, in another case", "GetUser", []string{"UserName", "ALICE"}, ""},
		{"its own keys", "ListAccessKeys", nil, ""},
		{"a status of its own key", "UpdateAccessKey", []string{"AccessKeyId", alice.AccessKeyID, "Status", "Active"}, ""},
		{"another user", "GetUser", []string{"UserName", "bob"}, denied("GetUser", bobsARN)},
		{"another user's keys", "ListAccessKeys", []string{"UserName", "bob"}, denied("ListAccessKeys", bobsARN)},
		{"a key for another user", "CreateAccessKey", []string{"UserName", "bob"}, denied("CreateAccessKey", bobsARN)},
		{"a user that does not exist", "GetUser", []string{"UserName", "carol"}, denied("GetUser", "arn:aws:iam::123456789012:user/carol")},
		{"a new user", "CreateUser", []string{"UserName", "carol", "Path", "/x/"}, denied("CreateUser", "arn:aws:iam::123456789012:user/x/carol")},
		{"all users", "ListUsers", nil, denied("ListUsers", "*")},
		{"its own name", "UpdateUser", []string{"UserName", "alice", "NewUserName", "root"}, denied("UpdateUser", own)},
		{"its own tags", "TagUser", []string{"UserName", "alice", "Tags.member.1.Key", "team", "Tags.member.1.Value", "x"}, denied("TagUser", own)},
		{"its own policies", "PutUserPolicy", []string{"UserName", "alice", "PolicyName", "p", "PolicyDocument", "{}"}, denied("PutUserPolicy", own)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := do(t, f.request(t, alice, tt.action, tt.parameters...))
			if tt.message == "" {
				require.Equal(t, http.StatusOK, status, body)
				return
			}
			require.Equal(t, http.StatusForbidden, status)
			require.Equal(t, "AccessDenied", element(body, "Code"))
			require.Equal(t, tt.message, element(body, "Message"))
		})
	}
	t.Run("another's key under its own name is not found", func(t *testing.T) {
		status, code, message := refusal(t, f.request(t, alice, "DeleteAccessKey", "AccessKeyId", bob.AccessKeyID))
		require.Equal(t, []any{404, "NoSuchEntity", "The Access Key with id " + bob.AccessKeyID + " cannot be found."}, []any{status, code, message})
	})
}

// A refusal is the same whether what it is about exists or not.
func TestDenialsTellNothing(t *testing.T) {
	f := open(t, nil)
	alice := f.user(t, "alice")
	f.must(t, f.root, "CreateUser", "UserName", "hidden", "Path", "/secret/department/")
	f.must(t, f.root, "CreateAccessKey", "UserName", "hidden", "AccessKeyId", "keyofhidden", "SecretAccessKey", "a secret of its own")
	f.must(t, f.root, "CreateGroup", "GroupName", "hidden", "Path", "/secret/department/")
	for _, tt := range []struct {
		action, parameter string
		existing, missing string
		more              []string
		resource          string // of the refusal, before the name
	}{
		{"GetUser", "UserName", "hidden", "nobody", nil, "arn:aws:iam::123456789012:user/"},
		{"GetUser", "UserName", "HIDDEN", "NOBODY", nil, "arn:aws:iam::123456789012:user/"},
		{"DeleteUser", "UserName", "hidden", "nobody", nil, "arn:aws:iam::123456789012:user/"},
		{"UpdateUser", "UserName", "hidden", "nobody", []string{"NewPath", "/x/"}, "arn:aws:iam::123456789012:user/"},
		{"ListServiceAccounts", "ParentUser", "hidden", "nobody", nil, "arn:aws:iam::123456789012:user/"},
		{"GetGroup", "GroupName", "hidden", "nobody", nil, "arn:aws:iam::123456789012:group/"},
		{"UpdateGroup", "GroupName", "hidden", "nobody", []string{"NewGroupName", "x"}, "arn:aws:iam::123456789012:group/"},
		{"GetAccessKeyLastUsed", "AccessKeyId", "keyofhidden", "keyofnobody", nil, "access key "},
		{"GetAccessKeyLastUsed", "AccessKeyId", f.root.AccessKeyID, "keyofnobody", nil, "access key "},
		{"GetAccessKeyLastUsed", "AccessKeyId", alice.AccessKeyID, "keyofnobody", nil, "access key "},
	} {
		for _, name := range []string{tt.existing, tt.missing} {
			status, code, message := refusal(t, f.request(t, alice, tt.action, append([]string{tt.parameter, name}, tt.more...)...))
			require.Equal(t, []any{403, "AccessDenied"}, []any{status, code})
			require.Equal(t, "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:"+tt.action+" on resource: "+
				tt.resource+name+" because no identity-based policy allows the iam:"+tt.action+" action", message)
		}
	}
	// One's own ARN is no secret.
	f.must(t, f.root, "UpdateUser", "UserName", "alice", "NewPath", "/staff/")
	_, _, message := refusal(t, f.request(t, alice, "TagUser", "UserName", "alice", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"))
	require.Contains(t, message, " on resource: arn:aws:iam::123456789012:user/staff/alice because")
}

func TestSelfServiceOff(t *testing.T) {
	f := open(t, func(c *server.Config) { c.NoSelfService = true })
	alice := f.user(t, "alice")
	_, code, _ := refusal(t, f.request(t, alice, "GetUser"))
	require.Equal(t, "AccessDenied", code)
}

// A service account may not do what its parent may do to itself: it must not
// be able to make itself into a key of the parent.
func TestServiceAccountHasNoSelfService(t *testing.T) {
	f := open(t, nil)
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	made := f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice")
	account := key{AccessKeyID: element(made, "AccessKeyId"), SecretAccessKey: element(made, "SecretAccessKey")}
	for _, action := range []string{"GetUser", "ListAccessKeys", "CreateAccessKey"} {
		_, code, message := refusal(t, f.request(t, account, action))
		require.Equal(t, "AccessDenied", code)
		require.Contains(t, message, "User: arn:aws:iam::123456789012:service-account/sa:alice:")
	}
}

// What is switched off is off with the next request, and looks like a key that
// does not exist.
func TestSwitchedOffKeysStopAtOnce(t *testing.T) {
	at := now
	f := open(t, func(c *server.Config) { c.Now = func() time.Time { return at } })
	alice := f.user(t, "alice")
	made := f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice", "Expiration", now.Add(time.Hour).Format(time.RFC3339))
	account := key{AccessKeyID: element(made, "AccessKeyId"), SecretAccessKey: element(made, "SecretAccessKey")}
	id := element(made, "ServiceAccountId")
	code := func(by key) string {
		_, code, _ := refusal(t, f.request(t, by, "ListUsers"))
		return code
	}
	const on, off = "AccessDenied", "InvalidClientTokenId"
	steps := []struct {
		name           string
		change         []string
		alice, account string
	}{
		{"both work at first", nil, on, on},
		{"a disabled user's keys and service accounts stop", []string{"SetUserStatus", "UserName", "alice", "Status", "Inactive"}, off, off},
		{"and go on", []string{"SetUserStatus", "UserName", "alice", "Status", "Active"}, on, on},
		{"an inactive key stops alone", []string{"UpdateAccessKey", "UserName", "alice", "AccessKeyId", alice.AccessKeyID, "Status", "Inactive"}, off, on},
		{"and goes on", []string{"UpdateAccessKey", "UserName", "alice", "AccessKeyId", alice.AccessKeyID, "Status", "Active"}, on, on},
		{"an inactive service account stops alone", []string{"UpdateServiceAccount", "ServiceAccountId", id, "Status", "Inactive"}, on, off},
		{"and goes on", []string{"UpdateServiceAccount", "ServiceAccountId", id, "Status", "Active"}, on, on},
		{"a renamed user's keys work on", []string{"UpdateUser", "UserName", "alice", "NewUserName", "alicia"}, on, on},
	}
	for _, step := range steps {
		if step.change != nil {
			f.must(t, f.root, step.change[0], step.change[1:]...)
		}
		require.Equal(t, []string{step.alice, step.account}, []string{code(alice), code(account)}, step.name)
	}
	_, _, message := refusal(t, f.request(t, alice, "ListUsers"))
	require.Contains(t, message, "user/alicia ", "the principal has its new name")

	f.must(t, f.root, "DeleteAccessKey", "UserName", "alicia", "AccessKeyId", alice.AccessKeyID)
	require.Equal(t, off, code(alice), "a deleted key stops")
	at = now.Add(time.Hour)
	f.root.SessionToken = ""
	r := f.request(t, account, "ListUsers")
	_, expired, _ := refusal(t, resign(t, r, account, at, form("ListUsers")))
	require.Equal(t, off, expired, "an expired service account stops")
}

// resign signs a request for another time.
func resign(t *testing.T, r *http.Request, by key, at time.Time, body string) *http.Request {
	t.Helper()
	again, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL.String(), strings.NewReader(body))
	require.NoError(t, err)
	again.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), by, again, sha256Hex(body), "iam", "us-east-1", at))
	return again
}

func TestRootKeyThatIsStoredStopsTheStart(t *testing.T) {
	store := memory.Open()
	f := open(t, func(c *server.Config) { c.Store = store })
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	f.must(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", "shared1", "SecretAccessKey", "long enough")
	_, err := server.Open(t.Context(), server.Config{
		Store: store, Sealer: plainSealer{}, Account: "123456789012", Now: clock,
		Root: server.RootKey{AccessKeyID: "shared1", SecretAccessKey: "another secret"},
	})
	require.ErrorIs(t, err, server.ErrRootKeyStored)
}

func TestRootsKeyIdCannotBeTaken(t *testing.T) {
	f := open(t, nil)
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	_, code, _ := refusal(t, f.request(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", f.root.AccessKeyID, "SecretAccessKey", "long enough"))
	require.Equal(t, "EntityAlreadyExists", code)
}

func TestOpenNeedsARootKey(t *testing.T) {
	_, err := server.Open(t.Context(), server.Config{Store: memory.Open(), Account: "123456789012", Now: clock})
	require.EqualError(t, err, "server: no root key is configured")
}

// The latest use of a key can be told at once, and is there after a restart.
func TestLastUse(t *testing.T) {
	store := memory.Open()
	f := open(t, func(c *server.Config) { c.Store = store })
	alice := f.user(t, "alice")
	lastUsed := func(f *fixture) string {
		return f.must(t, f.root, "GetAccessKeyLastUsed", "AccessKeyId", alice.AccessKeyID)
	}
	require.Contains(t, lastUsed(f), "<ServiceName>N/A</ServiceName>")
	f.must(t, alice, "GetUser")
	want := lastUsed(f)
	require.Contains(t, want, "<LastUsedDate>2026-03-04T05:06:07Z</LastUsedDate>")
	require.Contains(t, want, "<ServiceName>iam</ServiceName>")
	require.NoError(t, f.server.Close())

	again := open(t, func(c *server.Config) { c.Store = store })
	require.Equal(t, element(want, "GetAccessKeyLastUsedResult"), element(lastUsed(again), "GetAccessKeyLastUsedResult"))
}

// Two who change the same entity at once both get an answer, and neither change is lost.
func TestConcurrentChanges(t *testing.T) {
	f := open(t, nil)
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	var all sync.WaitGroup
	statuses := make(chan int, 16)
	for i := range 16 {
		all.Go(func() {
			letter := string(rune('a' + i))
			status, _ := do(t, f.request(t, f.root, "TagUser", "UserName", "alice", "Tags.member.1.Key", letter, "Tags.member.1.Value", letter))
			statuses <- status
		})
	}
	all.Wait()
	succeeded := 0
	for range 16 {
		if <-statuses == http.StatusOK {
			succeeded++
		}
	}
	tags := f.must(t, f.root, "ListUserTags", "UserName", "alice")
	require.Equal(t, succeeded, strings.Count(tags, "<Key>"))
	require.Equal(t, 16, succeeded)
}

// An auditor that can be made to fail.
type auditor struct {
	mu      sync.Mutex
	records []*audit.Record
	failure error
}

func (a *auditor) Write(r *audit.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failure == nil {
		a.records = append(a.records, r)
	}
	return a.failure
}

func (a *auditor) Healthy() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failure
}

func (*auditor) ReportDropped() error { return nil }

func (a *auditor) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failure = err
}

func TestWritesAreRefusedWhileTheAuditLogFails(t *testing.T) {
	log := &auditor{}
	registry := prometheus.NewRegistry()
	f := open(t, func(c *server.Config) { c.Audit, c.Metrics = log, registry })
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	log.fail(errors.New("the disk is full"))
	status, code, message := refusal(t, f.request(t, f.root, "CreateUser", "UserName", "bob"))
	require.Equal(t, []any{503, "ServiceUnavailable", "The audit log cannot be written. Until it can, nothing can be changed."}, []any{status, code, message})
	f.must(t, f.root, "GetUser", "UserName", "alice")
	failures, err := testutil.GatherAndCount(registry, "iamserver_audit_failures_total")
	require.NoError(t, err)
	require.Equal(t, 1, failures)
	log.fail(nil)
	f.must(t, f.root, "CreateUser", "UserName", "bob")
}

func TestWritesGoOnWithoutTheAuditLogIfConfigured(t *testing.T) {
	log := &auditor{failure: errors.New("the disk is full")}
	f := open(t, func(c *server.Config) { c.Audit, c.AuditContinue = log, true })
	f.must(t, f.root, "CreateUser", "UserName", "bob")
}

func TestAuditRecord(t *testing.T) {
	log := &auditor{}
	f := open(t, func(c *server.Config) { c.Audit = log })
	alice := f.user(t, "alice")
	log.records = nil
	do(t, f.request(t, alice, "CreateUser", "UserName", "eve", "Path", "/x/", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red"))
	require.Len(t, log.records, 1)
	r := log.records[0]
	require.Equal(t, "IAMUser", r.UserIdentity.Type)
	require.Equal(t, "arn:aws:iam::123456789012:user/alice", r.UserIdentity.ARN)
	require.Equal(t, "iam.amazonaws.com", r.EventSource)
	require.Equal(t, "CreateUser", r.EventName)
	require.Equal(t, "AccessDenied", r.ErrorCode)
	require.True(t, r.Refused)
	require.False(t, r.ReadOnly)
	require.Equal(t, "us-east-1", r.AWSRegion)
	require.Equal(t, "127.0.0.1", r.SourceIPAddress.String())
	require.Equal(t, []audit.Resource{{ARN: "arn:aws:iam::123456789012:user/x/eve", AccountID: "123456789012", Type: "AWS::IAM::User"}}, r.Resources)
}

// No secret reaches a log, an error or the audit log, whatever happens: all
// output of a server at its most talkative is searched for every secret.
func TestNoSecretIsLogged(t *testing.T) {
	var output lockedBuffer
	log, err := audit.Open(audit.Config{Path: "-", Stdout: &output, Now: clock, Rand: randomness(), Limit: audit.Limit{PerSecond: 1000, Burst: 1000, Peers: 10}})
	require.NoError(t, err)
	f := open(t, func(c *server.Config) {
		c.Audit, c.Log = log, slog.New(slog.NewTextHandler(&output, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	alice := f.user(t, "alice")
	const supplied = "a secret that the caller chose"
	do(t, f.request(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", "chosen1", "SecretAccessKey", supplied))
	do(t, f.request(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", "!", "SecretAccessKey", supplied))
	do(t, f.request(t, f.root, "CreateAccessKey", "UserName", "alice", "SecretAccessKey", supplied))
	_, tooShort := do(t, f.request(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", "chosen2", "SecretAccessKey", "shrt"))
	require.NotContains(t, tooShort, "shrt")
	made := f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice")
	signed := f.request(t, alice, "GetUser")
	do(t, signed)
	_, signature, _ := strings.Cut(signed.Header.Get("Authorization"), "Signature=")
	presigned, _, err := v4.NewSigner().PresignHTTP(t.Context(), alice, signed, sha256Hex(""), "iam", "us-east-1", now)
	require.NoError(t, err)
	presignedURL, err := url.Parse(presigned)
	require.NoError(t, err)
	bad := f.request(t, key{AccessKeyID: alice.AccessKeyID, SecretAccessKey: "x", SessionToken: "a session token"}, "GetUser")
	do(t, bad)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, presigned, nil)
	require.NoError(t, err)
	do(t, r)

	require.Contains(t, output.String(), "CreateServiceAccount", "the output is what is searched")
	for name, secret := range map[string]string{
		"root's secret": f.root.SecretAccessKey, "a created secret": alice.SecretAccessKey, "a chosen secret": supplied,
		"a service account's secret": element(made, "SecretAccessKey"), "a signature": signature, "a short secret": "shrt",
		"a presigned signature": presignedURL.Query().Get("X-Amz-Signature"), "a session token": "a session token",
	} {
		require.NotEmpty(t, secret, name)
		require.NotContains(t, output.String(), secret, name)
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
