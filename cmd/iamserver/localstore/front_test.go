package localstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/cmd/iamserver/localstore"
	"iamserver/generated/s3err"
	"iamserver/runtime/operation"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

const (
	keyID  = "AKIAIOSFODNN7EXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	owner  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// There can be one store in a process: all tests share it.
var store *localstore.Store

// The tests are the same with metadata in files, and with large bodies sent as
// any store takes them.
var (
	inFiles      = flag.Bool("in-files", false, "keep metadata in files")
	signedChunks = flag.Bool("signed-chunks", false, "forward large bodies as to a store that is not known")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "localstore-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		store, err = localstore.Open(context.Background(), localstore.Config{Dir: dir, MetadataInFiles: *inFiles, Owner: owner, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	}
	if err != nil {
		slog.Error("the tests need a store", "error", err)
		return 1
	}
	code := m.Run()
	if err := store.Close(); err != nil {
		slog.Error("the store did not end well", "error", err)
		return 1
	}
	return code
}

type keys struct{}

func (keys) Key(_ context.Context, id, _ string) (sigv4.Key[string], error) {
	if id != keyID {
		return sigv4.Key[string]{}, sigv4.ErrUnknownKey
	}
	return sigv4.Key[string]{Secret: secret, Principal: "tester"}, nil
}

// A front authenticates, asks a function what is denied, and forwards: what the
// server does, without policies.
type front struct {
	verifier   *sigv4.Verifier[string]
	classifier *s3.Classifier
	gateway    *s3.Gateway
	deny       func(n *s3.Need) bool
	requests   atomic.Int64
	sent       atomic.Int64 // requests that the store saw
}

// counting counts what reaches the store.
type counting struct {
	http.RoundTripper
	n *atomic.Int64
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

// newFront serves a front of the store. deny may be nil.
func newFront(tb testing.TB, deny func(n *s3.Need) bool) (*front, *httptest.Server) {
	tb.Helper()
	f := &front{deny: deny}
	up := store.Upstream()
	up.Transport = counting{up.Transport, &f.sent}
	up.UnsignedChunks = up.UnsignedChunks && !*signedChunks
	f.verifier = sigv4.New[string](keys{}, time.Now, sigv4.Config{Profiles: []sigv4.Profile{{Service: "s3", ObjectStore: true, MaxPresign: 7 * 24 * time.Hour}}})
	f.classifier = s3.NewClassifier(s3.Config{Domains: []string{"localhost"}, Keys: localstore.Keys()})
	f.gateway = s3.NewGateway(up)
	server := httptest.NewServer(f)
	tb.Cleanup(server.Close)
	return f, server
}

func (f *front) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	var r s3.Request
	if err := f.serve(w, hr, &r); err != nil {
		s3.WriteError(w, hr, err, string(r.AppendPath(nil)), fmt.Sprintf("%016X", f.requests.Add(1)))
	}
}

func (f *front) serve(w http.ResponseWriter, hr *http.Request, r *s3.Request) error {
	req := sigv4.RequestOf(hr)
	if err := f.classifier.Classify(req, r); err == nil && r.Operation.Body == operation.Form {
		return f.postForm(w, hr, r)
	}
	auth, err := f.verifier.Parse(req)
	if err != nil {
		return err
	}
	id, err := f.verifier.VerifyHeaders(hr.Context(), auth)
	if err != nil {
		return err
	}
	if err := f.classifier.Classify(req, r); err != nil {
		return err
	}
	body, err := r.NewBody(hr.Body, hr.ContentLength, auth.Payload(), id.ChunkKey())
	if err != nil {
		return err
	}
	content := s3.Content{Body: body}
	if r.Operation.Body == operation.Deletions {
		return f.deleteObjects(w, hr, r, content)
	}
	if err := f.decide(r.AppendNeeds(nil)); err != nil {
		return err
	}
	return f.gateway.Forward(w, hr, r, content)
}

func (f *front) postForm(w http.ResponseWriter, hr *http.Request, r *s3.Request) error {
	form, err := f.classifier.ReadForm(r, hr.Header.Get("Content-Type"), hr.Body)
	if err != nil {
		return err
	}
	if _, err := f.verifier.VerifyPost(hr.Context(), form.Post()); err != nil {
		return err
	}
	if err := form.CheckPolicy(r.Bucket, time.Now()); err != nil {
		return err
	}
	if err := f.decide(r.AppendNeeds(nil)); err != nil {
		return err
	}
	file, err := form.ReadFile("")
	if err != nil {
		return err
	}
	body, err := r.NewFormBody(file)
	if err == nil {
		err = f.gateway.Forward(w, hr, r, s3.Content{Body: body})
	}
	return errors.Join(err, file.Close())
}

func (f *front) decide(needs []s3.Need) error {
	for i := range needs {
		if f.deny != nil && f.deny(&needs[i]) {
			return s3err.NotAllowed()
		}
	}
	return nil
}

func (f *front) deleteObjects(w http.ResponseWriter, hr *http.Request, r *s3.Request, content s3.Content) error {
	document, err := content.Body.ReadAll()
	if err != nil {
		return err
	}
	deletions, err := f.classifier.ParseDeletions(document)
	if err != nil {
		return err
	}
	allowed := deletions.Objects[:0:0]
	for i := range deletions.Objects {
		if f.decide(r.AppendEntryNeeds(nil, &deletions.Objects[i])) != nil {
			content.Denied = append(content.Denied, deletions.Objects[i])
		} else {
			allowed = append(allowed, deletions.Objects[i])
		}
	}
	if deletions.Objects = allowed; len(allowed) == 0 {
		return s3.WriteDenied(w, content.Denied)
	}
	if content.Document, err = deletions.Document(); err != nil {
		return err
	}
	return f.gateway.Forward(w, hr, r, content)
}

// bucketName is a name for the test's bucket.
func bucketName(tb testing.TB) string {
	tb.Helper()
	name := strings.Map(func(c rune) rune {
		if ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') {
			return c
		}
		return '-'
	}, strings.ToLower(tb.Name()))
	return strings.Trim("b-"+name, "-")[:min(63, len(strings.Trim("b-"+name, "-")))]
}

func TestThereIsOneStore(t *testing.T) {
	before, err := os.Getwd()
	require.NoError(t, err)
	_, err = localstore.Open(t.Context(), localstore.Config{Dir: t.TempDir(), Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	require.EqualError(t, err, "local store: there is one in this process already")
	after, err := os.Getwd()
	require.NoError(t, err)
	require.Equal(t, before, after)
}
