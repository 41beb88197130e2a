package server_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/server"
)

const account = "123456789012"

// allow is a policy of one statement that allows actions on a resource.
func allow(actions, resource string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":` + actions + `,"Resource":"` + resource + `"}}`
}

// deny is a policy of one statement that denies actions on everything.
func deny(actions string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":` + actions + `,"Resource":"*"}}`
}

// when is a policy that allows everything under a condition.
func when(condition string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + condition + `}}`
}

// A step is an action of somebody and what comes of it: the error code, or "".
type step struct {
	by     string // "root", or the name of a user or service account with a key
	action string
	with   []string
	code   string
}

// play carries out steps with a server of their own. Keys that are made are those
// of whom they are made for: CreateAccessKey of the user, CreateServiceAccount of "account".
func play(t *testing.T, steps []step) {
	t.Helper()
	f := open(t, nil)
	keys := map[string]key{"root": f.root}
	for i, s := range steps {
		by, ok := keys[s.by]
		require.True(t, ok, "step %d: %s has no key", i, s.by)
		with := make([]string, len(s.with))
		for j, value := range s.with {
			with[j] = value
			if owner, ok := keys[value[min(1, len(value)):]]; ok && value[0] == '$' {
				with[j] = owner.AccessKeyID
			}
		}
		status, body := do(t, f.request(t, by, s.action, with...))
		require.Equal(t, s.code, element(body, "Code"), "step %d: %s %s %v: %d %s", i, s.by, s.action, s.with, status, body)
		made := key{AccessKeyID: element(body, "AccessKeyId"), SecretAccessKey: element(body, "SecretAccessKey")}
		if made.SecretAccessKey == "" {
			continue
		}
		if s.action == "CreateServiceAccount" {
			keys["account"] = made
		} else {
			keys[element(body, "UserName")] = made
		}
	}
}

