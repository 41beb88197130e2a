package iam_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/action"
)

// sized returns a policy document of that size as quotas count it, as it stands
// in a step. It begins and ends with white space, which does not count.
func sized(size int) string {
	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::"}]}`
	return url.QueryEscape(" \n" + strings.Replace(document, ":::", ":::"+strings.Repeat("b", size-len(document)), 1) + "\t")
}

func TestInlinePoliciesOfUsers(t *testing.T) {
	put := step("PutUserPolicy UserName=alice&PolicyName=Read&PolicyDocument=" + allowAll)
	runTests(t, []test{
		{
			name:  "a policy is embedded",
			after: []step{createAlice},
			step:  put,
			want:  &iamapi.PutUserPolicyResponse{},
		},
		{
			name: "in a user who does not exist, whatever the document",
			step: "PutUserPolicy UserName=alice&PolicyName=p&PolicyDocument=x",
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "a document that is no policy",
			after: []step{createAlice},
			step:  "PutUserPolicy UserName=alice&PolicyName=p&PolicyDocument=x",
			err:   "MalformedPolicyDocument: Syntax errors in policy.",
		},
		{
			name:  "a document without a version is good enough for an inline policy",
			after: []step{createAlice},
			step:  `PutUserPolicy UserName=alice&PolicyName=p&PolicyDocument={"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`,
			want:  &iamapi.PutUserPolicyResponse{},
		},
		{
			name:  "a policy is shown byte for byte under the user's own name",
			after: []step{createAlice, "PutUserPolicy UserName=alice&PolicyName=p&PolicyDocument=" + step(sized(110))},
			step:  "GetUserPolicy UserName=ALICE&PolicyName=p",
			want: &iamapi.GetUserPolicyResponse{
				UserName: "Alice", PolicyName: "p", PolicyDocument: unescape(t, sized(110)),
			},
		},
		{
			name:  "a policy takes the place of the one that has the name",
			after: []step{createAlice, put, "PutUserPolicy UserName=alice&PolicyName=Read&PolicyDocument=" + step(sized(110))},
			step:  "GetUserPolicy UserName=alice&PolicyName=Read",
			want: &iamapi.GetUserPolicyResponse{
				UserName: "Alice", PolicyName: "Read", PolicyDocument: unescape(t, sized(110)),
			},
		},
		{
			name:  "names of inline policies are distinguished by case",
			after: []step{createAlice, put},
			step:  "GetUserPolicy UserName=alice&PolicyName=read",
			err:   "NoSuchEntity: The user policy with name read cannot be found.",
		},
		{
			name: "to get a policy of a user who does not exist",
			step: "GetUserPolicy UserName=alice&PolicyName=p",
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "a policy is removed",
			after: []step{createAlice, put},
			step:  "DeleteUserPolicy UserName=alice&PolicyName=Read",
			want:  &iamapi.DeleteUserPolicyResponse{},
		},
		{
			name:  "a policy is removed once",
			after: []step{createAlice, put, "DeleteUserPolicy UserName=alice&PolicyName=Read"},
			step:  "DeleteUserPolicy UserName=alice&PolicyName=Read",
			err:   "NoSuchEntity: The user policy with name Read cannot be found.",
		},
		{
			name: "to remove a policy of a user who does not exist",
			step: "DeleteUserPolicy UserName=alice&PolicyName=p",
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "the names of no policies",
			after: []step{createAlice},
			step:  "ListUserPolicies UserName=alice",
			want:  &iamapi.ListUserPoliciesResponse{PolicyNames: []string{}},
		},
		{
			name: "the names of policies of a user who does not exist",
			step: "ListUserPolicies UserName=alice",
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "the names of policies after a marker that is none",
			after: []step{createAlice},
			step:  "ListUserPolicies UserName=alice&Marker=%21",
			err:   "ValidationError: Invalid Marker.",
		},
	})
}

