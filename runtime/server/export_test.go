package server

import (
	"net/http"

	"iamserver/runtime/storage"
)

// AuthenticateRequest does what finds out who signed a request, and no more.
func (s *Server) AuthenticateRequest(r *http.Request) error {
	c := s.newCall(r)
	defer c.release()
	return c.authenticate(r.Context(), nil)
}

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
