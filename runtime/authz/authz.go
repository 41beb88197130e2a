package authz

import "context"

// A Decision is the outcome of deciding a request. The zero value denies.
type Decision uint8

const (
	// ImplicitDeny means that nothing allows the request.
	ImplicitDeny Decision = iota
	// ExplicitDeny means that a statement denies the request, whatever allows it.
	ExplicitDeny
	// Allow means that the request may be carried out.
	Allow
)

// String returns the decision as AWS's policy simulator writes it.
func (d Decision) String() string {
	switch d {
	case Allow:
		return "allowed"
	case ExplicitDeny:
		return "explicitDeny"
	default:
		return "implicitDeny"
	}
}

// A Resource is what an action is carried out on, as the server found it.
type Resource struct {
	// Type is the resource type of AWS's reference, such as user; empty for "*".
	Type string
	// ARN has the path that is stored, or that of the request for what does not exist.
	ARN string
	// UserID is the unique id of the user that the resource is, or empty.
	UserID string
}

// A Request asks whether a principal may carry out one action on all of some resources.
type Request struct {
	Principal *Principal
	// Action is the policy action, such as iam:CreateUser.
	Action string
	// SelfService says that the specification opens the action to a user on itself.
	SelfService bool
	// Resources are never empty; an action without a resource type has "*".
	Resources []Resource
}

// An Outcome is a decision and, for a denial, why and on what.
type Outcome struct {
	Decision Decision
	// Resource is the ARN of the first resource that was not allowed.
	Resource string
	// Reason continues AWS's sentence: "because no identity-based policy allows
	// the iam:CreateUser action".
	Reason string
}

// A Decider decides requests. An error denies.
type Decider interface {
	Decide(ctx context.Context, req *Request) (Outcome, error)
}

// Identity is the Decider without policies: root may do everything, a user may
// do to itself what the specification calls self-service, and nobody anything else.
type Identity struct {
	// SelfService opens the self-service actions; without it a user needs an
	// Allow for them, as on AWS.
	SelfService bool
}

// Decide implements Decider. Its error is always nil.
func (d Identity) Decide(_ context.Context, req *Request) (Outcome, error) {
	for _, resource := range req.Resources {
		if !d.allows(req, resource) {
			return Outcome{
				Decision: ImplicitDeny,
				Resource: resource.ARN,
				Reason:   "because no identity-based policy allows the " + req.Action + " action",
			}, nil
		}
	}
	// A request without resources is a mistake of the program, and denied.
	if len(req.Resources) == 0 {
		return Outcome{Resource: "*"}, nil
	}
	return Outcome{Decision: Allow}, nil
}

func (d Identity) allows(req *Request, on Resource) bool {
	switch req.Principal.Type {
	case Root:
		return true
	case User:
		return d.SelfService && req.SelfService && on.UserID != "" && on.UserID == req.Principal.UserID
	default:
		// A service account has no self-service: it must not mint keys for its parent.
		return false
	}
}

// Denial is AWS's sentence for a request that was not allowed.
func Denial(req *Request, outcome Outcome) string {
	sentence := "User: " + req.Principal.ARN + " is not authorized to perform: " + req.Action + " on resource: " + outcome.Resource
	if outcome.Reason != "" {
		sentence += " " + outcome.Reason
	}
	return sentence
}
