package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/rootcreds"
)

// refused runs iamserver, which has to fail, and returns what it says.
func refused(t *testing.T, environment []string, arguments ...string) string {
	t.Helper()
	cmd := program(t.Context(), t, append([]string{"--listen", "127.0.0.1:0", "--admin-listen", ""}, arguments...)...)
	if len(arguments) > 1 && arguments[0] == "root" {
		cmd = program(t.Context(), t, arguments...)
	}
	cmd.Env = append(cmd.Env, environment...)
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", output)
	return string(output)
}

func TestASecondProcessIsRefused(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "iamdata"))
	want := "another iamserver is running on " + s.data
	require.Contains(t, refused(t, nil, "--data", s.data), want)
	require.Contains(t, refused(t, nil, "root", "reset", "--data", s.data), want)
	rootClient(t, s, 1).must(t, "GetUser")
	require.NoError(t, s.stop())
}

// A start that is refused says what to do, and leaves keys and root's credentials as they are.
func TestStartIsRefused(t *testing.T) {
	// made returns the data directory of a server that has run.
	made := func(t *testing.T) string {
		t.Helper()
		s := start(t, filepath.Join(t.TempDir(), "iamdata"))
		require.NoError(t, s.stop())
		return s.data
	}
	other, err := os.ReadFile(filepath.Join(made(t), "master.key"))
	require.NoError(t, err)
	for _, tt := range []struct {
		name        string
		change      func(t *testing.T, data string)
		environment []string
		arguments   []string
		message     string
	}{
		{"another account", nil, nil, []string{"--account-id", "111122223333"}, "data belongs to another account: 000000000000, not 111122223333; start with --account-id"},
		{"an account id of 11 digits", nil, nil, []string{"--account-id", "11112222333"}, `--account-id: "11112222333" is not 12 digits`},
		{"a missing keyset", func(t *testing.T, data string) {
			t.Helper()
			require.NoError(t, os.Remove(filepath.Join(data, "master.key")))
		}, nil, nil, "master.key does not exist, and without it the secrets in this data directory cannot be opened; restore it"},
		{"another keyset", func(t *testing.T, data string) {
			t.Helper()
			require.NoError(t, os.WriteFile(filepath.Join(data, "master.key"), other, 0o600))
		}, nil, nil, "secrets are sealed with another keyset"},
		{"a missing root.env", func(t *testing.T, data string) {
			t.Helper()
			require.NoError(t, os.Remove(filepath.Join(data, "root.env")))
		}, nil, nil, "root.env does not exist; restore it"},
		{"a root.env that others may read", chmod("root.env", 0o640), nil, nil, "root.env has mode 0640 and may be read by others; run: chmod 600"},
		{"a keyset that others may read", chmod("master.key", 0o604), nil, nil, "master.key has mode 0604 and may be read by others; run: chmod 600"},
		{"data that others may read", chmod("iam.db", 0o644), nil, nil, "iam.db has mode 0644 and may be read by others; run: chmod 600"},
		{"half of root's credentials", nil, []string{"IAMSERVER_ROOT_ACCESS_KEY_ID=AKIAHALF"}, nil, "only one is set; set both or neither"},
		{"a certificate without its key", nil, nil, []string{"--tls-cert", os.Args[0]}, "--tls-cert and --tls-key go together"},
		{"a certificate that is none", nil, nil, []string{"--tls-cert", os.Args[0], "--tls-key", os.Args[0]}, "--tls-cert, --tls-key: "},
		{"an address that is taken by nobody's interface", nil, nil, []string{"--listen", "192.0.2.1:80"}, "--listen: "},
		{"no connections at all", nil, nil, []string{"--max-connections", "0"}, "--max-connections must be at least 1"},
		{"a quota that there is not", nil, nil, []string{"--quota", "Users=1"}, "--quota: there is no quota Users"},
		{"a store that is no address", nil, nil, []string{"--s3", "store.example.com"}, "--s3 must be off, local:DIR, or an address"},
		{"a store with a path", nil, nil, []string{"--s3", "https://store.example.com/bucket"}, "--s3 must be off, local:DIR, or an address"},
		{"a store without credentials", nil, nil, []string{"--s3", "http://127.0.0.1:9000"}, "--s3: no credentials of the store"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := made(t)
			if tt.change != nil {
				tt.change(t, data)
			}
			before := readAll(t, data)
			output := refused(t, tt.environment, append([]string{"--data", data}, tt.arguments...)...)
			require.Contains(t, output, tt.message)
			after := readAll(t, data)
			require.Equal(t, before["master.key"], after["master.key"])
			require.Equal(t, exported(before["root.env"], "AWS_SECRET_ACCESS_KEY"), exported(after["root.env"], "AWS_SECRET_ACCESS_KEY"))
			if secret := exported(before["root.env"], "AWS_SECRET_ACCESS_KEY"); secret != "" {
				require.NotContains(t, output, secret)
			}
		})
	}
	t.Run("a directory with other things", func(t *testing.T) {
		data := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(data, "thesis.tex"), nil, 0o600))
		require.Contains(t, refused(t, nil, "--data", data), "is no data directory: it holds thesis.tex and no iam.db")
		require.Equal(t, map[string]string{"thesis.tex": ""}, readAll(t, data))
	})
}

