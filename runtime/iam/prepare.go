package iam

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/generated/pluginapi"
	"iamserver/runtime/action"
	"iamserver/runtime/arn"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
)

// A Preparation is what is done for a request that has been allowed, before its
// handler runs: plugins are asked here, for they are slow, and a handler keeps
// others from writing.
type Preparation struct {
	// Request is for the handler; nil means the caller's.
	Request action.Request
	// Key is for the handler; nil if no generator was asked.
	Key *Key
	// Plugin is who refused, or made the key, for the audit log.
	Plugin string
	// Replacements are of policy documents, for the audit log.
	Replacements []Replacement
}

// Wipe overwrites a secret that a plugin made.
func (p *Preparation) Wipe() {
	if p.Key != nil {
		clear(p.Key.Secret)
	}
}

// An Occasion is what a Preparation depends on beside the request.
type Occasion struct {
	// Caller is the ARN of who signed.
	Caller string
	// Target is the ARN of what the request is about.
	Target string
	// Taken reports whether an access key has an id.
	Taken func(accessKeyID string) (bool, error)
}

// Prepare asks those of the plugins whom a request concerns. Its error is the
// answer to the caller, or the failure of a plugin; the Preparation says whose.
func (s *Service) Prepare(ctx context.Context, request action.Request, on Occasion) (Preparation, error) {
	p := &preparing{Service: s, ctx: ctx, on: on}
	var err error
	switch req := request.(type) {
	case *iamapi.PutUserPolicyRequest:
		own := *req
		p.Request = &own
		err = p.validate("PutUserPolicy", req.PolicyName, &own.PolicyDocument, checkInline)
	case *iamapi.PutGroupPolicyRequest:
		own := *req
		p.Request = &own
		err = p.validate("PutGroupPolicy", req.PolicyName, &own.PolicyDocument, checkInline)
	case *iamapi.CreatePolicyRequest:
		own := *req
		p.Request = &own
		err = p.validate("CreatePolicy", req.PolicyName, &own.PolicyDocument, s.checkManagedPolicy)
	case *iamapi.CreatePolicyVersionRequest:
		own := *req
		p.Request = &own
		err = p.validate("CreatePolicyVersion", req.PolicyArn[strings.LastIndexByte(req.PolicyArn, '/')+1:], &own.PolicyDocument, s.checkManagedPolicy)
	case *iamapi.CreateServiceAccountRequest:
		own := *req
		p.Request = &own
		if err = p.validateOptional("CreateServiceAccount", &own.Policy); err == nil {
			err = p.generate(pluginapi.PurposeServiceAccount)
		}
	case *iamapi.UpdateServiceAccountRequest:
		own := *req
		p.Request = &own
		err = p.validateOptional("UpdateServiceAccount", &own.Policy)
	case *iamapi.CreateAccessKeyRequest:
		err = p.accessKey(req)
	}
	return p.Preparation, err
}

// preparing is a Preparation on its way.
type preparing struct {
	*Service
	Preparation

	ctx context.Context //nolint:containedctx // it lives as long as one call
	on  Occasion
}

func checkInline(document string) error { return checkDocument(document, policy.InlinePolicy) }

// validateOptional asks about the document of a service account, which may have
// none.
func (p *preparing) validateOptional(operation string, document **string) error {
	if *document == nil || **document == "" {
		return nil
	}
	text := **document
	*document = &text
	return p.validate(operation, "", &text, p.checkServiceAccountPolicy)
}

// validate asks about a document and puts another in its place if it is replaced.
// One that check refuses is left to the handler, which does so in its turn.
func (p *preparing) validate(operation, name string, document *string, check func(document string) error) error {
	v := p.config.Validator
	if v == nil || !v.Validates() {
		return nil
	}
	if err := check(*document); err != nil {
		return nil //nolint:nilerr // see above
	}
	operation = iamapi.Service.Name + ":" + operation
	got, err := v.ValidatePolicy(p.ctx, &pluginapi.ValidatePolicyRequest{
		Operation: operation, Document: []byte(*document), Principal: p.on.Caller, TargetArn: p.on.Target, PolicyName: name, Account: p.config.Account,
	}, func(replacement []byte) error { return Opaque(check(string(replacement))) })
	if err != nil {
		return fmt.Errorf("validate the policy of %s: %w", operation, err)
	}
	p.Plugin, p.Replacements = got.Plugin, got.Replacements
	if len(got.Findings) > 0 {
		return iamerr.MalformedPolicy(got.Message())
	}
	*document = string(got.Document)
	return nil
}

// accessKey checks a key that the caller brings, or has one made. A secret is
// shown to nobody.
func (p *preparing) accessKey(req *iamapi.CreateAccessKeyRequest) error {
	if req.AccessKeyId == nil && req.SecretAccessKey == nil {
		return p.generate(pluginapi.PurposeUser)
	}
	if g := p.config.Generator; g != nil && req.AccessKeyId != nil {
		if err := g.CheckSupplied(*req.AccessKeyId); err != nil {
			return iamerr.SuppliedKeyRefused(err.Error())
		}
	}
	return nil
}

var errReservedID = errors.New("the generator made an id that begins with ASIA or ABIA, which are kept for temporary credentials and service accounts")

// generate has a key made for the user that the request is about. Where it is
// about none, the handler says so.
func (p *preparing) generate(purpose pluginapi.Purpose) error {
	user, err := arn.ParseEntity(p.on.Target, p.config.Account)
	if !p.generates() || err != nil || user.Type != arn.TypeUser {
		return nil //nolint:nilerr // see above
	}
	key, err := p.config.Generator.GenerateAccessKey(p.ctx, &pluginapi.GenerateAccessKeyRequest{
		Account: p.config.Account, UserName: user.Name, Path: user.Path, Purpose: purpose,
	}, func(id string) (bool, error) {
		switch {
		case strings.HasPrefix(id, "ASIA"), strings.HasPrefix(id, "ABIA") && purpose == pluginapi.PurposeUser:
			return false, errReservedID
		case id == p.config.RootAccessKeyID:
			return true, nil
		}
		return p.on.Taken(id)
	})
	if err != nil {
		return fmt.Errorf("generate an access key: %w", err)
	}
	p.Key, p.Plugin = &key, key.Plugin
	return nil
}

func (s *Service) generates() bool {
	return s.config.Generator != nil && s.config.Generator.Generates()
}

// generatedKey is the key that a generator made; nothing without a generator. A
// server that has one never makes ids itself.
func (s *Service) generatedKey(tx *Tx) (id string, secret identity.Secret, err error) {
	switch {
	case tx.Key != nil:
		return tx.Key.AccessKeyID, identity.Secret(tx.Key.Secret), nil
	case s.generates():
		return "", "", ErrAskAgain
	}
	return "", "", nil
}
