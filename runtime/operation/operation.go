// Package operation holds one row of the table of S3 requests: how an operation
// is recognised and what it needs. It does not look at requests; see package s3
// for that, and generated/s3api for the rows.
package operation

// A Target is what the path of a request names.
type Target uint8

// The targets.
const (
	Service Target = iota // nothing but the service: the path is "/"
	Bucket
	Object
)

// A Resource is what a policy has to allow an action on.
type Resource uint8

// The resources.
const (
	// OnAll is "*".
	OnAll Resource = iota
	// OnBucket is the bucket of the request.
	OnBucket
	// OnObject is the object of the request.
	OnObject
	// OnSource is the object that is copied.
	OnSource
	// OnEntries is each object that the body lists.
	OnEntries
)

// A State is something that the store, or the body, knows and the request line
// and headers do not, on which it depends whether a Need applies.
type State uint8

// The states.
const (
	// Always: the need does not depend on any state.
	Always State = iota
	// Governed: the version is locked in mode GOVERNANCE.
	Governed
	// SourceTagged: the object that is copied has tags.
	SourceTagged
	// Tagged: the body has tags.
	Tagged
	// Compared: the entry of the body has an entity tag.
	Compared
)

// A Body is what the body of a request is.
type Body uint8

// The bodies. All but the first three are small XML documents, of which the
// authorization has to know something.
const (
	// NoBody: the request has none.
	NoBody Body = iota
	// ObjectBody is data of any length.
	ObjectBody
	// Document is a small document that only the store reads.
	Document
	// Form is a form of a browser: fields, then data.
	Form
	Deletions
	Tagging
	Retention
	LegalHold
	NewBucket
	ACL
	Policy
)

// A Parameter is one that a request must have.
type Parameter struct {
	Name string
	// Value is what it must be, mostly empty; "*" is anything but empty.
	Value string
}

// A Condition says of the headers of a request whether a Need applies.
type Condition struct {
	// Headers are canonical names. The condition holds if one of them is there.
	Headers []string
	// Value, if not empty, is what the header must be, without regard to case.
	Value string
	// Not, if not empty, is what it must not be.
	Not string
	// Default is the value of a header that is not there.
	Default string
}

// A Need is an action that has to be allowed.
type Need struct {
	// Action is the name with its service, as in "s3:GetObject".
	Action string
	// Versioned is the action that stands in its place where a version is named;
	// empty if there is none.
	Versioned string
	On        Resource
	// When limits the need to requests with certain headers; nil means any.
	When *Condition
	// If limits it by what the store or the body knows.
	If State
	// OrInitiator says that who began the upload needs no permission. A Deny
	// counts all the same.
	OrInitiator bool
}

// A Source is where the value of a condition key comes from.
type Source uint8

// The sources, with what Param is.
const (
	FromHeader  Source = iota // a canonical header name
	FromQuery                 // a parameter
	FromTags                  // a header that holds tags; the key is a prefix
	FromTagKeys               // a header that holds tags
	FromDays                  // a header that holds a date: days from now until then
	FromBody                  // what of the body
	FromStore                 // what of the store's state
	FromNeed                  // what of the Need that is decided: version or etag
	Constant                  // the value itself
)

// A Key is a condition key that an operation supplies.
type Key struct {
	// Name is as policies have it. One that ends in a slash stands for one key
	// for each tag.
	Name   string
	Source Source
	Param  string
	// Default is the value where the request has none; empty means that the key
	// is absent then.
	Default string
	// Of are the actions that it goes with; none means all of the operation.
	Of []string
}

// An Operation is one row of the table.
type Operation struct {
	// Name is AWS's, as in "GetObject".
	Name string
	// Also are older names of the same request.
	Also   []string
	Method string
	Target Target
	// Path is the whole path where the operation is recognised by it; otherwise
	// empty.
	Path string
	// Query and Header are what a request must have to be this operation.
	Query  []Parameter
	Header []string
	// Optional are the further parameters that it may have.
	Optional []string
	// Forward are the canonical names of the headers that are passed on. A name
	// that ends in a hyphen stands for all that begin so.
	Forward []string
	Body    Body
	Needs   []Need
	Keys    []Key
	// Here says that this server answers it, not the store.
	Here bool
	// Owners says that the answer of the store names owners.
	Owners bool
	// HidesMissing says that a missing object is AccessDenied to those who may
	// not list the bucket.
	HidesMissing bool
	// Refused says why it is not carried out; otherwise empty.
	Refused string
}

// Unsupported is a header without which a request would mean something else.
type Unsupported struct {
	// Header is the canonical name.
	Header string
	Reason string
}
