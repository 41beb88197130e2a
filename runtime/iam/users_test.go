package iam_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/action"
	"iamserver/runtime/identity"
)

// allowAll is a policy document as it stands in a step.
var allowAll = url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)

// The steps that most tests begin with.
const (
	createAlice step = "CreateUser UserName=Alice"
	createBob   step = "CreateUser UserName=bob"
)

var createLimits = step("CreatePolicy PolicyName=limits&Path=/ops/&PolicyDocument=" + allowAll)

const limitsARN = "arn:aws:iam::123456789012:policy/ops/limits"

// alice is the first user of a fixture.
func alice(change func(*iamapi.User)) iamapi.User {
	user := iamapi.User{
		Path: new("/"), UserName: new("Alice"), UserId: id("AIDA", 1), Arn: "arn:aws:iam::123456789012:user/Alice",
		CreateDate: day, Tags: []iamapi.Tag{}, Status: new("Active"),
	}
	if change != nil {
		change(&user)
	}
	return user
}

func limitsBoundary() *iamapi.AttachedPermissionsBoundary {
	return &iamapi.AttachedPermissionsBoundary{PermissionsBoundaryType: new("Policy"), PermissionsBoundaryArn: new(limitsARN)}
}

func TestCreateUser(t *testing.T) {
	runTests(t, []test{
		{
			name: "a user has a path only if one is given",
			step: createAlice,
			want: &iamapi.CreateUserResponse{User: new(alice(nil))},
		},
		{
			name:  "a user is created with path, tags in the order of their keys, and boundary",
			after: []step{createLimits},
			step:  "CreateUser UserName=Alice&Path=/a/b/&PermissionsBoundary=" + limitsARN + "&Tags.member.1.Key=team&Tags.member.1.Value=x&Tags.member.2.Key=Cost+Center&Tags.member.2.Value=",
			want: &iamapi.CreateUserResponse{User: new(alice(func(u *iamapi.User) {
				u.UserId = id("AIDA", 2)
				u.Path, u.Arn = new("/a/b/"), "arn:aws:iam::123456789012:user/a/b/Alice"
				u.PermissionsBoundary = limitsBoundary()
				u.Tags = []iamapi.Tag{{Key: "Cost Center", Value: ""}, {Key: "team", Value: "x"}}
			}))},
		},
		{
			name:  "a name in another case is taken",
			after: []step{createAlice},
			step:  "CreateUser UserName=ALICE",
			err:   "EntityAlreadyExists: User with name ALICE already exists.",
		},
		{
			name: "a tag key that begins with aws: is reserved in any case",
			step: "CreateUser UserName=alice&Tags.member.1.Key=Aws:x&Tags.member.1.Value=y",
			err:  "InvalidInput: aws: prefixed tag key names are not allowed for external use.",
		},
		{
			name: "tag keys that differ in case are the same key twice",
			step: "CreateUser UserName=alice&Tags.member.1.Key=x&Tags.member.1.Value=&Tags.member.2.Key=X&Tags.member.2.Value=",
			err:  "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.",
		},
		{
			name: "a boundary that does not exist",
			step: "CreateUser UserName=alice&PermissionsBoundary=" + limitsARN,
			err:  "NoSuchEntity: Scope ARN: " + limitsARN + " does not exist or is not attachable.",
		},
	})
}

