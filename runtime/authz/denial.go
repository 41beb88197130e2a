package authz

import "iamserver/runtime/policy"

// The reasons of denials that AWS does not have, since it has no service accounts.
const (
	ownRights     = "because a service account cannot change its parent user, itself or its siblings"
	parentsRights = "because a service account cannot change the groups and policies of its parent user"
)

// AWS's names of the parts of a decision ("Troubleshoot access denied error
// messages" in the IAM user guide). Service accounts are ours.
var partNames = map[policy.Part]string{
	policy.Identity:       "identity-based policy",
	policy.Boundary:       "permissions boundary",
	policy.Session:        "session policy",
	policy.ServiceAccount: "service account policy",
	policy.ResourceBased:  "resource-based policy",
}

// reason is the end of AWS's sentence for a denial.
func reason(action string, decision policy.Decision, reasons *policy.Reasons) string {
	switch {
	case decision == policy.ExplicitDeny && len(reasons.Matches) > 0:
		name := partNames[reasons.Matches[0].Part]
		article := "a "
		if reasons.Matches[0].Part == policy.Identity {
			article = "an "
		}
		return "with an explicit deny in " + article + name
	case decision == policy.ImplicitDeny && len(reasons.Lacking) > 0:
		return "because no " + partNames[reasons.Lacking[0]] + " allows the " + action + " action"
	default:
		return "because the policies could not be evaluated"
	}
}

// Denial is AWS's sentence for a request that was not allowed.
func Denial(req *Request, outcome *Outcome) string {
	return "User: " + req.Principal.ARN + " is not authorized to perform: " + req.Action.String() +
		" on resource: " + outcome.Resource + " " + outcome.Reason
}
