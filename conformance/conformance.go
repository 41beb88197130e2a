// Package conformance holds the cases that say how IAM behaves on the wire, and
// the format that they are written in. It sends nothing; package replay does.
package conformance

import (
	"fmt"
	"time"
)

// A Level says whose behaviour a case is about.
type Level string

// The levels, from what every implementation should do to what only sticklers ask for.
const (
	// Core is what the page that the project grew out of promises.
	Core Level = "core"
	// AWS is the behaviour of AWS beyond that.
	AWS Level = "aws"
	// Extension is what AWS does not have.
	Extension Level = "extension"
	// Strict is AWS's exact sentences. Sentences of cases of other levels are
	// compared only where this level is asked for as well.
	Strict Level = "strict"
)

// Levels are all levels.
func Levels() []Level { return []Level{Core, AWS, Extension, Strict} }

// A Need is something that a case asks of an implementation beyond its actions.
type Need string

// The needs.
const (
	// Authentication means that requests with a wrong signature are refused.
	Authentication Need = "authentication"
	// Authorization means that users may not do what nothing allows them.
	Authorization Need = "authorization"
	// SelfService means that users may manage their own access keys without a policy.
	SelfService Need = "self-service"
	// S3 means that the same endpoint serves S3, to users of the same IAM.
	S3 Need = "s3"
)

// Needs are all needs.
func Needs() []Need { return []Need{Authentication, Authorization, SelfService, S3} }

// A Case is one story: a sentence that is true of an implementation that
// answers each step as expected.
type Case struct {
	// Name is the path of the file below its folder, without .txtar.
	Name     string
	Sentence string
	Level    Level
	// Actions are the actions that the case is about.
	Actions []string
	// Sources say where the expectation comes from.
	Sources []string
	// Comments are lines for readers, which begin with #.
	Comments []string
	// Constraints are the constraints of parameters that the case probes, as in
	// "CreateUser UserName maxLength beyond".
	Constraints []string
	// Serial cases read or change what belongs to the whole account.
	Serial bool
	Needs  []Need
	// Recorded are the clients whose requests these are, as in aws-cli/2. What
	// one of them sends otherwise than the first is in Step.Others.
	Recorded []string
	// Names are the unique names that the case asks for.
	Names []Name
	// Texts are long texts that steps refer to, such as policy documents.
	Texts []Text
	Steps []*Step
	// Generated is true of what is derived from the specification.
	Generated bool
}

// A Name is a label that stands for a unique name. Names of one case sort as
// their labels do.
type Name struct {
	Label  string
	Length int // exactly; 0 for any
}

// A Text is a named text of a case.
type Text struct {
	Name    string
	Content Template
}

// Text returns the text with a name, or nil.
func (c *Case) Text(name string) *Text {
	for i := range c.Texts {
		if c.Texts[i].Name == name {
			return &c.Texts[i]
		}
	}
	return nil
}

// Proves tells whether an implementation at one of the levels has to pass the case.
func (c *Case) Proves(levels []Level) bool {
	for _, l := range levels {
		if l == c.Level {
			return true
		}
	}
	return false
}

// A Step is one request and what is to be answered.
type Step struct {
	Number int
	// Command is the line of the AWS CLI that sends the request; empty for what
	// the CLI cannot send.
	Command Template
	Request *Request
	// Others are the requests of clients that send this otherwise.
	Others   []ClientRequest
	Sign     Sign
	Response *Response
	// Line is where the step begins in the file of the case, from 1; 0 for a
	// generated case.
	Line int
}

// A ClientRequest is what a client sends in place of a step's request.
type ClientRequest struct {
	Client  string // one of Case.Recorded, but not the first
	Request *Request
}

// A Request is what goes over the wire, but for the signature.
type Request struct {
	Method  string
	Target  Template // path and query
	Headers []Header
	// Body is in its wire form; what placeholders stand for is percent-encoded.
	Body Template
}

// A Header is a header of a request or an expected one of a response.
type Header struct {
	Name  string
	Value Template
}

// Action returns the action that the request names, or "".
func (r *Request) Action() string {
	if action := parameter(r.Body.String(), "Action"); action != "" {
		return action
	}
	return parameter(r.Target.String(), "Action")
}

// Sign says how a request is signed. The zero value means as the caller of the
// replay, now, for the service that the request names.
type Sign struct {
	AccessKeyID, SecretAccessKey, SessionToken Template

	Clock   time.Duration // how far the signer's clock is from the target's
	Service string
	Region  string
	// Presign moves the signature into the query, valid for so long.
	Presign time.Duration
	// Unsigned headers are added after signing.
	Unsigned []Header
	// Tampered is the body that is sent in place of the signed one.
	Tampered Template
	// Authorization replaces the header that signing made.
	Authorization Template
	// None leaves the request unsigned.
	None bool
	// Replay sends the very request of an earlier step again, signature and all.
	Replay int
}

// Plain tells whether the request is signed as any client would.
func (s *Sign) Plain() bool {
	return s.Clock == 0 && s.Service == "" && s.Region == "" && s.Presign == 0 && len(s.Unsigned) == 0 &&
		s.Tampered.Empty() && s.Authorization.Empty() && !s.None && s.Replay == 0
}

// A Response is what is expected.
type Response struct {
	// Status is the HTTP status; 0 where Accepted stands instead.
	Status int
	// Accepted means success, or an error about what the request names: that it
	// does not exist, exists already, is in use, has reached a quota.
	Accepted bool
	Headers  []Header
	Body     *Element // nil: not compared
	// Text is what the body is where it is no XML, such as an object; empty: not compared.
	Text Template
}

// Code returns the error code that is expected, or "".
func (r *Response) Code() string {
	if r.Body == nil {
		return ""
	}
	e := r.Body // of S3
	if e.Name != "Error" {
		e = e.Child("Error")
	}
	if e != nil {
		if c := e.Child("Code"); c != nil {
			return c.Text.String()
		}
	}
	return ""
}

// An Error is a mistake in a case, with its place.
type Error struct {
	File string
	Line int
	What string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What) }
