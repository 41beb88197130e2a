package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"
)

// An openStore is a store that asks for no signatures. It keeps objects by path, and
// what it was sent.
type openStore struct {
	mu      sync.Mutex
	objects map[string]string      // guarded by mu
	sent    map[string]http.Header // guarded by mu; by method and path; of the proxy alone
}

func (s *openStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.UserAgent() != "iamserver" {
		s.sent[r.Method+" "+r.URL.Path] = r.Header
	}
	w.Header().Set("Last-Modified", "Mon, 02 Mar 2026 00:00:00 GMT")
	w.Header().Set("ETag", `"1"`)
	if r.Method == http.MethodPut {
		s.objects[r.URL.Path] = string(body)
		return
	}
	object, ok := s.objects[r.URL.Path]
	if !ok && strings.Count(r.URL.Path, "/") > 1 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	io.WriteString(w, object) //nolint:errcheck // a test
}

// took returns what the proxy sent of a request, and forgets it.
func (s *openStore) took(request string) http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	header := s.sent[request]
	delete(s.sent, request)
	return header
}

var nginxBlock = regexp.MustCompile("(?ms)^```nginx\n(.*?)^```")

// proxied is nginx, with the configuration of the guide, in front of a store, and a
// server that it asks.
func proxied(t *testing.T) (server *running, store *openStore, socket string) {
	t.Helper()
	needs(t, "nginx")
	store = &openStore{objects: map[string]string{}, sent: map[string]http.Header{}}
	web := httptest.NewServer(store)
	t.Cleanup(web.Close)
	dir, err := os.MkdirTemp("", "nginx") //nolint:usetesting // short enough for the names of sockets
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	asked := filepath.Join(dir, "asked")
	secret := filepath.Join(dir, "store.env")
	require.NoError(t, os.WriteFile(secret, []byte("export AWS_ACCESS_KEY_ID='AKIASTORE'\nexport AWS_SECRET_ACCESS_KEY='thesecretofthestore'\n"), 0o600))
	server = startWhole(t, filepath.Join(dir, "data"), "--s3", web.URL, "--s3-credentials-file", secret, "--authorize-listen", "unix:"+asked, "--trusted-proxies", "127.0.0.0/8")

	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "forward-auth.md"))
	require.NoError(t, err)
	blocks := nginxBlock.FindSubmatch(guide)
	require.NotNil(t, blocks)
	socket = filepath.Join(dir, "nginx")
	text := string(blocks[1])
	for from, to := range map[string]string{
		"127.0.0.1:8333": strings.TrimPrefix(server.url, "http://"), "unix:/run/iamserver/authorize.sock": "unix:" + asked,
		"store.internal:9000": web.Listener.Addr().String(), "listen 8080;": "listen unix:" + socket + "; set_real_ip_from unix:; real_ip_header Test-Peer;",
		"/var/log/nginx/s3.log": filepath.Join(dir, "s3.log"),
	} {
		require.Contains(t, text, from)
		text = strings.ReplaceAll(text, from, to)
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;\n"
	}
	var temporary strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary.WriteString(kind + "_temp_path " + filepath.Join(dir, kind) + ";\n")
	}
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, []byte(user+"daemon off;\npid "+dir+"/pid;\nerror_log stderr notice;\nevents {}\nhttp {\n"+temporary.String()+text+"}\n"), 0o600))
	output := newTranscript()
	cmd := exec.CommandContext(context.Background(), "nginx", "-p", dir, "-c", config)
	cmd.Stdout, cmd.Stderr = output, output
	require.NoError(t, cmd.Start())
	go func() {
		cmd.Wait() //nolint:errcheck // it is killed
		output.end()
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended
		<-output.ended
	})
	output.find(t, regexp.MustCompile(`(start worker processes)`))
	return server, store, socket
}

// peerTransport reaches nginx on its socket. What nginx takes for the client's address
// comes in a header, since a socket has none.
type peerTransport struct {
	http.Transport

	change func(*http.Request)
}

