package iam

import (
	"strconv"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/apierror"
	"iamserver/runtime/identity"
)

// CreatePolicyVersion adds a version to a managed policy. Another version has
// to be deleted first where there are as many as the quota allows.
func (s *Service) CreatePolicyVersion(tx *Tx, req *iamapi.CreatePolicyVersionRequest) (*iamapi.CreatePolicyVersionResponse, error) {
	if err := ownPolicy(req.PolicyArn); err != nil {
		return nil, err
	}
	p, err := s.policy(tx, req.PolicyArn, iamerr.AttachablePolicyNotFound)
	if err != nil {
		return nil, err
	}
	if err := s.checkManagedPolicy(req.PolicyDocument); err != nil {
		return nil, err
	}
	if err := within(p.Versions+1, s.config.Quotas.VersionsPerPolicyQuota, iamerr.PolicyVersionsExceeded); err != nil {
		return nil, err
	}
	version, err := tx.CreatePolicyVersion(p.ID, req.PolicyDocument, s.config.Now(), req.SetAsDefault)
	if err != nil {
		return nil, err
	}
	if err := s.policyVersionsInUse(tx); err != nil {
		return nil, err
	}
	return &iamapi.CreatePolicyVersionResponse{PolicyVersion: new(versionOut(version))}, nil
}

// GetPolicyVersion returns a version of a managed policy with its document.
func (s *Service) GetPolicyVersion(tx *Tx, req *iamapi.GetPolicyVersionRequest) (*iamapi.GetPolicyVersionResponse, error) {
	p, number, err := s.policyVersion(tx, req.PolicyArn, req.VersionId)
	if err != nil {
		return nil, err
	}
	version, err := s.versionOf(tx, p, number)
	if err != nil {
		return nil, notFound(err, versionMissing(req.VersionId), req.PolicyArn)
	}
	return &iamapi.GetPolicyVersionResponse{PolicyVersion: new(versionOut(version))}, nil
}

// ListPolicyVersions returns a page of the versions of a managed policy.
func (s *Service) ListPolicyVersions(tx *Tx, req *iamapi.ListPolicyVersionsRequest) (*iamapi.ListPolicyVersionsResponse, error) {
	after, err := markerIn(versionList, req.Marker)
	if err != nil {
		return nil, err
	}
	p, err := s.policy(tx, req.PolicyArn, iamerr.AttachablePolicyNotFound)
	if err != nil {
		return nil, err
	}
	versions, err := s.versionsOf(tx, p)
	if err != nil {
		return nil, err
	}
	page, next := identity.Page(versions, after, int(req.MaxItems))
	return &iamapi.ListPolicyVersionsResponse{Versions: versionsOut(page), IsTruncated: next != "", Marker: markerOut(versionList, next)}, nil
}

// SetDefaultPolicyVersion brings a version of a managed policy into force.
func (s *Service) SetDefaultPolicyVersion(tx *Tx, req *iamapi.SetDefaultPolicyVersionRequest) (*iamapi.SetDefaultPolicyVersionResponse, error) {
	if err := ownPolicy(req.PolicyArn); err != nil {
		return nil, err
	}
	p, number, err := s.policyVersion(tx, req.PolicyArn, req.VersionId)
	if err != nil {
		return nil, err
	}
	err = tx.SetDefaultPolicyVersion(p.ID, number)
	return &iamapi.SetDefaultPolicyVersionResponse{}, notFound(err, versionMissing(req.VersionId), req.PolicyArn)
}

// DeletePolicyVersion deletes a version of a managed policy that is not in
// force.
func (s *Service) DeletePolicyVersion(tx *Tx, req *iamapi.DeletePolicyVersionRequest) (*iamapi.DeletePolicyVersionResponse, error) {
	if err := ownPolicy(req.PolicyArn); err != nil {
		return nil, err
	}
	p, number, err := s.policyVersion(tx, req.PolicyArn, req.VersionId)
	if err != nil {
		return nil, err
	}
	err = notFound(tx.DeletePolicyVersion(p.ID, number), versionMissing(req.VersionId), req.PolicyArn)
	return &iamapi.DeletePolicyVersionResponse{}, instead(err, identity.ErrDeleteConflict, iamerr.VersionIsDefault)
}

// policyVersion returns the policy and the number of the version that a request
// names. The version need not be there.
func (s *Service) policyVersion(tx *Tx, policyARN, versionID string) (p *identity.Policy, number uint32, err error) {
	p, err = s.policy(tx, policyARN, versionMissing(versionID))
	if err != nil {
		return nil, 0, err
	}
	// AWS's pattern also lets v1.x through, which no version is called.
	n, err := strconv.ParseUint(strings.TrimPrefix(versionID, "v"), 10, 32)
	if err != nil {
		return nil, 0, versionMissing(versionID)(policyARN)
	}
	return p, uint32(n), nil
}

// versionMissing is the answer for a version of a policy that is not there; AWS
// does not tell which of the two is missing.
func versionMissing(versionID string) func(policyARN string) *apierror.Error {
	return func(policyARN string) *apierror.Error { return iamerr.PolicyVersionNotFound(policyARN, versionID) }
}

// policyVersionsInUse asks for the quota of versions of all policies together.
func (s *Service) policyVersionsInUse(tx *Tx) error {
	count := func(c identity.Counts) int { return c.PolicyVersions }
	return tx.withinAccount(count, s.config.Quotas.PolicyVersionsInUseQuota, iamerr.PolicyVersionsInUseExceeded)
}

func versionID(number uint32) string { return "v" + strconv.FormatUint(uint64(number), 10) }

func versionOut(v *identity.PolicyVersion) iamapi.PolicyVersion {
	return iamapi.PolicyVersion{
		Document:         &v.Document,
		VersionId:        new(versionID(v.Number)),
		IsDefaultVersion: v.Default,
		CreateDate:       &v.Created,
	}
}

func versionsOut(versions []identity.PolicyVersion) []iamapi.PolicyVersion {
	out := make([]iamapi.PolicyVersion, len(versions))
	for i := range versions {
		out[i] = versionOut(&versions[i])
	}
	return out
}
