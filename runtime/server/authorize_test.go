package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/authz"
	"iamserver/runtime/s3"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

// An embedding is a program that has an S3 handler authorized, over HTTP.
type embedding struct {
	*fixture
	seen *seen
}

// A seenRequest is what the handler got.
type seenRequest struct {
	Method, Target, Host, Body string
	Header                     http.Header
	Problem                    error // of reading the body
	Decision                   *server.Decision
}

// seen is what a handler got.
type seen struct {
	mu       sync.Mutex
	requests []seenRequest // guarded by mu
}

func (s *seen) add(r seenRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
}

// take returns what has been seen of clients' requests, and forgets it.
func (s *seen) take() (all []seenRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.Decision != nil {
			all = append(all, r)
		}
	}
	s.requests = nil
	return all
}

// embed has a handler authorized that records requests and then answers them with a
// function; nil answers 200.
func embed(t testing.TB, change func(*server.Config), answer http.HandlerFunc) *embedding {
	t.Helper()
	config := server.Config{
		Store: memory.Open(), Sealer: plainSealer{}, Account: account, Now: clock,
		Root: server.RootKey{AccessKeyID: "AKIAROOT", SecretAccessKey: "the secret of root"},
	}
	if change != nil {
		change(&config)
	}
	s, err := server.Open(t.Context(), config)
	require.NoError(t, err)
	e := &embedding{seen: &seen{}}
	web := httptest.NewServer(s.Authorize(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		e.seen.add(seenRequest{r.Method, r.RequestURI, r.Host, string(body), r.Header, err, server.DecisionOf(r.Context())})
		if answer != nil {
			answer(w, r)
		}
	})))
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, s.Close())
	})
	e.fixture = &fixture{server: s, url: web.URL, root: key{AccessKeyID: config.Root.AccessKeyID, SecretAccessKey: config.Root.SecretAccessKey}}
	return e
}

// object is a request to S3, signed unless the key is nobody's.
func (f *fixture) object(t testing.TB, by key, method, target, body string, change func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, f.url+target, strings.NewReader(body))
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(body))
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	if change != nil {
		change(r)
	}
	if by.AccessKeyID == "" {
		return r
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	require.NoError(t, signer.SignHTTP(t.Context(), by, r, r.Header.Get("X-Amz-Content-Sha256"), "s3", "us-east-1", now))
	return r
}

const photos = "arn:aws:s3:::photos"

// may makes a user that may do what an inline policy says.
func (f *fixture) may(t testing.TB, name, policy string) key {
	t.Helper()
	made := f.user(t, name)
	f.must(t, f.root, "PutUserPolicy", "UserName", name, "PolicyName", "p", "PolicyDocument", policy)
	return made
}

// alice makes the user alice that may do what an inline policy says.
func (f *fixture) alice(t testing.TB, policy string) key {
	t.Helper()
	return f.may(t, "alice", policy)
}

// What the handler gets is what was authorized, and who was.
func TestAnAuthorizedHandlerGetsRequestsMadeAnew(t *testing.T) {
	e := embed(t, nil, nil)
	alice := e.alice(t, allow(`["s3:PutObject","s3:PutObjectTagging"]`, photos+"/alice/*"))
	status, body := do(t, e.object(t, alice, "PUT", "/photos/alice/b%20c?x-id=PutObject", "hello", func(r *http.Request) {
		r.Header.Set("X-Amz-Tagging", "a=%62")
		r.Header.Set("X-Amz-Meta-Colour", "red")
		r.Header.Set("X-Custom", "1")
		r.Header.Set("Cookie", "a=b")
	}))
	require.Equal(t, 200, status, body)
	all := e.seen.take()
	require.Len(t, all, 1)
	decision := all[0].Decision
	require.Equal(t, "arn:aws:iam::123456789012:user/alice", decision.Principal.ARN)
	require.Equal(t, server.Decision{
		RequestID: decision.RequestID, Principal: decision.Principal, Source: netip.MustParseAddr("127.0.0.1"), Operation: "PutObject",
		Allowed: []server.Permission{{"s3:PutObject", photos + "/alice/b c"}, {"s3:PutObjectTagging", photos + "/alice/b c"}},
	}, exported(decision))
	all[0].Decision = nil
	require.Equal(t, seenRequest{
		Method: "PUT", Target: "/photos/alice/b%20c", Host: "localhost", Body: "hello",
		Header: http.Header{"Content-Length": {"5"}, "X-Amz-Meta-Colour": {"red"}, "X-Amz-Tagging": {"a=b"}, "User-Agent": {"iamserver"}},
	}, all[0])
}

