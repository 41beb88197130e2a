package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"

	"iamserver/generated/iamerr"
	"iamserver/runtime/apierror"
)

// panicError is a panic of the pipeline or a handler, with the stack it left.
type panicError struct {
	value any
	stack []byte
}

func (e panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// answer is what the caller is told. An error that is not an *apierror.Error
// was not meant for it.
func (c *call) answer(err error) *apierror.Error {
	var answer *apierror.Error
	switch {
	case errors.As(err, &answer):
		return answer
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return iamerr.TookTooLong()
	default:
		return iamerr.ServiceFailed()
	}
}

// faultNamespace is the one of InvalidAction, which AWS answers before the
// request is any service's (as in issue 158 of django-ses/django-ses).
const faultNamespace = "http://webservices.amazon.com/AWSFault/2005-15-09"

// encodeError leaves the answer to a failed request in c.xml, and logs what the
// caller is not told.
func (c *call) encodeError(err error) (status int) {
	answer := c.answer(err)
	switch {
	case errors.Is(err, context.Canceled):
		c.server.log.Debug("the client did not wait for the answer", "request", c.id, "action", c.actionName())
	case answer.Code.Fault == apierror.Receiver:
		c.logFailure(err)
	}
	namespace := c.service.Namespace
	if *answer.Code == iamerr.InvalidAction {
		namespace = faultNamespace
	}
	c.xml.Reset()
	c.xml.ErrorResponse(namespace, answer.Code.Fault, answer.Code.Name, answer.Message, c.id)
	return answer.Code.Status
}

func (c *call) logFailure(err error) {
	attributes := []any{"error", err, "request", c.id, "action", c.actionName()}
	var p panicError
	if errors.As(err, &p) {
		attributes = append(attributes, "stack", string(p.stack))
	}
	c.server.log.Error("request failed", attributes...)
}

// abort is deferred. It takes a panic that came where no error can be answered
// any more, logs it, and ends the connection: net/http's own log of panics goes
// where it puts what clients do wrong, and nobody would see it there.
func (c *call) abort() {
	if p := recover(); p != nil {
		c.logFailure(panicError{p, debug.Stack()})
		panic(http.ErrAbortHandler)
	}
}

func (c *call) actionName() string {
	if c.row == nil {
		return ""
	}
	return c.row.permission.String()
}

func (c *call) respond(w http.ResponseWriter, status int) {
	h := w.Header()
	h["Content-Type"] = contentType
	values := []string{c.id, strconv.Itoa(len(c.xml.Bytes()))}
	h["X-Amzn-Requestid"], h["Content-Length"] = values[:1:1], values[1:]
	switch status {
	case http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close") // the rest of the body is not read
	case http.StatusMethodNotAllowed:
		h.Set("Allow", "GET, POST")
	}
	w.WriteHeader(status)
	if _, err := w.Write(c.xml.Bytes()); err != nil {
		c.server.log.Debug("the client did not take the response", "error", err, "request", c.id)
	}
}

var contentType = []string{"text/xml"}
