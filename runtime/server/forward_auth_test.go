package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
	"iamserver/runtime/server"
)

// A guard is a server that a proxy asks, in front of a store.
type guard struct {
	*fixture
	handler http.Handler
	asked   *int // how often the store was asked for its state
}

const proxyToken = "the token of the proxy"

// guarding asks with a token. The store has the objects that exist says.
func guarding(t testing.TB, token string, exists func(path string) bool) *guard {
	t.Helper()
	g := &guard{asked: new(int)}
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*g.asked++
		w.Header().Set("Last-Modified", now.Format(http.TimeFormat))
		if !exists(r.URL.Path) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if r.URL.Query().Has("tagging") {
			io.WriteString(w, "<Tagging><TagSet></TagSet></Tagging>") //nolint:errcheck // the client tells
		}
	}))
	t.Cleanup(store.Close)
	endpoint, err := url.Parse(store.URL)
	require.NoError(t, err)
	g.fixture = open(t, func(c *server.Config) {
		c.S3 = &server.S3{Upstream: s3.Upstream{Endpoint: endpoint, Region: "us-east-1", AccessKeyID: "AKIASTORE", SecretAccessKey: "x", Transport: s3.NewTransport(nil, nil), Now: clock}}
	})
	g.handler, err = g.server.ForwardAuth(token)
	require.NoError(t, err)
	return g
}

// question is what a proxy asks about a client's request, as nginx does.
func question(r *http.Request) *http.Request {
	q := httptest.NewRequest(http.MethodGet, "/", nil)
	for name, values := range r.Header {
		q.Header[name] = values
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	q.Header.Set("X-Original-Method", r.Method)
	q.Header.Set("X-Original-URI", r.URL.RequestURI())
	q.Header.Set("X-Original-Host", host)
	q.Header.Set("X-Original-Peer", "192.0.2.7")
	q.Header.Set("X-Original-Scheme", "https")
	if r.ContentLength > 0 {
		q.Header.Set("X-Original-Content-Length", "5")
	}
	q.Header.Set("X-Authorize-Token", proxyToken)
	return q
}

func (g *guard) ask(q *http.Request) (status int, answer http.Header) {
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, q)
	h := w.Header()
	h.Del("X-Authorize-Request-Id")
	return w.Code, h
}

func everything(string) bool { return true }