func (p *peerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Test-Peer", "192.0.2.7")
	if p.change != nil {
		p.change(r)
	}
	return p.Transport.RoundTrip(r)
}

func TestNginxAsksBeforeItPassesOn(t *testing.T) {
	server, store, socket := proxied(t)
	ctx := t.Context()
	root := rootClient(t, server, 1)
	made := func(name, document string) (id, secret string) {
		_, err := root.call(ctx, "CreateUser", "UserName", name)
		require.NoError(t, err)
		_, err = root.call(ctx, "PutUserPolicy", "UserName", name, "PolicyName", "p", "PolicyDocument", document)
		require.NoError(t, err)
		key, err := root.call(ctx, "CreateAccessKey", "UserName", name)
		require.NoError(t, err)
		return between(key, "<AccessKeyId>", "</AccessKeyId>"), between(key, "<SecretAccessKey>", "</SecretAccessKey>")
	}
	id, secret := made("alice", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject","s3:ListBucket"],
		"Resource":["arn:aws:s3:::photos","arn:aws:s3:::photos/alice/*"],"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.7"}}}}`)
	transport := &peerTransport{Transport: http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	s3, err := minio.New("s3.example.com", &minio.Options{Creds: credentials.NewStaticV4(id, secret, ""), Transport: transport, Region: "us-east-1", MaxRetries: 1})
	require.NoError(t, err)
	put := func(key, content string) error {
		// The hash of a small body: nobody else could verify chunks.
		_, err := s3.PutObject(ctx, "photos", key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{DisableMultipart: true, DisableContentSha256: true})
		return err
	}

	t.Run("what is allowed, the store is sent by nginx", func(t *testing.T) {
		require.NoError(t, put("alice/a b", "hello"))
		require.NotNil(t, store.took("PUT /photos/alice/a b"))
		object, err := s3.GetObject(ctx, "photos", "alice/a b", minio.GetObjectOptions{})
		require.NoError(t, err)
		content, err := io.ReadAll(object)
		require.NoError(t, err)
		require.Equal(t, "hello", string(content))
		got := store.took("GET /photos/alice/a b")
		require.NotNil(t, got)
		require.Empty(t, got["Authorization"])
		require.NotEmpty(t, got["X-Amz-Content-Sha256"])
	})
	t.Run("what is denied, iamserver answers", func(t *testing.T) {
		err := put("bob/a", "hello")
		require.Equal(t, "AccessDenied", minio.ToErrorResponse(err).Code)
		require.Contains(t, minio.ToErrorResponse(err).Message, "no identity-based policy allows the s3:PutObject action")
		require.Nil(t, store.took("PUT /photos/bob/a"))
	})
	t.Run("what nobody but iamserver can decide, it carries out", func(t *testing.T) {
		store.mu.Lock()
		store.objects["/photos"] = "<DeleteResult><Deleted><Key>alice/a b</Key></Deleted></DeleteResult>"
		store.mu.Unlock()
		failed := map[string]string{}
		names := make(chan minio.ObjectInfo, 2)
		names <- minio.ObjectInfo{Key: "alice/a b"}
		names <- minio.ObjectInfo{Key: "bob/a"}
		close(names)
		for problem := range s3.RemoveObjects(ctx, "photos", names, minio.RemoveObjectsOptions{}) {
			failed[problem.ObjectName] = minio.ToErrorResponse(problem.Err).Code
		}
		require.Contains(t, failed, "bob/a")
		require.NotContains(t, failed, "alice/a b")
		require.Nil(t, store.took("POST /photos/"))
		require.Nil(t, store.took("POST /photos"))
	})
	t.Run("a client cannot say what nginx says", func(t *testing.T) {
		defer func() { transport.change = nil }()
		for name, value := range map[string]string{
			"X-Original-Uri": "/photos/alice/a%20b", "X-Original-Method": "GET", "X-Original-Host": "s3.example.com", "X-Original-Peer": "192.0.2.7",
			"X-Original-Scheme": "https", "X-Original-Content-Length": "0", "X-Authorize-Token": "x", "X-Authorized-Principal": "root",
		} {
			transport.change = func(r *http.Request) { r.Header.Set(name, value) }
			require.Equal(t, "AccessDenied", minio.ToErrorResponse(put("bob/a", "hello")).Code, name)
			require.Nil(t, store.took("PUT /photos/bob/a"), name)
		}
		transport.change = func(r *http.Request) {
			r.Header.Set("Test-Peer", "198.51.100.1")
			r.Header.Set("X-Original-Peer", "192.0.2.7")
		}
		require.Equal(t, "AccessDenied", minio.ToErrorResponse(put("alice/a", "hello")).Code)
		require.Nil(t, store.took("PUT /photos/alice/a"))
	})
	t.Run("a client cannot ask itself", func(t *testing.T) {
		for _, path := range []string{"/.authorize", "/photos/../.authorize", "//.authorize", "/%2eauthorize"} {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://s3.example.com"+path, nil)
			require.NoError(t, err)
			response, err := transport.RoundTrip(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Empty(t, response.Header.Get("X-Authorize-Reason"), path)
			require.GreaterOrEqual(t, response.StatusCode, 400, path)
		}
	})
	t.Run("the reason is for nginx's log", func(t *testing.T) {
		require.Error(t, put("bob/a", "hello"))
		require.Eventually(t, func() bool {
			log, err := os.ReadFile(filepath.Join(filepath.Dir(socket), "s3.log"))
			return err == nil && strings.Contains(string(log), `reason="AccessDenied: User: arn:aws:iam::000000000000:user/alice is not authorized`)
		}, time.Minute, 10*time.Millisecond)
	})
}

