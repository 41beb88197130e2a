package s3

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
)

// errPanicked is the error of a request whose handler panicked before it answered.
var errPanicked = errors.New("s3: the handler panicked")

// NewHandlerTransport returns what reaches a store that is a handler in the same
// process. Bodies are streamed both ways, nothing is buffered. The handler gets the
// context of the request, which also ends when the answer is not wanted any more;
// only once the handler has returned is the answer over, as in net/http's server. A
// panic of it breaks the answer off, and is logged unless it is
// http.ErrAbortHandler. It cannot take the connection over: its writer is no
// http.Hijacker.
func NewHandlerTransport(handler http.Handler, log *slog.Logger) http.RoundTripper {
	return &handlerTransport{handler, log}
}

type handlerTransport struct {
	handler http.Handler
	log     *slog.Logger
}

// RoundTrip implements http.RoundTripper. It waits for the handler however long that
// takes: to heed the end of its context is the handler's affair.
func (t *handlerTransport) RoundTrip(out *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(out.Context())
	in := received(ctx, out)
	reader, pipe := io.Pipe()
	w := &pipeWriter{header: http.Header{}, begun: make(chan struct{}), pipe: pipe, method: out.Method}
	body := &handledBody{PipeReader: reader, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(body.done)
		t.serve(w, in)
	}()
	<-w.begun
	if w.status == 0 {
		return nil, errors.Join(errPanicked, body.Close())
	}
	length := int64(-1)
	if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, ContentLength: length, Body: body, Request: out,
	}, nil
}

// serve runs the handler, and ends the answer in the way that it ended.
func (t *handlerTransport) serve(w *pipeWriter, in *http.Request) {
	defer func() {
		p := recover()
		if p != nil && p != http.ErrAbortHandler { //nolint:errorlint // a panic is no error that is wrapped
			t.log.Error("the handler of a request panicked", "panic", p, "stack", string(debug.Stack()))
		}
		end := io.EOF
		if p != nil {
			end = io.ErrUnexpectedEOF
		} else {
			w.WriteHeader(http.StatusOK)
		}
		w.end()
		// Neither returns an error: the reader has what it gets, and the body is ours.
		_ = w.pipe.CloseWithError(end)
		_ = in.Body.Close()
	}()
	t.handler.ServeHTTP(w, in)
}

// received is a request as net/http's server would have received it.
func received(ctx context.Context, out *http.Request) *http.Request {
	in := (&http.Request{
		Method: out.Method, URL: &url.URL{Path: out.URL.Path, RawPath: out.URL.RawPath, RawQuery: out.URL.RawQuery}, RequestURI: out.URL.RequestURI(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: out.Host, Header: http.Header{}, Body: out.Body, ContentLength: out.ContentLength, Trailer: out.Trailer,
	}).WithContext(ctx)
	for name, values := range out.Header {
		if len(values) > 0 && name != "Expect" { // whoever reads the body asks for it
			in.Header[name] = values
		}
	}
	if in.Host == "" {
		in.Host = out.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.ContentLength > 0 || in.Method == http.MethodPut || in.Method == http.MethodPost {
		in.Header["Content-Length"] = []string{strconv.FormatInt(in.ContentLength, 10)}
	}
	return in
}

// A pipeWriter is what a handler answers through.
type pipeWriter struct {
	header http.Header
	sent   http.Header // as it was when the answer began
	status int
	begun  chan struct{}
	closed bool
	pipe   *io.PipeWriter
	method string
}

// Header implements http.ResponseWriter.
func (w *pipeWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. What comes before the answer itself is
// left out: the client has its own connection.
func (w *pipeWriter) WriteHeader(status int) {
	if w.status != 0 || status < http.StatusOK {
		return
	}
	w.status, w.sent = status, w.header.Clone()
	for name := range w.sent {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			delete(w.sent, name)
		}
	}
	w.end()
}

// end lets the answer begin, for good or for nothing.
func (w *pipeWriter) end() {
	if !w.closed {
		w.closed = true
		close(w.begun)
	}
}

// Write implements http.ResponseWriter.
func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case w.status == http.StatusNoContent, w.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case w.method == http.MethodHead:
		return len(p), nil
	}
	return w.pipe.Write(p)
}

// Flush implements http.Flusher. Nothing is buffered.
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }

// A handledBody is the body of an answer.
type handledBody struct {
	*io.PipeReader

	cancel context.CancelFunc
	done   chan struct{}
}

// Close tells the handler that the rest is not wanted, and waits for it to return.
func (b *handledBody) Close() error {
	b.cancel()
	err := b.PipeReader.Close()
	<-b.done
	return err
}
