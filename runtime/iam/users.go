package iam

import (
	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/apierror"
	"iamserver/runtime/identity"
)

// CreateUser creates a user, with tags and a permissions boundary if given.
func (s *Service) CreateUser(tx *Tx, req *iamapi.CreateUserRequest) (*iamapi.CreateUserResponse, error) {
	tags, err := setTags(nil, req.Tags, sameUserTag)
	if err != nil {
		return nil, err
	}
	user := identity.User{Name: req.UserName, Path: req.Path, Created: s.config.Now(), Tags: tags}
	if req.PermissionsBoundary != nil {
		boundary, err := s.policy(tx, *req.PermissionsBoundary, iamerr.BoundaryPolicyNotFound)
		if err != nil {
			return nil, err
		}
		user.Boundary = s.ref(boundary)
	}
	if err := tx.CreateUser(&user); err != nil {
		return nil, instead(err, identity.ErrExists, func() *apierror.Error { return iamerr.UserExists(req.UserName) })
	}
	count := func(c identity.Counts) int { return c.Users }
	if err := tx.withinAccount(count, s.config.Quotas.UsersQuota, iamerr.UsersPerAccountExceeded); err != nil {
		return nil, err
	}
	return &iamapi.CreateUserResponse{User: new(s.userOut(&user))}, nil
}

// GetUser returns a user, or root if that is who asks about itself.
func (s *Service) GetUser(tx *Tx, req *iamapi.GetUserRequest) (*iamapi.GetUserResponse, error) {
	user, err := tx.subject(req.UserName)
	if err != nil {
		return nil, err
	}
	if user == nil {
		root, err := s.rootOut(tx)
		return &iamapi.GetUserResponse{User: root}, err
	}
	return &iamapi.GetUserResponse{User: s.userOut(user)}, nil
}

// ListUsers returns a page of the users below a path prefix.
func (s *Service) ListUsers(tx *Tx, req *iamapi.ListUsersRequest) (*iamapi.ListUsersResponse, error) {
	after, err := markerIn(userList, req.Marker)
	if err != nil {
		return nil, err
	}
	users, next, err := tx.Users(req.PathPrefix, after, int(req.MaxItems))
	if err != nil {
		return nil, err
	}
	page := make([]iamapi.User, len(users))
	for i := range users {
		page[i] = s.userOut(&users[i])
	}
	return &iamapi.ListUsersResponse{Users: page, IsTruncated: next != "", Marker: markerOut(userList, next)}, nil
}

// UpdateUser changes the name and the path of a user; what belongs to the user
// is kept by id and stays.
func (s *Service) UpdateUser(tx *Tx, req *iamapi.UpdateUserRequest) (*iamapi.UpdateUserResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	if req.NewUserName != nil {
		user.Name = *req.NewUserName
	}
	if req.NewPath != nil {
		user.Path = *req.NewPath
	}
	if err := tx.UpdateUser(user); err != nil {
		return nil, instead(err, identity.ErrExists, func() *apierror.Error { return iamerr.UserExists(user.Name) })
	}
	return &iamapi.UpdateUserResponse{}, nil
}

// DeleteUser deletes a user who has nothing left but memberships and a
// permissions boundary, which end with the user. On AWS a user who is in groups
// cannot be deleted.
func (s *Service) DeleteUser(tx *Tx, req *iamapi.DeleteUserRequest) (*iamapi.DeleteUserResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	left, err := tx.Children(user.ID)
	if err != nil {
		return nil, err
	}
	switch {
	case left.AccessKeys > 0:
		return nil, iamerr.EntityHasAccessKeys()
	case left.ServiceAccounts > 0:
		return nil, iamerr.EntityHasServiceAccounts()
	case left.InlinePolicies > 0:
		return nil, iamerr.EntityHasPolicies()
	case left.AttachedPolicies > 0:
		return nil, iamerr.EntityHasAttachedPolicies()
	}
	return &iamapi.DeleteUserResponse{}, tx.DeleteUser(user.ID)
}

// SetUserStatus enables or disables a user.
func (s *Service) SetUserStatus(tx *Tx, req *iamapi.SetUserStatusRequest) (*iamapi.SetUserStatusResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	user.Disabled = req.Status != iamapi.UserStatusActive
	return &iamapi.SetUserStatusResponse{}, tx.UpdateUser(user)
}

// PutUserPermissionsBoundary sets the permissions boundary of a user.
func (s *Service) PutUserPermissionsBoundary(tx *Tx, req *iamapi.PutUserPermissionsBoundaryRequest) (*iamapi.PutUserPermissionsBoundaryResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	boundary, err := s.policy(tx, req.PermissionsBoundary, iamerr.BoundaryPolicyNotFound)
	if err != nil {
		return nil, err
	}
	user.Boundary = s.ref(boundary)
	return &iamapi.PutUserPermissionsBoundaryResponse{}, tx.UpdateUser(user)
}

// DeleteUserPermissionsBoundary removes the permissions boundary of a user, who
// need not have one.
func (s *Service) DeleteUserPermissionsBoundary(tx *Tx, req *iamapi.DeleteUserPermissionsBoundaryRequest) (*iamapi.DeleteUserPermissionsBoundaryResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	user.Boundary = identity.PolicyRef{}
	return &iamapi.DeleteUserPermissionsBoundaryResponse{}, tx.UpdateUser(user)
}