func TestPoliciesAreEnforced(t *testing.T) {
	user := func(name string, more ...string) step {
		return step{"root", "CreateUser", append([]string{"UserName", name}, more...), ""}
	}
	withKey := func(name string) step { return step{"root", "CreateAccessKey", []string{"UserName", name}, ""} }
	inline := func(name, document string) step {
		return step{"root", "PutUserPolicy", []string{"UserName", name, "PolicyName", "p", "PolicyDocument", document}, ""}
	}
	managed := func(name, document string) step {
		return step{"root", "CreatePolicy", []string{"PolicyName", name, "PolicyDocument", document}, ""}
	}
	attach := func(name, policy string) step {
		return step{"root", "AttachUserPolicy", []string{"UserName", name, "PolicyArn", "arn:aws:iam::" + account + ":policy/" + policy}, ""}
	}
	const denied, gone = "AccessDenied", "InvalidClientTokenId"
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"a user without policies may do nothing but help itself", []step{
			user("alice"), withKey("alice"),
			{"alice", "ListUsers", nil, denied},
			{"alice", "GetUser", nil, ""},
			{"alice", "CreateUser", []string{"UserName", "x"}, denied},
		}},
		{"an inline policy allows what it says and no more", []step{
			user("alice"), withKey("alice"), inline("alice", allow(`["iam:ListUsers","iam:GetUser"]`, "*")),
			{"alice", "ListUsers", nil, ""},
			{"alice", "GetUser", []string{"UserName", "ALICE"}, ""},
			{"alice", "ListGroups", nil, denied},
		}},
		{"s3:* on everything gives no rights to IAM", []step{
			user("alice"), withKey("alice"), inline("alice", allow(`"s3:*"`, "*")),
			{"alice", "ListUsers", nil, denied},
			{"alice", "CreateUser", []string{"UserName", "x"}, denied},
			{"alice", "CreateAccessKey", []string{"UserName", "root"}, denied},
			{"alice", "GetAccountSummary", nil, denied},
		}},
		{"an attached policy counts from the next request, and its default version", []step{
			user("alice"), withKey("alice"), managed("Ops", allow(`"iam:ListUsers"`, "*")), attach("alice", "Ops"),
			{"alice", "ListUsers", nil, ""},
			{"alice", "ListGroups", nil, denied},
			{"root", "CreatePolicyVersion", []string{"PolicyArn", "arn:aws:iam::" + account + ":policy/Ops", "PolicyDocument", allow(`"iam:ListGroups"`, "*"), "SetAsDefault", "true"}, ""},
			{"alice", "ListUsers", nil, denied},
			{"alice", "ListGroups", nil, ""},
			{"root", "SetDefaultPolicyVersion", []string{"PolicyArn", "arn:aws:iam::" + account + ":policy/Ops", "VersionId", "v1"}, ""},
			{"alice", "ListUsers", nil, ""},
			{"alice", "ListGroups", nil, denied},
			{"root", "DetachUserPolicy", []string{"UserName", "alice", "PolicyArn", "arn:aws:iam::" + account + ":policy/Ops"}, ""},
			{"alice", "ListUsers", nil, denied},
		}},
		{"a group's policies count for its members, and not while it is disabled", []step{
			user("alice"), withKey("alice"),
			{"root", "CreateGroup", []string{"GroupName", "ops"}, ""},
			{"root", "PutGroupPolicy", []string{"GroupName", "ops", "PolicyName", "p", "PolicyDocument", allow(`"iam:List*"`, "*")}, ""},
			{"alice", "ListUsers", nil, denied},
			{"root", "AddUserToGroup", []string{"GroupName", "ops", "UserName", "alice"}, ""},
			{"alice", "ListUsers", nil, ""},
			{"root", "UpdateGroup", []string{"GroupName", "ops", "Disabled", "true"}, ""},
			{"alice", "ListUsers", nil, denied},
			{"root", "UpdateGroup", []string{"GroupName", "ops", "Disabled", "false"}, ""},
			{"alice", "ListUsers", nil, ""},
			{"root", "UpdateGroup", []string{"GroupName", "ops", "NewGroupName", "operators"}, ""},
			{"alice", "ListUsers", nil, ""},
			{"root", "DeleteGroupPolicy", []string{"GroupName", "operators", "PolicyName", "p"}, ""},
			{"alice", "ListUsers", nil, denied},
			{"root", "PutGroupPolicy", []string{"GroupName", "operators", "PolicyName", "q", "PolicyDocument", allow(`"iam:List*"`, "*")}, ""},
			{"alice", "ListUsers", nil, ""},
			{"root", "RemoveUserFromGroup", []string{"GroupName", "operators", "UserName", "alice"}, ""},
			{"alice", "ListUsers", nil, denied},
		}},
		{"a deny wins, over self-service too", []step{
			user("alice"), withKey("alice"), inline("alice", deny(`"iam:*"`)), managed("All", allow(`"*"`, "*")), attach("alice", "All"),
			{"alice", "ListUsers", nil, denied},
			{"alice", "GetUser", nil, denied},
			{"alice", "CreateAccessKey", nil, denied},
		}},
		{"a boundary holds against policies that its user gives itself, and against self-service", []step{
			managed("Bound", allow(`["iam:PutUserPolicy","iam:ListUsers"]`, "*")),
			user("alice", "PermissionsBoundary", "arn:aws:iam::"+account+":policy/Bound"), withKey("alice"),
			inline("alice", allow(`"iam:PutUserPolicy"`, "*")),
			{"alice", "PutUserPolicy", []string{"UserName", "alice", "PolicyName", "q", "PolicyDocument", allow(`"*"`, "*")}, ""},
			{"alice", "ListUsers", nil, ""},
			{"alice", "ListGroups", nil, denied},
			{"alice", "CreateAccessKey", nil, denied},
			{"alice", "GetUser", nil, denied},
			{"alice", "DeleteUserPermissionsBoundary", []string{"UserName", "alice"}, denied},
			{"root", "DeleteUserPermissionsBoundary", []string{"UserName", "alice"}, ""},
			{"alice", "ListGroups", nil, ""},
		}},
		{"resources are what is stored: a path cannot be made up, and a rename needs both names", []step{
			user("alice"), withKey("alice"), user("bob", "Path", "/staff/"), user("carol"),
			inline("alice", allow(`"iam:*"`, "arn:aws:iam::"+account+":user/staff/*")),
			{"alice", "GetUser", []string{"UserName", "bob"}, ""},
			{"alice", "GetUser", []string{"UserName", "carol"}, denied},
			{"alice", "CreateUser", []string{"UserName", "dave", "Path", "/staff/"}, ""},
			{"alice", "CreateUser", []string{"UserName", "eve"}, denied},
			{"alice", "UpdateUser", []string{"UserName", "bob", "NewPath", "/"}, denied},
			{"alice", "UpdateUser", []string{"UserName", "carol", "NewPath", "/staff/"}, denied},
			{"alice", "UpdateUser", []string{"UserName", "bob", "NewUserName", "robert"}, ""},
			{"alice", "ListUsers", nil, denied},
			{"alice", "GetUser", []string{"UserName", "nobody"}, denied},
		}},
		{"a user made again under its name has nothing of what it was", []step{
			user("alice"), withKey("alice"), inline("alice", allow(`"iam:*"`, "*")),
			{"alice", "ListUsers", nil, ""},
			{"root", "DeleteUserPolicy", []string{"UserName", "alice", "PolicyName", "p"}, ""},
			{"root", "DeleteAccessKey", []string{"UserName", "alice", "AccessKeyId", "$alice"}, ""},
			{"root", "DeleteUser", []string{"UserName", "alice"}, ""},
			{"alice", "ListUsers", nil, gone},
			user("alice"),
			{"alice", "ListUsers", nil, gone},
			withKey("alice"),
			{"alice", "ListUsers", nil, denied},
		}},
		{"attaching can be limited to one policy, however it is written", []step{
			user("alice"), withKey("alice"), user("bob"), managed("Reader", allow(`"iam:Get*"`, "*")), managed("Admin", allow(`"*"`, "*")),
			inline("alice", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::`+account+`:policy/Reader"}}}}`),
			{"alice", "AttachUserPolicy", []string{"UserName", "bob", "PolicyArn", "arn:aws:iam::" + account + ":policy/Reader"}, ""},
			{"alice", "AttachUserPolicy", []string{"UserName", "bob", "PolicyArn", "arn:aws:iam:::policy/Reader"}, ""},
			{"alice", "AttachUserPolicy", []string{"UserName", "bob", "PolicyArn", "arn:aws:iam::" + account + ":policy/Admin"}, denied},
			{"alice", "AttachUserPolicy", []string{"UserName", "bob", "PolicyArn", "arn:aws:iam:::policy/Admin"}, denied},
		}},
		{"users can be made only with a boundary", []step{
			user("alice"), withKey("alice"), managed("Bound", allow(`"s3:*"`, "*")),
			inline("alice", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPolicy"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::`+account+`:policy/Bound"}}}}`),
			{"alice", "CreateUser", []string{"UserName", "bob"}, denied},
			{"alice", "CreateUser", []string{"UserName", "bob", "PermissionsBoundary", "arn:aws:iam:::policy/Bound"}, ""},
			user("carol"),
			{"alice", "PutUserPolicy", []string{"UserName", "carol", "PolicyName", "p", "PolicyDocument", allow(`"*"`, "*")}, denied},
			{"alice", "PutUserPolicy", []string{"UserName", "bob", "PolicyName", "p", "PolicyDocument", allow(`"*"`, "*")}, ""},
		}},
		{"tags of the principal, the resource and the request count", []step{
			user("alice", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red"), withKey("alice"),
			user("bob", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "red"), user("carol", "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue"),
			inline("alice", `{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"StringEquals":{"iam:ResourceTag/team":"${aws:PrincipalTag/team}"}}},
				{"Effect":"Allow","Action":"iam:TagUser","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/env":"dev"},"ForAllValues:StringEquals":{"aws:TagKeys":["env"]}}}]}`),
			{"alice", "GetUser", []string{"UserName", "bob"}, ""},
			{"alice", "GetUser", []string{"UserName", "carol"}, denied},
			{"alice", "TagUser", []string{"UserName", "bob", "Tags.member.1.Key", "env", "Tags.member.1.Value", "dev"}, ""},
			{"alice", "TagUser", []string{"UserName", "bob", "Tags.member.1.Key", "env", "Tags.member.1.Value", "prod"}, denied},
			{"alice", "TagUser", []string{"UserName", "bob", "Tags.member.1.Key", "env", "Tags.member.1.Value", "dev", "Tags.member.2.Key", "team", "Tags.member.2.Value", "red"}, denied},
			{"root", "TagUser", []string{"UserName", "alice", "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue"}, ""},
			{"alice", "GetUser", []string{"UserName", "bob"}, denied},
			{"alice", "GetUser", []string{"UserName", "carol"}, ""},
		}},
		{"who may not see a user does not learn whether there is one", []step{
			user("alice"), withKey("alice"), inline("alice", allow(`"iam:GetUser"`, "arn:aws:iam::"+account+":user/x*")),
			{"alice", "GetUser", []string{"UserName", "xenia"}, "NoSuchEntity"},
			{"alice", "GetUser", []string{"UserName", "bob"}, denied},
			{"alice", "GetUser", []string{"UserName", "root"}, denied},
			{"alice", "GetPolicy", []string{"PolicyArn", "arn:aws:iam:::policy/x"}, denied},
		}},
		{"another's key id with one's own name", []step{
			user("alice"), withKey("alice"), user("bob"), withKey("bob"),
			{"alice", "UpdateAccessKey", []string{"AccessKeyId", "$bob", "Status", "Inactive"}, "NoSuchEntity"},
			{"alice", "DeleteAccessKey", []string{"UserName", "alice", "AccessKeyId", "$bob"}, "NoSuchEntity"},
			{"alice", "DeleteAccessKey", []string{"UserName", "bob", "AccessKeyId", "$bob"}, denied},
			{"alice", "GetAccessKeyLastUsed", []string{"AccessKeyId", "$bob"}, denied},
			{"bob", "GetUser", nil, ""},
		}},
		{"a policy of the older version has no variables", []step{
			user("alice"), withKey("alice"),
			inline("alice", `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"iam:TagUser","Resource":"arn:aws:iam::`+account+`:user/${aws:username}"}}`),
			{"alice", "TagUser", []string{"UserName", "alice", "Tags.member.1.Key", "a", "Tags.member.1.Value", "b"}, denied},
			inline("alice", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:TagUser","Resource":"arn:aws:iam::`+account+`:user/${aws:username}"}}`),
			{"alice", "TagUser", []string{"UserName", "alice", "Tags.member.1.Key", "a", "Tags.member.1.Value", "b"}, ""},
		}},
		{"a service account has its parent's rights, as they are now", []step{
			user("alice"), withKey("alice"),
			{"root", "CreateServiceAccount", []string{"ParentUser", "alice"}, ""},
			{"account", "ListUsers", nil, denied},
			inline("alice", allow(`"iam:ListUsers"`, "*")),
			{"account", "ListUsers", nil, ""},
			{"root", "DeleteUserPolicy", []string{"UserName", "alice", "PolicyName", "p"}, ""},
			{"account", "ListUsers", nil, denied},
		}},
		{"a service account's policy narrows what its parent has", []step{
			user("alice"), inline("alice", allow(`"iam:List*"`, "*")),
			{"root", "CreateServiceAccount", []string{"ParentUser", "alice", "Policy", allow(`["iam:ListUsers","iam:CreateUser"]`, "*")}, ""},
			{"account", "ListUsers", nil, ""},
			{"account", "ListGroups", nil, denied},
			{"account", "CreateUser", []string{"UserName", "x"}, denied},
		}},
		{"a service account whose parent may do everything cannot change where its rights come from", []step{
			user("alice"), inline("alice", allow(`"*"`, "*")), withKey("alice"),
			{"root", "CreateGroup", []string{"GroupName", "g"}, ""},
			{"root", "CreateServiceAccount", []string{"ParentUser", "alice"}, ""},
			{"account", "ListUsers", nil, ""},
			{"account", "GetUser", []string{"UserName", "alice"}, ""},
			{"account", "CreateAccessKey", []string{"UserName", "alice"}, denied},
			{"account", "CreateAccessKey", nil, denied},
			{"account", "UpdateAccessKey", []string{"UserName", "alice", "AccessKeyId", "$alice", "Status", "Inactive"}, denied},
			{"account", "DeleteAccessKey", []string{"UserName", "alice", "AccessKeyId", "$alice"}, denied},
			{"account", "CreateServiceAccount", []string{"ParentUser", "alice"}, denied},
			{"account", "UpdateUser", []string{"UserName", "alice", "NewUserName", "x"}, denied},
			{"account", "SetUserStatus", []string{"UserName", "alice", "Status", "Inactive"}, denied},
			{"account", "PutUserPolicy", []string{"UserName", "alice", "PolicyName", "q", "PolicyDocument", allow(`"*"`, "*")}, denied},
			{"account", "DeleteUserPolicy", []string{"UserName", "alice", "PolicyName", "p"}, denied},
			{"account", "AttachUserPolicy", []string{"UserName", "alice", "PolicyArn", "arn:aws:iam:::policy/x"}, denied},
			{"account", "DetachUserPolicy", []string{"UserName", "alice", "PolicyArn", "arn:aws:iam:::policy/x"}, denied},
			{"account", "PutUserPermissionsBoundary", []string{"UserName", "alice", "PermissionsBoundary", "arn:aws:iam:::policy/x"}, denied},
			{"account", "DeleteUserPermissionsBoundary", []string{"UserName", "alice"}, denied},
			{"account", "TagUser", []string{"UserName", "alice", "Tags.member.1.Key", "a", "Tags.member.1.Value", "b"}, denied},
			{"account", "DeleteUser", []string{"UserName", "alice"}, denied},
			{"account", "AddUserToGroup", []string{"UserName", "alice", "GroupName", "g"}, denied},
			{"root", "AddUserToGroup", []string{"UserName", "alice", "GroupName", "g"}, ""},
			{"account", "RemoveUserFromGroup", []string{"UserName", "alice", "GroupName", "g"}, denied},
			{"account", "CreateUser", []string{"UserName", "bob"}, ""},
			{"account", "AddUserToGroup", []string{"UserName", "bob", "GroupName", "g"}, ""},
		}},
		{"a service account does not change the groups and policies that its rights come from", []step{
			user("alice"), managed("Own", allow(`"*"`, "*")), managed("Bound", allow(`"*"`, "*")), managed("OfGroup", allow(`"*"`, "*")), managed("Other", allow(`"*"`, "*")),
			{"root", "CreateGroup", []string{"GroupName", "g"}, ""},
			{"root", "CreateGroup", []string{"GroupName", "others"}, ""},
			{"root", "AddUserToGroup", []string{"UserName", "alice", "GroupName", "g"}, ""},
			attach("alice", "Own"),
			{"root", "AttachGroupPolicy", []string{"GroupName", "g", "PolicyArn", "arn:aws:iam:::policy/OfGroup"}, ""},
			{"root", "PutUserPermissionsBoundary", []string{"UserName", "alice", "PermissionsBoundary", "arn:aws:iam:::policy/Bound"}, ""},
			{"root", "CreateServiceAccount", []string{"ParentUser", "alice"}, ""},
			{"account", "PutGroupPolicy", []string{"GroupName", "G", "PolicyName", "q", "PolicyDocument", allow(`"*"`, "*")}, denied},
			{"account", "DeleteGroupPolicy", []string{"GroupName", "g", "PolicyName", "q"}, denied},
			{"account", "AttachGroupPolicy", []string{"GroupName", "g", "PolicyArn", "arn:aws:iam:::policy/Other"}, denied},
			{"account", "DetachGroupPolicy", []string{"GroupName", "g", "PolicyArn", "arn:aws:iam:::policy/OfGroup"}, denied},
			{"account", "UpdateGroup", []string{"GroupName", "g", "Disabled", "false"}, denied},
			{"account", "UpdateGroup", []string{"GroupName", "g", "NewGroupName", "h"}, denied},
			{"account", "DeleteGroup", []string{"GroupName", "g"}, denied},
			{"account", "GetGroup", []string{"GroupName", "g"}, ""},
			{"account", "PutGroupPolicy", []string{"GroupName", "others", "PolicyName", "q", "PolicyDocument", allow(`"*"`, "*")}, ""},
			{"account", "CreatePolicyVersion", []string{"PolicyArn", "arn:aws:iam:::policy/Own", "PolicyDocument", allow(`"*"`, "*"), "SetAsDefault", "true"}, denied},
			{"account", "CreatePolicyVersion", []string{"PolicyArn", "arn:aws:iam:::policy/OfGroup", "PolicyDocument", allow(`"*"`, "*")}, denied},
			{"account", "CreatePolicyVersion", []string{"PolicyArn", "arn:aws:iam:::policy/Bound", "PolicyDocument", allow(`"*"`, "*")}, denied},
			{"root", "CreatePolicyVersion", []string{"PolicyArn", "arn:aws:iam:::policy/Own", "PolicyDocument", allow(`["iam:*","s3:*"]`, "*"), "SetAsDefault", "true"}, ""},
			{"account", "SetDefaultPolicyVersion", []string{"PolicyArn", "arn:aws:iam:::policy/Own", "VersionId", "v1"}, denied},
			{"account", "DeletePolicyVersion", []string{"PolicyArn", "arn:aws:iam:::policy/Own", "VersionId", "v1"}, denied},
			{"account", "DeletePolicy", []string{"PolicyArn", "arn:aws:iam:::policy/Own"}, denied},
			{"account", "GetPolicy", []string{"PolicyArn", "arn:aws:iam:::policy/Own"}, ""},
			{"account", "CreatePolicyVersion", []string{"PolicyArn", "arn:aws:iam:::policy/Other", "PolicyDocument", allow(`"s3:*"`, "*")}, ""},
		}},
		{"a boundary's new version counts from the next request, and so does what a service account may", []step{
			user("alice"), withKey("alice"), managed("Bound", allow(`"iam:List*"`, "*")), inline("alice", allow(`"*"`, "*")),
			{"root", "PutUserPermissionsBoundary", []string{"UserName", "alice", "PermissionsBoundary", "arn:aws:iam:::policy/Bound"}, ""},
			{"alice", "ListUsers", nil, ""},
			{"root", "CreatePolicyVersion", []string{"PolicyArn", "arn:aws:iam:::policy/Bound", "PolicyDocument", allow(`"iam:Get*"`, "*"), "SetAsDefault", "true"}, ""},
			{"alice", "ListUsers", nil, denied},
			{"alice", "GetUser", nil, ""},
			{"root", "CreateServiceAccount", []string{"ParentUser", "alice", "Policy", allow(`"iam:Get*"`, "*")}, ""},
			{"account", "GetUser", []string{"UserName", "alice"}, ""},
			{"root", "SetDefaultPolicyVersion", []string{"PolicyArn", "arn:aws:iam:::policy/Bound", "VersionId", "v1"}, ""},
			{"account", "GetUser", []string{"UserName", "alice"}, denied},
			{"account", "ListUsers", nil, denied},
			{"root", "DeleteUserPermissionsBoundary", []string{"UserName", "alice"}, ""},
			{"account", "GetUser", []string{"UserName", "alice"}, ""},
			{"account", "ListUsers", nil, denied},
			{"root", "DeleteUserPolicy", []string{"UserName", "alice", "PolicyName", "p"}, ""},
			{"account", "GetUser", []string{"UserName", "alice"}, denied},
			{"root", "AttachUserPolicy", []string{"UserName", "alice", "PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}, ""},
			{"account", "GetUser", []string{"UserName", "alice"}, ""},
			{"root", "SetUserStatus", []string{"UserName", "alice", "Status", "Inactive"}, ""},
			{"account", "GetUser", []string{"UserName", "alice"}, gone},
		}},
		{"what is unknown in a stored condition never opens anything", []step{
			user("alice"), withKey("alice"),
			inline("alice", when(`{"StringEquals":{"aws:NoSuchKey":"x"}}`)),
			{"alice", "ListUsers", nil, denied},
			inline("alice", when(`{"StringLike":{"aws:username":"${aws:nosuch}*"}}`)),
			{"alice", "ListUsers", nil, denied},
			inline("alice", when(`{"IpAddress":{"aws:SourceIp":"not-an-address"}}`)),
			{"alice", "ListUsers", nil, denied},
			inline("alice", when(`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`)),
			{"alice", "ListUsers", nil, denied},
			{"root", "PutUserPolicy", []string{"UserName", "alice", "PolicyName", "q", "PolicyDocument", when(`{"StringEqual":{"aws:username":"alice"}}`)}, "MalformedPolicyDocument"},
			inline("alice", when(`{"StringEquals":{"aws:username":"alice"}}`)),
			{"alice", "ListUsers", nil, ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { play(t, tt.steps) })
	}
}

func TestServiceAccountsCannotReachEachOther(t *testing.T) {
	f := open(t, nil)
	f.must(t, f.root, "CreateUser", "UserName", "alice")
	f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", allow(`"*"`, "*"))
	narrow := f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice", "Policy", allow(`"iam:*"`, "*"))
	other := f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice")
	f.must(t, f.root, "CreateUser", "UserName", "bob")
	bobs := f.must(t, f.root, "CreateServiceAccount", "ParentUser", "bob")
	by := key{AccessKeyID: element(narrow, "AccessKeyId"), SecretAccessKey: element(narrow, "SecretAccessKey")}
	for name, made := range map[string]string{"itself": narrow, "its sibling": other} {
		id := element(made, "ServiceAccountId")
		for _, change := range [][]string{
			{"UpdateServiceAccount", "ServiceAccountId", id, "Policy", ""},
			{"UpdateServiceAccount", "ServiceAccountId", id, "Status", "Inactive"},
			{"DeleteServiceAccount", "ServiceAccountId", id},
		} {
			status, code, message := refusal(t, f.request(t, by, change[0], change[1:]...))
			require.Equal(t, []any{http.StatusForbidden, "AccessDenied"}, []any{status, code}, "%s: %v", name, change)
			require.Equal(t, "User: "+element(narrow, "Arn")+" is not authorized to perform: iam:"+change[0]+" on resource: "+element(made, "Arn")+
				" because a service account cannot change its parent user, itself or its siblings", message)
		}
		f.must(t, by, "GetServiceAccount", "ServiceAccountId", id)
	}
	f.must(t, by, "UpdateServiceAccount", "ServiceAccountId", element(bobs, "ServiceAccountId"), "Status", "Inactive")
}

// The sentences of AWS's denials, with the reason.
func TestDenialsSayWhy(t *testing.T) {
	const arn, resource = "arn:aws:iam::" + account + ":user/alice", "arn:aws:iam::" + account + ":group/g"
	denial := func(reason string) string {
		return "User: " + arn + " is not authorized to perform: iam:GetGroup on resource: " + resource + " " + reason
	}
	for _, tt := range []struct {
		name, boundary, document, want string
	}{
		{"nothing allows", "", allow(`"iam:ListUsers"`, "*"), denial("because no identity-based policy allows the iam:GetGroup action")},
		{"a policy denies", "", deny(`"iam:*"`), denial("with an explicit deny in an identity-based policy")},
		{"the boundary does not allow", allow(`"s3:*"`, "*"), allow(`"iam:*"`, "*"), denial("because no permissions boundary allows the iam:GetGroup action")},
		{"the boundary denies", deny(`"iam:GetGroup"`), allow(`"iam:*"`, "*"), denial("with an explicit deny in a permissions boundary")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := open(t, nil)
			alice := f.user(t, "alice")
			f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", tt.document)
			if tt.boundary != "" {
				f.must(t, f.root, "CreatePolicy", "PolicyName", "b", "PolicyDocument", tt.boundary)
				f.must(t, f.root, "PutUserPermissionsBoundary", "UserName", "alice", "PermissionsBoundary", "arn:aws:iam:::policy/b")
			}
			status, code, message := refusal(t, f.request(t, alice, "GetGroup", "GroupName", "g"))
			require.Equal(t, []any{http.StatusForbidden, "AccessDenied", tt.want}, []any{status, code, message})
		})
	}
}

// A service account is named by its own ARN, and its own policy where that is what denies.
func TestDenialsOfServiceAccountsSayWhy(t *testing.T) {
	for _, tt := range []struct {
		name, boundary, parents, own, want string
	}{
		{"nothing allows the parent", "", allow(`"s3:*"`, "*"), allow(`"*"`, "*"), "because no identity-based policy allows the iam:GetGroup action"},
		{"a policy of the parent denies", "", deny(`"iam:*"`), allow(`"*"`, "*"), "with an explicit deny in an identity-based policy"},
		{"the boundary of the parent does not allow", allow(`"s3:*"`, "*"), allow(`"*"`, "*"), allow(`"*"`, "*"), "because no permissions boundary allows the iam:GetGroup action"},
		{"the boundary of the parent denies", deny(`"iam:*"`), allow(`"*"`, "*"), allow(`"*"`, "*"), "with an explicit deny in a permissions boundary"},
		{"its own policy does not allow", "", allow(`"*"`, "*"), allow(`"s3:*"`, "*"), "because no service account policy allows the iam:GetGroup action"},
		{"its own policy denies", "", allow(`"*"`, "*"), deny(`"iam:*"`), "with an explicit deny in a service account policy"},
		{"neither allows", "", allow(`"s3:*"`, "*"), allow(`"s3:*"`, "*"), "because no identity-based policy allows the iam:GetGroup action"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := open(t, nil)
			f.must(t, f.root, "CreateUser", "UserName", "alice")
			f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", tt.parents)
			if tt.boundary != "" {
				f.must(t, f.root, "CreatePolicy", "PolicyName", "b", "PolicyDocument", tt.boundary)
				f.must(t, f.root, "PutUserPermissionsBoundary", "UserName", "alice", "PermissionsBoundary", "arn:aws:iam:::policy/b")
			}
			made := f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice", "Policy", tt.own)
			by := key{AccessKeyID: element(made, "AccessKeyId"), SecretAccessKey: element(made, "SecretAccessKey")}
			status, code, message := refusal(t, f.request(t, by, "GetGroup", "GroupName", "g"))
			want := "User: " + element(made, "Arn") + " is not authorized to perform: iam:GetGroup on resource: arn:aws:iam::" + account + ":group/g " + tt.want
			require.Equal(t, []any{http.StatusForbidden, "AccessDenied", want}, []any{status, code, message})
		})
	}
}

