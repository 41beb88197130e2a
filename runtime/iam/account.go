package iam

import (
	"math"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
)

// GetAccountSummary returns how much the account holds and may hold. What does
// not exist here counts 0, and so does its quota.
func (s *Service) GetAccountSummary(tx *Tx, _ *iamapi.GetAccountSummaryRequest) (*iamapi.GetAccountSummaryResponse, error) {
	counts, err := tx.Counts()
	if err != nil {
		return nil, err
	}
	quotas := &s.config.Quotas
	return &iamapi.GetAccountSummaryResponse{SummaryMap: map[string]int32{
		iamapi.SummaryKeyUsers:               countOut(counts.Users),
		iamapi.SummaryKeyGroups:              countOut(counts.Groups),
		iamapi.SummaryKeyPolicies:            countOut(counts.Policies),
		iamapi.SummaryKeyPolicyVersionsInUse: countOut(counts.PolicyVersions),

		iamapi.SummaryKeyUsersQuota:                    quotaOut(quotas.UsersQuota),
		iamapi.SummaryKeyGroupsQuota:                   quotaOut(quotas.GroupsQuota),
		iamapi.SummaryKeyPoliciesQuota:                 quotaOut(quotas.PoliciesQuota),
		iamapi.SummaryKeyPolicyVersionsInUseQuota:      quotaOut(quotas.PolicyVersionsInUseQuota),
		iamapi.SummaryKeyRolesQuota:                    quotaOut(quotas.RolesQuota),
		iamapi.SummaryKeyAccessKeysPerUserQuota:        quotaOut(quotas.AccessKeysPerUserQuota),
		iamapi.SummaryKeyGroupsPerUserQuota:            quotaOut(s.groupsPerUser()),
		iamapi.SummaryKeyAttachedPoliciesPerUserQuota:  quotaOut(quotas.AttachedPoliciesPerUserQuota),
		iamapi.SummaryKeyAttachedPoliciesPerGroupQuota: quotaOut(quotas.AttachedPoliciesPerGroupQuota),
		iamapi.SummaryKeyAttachedPoliciesPerRoleQuota:  quotaOut(quotas.AttachedPoliciesPerRoleQuota),
		iamapi.SummaryKeyVersionsPerPolicyQuota:        quotaOut(quotas.VersionsPerPolicyQuota),
		iamapi.SummaryKeyPolicySizeQuota:               quotaOut(quotas.PolicySizeQuota),
		iamapi.SummaryKeyUserPolicySizeQuota:           quotaOut(quotas.UserPolicySizeQuota),
		iamapi.SummaryKeyGroupPolicySizeQuota:          quotaOut(quotas.GroupPolicySizeQuota),
		iamapi.SummaryKeyRolePolicySizeQuota:           quotaOut(quotas.RolePolicySizeQuota),
		iamapi.SummaryKeyAssumeRolePolicySizeQuota:     quotaOut(quotas.AssumeRolePolicySizeQuota),

		// Root always has its one key. Tokens of version 1 are AWS's default.
		iamapi.SummaryKeyAccountAccessKeysPresent:   1,
		iamapi.SummaryKeyGlobalEndpointTokenVersion: 1,

		iamapi.SummaryKeyRoles:                             0,
		iamapi.SummaryKeyInstanceProfiles:                  0,
		iamapi.SummaryKeyInstanceProfilesQuota:             0,
		iamapi.SummaryKeyProviders:                         0,
		iamapi.SummaryKeyServerCertificates:                0,
		iamapi.SummaryKeyServerCertificatesQuota:           0,
		iamapi.SummaryKeySigningCertificatesPerUserQuota:   0,
		iamapi.SummaryKeyMFADevices:                        0,
		iamapi.SummaryKeyMFADevicesInUse:                   0,
		iamapi.SummaryKeyAccountMFAEnabled:                 0,
		iamapi.SummaryKeyAccountPasswordPresent:            0,
		iamapi.SummaryKeyAccountSigningCertificatesPresent: 0,
	}}, nil
}

func countOut(n int) int32 { return int32(min(n, math.MaxInt32)) }

// quotaOut shows no limit as the greatest number that SDKs can read.
func quotaOut(quota int) int32 {
	if quota == 0 {
		return math.MaxInt32
	}
	return countOut(quota)
}

// CreateAccountAlias gives the account an alias, which takes the place of the
// one that it has.
func (s *Service) CreateAccountAlias(tx *Tx, req *iamapi.CreateAccountAliasRequest) (*iamapi.CreateAccountAliasResponse, error) {
	alias, err := tx.Alias()
	if err != nil {
		return nil, err
	}
	if alias == req.AccountAlias {
		return nil, iamerr.AliasExists(req.AccountAlias)
	}
	return &iamapi.CreateAccountAliasResponse{}, tx.SetAlias(req.AccountAlias)
}

// DeleteAccountAlias takes the account's alias away.
func (s *Service) DeleteAccountAlias(tx *Tx, req *iamapi.DeleteAccountAliasRequest) (*iamapi.DeleteAccountAliasResponse, error) {
	alias, err := tx.Alias()
	if err != nil {
		return nil, err
	}
	if alias != req.AccountAlias {
		return nil, iamerr.AliasNotFound(req.AccountAlias)
	}
	return &iamapi.DeleteAccountAliasResponse{}, tx.SetAlias("")
}

// ListAccountAliases returns the account's alias, which is always the last
// page.
func (s *Service) ListAccountAliases(tx *Tx, req *iamapi.ListAccountAliasesRequest) (*iamapi.ListAccountAliasesResponse, error) {
	after, err := markerIn(aliasList, req.Marker)
	if err != nil {
		return nil, err
	}
	alias, err := tx.Alias()
	if err != nil || alias <= after {
		return &iamapi.ListAccountAliasesResponse{}, err
	}
	return &iamapi.ListAccountAliasesResponse{AccountAliases: []string{alias}}, nil
}
