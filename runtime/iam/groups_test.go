package iam_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/action"
)

const (
	createDevs step = "CreateGroup GroupName=Devs&Path=/eng/"
	createOps  step = "CreateGroup GroupName=ops"
)

// devs is the first group of a fixture.
func devs(change func(*iamapi.Group)) iamapi.Group {
	group := iamapi.Group{
		Path: "/eng/", GroupName: "Devs", GroupId: id("AGPA", 1), Arn: "arn:aws:iam::123456789012:group/eng/Devs", CreateDate: day,
	}
	if change != nil {
		change(&group)
	}
	return group
}

func groupNames(groups []iamapi.Group) []string {
	names := make([]string, len(groups))
	for i := range groups {
		names[i] = groups[i].GroupName
	}
	return names
}

// walk follows the markers of a list to its end and returns what show makes of
// each page, which must be truncated if and only if it has a marker.
func walk(f *fixture, s step, show func(action.Response) (items []string, truncated bool, marker *string)) (pages [][]string) {
	for next := s; ; {
		items, truncated, marker := show(f.do(next))
		require.Equal(f.t, truncated, marker != nil, next)
		pages = append(pages, items)
		if marker == nil {
			return pages
		}
		next = s + step("&Marker="+*marker)
	}
}

func TestCreateGroup(t *testing.T) {
	runTests(t, []test{
		{
			name: "a group is created with a path",
			step: createDevs,
			want: &iamapi.CreateGroupResponse{Group: devs(nil)},
		},
		{
			name: "a group without a path has /",
			step: "CreateGroup GroupName=Devs",
			want: &iamapi.CreateGroupResponse{Group: devs(func(g *iamapi.Group) {
				g.Path, g.Arn = "/", "arn:aws:iam::123456789012:group/Devs"
			})},
		},
		{
			name:  "a name in another case and path is taken",
			after: []step{createDevs},
			step:  "CreateGroup GroupName=DEVS",
			err:   "EntityAlreadyExists: Group with name DEVS already exists.",
		},
		{
			name:  "a group may be called like a user",
			after: []step{"CreateUser UserName=devs"},
			step:  createDevs,
			want:  &iamapi.CreateGroupResponse{Group: devs(func(g *iamapi.Group) { g.GroupId = id("AGPA", 2) })},
		},
	})
}

func TestGroupsQuota(t *testing.T) {
	f := newFixture(t)
	f.quotas.GroupsQuota = 2
	f.do(createDevs, createOps)
	f.requireAnswer("CreateGroup GroupName=qa", nil, "LimitExceeded: Cannot exceed quota for GroupsPerAccount: 2")
	f.requireAnswer("GetGroup GroupName=qa", nil, "NoSuchEntity: The group with name qa cannot be found.")
	f.do("DeleteGroup GroupName=ops", "CreateGroup GroupName=qa")
}

func TestGetGroup(t *testing.T) {
	runTests(t, []test{
		{
			name:  "a group is found in any case and shown as created, with its members",
			after: []step{createDevs, createAlice, "AddUserToGroup GroupName=devs&UserName=alice"},
			step:  "GetGroup GroupName=dEVS",
			want: &iamapi.GetGroupResponse{
				Group: devs(nil),
				Users: []iamapi.User{alice(func(u *iamapi.User) { u.UserId = id("AIDA", 2) })},
			},
		},
		{
			name:  "a group without members",
			after: []step{createDevs},
			step:  "GetGroup GroupName=Devs",
			want:  &iamapi.GetGroupResponse{Group: devs(nil), Users: []iamapi.User{}},
		},
		{
			name: "a group that does not exist",
			step: "GetGroup GroupName=devs",
			err:  "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name:  "a marker that is none",
			after: []step{createDevs},
			step:  "GetGroup GroupName=Devs&Marker=%21",
			err:   "ValidationError: Invalid Marker.",
		},
	})
}

func TestPagesOfMembersSurviveChange(t *testing.T) {
	f := newFixture(t)
	f.do(createDevs)
	for _, name := range []string{"a", "C", "e", "g"} {
		f.do(step("CreateUser UserName="+name), step("AddUserToGroup GroupName=Devs&UserName="+name))
	}
	page := func(more step) (names []string, marker *string) {
		r := f.do("GetGroup GroupName=Devs&MaxItems=2" + more).(*iamapi.GetGroupResponse)
		require.Equal(t, devs(nil), r.Group, "each page shows the group")
		for i := range r.Users {
			names = append(names, *r.Users[i].UserName)
		}
		return names, r.Marker
	}
	names, next := page("")
	require.Equal(t, []string{"a", "C"}, names)
	f.do("RemoveUserFromGroup GroupName=Devs&UserName=c", "UpdateUser UserName=e&NewUserName=b", "CreateUser UserName=d", "AddUserToGroup GroupName=Devs&UserName=d")
	names, next = page(step("&Marker=" + *next))
	require.Equal(t, []string{"d", "g"}, names)
	require.Nil(t, next)
}

