package s3_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/s3err"
	"iamserver/runtime/apierror"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

const storeKey, storeSecret = "AKIASTORE", "the secret of the store"

// A recorded is a request that a store got.
type recorded struct {
	Method, Target, Host string
	Header               http.Header
	Body                 string
}

// A fakeStore records requests and answers them with a function.
type fakeStore struct {
	*httptest.Server
	mu       sync.Mutex
	requests []recorded // guarded by mu
}

func newStore(t *testing.T, answer http.HandlerFunc) *fakeStore {
	t.Helper()
	s := &fakeStore{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		s.mu.Lock()
		s.requests = append(s.requests, recorded{r.Method, r.RequestURI, r.Host, r.Header, string(body)})
		s.mu.Unlock()
		if err == nil && answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *fakeStore) last(t *testing.T) recorded {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(t, s.requests)
	return s.requests[len(s.requests)-1]
}

func (s *fakeStore) upstream(t *testing.T) s3.Upstream {
	t.Helper()
	endpoint, err := url.Parse(s.URL)
	require.NoError(t, err)
	return s3.Upstream{
		Endpoint: endpoint, Region: "us-east-1", AccessKeyID: storeKey, SecretAccessKey: storeSecret, Owner: "the-account",
		Transport: s3.NewTransport(nil, nil), Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	}
}

// An answered request is what a client gets.
type answered struct {
	Status int
	Header http.Header
	Host   string // that the client sent it to
	Text   string
}

// forward sends a request through a gateway.
func forward(t *testing.T, up s3.Upstream, method, target string, header http.Header, body string) answered {
	t.Helper()
	server := httptest.NewServer(forwarder(s3.NewGateway(up)))
	t.Cleanup(server.Close)
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return answered{resp.StatusCode, resp.Header, req.URL.Host, string(text)}
}

// forwarder forwards everything, as if it were allowed.
func forwarder(g *s3.Gateway) http.HandlerFunc {
	classifier := s3.NewClassifier(s3.Config{})
	return func(w http.ResponseWriter, hr *http.Request) {
		var r s3.Request
		err := classifier.Classify(sigv4.RequestOf(hr), &r)
		var payload sigv4.Payload
		if err == nil {
			payload, err = sigv4.UnsignedRequestPayload(hr.Header)
		}
		var body *s3.Body
		if err == nil {
			body, err = r.NewBody(hr.Body, hr.ContentLength, payload, nil)
		}
		if err == nil {
			err = g.Forward(w, hr, &r, s3.Content{Body: body})
		}
		if err != nil {
			s3.WriteError(w, hr, err, hr.URL.Path, "1")
		}
	}
}

// What the store gets is built from what was classified: known headers, one
// encoding, the store's own credentials.
func TestTheStoreGetsARequestOfItsOwn(t *testing.T) {
	store := newStore(t, nil)
	resp := forward(t, store.upstream(t), "PUT", "/photos/a%2fb%20c+d/%C3%a9?x-id=PutObject&X-Amz-Foo=1", http.Header{
		"Content-Type": {"text/plain"}, "X-Amz-Meta-Colour": {"red"}, "X-Amz-Tagging": {"a=b+c&d=%65"}, "Content-Encoding": {"aws-chunked", "gzip"},
		"X-Amz-Acl": {"private"}, "X-Amz-Date": {"20000101T000000Z"}, "X-Amz-Security-Token": {"the client's"}, "Cookie": {"c=1"}, "X-Forwarded-For": {"1.2.3.4"},
		"X-Amz-Expected-Bucket-Owner": {"1"}, "X-Amz-Request-Payer": {"requester"}, "X-Custom": {"1"}, "Authorization": {"the client's"}, "X-Amz-Mfa": {"1 2"},
		"X-Amz-Checksum-Crc32": {checksumOf("crc32", []byte("hello"))}, "X-Amz-Sdk-Checksum-Algorithm": {"CRC32"}, "Referer": {"http://x"}, "User-Agent": {"client/1"},
	}, "hello")
	require.Equal(t, 200, resp.Status)
	got := store.last(t)
	require.Contains(t, got.Header.Get("Authorization"), "Credential="+storeKey+"/")
	require.NotEmpty(t, got.Header.Get("X-Amz-Date"))
	for _, name := range []string{"Authorization", "X-Amz-Date"} {
		got.Header.Del(name)
	}
	require.Equal(t, recorded{"PUT", "/photos/a/b%20c%2Bd/%C3%A9", got.Host, http.Header{
		"Content-Type": {"text/plain"}, "X-Amz-Meta-Colour": {"red"}, "X-Amz-Tagging": {"a=b%20c&d=e"}, "Content-Encoding": {"gzip"}, "Content-Length": {"5"},
		"X-Amz-Checksum-Crc32": {checksumOf("crc32", []byte("hello"))}, "X-Amz-Content-Sha256": {hexHash("hello")}, "User-Agent": {"iamserver"},
	}, "hello"}, got)
}

// Clients write lists in three ways: with spaces, without, and a line for each.
func TestListsAreForwardedInOneForm(t *testing.T) {
	for _, list := range [][]string{{"ETag, ObjectSize"}, {"ETag,ObjectSize"}, {"ETag", " ObjectSize"}} {
		store := newStore(t, nil)
		require.Equal(t, 200, forward(t, store.upstream(t), "GET", "/photos/a?attributes", http.Header{"X-Amz-Object-Attributes": list}, "").Status)
		require.Equal(t, []string{"ETag,ObjectSize"}, store.last(t).Header["X-Amz-Object-Attributes"])
	}
}

// The signature of a forwarded request is right, in every form of body.
func TestForwardedRequestsAreSigned(t *testing.T) {
	verify := sigv4.New[string](storeKeys{}, time.Now, sigv4.Config{Profiles: []sigv4.Profile{{Service: "s3", ObjectStore: true}}}) //nolint:forbidigo // the signer goes by the clock
	var problem error
	up := s3.Upstream{Now: time.Now} //nolint:forbidigo // as above
	store := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, hr *http.Request) {
		req := sigv4.RequestOf(hr)
		auth, err := verify.Parse(req)
		if err == nil {
			var id sigv4.Identity[string]
			var r s3.Request
			if id, err = verify.VerifyHeaders(hr.Context(), auth); err == nil {
				err = s3.NewClassifier(s3.Config{}).Classify(req, &r)
			}
			var body *s3.Body
			if err == nil {
				body, err = r.NewBody(hr.Body, hr.ContentLength, auth.Payload(), id.ChunkKey())
			}
			if err == nil {
				_, err = io.Copy(io.Discard, body)
			}
		}
		if strings.Contains(hr.Header.Get("X-Amz-Trailer"), "sha512") {
			err = errors.New("a trailer that stores do not know")
		}
		problem = err
	}))
	t.Cleanup(store.Close)
	endpoint, err := url.Parse(store.URL)
	require.NoError(t, err)
	up.Endpoint, up.Region, up.AccessKeyID, up.SecretAccessKey = endpoint, "us-east-1", storeKey, storeSecret
	up.Transport, up.Log = s3.NewTransport(nil, nil), slog.New(slog.DiscardHandler)
	large := string(bytesOf(3 << 20))
	sum := hexHash(large)
	chunked := upload{data: []byte(large), kind: "STREAMING-UNSIGNED-PAYLOAD-TRAILER", trailer: "sha256"}
	unknown := upload{data: []byte(large), kind: chunked.kind, trailer: "sha512"}
	for _, tt := range []struct {
		name, method, target string
		header               http.Header
		body                 string
	}{
		{"a read", "GET", "/photos/a%20b%2B%C3%A9?versionId=a%2Bb%20c", nil, ""},
		{"a listing", "GET", "/photos?list-type=2&prefix=a+b%2F&delimiter=%2F", nil, ""},
		{"a copy", "PUT", "/photos/k", http.Header{"X-Amz-Copy-Source": {"photos/a%20b?versionId=7"}}, ""},
		{"a small object", "PUT", "/photos/k", nil, "hello"},
		{"an empty object", "PUT", "/photos/k", nil, ""},
		{"metadata with spaces", "PUT", "/photos/k", http.Header{"X-Amz-Meta-A": {"b  c   d"}}, "hello"},
		{"a document", "PUT", "/photos?versioning", nil, "<VersioningConfiguration/>"},
		{"a large object with a hash", "PUT", "/photos/k", http.Header{"X-Amz-Content-Sha256": {sum}}, large},
		{"a large object without", "PUT", "/photos/k", nil, large},
		{"a large object with a trailer", "PUT", "/photos/k", http.Header{
			"X-Amz-Content-Sha256": {chunked.kind}, "X-Amz-Decoded-Content-Length": {strconv.Itoa(len(large))}, "X-Amz-Trailer": {"x-amz-checksum-sha256"},
		}, chunked.chunks(chunked.kind, "", nil)},
		{"a large object with a trailer that stores do not know", "PUT", "/photos/k", http.Header{
			"X-Amz-Content-Sha256": {unknown.kind}, "X-Amz-Decoded-Content-Length": {strconv.Itoa(len(large))}, "X-Amz-Trailer": {"x-amz-checksum-sha512"},
		}, unknown.chunks(unknown.kind, "", nil)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			problem = errors.New("the store did not hear of it")
			resp := forward(t, up, tt.method, tt.target, tt.header, tt.body)
			require.Equal(t, 200, resp.Status, resp.Text)
			require.NoError(t, problem)
		})
	}
}

