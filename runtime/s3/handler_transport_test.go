package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
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

func outgoing(t *testing.T, method, target string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, body)
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
	var parsed url.URL
	transport, _ := through(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			body = []byte(err.Error())
		}
		got, length, parsed = recorded{r.Method, r.RequestURI, r.Host, r.Header, string(body)}, r.ContentLength, *r.URL
	})
	out := outgoing(t, "PUT", "http://store/photos/a%20b?tagging=", strings.NewReader("hello"))
	out.Header = http.Header{"Content-Type": {"text/plain"}, "Expect": {"100-continue"}, "X-Idempotency-Key": nil}
	resp, err := transport.RoundTrip(out) //nolint:bodyclose // answerText does
	require.NoError(t, err)
	require.Empty(t, answerText(t, resp.Body))
	require.Equal(t, 200, resp.StatusCode)
	require.EqualValues(t, 5, length)
	require.Equal(t, url.URL{Path: "/photos/a b", RawPath: parsed.RawPath, RawQuery: "tagging="}, parsed)
	require.Equal(t, recorded{"PUT", "/photos/a%20b?tagging=", "store", http.Header{"Content-Type": {"text/plain"}, "Content-Length": {"5"}}, "hello"}, got)
}

// Each part of a body is answered before the next one is sent.
func TestAHandlersBodiesAreStreamedBothWays(t *testing.T) {
	transport, _ := through(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(w, r.Body); err != nil {
			panic(err)
		}
	})
	reader, writer := io.Pipe()
	answers := make(chan *http.Response, 1)
	out := outgoing(t, "POST", "http://store/", reader)
	go func() {
		resp, err := transport.RoundTrip(out) //nolint:bodyclose // answerText does
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
	require.Empty(t, answerText(t, resp.Body))
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
			if n, err := w.Write([]byte("ok")); n != 2 || err != nil {
				panic(err)
			}
		}, 200, 2, http.Header{"Content-Length": {"2"}}, ""},
		{"nor has 204", "DELETE", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			if _, err := w.Write([]byte("ok")); !errors.Is(err, http.ErrBodyNotAllowed) {
				panic(err)
			}
		}, 204, -1, http.Header{}, ""},
		{"a connection cannot be taken over", "GET", func(w http.ResponseWriter, _ *http.Request) {
			if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
				panic(err)
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(err)
			}
		}, 200, -1, http.Header{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transport, log := through(t, tt.handler)
			resp, err := transport.RoundTrip(outgoing(t, tt.method, "http://store/", nil)) //nolint:bodyclose // answerText does
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
