package arn

import (
	"fmt"
	"strings"
)

// awsAccount stands where AWS-managed policies have an account.
const awsAccount = "aws"

// A Type says what kind of entity an IAM ARN names. Its text is the word that
// stands in the ARN.
type Type string

// The types of entities that have an ARN in IAM. AWS has no service accounts.
const (
	TypeUser           Type = "user"
	TypeGroup          Type = "group"
	TypeRole           Type = "role"
	TypePolicy         Type = "policy"
	TypeServiceAccount Type = "service-account"
	TypeRoot           Type = "root"
)

// An Entity is what an IAM ARN names.
type Entity struct {
	// Account is 12 digits, or "aws" for a policy that AWS manages.
	Account string
	Type    Type
	// Path begins and ends with a slash. It is "/" for a service account and
	// "" for root, neither of which have one.
	Path string
	// Name is the id of a service account, and "" for root.
	Name string
}

// User returns the ARN of a user: arn:aws:iam::account:user/path/name. The
// path begins and ends with a slash.
func User(account, path, name string) string {
	return Entity{account, TypeUser, path, name}.String()
}

// Group returns the ARN of a group: arn:aws:iam::account:group/path/name. The
// path begins and ends with a slash.
func Group(account, path, name string) string {
	return Entity{account, TypeGroup, path, name}.String()
}

// Role returns the ARN of a role: arn:aws:iam::account:role/path/name. The
// path begins and ends with a slash.
func Role(account, path, name string) string {
	return Entity{account, TypeRole, path, name}.String()
}

// Policy returns the ARN of a managed policy:
// arn:aws:iam::account:policy/path/name. The path begins and ends with a
// slash; the account of policies that AWS manages is "aws".
func Policy(account, path, name string) string {
	return Entity{account, TypePolicy, path, name}.String()
}

// ServiceAccount returns the ARN of a service account:
// arn:aws:iam::account:service-account/id. AWS has nothing like it.
func ServiceAccount(account, id string) string {
	return Entity{account, TypeServiceAccount, "/", id}.String()
}

// Root returns the ARN of the root of an account: arn:aws:iam::account:root.
func Root(account string) string {
	return Entity{Account: account, Type: TypeRoot}.String()
}

// String returns the ARN of e. If e came from ParseEntity, that reads it back.
func (e Entity) String() string {
	return "arn:aws:iam::" + e.Account + ":" + string(e.Type) + e.Path + e.Name
}

// ParseEntity reads the ARN of an IAM entity. An ARN without an account
// (arn:aws:iam:::user/alice) means the server's own, which is given. It returns
// an error that wraps ErrMalformed if s is no ARN, is not one of partition aws
// and service iam, has a region, an account that is not 12 digits (or "aws", for
// a policy), or a resource of another form than type/path/name. It does not
// check the characters of path and name: an entity with others does not exist.
func ParseEntity(s, account string) (Entity, error) {
	a, err := Parse(s)
	if err != nil {
		return Entity{}, err
	}
	if a.Partition != "aws" || a.Service != "iam" || a.Region != "" {
		return Entity{}, fmt.Errorf("%w: it is not of the form arn:aws:iam::account:resource", ErrMalformed)
	}
	e := Entity{Account: a.Account, Type: Type(a.Resource)}
	if slash := strings.IndexByte(a.Resource, '/'); slash >= 0 {
		name := strings.LastIndexByte(a.Resource, '/') + 1
		e.Type, e.Path, e.Name = Type(a.Resource[:slash]), a.Resource[slash:name], a.Resource[name:]
	}
	if !e.wellFormed() {
		return Entity{}, fmt.Errorf("%w: its resource has no form that IAM knows", ErrMalformed)
	}
	switch {
	case e.Account == "":
		e.Account = account
	case e.Account == awsAccount && e.Type == TypePolicy:
	case !isAccountID(e.Account):
		return Entity{}, fmt.Errorf("%w: its account is not 12 digits", ErrMalformed)
	}
	return e, nil
}

// ParsePolicy is ParseEntity for the ARN of a managed policy. It also returns
// an error that wraps ErrMalformed if s names an entity of another type.
func ParsePolicy(s, account string) (Entity, error) {
	e, err := ParseEntity(s, account)
	if err != nil {
		return Entity{}, err
	}
	if e.Type != TypePolicy {
		return Entity{}, fmt.Errorf("%w: it does not name a policy", ErrMalformed)
	}
	return e, nil
}

// wellFormed reports whether e has the parts that entities of its type have.
func (e Entity) wellFormed() bool {
	switch e.Type {
	case TypeUser, TypeGroup, TypeRole, TypePolicy:
		return e.Path != "" && e.Name != ""
	case TypeServiceAccount:
		return e.Path == "/" && e.Name != ""
	case TypeRoot:
		return e.Path == ""
	default:
		return false
	}
}

// isAccountID reports whether s is an account id: 12 digits.
func isAccountID(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 12
}
