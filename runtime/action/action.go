// Package action holds the table of a service's actions: what the server needs
// to know to parse, authorize and run each one, whatever its types. It runs
// nothing itself and knows neither HTTP nor storage.
package action

import (
	"iamserver/runtime/awsquery"
	"iamserver/runtime/awsxml"
	"iamserver/runtime/validate"
)

// An Access is the access level of an action in AWS's service authorization
// reference.
type Access uint8

const (
	// Read actions show the attributes of resources.
	Read Access = iota
	// Write actions create, change or delete resources.
	Write
	// List actions show which resources there are.
	List
	// Tagging actions change only the tags of resources.
	Tagging
	// PermissionsManagement actions change what principals may do.
	PermissionsManagement
)

// String returns the access level as AWS's reference writes it, such as
// "Permissions management".
func (a Access) String() string {
	return [...]string{"Read", "Write", "List", "Tagging", "Permissions management"}[a]
}

// ReadOnly reports whether an action of this access level changes nothing, so
// that it runs in a read-only transaction.
func (a Access) ReadOnly() bool { return a == Read || a == List }

// A Resource is what a request names as the object of its action. The server
// makes an ARN of it, with the path that is stored, before it authorizes the
// request.
type Resource struct {
	// Type is the resource type of AWS's reference, such as user; "" stands for
	// the resource "*", and then all else is empty.
	Type string
	// Path and Name are those that the request gives; Path is "" if it gives none.
	Path, Name string
	// Arn is set instead of Path and Name where the request names an ARN.
	Arn string
	// Owner is an access key ID, set where the resource is the owner of that key.
	Owner string
	// From is set on the new ARN of a rename: the name of the entity whose
	// stored path and name stand in for an empty Path and Name.
	From string
}

// An Info is what the specification says about an action beside its members.
type Info struct {
	// Name is the action on the wire, such as CreateUser.
	Name string
	// Access is the action's access level.
	Access Access
	// SelfService actions are open to an IAM user on itself without an Allow.
	SelfService bool
	// ImplicitSubject actions mean the caller where the request has no UserName.
	ImplicitSubject bool
	// Extension actions are not in AWS's model.
	Extension bool
	// HasResult says whether the response has a Result element.
	HasResult bool
	// ConditionKeys are the request context keys that the action supplies.
	ConditionKeys []string
	// Errors are the names of the codes that the action may answer with.
	Errors []string
}

// A Request is the input of an action.
type Request interface {
	// Validate adds to v every constraint of the specification that is broken.
	Validate(v *validate.Violations)
	// Resources appends to dst what the request is authorized on; every one of
	// them must be allowed.
	Resources(dst []Resource) []Resource
}

// A Response is the output of an action.
type Response interface {
	// EncodeXML writes the members of the result.
	EncodeXML(w *awsxml.Writer)
}

// A Row is one action of a service whose handlers take a transaction of type Tx.
type Row[Tx any] struct {
	// Info says what the specification says.
	Info *Info
	// Parse reads the request. What is wrong with it is in the Violations of
	// the Decoder.
	Parse func(*awsquery.Decoder) Request
	// Handle runs the action on a request that Parse of the same row returned.
	// Its error is nil exactly if there is a response.
	Handle func(Tx, Request) (Response, error)
}
