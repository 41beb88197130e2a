package authz

import (
	"context"

	"iamserver/runtime/policy"
)

// A Resource is what an action is carried out on, as the server found it.
type Resource struct {
	// Type is the resource type of AWS's reference, such as user; empty for "*".
	Type string
	// ARN has the path that is stored, or that of the request for what does not exist.
	ARN string
	// UserID is the unique id of the user that the resource is, or that the service
	// account belongs to that it is; or empty.
	UserID string
	// GivesRights says of a group or policy that the user whose service account is
	// asking has it, as a member, by attachment or as permissions boundary.
	GivesRights bool
	// Tags are those of the resource.
	Tags []Tag
	// Boundary is the ARN of the resource's permissions boundary, or empty.
	Boundary string
	// Policy is the policy of the resource, such as a bucket policy; nil if it has none.
	Policy *policy.Set
}

// A Request asks whether a principal may carry out one action on all of some resources.
type Request struct {
	Principal *Principal
	// Account is the id of the account that the resources belong to.
	Account string
	// Action is the policy action, such as iam:CreateUser.
	Action policy.Action
	// SelfService says that the specification opens the action to a user on itself.
	SelfService bool
	// ReadOnly says that the action changes nothing.
	ReadOnly bool
	// Resources are never empty; an action without a resource type has "*".
	Resources []Resource
	// Environment is where the request came from.
	Environment Environment
	// Keys gives the condition keys that the request itself supplies; may be nil.
	Keys policy.Context
	// ID is that of the request in logs and answers.
	ID string

	// What policies are asked about the resource that is being decided: here, so
	// that a decision allocates nothing.
	asked policy.Request
	keys  conditionKeys
}

// An Outcome is a decision and, for a denial, why and on what.
type Outcome struct {
	Decision policy.Decision
	// Resource is the ARN of the first resource that was not allowed.
	Resource string
	// Reason continues AWS's sentence: "because no identity-based policy allows
	// the iam:CreateUser action".
	Reason string
	// Reasons are the statements and parts that decided.
	Reasons policy.Reasons
	// Word is what the hook said, if that decided. The caller must not see it.
	Word Word
	// HookFailed is what went wrong with the hook, for the audit log; the decision
	// heeds it already.
	HookFailed error
}

// An Engine decides requests by policies.
type Engine struct {
	// SelfService opens the self-service actions; without it a user needs an
	// Allow for them, as on AWS.
	SelfService bool
	// Hook is asked after the policies; nil is none.
	Hook Hook
}

// Decide decides a request: all of its resources must be allowed. Its error is
// always nil.
func (d Engine) Decide(ctx context.Context, req *Request) (Outcome, error) {
	// A request without resources is a mistake of the program, and denied.
	if len(req.Resources) == 0 {
		return Outcome{Resource: "*"}, nil
	}
	allowed := Outcome{Decision: policy.Allowed}
	for i := range req.Resources {
		outcome := d.Confirm(ctx, req, &req.Resources[i], d.decide(req, &req.Resources[i]))
		if outcome.Decision != policy.Allowed {
			return outcome, nil
		}
		if outcome.Word.Effect != Abstains || outcome.HookFailed != nil {
			allowed = outcome
		}
	}
	return allowed, nil
}

func (d Engine) decide(req *Request, on *Resource) Outcome {
	if reason := req.widensItself(on); reason != "" {
		return Outcome{Decision: policy.ExplicitDeny, Resource: on.ARN, Reason: reason}
	}
	question := req.asks(on)
	policies := req.Principal.Policies
	policies.Resource = on.Policy
	decision := policies.Evaluate(question)
	if decision == policy.ImplicitDeny && d.SelfService && req.onItself(on) {
		policies.Identity = selfService
		decision = policies.Evaluate(question)
	}
	if decision == policy.Allowed {
		return Outcome{Decision: policy.Allowed}
	}
	decision, reasons := policies.Explain(question)
	return Outcome{Decision: decision, Resource: on.ARN, Reason: reason(req.Action.String(), decision, &reasons), Reasons: reasons}
}

// asks is the request on one resource as policies are asked about it, until it is
// asked about the next one.
func (r *Request) asks(on *Resource) *policy.Request {
	r.keys = conditionKeys{r, on}
	r.asked = policy.Request{Principal: r.Principal.named(), Action: r.Action, Resource: policy.NewResource(on.ARN), Context: &r.keys}
	return &r.asked
}

// onItself reports whether self-service may open the action: to a user that signs
// with a key of its own.
func (r *Request) onItself(on *Resource) bool {
	return r.SelfService && r.Principal.Type == User && on.UserID != "" && on.UserID == r.Principal.UserID
}

// widensItself returns the reason of a denial if a service account would change
// what it gets its rights from: its parent, itself, another one of the parent's, or
// a group or policy of the parent. Whatever the parent may do, the key of a program
// must not become more than it was made for.
func (r *Request) widensItself(on *Resource) string {
	switch {
	case r.Principal.Type != ServiceAccount || r.ReadOnly:
		return ""
	case on.UserID != "" && on.UserID == r.Principal.UserID:
		return ownRights
	case on.GivesRights:
		return parentsRights
	}
	return ""
}

// selfService stands in for the policies of a user that have already been asked
// for a Deny: it allows everything, so that only bounds are left to be asked.
var selfService = func() *policy.Set {
	document, err := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	if err != nil {
		panic(err)
	}
	return policy.NewSet(new(policy.Vocabulary).Compile(document, policy.InlinePolicy, policy.Source{ID: "self-service", Type: policy.SourceNone}))
}()
