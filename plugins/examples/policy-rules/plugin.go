//go:build wasip1

// Command policy-rules is a plugin that refuses policy documents which break a
// house's rules: Allow of every action on every resource, NotPrincipal, and
// principals of other accounts. It rewrites nothing.
package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"iamserver/generated/pluginapi"
	guest "iamserver/plugins/guest/go"
)

func main() {}

//go:wasmexport iam_v1_validate_policy
func validatePolicy(question, length uint32) uint64 { return guest.Answer(question, length, validate) }

// A document is as much of a policy document as the rules look at.
type document struct {
	Statement oneOrMany[statement]
}

type statement struct {
	Effect       string
	Action       oneOrMany[string]
	Resource     oneOrMany[string]
	Principal    principal
	NotPrincipal json.RawMessage
}

// A oneOrMany is a value or a list of them.
type oneOrMany[T any] []T

// UnmarshalJSON reads either.
func (o *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	if strings.HasPrefix(string(data), "[") {
		return json.Unmarshal(data, (*[]T)(o))
	}
	*o = make(oneOrMany[T], 1)
	return json.Unmarshal(data, &(*o)[0])
}

// A principal is the AWS principals of a statement.
type principal []string

// UnmarshalJSON reads "*" or an object.
func (p *principal) UnmarshalJSON(data []byte) error {
	if strings.HasPrefix(string(data), `"`) {
		return nil
	}
	var kinds struct{ AWS oneOrMany[string] }
	err := json.Unmarshal(data, &kinds)
	*p = principal(kinds.AWS)
	return err
}

func validate(r *pluginapi.ValidatePolicyRequest) *pluginapi.ValidatePolicyResponse {
	var d document
	if err := json.Unmarshal(r.Document, &d); err != nil {
		panic(err) // the server has read the document before
	}
	var findings []pluginapi.Finding
	for i, s := range d.Statement {
		find := func(member, message string) {
			findings = append(findings, pluginapi.Finding{Path: fmt.Sprintf("Statement[%d].%s", i, member), Message: message})
		}
		if s.Effect == "Allow" && slices.Contains(s.Action, "*") && slices.Contains(s.Resource, "*") {
			find("Action", "Every action on every resource is too much for one statement.")
		}
		if s.NotPrincipal != nil {
			find("NotPrincipal", "NotPrincipal allows or denies everybody else; name the principals.")
		}
		for _, p := range s.Principal {
			if other := accountOf(p); other != "" && other != r.Account {
				find("Principal", "The account "+other+" is not ours.")
			}
		}
	}
	if findings == nil {
		return nil
	}
	return &pluginapi.ValidatePolicyResponse{Verdict: pluginapi.VerdictReject, Findings: findings}
}

// accountOf returns the account of a principal: of an ARN, or the id itself.
func accountOf(principal string) string {
	if parts := strings.SplitN(principal, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	if principal == "*" {
		return ""
	}
	return principal
}
