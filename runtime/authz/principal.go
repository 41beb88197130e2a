// Package authz decides whether a principal may carry out an action on
// resources. It does not find out who signed a request (package sigv4 does),
// nor does it read the resources: the server resolves them first.
package authz

// A PrincipalType is the kind of a principal.
type PrincipalType uint8

const (
	// User is an IAM user that signs with an access key of its own.
	User PrincipalType = iota
	// ServiceAccount is a credential below a user, with at most its rights.
	ServiceAccount
	// Root is the account itself. No policy ever applies to it.
	Root
)

// String returns the type as CloudTrail's userIdentity names it.
func (t PrincipalType) String() string {
	switch t {
	case Root:
		return "Root"
	case ServiceAccount:
		return "ServiceAccount"
	default:
		return "IAMUser"
	}
}

// A Principal is who signed a request. It is immutable: requests share it.
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
	// UserID and UserName are those of the user, of a service account's parent,
	// and empty for root.
	UserID, UserName string
	// AccessKeyID is the key that signed.
	AccessKeyID string
}