func TestPoliciesByARN(t *testing.T) {
	missing := func(arn string) string {
		return "NoSuchEntity: Scope ARN: " + arn + " does not exist or is not attachable."
	}
	for _, tt := range []struct {
		name, arn, err string
	}{
		{name: "an ARN as it is shown", arn: limitsARN},
		{name: "an ARN without an account means the own account", arn: "arn:aws:iam:::policy/ops/limits"},
		{name: "another account has nothing here", arn: "arn:aws:iam::210987654321:policy/ops/limits", err: missing("arn:aws:iam::210987654321:policy/ops/limits")},
		{name: "AWS has no such policy", arn: "arn:aws:iam::aws:policy/ops/limits", err: missing("arn:aws:iam::aws:policy/ops/limits")},
		{name: "the path must be that of the policy", arn: "arn:aws:iam:::policy/limits", err: missing("arn:aws:iam:::policy/limits")},
		{name: "the case must be that of the policy", arn: "arn:aws:iam:::policy/ops/Limits", err: missing("arn:aws:iam:::policy/ops/Limits")},
		{name: "an ARN of a user", arn: "arn:aws:iam:::user/ops/limits", err: "InvalidInput: ARN arn:aws:iam:::user/ops/limits is not valid."},
		{name: "an ARN of another service", arn: "arn:aws:s3:::policy/ops/limits", err: "InvalidInput: ARN arn:aws:s3:::policy/ops/limits is not valid."},
		{name: "no ARN at all", arn: "policy/ops/limits-and-more", err: "InvalidInput: ARN policy/ops/limits-and-more is not valid."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.do(createAlice, createLimits)
			f.requireAnswer(step("PutUserPermissionsBoundary UserName=alice&PermissionsBoundary="+tt.arn), &iamapi.PutUserPermissionsBoundaryResponse{}, tt.err)
			if tt.err == "" {
				f.requireAnswer("GetUser UserName=alice", &iamapi.GetUserResponse{User: alice(func(u *iamapi.User) { u.PermissionsBoundary = limitsBoundary() })}, "")
			}
		})
	}
}

func TestUsersQuota(t *testing.T) {
	f := newFixture(t)
	f.quotas.UsersQuota = 2
	f.do(createAlice, createBob)
	f.requireAnswer("CreateUser UserName=carol", nil, "LimitExceeded: Cannot exceed quota for UsersPerAccount: 2")
	f.requireAnswer("CreateUser UserName=BOB", nil, "EntityAlreadyExists: User with name BOB already exists.")
	f.do("DeleteUser UserName=bob", "CreateUser UserName=carol")
}

func TestGetUser(t *testing.T) {
	root := iamapi.User{UserId: account, Arn: "arn:aws:iam::123456789012:root", CreateDate: opened}
	runTests(t, []test{
		{
			name:  "a user is found in any case and shown as created",
			after: []step{createAlice},
			step:  "GetUser UserName=aLICE",
			want:  &iamapi.GetUserResponse{User: alice(nil)},
		},
		{
			name:  "a user without a name means itself",
			after: []step{createAlice},
			step:  "Alice: GetUser",
			want:  &iamapi.GetUserResponse{User: alice(nil)},
		},
		{
			name:  "a service account means its parent",
			after: []step{createAlice, "CreateServiceAccount ParentUser=Alice"},
			step:  step(serviceAccountID("Alice", 2) + ": GetUser"),
			want:  &iamapi.GetUserResponse{User: alice(nil)},
		},
		{
			name: "root means itself, who has neither a name nor a path",
			step: "GetUser",
			want: &iamapi.GetUserResponse{User: root},
		},
		{
			name:  "root is called as the account is",
			after: []step{"CreateAccountAlias AccountAlias=acme"},
			step:  "GetUser",
			want: &iamapi.GetUserResponse{User: func() iamapi.User {
				named := root
				named.UserName = new("acme")
				return named
			}()},
		},
		{
			name: "a user that does not exist",
			step: "GetUser UserName=bob",
			err:  "NoSuchEntity: The user with name bob cannot be found.",
		},
	})
}

func TestListUsers(t *testing.T) {
	f := newFixture(t)
	f.do("CreateUser UserName=bob&Path=/ops/", "CreateUser UserName=Carol&Path=/ops/eu/", "CreateUser UserName=alice")
	names := func(s step) (names []string) {
		for _, u := range f.do(s).(*iamapi.ListUsersResponse).Users {
			names = append(names, *u.UserName)
		}
		return names
	}
	require.Equal(t, []string{"alice", "bob", "Carol"}, names("ListUsers"))
	require.Equal(t, []string{"bob", "Carol"}, names("ListUsers PathPrefix=/op"))
	require.Equal(t, []string{"Carol"}, names("ListUsers PathPrefix=/ops/eu/"))
	require.Empty(t, names("ListUsers PathPrefix=/OPS/"))

	carol := iamapi.User{
		Path: new("/ops/eu/"), UserName: new("Carol"), UserId: id("AIDA", 2), Arn: "arn:aws:iam::123456789012:user/ops/eu/Carol",
		CreateDate: day, Tags: []iamapi.Tag{}, Status: new("Active"),
	}
	f.requireAnswer("ListUsers PathPrefix=/ops/eu/", &iamapi.ListUsersResponse{Users: []iamapi.User{carol}}, "")
	f.requireAnswer("ListUsers PathPrefix=/none/", &iamapi.ListUsersResponse{Users: []iamapi.User{}}, "")
	f.requireAnswer("ListUsers Marker=%21", nil, "ValidationError: Invalid Marker.")
}

