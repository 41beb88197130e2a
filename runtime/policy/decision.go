package policy

// A Decision is the outcome of evaluating policies. The zero value denies.
type Decision uint8

const (
	// ImplicitDeny means that nothing allows the request.
	ImplicitDeny Decision = iota
	// ExplicitDeny means that a statement denies the request, whatever allows it.
	ExplicitDeny
	// Allowed means that the request may be carried out.
	Allowed
)

// String returns the decision as AWS's policy simulator writes it.
func (d Decision) String() string {
	switch d {
	case Allowed:
		return "allowed"
	case ExplicitDeny:
		return "explicitDeny"
	default:
		return "implicitDeny"
	}
}

// A Part is one of the places that policies come from in a decision.
type Part uint8

// The parts of a decision, in the order in which Reasons lists them.
const (
	// Identity is the policies of a user and its groups, or of a role.
	Identity Part = iota
	// Boundary is the permissions boundary of a user or role.
	Boundary
	// Session is the policies passed when a session was made.
	Session
	// ServiceAccount is the policy of a service account, which bounds what it has of
	// its parent's rights.
	ServiceAccount
	// ResourceBased is the policy of the resource: a bucket policy, a role's trust policy.
	ResourceBased

	partCount = iota
)

// String returns the part as the audit log names it.
func (p Part) String() string {
	return [...]string{"identity", "boundary", "session", "serviceAccount", "resource"}[p]
}

// A SourceType says what a policy belongs to, in the words of AWS's policy
// simulator (PolicySourceType).
type SourceType string

// The source types.
const (
	SourceUser        SourceType = "user"
	SourceGroup       SourceType = "group"
	SourceRole        SourceType = "role"
	SourceAWSManaged  SourceType = "aws-managed"
	SourceUserManaged SourceType = "user-managed"
	SourceResource    SourceType = "resource"
	SourceNone        SourceType = "none"
)

// A Source names a policy to those who ask why.
type Source struct {
	ID   string
	Type SourceType
}

// A Match is a statement that decided.
type Match struct {
	Part   Part
	Source Source
	Sid    string
	// Index is the place of the statement in its document, from 0.
	Index int
	// Start is the place of the statement's opening brace, End that of its closing one.
	Start, End Position
}

// Reasons say why a decision is what it is.
type Reasons struct {
	// Matches are the statements that decided: the Deny statements that match if
	// there is one, else the Allow statements that match, in the order of the parts,
	// of the policies in them and of the statements in those. It is empty for an
	// implicit deny in which nothing matched; one in which a part allowed and
	// another did not has the Allow statements that matched.
	Matches []Match
	// Lacking are the parts that had to allow and did not, in order, of an implicit deny.
	Lacking []Part
	// MissingKeys are the condition keys, as written first, that the statements of
	// all policies name, in conditions or variables, and that the request does not
	// have; in the order of the parts, policies and statements, each once (compared
	// without regard to case). Of what costs something to obtain they have only what
	// a statement in play asked for.
	MissingKeys []string
}