// exported is a decision without what only the package sees.
func exported(d *server.Decision) server.Decision {
	return server.Decision{RequestID: d.RequestID, Principal: d.Principal, Source: d.Source, Operation: d.Operation, Allowed: d.Allowed}
}

func TestWhatAnAuthorizedHandlerNeverSees(t *testing.T) {
	e := embed(t, nil, nil)
	alice := e.alice(t, allow(`"s3:GetObject"`, photos+"/alice/*"))
	nobody, stranger := key{}, key{AccessKeyID: "AKIASTRANGER", SecretAccessKey: "x"}
	wrong := key{AccessKeyID: alice.AccessKeyID, SecretAccessKey: "wrong"}
	for _, tt := range []struct {
		name           string
		by             key
		method, target string
		change         func(*http.Request)
		status         int
		code           string
	}{
		{"unsigned", nobody, "GET", "/photos/alice/a", nil, 403, "AccessDenied"},
		{"an unknown key", stranger, "GET", "/photos/alice/a", nil, 403, "InvalidAccessKeyId"},
		{"a wrong secret", wrong, "GET", "/photos/alice/a", nil, 403, "SignatureDoesNotMatch"},
		{"another's folder", alice, "GET", "/photos/bob/a", nil, 403, "AccessDenied"},
		{"another action", alice, "PUT", "/photos/alice/a", nil, 403, "AccessDenied"},
		{"a way into another's folder", alice, "GET", "/photos/alice/../bob/a", nil, 400, "InvalidArgument"},
		{"a wrong hash", e.root, "PUT", "/photos/alice/a", func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", sha256Hex("else")) }, 400, "XAmzContentSHA256Mismatch"},
		{"an unknown operation", e.root, "GET", "/photos?frobnicate", nil, 501, "NotImplemented"},
		{"the policy of a bucket", alice, "GET", "/photos?policy", nil, 403, "AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := do(t, e.object(t, tt.by, tt.method, tt.target, "", tt.change))
			require.Equal(t, tt.status, status, body)
			require.Equal(t, tt.code, element(body, "Code"))
			require.Empty(t, e.seen.take())
		})
	}
}

// A large body that is not what was signed reads as an error before it ends, and the
// client is told of that, whatever the handler makes of it.
func TestALargeBodyThatIsWrongNeverEnds(t *testing.T) {
	e := embed(t, nil, nil)
	large := strings.Repeat("x", 1<<20)
	status, body := do(t, e.object(t, e.root, "PUT", "/photos/a", large, func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", sha256Hex("else")) }))
	require.Equal(t, 400, status)
	require.Equal(t, "XAmzContentSHA256Mismatch", element(body, "Code"))
	all := e.seen.take()
	require.Len(t, all, 1)
	require.Error(t, all[0].Problem)
	require.Less(t, len(all[0].Body), len(large))

	status, body = do(t, e.object(t, e.root, "PUT", "/photos/a", large, nil))
	require.Equal(t, 200, status, body)
	require.Equal(t, large, e.seen.take()[0].Body)
}

// The entries of DeleteObjects that are not allowed are left out, and the answer says
// so of them.
func TestAnAuthorizedHandlerDeletesOnlyWhatIsAllowed(t *testing.T) {
	e := embed(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `<DeleteResult><Deleted><Key>alice/a</Key></Deleted></DeleteResult>`) //nolint:errcheck // a test
	})
	alice := e.alice(t, allow(`"s3:DeleteObject"`, photos+"/alice/*"))
	status, body := do(t, e.object(t, alice, "POST", "/photos?delete", `<Delete><Object><Key>alice/a</Key></Object><Object><Key>bob/b</Key></Object></Delete>`, nil))
	require.Equal(t, 200, status, body)
	require.Contains(t, body, "<Deleted><Key>alice/a</Key></Deleted>")
	require.Contains(t, body, "<Error><Key>bob/b</Key><Code>AccessDenied</Code>")
	all := e.seen.take()
	require.Len(t, all, 1)
	require.Contains(t, all[0].Body, "alice/a")
	require.NotContains(t, all[0].Body, "bob/b")
	require.Equal(t, []server.Permission{{"s3:DeleteObject", photos + "/alice/a"}}, all[0].Decision.Allowed)
}