// exported returns the value of a variable in root.env.
func exported(rootEnv, name string) string {
	_, rest, _ := strings.Cut(rootEnv, "\nexport "+name+"='")
	value, _, _ := strings.Cut(rest, "'")
	return value
}

func chmod(name string, mode os.FileMode) func(*testing.T, string) {
	return func(t *testing.T, data string) {
		t.Helper()
		require.NoError(t, os.Chmod(filepath.Join(data, name), mode))
	}
}

// readAll returns the files of a directory.
func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	files := map[string]string{}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		files[e.Name()] = string(content)
	}
	return files
}

func TestRootReset(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "iamdata"))
	old := rootClient(t, s, 1)
	old.must(t, "CreateUser", "UserName", "alice")
	require.NoError(t, s.stop())

	output, err := program(t.Context(), t, "root", "reset", "--data", s.data).CombinedOutput()
	require.NoError(t, err, "%s", output)
	content, err := os.ReadFile(filepath.Join(s.data, rootcreds.FileName))
	require.NoError(t, err)
	root, err := rootcreds.Parse(content)
	require.NoError(t, err)
	require.Contains(t, string(output), root.AccessKeyID)
	require.NotContains(t, string(output), string(root.SecretAccessKey))

	s = start(t, s.data)
	rootClient(t, s, 1).must(t, "GetUser", "UserName", "alice")
	_, err = newClient(s.url, old.credentials.AccessKeyID, old.credentials.SecretAccessKey, 1).call(t.Context(), "GetUser")
	require.ErrorContains(t, err, "InvalidClientTokenId")
	require.NoError(t, s.stop())

	reset := program(t.Context(), t, "root", "reset", "--data", s.data)
	reset.Env = append(reset.Env, "IAMSERVER_ROOT_ACCESS_KEY_ID=AKIAENVIRONMENT", "IAMSERVER_ROOT_SECRET_ACCESS_KEY=of the environment")
	output, err = reset.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "root credentials")
}

// The environment wins over root.env, and the start says so, without a secret.
func TestRootOfTheEnvironment(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "iamdata"))
	require.NoError(t, s.stop())
	cmd := program(t.Context(), t, "--data", s.data, "--listen", "127.0.0.1:0", "--admin-listen", "")
	cmd.Env = append(cmd.Env, "IAMSERVER_ROOT_ACCESS_KEY_ID=AKIAENVIRONMENT", "IAMSERVER_ROOT_SECRET_ACCESS_KEY=secret-of-the-environment")
	s = run(t, cmd)
	newClient(s.url, "AKIAENVIRONMENT", "secret-of-the-environment", 1).must(t, "GetUser")
	require.Contains(t, s.output.String(), "root.env has another one, which does not count")
	require.NotContains(t, s.output.String(), "secret-of-the-environment")
	require.NoError(t, s.stop())
}