func TestListGroups(t *testing.T) {
	f := newFixture(t)
	f.do("CreateGroup GroupName=ops&Path=/ops/", "CreateGroup GroupName=QA&Path=/ops/eu/", createDevs, "UpdateGroup GroupName=devs&Disabled=true")
	f.requireAnswer("ListGroups PathPrefix=/eng/", &iamapi.ListGroupsResponse{Groups: []iamapi.Group{
		devs(func(g *iamapi.Group) { g.GroupId, g.Disabled = id("AGPA", 3), true }),
	}}, "")
	f.requireAnswer("ListGroups PathPrefix=/none/", &iamapi.ListGroupsResponse{Groups: []iamapi.Group{}}, "")
	f.requireAnswer("ListGroups Marker=%21", nil, "ValidationError: Invalid Marker.")

	show := func(r action.Response) ([]string, bool, *string) {
		list := r.(*iamapi.ListGroupsResponse)
		return groupNames(list.Groups), list.IsTruncated, list.Marker
	}
	require.Equal(t, [][]string{{"Devs", "ops", "QA"}}, walk(f, "ListGroups PathPrefix=/", show))
	require.Equal(t, [][]string{{"ops", "QA"}}, walk(f, "ListGroups PathPrefix=/op", show))
	require.Equal(t, [][]string{{"Devs"}, {"ops"}, {"QA"}}, walk(f, "ListGroups MaxItems=1", show))
}

func TestUpdateGroup(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after []step
		step  step
		get   step
		want  iamapi.Group
		err   string
	}{
		{
			name: "a new name", step: "UpdateGroup GroupName=devs&NewGroupName=Makers", get: "GetGroup GroupName=makers",
			want: devs(func(g *iamapi.Group) {
				g.GroupName, g.Arn = "Makers", "arn:aws:iam::123456789012:group/eng/Makers"
			}),
		},
		{
			name: "a new path", step: "UpdateGroup GroupName=devs&NewPath=/", get: "GetGroup GroupName=devs",
			want: devs(func(g *iamapi.Group) { g.Path, g.Arn = "/", "arn:aws:iam::123456789012:group/Devs" }),
		},
		{
			name: "the own name in another case", step: "UpdateGroup GroupName=devs&NewGroupName=DEVS", get: "GetGroup GroupName=devs",
			want: devs(func(g *iamapi.Group) { g.GroupName, g.Arn = "DEVS", "arn:aws:iam::123456789012:group/eng/DEVS" }),
		},
		{
			name: "disabled", step: "UpdateGroup GroupName=devs&Disabled=true", get: "GetGroup GroupName=devs",
			want: devs(func(g *iamapi.Group) { g.Disabled = true }),
		},
		{
			name: "enabled again", after: []step{"UpdateGroup GroupName=devs&Disabled=true"},
			step: "UpdateGroup GroupName=devs&Disabled=false", get: "GetGroup GroupName=devs", want: devs(nil),
		},
		{
			name: "a rename leaves it disabled", after: []step{"UpdateGroup GroupName=devs&Disabled=true"},
			step: "UpdateGroup GroupName=devs&NewGroupName=devs", get: "GetGroup GroupName=devs",
			want: devs(func(g *iamapi.Group) {
				g.GroupName, g.Arn, g.Disabled = "devs", "arn:aws:iam::123456789012:group/eng/devs", true
			}),
		},
		{name: "nothing", step: "UpdateGroup GroupName=devs", get: "GetGroup GroupName=devs", want: devs(nil)},
		{
			name: "the name of another", after: []step{createOps},
			step: "UpdateGroup GroupName=devs&NewGroupName=OPS", err: "EntityAlreadyExists: Group with name OPS already exists.",
		},
		{
			name: "a group that does not exist", step: "UpdateGroup GroupName=qa",
			err: "NoSuchEntity: The group with name qa cannot be found.",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.do(createDevs)
			f.do(tt.after...)
			f.now = day.Add(time.Hour)
			f.requireAnswer(tt.step, &iamapi.UpdateGroupResponse{}, tt.err)
			if tt.err == "" {
				f.requireAnswer(tt.get, &iamapi.GetGroupResponse{Group: tt.want, Users: []iamapi.User{}}, "")
			}
		})
	}
}

