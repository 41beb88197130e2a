// Package model is the intermediate form between the specification and what
// is generated from it: services, actions, shapes, constraints, error codes.
// It reads no OpenAPI and writes no Go; see packages openapi and emit.
package model

import (
	"fmt"
	"slices"
	"strings"
)

// A Position is a place in a file of the specification.
type Position struct {
	File         string // relative to the root of the specification
	Line, Column int    // from 1
}

func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// A Service is one API with everything that its specification says.
type Service struct {
	Position

	Name           string // signing name and folder: iam
	ID             string // AWS's service id: IAM
	Abbreviation   string // AWS's short name of the service: AWS STS
	GlobalEndpoint string // AWS's host of the service: iam.amazonaws.com
	Title          string
	Version        string // API version: 2010-05-08
	Namespace      string // XML namespace
	OmitValues     bool   // messages about constraints do not quote the value
	Package        string // Go package of requests and responses: iamapi
	Errors         string // Go package of error codes: iamerr; empty if the service declares none

	Entities []Entity // what the actions are about, in the order of the documentation
	Quotas   []Quota
	Actions  []*Action    // in the order of the root file
	Shapes   []*Structure // named structures that the actions reach, in source order
	Scalars  []*Scalar    // named single values that the actions reach, in source order
	Lists    []*Sequence  // named lists that the actions reach, in source order
	Codes    []*ErrorCode // in source order
}