// Whoever has the admin address learns how the server does, and nothing of the account.
func TestAdminAddress(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "iamdata"))
	root := rootClient(t, s, 1)
	root.must(t, "CreateUser", "UserName", "alice")
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/healthz", 200},
		{http.MethodHead, "/readyz", 200},
		{http.MethodGet, "/readyz", 200},
		{http.MethodGet, "/metrics", 200},
		{http.MethodPost, "/metrics", 405},
		{http.MethodDelete, "/healthz", 405},
		{http.MethodGet, "/", 404},
		{http.MethodPost, "/", 404},
		{http.MethodGet, "/debug/pprof/", 404},
		{http.MethodGet, "/?Action=ListUsers", 404},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tt.method, s.admin+tt.path, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, tt.status, response.StatusCode, "%s %s", tt.method, tt.path)
		require.NotContains(t, string(body), "alice")
		require.NotContains(t, string(body), root.credentials.AccessKeyID)
	}
	_, metrics := get(t, s.admin+"/metrics")
	require.Contains(t, metrics, `iamserver_requests_total{action="CreateUser",code="",service="iam"} 1`)
	// And the address of IAM has none of it.
	status, _ := get(t, s.url+"/metrics")
	require.Equal(t, 404, status)
}

// next is a request that may follow another on its connection.
const next = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n"

// exchange sends bytes over a connection and returns the statuses of the answers
// to requests of those methods.
func exchange(t *testing.T, address, request string, methods ...string) (statuses []int) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer connection.Close()               //nolint:errcheck // everything has been read
	go io.WriteString(connection, request) //nolint:errcheck // the server need not take all of it
	r := bufio.NewReader(connection)
	var closing bool
	for _, method := range methods {
		response, err := http.ReadResponse(r, &http.Request{Method: method})
		require.NoError(t, err)
		if _, err = io.Copy(io.Discard, response.Body); response.ContentLength >= 0 {
			require.NoError(t, err) // without a length, the end may be a reset
		}
		require.NoError(t, response.Body.Close())
		statuses, closing = append(statuses, response.StatusCode), response.Close
	}
	if strings.HasSuffix(request, next) && closing {
		_, err := r.ReadByte()
		require.Error(t, err, "nothing follows the last answer")
	}
	return statuses
}

// claimed is the head of a POST that claims to be signed, so that its body is read.
func claimed(headers string) string {
	at := time.Now().UTC()
	return "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Date: " + at.Format("20060102T150405Z") +
		"\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIANOBODY/" + at.Format("20060102") + "/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
		strings.Repeat("0", 64) + "\r\n" + headers + "\r\n"
}

// What arrives over HTTP in a strange form is answered, and what follows it on
// the connection is read as what it is.
func TestStrangeRequests(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "iamdata"))
	address := strings.TrimPrefix(s.url, "http://")
	const get = http.MethodGet
	megabytes := strings.Repeat("a", 2<<20)
	for _, tt := range []struct {
		name     string
		request  string
		methods  []string
		statuses []int
	}{
		{"OPTIONS of the server as a whole", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n" + next, []string{"OPTIONS", get}, []int{404, 404}},
		{"OPTIONS", "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n" + next, []string{"OPTIONS", get}, []int{405, 404}},
		{"HEAD", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + next, []string{"HEAD", get}, []int{405, 404}},
		{"CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n" + next, []string{get, get}, []int{405, 404}},
		{"a path with two slashes", "GET //example.com/ HTTP/1.1\r\nHost: x\r\n\r\n" + next, []string{get, get}, []int{404, 404}},
		{"an unsigned body is skipped", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde" + next, []string{"POST", get}, []int{403, 404}},
		{"a claimed body is read", claimed("Content-Length: 5\r\n") + "abcde" + next, []string{"POST", get}, []int{403, 404}},
		{"trailers are not headers", claimed("Transfer-Encoding: chunked\r\nTrailer: X-Amz-Meta\r\n") + "1\r\na\r\n0\r\nX-Amz-Meta: b\r\n\r\n" + next, []string{"POST", get}, []int{403, 404}},
		{"too long a body ends the connection", claimed("Content-Length: 2097152\r\n") + megabytes + next, []string{"POST"}, []int{413}},
		{"too many chunks end the connection", claimed("Transfer-Encoding: chunked\r\n") + "200000\r\n" + megabytes + "\r\n0\r\n\r\n" + next, []string{"POST"}, []int{413}},
		{"nobody is told to go on with what is not read", "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", []string{"POST"}, []int{403}},
		{"nobody is told to go on with too much", claimed("Expect: 100-continue\r\nContent-Length: 2097152\r\n"), []string{"POST"}, []int{413}},
		{"another expectation", "POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 0\r\n\r\n", []string{"POST"}, []int{417}},
		{"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", []string{get}, []int{400}},
		{"no host", "GET / HTTP/1.1\r\n\r\n", []string{get}, []int{400}},
		{"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", []string{"POST"}, []int{400}},
		{"a space after a header's name", "GET / HTTP/1.1\r\nHost: x\r\nX-Amz-Date : 1\r\n\r\n", []string{get}, []int{400}},
		{"too long a header", "GET / HTTP/1.1\r\nHost: x\r\nA: " + megabytes[:70<<10] + "\r\n\r\n", []string{get}, []int{431}},
		{"too many headers", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 300) + "\r\n" + next, []string{get, get}, []int{400, 404}},
		{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []string{get}, []int{400}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.statuses, exchange(t, address, tt.request, tt.methods...))
		})
	}
	rootClient(t, s, 1).must(t, "GetUser")
}

