package iam_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/action"
	"iamserver/runtime/managed"
)

const viewOnlyARN = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"

// viewOnly is the policy of AWS that the tests use.
func viewOnly() *managed.Policy { return managed.BuiltIn().Lookup(viewOnlyARN) }

func viewOnlyShown(change func(*iamapi.Policy)) *iamapi.Policy {
	m := viewOnly()
	p := &iamapi.Policy{
		PolicyName: new("ViewOnlyAccess"), PolicyId: &m.ID, Arn: new(viewOnlyARN), Path: new("/job-function/"), DefaultVersionId: new("v1"),
		IsAttachable: true, Description: &m.Description, CreateDate: &m.Created, UpdateDate: &m.Updated, Tags: []iamapi.Tag{},
	}
	if change != nil {
		change(p)
	}
	return p
}

func TestPolicyOfAWSIsRead(t *testing.T) {
	const gone = "arn:aws:iam::aws:policy/ViewOnlyAccess" // its path is another
	document := viewOnly().Document
	runTests(t, []test{
		{name: "GetPolicy", step: "GetPolicy PolicyArn=" + viewOnlyARN, want: &iamapi.GetPolicyResponse{Policy: viewOnlyShown(nil)}},
		{
			name: "GetPolicyVersion", step: "GetPolicyVersion VersionId=v1&PolicyArn=" + viewOnlyARN,
			want: &iamapi.GetPolicyVersionResponse{PolicyVersion: new(version("v1", true, viewOnly().Updated, document))},
		},
		{
			name: "ListPolicyVersions", step: "ListPolicyVersions PolicyArn=" + viewOnlyARN,
			want: &iamapi.ListPolicyVersionsResponse{Versions: []iamapi.PolicyVersion{version("v1", true, viewOnly().Updated, document)}},
		},
		{name: "ListPolicyTags", step: "ListPolicyTags PolicyArn=" + viewOnlyARN, want: &iamapi.ListPolicyTagsResponse{Tags: []iamapi.Tag{}}},
		{name: "ListEntitiesForPolicy", step: "ListEntitiesForPolicy PolicyArn=" + viewOnlyARN, want: &iamapi.ListEntitiesForPolicyResponse{}},
		{name: "a version that is not there", step: "GetPolicyVersion VersionId=v2&PolicyArn=" + viewOnlyARN, err: "NoSuchEntity: Policy " + viewOnlyARN + " version v2 does not exist or is not attachable."},
		{name: "a policy that is not there", step: "GetPolicy PolicyArn=" + gone, err: "NoSuchEntity: Policy " + gone + " was not found."},
		{name: "a version of a policy that is not there", step: "GetPolicyVersion VersionId=v1&PolicyArn=" + gone, err: "NoSuchEntity: Policy " + gone + " version v1 does not exist or is not attachable."},
		{name: "versions of a policy that is not there", step: "ListPolicyVersions PolicyArn=" + gone, err: "NoSuchEntity: Policy " + gone + " does not exist or is not attachable."},
	})
}

// Nobody changes a policy of AWS, not even root, and whether there is such a
// policy or not.
func TestPolicyOfAWSIsNotChanged(t *testing.T) {
	for _, s := range []step{
		step("CreatePolicyVersion SetAsDefault=true&PolicyDocument=" + allowAll), "SetDefaultPolicyVersion VersionId=v1",
		"DeletePolicyVersion VersionId=v1", "DeletePolicy x=", "TagPolicy Tags.member.1.Key=k&Tags.member.1.Value=", "UntagPolicy TagKeys.member.1=k",
	} {
		name, _, _ := strings.Cut(string(s), " ")
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for _, arn := range []step{viewOnlyARN, "arn:aws:iam::aws:policy/Nothing"} {
				f.requireAnswer(s+"&PolicyArn="+arn, nil, "AccessDenied: Policy is outside your own account.")
			}
			f.requireAnswer("GetPolicy PolicyArn="+viewOnlyARN, &iamapi.GetPolicyResponse{Policy: viewOnlyShown(nil)}, "")
		})
	}
}

