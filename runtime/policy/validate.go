package policy

import (
	"cmp"
	"strings"
)

// A Kind says where a document stands, on which the checks of Validate depend.
type Kind int

// The kinds of policies.
const (
	// ManagedPolicy is a managed policy, which may also serve as a permissions
	// boundary.
	ManagedPolicy Kind = iota
	// InlinePolicy is a policy of one user, group, role or service account.
	InlinePolicy
	// SessionPolicy is a policy passed when a session is made.
	SessionPolicy
	// ResourcePolicy is a policy of a resource, such as a bucket.
	ResourcePolicy
	// TrustPolicy is the policy of a role that says who may assume it.
	TrustPolicy
)

// AWS's sentences that have nothing to fill in.
const (
	syntaxErrors        = "Syntax errors in policy."
	versionTooLow       = "Policy document must be version 2012-10-17 or greater."
	failedLegacyParsing = "The policy failed legacy parsing"
	sidNotAlphanumeric  = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	sidNotUnique        = "Statement IDs (SID) in a single policy must be unique."
	noActions           = "Policy statement must contain actions."
	noVendor            = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	manyColons          = "Actions/Condition can contain only one colon."
	noResources         = "Policy statement must contain resources."
	hasPrincipal        = "Policy document should not specify a principal."
)

// Validate returns an *Error with the sentence that AWS answers if d is malformed
// as a policy of the given kind, and nil if AWS accepts it. It does not ask
// whether actions, resources, condition keys and principals exist. What S3 says
// of bucket policies is ValidateBucketPolicy's.
//
// Do not reorder the stages: of several faults AWS reports the one that the
// earliest stage finds, whichever statement it is in.
func (d *Document) Validate(kind Kind) error {
	failsLegacyParsing, resourceFault := d.resourceFaults()
	message := cmp.Or(
		d.operatorFault(),
		d.versionFault(kind),
		d.legacyFault(),
		failsLegacyParsing,
		d.sidFault(kind),
		d.noActionsFault(),
		d.noResourcesFault(kind),
		resourceFault,
		d.actionFault(),
	)
	if message == "" {
		message = d.kindFault(kind)
	}
	if message != "" {
		return &Error{Message: message}
	}
	return nil
}

// kindFault is the last of the stages, which each kind of policy has for itself.
func (d *Document) kindFault(kind Kind) string {
	switch kind {
	case TrustPolicy:
		return d.trustFault()
	case ResourcePolicy:
		return d.principalsFault(kind)
	default:
		return d.principalFault()
	}
}

// operatorFault refuses condition operators that AWS does not know. Without
// condition keys anything may stand for an operator.
func (d *Document) operatorFault() string {
	for i := range d.Statements {
		for _, operator := range d.Statements[i].Condition {
			if len(operator.Keys) > 0 && !parseOperator(operator.Name).known() {
				return syntaxErrors
			}
		}
	}
	return ""
}

// versionFault refuses managed policies of the old version. AWS documents no such
// rule for inline policies.
func (d *Document) versionFault(kind Kind) string {
	if kind == ManagedPolicy && d.Version != Version2012 {
		return versionTooLow
	}
	return ""
}

// legacyFault refuses effects in the wrong case and malformed dates.
func (d *Document) legacyFault() string {
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != Allow && s.Effect != Deny {
			return failedLegacyParsing
		}
		for _, operator := range s.Condition {
			if !strings.HasPrefix(parseOperator(operator.Name).base, "Date") {
				continue
			}
			for _, key := range operator.Keys {
				for _, value := range key.Values {
					if !isDate(value) {
						return failedLegacyParsing
					}
				}
			}
		}
	}
	return ""
}

// sidFault refuses a Sid that is not alphanumeric, then one that stands twice.
// AWS reports them in this order; an empty Sid may stand often. In the policy of
// a resource a Sid may have any characters (IAM user guide, "IAM JSON policy
// elements: Sid").
func (d *Document) sidFault(kind Kind) string {
	var seen nameSet
	message := ""
	for i := range d.Statements {
		sid := d.Statements[i].Sid
		if kind != ResourcePolicy && !isAlphanumeric(sid) {
			return sidNotAlphanumeric
		}
		if sid != "" && !seen.add(sid) {
			message = sidNotUnique
		}
	}
	return message
}

func (d *Document) noActionsFault() string {
	for i := range d.Statements {
		if s := &d.Statements[i]; len(s.Action) == 0 && len(s.NotAction) == 0 {
			return noActions
		}
	}
	return ""
}

// actionFault looks through the Action of all statements before any NotAction.
func (d *Document) actionFault() string {
	for i := range d.Statements {
		if message := firstFault(d.Statements[i].Action); message != "" {
			return message
		}
	}
	for i := range d.Statements {
		if message := firstFault(d.Statements[i].NotAction); message != "" {
			return message
		}
	}
	return ""
}

func firstFault(actions []string) string {
	for _, action := range actions {
		if action == "*" {
			continue
		}
		vendor, name, ok := strings.Cut(action, ":")
		switch {
		case !ok:
			return noVendor
		case strings.Contains(name, ":"):
			return manyColons
		case !isVendor(vendor):
			return "Vendor " + vendor + " is not valid"
		}
	}
	return ""
}

// noResourcesFault asks for resources wherever they may stand, which is not in a
// trust policy.
func (d *Document) noResourcesFault(kind Kind) string {
	if kind == TrustPolicy {
		return ""
	}
	for i := range d.Statements {
		if s := &d.Statements[i]; len(s.Resource) == 0 && len(s.NotResource) == 0 {
			return noResources
		}
	}
	return ""
}

func (d *Document) principalFault() string {
	for i := range d.Statements {
		if s := &d.Statements[i]; s.Principal != nil || s.NotPrincipal != nil {
			return hasPrincipal
		}
	}
	return ""
}

// isVendor reports whether s can be the part of an action before the colon. It
// can be no wildcard: "*" for all actions has no colon.
func isVendor(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetterOrDigit(c) && c != '.' && c != '-' {
			return false
		}
	}
	return s != ""
}

func isAlphanumeric(s string) bool {
	for i := range len(s) {
		if !isLetterOrDigit(s[i]) {
			return false
		}
	}
	return true
}

func isLetterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