func TestAProxyIsTold(t *testing.T) {
	g := guarding(t, proxyToken, func(path string) bool { return path != "/photos/alice/missing" })
	alice := g.alice(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject","s3:CreateBucket","s3:PutObjectTagging"],"Resource":"arn:aws:s3:::photos*"},
		{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"s3:prefix":"alice/"}}}]}`)
	nobody := key{}
	empty := sha256Hex("")
	kind := func(payload string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", payload) }
	}
	for _, tt := range []struct {
		name           string
		by             key
		method, target string
		body           string
		change         func(*http.Request)
		hash, reason   string // one of both
	}{
		{"a read", alice, "GET", "/photos/alice/a%20b", "", nil, empty, ""},
		{"a read with a parameter for logs", alice, "GET", "/photos/alice/a?x-id=GetObject", "", nil, empty, ""},
		{"a listing, by address and transport", alice, "GET", "/photos?list-type=2&prefix=alice%2F", "", nil, empty, ""},
		{"another listing", alice, "GET", "/photos?list-type=2", "", nil, "", "AccessDenied: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: s3:ListBucket on resource: \"arn:aws:s3:::photos\" because no identity-based policy allows the s3:ListBucket action"},
		{"a write", alice, "PUT", "/photos/alice/a", "hello", nil, sha256Hex("hello"), ""},
		{"a write of what nothing covers", alice, "PUT", "/photos/alice/a", "hello", kind("UNSIGNED-PAYLOAD"), "UNSIGNED-PAYLOAD", ""},
		{"a write in chunks with a trailer", alice, "PUT", "/photos/alice/a", "hello", kind("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER", ""},
		{"signed chunks", alice, "PUT", "/photos/alice/a", "hello", kind("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "", "NeedsBody: Nobody else can verify the chunks of the body."},
		{"tags in the body", alice, "PUT", "/photos/alice/a?tagging", "hello", nil, "", "NeedsBody: The decision depends on the body."},
		{"several deletions", alice, "POST", "/photos?delete", "hello", nil, "", "NeedsBody: The decision depends on the body."},
		{"a form", nobody, "POST", "/photos", "hello", func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") }, "", "NeedsBody: The decision depends on the body."},
		{"a bucket policy", alice, "GET", "/photos?policy", "", nil, "", "NeedsGateway: The store does not know of this."},
		{"a new bucket", alice, "PUT", "/photos", "", nil, "", "NeedsGateway: What belongs to the bucket begins and ends with it."},
		{"a path that is written in another way", alice, "GET", "/photos/?list-type=2", "", nil, "", "NeedsGateway: The store must not be sent the client's own text."},
		{"a header that the operation does not have", alice, "GET", "/photos/alice/a", "", func(r *http.Request) { r.Header.Set("X-Amz-Foo", "1") }, "", "NeedsGateway: The store must not be sent the client's own text."},
		{"a header that a store may have", alice, "GET", "/photos/alice/a", "", func(r *http.Request) { r.Header.Set("X-Minio-Extract", "true") }, "", "NeedsGateway: The store must not be sent the client's own text."},
		{"a parameter that stores may read", alice, "GET", "/photos/alice/a?x-foo=1", "", nil, "", "NeedsGateway: The store must not be sent the client's own text."},
		{"a header that may be another one", alice, "PUT", "/photos/alice/a", "hello", func(r *http.Request) { r.Header["X_amz_copy_source"] = []string{"/photos/bob/secret"} }, "", "NeedsGateway: The store must not be sent the client's own text."},
		{"a copy of what is not there", alice, "PUT", "/photos/alice/copy", "", func(r *http.Request) {
			r.Header.Set("X-Amz-Copy-Source", "/photos/alice/missing")
			r.Header.Set("X-Amz-Tagging-Directive", "REPLACE")
		}, "", "AccessDenied: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: s3:ListBucket on resource: \"arn:aws:s3:::photos\" because no identity-based policy allows the s3:ListBucket action"},
		{"a copy whose source has no tags yet", alice, "PUT", "/photos/alice/copy", "", func(r *http.Request) { r.Header.Set("X-Amz-Copy-Source", "/photos/alice/a") }, "", "NeedsGateway: What is allowed depends on a lock, or on tags, that there may be by now."},
		{"a deletion that bypasses a lock, of what has none yet", alice, "DELETE", "/photos/alice/a", "", func(r *http.Request) { r.Header.Set("X-Amz-Bypass-Governance-Retention", "true") }, "", "NeedsGateway: What is allowed depends on a lock, or on tags, that there may be by now."},
		{"IAM", nobody, "GET", "/?Action=ListUsers", "", nil, "", "NeedsGateway: The request is for IAM or STS."},
		{"an unsigned request", nobody, "GET", "/photos/alice/a", "", nil, "", "AccessDenied: Access Denied"},
		{"a way around a folder", alice, "GET", "/photos/alice/../b", "", nil, "", "InvalidArgument"},
		{"an object that is not there", alice, "GET", "/photos/alice/missing", "", nil, "", "AccessDenied: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: s3:ListBucket on resource: \"arn:aws:s3:::photos\" because no identity-based policy allows the s3:ListBucket action"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := g.ask(question(g.object(t, tt.by, tt.method, tt.target, tt.body, tt.change)))
			if tt.reason == "" {
				require.Equal(t, http.StatusNoContent, status, answer)
				require.Equal(t, http.Header{"X-Authorized-Content-Sha256": {tt.hash}, "X-Authorized-Principal": {"arn:aws:iam::123456789012:user/alice"}}, answer)
				return
			}
			require.Equal(t, http.StatusForbidden, status)
			reason := answer.Get("X-Authorize-Reason")
			if tt.reason == "InvalidArgument" {
				reason, _, _ = strings.Cut(reason, ":")
			}
			require.Equal(t, tt.reason, reason)
			require.Len(t, answer, 1)
		})
	}
}

// Who sees an answer is said by the rules that are kept here: the store knows of none.
func TestAProxyLeavesPagesOfOtherSitesToTheGateway(t *testing.T) {
	g := guarding(t, proxyToken, everything)
	ask := func() string {
		status, answer := g.ask(question(g.object(t, g.root, "GET", "/photos/a", "", func(r *http.Request) { r.Header.Set("Origin", "https://example.com") })))
		return fmt.Sprint(status, " ", answer.Get("X-Authorize-Reason"))
	}
	require.Equal(t, "204 ", ask())
	status, answer := do(t, g.object(t, g.root, "PUT", "/photos?cors", "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>", nil))
	require.Equal(t, 200, status, answer)
	require.Equal(t, "403 NeedsGateway: The answer has to say which pages may see it.", ask())
}

// What a proxy did not say, or not alone, is not guessed.
func TestAForgedQuestionIsRefused(t *testing.T) {
	g := guarding(t, proxyToken, everything)
	for _, tt := range []struct {
		name   string
		change func(http.Header)
		status int
	}{
		{"as it should be", func(http.Header) {}, 204},
		{"no method", func(h http.Header) { h.Del("X-Original-Method") }, 400},
		{"two methods", func(h http.Header) { h.Add("X-Original-Method", "GET") }, 400},
		{"no target", func(h http.Header) { h.Del("X-Original-URI") }, 400},
		{"two targets", func(h http.Header) { h.Add("X-Original-URI", "/photos/b") }, 400},
		{"a target with a host", func(h http.Header) { h.Set("X-Original-URI", "http://a/photos/b") }, 400},
		{"an empty target", func(h http.Header) { h.Set("X-Original-URI", "") }, 400},
		{"no host", func(h http.Header) { h.Del("X-Original-Host") }, 400},
		{"two hosts", func(h http.Header) { h.Add("X-Original-Host", "a") }, 400},
		{"no peer", func(h http.Header) { h.Del("X-Original-Peer") }, 400},
		{"two peers", func(h http.Header) { h.Add("X-Original-Peer", "127.0.0.1") }, 400},
		{"a list of peers", func(h http.Header) { h.Set("X-Original-Peer", "127.0.0.1, 192.0.2.7") }, 400},
		{"no scheme", func(h http.Header) { h.Del("X-Original-Scheme") }, 400},
		{"two schemes", func(h http.Header) { h.Add("X-Original-Scheme", "https") }, 400},
		{"another scheme", func(h http.Header) { h.Set("X-Original-Scheme", "ftp") }, 400},
		{"two lengths", func(h http.Header) { h["X-Original-Content-Length"] = []string{"0", "0"} }, 400},
		{"a length that is none", func(h http.Header) { h.Set("X-Original-Content-Length", "-1") }, 400},
		{"no token", func(h http.Header) { h.Del("X-Authorize-Token") }, 403},
		{"two tokens", func(h http.Header) { h.Add("X-Authorize-Token", proxyToken) }, 403},
		{"another token", func(h http.Header) { h.Set("X-Authorize-Token", proxyToken+"x") }, 403},
		{"another method than was signed", func(h http.Header) { h.Set("X-Original-Method", "DELETE") }, 403},
		{"another target than was signed", func(h http.Header) { h.Set("X-Original-URI", "/photos/b") }, 403},
		{"another host than was signed", func(h http.Header) { h.Set("X-Original-Host", "b") }, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := question(g.object(t, g.root, "GET", "/photos/a", "", nil))
			tt.change(q.Header)
			status, answer := g.ask(q)
			require.Equal(t, tt.status, status, answer)
			if tt.status != 204 {
				require.Empty(t, answer.Get("X-Authorized-Content-Sha256"))
			}
		})
	}
}

// A proxy on a unix socket may go without a token.
func TestWithoutATokenEverybodyMayAsk(t *testing.T) {
	g := guarding(t, "", everything)
	q := question(g.object(t, g.root, "GET", "/photos/a", "", nil))
	q.Header.Del("X-Authorize-Token")
	status, _ := g.ask(q)
	require.Equal(t, 204, status)
	require.Zero(t, *g.asked)
}

// The source address is that of the peer; only trusted proxies name another one.
func TestAClientCannotNameItsAddressThroughAProxy(t *testing.T) {
	g := guarding(t, proxyToken, everything)
	alice := g.alice(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"198.51.100.1/32"}}}}`)
	q := question(g.object(t, alice, "GET", "/photos/a", "", nil))
	q.Header.Set("X-Forwarded-For", "198.51.100.1")
	status, _ := g.ask(q)
	require.Equal(t, 403, status)
}

func TestForwardAuthNeedsAStore(t *testing.T) {
	_, err := open(t, nil).server.ForwardAuth(proxyToken)
	require.ErrorIs(t, err, server.ErrNoStore)
}

func FuzzOriginal(f *testing.F) {
	g := guarding(f, proxyToken, everything)
	f.Add("GET", "/photos/a?versionId=1", "localhost", "192.0.2.7", "https", "5")
	f.Add("PUT", "//..%2f?;", "", "::1%25x", "http", "-")
	f.Fuzz(func(t *testing.T, method, uri, host, peer, scheme, length string) {
		q := httptest.NewRequest(http.MethodGet, "/", io.NopCloser(strings.NewReader("")))
		for name, value := range map[string]string{
			"X-Original-Method": method, "X-Original-Uri": uri, "X-Original-Host": host, "X-Original-Peer": peer, "X-Original-Scheme": scheme,
			"X-Original-Content-Length": length, "X-Authorize-Token": proxyToken,
		} {
			q.Header[name] = []string{value}
		}
		status, answer := g.ask(q)
		// Nobody has signed, and nothing is public.
		require.Contains(t, []int{400, 403}, status)
		require.Empty(t, answer.Get("X-Authorized-Content-Sha256"))
	})
}