// A store may have nothing to tell of those that were allowed.
func TestDenialsAreAnsweredWhateverTheStoreAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		`<DeleteResult/>`:                    `<DeleteResult><Error><Key>bob/b</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>`,
		`<s:DeleteResult xmlns:s="urn:s" />`: `<s:DeleteResult xmlns:s="urn:s" ><Error><Key>bob/b</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></s:DeleteResult>`,
	} {
		e := embed(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, answer) //nolint:errcheck // a test
		})
		alice := e.alice(t, allow(`"s3:DeleteObject"`, photos+"/alice/*"))
		status, body := do(t, e.object(t, alice, "POST", "/photos?delete", `<Delete><Quiet>true</Quiet><Object><Key>alice/a</Key></Object><Object><Key>bob/b</Key></Object></Delete>`, nil))
		require.Equal(t, 200, status, body)
		require.Equal(t, want, body)
	}
}

// Whoever may read what is to be copied, but not list it, does not learn from a copy
// that it is not there.
func TestACopyDoesNotTellWhatIsMissing(t *testing.T) {
	e := embed(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`) //nolint:errcheck // a test
	})
	copied := func(by key, target string) int {
		status, _ := do(t, e.object(t, by, "PUT", target, "", func(r *http.Request) { r.Header.Set("X-Amz-Copy-Source", "/archive/missing") }))
		return status
	}
	const rights = `["s3:GetObject","s3:PutObject"]`
	alice, bob := e.alice(t, allow(rights, "*")), e.may(t, "bob", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":`+rights+`,"Resource":"*"},{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::archive"}]}`)
	carol := e.may(t, "carol", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":`+rights+`,"Resource":"*"},{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::photos"}]}`)
	for _, target := range []string{"/photos/a", "/photos/a?partNumber=1&uploadId=u"} {
		require.Equal(t, 403, copied(alice, target))
		require.Equal(t, 404, copied(bob, target))
		require.Equal(t, 403, copied(carol, target), "of another bucket than is written to")
	}
}

// Whoever signs nothing cannot make a page of a public object.
func TestAnonymousReadersDoNotChooseTheAnswer(t *testing.T) {
	e := embed(t, nil, nil)
	status, body := do(t, e.object(t, e.root, "PUT", "/photos?policy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}}`, nil))
	require.Equal(t, 204, status, body)
	status, _ = do(t, e.object(t, key{}, "GET", "/photos/a", "", nil))
	require.Equal(t, 200, status)
	status, body = do(t, e.object(t, key{}, "GET", "/photos/a?response-content-type=text%2Fhtml", "", nil))
	require.Equal(t, 400, status)
	require.Contains(t, body, "<Code>InvalidRequest</Code>")
	status, _ = do(t, e.object(t, e.root, "GET", "/photos/a?response-content-type=text%2Fhtml", "", nil))
	require.Equal(t, 200, status)
}

// What a decision has to know of the store, the handler is asked; without a Decision,
// and without anything of the client's.
func TestAnAuthorizedHandlerIsAskedForItsState(t *testing.T) {
	e := embed(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "tagging=" {
			if server.DecisionOf(r.Context()) != nil || server.PrincipalOf(r.Context()) != nil || r.Header.Get("Authorization") != "" {
				w.WriteHeader(http.StatusTeapot)
			}
			io.WriteString(w, `<Tagging><TagSet><Tag><Key>team</Key><Value>`+strings.TrimPrefix(r.URL.Path, "/photos/")+`</Value></Tag></TagSet></Tagging>`) //nolint:errcheck // a test
		}
	})
	alice := e.alice(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"red"}}}}`)
	status, body := do(t, e.object(t, alice, "GET", "/photos/red", "", nil))
	require.Equal(t, 200, status, body)
	status, body = do(t, e.object(t, alice, "GET", "/photos/blue", "", nil))
	require.Equal(t, 403, status, body)
}

// Bucket policies are kept here: the handler hears only whether the bucket exists.
func TestAnAuthorizedHandlersBucketsHavePolicies(t *testing.T) {
	e := embed(t, nil, nil)
	nobody := key{}
	status, _ := do(t, e.object(t, nobody, "GET", "/photos/public/a", "", nil))
	require.Equal(t, 403, status)
	status, body := do(t, e.object(t, e.root, "PUT", "/photos?policy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/public/*"}}`, nil))
	require.Equal(t, 204, status, body)
	require.Empty(t, e.seen.take())
	status, body = do(t, e.object(t, nobody, "GET", "/photos/public/a", "", nil))
	require.Equal(t, 200, status, body)
	require.Equal(t, authz.Anonymous, e.seen.take()[0].Decision.Principal.Type)
	status, _ = do(t, e.object(t, nobody, "GET", "/photos/private/a", "", nil))
	require.Equal(t, 403, status)
}

