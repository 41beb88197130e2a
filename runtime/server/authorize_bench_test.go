package server_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
	"iamserver/runtime/server"
)

// A replay is a request that is carried out over and over, as net/http hands it over.
type replay struct {
	request *http.Request
	body    *strings.Reader
	text    string
}

func newReplay(r *http.Request, body string) *replay {
	p := &replay{request: r, body: strings.NewReader(body), text: body}
	r.RemoteAddr = "192.0.2.7:1234"
	r.Body = io.NopCloser(p.body)
	return p
}

func (p *replay) again() *http.Request {
	p.body.Reset(p.text)
	return p.request
}

// cached is a user with policies of its own, attached ones and those of two groups, whose
// key has been used before.
func cached(t testing.TB) (f *fixture, alice key) {
	t.Helper()
	f = open(t, nil)
	alice = f.user(t, "alice")
	for _, group := range []string{"readers", "writers"} {
		f.must(t, f.root, "CreateGroup", "GroupName", group)
		f.must(t, f.root, "AddUserToGroup", "GroupName", group, "UserName", "alice")
		f.must(t, f.root, "PutGroupPolicy", "GroupName", group, "PolicyName", "p", "PolicyDocument", allow(`"s3:*"`, "arn:aws:s3:::"+group+"/*"))
	}
	f.must(t, f.root, "AttachUserPolicy", "UserName", "alice", "PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}}`)
	return f, alice
}

// maxAuthentication is how many allocations it takes at most to find out who signed
// a request with a key that was used before.
const maxAuthentication = 10

// raceDetector says that the tests run with the race detector, with which a sync.Pool
// forgets what it was given.
var raceDetector bool

func TestAuthenticationAllocates(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted with the race detector")
	}
	f, alice := cached(t)
	text := form("GetUser", "UserName", "alice")
	p := newReplay(f.request(t, alice, "GetUser", "UserName", "alice"), text)
	require.NoError(t, f.server.DecideRequest(p.again()))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { require.NoError(t, f.server.AuthenticateRequest(p.again())) }), float64(maxAuthentication))
}

// What a GET of an object costs before the store, without the network: for a user in
// the cache, whose policy has a variable.
func BenchmarkAuthorizeObject(b *testing.B) {
	f := open(b, func(c *server.Config) {
		c.S3 = &server.S3{Upstream: s3.Upstream{
			Endpoint: &url.URL{Scheme: "http", Host: "store.invalid"}, Region: "us-east-1", AccessKeyID: "a", SecretAccessKey: "b",
			Transport: http.DefaultTransport, Now: clock,
		}}
	})
	alice := f.may(b, "alice", allow(`["s3:GetObject","s3:ListBucket"]`, photos+"/${aws:username}/*"))
	r := f.object(b, alice, http.MethodGet, "/photos/alice/2026/a.jpg", "", nil)
	r.RequestURI = r.URL.RequestURI() // as a server receives it
	p := newReplay(r, "")
	require.NoError(b, f.server.DecideObject(p.again()))
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		if err := f.server.DecideObject(p.again()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// What a request costs before its handler: who signed it, with a key that was used
// before, and with a principal in the cache whether it may.
func BenchmarkAuthorize(b *testing.B) {
	f, alice := cached(b)
	p := newReplay(f.request(b, alice, "GetUser", "UserName", "alice"), form("GetUser", "UserName", "alice"))
	for _, bb := range []struct {
		name string
		do   func(*http.Request) error
	}{{"authenticate", f.server.AuthenticateRequest}, {"authenticate and authorize", f.server.DecideRequest}} {
		b.Run(bb.name, func(b *testing.B) {
			require.NoError(b, bb.do(p.again()))
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				if err := bb.do(p.again()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}
