package policy

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
}

// Policies are the policies that take part in a decision. They are immutable and
// may be shared by requests.
type Policies struct {
	// Identity are the policies of the principal; nil allows nothing.
	Identity *Set
	// Boundary, Session and ServiceAccount bound what Identity allows; nil sets no
	// bound, an empty Set allows nothing. Of several policies in Session one has to allow.
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
	text                               string
	service, region, account, resource string
	partition                          string
}

// NewResource returns the Resource of an ARN, or of "*" for an action that has no
// resource type. What is neither is a resource that nothing but "*" matches.
func NewResource(s string) Resource { panic("not yet") }

// String returns what NewResource was given.
func (r Resource) String() string { return r.text }

// A Vocabulary is the actions that are known by number. Actions that it lacks
// are matched by their text, more slowly. A Vocabulary is immutable; policies and
// requests that meet must have been made with the same one.
type Vocabulary struct{}

// NewVocabulary returns the vocabulary of actions such as s3:GetObject, compared
// without regard to case.
func NewVocabulary(actions []string) *Vocabulary { panic("not yet") }

// An Action is an action of a request, such as s3:GetObject.
type Action struct {
	name  string
	index int
}

// Action returns the action of that name, which may be unknown to v.
func (v *Vocabulary) Action(name string) Action { panic("not yet") }

// String returns the action's name, as it was given.
func (a Action) String() string { return a.name }

// Compile makes a policy of a document. Whatever in it cannot be understood fails
// closed: an Allow statement does not match, a Deny statement does.
func (v *Vocabulary) Compile(d *Document, kind Kind, source Source) *Policy { panic("not yet") }

// A Policy is a compiled document. It is immutable.
type Policy struct{}

// A Set is the policies that stand together in one part of a decision. It is immutable.
type Set struct{}

// NewSet returns the set of policies; none at all is a set that allows nothing.
func NewSet(policies ...*Policy) *Set { panic("not yet") }

// Evaluate decides r.
func (p *Policies) Evaluate(r *Request) Decision { panic("not yet") }

// Explain decides r as Evaluate does, and says why.
func (p *Policies) Explain(r *Request) (Decision, Reasons) { panic("not yet") }

// ContextKeys returns the condition keys that a document names, in conditions
// and variables, as written first, each once.
func (d *Document) ContextKeys() []string { panic("not yet") }
