package policy

import (
	"cmp"
	"slices"
)

// AWS's sentences about policies that name principals.
const (
	// starPrincipal is what IAM says of the bare star, which it takes as {"AWS":"*"} only.
	starPrincipal      = `AssumeRolepolicy contained an invalid principal: "STAR":"*".`
	invalidPrincipal   = "Invalid principal in policy"
	noPrincipal        = "Missing required field Principal"
	prohibitedResource = "Has prohibited field Resource."
	prohibitedOpposite = "Has prohibited field NotPrincipal."
	notAssumingRoles   = "AssumeRole policy may only specify STS AssumeRole actions."
)

// trustActions are the actions that a role's trust policy may allow or deny, in
// lower case (IAM user guide, "Update a role trust policy").
var trustActions = []string{
	"sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity",
	"sts:tagsession", "sts:setsourceidentity", "sts:setcontext",
}

// trustFault looks for what only a trust policy may not have, or has to have. AWS
// tells it after what it tells of every policy.
func (d *Document) trustFault() string {
	return cmp.Or(d.trustActionFault(), d.trustResourceFault(), d.principalsFault(TrustPolicy))
}

func (d *Document) trustActionFault() string {
	for i := range d.Statements {
		for _, actions := range [...][]string{d.Statements[i].Action, d.Statements[i].NotAction} {
			for _, action := range actions {
				if !namesTrustAction(action) {
					return notAssumingRoles
				}
			}
		}
	}
	return ""
}

// namesTrustAction reports whether an element of Action is about an action of a
// trust policy. A star for every service is about too many others.
func namesTrustAction(action string) bool {
	if action == everything {
		return false
	}
	p := parseActionPattern(action)
	return slices.ContainsFunc(trustActions, func(name string) bool { return p.match(new(evaluation), name) })
}

func (d *Document) trustResourceFault() string {
	for i := range d.Statements {
		if s := &d.Statements[i]; s.Resource != nil || s.NotResource != nil {
			return prohibitedResource
		}
	}
	return ""
}

// principalsFault looks for the principals that a policy of a resource must have.
// NotPrincipal may stand only beside Deny, and not in a trust policy: with Allow
// it would allow who is anonymous.
func (d *Document) principalsFault(kind Kind) string {
	for i := range d.Statements {
		s := &d.Statements[i]
		element := cmp.Or(s.Principal, s.NotPrincipal)
		switch {
		case element == nil:
			return noPrincipal
		case s.NotPrincipal != nil && kind == TrustPolicy:
			return prohibitedOpposite
		case s.NotPrincipal != nil && s.Effect != Deny:
			return invalidPrincipal + "."
		case element.namesNobody():
			return invalidPrincipal + "."
		case element.Text == everything && kind == TrustPolicy:
			return starPrincipal
		case element.Text != "" && element.Text != everything:
			return invalidPrincipal + `: "AWS":"` + element.Text + `"`
		}
		faults := element.faults()
		if kind == TrustPolicy && len(element.CanonicalUser) > 0 {
			faults = append(faults, `"CANONICALUSER":"`+element.CanonicalUser[0]+`"`)
		}
		if len(faults) > 0 {
			return invalidPrincipal + ": " + faults[0]
		}
	}
	return ""
}
