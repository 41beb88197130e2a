package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
)

// pipes is a listener of connections that are in memory, on which time is that of
// the test.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error { return nil }

func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

// patiently serves one connection with a handler and returns the client's end of it.
func patiently(t *testing.T, handler func(p *patience, w http.ResponseWriter, body io.Reader) error) net.Conn {
	t.Helper()
	client, connection := net.Pipe()
	listener := make(pipes, 1)
	listener <- connection
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := newPatient(w)
		defer p.end()
		answer := &patientWriter{ResponseWriter: w, patience: p}
		if err := handler(p, answer, p.body(r.Body)); err != nil {
			s3.WriteError(answer, r, err, "/", "id")
			return
		}
		answer.WriteHeader(http.StatusOK)
	})}
	go server.Serve(listener) //nolint:errcheck // it ends with the listener
	t.Cleanup(func() {
		_ = client.Close()
		close(listener)
		_ = server.Close()
	})
	return client
}

// begin sends a request with a body of that length, or the beginning of it. The
// answer tells what became of it.
func begin(w io.Writer, length int, body string) {
	_, _ = fmt.Fprintf(w, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", length, body)
}

// status is that of the answer, 0 if there is none, and how long it took.
func status(client net.Conn) (int, time.Duration) {
	began := time.Now() //nolint:forbidigo // the time is the test's
	response, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		return 0, time.Since(began)
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return -1, time.Since(began)
	}
	return response.StatusCode, time.Since(began)
}

func readAll(_ *patience, _ http.ResponseWriter, body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

func TestPatience(t *testing.T) {
	for name, tt := range map[string]struct {
		handler func(*patience, http.ResponseWriter, io.Reader) error
		client  func(io.Writer)
		status  int
		most    time.Duration // until the end
	}{
		"who sends nothing is cut off": {readAll, func(w io.Writer) { begin(w, 10, "") }, 0, maxIdle},
		"who sends a byte each 50 seconds may take hours": {readAll, func(w io.Writer) {
			begin(w, 200, "")
			for range 200 {
				time.Sleep(50 * time.Second)
				io.WriteString(w, "x") //nolint:errcheck // the answer tells
			}
		}, 200, 0},
		"but not before anything has been decided": {func(p *patience, w http.ResponseWriter, body io.Reader) error {
			p.hurry()
			return readAll(p, w, body)
		}, func(w io.Writer) {
			begin(w, 1000, "")
			for range 1000 {
				time.Sleep(time.Second)
				if _, err := io.WriteString(w, "x"); err != nil {
					return
				}
			}
		}, 0, 0},
		"and after that there is time again": {func(p *patience, w http.ResponseWriter, body io.Reader) error {
			p.hurry()
			var first [1]byte
			if _, err := io.ReadFull(body, first[:]); err != nil {
				return err
			}
			p.relax()
			return readAll(p, w, body)
		}, func(w io.Writer) {
			begin(w, 3, "")
			for range 3 {
				time.Sleep(20 * time.Second)
				io.WriteString(w, "x") //nolint:errcheck // the answer tells
			}
		}, 200, 0},
		"a store may take hours": {func(p *patience, w http.ResponseWriter, body io.Reader) error {
			err := readAll(p, w, body)
			time.Sleep(5 * time.Hour)
			return err
		}, func(w io.Writer) { begin(w, 1, "x") }, 200, 5 * time.Hour},
		"a body that nobody wants is not waited for": {
			func(*patience, http.ResponseWriter, io.Reader) error { return nil },
			func(w io.Writer) { begin(w, 10, "") }, 200, maxRest,
		},
		"nor is one in the middle of which the request is refused": {
			func(_ *patience, _ http.ResponseWriter, body io.Reader) error {
				_, err := io.ReadFull(body, make([]byte, 1))
				return errors.Join(err, io.ErrUnexpectedEOF)
			},
			func(w io.Writer) { begin(w, 10, "x") }, 500, maxRest,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := patiently(t, tt.handler)
				done := make(chan struct{})
				go func() {
					defer close(done)
					tt.client(client)
				}()
				got, took := status(client)
				require.NoError(t, client.Close())
				<-done
				require.Equal(t, tt.status, got)
				if tt.most > 0 {
					require.LessOrEqual(t, took, tt.most)
				}
			})
		})
	}
}

// Of two requests on a connection, the end of the first one's patience is none of
// the other's.
func TestPatienceEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := patiently(t, func(p *patience, w http.ResponseWriter, body io.Reader) error {
			err := readAll(p, w, body)
			time.Sleep(3 * maxIdle)
			return err
		})
		r := bufio.NewReader(client)
		for range 3 {
			go begin(client, 1, "x")
			response, err := http.ReadResponse(r, nil)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			time.Sleep(maxIdle + time.Second)
		}
	})
}

// A client that takes no part of a long answer is cut off too.
func TestPatienceWithAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan error, 1)
		client := patiently(t, func(_ *patience, w http.ResponseWriter, _ io.Reader) error {
			_, err := io.Copy(w, strings.NewReader(strings.Repeat("x", 1<<20)))
			failed <- err
			return nil
		})
		go begin(client, 0, "")
		require.Error(t, <-failed)
	})
}
