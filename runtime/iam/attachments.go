package iam

import (
	"slices"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/action"
	"iamserver/runtime/apierror"
	"iamserver/runtime/identity"
	"iamserver/runtime/managed"
)

// AttachUserPolicy attaches a managed policy to a user, who may have it already.
func (s *Service) AttachUserPolicy(tx *Tx, req *iamapi.AttachUserPolicyRequest) (*iamapi.AttachUserPolicyResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	quota := s.config.Quotas.AttachedPoliciesPerUserQuota
	return &iamapi.AttachUserPolicyResponse{}, s.attach(tx, user.ID, req.PolicyArn, quota, iamerr.PoliciesPerUserExceeded)
}

// DetachUserPolicy detaches a managed policy from a user.
func (s *Service) DetachUserPolicy(tx *Tx, req *iamapi.DetachUserPolicyRequest) (*iamapi.DetachUserPolicyResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	return &iamapi.DetachUserPolicyResponse{}, s.detach(tx, user.ID, req.PolicyArn)
}

// ListAttachedUserPolicies returns a page of the managed policies attached to a
// user.
func (s *Service) ListAttachedUserPolicies(tx *Tx, req *iamapi.ListAttachedUserPoliciesRequest) (*iamapi.ListAttachedUserPoliciesResponse, error) {
	after, err := markerIn(attachmentList, req.Marker)
	if err != nil {
		return nil, err
	}
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	page, next, err := tx.attachedPolicies(user.ID, req.PathPrefix, after, req.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: attachedOut(page), IsTruncated: next != "", Marker: markerOut(attachmentList, next)}, nil
}

// AttachGroupPolicy attaches a managed policy to a group, which may have it
// already.
func (s *Service) AttachGroupPolicy(tx *Tx, req *iamapi.AttachGroupPolicyRequest) (*iamapi.AttachGroupPolicyResponse, error) {
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	quota := s.config.Quotas.AttachedPoliciesPerGroupQuota
	return &iamapi.AttachGroupPolicyResponse{}, s.attach(tx, group.ID, req.PolicyArn, quota, iamerr.PoliciesPerGroupExceeded)
}

// DetachGroupPolicy detaches a managed policy from a group.
func (s *Service) DetachGroupPolicy(tx *Tx, req *iamapi.DetachGroupPolicyRequest) (*iamapi.DetachGroupPolicyResponse, error) {
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	return &iamapi.DetachGroupPolicyResponse{}, s.detach(tx, group.ID, req.PolicyArn)
}

// ListAttachedGroupPolicies returns a page of the managed policies attached to
// a group.
func (s *Service) ListAttachedGroupPolicies(tx *Tx, req *iamapi.ListAttachedGroupPoliciesRequest) (*iamapi.ListAttachedGroupPoliciesResponse, error) {
	after, err := markerIn(attachmentList, req.Marker)
	if err != nil {
		return nil, err
	}
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	page, next, err := tx.attachedPolicies(group.ID, req.PathPrefix, after, req.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListAttachedGroupPoliciesResponse{AttachedPolicies: attachedOut(page), IsTruncated: next != "", Marker: markerOut(attachmentList, next)}, nil
}

// ListEntitiesForPolicy returns a page of the groups and users that use a
// managed policy. A filter for entities that use none is not an error.
func (s *Service) ListEntitiesForPolicy(tx *Tx, req *iamapi.ListEntitiesForPolicyRequest) (*iamapi.ListEntitiesForPolicyResponse, error) {
	after, err := markerIn(entityList, req.Marker)
	if err != nil {
		return nil, err
	}
	p, err := s.policy(tx, req.PolicyArn, iamerr.AttachablePolicyNotFound)
	if err != nil {
		return nil, err
	}
	filter := identity.EntityFilter{
		Type: identity.EntityType(action.Value(req.EntityFilter)), PathPrefix: req.PathPrefix,
		Usage: identity.PolicyUsage(action.Value(req.PolicyUsageFilter)),
	}
	entities, next, err := tx.Entities(p.ID, filter, after, int(req.MaxItems))
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListEntitiesForPolicyResponse{IsTruncated: next != "", Marker: markerOut(entityList, next)}
	for _, e := range entities {
		switch e.Type {
		case identity.EntityGroup:
			out.PolicyGroups = append(out.PolicyGroups, iamapi.PolicyGroup{GroupName: &e.Name, GroupId: &e.ID})
		case identity.EntityUser:
			out.PolicyUsers = append(out.PolicyUsers, iamapi.PolicyUser{UserName: &e.Name, UserId: &e.ID})
		}
	}
	return out, nil
}

// attach attaches a managed policy to a user or group. To do so again is no
// error, even where the quota is used up.
func (s *Service) attach(tx *Tx, ownerID, policyARN string, quota int, exceeded func(limit string) *apierror.Error) error {
	p, err := s.policy(tx, policyARN, iamerr.AttachablePolicyNotFound)
	if err != nil {
		return err
	}
	if attached, err := tx.Attached(ownerID, s.ref(p)); err != nil || attached {
		return err
	}
	has, err := tx.Children(ownerID)
	if err != nil {
		return err
	}
	if err := within(has.AttachedPolicies+1, quota, exceeded); err != nil {
		return err
	}
	return tx.Attach(ownerID, s.ref(p))
}

// detach detaches a managed policy from a user or group, which must have it. One
// that AWS manages need not be there any more.
func (s *Service) detach(tx *Tx, ownerID, policyARN string) error {
	ref := managedRef(policyARN)
	if !managed.Is(policyARN) {
		p, err := s.policy(tx, policyARN, iamerr.PolicyNotAttached)
		if err != nil {
			return err
		}
		ref = s.ref(p)
	}
	return notFound(tx.Detach(ownerID, ref), iamerr.PolicyNotAttached, policyARN)
}

func (tx *Tx) attachedPolicies(ownerID, pathPrefix, after string, limit int32) (page []identity.PolicyRef, next string, err error) {
	attached, err := tx.AttachedPolicies(ownerID)
	if err != nil {
		return nil, "", err
	}
	attached = slices.DeleteFunc(attached, func(ref identity.PolicyRef) bool { return !strings.HasPrefix(ref.Path(), pathPrefix) })
	page, next = identity.Page(attached, after, int(limit))
	return page, next, nil
}

func attachedOut(refs []identity.PolicyRef) []iamapi.AttachedPolicy {
	out := make([]iamapi.AttachedPolicy, len(refs))
	for i, ref := range refs {
		out[i] = iamapi.AttachedPolicy{PolicyName: new(ref.Name()), PolicyArn: new(ref.ARN)}
	}
	return out
}
