package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
	"iamserver/plugins/wire"
)

// The questions that stand for a request where nobody gives one.
const exampleDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}]}`

func exampleAuthorize() *pluginapi.AuthorizeRequest {
	return &pluginapi.AuthorizeRequest{
		Action: "s3:DeleteObject", Resource: "arn:aws:s3:::photos/a.jpg", PrincipalArn: "arn:aws:iam::000000000000:user/alice", PrincipalType: "IAMUser",
		Account: "000000000000", SourceIp: "192.0.2.1", UserAgent: "aws-cli/2", TimeMs: 1_767_225_600_000, Secure: true, RequestId: "test",
		EngineDecision: pluginapi.EngineDecisionAllowed,
	}
}

// A policyQuestion has its document as JSON, not as bytes.
type policyQuestion struct {
	pluginapi.ValidatePolicyRequest

	Document json.RawMessage `json:"document"`
}

// questionOf reads a question; an empty text is the example. A member that there
// is not is an error.
func questionOf(hook host.Hook, text string) (wire.Message, error) {
	switch hook {
	case host.Authorize:
		if text == "" {
			return exampleAuthorize(), nil
		}
		q := &pluginapi.AuthorizeRequest{EngineDecision: pluginapi.EngineDecisionAllowed}
		return q, readJSON(text, q)
	case host.ValidatePolicy:
		if text == "" {
			return &pluginapi.ValidatePolicyRequest{
				Operation: "iam:PutUserPolicy", Document: []byte(exampleDocument), Principal: "arn:aws:iam::000000000000:root",
				TargetArn: "arn:aws:iam::000000000000:user/alice", PolicyName: "photos", Account: "000000000000",
			}, nil
		}
		var q policyQuestion
		if err := readJSON(text, &q); err != nil {
			return nil, err
		}
		q.ValidatePolicyRequest.Document = q.Document
		return &q.ValidatePolicyRequest, nil
	case host.GenerateAccessKey:
		q := &pluginapi.GenerateAccessKeyRequest{Account: "000000000000", UserName: "alice", Path: "/"}
		if text != "" {
			*q = pluginapi.GenerateAccessKeyRequest{}
			if err := readJSON(text, q); err != nil {
				return nil, err
			}
		}
		if len(q.Entropy) > 0 {
			return q, nil
		}
		random, err := entropy()
		q.Entropy = random
		return q, err
	}
	return nil, fmt.Errorf("there is no hook %q; there are %s, %s and %s", hook, host.Authorize, host.ValidatePolicy, host.GenerateAccessKey)
}

func readJSON(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("--json: %w", err)
	}
	if d.More() {
		return errors.New("--json: there is more than one value")
	}
	return nil
}

// answerJSON shows an answer. Secrets are not shown.
func answerJSON(hook host.Hook, answer []byte) (string, error) {
	var shown any
	switch hook {
	case host.Authorize:
		a := &pluginapi.AuthorizeResponse{}
		if err := a.Decode(string(answer)); err != nil {
			return "", err
		}
		shown = struct {
			Effect pluginapi.Effect `json:"effect"` // also the one that is left out
			Reason string           `json:"reason,omitempty"`
			Code   string           `json:"code,omitempty"`
		}{a.Effect, a.Reason, a.Code}
	case host.ValidatePolicy:
		a := &pluginapi.ValidatePolicyResponse{}
		if err := a.Decode(string(answer)); err != nil {
			return "", err
		}
		if len(a.Document) > 0 && !json.Valid(a.Document) {
			return "", errors.New("the document is not JSON")
		}
		shown = struct {
			Verdict  pluginapi.Verdict   `json:"verdict"`
			Document json.RawMessage     `json:"document,omitempty"`
			Findings []pluginapi.Finding `json:"findings,omitempty"`
		}{a.Verdict, a.Document, a.Findings}
	case host.GenerateAccessKey:
		a := &pluginapi.GenerateAccessKeyResponse{}
		if err := a.Decode(string(answer)); err != nil {
			return "", err
		}
		shown = a
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(shown)
	return strings.TrimSuffix(b.String(), "\n"), err
}
