package iam

import (
	"errors"

	"iamserver/generated/iamerr"
	"iamserver/runtime/apierror"
	"iamserver/runtime/arn"
	"iamserver/runtime/authz"
	"iamserver/runtime/identity"
	"iamserver/runtime/managed"
)

// user returns a user by name, or AWS's NoSuchEntity.
func (tx *Tx) user(name string) (*identity.User, error) {
	user, err := tx.User(name)
	return user, notFound(err, iamerr.UserNotFound, name)
}

// group returns a group by name, or AWS's NoSuchEntity.
func (tx *Tx) group(name string) (*identity.Group, error) {
	group, err := tx.Group(name)
	return group, notFound(err, iamerr.GroupNotFound, name)
}

// notFound gives identity's "not there" the sentence that AWS has for it.
func notFound(err error, sentence func(string) *apierror.Error, name string) error {
	return instead(err, identity.ErrNotFound, func() *apierror.Error { return sentence(name) })
}

// instead returns answer for an error of package identity that the caller of
// the API is to see, and any other error as it is.
func instead(err, of error, answer func() *apierror.Error) error {
	if errors.Is(err, of) {
		return answer()
	}
	return err
}

// subject returns the user that a request is about: the one named, else the
// caller, and the parent of a service account that calls. It is nil for root.
func (tx *Tx) subject(userName *string) (*identity.User, error) {
	switch {
	case userName != nil:
		return tx.user(*userName)
	case tx.Caller.Type == authz.Root:
		return nil, nil
	case tx.Caller.UserID == "":
		return nil, iamerr.UserNameRequired()
	}
	user, err := tx.UserByID(tx.Caller.UserID)
	return user, notFound(err, iamerr.UserNotFound, tx.Caller.UserName)
}

// policy returns the managed policy of an ARN, which must have the policy's own
// path and name, in their case: that is what the caller was authorized on. Of a
// policy that is not there, missing says so; those of other accounts never are.
func (s *Service) policy(tx *Tx, policyARN string, missing func(policyARN string) *apierror.Error) (*identity.Policy, error) {
	named, err := arn.ParsePolicy(policyARN, s.config.Account)
	if err != nil {
		return nil, iamerr.ArnOfNoPolicy(policyARN)
	}
	if managed.Is(policyARN) {
		return s.managedPolicy(tx, policyARN, missing)
	}
	if named.Account != s.config.Account {
		return nil, missing(policyARN)
	}
	policy, err := tx.Policy(named.Name)
	if err != nil {
		return nil, notFound(err, missing, policyARN)
	}
	if policy.Path != named.Path || policy.Name != named.Name {
		return nil, missing(policyARN)
	}
	return policy, nil
}

// ref returns what users and groups refer to a policy by.
func (s *Service) ref(policy *identity.Policy) identity.PolicyRef {
	if m := s.config.Managed.ByID(policy.ID); m != nil {
		return identity.PolicyRef{ID: m.ID, ARN: m.ARN}
	}
	return identity.PolicyRef{ID: policy.ID, ARN: arn.Policy(s.config.Account, policy.Path, policy.Name)}
}