func TestKeysOfAnAuthorizedHandler(t *testing.T) {
	exact := embed(t, func(c *server.Config) { c.S3 = &server.S3{Keys: &s3.KeyProfile{}, Domains: []string{"s3.example.com"}} }, nil)
	status, body := do(t, exact.object(t, exact.root, "GET", "/photos/a//b", "", nil))
	require.Equal(t, 200, status, body)
	status, body = do(t, exact.object(t, exact.root, "GET", "/k", "", func(r *http.Request) { r.Host = "photos.s3.example.com" }))
	require.Equal(t, 200, status, body)
	all := exact.seen.take()
	require.Equal(t, []string{"/photos/a//b", "/photos/k"}, []string{all[0].Target, all[1].Target})
}

// What a handler does not know of, it does not see: it could take it for something else.
func TestOperationsOfAnAuthorizedHandler(t *testing.T) {
	e := embed(t, func(c *server.Config) { c.S3 = &server.S3{Operations: []string{"GetObject", "DeleteObject"}} }, nil)
	status, body := do(t, e.object(t, e.root, "DELETE", "/photos/a?tagging", "", nil))
	require.Equal(t, 501, status, body)
	require.Empty(t, e.seen.take())
	status, body = do(t, e.object(t, e.root, "DELETE", "/photos/a", "", nil))
	require.Equal(t, 200, status, body)
	require.Len(t, e.seen.take(), 1)
	status, body = do(t, e.object(t, e.root, "GET", "/photos?policy", "", nil))
	require.Equal(t, 404, status, body)
	require.Equal(t, "NoSuchBucketPolicy", element(body, "Code"))
}

// IAM and S3 are on one port.
func TestIAMIsServedBesideAnAuthorizedHandler(t *testing.T) {
	e := embed(t, nil, nil)
	require.Contains(t, e.must(t, e.root, "ListUsers"), "<ListUsersResult>")
	alice := e.alice(t, allow(`"s3:*"`, "*"))
	status, body := do(t, e.request(t, alice, "ListUsers"))
	require.Equal(t, 403, status, body)
	require.Empty(t, e.seen.take())
}

func TestAnAuthorizedHandlerThatPanics(t *testing.T) {
	e := embed(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "late") {
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "half")             //nolint:errcheck // a test
			http.NewResponseController(w).Flush() //nolint:errcheck // a test
		}
		panic("broken")
	})
	status, body := do(t, e.object(t, e.root, "GET", "/photos/early", "", nil))
	require.Equal(t, 500, status)
	require.Equal(t, "InternalError", element(body, "Code"))
	require.NotContains(t, body, "broken")

	resp, err := http.DefaultClient.Do(e.object(t, e.root, "GET", "/photos/late", "", nil))
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
	}
	require.Error(t, err)
}

// A handler is told when the client has left, as in net/http, and the values of the
// client's context reach it.
func TestAnAuthorizedHandlerHasTheClientsContext(t *testing.T) {
	began, left := make(chan *http.Server, 1), make(chan error, 1)
	e := embed(t, nil, func(_ http.ResponseWriter, r *http.Request) {
		began <- r.Context().Value(http.ServerContextKey).(*http.Server) //nolint:forcetypeassert // net/http puts it there
		<-r.Context().Done()
		left <- r.Context().Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	r := e.object(t, e.root, "GET", "/photos/a", "", nil).WithContext(ctx)
	gone := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		gone <- err
	}()
	require.NotNil(t, <-began)
	cancel()
	require.Error(t, <-gone)
	select {
	case err := <-left:
		require.ErrorIs(t, err, context.Canceled)
	case <-time.After(time.Minute):
		require.Fail(t, "the handler was not told")
	}
}
