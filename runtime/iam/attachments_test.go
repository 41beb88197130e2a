package iam_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/action"
)

// attachedLimits is how the policy of createLimits shows where it is attached.
var attachedLimits = iamapi.AttachedPolicy{PolicyName: new("limits"), PolicyArn: new(limitsARN)}

func TestPoliciesAttachedToUsers(t *testing.T) {
	const (
		attach step = "AttachUserPolicy UserName=alice&PolicyArn=" + limitsARN
		detach step = "DetachUserPolicy UserName=alice&PolicyArn=" + limitsARN
		list   step = "ListAttachedUserPolicies UserName=alice"
	)
	runTests(t, []test{
		{
			name:  "a policy is attached",
			after: []step{createLimits, createAlice},
			step:  attach,
			want:  &iamapi.AttachUserPolicyResponse{},
		},
		{
			name:  "a policy may be attached again",
			after: []step{createLimits, createAlice, attach},
			step:  attach,
			want:  &iamapi.AttachUserPolicyResponse{},
		},
		{
			name:  "a policy is shown by the ARN of its own, however it was named",
			after: []step{createLimits, createAlice, "AttachUserPolicy UserName=alice&PolicyArn=arn:aws:iam:::policy/ops/limits"},
			step:  list,
			want:  &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{attachedLimits}},
		},
		{
			name: "to a user who does not exist",
			step: attach,
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "a policy that does not exist",
			after: []step{createAlice},
			step:  attach,
			err:   "NoSuchEntity: Policy " + limitsARN + " does not exist or is not attachable.",
		},
		{
			name:  "a policy is detached",
			after: []step{createLimits, createAlice, attach},
			step:  detach,
			want:  &iamapi.DetachUserPolicyResponse{},
		},
		{
			name:  "what is detached does not show",
			after: []step{createLimits, createAlice, attach, detach},
			step:  list,
			want:  &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{}},
		},
		{
			name:  "a policy is detached once",
			after: []step{createLimits, createAlice, attach, detach},
			step:  detach,
			err:   "NoSuchEntity: Policy " + limitsARN + " was not found.",
		},
		{
			name:  "what is the boundary only is not attached",
			after: []step{createLimits, createAlice, "PutUserPermissionsBoundary UserName=alice&PermissionsBoundary=" + limitsARN},
			step:  detach,
			err:   "NoSuchEntity: Policy " + limitsARN + " was not found.",
		},
		{
			name:  "to detach a policy that does not exist",
			after: []step{createAlice},
			step:  detach,
			err:   "NoSuchEntity: Policy " + limitsARN + " was not found.",
		},
		{
			name: "to detach from a user who does not exist",
			step: detach,
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name: "the policies of a user who does not exist",
			step: list,
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "the policies after a marker that is none",
			after: []step{createAlice},
			step:  list + "&Marker=%21",
			err:   "ValidationError: Invalid Marker.",
		},
	})
}

