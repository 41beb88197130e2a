package iam_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/action"
)

func TestGetAccountAuthorizationDetails(t *testing.T) {
	f := newFixture(t)
	f.do(
		createAlice, "CreateUser UserName=bob&Path=/b/", createDevs, createLimits,
		"TagUser UserName=alice&Tags.member.1.Key=k&Tags.member.1.Value=v",
		step("PutUserPolicy UserName=alice&PolicyName=own&PolicyDocument="+allowAll),
		"AttachUserPolicy UserName=alice&PolicyArn="+limitsARN,
		"PutUserPermissionsBoundary UserName=alice&PermissionsBoundary="+limitsARN,
		"AddUserToGroup GroupName=devs&UserName=alice",
		step("PutGroupPolicy GroupName=devs&PolicyName=shared&PolicyDocument="+sized(100)),
		"AttachGroupPolicy GroupName=devs&PolicyArn="+limitsARN,
		step("CreatePolicyVersion PolicyArn="+limitsARN+"&PolicyDocument="+sized(100)),
		step("CreatePolicy PolicyName=zeal&Description=d&Tags.member.1.Key=k&Tags.member.1.Value=v&PolicyDocument="+allowAll),
	)
	document, second := unescape(t, allowAll), unescape(t, sized(100))
	attached := []iamapi.AttachedPolicy{attachedLimits}

	users := []iamapi.UserDetail{
		{
			Path: new("/"), UserName: new("Alice"), UserId: new(id("AIDA", 1)), Arn: new("arn:aws:iam::123456789012:user/Alice"), CreateDate: new(day),
			UserPolicyList:          []iamapi.PolicyDetail{{PolicyName: new("own"), PolicyDocument: &document}},
			GroupList:               []string{"Devs"},
			AttachedManagedPolicies: attached,
			PermissionsBoundary:     limitsBoundary(),
			Tags:                    []iamapi.Tag{{Key: "k", Value: "v"}},
		},
		{
			Path: new("/b/"), UserName: new("bob"), UserId: new(id("AIDA", 2)), Arn: new("arn:aws:iam::123456789012:user/b/bob"), CreateDate: new(day),
			GroupList: []string{}, AttachedManagedPolicies: []iamapi.AttachedPolicy{}, Tags: []iamapi.Tag{},
		},
	}
	groups := []iamapi.GroupDetail{{
		Path: new("/eng/"), GroupName: new("Devs"), GroupId: new(id("AGPA", 3)), Arn: new("arn:aws:iam::123456789012:group/eng/Devs"), CreateDate: new(day),
		GroupPolicyList:         []iamapi.PolicyDetail{{PolicyName: new("shared"), PolicyDocument: &second}},
		AttachedManagedPolicies: attached,
	}}
	policies := []iamapi.ManagedPolicyDetail{
		{
			PolicyName: new("limits"), PolicyId: new(id("ANPA", 4)), Arn: new(limitsARN), Path: new("/ops/"), DefaultVersionId: new("v1"),
			AttachmentCount: 2, PermissionsBoundaryUsageCount: 1, IsAttachable: true, CreateDate: new(day), UpdateDate: new(day),
			PolicyVersionList: []iamapi.PolicyVersion{version("v2", false, day, second), version("v1", true, day, document)},
		},
		{
			PolicyName: new("zeal"), PolicyId: new(id("ANPA", 5)), Arn: new("arn:aws:iam::123456789012:policy/zeal"), Path: new("/"), DefaultVersionId: new("v1"),
			IsAttachable: true, Description: new("d"), CreateDate: new(day), UpdateDate: new(day),
			PolicyVersionList: []iamapi.PolicyVersion{version("v1", true, day, document)},
		},
	}
	for _, tt := range []struct {
		name       string
		parameters step
		want       *iamapi.GetAccountAuthorizationDetailsResponse
		err        string
	}{
		{name: "everything", want: &iamapi.GetAccountAuthorizationDetailsResponse{UserDetailList: users, GroupDetailList: groups, Policies: policies}},
		{name: "users", parameters: "Filter.member.1=User", want: &iamapi.GetAccountAuthorizationDetailsResponse{UserDetailList: users}},
		{name: "groups", parameters: "Filter.member.1=Group", want: &iamapi.GetAccountAuthorizationDetailsResponse{GroupDetailList: groups}},
		{name: "policies", parameters: "Filter.member.1=LocalManagedPolicy", want: &iamapi.GetAccountAuthorizationDetailsResponse{Policies: policies}},
		{name: "roles and AWS's policies", parameters: "Filter.member.1=Role&Filter.member.2=AWSManagedPolicy", want: &iamapi.GetAccountAuthorizationDetailsResponse{}},
		{
			name: "policies and users, in whatever order they are asked for", parameters: "Filter.member.1=LocalManagedPolicy&Filter.member.2=User",
			want: &iamapi.GetAccountAuthorizationDetailsResponse{UserDetailList: users, Policies: policies},
		},
		{
			name: "a page that ends with the last user goes on with the first group", parameters: "MaxItems=2",
			want: &iamapi.GetAccountAuthorizationDetailsResponse{UserDetailList: users, IsTruncated: true, Marker: marker("d", "Group:")},
		},
		{
			name: "a page begins where the one before ended", parameters: "MaxItems=2&Marker=" + step(*marker("d", "User:alice")),
			want: &iamapi.GetAccountAuthorizationDetailsResponse{
				UserDetailList: users[1:], GroupDetailList: groups, IsTruncated: true, Marker: marker("d", "LocalManagedPolicy:"),
			},
		},
		{
			name: "a page with room for the rest is the last", parameters: "MaxItems=2&Marker=" + step(*marker("d", "LocalManagedPolicy:")),
			want: &iamapi.GetAccountAuthorizationDetailsResponse{Policies: policies},
		},
		{name: "a marker that is none", parameters: "Marker=%21", err: "ValidationError: Invalid Marker."},
		{name: "a marker of another list", parameters: "Marker=" + step(*marker("u", "alice")), err: "ValidationError: Invalid Marker."},
		{
			name: "a marker of a kind that is not asked for", parameters: "Filter.member.1=Group&Marker=" + step(*marker("d", "User:alice")),
			err: "ValidationError: Invalid Marker.",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.requireAnswer("GetAccountAuthorizationDetails "+tt.parameters, tt.want, tt.err)
		})
	}
}