// waitFor waits until the server has written what matches.
func (s *running) waitFor(t *testing.T, pattern string) {
	t.Helper()
	s.output.find(t, regexp.MustCompile("("+pattern+")"))
}

// announced sends the head of a request with a body of some length.
func announced(t *testing.T, s *running, length int) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { connection.Close() }) //nolint:errcheck // nothing is lost
	_, err = io.WriteString(connection, claimed(fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n", length)))
	require.NoError(t, err)
	return connection
}

// awaited waits until the server asks for the body that was announced.
func awaited(t *testing.T, connection net.Conn) {
	t.Helper()
	line := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	_, err := io.ReadFull(connection, line)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n\r\n", string(line))
}

// halfSent sends all of a request but its body of five bytes.
func halfSent(t *testing.T, s *running) net.Conn {
	t.Helper()
	connection := announced(t, s, 5)
	awaited(t, connection)
	return connection
}

// Only so many large bodies are read at a time, of whoever claims to be signed;
// small ones do not wait for them, and the next large one gets its turn.
func TestLargeBodiesAreBounded(t *testing.T) {
	const places, large = 64, 1 << 20
	s := start(t, filepath.Join(t.TempDir(), "iamdata"))
	var busy []net.Conn
	for range places {
		busy = append(busy, announced(t, s, large))
		awaited(t, busy[len(busy)-1])
	}
	waiting := announced(t, s, large)
	rootClient(t, s, 1).must(t, "GetUser")
	require.NoError(t, waiting.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := waiting.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "nobody asks for the body yet")
	require.NoError(t, waiting.SetReadDeadline(time.Time{}))
	require.NoError(t, busy[0].Close())
	awaited(t, waiting)
}

// An audit log on standard output is nothing but the log.
func TestAuditLogOnStandardOutput(t *testing.T) {
	cmd := program(t.Context(), t, "--data", filepath.Join(t.TempDir(), "iamdata"), "--listen", "127.0.0.1:0", "--admin-listen", "", "--audit-log", "-")
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	other := newTranscript()
	cmd.Stderr = other
	require.NoError(t, cmd.Start())
	address := strings.TrimPrefix(other.find(t, servingURL), "http://")
	exchange(t, address, next, http.MethodGet)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	log, err := io.ReadAll(output)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	require.Equal(t, 1, strings.Count(string(log), "\n"))
	require.True(t, json.Valid(log), "%s", log)
}

func TestRunningRequestsAreAnsweredBeforeTheEnd(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "iamdata"))
	connection := halfSent(t, s)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	s.waitFor(t, "stopping")
	_, err := io.WriteString(connection, "abcde")
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 403, response.StatusCode)
	require.True(t, response.Close, "the client is told to go elsewhere")
	require.NoError(t, <-s.exited)
}

