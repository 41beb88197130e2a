package server

import (
	"net/http"
	"time"

	"iamserver/runtime/sigv4"
	"iamserver/runtime/storage"
)

// AuthenticateRequest does what finds out who signed a request, and no more.
func (s *Server) AuthenticateRequest(r *http.Request) error {
	c := s.newCall(r)
	defer c.release()
	return c.authenticate(r.Context(), nil)
}

// decideObject finds out who signed an S3 request, what it is, and whether it may.
func (o *objectStore) decideObject(r *http.Request) error {
	c := &s3Call{store: o, request: r, start: o.server.config.Now()}
	if err := c.authenticate(r.Context()); err != nil {
		return err
	}
	if err := c.store.classifier.Classify(sigv4.RequestOf(r), &c.req); err != nil {
		return err
	}
	c.needs = c.req.AppendNeeds(c.needs[:0])
	return c.allowed(r.Context(), c.needs)
}

// DecideObject does all that is done with a GET of an object before the store.
func (s *Server) DecideObject(r *http.Request) error { return s.objects.decideObject(r) }

// DecideRequest does all that is done with a request before its handler.
func (s *Server) DecideRequest(r *http.Request) error {
	c := s.newCall(r)
	defer c.release()
	if err := c.authenticate(r.Context(), nil); err != nil {
		return err
	}
	if err := c.dispatch(); err != nil {
		return err
	}
	return s.store.View(r.Context(), func(reader storage.Reader) error {
		return c.authorize(r.Context(), s.db.NewReadTx(reader))
	})
}

// MostSpooled is how many files of forms there are on disk at a time.
const MostSpooled = mostSpooled

// SetFormWait sets how long a form waits for its place.
func (s *Server) SetFormWait(d time.Duration) { s.objects.formWait = d }