func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}

func TestForwardAuthIsConfiguredWithCare(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), mode))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	secret := file("store.env", "export AWS_ACCESS_KEY_ID='AKIASTORE'\nexport AWS_SECRET_ACCESS_KEY='thesecretofthestore'\n", 0o600)
	good, open, short := file("token", "0123456789abcdef\n", 0o600), file("open", "0123456789abcdef\n", 0o644), file("short", "short\n", 0o600)
	for _, tt := range []struct {
		name  string
		flags []string
		says  string
	}{
		{"an address without a token", []string{"--authorize-listen", "127.0.0.1:0"}, "give --authorize-token-file, or listen on unix:PATH"},
		{"a token without an address", []string{"--authorize-token-file", good}, "--authorize-token-file is for --authorize-listen"},
		{"a token that others can read", []string{"--authorize-listen", "127.0.0.1:0", "--authorize-token-file", open}, "--authorize-token-file"},
		{"a token that is short", []string{"--authorize-listen", "127.0.0.1:0", "--authorize-token-file", short}, "at least 16 printable ASCII characters"},
		{"a socket without a path", []string{"--authorize-listen", "unix:"}, "must be followed by a path"},
		{"no store", []string{"--s3", "off", "--authorize-listen", "unix:" + dir + "/s"}, "--s3 must be its address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arguments := append([]string{"--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--admin-listen", "", "--s3", "http://127.0.0.1:1", "--s3-credentials-file", secret}, tt.flags...)
			output, err := program(t.Context(), t, arguments...).CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(output), tt.says)
		})
	}
	t.Run("an address with a token", func(t *testing.T) {
		s := startWhole(t, filepath.Join(dir, "data"), "--s3", "http://127.0.0.1:1", "--s3-credentials-file", secret, "--authorize-listen", "127.0.0.1:0", "--authorize-token-file", good)
		address := s.output.find(t, regexp.MustCompile(`forward-auth +(\S+)`))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
		require.NoError(t, err)
		for token, status := range map[string]int{"": 403, "0123456789abcdeg": 403, "0123456789abcdef": 400} {
			r.Header.Set("X-Authorize-Token", token)
			response, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, status, response.StatusCode, token)
		}
	})
}