func TestPagesOfUsersSurviveChange(t *testing.T) {
	f := newFixture(t)
	f.do("CreateUser UserName=a", "CreateUser UserName=c", "CreateUser UserName=E", "CreateUser UserName=g")
	page := func(marker *string) ([]string, *string) {
		s := step("ListUsers MaxItems=2")
		if marker != nil {
			s += step("&Marker=" + *marker)
		}
		r := f.do(s).(*iamapi.ListUsersResponse)
		require.Equal(t, r.Marker != nil, r.IsTruncated)
		var names []string
		for _, u := range r.Users {
			names = append(names, *u.UserName)
		}
		return names, r.Marker
	}
	first, next := page(nil)
	require.Equal(t, []string{"a", "c"}, first)
	require.Equal(t, marker("u", "c"), next)

	// The user at which the page ended goes, one comes before it and one after.
	f.do("DeleteUser UserName=c", "CreateUser UserName=b", "CreateUser UserName=d")
	second, next := page(next)
	require.Equal(t, []string{"d", "E"}, second)
	third, next := page(next)
	require.Equal(t, []string{"g"}, third)
	require.Nil(t, next)
}

func TestUpdateUser(t *testing.T) {
	runTests(t, []test{
		{
			name:  "neither a new name nor a new path changes nothing",
			after: []step{createAlice, "UpdateUser UserName=alice"},
			step:  "GetUser UserName=alice",
			want:  &iamapi.GetUserResponse{User: alice(nil)},
		},
		{
			name:  "a new path is part of the ARN",
			after: []step{createAlice, "UpdateUser UserName=alice&NewPath=/x/"},
			step:  "GetUser UserName=alice",
			want: &iamapi.GetUserResponse{User: alice(func(u *iamapi.User) {
				u.Path, u.Arn = new("/x/"), "arn:aws:iam::123456789012:user/x/Alice"
			})},
		},
		{
			name:  "a user may change the case of its name",
			after: []step{createAlice, "UpdateUser UserName=alice&NewUserName=ALICE"},
			step:  "GetUser UserName=alice",
			want: &iamapi.GetUserResponse{User: alice(func(u *iamapi.User) {
				u.UserName, u.Arn = new("ALICE"), "arn:aws:iam::123456789012:user/ALICE"
			})},
		},
		{
			name:  "an answer says nothing",
			after: []step{createAlice},
			step:  "UpdateUser UserName=alice&NewUserName=bob",
			want:  &iamapi.UpdateUserResponse{},
		},
		{
			name:  "another user's name is taken",
			after: []step{createAlice, createBob},
			step:  "UpdateUser UserName=alice&NewUserName=BOB",
			err:   "EntityAlreadyExists: User with name BOB already exists.",
		},
		{
			name: "a user that does not exist",
			step: "UpdateUser UserName=bob",
			err:  "NoSuchEntity: The user with name bob cannot be found.",
		},
	})
}

func TestDeleteUser(t *testing.T) {
	runTests(t, []test{
		{
			name:  "a user with nothing left goes",
			after: []step{createAlice},
			step:  "DeleteUser UserName=ALICE",
			want:  &iamapi.DeleteUserResponse{},
		},
		{
			name:  "a user in groups and with a boundary goes, and so do those",
			after: []step{createAlice, "CreateGroup GroupName=devs", "AddUserToGroup GroupName=devs&UserName=Alice", createLimits, "PutUserPermissionsBoundary UserName=alice&PermissionsBoundary=" + limitsARN, "DeleteUser UserName=alice", "DeleteGroup GroupName=devs"},
			step:  "DeletePolicy PolicyArn=" + limitsARN,
			want:  &iamapi.DeletePolicyResponse{},
		},
		{
			name:  "a deleted user does not exist",
			after: []step{createAlice, "DeleteUser UserName=alice"},
			step:  "DeleteUser UserName=alice",
			err:   "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name:  "access keys go first",
			after: []step{createAlice, "CreateAccessKey UserName=alice"},
			step:  "DeleteUser UserName=alice",
			err:   "DeleteConflict: Cannot delete entity, must delete access keys first.",
		},
		{
			name:  "service accounts go first",
			after: []step{createAlice, "CreateServiceAccount ParentUser=alice"},
			step:  "DeleteUser UserName=alice",
			err:   "DeleteConflict: Cannot delete entity, must delete service accounts first.",
		},
		{
			name:  "inline policies go first",
			after: []step{createAlice, step("PutUserPolicy UserName=alice&PolicyName=p&PolicyDocument=" + allowAll)},
			step:  "DeleteUser UserName=alice",
			err:   "DeleteConflict: Cannot delete entity, must delete policies first.",
		},
		{
			name:  "attached policies are detached first",
			after: []step{createAlice, createLimits, "AttachUserPolicy UserName=alice&PolicyArn=" + limitsARN},
			step:  "DeleteUser UserName=alice",
			err:   "DeleteConflict: Cannot delete entity, must detach all policies first.",
		},
	})
}