func TestInlinePoliciesOfGroups(t *testing.T) {
	put := step("PutGroupPolicy GroupName=devs&PolicyName=Read&PolicyDocument=" + allowAll)
	runTests(t, []test{
		{
			name:  "a policy is embedded",
			after: []step{createDevs},
			step:  put,
			want:  &iamapi.PutGroupPolicyResponse{},
		},
		{
			name: "in a group that does not exist, whatever the document",
			step: "PutGroupPolicy GroupName=devs&PolicyName=p&PolicyDocument=x",
			err:  "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name:  "a document that is no policy",
			after: []step{createDevs},
			step:  "PutGroupPolicy GroupName=devs&PolicyName=p&PolicyDocument=x",
			err:   "MalformedPolicyDocument: Syntax errors in policy.",
		},
		{
			name:  "a policy is shown under the group's own name",
			after: []step{createDevs, put},
			step:  "GetGroupPolicy GroupName=DEVS&PolicyName=Read",
			want:  &iamapi.GetGroupPolicyResponse{GroupName: "Devs", PolicyName: "Read", PolicyDocument: unescape(t, allowAll)},
		},
		{
			name:  "a user's policy is not that of a group of the name",
			after: []step{createDevs, "CreateUser UserName=devs", "PutUserPolicy UserName=devs&PolicyName=Read&PolicyDocument=" + step(allowAll)},
			step:  "GetGroupPolicy GroupName=devs&PolicyName=Read",
			err:   "NoSuchEntity: The group policy with name Read cannot be found.",
		},
		{
			name: "to get a policy of a group that does not exist",
			step: "GetGroupPolicy GroupName=devs&PolicyName=p",
			err:  "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name:  "a policy is removed",
			after: []step{createDevs, put},
			step:  "DeleteGroupPolicy GroupName=devs&PolicyName=Read",
			want:  &iamapi.DeleteGroupPolicyResponse{},
		},
		{
			name:  "a policy is removed once",
			after: []step{createDevs, put, "DeleteGroupPolicy GroupName=devs&PolicyName=Read"},
			step:  "DeleteGroupPolicy GroupName=devs&PolicyName=Read",
			err:   "NoSuchEntity: The group policy with name Read cannot be found.",
		},
		{
			name: "to remove a policy of a group that does not exist",
			step: "DeleteGroupPolicy GroupName=devs&PolicyName=p",
			err:  "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name:  "the names of policies",
			after: []step{createDevs, put},
			step:  "ListGroupPolicies GroupName=devs",
			want:  &iamapi.ListGroupPoliciesResponse{PolicyNames: []string{"Read"}},
		},
		{
			name: "the names of policies of a group that does not exist",
			step: "ListGroupPolicies GroupName=devs",
			err:  "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name:  "the names of policies after a marker that is none",
			after: []step{createDevs},
			step:  "ListGroupPolicies GroupName=devs&Marker=%21",
			err:   "ValidationError: Invalid Marker.",
		},
	})
}

func TestInlinePolicySizes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		create   step
		put, get step
		tooMuch  string
		max      int
	}{
		{
			name: "all policies of a user together", create: createAlice,
			put: "PutUserPolicy UserName=alice&PolicyName=", get: "GetUserPolicy UserName=alice&PolicyName=",
			tooMuch: "LimitExceeded: Maximum policy size of 2048 bytes exceeded for user Alice", max: 2048,
		},
		{
			name: "all policies of a group together", create: createDevs,
			put: "PutGroupPolicy GroupName=devs&PolicyName=", get: "GetGroupPolicy GroupName=devs&PolicyName=",
			tooMuch: "LimitExceeded: Maximum policy size of 5120 bytes exceeded for group Devs", max: 5120,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			put := func(name string, size int) step { return tt.put + step(name+"&PolicyDocument="+sized(size)) }
			f.do(tt.create)
			_, err := f.call(put("a", tt.max+1))
			require.EqualError(t, err, tt.tooMuch)

			f.do(put("a", tt.max))
			_, err = f.call(put("b", 100))
			require.EqualError(t, err, tt.tooMuch)
			_, err = f.call(tt.get + "b")
			require.ErrorContains(t, err, "NoSuchEntity")

			f.do(put("a", tt.max-100), put("b", 100))
			_, err = f.call(put("b", 101))
			require.EqualError(t, err, tt.tooMuch)
			_, err = f.call(put("A", 100))
			require.EqualError(t, err, tt.tooMuch, "another policy, since the case differs")
		})
	}
}

func TestInlinePolicySizeIsConfigured(t *testing.T) {
	f := newFixture(t)
	f.quotas.UserPolicySizeQuota, f.quotas.GroupPolicySizeQuota = 0, 100
	f.do(createAlice, createDevs, step("PutUserPolicy UserName=alice&PolicyName=p&PolicyDocument="+sized(60_000)))
	f.requireAnswer(step("PutGroupPolicy GroupName=devs&PolicyName=p&PolicyDocument="+sized(101)), nil,
		"LimitExceeded: Maximum policy size of 100 bytes exceeded for group Devs")
}

// The markers of the longest names are accepted.
func TestInlinePolicyNamesArePaged(t *testing.T) {
	long := func(first string) string { return first + strings.Repeat("x", 127) }
	f := newFixture(t)
	f.do(createAlice, createDevs)
	for _, name := range []string{long("b"), long("A"), "C", long("a")} {
		f.do(
			step("PutUserPolicy UserName=alice&PolicyName="+name+"&PolicyDocument="+allowAll),
			step("PutGroupPolicy GroupName=devs&PolicyName="+name+"&PolicyDocument="+allowAll),
		)
	}
	want := [][]string{{long("A")}, {long("a")}, {long("b")}, {"C"}}
	require.Equal(t, want, walk(f, "ListUserPolicies UserName=alice&MaxItems=1", func(r action.Response) ([]string, bool, *string) {
		list := r.(*iamapi.ListUserPoliciesResponse)
		return list.PolicyNames, list.IsTruncated, list.Marker
	}))
	require.Equal(t, want, walk(f, "ListGroupPolicies GroupName=devs&MaxItems=1", func(r action.Response) ([]string, bool, *string) {
		list := r.(*iamapi.ListGroupPoliciesResponse)
		return list.PolicyNames, list.IsTruncated, list.Marker
	}))
}

func unescape(t *testing.T, s string) string {
	text, err := url.QueryUnescape(s)
	require.NoError(t, err)
	return text
}
