package server

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxIdle is how long a client may take no part of a request or answer. A body
// may take hours, but not stand still.
const maxIdle = time.Minute

// A patience ends a connection on which nothing moves. The limits of the HTTP
// server are for requests that are over in seconds.
type patience struct {
	control *http.ResponseController
	mu      sync.Mutex
	timer   *time.Timer // guarded by mu; nil once ended
}

func newPatient(w http.ResponseWriter) *patience {
	p := &patience{control: http.NewResponseController(w)}
	// A writer that has no deadlines, as in tests, has no connection to end.
	_ = p.control.SetReadDeadline(time.Time{})
	_ = p.control.SetWriteDeadline(time.Time{})
	p.timer = time.AfterFunc(maxIdle, p.expire)
	return p
}

// expire makes every wait of the connection end at once.
func (p *patience) expire() {
	_ = p.control.SetReadDeadline(time.Unix(1, 0))
	_ = p.control.SetWriteDeadline(time.Unix(1, 0))
}

// moved says that the client has taken part.
func (p *patience) moved() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Reset(maxIdle)
	}
}

func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Stop()
	p.timer = nil
}

func (p *patience) body(r io.ReadCloser) io.ReadCloser { return &patientBody{r, p} }

type patientBody struct {
	io.ReadCloser

	patience *patience
}

func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.patience.moved()
	return n, err
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
