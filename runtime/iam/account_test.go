package iam_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
)

func TestGetAccountSummary(t *testing.T) {
	f := newFixture(t)
	f.quotas.UsersQuota = 5000
	f.do(
		createAlice, createBob, createDevs, "CreateServiceAccount ParentUser=alice", "CreateAccessKey UserName=bob",
		createLimits, step("CreatePolicyVersion PolicyArn="+limitsARN+"&PolicyDocument="+allowAll),
		step("CreatePolicy PolicyName=p&PolicyDocument="+allowAll),
	)
	f.requireAnswer("GetAccountSummary", &iamapi.GetAccountSummaryResponse{SummaryMap: map[string]int32{
		"Users": 2, "UsersQuota": 5000,
		"Groups": 1, "GroupsQuota": math.MaxInt32,
		"Policies": 2, "PoliciesQuota": math.MaxInt32,
		"PolicyVersionsInUse": 3, "PolicyVersionsInUseQuota": math.MaxInt32,
		"Roles": 0, "RolesQuota": math.MaxInt32,
		"InstanceProfiles": 0, "InstanceProfilesQuota": 0,
		"ServerCertificates": 0, "ServerCertificatesQuota": 0,
		"MFADevices": 0, "MFADevicesInUse": 0, "Providers": 0,
		"AccountAccessKeysPresent": 1, "AccountMFAEnabled": 0, "AccountPasswordPresent": 0, "AccountSigningCertificatesPresent": 0,
		"AccessKeysPerUserQuota": 2, "GroupsPerUserQuota": 10, "SigningCertificatesPerUserQuota": 0,
		"AttachedPoliciesPerUserQuota": 10, "AttachedPoliciesPerGroupQuota": 10, "AttachedPoliciesPerRoleQuota": 10,
		"VersionsPerPolicyQuota": 5, "PolicySizeQuota": 6144,
		"UserPolicySizeQuota": 2048, "GroupPolicySizeQuota": 5120, "RolePolicySizeQuota": 10240, "AssumeRolePolicySizeQuota": 2048,
		"GlobalEndpointTokenVersion": 1,
	}}, "")
}

func TestAccountSummaryShowsQuotasAsTheyAreKept(t *testing.T) {
	f := newFixture(t)
	f.quotas.GroupsPerUserQuota, f.quotas.UsersQuota = 1000, math.MaxInt32+1
	summary := f.do("GetAccountSummary").(*iamapi.GetAccountSummaryResponse).SummaryMap
	require.EqualValues(t, 40, summary["GroupsPerUserQuota"])
	require.EqualValues(t, math.MaxInt32, summary["UsersQuota"])
}

func TestAccountAlias(t *testing.T) {
	const create step = "CreateAccountAlias AccountAlias=acme"
	runTests(t, []test{
		{
			name: "an alias is set",
			step: create,
			want: &iamapi.CreateAccountAliasResponse{},
		},
		{
			name: "an account without an alias",
			step: "ListAccountAliases",
			want: &iamapi.ListAccountAliasesResponse{},
		},
		{
			name:  "the alias",
			after: []step{create},
			step:  "ListAccountAliases",
			want:  &iamapi.ListAccountAliasesResponse{AccountAliases: []string{"acme"}},
		},
		{
			name:  "nothing comes after the alias",
			after: []step{create},
			step:  "ListAccountAliases Marker=" + step(*marker("l", "acme")),
			want:  &iamapi.ListAccountAliasesResponse{},
		},
		{
			name: "a marker that is none",
			step: "ListAccountAliases Marker=%21",
			err:  "ValidationError: Invalid Marker.",
		},
		{
			name:  "a new alias takes the place of the old one",
			after: []step{create, "CreateAccountAlias AccountAlias=acme-2"},
			step:  "ListAccountAliases",
			want:  &iamapi.ListAccountAliasesResponse{AccountAliases: []string{"acme-2"}},
		},
		{
			name:  "the same alias again",
			after: []step{create},
			step:  create,
			err:   "EntityAlreadyExists: The account alias acme already exists.",
		},
		{
			name:  "the alias is taken away",
			after: []step{create, "DeleteAccountAlias AccountAlias=acme"},
			step:  "ListAccountAliases",
			want:  &iamapi.ListAccountAliasesResponse{},
		},
		{
			name:  "another alias cannot be taken away",
			after: []step{create, "CreateAccountAlias AccountAlias=acme-2"},
			step:  "DeleteAccountAlias AccountAlias=acme",
			err:   "NoSuchEntity: The account alias acme cannot be found.",
		},
		{
			name: "nor can one where there is none",
			step: "DeleteAccountAlias AccountAlias=acme",
			err:  "NoSuchEntity: The account alias acme cannot be found.",
		},
	})
}
