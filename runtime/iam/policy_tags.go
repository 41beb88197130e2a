package iam

import (
	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/identity"
)

// TagPolicy sets tags of a managed policy.
func (s *Service) TagPolicy(tx *Tx, req *iamapi.TagPolicyRequest) (*iamapi.TagPolicyResponse, error) {
	if err := ownPolicy(req.PolicyArn); err != nil {
		return nil, err
	}
	p, err := s.policy(tx, req.PolicyArn, iamerr.PolicyNotFound)
	if err != nil {
		return nil, err
	}
	tags, err := setTags(p.Tags, req.Tags, samePolicyTag)
	if err != nil {
		return nil, err
	}
	return &iamapi.TagPolicyResponse{}, tx.SetPolicyTags(p.ID, tags)
}

// UntagPolicy removes tags of a managed policy; keys that the policy does not
// have are passed over.
func (s *Service) UntagPolicy(tx *Tx, req *iamapi.UntagPolicyRequest) (*iamapi.UntagPolicyResponse, error) {
	if err := ownPolicy(req.PolicyArn); err != nil {
		return nil, err
	}
	p, err := s.policy(tx, req.PolicyArn, iamerr.PolicyNotFound)
	if err != nil {
		return nil, err
	}
	return &iamapi.UntagPolicyResponse{}, tx.SetPolicyTags(p.ID, unsetTags(p.Tags, req.TagKeys, samePolicyTag))
}

// ListPolicyTags returns a page of the tags of a managed policy.
func (s *Service) ListPolicyTags(tx *Tx, req *iamapi.ListPolicyTagsRequest) (*iamapi.ListPolicyTagsResponse, error) {
	after, err := markerIn(tagList, req.Marker)
	if err != nil {
		return nil, err
	}
	p, err := s.policy(tx, req.PolicyArn, iamerr.PolicyNotFound)
	if err != nil {
		return nil, err
	}
	page, next := identity.Page(p.Tags, after, int(req.MaxItems))
	return &iamapi.ListPolicyTagsResponse{Tags: tagsOut(page), IsTruncated: next != "", Marker: markerOut(tagList, next)}, nil
}
