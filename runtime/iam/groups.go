package iam

import (
	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/apierror"
	"iamserver/runtime/arn"
	"iamserver/runtime/identity"
)

// CreateGroup creates a group without members and policies.
func (s *Service) CreateGroup(tx *Tx, req *iamapi.CreateGroupRequest) (*iamapi.CreateGroupResponse, error) {
	group := identity.Group{Name: req.GroupName, Path: req.Path, Created: s.config.Now()}
	if err := tx.CreateGroup(&group); err != nil {
		return nil, instead(err, identity.ErrExists, func() *apierror.Error { return iamerr.GroupExists(req.GroupName) })
	}
	count := func(c identity.Counts) int { return c.Groups }
	if err := tx.withinAccount(count, s.config.Quotas.GroupsQuota, iamerr.GroupsPerAccountExceeded); err != nil {
		return nil, err
	}
	return &iamapi.CreateGroupResponse{Group: s.groupOut(&group)}, nil
}

// GetGroup returns a group and a page of its members.
func (s *Service) GetGroup(tx *Tx, req *iamapi.GetGroupRequest) (*iamapi.GetGroupResponse, error) {
	after, err := markerIn(memberList, req.Marker)
	if err != nil {
		return nil, err
	}
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	members, next, err := tx.Members(group.ID, after, int(req.MaxItems))
	if err != nil {
		return nil, err
	}
	page := make([]iamapi.User, len(members))
	for i := range members {
		page[i] = s.userOut(&members[i])
	}
	return &iamapi.GetGroupResponse{Group: s.groupOut(group), Users: page, IsTruncated: next != "", Marker: markerOut(memberList, next)}, nil
}

// ListGroups returns a page of the groups below a path prefix.
func (s *Service) ListGroups(tx *Tx, req *iamapi.ListGroupsRequest) (*iamapi.ListGroupsResponse, error) {
	after, err := markerIn(groupList, req.Marker)
	if err != nil {
		return nil, err
	}
	groups, next, err := tx.Groups(req.PathPrefix, after, int(req.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iamapi.ListGroupsResponse{Groups: s.groupsOut(groups), IsTruncated: next != "", Marker: markerOut(groupList, next)}, nil
}

// UpdateGroup changes the name and the path of a group, and whether its
// policies count for its members, who stay, as the policies do.
func (s *Service) UpdateGroup(tx *Tx, req *iamapi.UpdateGroupRequest) (*iamapi.UpdateGroupResponse, error) {
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	if req.NewGroupName != nil {
		group.Name = *req.NewGroupName
	}
	if req.NewPath != nil {
		group.Path = *req.NewPath
	}
	if req.Disabled != nil {
		group.Disabled = *req.Disabled
	}
	if err := tx.UpdateGroup(group); err != nil {
		return nil, instead(err, identity.ErrExists, func() *apierror.Error { return iamerr.GroupExists(group.Name) })
	}
	return &iamapi.UpdateGroupResponse{}, nil
}

// DeleteGroup deletes a group that has neither members nor policies left.
func (s *Service) DeleteGroup(tx *Tx, req *iamapi.DeleteGroupRequest) (*iamapi.DeleteGroupResponse, error) {
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	left, err := tx.Children(group.ID)
	if err != nil {
		return nil, err
	}
	switch {
	case left.Members > 0:
		return nil, iamerr.GroupHasUsers()
	case left.InlinePolicies > 0:
		return nil, iamerr.EntityHasPolicies()
	case left.AttachedPolicies > 0:
		return nil, iamerr.EntityHasAttachedPolicies()
	}
	return &iamapi.DeleteGroupResponse{}, tx.DeleteGroup(group.ID)
}

func (s *Service) groupOut(g *identity.Group) iamapi.Group {
	return iamapi.Group{
		Path:       g.Path,
		GroupName:  g.Name,
		GroupId:    g.ID,
		Arn:        arn.Group(s.config.Account, g.Path, g.Name),
		CreateDate: g.Created,
		Disabled:   g.Disabled,
	}
}

func (s *Service) groupsOut(groups []identity.Group) []iamapi.Group {
	out := make([]iamapi.Group, len(groups))
	for i := range groups {
		out[i] = s.groupOut(&groups[i])
	}
	return out
}
