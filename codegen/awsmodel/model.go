// Package awsmodel holds service models in AWS's own form, which botocore and
// the AWS CLI load: it reads AWS's, makes one of a service of the
// specification, and finds how the two differ. It reads no OpenAPI and knows
// nothing of Go code; see packages openapi and emit.
package awsmodel

import (
	"encoding/json"
	"fmt"

	"iamserver/codegen/model"
)

// A Model is the content of a service-2.json, with those of the
// paginators-1.json and the waiters-2.json beside it.
type Model struct {
	Version       string              `json:"version"`
	Metadata      Metadata            `json:"metadata"`
	Operations    Ordered[*Operation] `json:"operations"`
	Shapes        Ordered[*Shape]     `json:"shapes"`
	Documentation string              `json:"documentation,omitempty"`

	Pagination Ordered[*Paginator] `json:"-"` // by operation
	Waiters    Ordered[*Waiter]    `json:"-"` // by name
	Position   model.Position      `json:"-"` // of the root document
}

// Metadata names a service on the wire and in the CLI.
type Metadata struct {
	APIVersion          string   `json:"apiVersion"`
	EndpointPrefix      string   `json:"endpointPrefix"`
	GlobalEndpoint      string   `json:"globalEndpoint,omitempty"`
	Protocol            string   `json:"protocol"`
	Protocols           []string `json:"protocols"`
	ServiceAbbreviation string   `json:"serviceAbbreviation,omitempty"`
	ServiceFullName     string   `json:"serviceFullName"`
	ServiceID           string   `json:"serviceId"`
	SignatureVersion    string   `json:"signatureVersion"`
	UID                 string   `json:"uid"`
	XMLNamespace        string   `json:"xmlNamespace"`
	Auth                []string `json:"auth"`
}

// An Operation is one action.
type Operation struct {
	Name          string      `json:"name"`
	HTTP          HTTP        `json:"http"`
	Input         *Reference  `json:"input,omitempty"`
	Output        *Reference  `json:"output,omitempty"`
	Errors        []Reference `json:"errors,omitempty"`
	Documentation string      `json:"documentation,omitempty"`

	Position model.Position `json:"-"` // in the specification
}

// HTTP is how an operation is asked for.
type HTTP struct {
	Method     string `json:"method"`
	RequestURI string `json:"requestUri"`
}

// A Reference is the use of a shape.
type Reference struct {
	Shape         string `json:"shape"`
	ResultWrapper string `json:"resultWrapper,omitempty"` // of an output
	Documentation string `json:"documentation,omitempty"`

	Position model.Position `json:"-"` // in the specification
}

// A Shape is a type with its constraints.
type Shape struct {
	Type          string              `json:"type"`
	Required      []string            `json:"required,omitempty"`
	Members       Ordered[*Reference] `json:"members,omitzero"` // of a structure
	Member        *Reference          `json:"member,omitempty"` // of a list
	Key           *Reference          `json:"key,omitempty"`    // of a map
	Value         *Reference          `json:"value,omitempty"`  // of a map
	Max           *int                `json:"max,omitempty"`
	Min           *int                `json:"min,omitempty"`
	Pattern       string              `json:"pattern,omitempty"`
	Enum          []string            `json:"enum,omitempty"`
	Sensitive     bool                `json:"sensitive,omitempty"`
	Error         *Error              `json:"error,omitempty"`
	Exception     bool                `json:"exception,omitempty"`
	Documentation string              `json:"documentation,omitempty"`

	Position model.Position `json:"-"` // in the specification
	Enforced string         `json:"-"` // the pattern that the server matches, if Pattern is only what it quotes
}

// An Error is the wire form of an exception.
type Error struct {
	Code           string `json:"code"`
	HTTPStatusCode int    `json:"httpStatusCode"`
	SenderFault    bool   `json:"senderFault,omitempty"`
}

// A Paginator names the members that page an operation.
type Paginator struct {
	InputToken   string   `json:"input_token"`
	LimitKey     string   `json:"limit_key"`
	MoreResults  string   `json:"more_results"`
	OutputToken  string   `json:"output_token"`
	ResultKey    names    `json:"result_key"`
	NonAggregate []string `json:"non_aggregate_keys,omitempty"`
}

// names is one name or a list of them.
type names []string

func (n names) MarshalJSON() ([]byte, error) {
	if len(n) == 1 {
		return json.Marshal(n[0])
	}
	return json.Marshal([]string(n))
}

func (n *names) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*n = names{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(n))
}

// A Waiter is the CLI's wait for an operation to succeed.
type Waiter struct {
	Operation   string     `json:"operation"`
	Delay       int        `json:"delay"` // seconds
	MaxAttempts int        `json:"maxAttempts"`
	Acceptors   []Acceptor `json:"acceptors"`
}

// An Acceptor says what an answer means to a waiter.
type Acceptor struct {
	State    string `json:"state"`
	Matcher  string `json:"matcher"`
	Expected any    `json:"expected"` // a status, or the code of an error
}

type waiters struct {
	Version int              `json:"version"`
	Waiters Ordered[*Waiter] `json:"waiters"`
}

type paginators struct {
	Pagination Ordered[*Paginator] `json:"pagination"`
}

// Parse reads the content of a service-2.json and of a paginators-1.json.
func Parse(service, pagination []byte) (*Model, error) {
	var m Model
	if err := json.Unmarshal(service, &m); err != nil {
		return nil, fmt.Errorf("read service model: %w", err)
	}
	var p paginators
	if err := json.Unmarshal(pagination, &p); err != nil {
		return nil, fmt.Errorf("read paginators: %w", err)
	}
	m.Pagination = p.Pagination
	return &m, nil
}

// ServiceFile returns the content of the service-2.json.
func (m *Model) ServiceFile() ([]byte, error) { return indented(m) }

// PaginatorsFile returns the content of the paginators-1.json.
func (m *Model) PaginatorsFile() ([]byte, error) { return indented(paginators{m.Pagination}) }

// WaitersFile returns the content of the waiters-2.json.
func (m *Model) WaitersFile() ([]byte, error) { return indented(waiters{2, m.Waiters}) }
