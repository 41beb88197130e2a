package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/s3"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

// bucketStore is a store that knows which buckets it has, and lets something
// happen in the middle of a request.
type bucketStore struct {
	mu     sync.Mutex
	there  bool   // guarded by mu; photos
	method string // guarded by mu; of the request
	during func() // guarded by mu; before the answer, once
}

func (s *bucketStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	found := s.there
	switch r.Method {
	case http.MethodPut:
		s.there = true
	case http.MethodDelete:
		s.there = false
	}
	var during func()
	if r.Method == s.method {
		during, s.during = s.during, nil
	}
	s.mu.Unlock()
	if during != nil {
		during()
	}
	switch {
	case r.Method == http.MethodHead && !found:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	}
}

// in sets what happens during the next request of a method.
func (s *bucketStore) in(method string, during func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.method, s.during = method, during
}

// Whatever happens at the same moment, nobody loses a policy that he put, nor puts one
// that he may not put any more.
func TestBucketPoliciesAtTheSameMoment(t *testing.T) {
	setting := func(t *testing.T) (*embedding, *bucketStore, func(by key, method, target, body string) string) {
		store := &bucketStore{}
		e := embed(t, nil, store.ServeHTTP)
		send := func(by key, method, target, body string) string {
			status, answer := do(t, e.object(t, by, method, target, body, nil))
			return strings.TrimSpace(fmt.Sprint(status, " ", element(answer, "Code")))
		}
		return e, store, send
	}
	statement := func(effect, action, principal string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"` + action + `","Resource":"` + photos + `"}}`
	}
	denied := statement("Deny", "s3:ListBucket", `"*"`)

	t.Run("a bucket made twice keeps the policy that the first one got", func(t *testing.T) {
		e, store, send := setting(t)
		maker := e.may(t, "maker", allow(`["s3:CreateBucket"]`, photos))
		store.in(http.MethodHead, func() {
			require.Equal(t, "200", send(e.root, "PUT", "/photos", ""))
			require.Equal(t, "204", send(e.root, "PUT", "/photos?policy", denied))
		})
		require.Equal(t, "409 OperationAborted", send(maker, "PUT", "/photos", ""))
		require.Equal(t, "200", send(e.root, "GET", "/photos?policy", ""))
	})
	t.Run("a bucket made anew while the old one is deleted keeps its policy", func(t *testing.T) {
		e, store, send := setting(t)
		require.Equal(t, "200", send(e.root, "PUT", "/photos", ""))
		store.in(http.MethodDelete, func() {
			require.Equal(t, "200", send(e.root, "PUT", "/photos", ""))
			require.Equal(t, "204", send(e.root, "PUT", "/photos?policy", denied))
		})
		require.Equal(t, "204", send(e.root, "DELETE", "/photos", ""))
		require.Equal(t, "200", send(e.root, "GET", "/photos?policy", ""))
	})
	t.Run("a right to put a policy ends before the policy is put", func(t *testing.T) {
		e, store, send := setting(t)
		alice := e.user(t, "alice")
		require.Equal(t, "200", send(e.root, "PUT", "/photos", ""))
		require.Equal(t, "204", send(e.root, "PUT", "/photos?policy", statement("Allow", "s3:PutBucketPolicy", `{"AWS":"arn:aws:iam::`+account+`:user/alice"}`)))
		store.in(http.MethodHead, func() { require.Equal(t, "204", send(e.root, "PUT", "/photos?policy", denied)) })
		require.Equal(t, "409 OperationAborted", send(alice, "PUT", "/photos?policy", statement("Allow", "s3:*", `"*"`)))
		_, kept := do(t, e.object(t, e.root, "GET", "/photos?policy", "", nil))
		require.Equal(t, denied, kept)
	})
	t.Run("and so does that of a user that is deleted", func(t *testing.T) {
		e, store, send := setting(t)
		alice := e.may(t, "alice", allow(`["s3:PutBucketPolicy"]`, photos))
		require.Equal(t, "200", send(e.root, "PUT", "/photos", ""))
		store.in(http.MethodHead, func() {
			e.must(t, e.root, "DeleteUserPolicy", "UserName", "alice", "PolicyName", "p")
		})
		require.Equal(t, "409 OperationAborted", send(alice, "PUT", "/photos?policy", denied))
		require.Equal(t, "404 NoSuchBucketPolicy", send(e.root, "GET", "/photos?policy", ""))
	})
}

// While nobody could see writes in the audit log, there are none; reads go on.
func TestObjectsAreNotWrittenUnaudited(t *testing.T) {
	for _, goOn := range []bool{false, true} {
		log := &auditor{}
		e := embed(t, func(c *server.Config) { c.Audit, c.AuditContinue = log, goOn }, nil)
		log.fail(io.ErrShortWrite)
		do(t, e.object(t, e.root, "GET", "/photos/a", "", nil)) // its record is lost
		e.seen.take()
		for method, want := range map[string]int{"GET": 200, "HEAD": 200, "PUT": 503, "DELETE": 503} {
			if goOn {
				want = 200
			}
			status, answer := do(t, e.object(t, e.root, method, "/photos/a", "", nil))
			require.Equal(t, want, status, answer)
			require.Len(t, e.seen.take(), map[bool]int{true: 1, false: 0}[want == 200], method)
		}
		log.fail(nil)
		do(t, e.object(t, e.root, "GET", "/photos/a", "", nil))
		status, _ := do(t, e.object(t, e.root, "PUT", "/photos/a", "", nil))
		require.Equal(t, 200, status)
	}
}

// The record of DeleteObjects says what was deleted, and what was not.
func TestDeletionsAreAudited(t *testing.T) {
	log := &auditor{}
	e := embed(t, func(c *server.Config) { c.Audit = log }, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `<DeleteResult></DeleteResult>`) //nolint:errcheck // a test
	})
	alice := e.alice(t, allow(`["s3:DeleteObject","s3:DeleteObjectVersion"]`, photos+"/alice/*"))
	parameters := func(entries string) string {
		status, answer := do(t, e.object(t, alice, "POST", "/photos?delete", "<Delete>"+entries+"</Delete>", nil))
		require.Equal(t, 200, status, answer)
		log.mu.Lock()
		defer log.mu.Unlock()
		last := log.records[len(log.records)-1]
		require.Equal(t, "DeleteObjects", last.EventName)
		text, err := json.Marshal(last.RequestParameters)
		require.NoError(t, err)
		return string(text)
	}
	require.JSONEq(t, `{"bucketName":"photos","objects":[{"key":"alice/a"},{"key":"alice/b","versionId":"7"},{"key":"bob/b","denied":true}]}`,
		parameters(`<Object><Key>alice/a</Key></Object><Object><Key>alice/b</Key><VersionId>7</VersionId></Object><Object><Key>bob/b</Key></Object>`))

	long := parameters(strings.Repeat("<Object><Key>alice/"+strings.Repeat("\n", 1018)+"</Key></Object>", 1000))
	require.Contains(t, long, `"objectsOmitted":970`)
	require.Less(t, len(long), 100<<10)
}

// A browser's question before a request is no request: anybody could fill the log.
func TestPreflightsAreNotAudited(t *testing.T) {
	log := &auditor{}
	e := embed(t, func(c *server.Config) { c.Audit = log }, nil)
	status, answer := do(t, e.object(t, e.root, "PUT", "/photos?cors", "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>", nil))
	require.Equal(t, 200, status, answer)
	for _, method := range []string{"GET", "PUT", "none"} {
		do(t, e.object(t, key{}, "OPTIONS", "/photos/a", "", func(r *http.Request) {
			r.Header.Set("Origin", "https://example.com")
			r.Header.Set("Access-Control-Request-Method", method)
		}))
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	require.Len(t, log.records, 1)
	require.Equal(t, "PutBucketCors", log.records[0].EventName)
}

// Whoever signs nothing cannot make the server read documents that no policy could
// make matter.
func TestDocumentsOfStrangersAreNotRead(t *testing.T) {
	e := embed(t, nil, nil)
	u, err := url.Parse(e.url)
	require.NoError(t, err)
	for _, target := range []string{"/photos?delete", "/photos?policy", "/photos/a?tagging", "/photos"} {
		method := "PUT"
		if strings.HasSuffix(target, "delete") {
			method = "POST"
		}
		connection, err := net.Dial("tcp", u.Host)
		require.NoError(t, err)
		// The body never comes.
		_, err = fmt.Fprintf(connection, "%s %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n", method, target)
		require.NoError(t, err)
		answer, err := io.ReadAll(connection)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(answer), "HTTP/1.1 403 "), "%s: nor is the client told to send one: %s", target, answer)
		require.NoError(t, connection.Close())
	}
	require.Empty(t, e.seen.take())
}

// Without a store of its own, Handler's rules of which service a request is for hold
// for Authorize all the same.
func TestUnsignedRequestsToAnEmbeddedStore(t *testing.T) {
	e := embed(t, nil, nil)
	for request, want := range map[string]string{
		"GET /":                  "403 AccessDenied",
		"POST /":                 "403 MissingAuthenticationToken",
		"GET /?Action=ListUsers": "403 MissingAuthenticationToken",
		"GET /photos":            "403 AccessDenied",
		"OPTIONS /photos":        "400 BadRequest",
		"GET /photos?AWSAccessKeyId=a&Signature=b": "400 InvalidRequest",
	} {
		method, target, _ := strings.Cut(request, " ")
		status, body := do(t, e.object(t, key{}, method, target, "", nil))
		require.Equal(t, want, fmt.Sprint(status, " ", element(body, "Code")), request)
	}
	require.Empty(t, e.seen.take())
}

// Where a store may have another API, nobody gets by a bucket of that name, whether it
// was configured or not.
func TestOtherAPIsOfTheStore(t *testing.T) {
	f := overStore(t)
	for _, name := range s3.APIBuckets {
		status, answer := do(t, f.object(t, f.root, http.MethodGet, "/"+name+"/v3/info", "", nil))
		require.Equal(t, []any{http.StatusBadRequest, "InvalidBucketName"}, []any{status, element(answer, "Code")}, name)
	}
	status, answer := do(t, f.object(t, f.root, http.MethodPut, "/photos/k", "", func(r *http.Request) { r.Header.Set("X-Amz-Copy-Source", "/minio/v3/info") }))
	require.Equal(t, []any{http.StatusBadRequest, "InvalidArgument"}, []any{status, element(answer, "Code")})
	status, answer = do(t, f.object(t, f.root, http.MethodGet, "/minio-photos/k", "", nil))
	require.Equal(t, http.StatusOK, status, answer)
}

// Rules for pages of other sites that cannot be read are none, and the bucket is as
// open to those who have rights as it was.
func TestRulesForPagesThatCannotBeRead(t *testing.T) {
	store := memory.Open()
	behind := storeBehind(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	f := open(t, func(c *server.Config) {
		behind(c)
		c.Store = store
	})
	db, err := identity.Open(t.Context(), store, identity.Config{Account: "123456789012", Sealer: plainSealer{}, Rand: randomness()})
	require.NoError(t, err)
	_, err = db.Update(t.Context(), func(tx *identity.Tx) error {
		return tx.PutBucket(&identity.Bucket{Name: "photos", CORS: "<CORSConfiguration>", Changed: now})
	})
	require.NoError(t, err)
	status, answer := do(t, f.object(t, f.root, http.MethodGet, "/photos/k", "", func(r *http.Request) { r.Header.Set("Origin", "https://example.com") }))
	require.Equal(t, http.StatusOK, status, answer)
	status, answer = do(t, f.object(t, f.root, http.MethodDelete, "/photos?cors", "", nil))
	require.Equal(t, http.StatusNoContent, status, answer)
}

// Where the store is sent buckets by host, keys stand in the place of those APIs.
func TestOtherAPIsOfAStoreWithVirtualHosts(t *testing.T) {
	f := open(t, func(c *server.Config) {
		c.S3 = &server.S3{Upstream: s3.Upstream{
			Endpoint: &url.URL{Scheme: "http", Host: "store.example.com"}, VirtualHosts: true, Region: "us-east-1", AccessKeyID: "store", SecretAccessKey: "secret", Now: clock,
			Transport: s3.NewHandlerTransport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, r.URL.Path) }), slog.New(slog.DiscardHandler)), //nolint:errcheck // the client tells
		}}
	})
	for target, want := range map[string]string{
		"/photos/minio/admin/v3/export-iam": "400 InvalidArgument",
		"/photos/status":                    "400 InvalidArgument",
		"/photos/k":                         "200 photos.store.example.com/k",
	} {
		status, answer := do(t, f.object(t, f.root, http.MethodGet, target, "", nil))
		if status != http.StatusOK {
			answer = element(answer, "Code")
		}
		require.Equal(t, want, fmt.Sprint(status, " ", answer), target)
	}
}