func TestSetUserStatus(t *testing.T) {
	inactive := alice(func(u *iamapi.User) { u.Status = new("Inactive") })
	runTests(t, []test{
		{
			name:  "a disabled user is shown so",
			after: []step{createAlice, "SetUserStatus UserName=alice&Status=Inactive"},
			step:  "GetUser UserName=alice",
			want:  &iamapi.GetUserResponse{User: inactive},
		},
		{
			name:  "in lists too",
			after: []step{createAlice, "SetUserStatus UserName=alice&Status=Inactive"},
			step:  "ListUsers",
			want:  &iamapi.ListUsersResponse{Users: []iamapi.User{inactive}},
		},
		{
			name:  "a user that is enabled again is as before",
			after: []step{createAlice, "SetUserStatus UserName=alice&Status=Inactive", "SetUserStatus UserName=alice&Status=Active"},
			step:  "GetUser UserName=alice",
			want:  &iamapi.GetUserResponse{User: alice(nil)},
		},
		{
			name:  "an answer says nothing",
			after: []step{createAlice},
			step:  "SetUserStatus UserName=alice&Status=Active",
			want:  &iamapi.SetUserStatusResponse{},
		},
		{
			name:  "there are two statuses",
			after: []step{createAlice},
			step:  "SetUserStatus UserName=alice&Status=inactive",
			err:   "ValidationError: 1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]",
		},
		{
			name: "a user that does not exist",
			step: "SetUserStatus UserName=bob&Status=Active",
			err:  "NoSuchEntity: The user with name bob cannot be found.",
		},
	})
}

func TestUserPermissionsBoundary(t *testing.T) {
	put := step("PutUserPermissionsBoundary UserName=alice&PermissionsBoundary=" + limitsARN)
	runTests(t, []test{
		{
			name:  "a boundary is put in place of another",
			after: []step{createAlice, step("CreatePolicy PolicyName=other&PolicyDocument=" + allowAll), "PutUserPermissionsBoundary UserName=alice&PermissionsBoundary=arn:aws:iam:::policy/other", createLimits, put},
			step:  "GetUser UserName=alice",
			want:  &iamapi.GetUserResponse{User: alice(func(u *iamapi.User) { u.PermissionsBoundary = limitsBoundary() })},
		},
		{
			name:  "a boundary is removed",
			after: []step{createAlice, createLimits, put, "DeleteUserPermissionsBoundary UserName=alice"},
			step:  "GetUser UserName=alice",
			want:  &iamapi.GetUserResponse{User: alice(nil)},
		},
		{
			name:  "a policy that bounds a user stays",
			after: []step{createAlice, createLimits, put},
			step:  "DeletePolicy PolicyArn=" + limitsARN,
			err:   "DeleteConflict: Cannot delete a policy attached to entities.",
		},
		{
			name:  "a boundary that is not there can be removed",
			after: []step{createAlice},
			step:  "DeleteUserPermissionsBoundary UserName=alice",
			want:  &iamapi.DeleteUserPermissionsBoundaryResponse{},
		},
		{
			name:  "no user to bound",
			after: []step{createLimits},
			step:  "PutUserPermissionsBoundary UserName=bob&PermissionsBoundary=" + limitsARN,
			err:   "NoSuchEntity: The user with name bob cannot be found.",
		},
		{
			name: "no user to unbind",
			step: "DeleteUserPermissionsBoundary UserName=bob",
			err:  "NoSuchEntity: The user with name bob cannot be found.",
		},
	})
}

