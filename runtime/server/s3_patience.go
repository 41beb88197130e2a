package server

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"iamserver/generated/s3err"
)

const (
	// maxIdle is how long a client may take no part of a request or answer. A body
	// may take hours, but not stand still.
	maxIdle = time.Minute
	// maxRest is how long the rest of a body is waited for that nobody wants any more:
	// only when it is there, the client gets the answer.
	maxRest = 5 * time.Second
	// maxHurry is how long a client may take for all that is read before anything
	// has been decided.
	maxHurry = 30 * time.Second
)

// A patience ends a connection whose client is waited for and does nothing. The
// limits of the HTTP server are for requests that are over in seconds. While the
// store is waited for, nobody is impatient.
type patience struct {
	control *http.ResponseController

	mu      sync.Mutex
	timer   *time.Timer // guarded by mu; nil once ended
	waits   int         // guarded by mu; reads and writes that go on
	hurried bool        // guarded by mu; it is not enough that something moves
	expired bool        // guarded by mu
}

func newPatient(w http.ResponseWriter) *patience {
	p := &patience{control: http.NewResponseController(w)}
	// A writer that has no deadlines, as in tests, has no connection to end.
	_ = p.control.SetReadDeadline(time.Time{})
	_ = p.control.SetWriteDeadline(time.Time{})
	p.timer = time.AfterFunc(maxIdle, p.expire)
	p.timer.Stop()
	return p
}

// expire makes every wait of the connection end at once.
func (p *patience) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer == nil || (p.waits == 0 && !p.hurried) {
		return // it has moved, or the connection is at another request, by now
	}
	p.expired = true
	_ = p.control.SetReadDeadline(time.Unix(1, 0))
	_ = p.control.SetWriteDeadline(time.Unix(1, 0))
}

// wait begins to wait for the client, and moved ends it.
func (p *patience) wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waits++
	if p.timer != nil && !p.hurried {
		p.timer.Reset(maxIdle)
	}
}

func (p *patience) moved() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waits--
	p.rest()
}

// rest has mu; nobody is waited for, unless somebody still is.
func (p *patience) rest() {
	switch {
	case p.timer == nil, p.hurried:
	case p.waits == 0:
		p.timer.Stop()
	default:
		p.timer.Reset(maxIdle)
	}
}

// hurry gives the client maxHurry for all that it sends until relax.
func (p *patience) hurry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hurried = true
	p.timer.Reset(maxHurry)
}

func (p *patience) relax() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hurried = false
	p.rest()
}

// end leaves the connection to the HTTP server, which still has to write the end of
// the answer and to read what is left of the body, and must not wait for ever.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Stop()
	p.timer = nil
	if p.expired {
		return
	}
	now := time.Now() //nolint:forbidigo // connections go by the clock of the machine, as their timers do
	_ = p.control.SetReadDeadline(now.Add(maxRest))
	_ = p.control.SetWriteDeadline(now.Add(maxIdle))
}

func (p *patience) body(r io.ReadCloser) io.ReadCloser { return &patientBody{r, p} }

type patientBody struct {
	io.ReadCloser

	patience *patience
}

// Read returns the client's failures in S3's words: they are no failures of the
// server.
func (b *patientBody) Read(p []byte) (int, error) {
	b.patience.wait()
	n, err := b.ReadCloser.Read(p)
	b.patience.moved()
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return n, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, s3err.TookTooLong()
	}
	return n, io.ErrUnexpectedEOF
}

// A patientWriter also knows whether an answer has begun, and reads the upload
// id out of the answer to CreateMultipartUpload as it passes.
type patientWriter struct {
	http.ResponseWriter

	patience *patience
	begun    bool
	aborted  bool
	status   int
	keep     bool
	kept     bytes.Buffer
}

// maxAnswer is more than the answer to CreateMultipartUpload ever takes.
const maxAnswer = 16 << 10

func (w *patientWriter) watch(operation string) { w.keep = operation == "CreateMultipartUpload" }

func (w *patientWriter) WriteHeader(status int) {
	w.begun, w.status = true, status
	w.ResponseWriter.WriteHeader(status)
}

func (w *patientWriter) Write(p []byte) (int, error) {
	w.begun = true
	if w.keep && w.kept.Len() < maxAnswer {
		w.kept.Write(p)
	}
	w.patience.wait()
	n, err := w.ResponseWriter.Write(p)
	w.patience.moved()
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *patientWriter) uploadID() string {
	var answer struct {
		UploadID string `xml:"UploadId"`
	}
	if xml.Unmarshal(w.kept.Bytes(), &answer) != nil {
		return ""
	}
	return answer.UploadID
}