func TestPolicyOfAWSIsUsed(t *testing.T) {
	f := newFixture(t)
	shown := iamapi.AttachedPolicy{PolicyName: new("ViewOnlyAccess"), PolicyArn: new(viewOnlyARN)}
	f.do(
		createAlice, createBob, createDevs,
		"AttachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN, "AttachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN,
		"AttachGroupPolicy GroupName=devs&PolicyArn="+viewOnlyARN,
		"PutUserPermissionsBoundary UserName=bob&PermissionsBoundary="+viewOnlyARN,
		"CreateUser UserName=carol&PermissionsBoundary=arn:aws:iam::aws:policy/AdministratorAccess",
	)
	f.requireAnswer("GetPolicy PolicyArn="+viewOnlyARN, &iamapi.GetPolicyResponse{Policy: viewOnlyShown(func(p *iamapi.Policy) {
		p.AttachmentCount, p.PermissionsBoundaryUsageCount = 2, 1
	})}, "")
	f.requireAnswer("ListAttachedUserPolicies UserName=alice", &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{shown}}, "")
	f.requireAnswer("ListAttachedUserPolicies UserName=alice&PathPrefix=/job-function/", &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{shown}}, "")
	f.requireAnswer("ListAttachedGroupPolicies GroupName=devs", &iamapi.ListAttachedGroupPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{shown}}, "")
	f.requireAnswer("ListEntitiesForPolicy PolicyArn="+viewOnlyARN, &iamapi.ListEntitiesForPolicyResponse{
		PolicyGroups: []iamapi.PolicyGroup{{GroupName: new("Devs"), GroupId: new(id("AGPA", 3))}},
		PolicyUsers:  []iamapi.PolicyUser{{UserName: new("Alice"), UserId: new(id("AIDA", 1))}, {UserName: new("bob"), UserId: new(id("AIDA", 2))}},
	}, "")
	require.Equal(t, viewOnlyARN, *f.do("GetUser UserName=bob").(*iamapi.GetUserResponse).User.PermissionsBoundary.PermissionsBoundaryArn)
	f.requireAnswer("DeleteUser UserName=alice", nil, "DeleteConflict: Cannot delete entity, must detach all policies first.")

	f.do("DetachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN, "DetachGroupPolicy GroupName=devs&PolicyArn="+viewOnlyARN, "DeleteUserPermissionsBoundary UserName=bob")
	f.requireAnswer("DetachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN, nil, "NoSuchEntity: Policy "+viewOnlyARN+" was not found.")
	f.requireAnswer("GetPolicy PolicyArn="+viewOnlyARN, &iamapi.GetPolicyResponse{Policy: viewOnlyShown(nil)}, "")

	const gone = "arn:aws:iam::aws:policy/Nothing"
	f.requireAnswer("AttachUserPolicy UserName=alice&PolicyArn="+gone, nil, "NoSuchEntity: Policy "+gone+" does not exist or is not attachable.")
	f.requireAnswer("PutUserPermissionsBoundary UserName=bob&PermissionsBoundary="+gone, nil, "NoSuchEntity: Scope ARN: "+gone+" does not exist or is not attachable.")
}

// The quota of attachments counts policies of AWS as well.
func TestPolicyOfAWSCounts(t *testing.T) {
	f := newFixture(t)
	f.quotas.AttachedPoliciesPerUserQuota = 1
	f.do(createAlice, createLimits, "AttachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN)
	f.requireAnswer("AttachUserPolicy UserName=alice&PolicyArn="+limitsARN, nil, "LimitExceeded: Cannot exceed quota for PoliciesPerUser: 1")
}

// A policy of the account can have the name of one of AWS, and is another one.
func TestPolicyNamedAsOneOfAWS(t *testing.T) {
	f := newFixture(t)
	f.do(
		createAlice, step("CreatePolicy PolicyName=viewonlyaccess&PolicyDocument="+allowAll),
		"AttachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN, "AttachUserPolicy UserName=alice&PolicyArn=arn:aws:iam:::policy/viewonlyaccess",
		"DetachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN,
	)
	f.requireAnswer("ListAttachedUserPolicies UserName=alice", &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{
		{PolicyName: new("viewonlyaccess"), PolicyArn: new("arn:aws:iam::123456789012:policy/viewonlyaccess")},
	}}, "")
}

func TestListPoliciesOfAWS(t *testing.T) {
	f := newFixture(t)
	f.do(
		step("CreatePolicy PolicyName=Billing&PolicyDocument="+allowAll), step("CreatePolicy PolicyName=powerUserAccess&PolicyDocument="+allowAll),
		step("CreatePolicy PolicyName=zeal&Path=/job-function/&PolicyDocument="+allowAll), createAlice,
		"AttachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN, "AttachUserPolicy UserName=alice&PolicyArn=arn:aws:iam:::policy/Billing",
		"PutUserPermissionsBoundary UserName=alice&PermissionsBoundary=arn:aws:iam::aws:policy/PowerUserAccess",
	)
	everything := []string{
		"AdministratorAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess", "Billing", "IAMFullAccess", "IAMReadOnlyAccess", "IAMUserChangePassword",
		"powerUserAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess", "zeal",
	}
	pages := func(parameters step) [][]string {
		return walk(f, "ListPolicies "+parameters, func(r action.Response) (names []string, truncated bool, marker *string) {
			list := r.(*iamapi.ListPoliciesResponse)
			for i := range list.Policies {
				names = append(names, *list.Policies[i].PolicyName)
			}
			return names, list.IsTruncated, list.Marker
		})
	}
	for _, tt := range []struct {
		name, parameters string
		want             []string
	}{
		{"all, by name without regard to case", "", everything},
		{"those of AWS", "Scope=AWS", []string{
			"AdministratorAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess", "IAMFullAccess", "IAMReadOnlyAccess", "IAMUserChangePassword",
			"PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess",
		}},
		{"below a path", "PathPrefix=/job-function/", []string{"ViewOnlyAccess", "zeal"}},
		{"attached ones", "OnlyAttached=true", []string{"Billing", "ViewOnlyAccess"}},
		{"attached ones of AWS", "OnlyAttached=true&Scope=AWS", []string{"ViewOnlyAccess"}},
		{"those used as boundaries", "PolicyUsageFilter=PermissionsBoundary", []string{"PowerUserAccess"}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, [][]string{tt.want}, pages(step(tt.parameters))) })
	}
	// Pages of any size hold each policy once.
	for _, limit := range []string{"1", "2", "3", "5", "12", "13"} {
		t.Run("pages of "+limit, func(t *testing.T) {
			var got []string
			for _, page := range pages(step("MaxItems=" + limit)) {
				got = append(got, page...)
			}
			require.Equal(t, everything, got)
		})
	}
}