func TestUserTags(t *testing.T) {
	tag := func(key, value string) step {
		return step("TagUser UserName=alice&Tags.member.1.Key=" + key + "&Tags.member.1.Value=" + value)
	}
	tags := func(tags ...iamapi.Tag) action.Response { return &iamapi.ListUserTagsResponse{Tags: tags} }
	list := step("ListUserTags UserName=alice")
	runTests(t, []test{
		{
			name:  "tags are added in the order of their keys",
			after: []step{createAlice, tag("team", "x"), tag("cost", "1")},
			step:  list,
			want:  tags(iamapi.Tag{Key: "cost", Value: "1"}, iamapi.Tag{Key: "team", Value: "x"}),
		},
		{
			name:  "a tag replaces one whose key differs only in case",
			after: []step{createAlice, tag("Department", "finance"), tag("department", "hr")},
			step:  list,
			want:  tags(iamapi.Tag{Key: "department", Value: "hr"}),
		},
		{
			name:  "a tag is removed by its key in any case, and an absent one passed over",
			after: []step{createAlice, tag("Team", "x"), tag("cost", "1"), "UntagUser UserName=alice&TagKeys.member.1=TEAM&TagKeys.member.2=none"},
			step:  list,
			want:  tags(iamapi.Tag{Key: "cost", Value: "1"}),
		},
		{
			name:  "a user without tags",
			after: []step{createAlice},
			step:  list,
			want:  &iamapi.ListUserTagsResponse{Tags: []iamapi.Tag{}},
		},
		{
			name:  "tags are listed in pages",
			after: []step{createAlice, tag("a", "1"), tag("b", "2"), tag("c", "3")},
			step:  list + "&MaxItems=2",
			want:  &iamapi.ListUserTagsResponse{Tags: []iamapi.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}, IsTruncated: true, Marker: marker("t", "b")},
		},
		{
			name:  "and the next page begins after a tag that is gone",
			after: []step{createAlice, tag("a", "1"), tag("b", "2"), tag("c", "3"), "UntagUser UserName=alice&TagKeys.member.1=b"},
			step:  list + "&MaxItems=2&Marker=" + step(*marker("t", "b")),
			want:  tags(iamapi.Tag{Key: "c", Value: "3"}),
		},
		{
			name:  "reserved keys",
			after: []step{createAlice},
			step:  tag("AWS:x", "y"),
			err:   "InvalidInput: aws: prefixed tag key names are not allowed for external use.",
		},
		{
			name:  "a marker that is none",
			after: []step{createAlice},
			step:  list + "&Marker=%21",
			err:   "ValidationError: Invalid Marker.",
		},
		{
			name: "no user to tag",
			step: tag("a", "b"),
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name: "no user to untag",
			step: "UntagUser UserName=alice&TagKeys.member.1=a",
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
		{
			name: "no user to list the tags of",
			step: list,
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
	})
}

func TestUserHasFiftyTagsAtMost(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice)
	for i := range 50 {
		f.do(step(fmt.Sprintf("TagUser UserName=alice&Tags.member.1.Key=k%02d&Tags.member.1.Value=", i)))
	}
	f.requireAnswer("TagUser UserName=alice&Tags.member.1.Key=one+more&Tags.member.1.Value=", nil, "LimitExceeded: The number of tags has reached the maximum limit.")
	f.do("TagUser UserName=alice&Tags.member.1.Key=K00&Tags.member.1.Value=replaced")
	require.Len(t, f.do("ListUserTags UserName=alice").(*iamapi.ListUserTagsResponse).Tags, 50)
}

