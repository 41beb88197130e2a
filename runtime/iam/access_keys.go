package iam

import (
	"cmp"
	"errors"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/apierror"
	"iamserver/runtime/identity"
)

// CreateAccessKey creates an access key, either generated or supplied.
func (s *Service) CreateAccessKey(tx *Tx, req *iamapi.CreateAccessKeyRequest) (*iamapi.CreateAccessKeyResponse, error) {
	user, err := tx.storedSubject(req.UserName)
	if err != nil {
		return nil, err
	}
	id, secret, err := s.suppliedKey(req)
	if err == nil && id == "" {
		id, secret, err = s.generatedKey(tx)
	}
	if err != nil {
		return nil, err
	}
	key := identity.AccessKey{ID: id, Owner: user.ID, Created: s.config.Now()}
	secret, err = tx.CreateAccessKey(&key, secret)
	switch {
	case errors.Is(err, identity.ErrExists) && tx.Key != nil:
		return nil, ErrAskAgain
	case err != nil:
		return nil, instead(err, identity.ErrExists, func() *apierror.Error { return iamerr.AccessKeyExists(id) })
	}
	has, err := tx.Children(user.ID)
	if err != nil {
		return nil, err
	}
	if err := within(has.AccessKeys, s.config.Quotas.AccessKeysPerUserQuota, iamerr.AccessKeysPerUserExceeded); err != nil {
		return nil, err
	}
	return &iamapi.CreateAccessKeyResponse{AccessKey: iamapi.AccessKey{
		UserName:        user.Name,
		AccessKeyId:     key.ID,
		Status:          string(key.Status),
		SecretAccessKey: iamapi.SecretAccessKey(secret),
		CreateDate:      &key.Created,
	}}, nil
}

// suppliedKey returns the access key that the caller supplies, or nothing. An
// access key id must mean one principal, and what kind of principal: it is not
// root's, nor one that temporary credentials or a service account could have.
func (s *Service) suppliedKey(req *iamapi.CreateAccessKeyRequest) (id string, secret identity.Secret, err error) {
	switch {
	case req.AccessKeyId == nil && req.SecretAccessKey == nil:
		return "", "", nil
	case req.AccessKeyId == nil || req.SecretAccessKey == nil:
		return "", "", iamerr.IncompleteKeyPair()
	case strings.HasPrefix(*req.AccessKeyId, "ASIA"), strings.HasPrefix(*req.AccessKeyId, "ABIA"):
		return "", "", iamerr.ReservedAccessKeyId()
	case *req.AccessKeyId == s.config.RootAccessKeyID:
		return "", "", iamerr.AccessKeyExists(*req.AccessKeyId)
	}
	return *req.AccessKeyId, identity.Secret(*req.SecretAccessKey), nil
}

// ListAccessKeys returns a page of a user's access keys, or root's one.
func (s *Service) ListAccessKeys(tx *Tx, req *iamapi.ListAccessKeysRequest) (*iamapi.ListAccessKeysResponse, error) {
	after, err := markerIn(accessKeyList, req.Marker)
	if err != nil {
		return nil, err
	}
	user, err := tx.subject(req.UserName)
	if err != nil {
		return nil, err
	}
	var name *string
	keys := []identity.AccessKey{s.rootKey()}
	if user != nil {
		name = &user.Name
		if keys, err = tx.AccessKeys(user.ID); err != nil {
			return nil, err
		}
	}
	keys, next := identity.Page(keys, after, int(req.MaxItems))
	page := make([]iamapi.AccessKeyMetadata, len(keys))
	for i, k := range keys {
		page[i] = iamapi.AccessKeyMetadata{UserName: name, AccessKeyId: &k.ID, Status: new(string(k.Status)), CreateDate: &k.Created}
	}
	return &iamapi.ListAccessKeysResponse{AccessKeyMetadata: page, IsTruncated: next != "", Marker: markerOut(accessKeyList, next)}, nil
}

// UpdateAccessKey enables or disables an access key. AWS alone lets keys expire.
func (s *Service) UpdateAccessKey(tx *Tx, req *iamapi.UpdateAccessKeyRequest) (*iamapi.UpdateAccessKeyResponse, error) {
	user, err := tx.storedSubject(req.UserName)
	if err != nil {
		return nil, err
	}
	if req.Status == iamapi.AccessKeyStatusExpired {
		return nil, iamerr.StatusNotSettable(req.Status)
	}
	err = tx.SetAccessKeyStatus(user.ID, req.AccessKeyId, identity.Status(req.Status))
	return &iamapi.UpdateAccessKeyResponse{}, notFound(err, iamerr.AccessKeyNotFound, req.AccessKeyId)
}

// DeleteAccessKey deletes an access key.
func (s *Service) DeleteAccessKey(tx *Tx, req *iamapi.DeleteAccessKeyRequest) (*iamapi.DeleteAccessKeyResponse, error) {
	user, err := tx.storedSubject(req.UserName)
	if err != nil {
		return nil, err
	}
	err = tx.DeleteAccessKey(user.ID, req.AccessKeyId)
	return &iamapi.DeleteAccessKeyResponse{}, notFound(err, iamerr.AccessKeyNotFound, req.AccessKeyId)
}

// notUsed stands for what is not known of the last use of an access key.
const notUsed = "N/A"

// GetAccessKeyLastUsed returns whose an access key is and its last use, which
// of root's key is not kept.
func (s *Service) GetAccessKeyLastUsed(tx *Tx, req *iamapi.GetAccessKeyLastUsedRequest) (*iamapi.GetAccessKeyLastUsedResponse, error) {
	if req.AccessKeyId == s.config.RootAccessKeyID {
		return &iamapi.GetAccessKeyLastUsedResponse{AccessKeyLastUsed: lastUsedOut(identity.LastUsed{})}, nil
	}
	owner, err := tx.KeyOwner(req.AccessKeyId)
	if err != nil {
		return nil, instead(err, identity.ErrNotFound, func() *apierror.Error {
			return iamerr.AccessKeyLastUsedDenied(tx.Caller.ARN, req.AccessKeyId)
		})
	}
	use, ok := s.config.LastUsed(req.AccessKeyId)
	if !ok {
		if use, err = tx.KeyLastUsed(req.AccessKeyId); err != nil {
			return nil, err
		}
	}
	return &iamapi.GetAccessKeyLastUsedResponse{UserName: &owner.Name, AccessKeyLastUsed: lastUsedOut(use)}, nil
}

func lastUsedOut(use identity.LastUsed) *iamapi.AccessKeyLastUsed {
	return &iamapi.AccessKeyLastUsed{
		LastUsedDate: timeOut(use.Time),
		ServiceName:  cmp.Or(use.Service, notUsed),
		Region:       cmp.Or(use.Region, notUsed),
	}
}
