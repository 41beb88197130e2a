package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