// A rename changes names and ARNs, and nothing else.
func TestRenamedUserKeepsEverything(t *testing.T) {
	f := newFixture(t)
	f.do(
		createAlice, createLimits,
		"CreateGroup GroupName=devs", "AddUserToGroup GroupName=devs&UserName=alice",
		step("PutUserPolicy UserName=alice&PolicyName=inline&PolicyDocument="+allowAll),
		"AttachUserPolicy UserName=alice&PolicyArn="+limitsARN,
		"PutUserPermissionsBoundary UserName=alice&PermissionsBoundary="+limitsARN,
		"TagUser UserName=alice&Tags.member.1.Key=k&Tags.member.1.Value=v",
		"SetUserStatus UserName=alice&Status=Inactive",
		"CreateAccessKey UserName=alice&AccessKeyId=alices&SecretAccessKey=secretsecret",
		"CreateServiceAccount ParentUser=alice",
		"UpdateUser UserName=alice&NewUserName=Zoe&NewPath=/z/",
	)
	f.requireAnswer("GetUser UserName=alice", nil, "NoSuchEntity: The user with name alice cannot be found.")
	zoe := iamapi.User{
		Path: new("/z/"), UserName: new("Zoe"), UserId: id("AIDA", 1), Arn: "arn:aws:iam::123456789012:user/z/Zoe", CreateDate: day,
		PermissionsBoundary: limitsBoundary(), Tags: []iamapi.Tag{{Key: "k", Value: "v"}}, Status: new("Inactive"),
	}
	f.requireAnswer("GetUser UserName=zoe", &iamapi.GetUserResponse{User: zoe}, "")
	f.requireAnswer("ListAccessKeys UserName=zoe", &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{
		{UserName: new("Zoe"), AccessKeyId: new("alices"), Status: new("Active"), CreateDate: new(day)},
	}}, "")
	require.Equal(t, []string{"inline"}, f.do("ListUserPolicies UserName=zoe").(*iamapi.ListUserPoliciesResponse).PolicyNames)
	require.Len(t, f.do("ListAttachedUserPolicies UserName=zoe").(*iamapi.ListAttachedUserPoliciesResponse).AttachedPolicies, 1)
	require.Len(t, f.do("ListGroupsForUser UserName=zoe").(*iamapi.ListGroupsForUserResponse).Groups, 1)
	require.Equal(t, new("Zoe"), f.do("GetGroup GroupName=devs").(*iamapi.GetGroupResponse).Users[0].UserName)
	require.Equal(t, "Zoe", f.do("ListServiceAccounts").(*iamapi.ListServiceAccountsResponse).ServiceAccounts[0].ParentUser)
}

// A user who is created under the name of a former one is another.
func TestRecreatedUserInheritsNothing(t *testing.T) {
	f := newFixture(t)
	f.do(
		createAlice, createLimits,
		"CreateGroup GroupName=devs", "AddUserToGroup GroupName=devs&UserName=alice",
		"PutUserPermissionsBoundary UserName=alice&PermissionsBoundary="+limitsARN,
		"TagUser UserName=alice&Tags.member.1.Key=k&Tags.member.1.Value=v",
		"SetUserStatus UserName=alice&Status=Inactive",
		"CreateAccessKey UserName=alice&AccessKeyId=alices&SecretAccessKey=secretsecret",
		"DeleteAccessKey UserName=alice&AccessKeyId=alices",
		"DeleteUser UserName=alice",
	)
	f.now = day.Add(time.Hour)
	created := f.do(createAlice).(*iamapi.CreateUserResponse).User
	require.NotEqual(t, id("AIDA", 1), created.UserId)
	require.Equal(t, new(alice(func(u *iamapi.User) { u.UserId, u.CreateDate = created.UserId, f.now })), created)
	f.requireAnswer("ListAccessKeys UserName=alice", &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{}}, "")
	require.Empty(t, f.do("ListGroupsForUser UserName=alice").(*iamapi.ListGroupsForUserResponse).Groups)
	require.Empty(t, f.do("GetGroup GroupName=devs").(*iamapi.GetGroupResponse).Users)
}

// A name is free at once, for a rename too.
func TestUsersSwapNames(t *testing.T) {
	f := newFixture(t)
	f.do(
		createAlice, createBob, "CreateAccessKey UserName=alice&AccessKeyId=alices&SecretAccessKey=secretsecret",
		"UpdateUser UserName=alice&NewUserName=tmp", "UpdateUser UserName=bob&NewUserName=alice", "UpdateUser UserName=tmp&NewUserName=bob",
	)
	f.requireAnswer("DeleteAccessKey UserName=alice&AccessKeyId=alices", nil, "NoSuchEntity: The Access Key with id alices cannot be found.")
	f.do("DeleteAccessKey UserName=bob&AccessKeyId=alices")
	require.NoError(t, f.db.View(t.Context(), func(tx *identity.Tx) error {
		user, err := tx.User("alice")
		require.Equal(t, id("AIDA", 2), user.ID)
		return err
	}))
}