// Code returns the error code with a name, or nil.
func (s *Service) Code(name string) *ErrorCode {
	for _, c := range s.Codes {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// An Entity is what a file of actions is about. Its actions stand in
// actions/NAME.yaml.
type Entity struct {
	Name        string
	Description string
}

// A Quota is a limit that the account's settings may change.
type Quota struct {
	Position

	Name        string
	Default     int // 0: unlimited
	Description string
}

// An Action is one operation of a service.
type Action struct {
	Position

	Name            string
	Entity          string // of the file that it stands in
	Summary         string // a sentence, with its full stop
	Access          string // Read, Write, List, Tagging, PermissionsManagement
	SelfService     bool
	ImplicitSubject string // the parameter that means the caller when absent
	Extension       string // empty for AWS's own actions
	Resources       []Resource
	ConditionKeys   []string
	Errors          []string // code names
	Quotas          []string // quota names
	Pagination      *Pagination
	Waiter          *Waiter    // or nil
	Input           *Structure // never nil; without members for an action without parameters
	Output          *Structure // nil for an action that answers nothing
}

// conditionFields are, by parameter, the condition key that it gives a value and
// the field of action.ConditionKeys that holds it.
var conditionFields = []struct{ key, parameter, field string }{
	{"aws:RequestTag", "Tags", "Tags"},
	{"aws:TagKeys", "TagKeys", "TagKeys"},
	{"iam:PolicyARN", "PolicyArn", "PolicyARN"},
	{"iam:PermissionsBoundary", "PermissionsBoundary", "PermissionsBoundary"},
}

// ConditionParameters returns the parameters that give values to the action's
// condition keys.
func (a *Action) ConditionParameters() []string {
	var parameters []string
	for _, f := range conditionFields {
		supplied := slices.ContainsFunc(a.ConditionKeys, func(key string) bool {
			name, _, _ := strings.Cut(key, "/") // aws:RequestTag/${TagKey}
			return name == f.key
		})
		if supplied && a.Input.Member(f.parameter) != nil {
			parameters = append(parameters, f.parameter)
		}
	}
	return parameters
}

// ConditionField returns the field of action.ConditionKeys that a parameter sets.
func ConditionField(parameter string) string {
	for _, f := range conditionFields {
		if f.parameter == parameter {
			return f.field
		}
	}
	return ""
}

// A Resource says which parameters name a resource that the action is
// authorized on: by Type and Name (with Path at creation; From is the present
// name where Name and Path are the new ones), by Arn, or as the owner of an access key.
type Resource struct {
	Type                         string
	Name, Path, From, Arn, Owner string // parameter names
}

// Pagination names the members that page a list.
type Pagination struct {
	Input, Output, Limit, Truncated string
	Items                           []string
	NonAggregate                    []string
}

// A Waiter is a wait that tools offer: they repeat the action until it succeeds.
type Waiter struct {
	Name     string
	RetryOn  string // the code that means not yet
	Delay    int    // seconds between attempts
	Attempts int    // at most
}

// A Structure is an ordered set of members.
type Structure struct {
	Position

	Name     string
	Doc      string
	Members  []*Member
	InInput  bool // some action's input reaches it
	InOutput bool // some action's output reaches it
}

// Member returns the member with a name, or nil.
func (s *Structure) Member(name string) *Member {
	for _, m := range s.Members {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// A Member is one parameter of an input, or one member of an output or shape.
type Member struct {
	Position

	Name       string
	Doc        string
	Type       *Type
	Required   bool
	Default    any // string, int or bool; nil if there is none
	Extension  string
	WriteEmpty bool     // an empty list is written, not left out
	URLEncoded bool     // percent-encoded in responses
	Omit       []string // members of the structure (or of its elements) that are left out here
	OmitEmpty  []string // lists of it that are left out here while they are empty
}

// Partial tells whether the structure (or the elements) show less here than elsewhere.
func (m *Member) Partial() bool { return len(m.Omit)+len(m.OmitEmpty) > 0 }

// Pointer tells whether the member can be absent: it has no default, is not
// required, and its Go form has no value of its own for absence.
func (m *Member) Pointer() bool {
	if m.Required || m.Default != nil {
		return false
	}
	switch m.Type.Kind {
	case List, Map:
		return false
	default:
		return true
	}
}

// Kind is the form of a value.
type Kind int

// The forms of values.
const (
	String Kind = iota
	Integer
	Boolean
	Timestamp
	List
	Map
	Struct
)

// A Type is the form of a member with its constraints.
type Type struct {
	Kind   Kind
	Name   string     // of the named schema; empty for an inline one
	Scalar *Scalar    // for String, Integer, Boolean and Timestamp
	Elem   *Type      // for List and Map
	Key    *Type      // for Map
	Struct *Structure // for Struct
	List   *Sequence  // for List; nil for an inline one, which has no constraints
}

// A Sequence is a named list with its constraints.
type Sequence struct {
	Position

	Name    string
	Doc     string
	Elem    *Type
	Max     *int    // most items
	Unique  *Unique // or nil
	InInput bool    // some action's input reaches it
}

// A Scalar is the schema of a single value with its constraints.
type Scalar struct {
	Position

	Name       string // empty for an inline schema
	Kind       Kind   // String, Integer, Boolean or Timestamp
	Doc        string
	MinLength  int
	MaxLength  *int
	Pattern    string // bare, as Go and the messages have it, implicitly anchored
	AWSPattern string // what messages and the CLI model quote, where it differs
	Message    string // IAM's own sentence for a violated pattern
	Enum       []string
	Min, Max   *int
	Sensitive  bool
	Audit      bool
}

// Quoted is the pattern as messages and the CLI model show it.
func (s *Scalar) Quoted() string {
	if s.AWSPattern != "" {
		return s.AWSPattern
	}
	return s.Pattern
}

// Constrained tells whether a value can break the scalar's constraints.
func (s *Scalar) Constrained() bool {
	return s.MinLength > 0 || s.MaxLength != nil || s.Pattern != "" || len(s.Enum) > 0 || s.Min != nil || s.Max != nil
}

// Unique says that no two elements of a list have an equal member.
type Unique struct {
	Position

	Member   string
	FoldCase bool
	Error    string // constructor of the error package
}

// An ErrorCode is one error that the service answers.
type ErrorCode struct {
	Position

	Name        string
	Description string
	Status      int
	Fault       string // Sender or Receiver
	Common      bool   // any action may answer it
	Messages    []Message
}

// A Message is a sentence of an error code, with {Placeholders}.
type Message struct {
	Position

	Name string // of the Go constructor
	Text string
}
