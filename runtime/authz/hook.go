package authz

import (
	"context"
	"errors"

	"iamserver/generated/pluginapi"
	"iamserver/runtime/policy"
)

// A Hook is asked after the policies: the plugins of the operator. It may deny
// what they allow, and where the operator lets it, allow what no policy allows.
type Hook interface {
	// Interested tells whether the hook wants to be asked about a request. It costs
	// next to nothing.
	Interested(action, resource, principalType string, engine pluginapi.EngineDecision) bool
	// Authorize asks it. Values gives the condition keys of the request, until
	// Authorize returns. An error is for the audit log: the word heeds it already.
	// A request may be asked about more than once, where what it is decided on
	// changes meanwhile, or has to be read anew.
	Authorize(ctx context.Context, req *pluginapi.AuthorizeRequest, values KeyValues) (Word, error)
}

// KeyValues gives the values of a condition key; ok is false where the request
// does not have it. An error means that it could not be obtained.
type KeyValues func(key string) (values []string, ok bool, err error)

// An Effect is what a hook says.
type Effect uint8

const (
	// Abstains leaves the decision to the policies.
	Abstains Effect = iota
	// Allows allows what no policy denies.
	Allows
	// Denies denies.
	Denies
)

// A Word is what a hook says of a request, and who said it.
type Word struct {
	Effect       Effect
	Plugin       string
	Reason, Code string
}

// deniedByHook is the reason of a denial by the hook. It does not tell by which plugin,
// or whether one failed.
const deniedByHook = "with an explicit deny in an authorization plugin"

// engineDecisions are what hooks are told of the decision of the policies.
var engineDecisions = map[policy.Decision]pluginapi.EngineDecision{
	policy.ImplicitDeny: pluginapi.EngineDecisionImplicitDeny,
	policy.ExplicitDeny: pluginapi.EngineDecisionExplicitDeny,
	policy.Allowed:      pluginapi.EngineDecisionAllowed,
}

// Confirm asks the hook about a decision on one resource and returns what becomes
// of it. Decide has done so; whoever allows what Decide did not must ask. An
// explicit Deny stays one, whatever the hook says.
func (d Engine) Confirm(ctx context.Context, req *Request, on *Resource, outcome Outcome) Outcome {
	if d.Hook == nil || outcome.Decision == policy.ExplicitDeny {
		return outcome
	}
	engine := engineDecisions[outcome.Decision]
	if !d.Hook.Interested(req.Action.String(), on.ARN, req.Principal.Type.String(), engine) {
		return outcome
	}
	keys := &conditionKeys{req, on}
	word, err := d.Hook.Authorize(ctx, req.question(on, keys, engine), keys.values)
	switch {
	case word.Effect == Denies:
		outcome = Outcome{Decision: policy.ExplicitDeny, Resource: on.ARN, Reason: deniedByHook}
	case word.Effect == Allows && outcome.Decision == policy.ImplicitDeny:
		outcome = Outcome{Decision: policy.Allowed}
	default:
		word = Word{}
	}
	outcome.Word, outcome.HookFailed = word, err
	return outcome
}

// question is what a hook is asked. It holds nothing that could sign or open
// anything.
func (r *Request) question(on *Resource, keys *conditionKeys, engine pluginapi.EngineDecision) *pluginapi.AuthorizeRequest {
	from := &r.Environment
	q := &pluginapi.AuthorizeRequest{
		Action: r.Action.String(), Resource: on.ARN, PrincipalArn: r.Principal.ARN, PrincipalType: r.Principal.Type.String(), Account: r.Account,
		UserAgent: from.UserAgent, TimeMs: from.Time.UnixMilli(), Secure: from.SecureTransport, RequestId: r.ID, EngineDecision: engine,
	}
	if from.SourceIP.IsValid() {
		q.SourceIp = from.SourceIP.Unmap().WithZone("").String()
	}
	used, _, err := keys.values("aws:MultiFactorAuthPresent")
	q.Mfa = err == nil && len(used) == 1 && used[0] == "true"
	policies := r.Principal.Policies
	policies.Resource = on.Policy
	_, reasons := policies.Explain(r.asks(on))
	for i := range reasons.Matches {
		if sid := reasons.Matches[i].Sid; sid != "" {
			q.MatchedStatementIds = append(q.MatchedStatementIds, sid)
		}
	}
	return q
}

var errNotObtained = errors.New("it could not be obtained")

// values implements KeyValues.
func (k *conditionKeys) values(name string) (values []string, ok bool, err error) {
	key := policy.ParseKey(name)
	value := k.Value(&key)
	texts, known := value.Strings()
	if !known {
		return nil, false, errNotObtained
	}
	return texts, value.Present(), nil
}
