// Package hooks makes the plugins of a host what the server asks about its
// requests. It runs no plugin itself (package host does), and what a verdict
// means is decided by those who ask, packages authz and iam.
package hooks

import (
	"context"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
	"iamserver/runtime/authz"
	"iamserver/runtime/iam"
)

// Hooks are the plugins of a set, whatever it is reloaded with.
type Hooks struct {
	set *host.Set
}

var (
	_ authz.Hook    = Hooks{}
	_ iam.Validator = Hooks{}
	_ iam.Generator = Hooks{}
)

// Of returns the hooks that ask a set.
func Of(set *host.Set) Hooks { return Hooks{set} }

// Interested implements authz.Hook.
func (h Hooks) Interested(action, resource, principalType string, engine pluginapi.EngineDecision) bool {
	return h.set.Interested(action, resource, principalType, engine)
}

// Authorize implements authz.Hook.
func (h Hooks) Authorize(ctx context.Context, req *pluginapi.AuthorizeRequest, values authz.KeyValues) (authz.Word, error) {
	v, err := h.set.Authorize(ctx, req, host.Values(values))
	return authz.Word{Effect: effects[v.Effect], Plugin: v.Plugin, Reason: v.Reason, Code: v.Code}, err
}

// effects are what verdicts mean. Package host has no others.
var effects = map[pluginapi.Effect]authz.Effect{
	pluginapi.EffectAbstain: authz.Abstains, pluginapi.EffectAllow: authz.Allows, pluginapi.EffectDeny: authz.Denies,
}

// Validates implements iam.Validator.
func (h Hooks) Validates() bool { return h.set.Validates() }

// ValidatePolicy implements iam.Validator.
func (h Hooks) ValidatePolicy(ctx context.Context, req *pluginapi.ValidatePolicyRequest, check func(document []byte) error) (iam.Validation, error) {
	v, err := h.set.ValidatePolicy(ctx, req, check)
	got := iam.Validation{Document: v.Document, Findings: v.Findings, Plugin: v.Plugin}
	for _, r := range v.Replacements {
		got.Replacements = append(got.Replacements, iam.Replacement(r))
	}
	return got, err
}

// Generates implements iam.Generator.
func (h Hooks) Generates() bool { return h.set.Generates() }

// GenerateAccessKey implements iam.Generator.
func (h Hooks) GenerateAccessKey(ctx context.Context, req *pluginapi.GenerateAccessKeyRequest, exists func(accessKeyID string) (bool, error)) (iam.Key, error) {
	key, err := h.set.GenerateAccessKey(ctx, req, exists)
	return iam.Key{AccessKeyID: key.AccessKeyID, Secret: key.Secret, Plugin: key.Plugin}, err
}

// CheckSupplied implements iam.Generator.
func (h Hooks) CheckSupplied(accessKeyID string) error { return h.set.CheckSupplied(accessKeyID) }