// Whatever MaxItems says, a page ends when its documents fill it; what quotas
// do not count counts there.
func TestAuthorizationDetailsAreBounded(t *testing.T) {
	f := newFixture(t)
	blanks := url.QueryEscape(`{"Version":"2012-10-17","Statement":[` + strings.Repeat(" ", 128_000) + `{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	for _, name := range []step{"a", "b", "c", "d", "e", "f"} {
		f.do("CreatePolicy PolicyName=" + name + "&PolicyDocument=" + step(blanks))
		for range 4 {
			f.do("CreatePolicyVersion PolicyArn=arn:aws:iam:::policy/" + name + "&PolicyDocument=" + step(blanks))
		}
	}
	f.do(createAlice, createDevs)
	for _, name := range []step{"p", "q", "r", "s"} {
		f.do("PutUserPolicy UserName=alice&PolicyName=" + name + "&PolicyDocument=" + step(blanks))
	}
	pages := walk(f, "GetAccountAuthorizationDetails MaxItems=1000", func(r action.Response) (names []string, truncated bool, marker *string) {
		page := r.(*iamapi.GetAccountAuthorizationDetailsResponse)
		for i := range page.UserDetailList {
			names = append(names, *page.UserDetailList[i].UserName)
		}
		for i := range page.GroupDetailList {
			names = append(names, *page.GroupDetailList[i].GroupName)
		}
		for i := range page.Policies {
			names = append(names, *page.Policies[i].PolicyName)
		}
		return names, page.IsTruncated, page.Marker
	})
	require.Equal(t, [][]string{{"Alice", "Devs", "a"}, {"b", "c"}, {"d", "e"}, {"f"}}, pages)
}

func TestPagesOfAuthorizationDetailsSurviveChange(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice, createBob, createDevs, createOps)
	page := func(more step) *iamapi.GetAccountAuthorizationDetailsResponse {
		return f.do("GetAccountAuthorizationDetails MaxItems=1" + more).(*iamapi.GetAccountAuthorizationDetailsResponse)
	}
	first := page("")
	require.Equal(t, "Alice", *first.UserDetailList[0].UserName)
	f.do("DeleteUser UserName=alice", "DeleteUser UserName=bob", "DeleteGroup GroupName=devs")
	last := page(step("&Marker=" + *first.Marker))
	require.Equal(t, "ops", *last.GroupDetailList[0].GroupName)
	require.False(t, last.IsTruncated)
}
