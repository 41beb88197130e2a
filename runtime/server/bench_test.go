package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"iamserver/runtime/audit"
	"iamserver/runtime/server"
	"iamserver/runtime/storage/bolt"
)

// GetUser from the socket to the socket, against a net/http server that answers
// the same bytes whatever it is asked: the same requests, signed beforehand, over
// kept-alive connections from the same load generator, in turns. A server that has
// read a body to its end waits for the client to go away meanwhile (net/http's
// background read), which one that ignores the body saves; so there is a constant
// server of either kind, and a GET, where all of them wait.
func BenchmarkGetUser(b *testing.B) {
	ballast := make([]byte, ballastSize)
	defer runtime.KeepAlive(ballast)
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		b.Run(method, func(b *testing.B) { benchmarkGetUser(b, method) })
	}
}

// ballastSize is that of the command iamserver, for all of the servers here.
const ballastSize = 16 << 20

func benchmarkGetUser(b *testing.B, method string) {
	const perTurn, turns = 400, 10
	plain, answer := benchServer(b, method, nil)
	log, err := audit.Open(audit.Config{Path: filepath.Join(b.TempDir(), "audit.log"), Now: clock, Rand: randomness()})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, log.Close()) })
	audited, _ := benchServer(b, method, log)
	constant := func(read bool) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if read {
				io.Copy(io.Discard, r.Body) //nolint:errcheck // the generator would notice
			}
			h := w.Header()
			for name, values := range answer.header {
				h[name] = values
			}
			w.Write(answer.body) //nolint:errcheck // the generator would notice
		}))
		b.Cleanup(s.Close)
		return s.URL
	}
	targets := []*load{
		newLoad(b, plain, answer.request),
		newLoad(b, audited, answer.request),
		newLoad(b, constant(false), answer.request),
		newLoad(b, constant(true), answer.request),
	}
	var wall, cpu [4]time.Duration
	for b.Loop() {
		for range turns {
			for i, target := range targets {
				began, used := b.Elapsed(), cpuTime(b)
				target.send(b, perTurn/connections)
				wall[i] += b.Elapsed() - began
				cpu[i] += cpuTime(b) - used
			}
		}
	}
	requests := float64(b.N * turns * perTurn)
	b.ReportMetric(requests/wall[0].Seconds(), "GetUser-req/s")
	b.ReportMetric(requests/wall[2].Seconds(), "constant-req/s")
	// In processor time, of servers and load generator together, which tells more
	// where other programs want the processors too; and in the time that passes.
	for i, name := range map[int]string{2: "of-constant", 3: "of-constant-that-reads"} {
		b.ReportMetric(100*float64(cpu[i])/float64(cpu[0]), "cpu-%-"+name)
		b.ReportMetric(100*float64(wall[i])/float64(wall[0]), "%-"+name)
		b.ReportMetric(100*float64(cpu[i])/float64(cpu[1]), "cpu-%-audited-"+name)
	}
}

// cpuTime is what this process has had of the processors.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// sample is a request and what the server answered to it.
type sample struct {
	request []byte
	header  http.Header
	body    []byte
}

// benchServer serves an account with a user in a bolt store.
func benchServer(b *testing.B, method string, log server.Auditor) (url string, s sample) {
	b.Helper()
	store, err := bolt.Open(filepath.Join(b.TempDir(), "iam.db"), bolt.Config{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	f := open(b, func(c *server.Config) { c.Store, c.Audit = store, log })
	f.must(b, f.root, "CreateUser", "UserName", "alice", "Path", "/staff/", "Tags.member.1.Key", "team", "Tags.member.1.Value", "storage")
	getUser := func() *http.Request {
		if method == http.MethodGet {
			return f.signed(b, f.root, method, "/?"+form("GetUser", "UserName", "alice"), "", nil)
		}
		return f.request(b, f.root, "GetUser", "UserName", "alice")
	}
	request := getUser()
	var wire bytes.Buffer
	require.NoError(b, request.Clone(b.Context()).Write(&wire))
	response, err := http.DefaultClient.Do(getUser())
	require.NoError(b, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	require.NoError(b, response.Body.Close())
	require.Equal(b, http.StatusOK, response.StatusCode)
	response.Header.Del("Date")
	return f.url, sample{wire.Bytes(), response.Header, body}
}

// A load sends the same request over and over.
type load struct {
	request     []byte
	connections []net.Conn
}

// connections is how many connections a load has.
const connections = 8

func newLoad(b *testing.B, url string, request []byte) *load {
	b.Helper()
	l := &load{request: request}
	for range connections {
		conn, err := net.Dial("tcp", url[len("http://"):])
		require.NoError(b, err)
		b.Cleanup(func() { conn.Close() }) //nolint:errcheck // nothing was left to send
		l.connections = append(l.connections, conn)
	}
	return l
}

// send sends n requests over each connection, one after another, and reads the answers.
func (l *load) send(b *testing.B, n int) {
	b.Helper()
	var all sync.WaitGroup
	failed := make(chan error, len(l.connections))
	for _, conn := range l.connections {
		all.Go(func() { failed <- exchange(conn, l.request, n) })
	}
	all.Wait()
	for range l.connections {
		require.NoError(b, <-failed)
	}
}

// exchange parses no more of an answer than it must to find its end: the load
// generator should not be what is measured.
func exchange(conn net.Conn, request []byte, n int) error {
	r := bufio.NewReader(conn)
	for range n {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("answered %q", line)
		}
		length := 0
		for len(line) > 2 {
			if line, err = r.ReadSlice('\n'); err != nil {
				return err
			}
			if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
					return err
				}
			}
		}
		if _, err := r.Discard(length); err != nil {
			return err
		}
	}
	return nil
}