func TestSourceAddress(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, tt := range []struct {
		name      string
		trusted   []netip.Prefix
		forwarded []string
		source    string // that the policy allows
		status    int
	}{
		{"the peer counts", nil, nil, "127.0.0.1", 200},
		{"the header of a peer that is not trusted is nothing", nil, []string{"192.0.2.1"}, "192.0.2.1", 403},
		{"and does not hide the peer", nil, []string{"192.0.2.1"}, "127.0.0.1", 200},
		{"the right-most address that is no proxy's counts", loopback, []string{"203.0.113.9, 192.0.2.1, 10.1.2.3"}, "192.0.2.1", 200},
		{"what stands left of it is anybody's word", loopback, []string{"203.0.113.9, 192.0.2.1, 10.1.2.3"}, "203.0.113.9", 403},
		{"over all lines of the header", loopback, []string{"203.0.113.9", "192.0.2.1", "10.1.2.3"}, "192.0.2.1", 200},
		{"what is no address, where the walk comes, is refused", loopback, []string{"unknown, 10.1.2.3"}, "10.1.2.3", 400},
		{"an empty element is no address", loopback, []string{"192.0.2.1,, 10.1.2.3"}, "192.0.2.1", 400},
		{"what is no address, where the walk does not come, is nothing", loopback, []string{"nonsense, 192.0.2.1"}, "192.0.2.1", 200},
		{"a trusted peer without the header is the source", loopback, nil, "127.0.0.1", 200},
		{"where all are proxies the left-most is the source", loopback, []string{"10.9.9.9, 10.1.2.3"}, "10.9.9.9", 200},
		{"IPv4 in IPv6 is IPv4", loopback, []string{"::ffff:192.0.2.1"}, "192.0.2.1", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := open(t, func(c *server.Config) { c.TrustedProxies = tt.trusted })
			alice := f.user(t, "alice")
			f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", when(`{"IpAddress":{"aws:SourceIp":"`+tt.source+`"}}`))
			r := f.request(t, alice, "ListUsers")
			for _, line := range tt.forwarded {
				r.Header.Add("X-Forwarded-For", line)
			}
			status, body := do(t, r)
			require.Equal(t, tt.status, status, body)
		})
	}
}

