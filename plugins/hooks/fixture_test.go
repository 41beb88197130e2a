package hooks_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"iamserver/plugins/hooks"
	"iamserver/plugins/host"
	"iamserver/runtime/audit"
	"iamserver/runtime/s3"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

const (
	account     = "123456789012"
	mfaDelete   = "../examples/mfa-delete/plugin.wasm"
	companyKey  = "../examples/company-key/plugin.wasm"
	officeHours = "../examples/office-hours/plugin.wasm"
	policyRules = "../examples/policy-rules/plugin.wasm"
)

// A fixture is a server with plugins, in front of a store that says yes to all.
type fixture struct {
	set   *host.Set
	url   string
	root  aws.Credentials
	audit *lines
	store *requests
}

// lines are what was written, and can be read while it is.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// last is the last record of the audit log.
func (l *lines) last(t testing.TB) (record struct {
	EventName           string         `json:"eventName"`
	ErrorCode           string         `json:"errorCode"`
	AdditionalEventData map[string]any `json:"additionalEventData"`
},
) {
	t.Helper()
	all := strings.Split(strings.TrimSpace(l.String()), "\n")
	require.NoError(t, json.Unmarshal([]byte(all[len(all)-1]), &record))
	return record
}

// requests are those that reached the store.
type requests struct {
	mu   sync.Mutex
	seen []string // guarded by mu
}

// ServeHTTP says yes.
func (s *requests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen = append(s.seen, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	io.Copy(io.Discard, r.Body) //nolint:errcheck // the gateway notices
	switch {
	case r.Method == http.MethodGet:
		io.WriteString(w, "a picture") //nolint:errcheck // the gateway notices
	case r.URL.Query().Has("uploads"):
		io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>") //nolint:errcheck // as above
	}
}

// forget drops what the test has kept of its requests.
func (f *fixture) forget() {
	f.audit.mu.Lock()
	f.audit.text = bytes.Buffer{}
	f.audit.mu.Unlock()
	f.store.mu.Lock()
	f.store.seen = nil
	f.store.mu.Unlock()
}

// config is the configuration of a module file.
func config(t testing.TB, path string, asked ...host.Hook) host.Config {
	t.Helper()
	wasm, err := os.ReadFile(path)
	require.NoError(t, err)
	hash := sha256.Sum256(wasm)
	return host.Config{Name: filepath.Base(filepath.Dir(path)), Path: path, SHA256: hex.EncodeToString(hash[:]), Hooks: asked}
}

// hostile is the configuration of a module that means no good.
func hostile(t testing.TB, name string, asked ...host.Hook) host.Config {
	t.Helper()
	c := config(t, "../host/testdata/hostile/"+name+".wasm", asked...)
	c.Name = name
	return c
}

// open serves an empty account with plugins.
func open(t testing.TB, configs ...host.Config) *fixture {
	t.Helper()
	return openWith(t, func(*host.Options, *server.Config) {}, configs...)
}

// openWith serves an account with what adjust makes of it.
func openWith(t testing.TB, adjust func(*host.Options, *server.Config), configs ...host.Config) *fixture {
	t.Helper()
	options := host.Options{
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Processors: 2, Version: "test", CacheDir: filepath.Join(t.TempDir(), "cache"), //nolint:forbidigo // guests run on real time
		Wait: time.Minute, // however busy the machine is
	}
	f := &fixture{audit: &lines{}, store: &requests{}, root: aws.Credentials{AccessKeyID: "AKIAROOT", SecretAccessKey: "the secret of root"}}
	upstream := httptest.NewServer(f.store)
	endpoint, err := url.Parse(upstream.URL)
	require.NoError(t, err)
	log, err := audit.Open(audit.Config{Path: "-", Stdout: f.audit, Now: time.Now, Rand: randomness{}, Limit: audit.Limit{PerSecond: 1e6, Burst: 1e6, Peers: 10}}) //nolint:forbidigo // as above
	require.NoError(t, err)
	served := server.Config{
		Store: memory.Open(), Sealer: plainSealer{}, Account: account, Now: time.Now, Audit: log, //nolint:forbidigo // as above
		Root: server.RootKey{AccessKeyID: f.root.AccessKeyID, SecretAccessKey: f.root.SecretAccessKey},
		S3: &server.S3{Upstream: s3.Upstream{
			Endpoint: endpoint, Region: "us-east-1", AccessKeyID: "AKIASTORE", SecretAccessKey: "the secret of the store", Owner: "owner",
			Transport: http.DefaultTransport, Now: time.Now, Log: slog.New(slog.DiscardHandler), //nolint:forbidigo // as above
		}},
	}
	adjust(&options, &served)
	h, err := host.New(options)
	require.NoError(t, err)
	set, err := h.NewSet(t.Context(), configs)
	require.NoError(t, err)
	f.set = set
	served.Hook, served.Validator, served.Generator = hooks.Of(set), hooks.Of(set), hooks.Of(set)
	s, err := server.Open(t.Context(), served)
	require.NoError(t, err)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		web.Close()
		upstream.Close()
		ctx := context.Background()
		require.NoError(t, s.Close())
		require.NoError(t, set.Close(ctx))
		require.NoError(t, h.Close(ctx))
	})
	f.url = web.URL
	return f
}

// plainSealer seals nothing: what it is for is tested where it is made.
type plainSealer struct{}

func (plainSealer) Seal(secret []byte, _, _ string) ([]byte, error) { return secret, nil }
func (plainSealer) Open(sealed []byte, _, _ string) ([]byte, error) { return sealed, nil }

// send signs a request for a service, sends it, and returns status and body.
func (f *fixture) send(t testing.TB, by aws.Credentials, service, method, target, body string, headers ...string) (int, string) {
	t.Helper()
	r := f.signed(t, by, service, method, target, body, headers...)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, string(content)
}

func (f *fixture) signed(t testing.TB, by aws.Credentials, service, method, target, body string, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, f.url+target, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	hash := sha256.Sum256([]byte(body))
	sum := hex.EncodeToString(hash[:])
	r.Header.Set("X-Amz-Content-Sha256", sum)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), by, r, sum, service, "us-east-1", time.Now())) //nolint:forbidigo // as the server's clock
	return r
}

// call carries out an action of IAM.
func (f *fixture) call(t testing.TB, by aws.Credentials, action string, parameters ...string) (int, string) {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return f.send(t, by, "iam", http.MethodPost, "/", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// must carries out an action that has to succeed.
func (f *fixture) must(t testing.TB, by aws.Credentials, action string, parameters ...string) string {
	t.Helper()
	status, body := f.call(t, by, action, parameters...)
	require.Equal(t, http.StatusOK, status, body)
	return body
}

// user makes a user with a key and a policy.
func (f *fixture) user(t testing.TB, name, policy string) aws.Credentials {
	t.Helper()
	f.must(t, f.root, "CreateUser", "UserName", name)
	if policy != "" {
		f.must(t, f.root, "PutUserPolicy", "UserName", name, "PolicyName", "p", "PolicyDocument", policy)
	}
	return keyOf(f.must(t, f.root, "CreateAccessKey", "UserName", name))
}

func keyOf(answer string) aws.Credentials {
	return aws.Credentials{AccessKeyID: element(answer, "AccessKeyId"), SecretAccessKey: element(answer, "SecretAccessKey")}
}

// element returns the text of the first element of a name.
func element(xml, name string) string {
	_, rest, ok := strings.Cut(xml, "<"+name+">")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return text
}
