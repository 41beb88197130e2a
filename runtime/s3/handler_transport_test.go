package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
)

// through sends a request to a handler, and returns what is logged too.
func through(t *testing.T, handler http.HandlerFunc) (http.RoundTripper, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	return s3.NewHandlerTransport(handler, slog.New(slog.NewTextHandler(&log, nil))), &log
}

func outgoing(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	return r
}

func answerText(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return string(text)
}

// A handler gets a request as net/http's server would have it received.
func TestAHandlerGetsARequestAsAServerReceivesIt(t *testing.T) {
	var got recorded
	var length int64
	transport, _ := through(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		got, length = recorded{r.Method, r.RequestURI, r.Host, r.Header, string(body)}, r.ContentLength
		require.Equal(t, "/photos/a b", r.URL.Path)
		require.Equal(t, "tagging=", r.URL.RawQuery)
		require.Empty(t, r.URL.Host)
	})
	out := outgoing(t, "PUT", "http://store/photos/a%20b?tagging=", strings.NewReader("hello"))
	out.Header = http.Header{"Content-Type": {"text/plain"}, "Expect": {"100-continue"}, "X-Idempotency-Key": nil}
	resp, err := transport.RoundTrip(out)
	require.NoError(t, err)
	require.Equal(t, "", answerText(t, resp.Body))
	require.Equal(t, 200, resp.StatusCode)
	require.EqualValues(t, 5, length)
	require.Equal(t, recorded{"PUT", "/photos/a%20b?tagging=", "store", http.Header{"Content-Type": {"text/plain"}, "Content-Length": {"5"}}, "hello"}, got)
}

// Each part of a body is answered before the next one is sent.
func TestAHandlersBodiesAreStreamedBothWays(t *testing.T) {
	transport, _ := through(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, r.Body)
		require.NoError(t, err)
	})
	reader, writer := io.Pipe()
	answers := make(chan *http.Response, 1)
	go func() {
		resp, err := transport.RoundTrip(outgoing(t, "POST", "http://store/", reader))
		if err == nil {
			answers <- resp
		}
		close(answers)
	}()
	var resp *http.Response
	for _, part := range []string{"one", "two", "three"} {
		_, err := io.WriteString(writer, part)
		require.NoError(t, err)
		if resp == nil {
			resp = <-answers
			require.NotNil(t, resp)
		}
		echoed := make([]byte, len(part))
		_, err = io.ReadFull(resp.Body, echoed)
		require.NoError(t, err)
		require.Equal(t, part, string(echoed))
	}
	require.NoError(t, writer.Close())
	require.Equal(t, "", answerText(t, resp.Body))
}

func TestWhatAHandlerAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		handler      http.HandlerFunc
		status       int
		length       int64
		header       http.Header
		body         string
	}{
		{"nothing is 200", "GET", func(http.ResponseWriter, *http.Request) {}, 200, -1, http.Header{}, ""},
		{"a status, once", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(404)
			w.WriteHeader(200)
		}, 404, -1, http.Header{}, ""},
		{"headers as they are when the answer begins", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Etag", "1")
			w.Header().Set("Content-Length", "2")
			w.Write([]byte("ok")) //nolint:errcheck // a test
			w.Header().Set("Etag", "2")
			w.Header().Set(http.TrailerPrefix+"A", "b")
		}, 200, 2, http.Header{"Etag": {"1"}, "Content-Length": {"2"}}, "ok"},
		{"HEAD has no body", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			n, err := w.Write([]byte("ok"))
			require.NoError(t, err)
			require.Equal(t, 2, n)
		}, 200, 2, http.Header{"Content-Length": {"2"}}, ""},
		{"nor has 204", "DELETE", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			_, err := w.Write([]byte("ok"))
			require.ErrorIs(t, err, http.ErrBodyNotAllowed)
		}, 204, -1, http.Header{}, ""},
		{"a connection cannot be taken over", "GET", func(w http.ResponseWriter, _ *http.Request) {
			_, _, err := http.NewResponseController(w).Hijack()
			require.ErrorIs(t, err, http.ErrNotSupported)
			require.NoError(t, http.NewResponseController(w).Flush())
		}, 200, -1, http.Header{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transport, log := through(t, tt.handler)
			resp, err := transport.RoundTrip(outgoing(t, tt.method, "http://store/", nil))
			require.NoError(t, err)
			require.Equal(t, tt.body, answerText(t, resp.Body))
			require.Equal(t, tt.status, resp.StatusCode)
			require.Equal(t, tt.length, resp.ContentLength)
			require.Equal(t, tt.header, resp.Header)
			require.Empty(t, log.String())
		})
	}
}

func TestAHandlerThatPanics(t *testing.T) {
	t.Run("before it answers is an error", func(t *testing.T) {
		transport, log := through(t, func(http.ResponseWriter, *http.Request) { panic("broken") })
		resp, err := transport.RoundTrip(outgoing(t, "GET", "http://store/", nil))
		if err == nil {
			require.NoError(t, resp.Body.Close())
		}
		require.EqualError(t, err, "s3: the handler panicked")
		require.Contains(t, log.String(), "panic=broken stack=")
	})
	for _, tt := range []struct {
		name   string
		value  any
		logged bool
	}{
		{"while it answers breaks the answer off", "broken", true},
		{"to break an answer off is not logged", http.ErrAbortHandler, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transport, log := through(t, func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "half") //nolint:errcheck // a test
				panic(tt.value)
			})
			resp, err := transport.RoundTrip(outgoing(t, "GET", "http://store/", nil))
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.Equal(t, "half", string(text))
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, tt.logged, strings.Contains(log.String(), "panic=broken"))
		})
	}
}

// Whoever closes an answer is back only once the handler has returned, which is told.
func TestClosingAnAnswerEndsItsHandler(t *testing.T) {
	returned := errors.New("the handler has not returned")
	transport, _ := through(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush() //nolint:errcheck // a test
		<-r.Context().Done()
		_, returned = io.WriteString(w, "more")
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp, err := transport.RoundTrip(outgoing(t, "GET", "http://store/", nil).WithContext(ctx))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.ErrorIs(t, returned, io.ErrClosedPipe)
}
