package server_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/server"
	"iamserver/runtime/storage/memory"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func clock() time.Time { return now }

func randomness() io.Reader { return rand.Reader }

// A key signs requests.
type key = aws.Credentials

// A fixture is a server of an account over HTTP.
type fixture struct {
	server *server.Server
	url    string
	root   key
}

// plainSealer seals nothing: what it is for is tested where it is made.
type plainSealer struct{}

func (plainSealer) Seal(secret []byte, _, _ string) ([]byte, error) { return secret, nil }
func (plainSealer) Open(sealed []byte, _, _ string) ([]byte, error) { return sealed, nil }

// open serves an empty account; change may set what the test is about.
func open(t testing.TB, change func(*server.Config)) *fixture {
	t.Helper()
	root := key{AccessKeyID: "AKIAROOT", SecretAccessKey: "the secret of root"}
	config := server.Config{
		Store: memory.Open(), Sealer: plainSealer{}, Account: "123456789012",
		Root: server.RootKey{AccessKeyID: root.AccessKeyID, SecretAccessKey: root.SecretAccessKey},
		Now:  clock,
	}
	if change != nil {
		change(&config)
	}
	s, err := server.Open(t.Context(), config)
	require.NoError(t, err)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, s.Close())
	})
	return &fixture{server: s, url: web.URL, root: root}
}

// form encodes an action and its parameters, in the order given.
func form(action string, parameters ...string) string {
	var b strings.Builder
	b.WriteString("Action=" + url.QueryEscape(action) + "&Version=2010-05-08")
	for i := 0; i+1 < len(parameters); i += 2 {
		b.WriteString("&" + url.QueryEscape(parameters[i]) + "=" + url.QueryEscape(parameters[i+1]))
	}
	return b.String()
}

// request is a signed POST.
func (f *fixture) request(t testing.TB, by key, action string, parameters ...string) *http.Request {
	t.Helper()
	return f.signed(t, by, http.MethodPost, "/", form(action, parameters...), nil)
}

// signed is a request of any form, signed for IAM.
func (f *fixture) signed(t testing.TB, by key, method, target, body string, change func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, f.url+target, strings.NewReader(body))
	require.NoError(t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	sum := sha256.Sum256([]byte(body))
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), by, r, hex.EncodeToString(sum[:]), "iam", "us-east-1", now))
	return r
}

// do sends a request and returns status and body.
func do(t testing.TB, r *http.Request) (status int, body string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, string(content)
}

// must carries out an action that has to succeed.
func (f *fixture) must(t testing.TB, by key, action string, parameters ...string) string {
	t.Helper()
	status, body := do(t, f.request(t, by, action, parameters...))
	require.Equal(t, http.StatusOK, status, body)
	return body
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

// user makes a user with a key.
func (f *fixture) user(t testing.TB, name string) key {
	t.Helper()
	f.must(t, f.root, "CreateUser", "UserName", name)
	created := f.must(t, f.root, "CreateAccessKey", "UserName", name)
	return key{AccessKeyID: element(created, "AccessKeyId"), SecretAccessKey: element(created, "SecretAccessKey")}
}

func sha256Hex(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}