func TestDeleteGroup(t *testing.T) {
	inline := step("PutGroupPolicy GroupName=devs&PolicyName=p&PolicyDocument=" + allowAll)
	const attach step = "AttachGroupPolicy GroupName=devs&PolicyArn=" + limitsARN
	runTests(t, []test{
		{
			name:  "an empty group goes",
			after: []step{createDevs},
			step:  "DeleteGroup GroupName=DEVS",
			want:  &iamapi.DeleteGroupResponse{},
		},
		{
			name:  "a group with members stays",
			after: []step{createDevs, createLimits, attach, inline, createAlice, "AddUserToGroup GroupName=devs&UserName=alice"},
			step:  "DeleteGroup GroupName=devs",
			err:   "DeleteConflict: Cannot delete entity, must remove users from group first.",
		},
		{
			name:  "a group with inline policies stays",
			after: []step{createDevs, createLimits, attach, inline},
			step:  "DeleteGroup GroupName=devs",
			err:   "DeleteConflict: Cannot delete entity, must delete policies first.",
		},
		{
			name:  "a group with attached policies stays",
			after: []step{createDevs, createLimits, attach},
			step:  "DeleteGroup GroupName=devs",
			err:   "DeleteConflict: Cannot delete entity, must detach all policies first.",
		},
		{
			name: "a group goes when all is removed",
			after: []step{
				createDevs, createLimits, attach, inline, createAlice, "AddUserToGroup GroupName=devs&UserName=alice",
				"RemoveUserFromGroup GroupName=devs&UserName=alice", "DeleteGroupPolicy GroupName=devs&PolicyName=p",
				"DetachGroupPolicy GroupName=devs&PolicyArn=" + limitsARN,
			},
			step: "DeleteGroup GroupName=devs",
			want: &iamapi.DeleteGroupResponse{},
		},
		{
			name: "a group that does not exist",
			step: "DeleteGroup GroupName=devs",
			err:  "NoSuchEntity: The group with name devs cannot be found.",
		},
	})
}

func TestMembership(t *testing.T) {
	const add step = "AddUserToGroup GroupName=devs&UserName=alice"
	runTests(t, []test{
		{
			name:  "a user is added",
			after: []step{createDevs, createAlice},
			step:  add,
			want:  &iamapi.AddUserToGroupResponse{},
		},
		{
			name:  "a user may be added again",
			after: []step{createDevs, createAlice, add},
			step:  add,
			want:  &iamapi.AddUserToGroupResponse{},
		},
		{
			name:  "to add a user who does not exist",
			after: []step{createDevs},
			step:  add,
			err:   "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "to add to a group that does not exist",
			after: []step{createAlice},
			step:  add,
			err:   "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name:  "a member is removed",
			after: []step{createDevs, createAlice, add},
			step:  "RemoveUserFromGroup GroupName=DEVS&UserName=ALICE",
			want:  &iamapi.RemoveUserFromGroupResponse{},
		},
		{
			name:  "who is not a member may be removed",
			after: []step{createDevs, createAlice},
			step:  "RemoveUserFromGroup GroupName=devs&UserName=alice",
			want:  &iamapi.RemoveUserFromGroupResponse{},
		},
		{
			name: "where neither exists the user is missed",
			step: "RemoveUserFromGroup GroupName=devs&UserName=alice",
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "to remove from a group that does not exist",
			after: []step{createAlice},
			step:  "RemoveUserFromGroup GroupName=devs&UserName=alice",
			err:   "NoSuchEntity: The group with name devs cannot be found.",
		},
		{
			name:  "the groups of a user",
			after: []step{createDevs, createAlice, add},
			step:  "ListGroupsForUser UserName=alice",
			want:  &iamapi.ListGroupsForUserResponse{Groups: []iamapi.Group{devs(nil)}},
		},
		{
			name:  "the groups of a user who is in none any more",
			after: []step{createDevs, createAlice, add, "RemoveUserFromGroup GroupName=devs&UserName=alice"},
			step:  "ListGroupsForUser UserName=alice",
			want:  &iamapi.ListGroupsForUserResponse{Groups: []iamapi.Group{}},
		},
		{
			name: "the groups of a user who does not exist",
			step: "ListGroupsForUser UserName=alice",
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "the groups of a user after a marker that is none",
			after: []step{createAlice},
			step:  "ListGroupsForUser UserName=alice&Marker=%21",
			err:   "ValidationError: Invalid Marker.",
		},
	})
}

func TestListGroupsForUserIsPaged(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice)
	for _, name := range []string{"b", "A", "C"} {
		f.do(step("CreateGroup GroupName="+name), step("AddUserToGroup UserName=alice&GroupName="+name))
	}
	pages := walk(f, "ListGroupsForUser UserName=alice&MaxItems=2", func(r action.Response) ([]string, bool, *string) {
		list := r.(*iamapi.ListGroupsForUserResponse)
		return groupNames(list.Groups), list.IsTruncated, list.Marker
	})
	require.Equal(t, [][]string{{"A", "b"}, {"C"}}, pages)
}

