package iam

import (
	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/arn"
	"iamserver/runtime/identity"
)

// The account root user is no user: it has no record, and no policy, status or
// membership applies to it. Its one access key is configured, not stored.

// rootOut shows root as GetUser does. Its name is the account's alias; without
// an alias it has none, and it never has a path. AWS's reference calls both
// required, and AWS leaves them out (brendanhay/amazonka issue 102, grycap/scar
// issue 180).
func (s *Service) rootOut(tx *Tx) (iamapi.User, error) {
	alias, err := tx.Alias()
	return iamapi.User{
		UserName:   textOut(alias),
		UserId:     s.config.Account,
		Arn:        arn.Root(s.config.Account),
		CreateDate: s.config.RootCreated,
	}, err
}

// rootKey shows root's access key as if it were stored. When it was configured
// is not known; it has not been of use here for longer than the account exists.
func (s *Service) rootKey() identity.AccessKey {
	return identity.AccessKey{ID: s.config.RootAccessKeyID, Status: identity.Active, Created: s.config.RootCreated}
}

// storedSubject is subject for actions that change access keys, which root's
// cannot be.
func (tx *Tx) storedSubject(userName *string) (*identity.User, error) {
	user, err := tx.subject(userName)
	if err == nil && user == nil {
		err = iamerr.RootKeyIsConfigured()
	}
	return user, err
}
