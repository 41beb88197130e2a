// Package authz decides whether a principal may carry out an action on
// resources, by the policies that apply. It does not find out who signed a request
// (package sigv4 does), nor does it read principals, resources or policies: the
// server finds them first.
package authz

import "iamserver/runtime/policy"

// A PrincipalType is the kind of a principal.
type PrincipalType uint8

const (
	// User is an IAM user that signs with an access key of its own.
	User PrincipalType = iota
	// ServiceAccount is a credential below a user, with at most its rights.
	ServiceAccount
	// Root is the account itself.
	Root
	// Anonymous is who signed nothing: only the policy of a bucket can allow it
	// anything.
	Anonymous
)

// String returns the type as CloudTrail's userIdentity names it.
func (t PrincipalType) String() string {
	switch t {
	case Root:
		return "Root"
	case ServiceAccount:
		return "ServiceAccount"
	case Anonymous:
		return "Anonymous"
	default:
		return "IAMUser"
	}
}

// A Principal is who signed a request, with the policies that decide what it may
// do. It is immutable: requests share it.
type Principal struct {
	// Type is the kind of principal.
	Type PrincipalType
	// Account is the account id, 12 digits.
	Account string
	// ARN names the principal in denials and in the audit log.
	ARN string
	// ID is the unique id: AIDA… of a user, the account id of root, the
	// service account id of a service account.
	ID string
	// UserID, UserName and UserARN are those of the user, of a service account's
	// parent, and empty for root.
	UserID, UserName, UserARN string
	// AccessKeyID is the key that signed.
	AccessKeyID string
	// Tags are those of the user, by which policies know the principal.
	Tags []Tag
	// Policies are those of the user and its groups, its permissions boundary, and
	// a service account's own.
	Policies policy.Policies
}

// A Tag is a tag of a principal or of a resource.
type Tag struct {
	Key, Value string
}

// named is the principal as resource policies name it.
func (p *Principal) named() policy.Principal {
	switch p.Type {
	case Root:
		return policy.Principal{Type: policy.Root, Account: p.Account, ARN: p.ARN}
	case Anonymous:
		return policy.Principal{Type: policy.Anonymous}
	case User, ServiceAccount:
	}
	return policy.Principal{Type: policy.User, Account: p.Account, ARN: p.UserARN, ID: p.UserID}
}