type storeKeys struct{}

func (storeKeys) Key(context.Context, string, string) (sigv4.Key[string], error) {
	return sigv4.Key[string]{Secret: storeSecret, Principal: "gateway"}, nil
}

// Of the answer only what belongs to the object reaches the client.
func TestAnswersAreFiltered(t *testing.T) {
	store := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"Etag": `"1"`, "X-Amz-Meta-Colour": "red", "X-Amz-Version-Id": "7", "Last-Modified": "Wed, 25 Nov 2026 12:00:00 GMT", "X-Amz-Checksum-Crc32": "AAAAAA==",
			"Content-Type": "text/plain", "X-Amz-Request-Id": "upstream", "X-Amz-Id-2": "upstream", "Server": "upstream/1.0", "Set-Cookie": "a=b", "X-Amz-Tagging-Count": "3",
			"Via": "upstream", "X-Minio-Deployment-Id": "upstream", "Access-Control-Allow-Origin": "*", "Strict-Transport-Security": "max-age=1", "Content-Encoding": "aws-chunked,gzip",
		} {
			w.Header().Set(name, value)
		}
		_, _ = io.WriteString(w, "hello")
	})
	resp := forward(t, store.upstream(t), "GET", "/photos/k", http.Header{"Accept-Encoding": {"identity"}}, "")
	require.Equal(t, "hello", resp.Text)
	resp.Header.Del("Date")
	require.Equal(t, http.Header{
		"Etag": {`"1"`}, "X-Amz-Meta-Colour": {"red"}, "X-Amz-Version-Id": {"7"}, "Last-Modified": {"Wed, 25 Nov 2026 12:00:00 GMT"}, "X-Amz-Checksum-Crc32": {"AAAAAA=="},
		"Content-Type": {"text/plain"}, "Content-Length": {"5"}, "Content-Encoding": {"gzip"},
	}, resp.Header)
}

