package model

import "iamserver/runtime/operation"

// Requests are the REST requests of a service that is not called by action:
// what tells its operations apart and what they need.
type Requests struct {
	Position

	// Service holds the facts and the error codes; it has no actions.
	Service     *Service
	Operations  []*Operation // in source order
	Kept        []Header     // headers that are not passed on
	Unsupported []Header     // headers that a request must not have
}

// An Operation is one of them.
type Operation struct {
	Position
	operation.Operation

	Summary string
}

// A Header is a header with what becomes of it.
type Header struct {
	Position

	Name   string // canonical
	Reason string
}
