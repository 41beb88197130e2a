package iam

import (
	"errors"
	"strconv"
	"time"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/arn"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
)

// CreateServiceAccount creates a service account of a user, with its key.
func (s *Service) CreateServiceAccount(tx *Tx, req *iamapi.CreateServiceAccountRequest) (*iamapi.CreateServiceAccountResponse, error) {
	parent, err := tx.user(req.ParentUser)
	if err != nil {
		return nil, err
	}
	account := identity.ServiceAccount{Parent: parent.ID, Created: s.config.Now()}
	if err := s.changeServiceAccount(&account, req.Description, req.Expiration, req.Policy); err != nil {
		return nil, err
	}
	id, secret, err := s.generatedKey(tx)
	if err != nil {
		return nil, err
	}
	account.AccessKeyID = id
	if secret, err = tx.CreateServiceAccount(&account, secret); err != nil {
		if errors.Is(err, identity.ErrExists) {
			return nil, ErrAskAgain // only a generator's id can be taken
		}
		return nil, err
	}
	has, err := tx.Children(parent.ID)
	if err != nil {
		return nil, err
	}
	if err := within(has.ServiceAccounts, s.config.Quotas.ServiceAccountsPerUserQuota, iamerr.ServiceAccountsPerUserExceeded); err != nil {
		return nil, err
	}
	shown := s.serviceAccountOut(&account, parent.Name)
	return &iamapi.CreateServiceAccountResponse{ServiceAccount: iamapi.ServiceAccount{
		ServiceAccountId: shown.ServiceAccountId,
		Arn:              shown.Arn,
		ParentUser:       shown.ParentUser,
		Description:      shown.Description,
		AccessKeyId:      shown.AccessKeyId,
		SecretAccessKey:  iamapi.SecretAccessKey(secret),
		Status:           shown.Status,
		Expiration:       shown.Expiration,
		CreateDate:       shown.CreateDate,
	}}, nil
}

// changeServiceAccount changes what is given; an empty text takes away.
func (s *Service) changeServiceAccount(account *identity.ServiceAccount, description, expiration, document *string) error {
	if description != nil {
		account.Description = *description
	}
	if expiration != nil {
		expires, err := s.expiration(*expiration)
		if err != nil {
			return err
		}
		account.Expires = expires
	}
	if document != nil {
		if err := s.checkServiceAccountPolicy(*document); err != nil {
			return err
		}
		account.Policy = *document
	}
	return nil
}

// expiration reads Unix seconds or an ISO 8601 time, which must be in the
// future. An empty text or 0 is the zero time: never.
func (s *Service) expiration(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	expires, err := time.Parse(time.RFC3339, text)
	if err != nil {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return time.Time{}, iamerr.ExpirationNotValid(text)
		}
		if seconds == 0 {
			return time.Time{}, nil
		}
		expires = time.Unix(seconds, 0)
	}
	expires = expires.Truncate(time.Second) // as it is stored
	if !expires.After(s.config.Now()) {
		return time.Time{}, iamerr.ExpirationPassed(text)
	}
	return expires, nil
}

// checkServiceAccountPolicy checks a document like an inline policy; an empty
// one is no policy.
func (s *Service) checkServiceAccountPolicy(document string) error {
	if document == "" {
		return nil
	}
	if err := checkDocument(document, policy.InlinePolicy); err != nil {
		return err
	}
	return within(policy.Size(document), s.config.Quotas.ServiceAccountPolicySizeQuota, iamerr.ServiceAccountPolicySizeExceeded)
}

// serviceAccount returns a service account by id, or NoSuchEntity.
func (tx *Tx) serviceAccount(id string) (*identity.ServiceAccount, error) {
	account, err := tx.ServiceAccount(id)
	return account, notFound(err, iamerr.ServiceAccountNotFound, id)
}

// GetServiceAccount returns a service account.
func (s *Service) GetServiceAccount(tx *Tx, req *iamapi.GetServiceAccountRequest) (*iamapi.GetServiceAccountResponse, error) {
	account, err := tx.serviceAccount(req.ServiceAccountId)
	if err != nil {
		return nil, err
	}
	parent, err := tx.UserByID(account.Parent)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetServiceAccountResponse{ServiceAccount: s.serviceAccountOut(account, parent.Name)}, nil
}

// ListServiceAccounts returns a page of the service accounts of a user, or of
// all users.
func (s *Service) ListServiceAccounts(tx *Tx, req *iamapi.ListServiceAccountsRequest) (*iamapi.ListServiceAccountsResponse, error) {
	after, err := markerIn(serviceAccountList, req.Marker)
	if err != nil {
		return nil, err
	}
	parentID := ""
	if req.ParentUser != nil {
		parent, err := tx.user(*req.ParentUser)
		if err != nil {
			return nil, err
		}
		parentID = parent.ID
	}
	accounts, next, err := tx.ServiceAccounts(parentID, after, int(req.MaxItems))
	if err != nil {
		return nil, err
	}
	page := make([]iamapi.ServiceAccountMetadata, len(accounts))
	for i := range accounts {
		parent, err := tx.UserByID(accounts[i].Parent)
		if err != nil {
			return nil, err
		}
		page[i] = s.serviceAccountOut(&accounts[i], parent.Name)
	}
	return &iamapi.ListServiceAccountsResponse{ServiceAccounts: page, IsTruncated: next != "", Marker: markerOut(serviceAccountList, next)}, nil
}

// UpdateServiceAccount changes what is given of a service account.
func (s *Service) UpdateServiceAccount(tx *Tx, req *iamapi.UpdateServiceAccountRequest) (*iamapi.UpdateServiceAccountResponse, error) {
	account, err := tx.serviceAccount(req.ServiceAccountId)
	if err != nil {
		return nil, err
	}
	if req.Status != nil {
		account.Status = identity.Status(*req.Status)
	}
	if err := s.changeServiceAccount(account, req.Description, req.Expiration, req.Policy); err != nil {
		return nil, err
	}
	return &iamapi.UpdateServiceAccountResponse{}, tx.UpdateServiceAccount(account)
}

// DeleteServiceAccount deletes a service account with its key.
func (s *Service) DeleteServiceAccount(tx *Tx, req *iamapi.DeleteServiceAccountRequest) (*iamapi.DeleteServiceAccountResponse, error) {
	err := tx.DeleteServiceAccount(req.ServiceAccountId)
	return &iamapi.DeleteServiceAccountResponse{}, notFound(err, iamerr.ServiceAccountNotFound, req.ServiceAccountId)
}

func (s *Service) serviceAccountOut(account *identity.ServiceAccount, parentName string) iamapi.ServiceAccountMetadata {
	return iamapi.ServiceAccountMetadata{
		ServiceAccountId: account.ID,
		Arn:              arn.ServiceAccount(s.config.Account, account.ID),
		ParentUser:       parentName,
		Description:      textOut(account.Description),
		AccessKeyId:      account.AccessKeyID,
		Status:           string(account.Status),
		Expiration:       timeOut(account.Expires),
		Policy:           textOut(account.Policy),
		CreateDate:       account.Created,
	}
}