func TestASecondSignalDoesNotWait(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "iamdata"))
	halfSent(t, s)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	s.waitFor(t, "stopping")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	var exit *exec.ExitError
	require.ErrorAs(t, <-s.exited, &exit)
	status, ok := exit.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	require.Equal(t, syscall.SIGTERM, status.Signal())
}

// writeCertificate writes a certificate of localhost and its key.
func writeCertificate(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600))
	return cert, key
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	s := start(t, filepath.Join(dir, "iamdata"), "--listen", "localhost:0", "--tls-cert", cert, "--tls-key", key)
	content, err := os.ReadFile(filepath.Join(s.data, rootcreds.FileName))
	require.NoError(t, err)
	endpoint := regexp.MustCompile(`AWS_ENDPOINT_URL='(https://localhost:[0-9]+)'`).FindSubmatch(content)
	require.NotNil(t, endpoint, "root.env has the name that the certificate is for")

	serial := func() int64 {
		pool := x509.NewCertPool()
		trusted, err := os.ReadFile(cert)
		require.NoError(t, err)
		require.True(t, pool.AppendCertsFromPEM(trusted))
		c := rootClient(t, s, 1)
		c.url = string(endpoint[1]) + "/"
		var served *x509.Certificate
		c.http.Transport = &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool, VerifyConnection: func(state tls.ConnectionState) error {
			served = state.PeerCertificates[0]
			if state.Version < tls.VersionTLS12 {
				return errors.New("too old a version of TLS")
			}
			return nil
		}}}
		c.must(t, "GetUser")
		return served.SerialNumber.Int64()
	}
	require.Equal(t, int64(1), serial())

	_, err = tls.DialWithDialer(&net.Dialer{}, "tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, InsecureSkipVerify: true}) //nolint:gosec // to see it refused
	require.ErrorContains(t, err, "protocol version")

	writeCertificate(t, dir, 2)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.waitFor(t, "opened anew")
	require.Equal(t, int64(2), serial())

	good, err := os.ReadFile(cert)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cert, []byte("nonsense"), 0o600))
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.waitFor(t, "stays as it was")
	require.NoError(t, os.WriteFile(cert, good, 0o600))
	require.Equal(t, int64(2), serial())
	require.NoError(t, s.stop())
}

// The audit log can be rotated, and holds what was refused, too.
func TestAuditLogIsReopened(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "audit.log")
	s := start(t, filepath.Join(dir, "iamdata"), "--audit-log", log)
	root := rootClient(t, s, 1)
	root.must(t, "CreateUser", "UserName", "alice")
	require.NoError(t, os.Rename(log, log+".1"))
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.waitFor(t, "opened anew")
	_, err := newClient(s.url, "AKIANOBODY", "nobody's secret", 1).call(t.Context(), "ListUsers")
	require.Error(t, err)
	require.NoError(t, s.stop())

	first, err := os.ReadFile(log + ".1")
	require.NoError(t, err)
	require.Contains(t, string(first), `"eventName":"CreateUser"`)
	second, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(second), "\n"))
	require.Contains(t, string(second), `"errorCode":"InvalidClientTokenId"`)
	for _, name := range []string{log, log + ".1"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
	}
}

// However many connect, only so many are served, and the others get their turn.
func TestConnectionsAreBounded(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "iamdata"), "--max-connections", "2")
	address := strings.TrimPrefix(s.url, "http://")
	var busy []net.Conn
	for range 2 {
		busy = append(busy, halfSent(t, s))
	}
	waiting, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer waiting.Close() //nolint:errcheck // everything has been read
	_, err = io.WriteString(waiting, "GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	// Both busy ones are answered before the third is looked at.
	for _, connection := range busy {
		_, err := io.WriteString(connection, "abcde")
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	require.NoError(t, busy[0].Close())
	response, err := http.ReadResponse(bufio.NewReader(waiting), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 404, response.StatusCode)
}
