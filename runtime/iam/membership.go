package iam

import (
	"errors"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/authz"
	"iamserver/runtime/identity"
)

// AddUserToGroup makes a user a member of a group, which it may be already.
func (s *Service) AddUserToGroup(tx *Tx, req *iamapi.AddUserToGroupRequest) (*iamapi.AddUserToGroupResponse, error) {
	user, group, err := tx.member("AddUserToGroup", req.UserName, req.GroupName)
	if err != nil {
		return nil, err
	}
	if member, err := tx.InGroup(user.ID, group.ID); err != nil || member {
		return &iamapi.AddUserToGroupResponse{}, err
	}
	has, err := tx.Children(user.ID)
	if err != nil {
		return nil, err
	}
	if err := within(has.Groups+1, s.groupsPerUser(), iamerr.GroupsPerUserExceeded); err != nil {
		return nil, err
	}
	return &iamapi.AddUserToGroupResponse{}, tx.AddToGroup(user.ID, group.ID)
}

// RemoveUserFromGroup ends a membership. As on AWS there need not be one.
func (s *Service) RemoveUserFromGroup(tx *Tx, req *iamapi.RemoveUserFromGroupRequest) (*iamapi.RemoveUserFromGroupResponse, error) {
	user, group, err := tx.member("RemoveUserFromGroup", req.UserName, req.GroupName)
	if err != nil {
		return nil, err
	}
	if err := tx.RemoveFromGroup(user.ID, group.ID); err != nil && !errors.Is(err, identity.ErrNotFound) {
		return nil, err
	}
	return &iamapi.RemoveUserFromGroupResponse{}, nil
}

// ListGroupsForUser returns a page of the groups that a user is in.
func (s *Service) ListGroupsForUser(tx *Tx, req *iamapi.ListGroupsForUserRequest) (*iamapi.ListGroupsForUserResponse, error) {
	after, err := markerIn(membershipList, req.Marker)
	if err != nil {
		return nil, err
	}
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	groups, err := tx.GroupsOf(user.ID)
	if err != nil {
		return nil, err
	}
	page, next := identity.Page(groups, after, int(req.MaxItems))
	return &iamapi.ListGroupsForUserResponse{Groups: s.groupsOut(page), IsTruncated: next != "", Marker: markerOut(membershipList, next)}, nil
}

// member returns the two sides of a membership. Where neither is there, AWS
// misses the user. A service account gets its rights from the groups of its
// parent, which it cannot change; the authorizer, which only sees the group, does
// not know that.
func (tx *Tx) member(action, userName, groupName string) (*identity.User, *identity.Group, error) {
	user, err := tx.user(userName)
	if err != nil {
		return nil, nil, err
	}
	if tx.Caller.Type == authz.ServiceAccount && tx.Caller.UserID == user.ID {
		return nil, nil, iamerr.MembershipOfParent(tx.Caller.ARN, action)
	}
	group, err := tx.group(groupName)
	return user, group, err
}

// groupsPerUser is the quota, which storage bounds whatever is configured.
func (s *Service) groupsPerUser() int {
	if quota := s.config.Quotas.GroupsPerUserQuota; quota > 0 {
		return min(quota, identity.MaxGroupsPerUser)
	}
	return identity.MaxGroupsPerUser
}
