package policy

import "strings"

// A PrincipalType is the kind of a principal as policies see it.
type PrincipalType uint8

const (
	// Anonymous is who signed nothing. Only "*" in a resource policy names it.
	Anonymous PrincipalType = iota
	// Root is an account itself.
	Root
	// User is an IAM user, and a service account that acts for one.
	User
	// RoleSession is a session of a role.
	RoleSession
	// FederatedUser is a session that GetFederationToken made.
	FederatedUser
)

// A Principal is who makes a request, as resource policies name it.
type Principal struct {
	Type PrincipalType
	// Account is the account id; empty for Anonymous.
	Account string
	// ARN is that of the root, the user, or the session
	// (arn:aws:sts::A:assumed-role/R/S, arn:aws:sts::A:federated-user/N); for a
	// service account that of its parent.
	ARN string
	// ID is the unique id that a resource policy may hold instead of an ARN: AIDA…
	// of a user, AROA… of a session's role; empty for others.
	ID string
	// Issuer is the ARN of the role of a RoleSession, with its path, and that of the
	// user whose session a FederatedUser is; empty for others.
	Issuer string
}

// A Request is what is to be decided: one action on one resource.
type Request struct {
	Principal Principal
	Action    Action
	Resource  Resource
	// ResourceAccount is the account that the resource belongs to; empty means that
	// of the principal.
	ResourceAccount string
	// Context gives the values of condition keys; nil has none.
	Context Context
	// Work, if not nil, is the steps that other requests took, which count as if
	// this one took them, and to which it adds its own: who decides many requests for
	// somebody bounds them together. Beyond MaxWork nothing is allowed.
	Work *int
}

// sameAccount reports whether the resource belongs to the principal's account.
func (r *Request) sameAccount() bool {
	return r.ResourceAccount == "" || r.ResourceAccount == r.Principal.Account
}

// Policies are the policies that take part in a decision. They are immutable and
// may be shared by requests.
type Policies struct {
	// Identity are the policies of the principal; nil allows nothing.
	Identity *Set
	// Boundary, Session and ServiceAccount bound what Identity allows; nil sets no
	// bound, an empty Set allows nothing. Of several policies in Session one has to
	// allow.
	Boundary, Session, ServiceAccount *Set
	// Resource is the policy of the resource; nil is none. Its policies are compiled
	// as ResourcePolicy or TrustPolicy.
	Resource *Set
	// Trust says that Resource is a role's trust policy: nothing is allowed that it
	// does not allow.
	Trust bool
}

// A Resource is what a request acts on, ready to be matched.
type Resource struct {
	text string
	// head is the ARN's partition, service, region and account with colons between
	// them, in lower case.
	head                                string
	partition, service, region, account string
	// resource is the rest of the ARN.
	resource string
	// place is the ARN from its partition to the first slash of its resource, by
	// which statements are found: the bucket, or the type of an IAM resource. It is
	// empty for what is no ARN.
	place string
}

// everything is the resource of an action without a resource type.
const everything = "*"

// NewResource returns the Resource of an ARN, or of "*" for an action that has no
// resource type. What is neither is a resource that nothing but "*" matches.
func NewResource(s string) Resource {
	r := Resource{text: s}
	parts, count := splitARN(s)
	if count < len(parts) || parts[0] != "arn" {
		return r
	}
	rest := s[len("arn:"):]
	headLength := len(rest) - len(parts[5]) - 1
	head := lower(rest[:headLength])
	if head != rest[:headLength] {
		rest = head + rest[headLength:]
		parts, _ = splitARN("arn:" + rest)
	}
	r.head, r.partition, r.service, r.region, r.account, r.resource = head, parts[1], parts[2], parts[3], parts[4], parts[5]
	r.place = rest
	if slash := strings.IndexByte(r.resource, '/'); slash >= 0 {
		r.place = rest[:headLength+1+slash]
	}
	return r
}

// String returns what NewResource was given.
func (r Resource) String() string { return r.text }

// lower returns s with the capitals of ASCII as small letters. Other letters are
// none of those that names of services and actions have, and may change their length.
func lower(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' }) {
		return s
	}
	folded := []byte(s)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return string(folded)
}

// splitARN takes s apart at its first five colons. Parts that it lacks are empty;
// count says how many there are.
func splitARN(s string) (parts [6]string, count int) {
	for count < len(parts)-1 {
		part, rest, more := strings.Cut(s, ":")
		parts[count] = part
		count++
		if !more {
			return parts, count
		}
		s = rest
	}
	parts[count] = s
	return parts, count + 1
}
