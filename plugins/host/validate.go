package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"iamserver/generated/pluginapi"
)

// A Validation is what plugins make of a policy document.
type Validation struct {
	// Document is what to store: the caller's, or what plugins put in its place.
	Document []byte
	// Findings are why not; if there are any, nothing is stored.
	Findings []pluginapi.Finding
	// Plugin is whose findings they are.
	Plugin string
	// Replacements are for the audit log, in order.
	Replacements []Replacement
}

// A Replacement says who put which document in the place of which.
type Replacement struct {
	Plugin        string
	Before, After string // SHA-256, hexadecimal
}

// validate asks an instance of its own.
func (m *Module) validate(ctx context.Context, req *pluginapi.ValidatePolicyRequest) (*pluginapi.ValidatePolicyResponse, error) {
	if m.breaker.open(m.host.now) {
		return nil, m.fail(ValidatePolicy, Broken, errOpen)
	}
	began := m.host.now()
	i, class, err := m.begin(ctx, true)
	if err != nil {
		return nil, m.fail(ValidatePolicy, class, err)
	}
	defer m.end(ctx, i, false)
	b := m.limits.budget(ValidatePolicy)
	i.encoded = req.Append(i.encoded[:0])
	if len(i.encoded) > b.input {
		return nil, m.fail(ValidatePolicy, TooMuchInput, &tooLongError{"question", len(i.encoded), b.input})
	}
	i.allow(ctx, b, "", m.host.now())
	if class, err := i.ask(ValidatePolicy, b); err != nil {
		return nil, m.fail(ValidatePolicy, class, err)
	}
	answer := &pluginapi.ValidatePolicyResponse{}
	if err := i.decode(answer, true); err != nil {
		return nil, m.fail(ValidatePolicy, BadOutput, err)
	}
	if err := checkVerdict(answer); err != nil {
		return nil, m.fail(ValidatePolicy, BadAnswer, err)
	}
	m.observe(ValidatePolicy, answer.Verdict.String(), i, b, began)
	return answer, nil
}

func checkVerdict(answer *pluginapi.ValidatePolicyResponse) error {
	switch answer.Verdict {
	case pluginapi.VerdictAccept:
		return nil
	case pluginapi.VerdictReject:
		if len(answer.Findings) == 0 {
			answer.Findings = []pluginapi.Finding{{Message: "The policy was refused."}}
		}
		for i, f := range answer.Findings {
			answer.Findings[i] = pluginapi.Finding{Path: printable([]byte(f.Path)), Message: printable([]byte(f.Message))}
		}
		return nil
	case pluginapi.VerdictReplace:
		if len(answer.Document) == 0 {
			return errors.New("a replacement without a document")
		}
		return nil
	default:
		return &unknownError{"verdict", answer.Verdict.String()}
	}
}

// validateAll asks modules one after the other, each about what the one before
// made of the document.
func validateAll(ctx context.Context, modules []*Module, req *pluginapi.ValidatePolicyRequest, check func(document []byte) error) (Validation, error) {
	own := *req
	v := Validation{Document: slices.Clone(req.Document)}
	for _, m := range modules {
		own.Document = v.Document
		answer, err := m.validate(ctx, &own)
		if err != nil {
			return Validation{}, err
		}
		switch answer.Verdict {
		case pluginapi.VerdictReject:
			return Validation{Findings: answer.Findings, Plugin: m.config.Name}, nil
		case pluginapi.VerdictReplace:
			if err := check(answer.Document); err != nil {
				return Validation{}, m.fail(ValidatePolicy, BadAnswer, fmt.Errorf("the replacement is not accepted: %w", err))
			}
			v.Replacements = append(v.Replacements, Replacement{m.config.Name, hash(v.Document), hash(answer.Document)})
			v.Document = answer.Document
		default:
		}
	}
	return v, nil
}

func hash(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}