func TestGroupsPerUserQuota(t *testing.T) {
	f := newFixture(t)
	f.quotas.GroupsPerUserQuota = 1
	f.do(createAlice, createDevs, createOps, "AddUserToGroup UserName=alice&GroupName=devs")
	f.requireAnswer("AddUserToGroup UserName=alice&GroupName=ops", nil, "LimitExceeded: Cannot exceed quota for GroupsPerUser: 1")
	f.do("AddUserToGroup UserName=alice&GroupName=devs")
	f.do("RemoveUserFromGroup UserName=alice&GroupName=devs", "AddUserToGroup UserName=alice&GroupName=ops")
}

// What storage can hold is the limit where the quota is higher, or none.
func TestGroupsPerUserAreBounded(t *testing.T) {
	for _, quota := range []int{0, 1000} {
		t.Run(fmt.Sprintf("with a quota of %d", quota), func(t *testing.T) {
			f := newFixture(t)
			f.quotas.GroupsPerUserQuota = quota
			f.do(createAlice)
			for i := range 41 {
				f.do(step(fmt.Sprintf("CreateGroup GroupName=g%02d", i)))
			}
			for i := range 40 {
				f.do(step(fmt.Sprintf("AddUserToGroup UserName=alice&GroupName=g%02d", i)))
			}
			f.requireAnswer("AddUserToGroup UserName=alice&GroupName=g40", nil, "LimitExceeded: Cannot exceed quota for GroupsPerUser: 40")
			f.do("DeleteUser UserName=alice")
		})
	}
}

// A rename changes the name and ARN of a group, and nothing else.
func TestRenamedGroupKeepsEverything(t *testing.T) {
	f := newFixture(t)
	f.do(
		createDevs, createAlice, createLimits,
		"AddUserToGroup GroupName=devs&UserName=alice",
		step("PutGroupPolicy GroupName=devs&PolicyName=inline&PolicyDocument="+allowAll),
		"AttachGroupPolicy GroupName=devs&PolicyArn="+limitsARN,
		"UpdateGroup GroupName=devs&NewGroupName=Makers&NewPath=/z/&Disabled=true",
	)
	f.requireAnswer("GetGroup GroupName=devs", nil, "NoSuchEntity: The group with name devs cannot be found.")
	makers := iamapi.Group{
		Path: "/z/", GroupName: "Makers", GroupId: id("AGPA", 1), Arn: "arn:aws:iam::123456789012:group/z/Makers", CreateDate: day, Disabled: true,
	}
	f.requireAnswer("GetGroup GroupName=makers", &iamapi.GetGroupResponse{
		Group: makers, Users: []iamapi.User{alice(func(u *iamapi.User) { u.UserId = id("AIDA", 2) })},
	}, "")
	f.requireAnswer("ListGroupsForUser UserName=alice", &iamapi.ListGroupsForUserResponse{Groups: []iamapi.Group{makers}}, "")
	f.requireAnswer("ListGroupPolicies GroupName=makers", &iamapi.ListGroupPoliciesResponse{PolicyNames: []string{"inline"}}, "")
	f.requireAnswer("ListAttachedGroupPolicies GroupName=makers", &iamapi.ListAttachedGroupPoliciesResponse{
		AttachedPolicies: []iamapi.AttachedPolicy{{PolicyName: new("limits"), PolicyArn: new(limitsARN)}},
	}, "")
	f.requireAnswer("ListEntitiesForPolicy PolicyArn="+limitsARN, &iamapi.ListEntitiesForPolicyResponse{
		PolicyGroups: []iamapi.PolicyGroup{{GroupName: new("Makers"), GroupId: new(id("AGPA", 1))}},
	}, "")
}

// A group that is created under the name of a former one is another.
func TestRecreatedGroupInheritsNothing(t *testing.T) {
	f := newFixture(t)
	f.do(
		createDevs, createAlice,
		"AddUserToGroup GroupName=devs&UserName=alice", "UpdateGroup GroupName=devs&Disabled=true",
		step("PutGroupPolicy GroupName=devs&PolicyName=inline&PolicyDocument="+allowAll),
		"UpdateGroup GroupName=devs&NewGroupName=former",
		createDevs,
	)
	f.requireAnswer("GetGroup GroupName=devs", &iamapi.GetGroupResponse{
		Group: devs(func(g *iamapi.Group) { g.GroupId = id("AGPA", 3) }), Users: []iamapi.User{},
	}, "")
	f.requireAnswer("ListGroupPolicies GroupName=devs", &iamapi.ListGroupPoliciesResponse{PolicyNames: []string{}}, "")
	require.Equal(t, []string{"former"}, groupNames(f.do("ListGroupsForUser UserName=alice").(*iamapi.ListGroupsForUserResponse).Groups))
}