// Owners and addresses of the store are replaced, whatever else a document has.
func TestDocumentsAreRewritten(t *testing.T) {
	const declaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	for _, tt := range []struct{ name, method, target, answer, want string }{
		{
			"the owner of the buckets", "GET", "/",
			declaration + `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>AKIASTORE</ID><DisplayName>root</DisplayName></Owner><Buckets><Bucket><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>`,
			declaration + `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>the-account</ID><DisplayName>the-account</DisplayName></Owner><Buckets><Bucket><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>`,
		},
		{
			"owners of objects, and keys that look like it", "GET", "/photos?list-type=2&fetch-owner=true",
			`<R><Contents><Key>&lt;Owner&gt;</Key><Owner/></Contents><Contents><Key>b</Key><Owner xmlns:a="x"><ID><![CDATA[AKIASTORE]]></ID></Owner></Contents><!-- c --></R>`,
			`<R><Contents><Key>&lt;Owner&gt;</Key><Owner><ID>the-account</ID><DisplayName>the-account</DisplayName></Owner></Contents><Contents><Key>b</Key><Owner><ID>the-account</ID><DisplayName>the-account</DisplayName></Owner></Contents><!-- c --></R>`,
		},
		{
			"who began an upload", "GET", "/photos/k?uploadId=1",
			`<R><Initiator><ID>AKIASTORE</ID></Initiator><Owner><ID>AKIASTORE</ID></Owner><Part>1</Part></R>`,
			`<R><Initiator><ID>the-account</ID><DisplayName>the-account</DisplayName></Initiator><Owner><ID>the-account</ID><DisplayName>the-account</DisplayName></Owner><Part>1</Part></R>`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newStore(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.answer) })
			require.Equal(t, tt.want, forward(t, store.upstream(t), tt.method, tt.target, nil, "").Text)
		})
	}
	store := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<R><Location>http://10.0.0.1/photos/a%20b</Location><ETag>1</ETag></R>`)
	})
	resp := forward(t, store.upstream(t), "POST", "/photos/a%20b?uploadId=1", nil, "<CompleteMultipartUpload/>")
	require.Equal(t, `<R><Location>http://`+resp.Host+`/photos/a%20b</Location><ETag>1</ETag></R>`, resp.Text)
}

