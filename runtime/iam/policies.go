package iam

import (
	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/action"
	"iamserver/runtime/apierror"
	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
)

// CreatePolicy creates a managed policy, whose document becomes version v1.
func (s *Service) CreatePolicy(tx *Tx, req *iamapi.CreatePolicyRequest) (*iamapi.CreatePolicyResponse, error) {
	tags, err := setTags(nil, req.Tags, samePolicyTag)
	if err != nil {
		return nil, err
	}
	if err := s.checkManagedPolicy(req.PolicyDocument); err != nil {
		return nil, err
	}
	asked := tagsOut(tags) // before they are sorted
	p := identity.Policy{
		Name: req.PolicyName, Path: req.Path, Description: action.Value(req.Description),
		Created: s.config.Now(), Tags: tags,
	}
	if err := tx.CreatePolicy(&p, req.PolicyDocument); err != nil {
		return nil, instead(err, identity.ErrExists, func() *apierror.Error { return iamerr.PolicyExists(req.PolicyName) })
	}
	count := func(c identity.Counts) int { return c.Policies }
	if err := tx.withinAccount(count, s.config.Quotas.PoliciesQuota, iamerr.PoliciesPerAccountExceeded); err != nil {
		return nil, err
	}
	if err := s.policyVersionsInUse(tx); err != nil {
		return nil, err
	}
	created := s.policyOut(&p)
	created.Tags = asked // AWS shows them in the order of the request here, sorted everywhere else
	return &iamapi.CreatePolicyResponse{Policy: &created}, nil
}

// GetPolicy returns a managed policy.
func (s *Service) GetPolicy(tx *Tx, req *iamapi.GetPolicyRequest) (*iamapi.GetPolicyResponse, error) {
	p, err := s.policy(tx, req.PolicyArn, iamerr.PolicyNotFound)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetPolicyResponse{Policy: new(s.policyOut(p))}, nil
}

// ListPolicies returns a page of the managed policies of the account, of those
// that AWS manages, or of both.
func (s *Service) ListPolicies(tx *Tx, req *iamapi.ListPoliciesRequest) (*iamapi.ListPoliciesResponse, error) {
	after, err := markerIn(policyList, req.Marker)
	if err != nil {
		return nil, err
	}
	filter := identity.PolicyFilter{
		PathPrefix: req.PathPrefix, OnlyAttached: req.OnlyAttached,
		Usage: identity.PolicyUsage(action.Value(req.PolicyUsageFilter)),
	}
	policies, next, err := s.policies(tx, req.Scope, filter, after, int(req.MaxItems))
	if err != nil {
		return nil, err
	}
	page := make([]iamapi.Policy, len(policies))
	for i := range policies {
		page[i] = s.policyOut(&policies[i])
	}
	return &iamapi.ListPoliciesResponse{Policies: page, IsTruncated: next != "", Marker: markerOut(policyList, next)}, nil
}

// DeletePolicy deletes a managed policy that nothing uses and that has only
// the version in force.
func (s *Service) DeletePolicy(tx *Tx, req *iamapi.DeletePolicyRequest) (*iamapi.DeletePolicyResponse, error) {
	if err := ownPolicy(req.PolicyArn); err != nil {
		return nil, err
	}
	p, err := s.policy(tx, req.PolicyArn, iamerr.PolicyNotFound)
	if err != nil {
		return nil, err
	}
	switch {
	case p.AttachmentCount+p.BoundaryCount > 0:
		return nil, iamerr.PolicyHasEntities()
	case p.Versions > 1:
		return nil, iamerr.PolicyHasVersions()
	}
	return &iamapi.DeletePolicyResponse{}, tx.DeletePolicy(p.ID)
}

// checkManagedPolicy checks the document of a version of a managed policy.
func (s *Service) checkManagedPolicy(document string) error {
	if err := checkDocument(document, policy.ManagedPolicy); err != nil {
		return err
	}
	return within(policy.Size(document), s.config.Quotas.PolicySizeQuota, iamerr.PolicySizeExceeded)
}

func (s *Service) policyOut(p *identity.Policy) iamapi.Policy {
	return iamapi.Policy{
		PolicyName:                    &p.Name,
		PolicyId:                      &p.ID,
		Arn:                           new(s.ref(p).ARN),
		Path:                          &p.Path,
		DefaultVersionId:              new(versionID(p.DefaultVersion)),
		AttachmentCount:               int32(p.AttachmentCount),
		PermissionsBoundaryUsageCount: int32(p.BoundaryCount),
		IsAttachable:                  true,
		Description:                   textOut(p.Description),
		CreateDate:                    &p.Created,
		UpdateDate:                    &p.Updated,
		Tags:                          tagsOut(p.Tags),
	}
}
