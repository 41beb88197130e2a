package iam

import (
	"context"
	"errors"
	"strings"

	"iamserver/generated/pluginapi"
)

// A Validator is asked about policy documents that are well-formed, before they
// are stored: the plugins of the operator.
type Validator interface {
	// Validates reports whether there is anybody to ask.
	Validates() bool
	// ValidatePolicy asks. Check is called with each document that is to take the
	// place of the caller's, and must refuse what the server would not store. With an
	// error, nothing may be stored.
	ValidatePolicy(ctx context.Context, req *pluginapi.ValidatePolicyRequest, check func(document []byte) error) (Validation, error)
}

// A Validation is what a Validator makes of a policy document.
type Validation struct {
	// Document is what to store in the caller's place.
	Document []byte
	// Findings are why not; if there are any, nothing is stored.
	Findings []pluginapi.Finding
	// Plugin is whose findings they are.
	Plugin string
	// Replacements are for the audit log, in order.
	Replacements []Replacement
}

// Opaque is what a check says of a replacement: the text of an error, but not an
// answer to the caller, whose document it is not about.
func Opaque(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(err.Error())
}

// A Replacement says who put which document in the place of which.
type Replacement struct {
	Plugin string `json:"plugin"`
	// Before and After are SHA-256, hexadecimal.
	Before string `json:"before"`
	After  string `json:"after"`
}

// Message is what the caller is told of the findings.
func (v *Validation) Message() string {
	var lines []string
	for _, f := range v.Findings {
		if f.Path == "" {
			lines = append(lines, f.Message)
		} else {
			lines = append(lines, f.Path+": "+f.Message)
		}
	}
	return strings.Join(lines, " ")
}

// A Generator makes access keys in place of the server.
type Generator interface {
	// Generates reports whether there is anybody to ask.
	Generates() bool
	// GenerateAccessKey asks for a key; exists is asked whether an id is taken.
	GenerateAccessKey(ctx context.Context, req *pluginapi.GenerateAccessKeyRequest, exists func(accessKeyID string) (bool, error)) (Key, error)
	// CheckSupplied tells whether a caller may bring a key with this id. Its error
	// says why not, as the end of a sentence for the caller.
	CheckSupplied(accessKeyID string) error
}

// A Key is what a Generator made.
type Key struct {
	AccessKeyID string
	// Secret is empty where the server makes it. Whoever has the key wipes it.
	Secret []byte
	// Plugin is who made it.
	Plugin string
}

// ErrAskAgain says that an access key id that a Generator made was taken
// meanwhile, or that there is one only now: the request has to be prepared again.
var ErrAskAgain = errors.New("iam: the generator has to be asked again")