func TestSecureTransportBehindAProxy(t *testing.T) {
	proxy := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	for _, tt := range []struct {
		name    string
		trusted []netip.Prefix
		tls     bool
		proto   []string
		status  int
	}{
		{"a trusted proxy says that it was https", proxy, false, []string{"https"}, 200},
		{"the last word is the proxy's", proxy, false, []string{"https", "http"}, 403},
		{"a trusted proxy that speaks TLS says that it was http", proxy, true, []string{"http"}, 403},
		{"a trusted proxy that speaks TLS says nothing", proxy, true, nil, 200},
		{"anybody else's word is nothing", nil, false, []string{"https"}, 403},
		{"neither is it if it speaks TLS", nil, true, []string{"http"}, 200},
		{"no word", proxy, false, nil, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := open(t, func(c *server.Config) { c.TrustedProxies = tt.trusted })
			alice := f.user(t, "alice")
			f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", when(`{"Bool":{"aws:SecureTransport":"true"}}`))
			r := f.request(t, alice, "ListUsers")
			r.RemoteAddr = "127.0.0.1:49152"
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			for _, proto := range tt.proto {
				r.Header.Add("X-Forwarded-Proto", proto)
			}
			w := httptest.NewRecorder()
			f.server.Handler().ServeHTTP(w, r)
			require.Equal(t, tt.status, w.Code, w.Body)
		})
	}
}