// Who presigns with the SDK for JavaScript does not know the body, and signs the
// checksum of none.
func TestPresignedChecksumsOfNoBody(t *testing.T) {
	for _, tt := range []struct {
		name, query, body string
		want              string // status, and the checksum that the store gets
	}{
		{"that of no body", "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32", "hello", "200 "},
		{"in upper case", "X-Amz-Checksum-Crc32=AAAAAA%3D%3D", "hello", "200 "},
		{"that of no body, of none", "x-amz-checksum-crc32=AAAAAA%3D%3D", "", "200 "},
		{"that of no body, by another algorithm", "x-amz-checksum-sha1=2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D", "hello", "200 "},
		{"that of the body", "x-amz-checksum-crc32=NhCmhg%3D%3D", "hello", "200 NhCmhg=="},
		{"that of another body", "x-amz-checksum-crc32=NhCmhg%3D%3D", "other", "400 "},
	} {
		store := newStore(t, nil)
		got := forward(t, store.upstream(t), "PUT", "/photos/k?"+tt.query, nil, tt.body)
		sent := ""
		if got.Status == 200 {
			sent = store.last(t).Header.Get("X-Amz-Checksum-Crc32")
		}
		require.Equal(t, tt.want, fmt.Sprint(got.Status, " ", sent), tt.name)
	}
	store := newStore(t, nil)
	require.Equal(t, 400, forward(t, store.upstream(t), "PUT", "/photos/k", http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}}, "hello").Status, "a header is by who has the body")
}