// Tools that audit accounts read the documents of what is in use here.
func TestAuthorizationDetailsOfAWSPolicies(t *testing.T) {
	f := newFixture(t)
	f.do(
		createAlice, "AttachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN,
		"PutUserPermissionsBoundary UserName=alice&PermissionsBoundary=arn:aws:iam::aws:policy/PowerUserAccess",
	)
	pages := walk(f, "GetAccountAuthorizationDetails MaxItems=1&Filter.member.1=AWSManagedPolicy", func(r action.Response) (names []string, truncated bool, marker *string) {
		page := r.(*iamapi.GetAccountAuthorizationDetailsResponse)
		for i := range page.Policies {
			names = append(names, *page.Policies[i].PolicyName)
		}
		return names, page.IsTruncated, page.Marker
	})
	require.Equal(t, [][]string{{"PowerUserAccess"}, {"ViewOnlyAccess"}}, pages)

	all := f.do("GetAccountAuthorizationDetails ").(*iamapi.GetAccountAuthorizationDetailsResponse)
	m := viewOnly()
	require.Equal(t, iamapi.ManagedPolicyDetail{
		PolicyName: &m.Name, PolicyId: &m.ID, Arn: &m.ARN, Path: &m.Path, DefaultVersionId: new("v1"), AttachmentCount: 1, IsAttachable: true,
		Description: &m.Description, CreateDate: &m.Created, UpdateDate: &m.Updated,
		PolicyVersionList: []iamapi.PolicyVersion{version("v1", true, m.Updated, m.Document)},
	}, all.Policies[1])
}

// loadManaged returns the policies of a server with one more.
func loadManaged(t *testing.T, name string) *managed.Policies {
	t.Helper()
	dir := t.TempDir()
	document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), []byte(document), 0o600))
	loaded, err := managed.Load(dir)
	require.NoError(t, err)
	return loaded
}

// What is attached stays attached when the policy goes, so that nothing that it
// denied is forgotten, and can be detached.
func TestPolicyOfAWSGoes(t *testing.T) {
	f := newFixture(t)
	const auditors = "arn:aws:iam::aws:policy/Auditors"
	f.managed = loadManaged(t, "Auditors")
	f.do(createAlice, "AttachUserPolicy UserName=alice&PolicyArn="+auditors)

	f.managed = nil
	attached := &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{{PolicyName: new("Auditors"), PolicyArn: new(auditors)}}}
	f.requireAnswer("ListAttachedUserPolicies UserName=alice", attached, "")
	f.requireAnswer("GetPolicy PolicyArn="+auditors, nil, "NoSuchEntity: Policy "+auditors+" was not found.")
	f.do("DetachUserPolicy UserName=alice&PolicyArn="+auditors, "DeleteUser UserName=alice")
}