func TestPoliciesAttachedToGroups(t *testing.T) {
	const (
		attach step = "AttachGroupPolicy GroupName=devs&PolicyArn=" + limitsARN
		detach step = "DetachGroupPolicy GroupName=devs&PolicyArn=" + limitsARN
		list   step = "ListAttachedGroupPolicies GroupName=devs"
	)
	runTests(t, []test{
		{
			name:  "a policy is attached",
			after: []step{createLimits, createDevs},
			step:  attach,
			want:  &iamapi.AttachGroupPolicyResponse{},
		},
		{
			name:  "a policy may be attached again, and shows once",
			after: []step{createLimits, createDevs, attach, attach},
			step:  list,
			want:  &iamapi.ListAttachedGroupPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{attachedLimits}},
		},
		{
			name: "to a group that does not exist",
			step: attach,
			err:  "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name:  "a policy that does not exist",
			after: []step{createDevs},
			step:  attach,
			err:   "NoSuchEntity: Policy " + limitsARN + " does not exist or is not attachable.",
		},
		{
			name:  "a policy is detached",
			after: []step{createLimits, createDevs, attach},
			step:  detach,
			want:  &iamapi.DetachGroupPolicyResponse{},
		},
		{
			name:  "a policy is detached once",
			after: []step{createLimits, createDevs, attach, detach},
			step:  detach,
			err:   "NoSuchEntity: Policy " + limitsARN + " was not found.",
		},
		{
			name:  "what a member has is not the group's",
			after: []step{createLimits, createDevs, createAlice, "AddUserToGroup GroupName=devs&UserName=alice", "AttachUserPolicy UserName=alice&PolicyArn=" + limitsARN},
			step:  list,
			want:  &iamapi.ListAttachedGroupPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{}},
		},
		{
			name: "to detach from a group that does not exist",
			step: detach,
			err:  "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name: "the policies of a group that does not exist",
			step: list,
			err:  "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name:  "the policies after a marker that is none",
			after: []step{createDevs},
			step:  list + "&Marker=%21",
			err:   "ValidationError: Invalid Marker.",
		},
	})
}

// threePolicies are b, A and c, the last one below /ops/.
var threePolicies = []step{
	step("CreatePolicy PolicyName=b&PolicyDocument=" + allowAll),
	step("CreatePolicy PolicyName=A&PolicyDocument=" + allowAll),
	step("CreatePolicy PolicyName=c&Path=/ops/&PolicyDocument=" + allowAll),
}

func TestAttachedPoliciesArePaged(t *testing.T) {
	f := newFixture(t)
	f.do(threePolicies...)
	f.do(createAlice, createDevs)
	for _, p := range []step{"b", "A", "ops/c"} {
		f.do("AttachUserPolicy UserName=alice&PolicyArn=arn:aws:iam:::policy/"+p, "AttachGroupPolicy GroupName=devs&PolicyArn=arn:aws:iam:::policy/"+p)
	}
	names := func(attached []iamapi.AttachedPolicy) (names []string) {
		for _, p := range attached {
			names = append(names, *p.PolicyName)
		}
		return names
	}
	ofUser := func(r action.Response) ([]string, bool, *string) {
		list := r.(*iamapi.ListAttachedUserPoliciesResponse)
		return names(list.AttachedPolicies), list.IsTruncated, list.Marker
	}
	ofGroup := func(r action.Response) ([]string, bool, *string) {
		list := r.(*iamapi.ListAttachedGroupPoliciesResponse)
		return names(list.AttachedPolicies), list.IsTruncated, list.Marker
	}
	require.Equal(t, [][]string{{"A", "b"}, {"c"}}, walk(f, "ListAttachedUserPolicies UserName=alice&MaxItems=2", ofUser))
	require.Equal(t, [][]string{{"c"}}, walk(f, "ListAttachedUserPolicies UserName=alice&MaxItems=1&PathPrefix=/ops/", ofUser))
	require.Equal(t, [][]string{{"A", "b"}, {"c"}}, walk(f, "ListAttachedGroupPolicies GroupName=devs&MaxItems=2", ofGroup))
	require.Equal(t, [][]string{{"c"}}, walk(f, "ListAttachedGroupPolicies GroupName=devs&MaxItems=1&PathPrefix=/ops/", ofGroup))
}

func TestAttachmentQuotas(t *testing.T) {
	f := newFixture(t)
	f.quotas.AttachedPoliciesPerUserQuota, f.quotas.AttachedPoliciesPerGroupQuota = 1, 2
	f.do(threePolicies...)
	f.do(createAlice, createDevs)
	const user, group step = "AttachUserPolicy UserName=alice&PolicyArn=arn:aws:iam:::policy/", "AttachGroupPolicy GroupName=devs&PolicyArn=arn:aws:iam:::policy/"

	f.do(user + "A")
	f.requireAnswer(user+"b", nil, "LimitExceeded: Cannot exceed quota for PoliciesPerUser: 1")
	f.do(user+"A", "DetachUserPolicy UserName=alice&PolicyArn=arn:aws:iam:::policy/A", user+"b")

	f.do(group+"A", group+"b")
	f.requireAnswer(group+"ops/c", nil, "LimitExceeded: Cannot exceed quota for PoliciesPerGroup: 2")
	f.do(group + "A")
}

