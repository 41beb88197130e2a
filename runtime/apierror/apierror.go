// Package apierror holds the error that an AWS API answers with: a code of the
// catalogue and a message. It does not know the catalogue, which is generated
// from the specification, nor how an error is written on the wire; see package
// awsxml for that.
package apierror

import "errors"

// A Fault says who has to change something before the request can succeed. It
// is the Type element of an error response.
type Fault uint8

const (
	// Sender means that the request is at fault.
	Sender Fault = iota
	// Receiver means that the service is at fault.
	Receiver
)

// String returns "Sender" or "Receiver", as the wire has it.
func (f Fault) String() string {
	if f == Receiver {
		return "Receiver"
	}
	return "Sender"
}

// A Code is one entry of an error catalogue. A pointer to a Code is a target
// for errors.Is: it matches any Error whose code has the same name.
//
//nolint:errname // it is an error only so that errors.Is accepts it; its name is AWS's term
type Code struct {
	// Name is the code on the wire, such as NoSuchEntity.
	Name string
	// Status is the HTTP status code of the answer, 400 to 599.
	Status int
	// Fault says whether the sender or the receiver is at fault.
	Fault Fault
}

// Error returns the name of the code.
func (c *Code) Error() string { return c.Name }

// New returns an error with this code. The message goes over the wire to the
// caller: it must hold nothing that the caller may not know, and no secret.
func (c *Code) New(message string) *Error { return &Error{Code: c, Message: message} }

// An Error is the answer to a request that failed. Any other error is answered
// as ServiceFailure, and what it says stays in the server's log.
type Error struct {
	// Code is the entry of the catalogue; never nil.
	Code *Code
	// Message goes over the wire to the caller, word for word.
	Message string
}

// Error returns the name of the code and the message, as in
// "NoSuchEntity: The user with name alice cannot be found.".
func (e *Error) Error() string { return e.Code.Name + ": " + e.Message }

// Is reports whether target is a *Code with the name of e's code. Codes are
// compared by name because the kernel and each service's catalogue hold their
// own values of the codes that they share, such as ValidationError.
func (e *Error) Is(target error) bool {
	code, ok := target.(*Code)
	return ok && code.Name == e.Code.Name
}

// CodeOf returns the name of the code of the Error that err is or wraps,
// "ServiceFailure" for any other error, and "" for nil.
func CodeOf(err error) string {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code.Name
	}
	return "ServiceFailure"
}
