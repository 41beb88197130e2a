package iam

import (
	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/apierror"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
)

// PutUserPolicy embeds a policy in a user.
func (s *Service) PutUserPolicy(tx *Tx, req *iamapi.PutUserPolicyRequest) (*iamapi.PutUserPolicyResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	exceeded := func(limit string) *apierror.Error { return iamerr.UserPolicySizeExceeded(limit, user.Name) }
	p := identity.InlinePolicy{Name: req.PolicyName, Document: req.PolicyDocument}
	return &iamapi.PutUserPolicyResponse{}, tx.putInlinePolicy(user.ID, p, s.config.Quotas.UserPolicySizeQuota, exceeded)
}

// GetUserPolicy returns a policy embedded in a user.
func (s *Service) GetUserPolicy(tx *Tx, req *iamapi.GetUserPolicyRequest) (*iamapi.GetUserPolicyResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	p, err := tx.InlinePolicy(user.ID, req.PolicyName)
	if err != nil {
		return nil, notFound(err, iamerr.UserPolicyNotFound, req.PolicyName)
	}
	return &iamapi.GetUserPolicyResponse{UserName: user.Name, PolicyName: p.Name, PolicyDocument: p.Document}, nil
}

// ListUserPolicies returns a page of the names of the policies embedded in a
// user.
func (s *Service) ListUserPolicies(tx *Tx, req *iamapi.ListUserPoliciesRequest) (*iamapi.ListUserPoliciesResponse, error) {
	after, err := markerIn(inlinePolicyList, req.Marker)
	if err != nil {
		return nil, err
	}
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	names, next, err := tx.inlinePolicyNames(user.ID, after, req.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListUserPoliciesResponse{PolicyNames: names, IsTruncated: next != "", Marker: markerOut(inlinePolicyList, next)}, nil
}

// DeleteUserPolicy removes a policy embedded in a user.
func (s *Service) DeleteUserPolicy(tx *Tx, req *iamapi.DeleteUserPolicyRequest) (*iamapi.DeleteUserPolicyResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	err = tx.DeleteInlinePolicy(user.ID, req.PolicyName)
	return &iamapi.DeleteUserPolicyResponse{}, notFound(err, iamerr.UserPolicyNotFound, req.PolicyName)
}

// PutGroupPolicy embeds a policy in a group.
func (s *Service) PutGroupPolicy(tx *Tx, req *iamapi.PutGroupPolicyRequest) (*iamapi.PutGroupPolicyResponse, error) {
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	exceeded := func(limit string) *apierror.Error { return iamerr.GroupPolicySizeExceeded(limit, group.Name) }
	p := identity.InlinePolicy{Name: req.PolicyName, Document: req.PolicyDocument}
	return &iamapi.PutGroupPolicyResponse{}, tx.putInlinePolicy(group.ID, p, s.config.Quotas.GroupPolicySizeQuota, exceeded)
}

// GetGroupPolicy returns a policy embedded in a group.
func (s *Service) GetGroupPolicy(tx *Tx, req *iamapi.GetGroupPolicyRequest) (*iamapi.GetGroupPolicyResponse, error) {
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	p, err := tx.InlinePolicy(group.ID, req.PolicyName)
	if err != nil {
		return nil, notFound(err, iamerr.GroupPolicyNotFound, req.PolicyName)
	}
	return &iamapi.GetGroupPolicyResponse{GroupName: group.Name, PolicyName: p.Name, PolicyDocument: p.Document}, nil
}

// ListGroupPolicies returns a page of the names of the policies embedded in a
// group.
func (s *Service) ListGroupPolicies(tx *Tx, req *iamapi.ListGroupPoliciesRequest) (*iamapi.ListGroupPoliciesResponse, error) {
	after, err := markerIn(inlinePolicyList, req.Marker)
	if err != nil {
		return nil, err
	}
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	names, next, err := tx.inlinePolicyNames(group.ID, after, req.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListGroupPoliciesResponse{PolicyNames: names, IsTruncated: next != "", Marker: markerOut(inlinePolicyList, next)}, nil
}

// DeleteGroupPolicy removes a policy embedded in a group.
func (s *Service) DeleteGroupPolicy(tx *Tx, req *iamapi.DeleteGroupPolicyRequest) (*iamapi.DeleteGroupPolicyResponse, error) {
	group, err := tx.group(req.GroupName)
	if err != nil {
		return nil, err
	}
	err = tx.DeleteInlinePolicy(group.ID, req.PolicyName)
	return &iamapi.DeleteGroupPolicyResponse{}, notFound(err, iamerr.GroupPolicyNotFound, req.PolicyName)
}

// putInlinePolicy embeds a policy in a user or group. The quota is the size of
// all the owner's inline policies together (IAM user guide, "IAM and AWS STS
// quotas").
func (tx *Tx) putInlinePolicy(ownerID string, p identity.InlinePolicy, quota int, exceeded func(limit string) *apierror.Error) error {
	if err := checkDocument(p.Document, policy.InlinePolicy); err != nil {
		return err
	}
	embedded, err := tx.InlinePolicies(ownerID)
	if err != nil {
		return err
	}
	size := policy.Size(p.Document)
	for _, other := range embedded {
		if other.Name != p.Name {
			size += policy.Size(other.Document)
		}
	}
	if err := within(size, quota, exceeded); err != nil {
		return err
	}
	return tx.PutInlinePolicy(ownerID, p)
}

func (tx *Tx) inlinePolicyNames(ownerID, after string, limit int32) (names []string, next string, err error) {
	embedded, err := tx.InlinePolicies(ownerID)
	if err != nil {
		return nil, "", err
	}
	page, next := identity.Page(embedded, after, int(limit))
	names = make([]string, len(page))
	for i, p := range page {
		names[i] = p.Name
	}
	return names, next, nil
}