func TestListEntitiesForPolicy(t *testing.T) {
	f := newFixture(t)
	f.do(
		"CreateUser UserName=Alice&Path=/eng/", createBob, createDevs, createLimits,
		"AttachUserPolicy UserName=alice&PolicyArn="+limitsARN, "PutUserPermissionsBoundary UserName=alice&PermissionsBoundary="+limitsARN,
		"PutUserPermissionsBoundary UserName=bob&PermissionsBoundary="+limitsARN, "AttachGroupPolicy GroupName=devs&PolicyArn="+limitsARN,
	)
	user := func(name string, n int) iamapi.PolicyUser {
		return iamapi.PolicyUser{UserName: &name, UserId: new(id("AIDA", n))}
	}
	groups := []iamapi.PolicyGroup{{GroupName: new("Devs"), GroupId: new(id("AGPA", 3))}}
	aliceAlone, both := []iamapi.PolicyUser{user("Alice", 1)}, []iamapi.PolicyUser{user("Alice", 1), user("bob", 2)}
	for _, tt := range []struct {
		name       string
		parameters step
		want       iamapi.ListEntitiesForPolicyResponse
	}{
		{"every use", "", iamapi.ListEntitiesForPolicyResponse{PolicyGroups: groups, PolicyUsers: both}},
		{"users", "&EntityFilter=User", iamapi.ListEntitiesForPolicyResponse{PolicyUsers: both}},
		{"groups", "&EntityFilter=Group", iamapi.ListEntitiesForPolicyResponse{PolicyGroups: groups}},
		{"roles", "&EntityFilter=Role", iamapi.ListEntitiesForPolicyResponse{}},
		{"policies use none", "&EntityFilter=LocalManagedPolicy", iamapi.ListEntitiesForPolicyResponse{}},
		{"attachments", "&PolicyUsageFilter=PermissionsPolicy", iamapi.ListEntitiesForPolicyResponse{PolicyGroups: groups, PolicyUsers: aliceAlone}},
		{"boundaries", "&PolicyUsageFilter=PermissionsBoundary", iamapi.ListEntitiesForPolicyResponse{PolicyUsers: both}},
		{"below a path", "&PathPrefix=/eng/", iamapi.ListEntitiesForPolicyResponse{PolicyGroups: groups, PolicyUsers: aliceAlone}},
		{"users below a path whose boundary it is", "&PathPrefix=/eng/&EntityFilter=User&PolicyUsageFilter=PermissionsBoundary", iamapi.ListEntitiesForPolicyResponse{PolicyUsers: aliceAlone}},
		{"the first page", "&MaxItems=1", iamapi.ListEntitiesForPolicyResponse{PolicyGroups: groups, IsTruncated: true, Marker: marker("e", "Group\x00"+id("AGPA", 3))}},
		{"the last page", "&MaxItems=2&Marker=" + step(*marker("e", "Group\x00"+id("AGPA", 3))), iamapi.ListEntitiesForPolicyResponse{PolicyUsers: both}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.requireAnswer("ListEntitiesForPolicy PolicyArn="+limitsARN+tt.parameters, &tt.want, "")
		})
	}
	f.requireAnswer("ListEntitiesForPolicy PolicyArn=arn:aws:iam::123456789012:policy/none", nil,
		"NoSuchEntity: Policy arn:aws:iam::123456789012:policy/none does not exist or is not attachable.")
	f.requireAnswer("ListEntitiesForPolicy Marker=%21&PolicyArn="+limitsARN, nil, "ValidationError: Invalid Marker.")
}