// The address of an object is the one by which the client can read it.
func TestLocations(t *testing.T) {
	store := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<R><Location>x</Location></R>`)
	})
	c := s3.NewClassifier(s3.Config{Domains: []string{"s3.example.com"}})
	for address, want := range map[string]string{
		"http://s3.example.com/photos/a%20b":        "http://s3.example.com/photos/a%20b",
		"http://photos.s3.example.com:9000/a%20b":   "http://photos.s3.example.com:9000/a%20b",
		"https://photos.s3.example.com/photos/a":    "https://photos.s3.example.com/photos/a",
		"http://other.example.com/photos/photos//a": "http://other.example.com/photos/photos//a",
	} {
		hr := httptest.NewRequest(http.MethodPost, address+"?uploadId=1", strings.NewReader("<CompleteMultipartUpload/>"))
		var r s3.Request
		require.NoError(t, c.Classify(sigv4.RequestOf(hr), &r))
		body, err := r.NewBody(hr.Body, hr.ContentLength, sigv4.Payload{Kind: sigv4.UnsignedPayload}, nil)
		require.NoError(t, err)
		w := httptest.NewRecorder()
		require.NoError(t, s3.NewGateway(store.upstream(t)).Forward(w, hr, &r, s3.Content{Body: body}))
		require.Equal(t, "<R><Location>"+want+"</Location></R>", w.Body.String())
	}
}

// A document that breaks off, or is none, does not look whole to the client.
func TestBrokenDocuments(t *testing.T) {
	for _, answer := range []string{"<R><Owner>", "<R>" + strings.Repeat("<a>1</a>", 20_000), "<R/>\x00"} {
		store := newStore(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
		require.Error(t, readAll(t, store, "/photos"), answer[:min(20, len(answer))])
	}
}

// The client gets the store's code and sentence, and nothing that names the store.
func TestErrorsOfTheStore(t *testing.T) {
	document := func(code, message string) string {
		return `<?xml version="1.0"?><Error><Code>` + code + `</Code><Message>` + message + `</Message><Resource>/x</Resource><RequestId>upstream</RequestId><HostId>upstream</HostId><AWSAccessKeyId>AKIASTORE</AWSAccessKeyId></Error>`
	}
	for _, tt := range []struct {
		name   string
		method string
		status int
		body   string
		want   *apierror.Error
	}{
		{"an error of its own", "GET", 404, document("NoSuchKey", "The specified key does not exist."), s3err.ObjectNotFound()},
		{"another error", "PUT", 412, document("PreconditionFailed", "m"), (&apierror.Code{Name: "PreconditionFailed", Status: 412}).New("m")},
		{"a lock", "DELETE", 403, document("AccessDenied", "User AKIASTORE may not"), s3err.NotAllowed()},
		{"a sentence that names its key", "GET", 400, document("InvalidRequest", "The key AKIASTORE is odd."), (&apierror.Code{Name: "InvalidRequest", Status: 400}).New("")},
		{"credentials that are wrong", "GET", 403, document("InvalidAccessKeyId", "m"), s3err.StoreUnavailable()},
		{"a signature that is wrong", "GET", 403, document("SignatureDoesNotMatch", "m"), s3err.StoreUnavailable()},
		{"a redirect", "GET", 301, document("PermanentRedirect", "m"), s3err.StoreUnavailable()},
		{"a redirect without a document", "GET", 307, "", s3err.StoreUnavailable()},
		{"a page of a proxy", "GET", 502, "<html><hr></html>", s3err.StoreUnavailable()},
		{"nothing", "GET", 500, "", s3err.StoreUnavailable()},
		{"a code that is none", "GET", 400, document("a b", "m"), s3err.StoreUnavailable()},
		{"too much", "GET", 400, "<Error>" + strings.Repeat("x", 1<<20), s3err.StoreUnavailable()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			resp := forward(t, store.upstream(t), tt.method, "/photos/k", nil, "")
			require.Equal(t, tt.want.Code.Status, resp.Status)
			text := resp.Text
			require.Contains(t, text, "<Code>"+tt.want.Code.Name+"</Code><Message>"+tt.want.Message+"</Message>")
			require.NotContains(t, text, "upstream")
			require.NotContains(t, text, storeKey)
		})
	}
	for status, want := range map[int]int{404: 404, 403: 403, 412: 412, 304: 304, 503: 503} {
		store := newStore(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		require.Equal(t, want, forward(t, store.upstream(t), "HEAD", "/photos/k", nil, "").Status)
	}
}

func TestStoresThatCannotBeReached(t *testing.T) {
	store := newStore(t, nil)
	up := store.upstream(t)
	store.Close()
	resp := forward(t, up, "GET", "/photos/k", nil, "")
	require.Equal(t, 503, resp.Status)
	require.Contains(t, resp.Text, "<Code>ServiceUnavailable</Code>")
}

// An answer that breaks off is not whole to the client either.
func TestAnswersThatBreakOff(t *testing.T) {
	store := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "hello")
	})
	require.Error(t, readAll(t, store, "/photos/k"))
}

// readAll reads through a gateway, and returns the error that a client sees.
func readAll(t *testing.T, store *fakeStore, target string) error {
	t.Helper()
	front := httptest.NewServer(forwarder(s3.NewGateway(store.upstream(t))))
	t.Cleanup(front.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL+target, nil)
	require.NoError(t, err)
	resp, err := front.Client().Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

func TestVirtualHostsOfTheStore(t *testing.T) {
	store := newStore(t, nil)
	up := store.upstream(t)
	up.VirtualHosts = true
	up.Endpoint = &url.URL{Scheme: "http", Host: "store.example.com:9000"}
	up.Transport = s3.NewTransport(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(store.URL, "http://"))
	}, nil)
	for target, want := range map[string][2]string{
		"/photos/a%20b": {"photos.store.example.com:9000", "/a%20b"},
		"/photos":       {"photos.store.example.com:9000", "/"},
		"/":             {"store.example.com:9000", "/"},
		// Nothing on the way takes the one key for another.
		"/photos//x":        {"photos.store.example.com:9000", "//x"},
		"/photos///x":       {"photos.store.example.com:9000", "///x"},
		"/photos/../x":      {"photos.store.example.com:9000", "/../x"},
		"/photos/a/./b//c/": {"photos.store.example.com:9000", "/a/./b//c/"},
		"/photos/%2e%2e/x":  {"photos.store.example.com:9000", "/../x"},
	} {
		forward(t, up, "GET", target, nil, "")
		got := store.last(t)
		require.Equal(t, want, [2]string{got.Host, got.Target})
	}
}

// A connection that the store closed while it was idle costs the client nothing.
func TestIdleConnectionsThatWereClosed(t *testing.T) {
	var mu sync.Mutex
	var conns []net.Conn
	store := newStore(t, nil)
	up := store.upstream(t)
	up.Transport = s3.NewTransport(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		mu.Lock()
		defer mu.Unlock()
		conns = append(conns, conn)
		return conn, err
	}, nil)
	for _, body := range []string{"", "small", string(bytesOf(200_000)), string(bytesOf(2 << 20))} {
		for range 3 {
			resp := forward(t, up, "PUT", "/photos/k", nil, body)
			require.Equal(t, 200, resp.Status, "%d bytes", len(body))
			store.CloseClientConnections()
		}
	}
	mu.Lock()
	defer mu.Unlock()
	require.NotEmpty(t, conns)
}

// A large body is announced, so that the store can refuse before it is sent;
// and the client is told to send its body only once the request is allowed.
func TestBodiesAreAnnounced(t *testing.T) {
	announced := make(chan string, 1)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		announced <- hr.Header.Get("Expect")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, "<Error><Code>OperationAborted</Code><Message>m</Message></Error>")
	}))
	t.Cleanup(store.Close)
	up := (&fakeStore{Server: store}).upstream(t)
	front := httptest.NewServer(forwarder(s3.NewGateway(up)))
	t.Cleanup(front.Close)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(front.URL, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "PUT /photos/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", 10<<20)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	// Not 100: the client has not been told to send it.
	require.Equal(t, http.StatusConflict, resp.StatusCode)
	require.Equal(t, "100-continue", <-announced)
}

// A store that refuses an upload answers before it has the whole of it, and closes.
// The client gets that answer, and not that the store cannot be reached.
func TestStoresThatAnswerEarly(t *testing.T) {
	for _, interim := range []string{"", "HTTP/1.1 100 Continue\r\n\r\n"} {
		socket := filepath.Join(t.TempDir(), "store")
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			in := bufio.NewReader(conn)
			for line := " "; strings.TrimSpace(line) != ""; {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
			}
			_, _ = io.WriteString(conn, interim)
			if _, err := in.ReadByte(); err != nil { // the body has begun
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 63\r\n\r\n<Error><Code>InvalidRequest</Code><Message>no</Message></Error>")
		}()
		up := newStore(t, nil).upstream(t)
		up.Transport = s3.NewTransport(func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}, nil)
		got := forward(t, up, "PUT", "/photos/k", nil, string(bytesOf(2<<20)))
		require.Equal(t, 400, got.Status, got.Text)
		require.Contains(t, got.Text, "<Code>InvalidRequest</Code>")
	}
}

// When the client goes, so does the request to the store.
func TestClientsThatGo(t *testing.T) {
	began, ended := make(chan bool), make(chan bool)
	store := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, hr *http.Request) {
		close(began)
		<-hr.Context().Done()
		close(ended)
	}))
	t.Cleanup(store.Close)
	front := httptest.NewServer(forwarder(s3.NewGateway((&fakeStore{Server: store}).upstream(t))))
	t.Cleanup(front.Close)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, front.URL+"/photos/k", nil)
	require.NoError(t, err)
	go func() {
		<-began
		cancel()
	}()
	_, err = front.Client().Do(req) //nolint:bodyclose // there is no response
	require.ErrorIs(t, err, context.Canceled)
	<-ended
}

// Where a body turns out to be wrong, the store gets less than it was promised,
// and the client is told what is wrong with it.
func TestWrongBodiesEndShort(t *testing.T) {
	got := make(chan error, 1)
	store := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, hr *http.Request) {
		data, err := io.ReadAll(hr.Body)
		if err == nil {
			err = fmt.Errorf("the store got all %d bytes", len(data))
		}
		got <- err
	}))
	t.Cleanup(store.Close)
	data := string(bytesOf(300_000))
	resp := forward(t, (&fakeStore{Server: store}).upstream(t), "PUT", "/photos/k", http.Header{"X-Amz-Content-Sha256": {hexHash("something else")}}, data)
	require.Equal(t, 400, resp.Status)
	require.Contains(t, resp.Text, "<Code>XAmzContentSHA256Mismatch</Code>")
	require.ErrorIs(t, <-got, io.ErrUnexpectedEOF)
}

func TestWriteDenied(t *testing.T) {
	w := httptest.NewRecorder()
	require.NoError(t, s3.WriteDenied(w, []s3.Deletion{{Key: "a<b", VersionID: "7"}, {Key: "c"}}))
	require.Equal(t, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Error><Key>a&lt;b</Key><VersionId>7</VersionId><Code>AccessDenied</Code><Message>Access Denied</Message></Error><Error><Key>c</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>`, w.Body.String())
}

func BenchmarkRewrite(b *testing.B) {
	var doc bytes.Buffer
	doc.WriteString("<ListBucketResult>")
	for i := range 1000 {
		fmt.Fprintf(&doc, "<Contents><Key>folder/object-%d</Key><LastModified>2026-11-25T12:00:00.000Z</LastModified><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>1024</Size><StorageClass>STANDARD</StorageClass><Owner><ID>x</ID></Owner></Contents>", i)
	}
	doc.WriteString("</ListBucketResult>")
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(doc.Bytes()) }))
	b.Cleanup(store.Close)
	endpoint, err := url.Parse(store.URL)
	if err != nil {
		b.Fatal(err)
	}
	g := forwarder(s3.NewGateway(s3.Upstream{Endpoint: endpoint, AccessKeyID: storeKey, SecretAccessKey: storeSecret, Owner: "o", Transport: s3.NewTransport(nil, nil), Log: slog.New(slog.DiscardHandler)}))
	b.SetBytes(int64(doc.Len()))
	for b.Loop() {
		w := httptest.NewRecorder()
		g(w, httptest.NewRequest(http.MethodGet, "/photos", nil))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
