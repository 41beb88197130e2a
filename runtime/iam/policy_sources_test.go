package iam_test

import (
	"testing"

	"iamserver/generated/iamapi"
)

const conditioned = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${aws:username}/*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"AWS:sourceip":"x","aws:PrincipalTag/team":"${aws:userid}"}}}}`

func TestGetContextKeysForCustomPolicy(t *testing.T) {
	runTests(t, []test{
		{
			name: "conditions and variables, each once, as written first",
			step: "GetContextKeysForCustomPolicy PolicyInputList.member.1=" + quoted(conditioned) + "&PolicyInputList.member.2=" + quoted(conditioned),
			want: &iamapi.GetContextKeysForCustomPolicyResponse{ContextKeyNames: []string{"aws:username", "aws:SourceIp", "aws:PrincipalTag/team", "aws:userid"}},
		},
		{name: "none", step: "GetContextKeysForCustomPolicy PolicyInputList.member.1=" + step(allowAll), want: &iamapi.GetContextKeysForCustomPolicyResponse{ContextKeyNames: []string{}}},
		{name: "a policy that is none", step: "GetContextKeysForCustomPolicy PolicyInputList.member.1=x", err: "InvalidInput: PolicyInputList.1: Syntax errors in policy."},
	})
}

func TestGetContextKeysForPrincipalPolicy(t *testing.T) {
	const more = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}}`
	own := "PutUserPolicy UserName=alice&PolicyName=home&PolicyDocument=" + quoted(conditioned)
	const get step = "GetContextKeysForPrincipalPolicy PolicySourceArn=arn:aws:iam::123456789012:user/Alice"
	runTests(t, []test{
		{
			name: "of the user, its groups and what is given", after: []step{createAlice, createDevs, "AddUserToGroup GroupName=devs&UserName=alice", own, "PutGroupPolicy GroupName=devs&PolicyName=p&PolicyDocument=" + quoted(more)},
			step: get + "&PolicyInputList.member.1=" + quoted(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"aws:Referer":"true"}}}}`),
			want: &iamapi.GetContextKeysForPrincipalPolicyResponse{ContextKeyNames: []string{"aws:username", "aws:SourceIp", "aws:PrincipalTag/team", "aws:userid", "aws:SecureTransport", "aws:Referer"}},
		},
		{name: "of a user without policies", after: []step{createAlice}, step: get, want: &iamapi.GetContextKeysForPrincipalPolicyResponse{ContextKeyNames: []string{}}},
		{name: "of a user that does not exist", step: get, err: "NoSuchEntity: The user with name Alice cannot be found."},
		{name: "of a policy", step: "GetContextKeysForPrincipalPolicy PolicySourceArn=" + limitsARN, err: "InvalidInput: Invalid Entity Arn: " + limitsARN + " does not clearly define entity type and name."},
	})
}

func TestListPoliciesGrantingServiceAccess(t *testing.T) {
	const list step = "ListPoliciesGrantingServiceAccess Arn=arn:aws:iam::123456789012:user/Alice&ServiceNamespaces.member.1=s3&ServiceNamespaces.member.2=iam&ServiceNamespaces.member.3=ec2"
	inline := func(name, entity, owner string) iamapi.PolicyGrantingServiceAccess {
		return iamapi.PolicyGrantingServiceAccess{PolicyName: name, PolicyType: "INLINE", EntityType: &entity, EntityName: &owner}
	}
	attached := func(name, arn string) iamapi.PolicyGrantingServiceAccess {
		return iamapi.PolicyGrantingServiceAccess{PolicyName: name, PolicyType: "MANAGED", PolicyArn: &arn}
	}
	power := attached("PowerUserAccess", "arn:aws:iam::aws:policy/PowerUserAccess")
	runTests(t, []test{
		{
			name: "of the user and its groups; what denies does not count",
			after: []step{
				createAlice, createDevs, "AddUserToGroup GroupName=devs&UserName=alice",
				"PutUserPolicy UserName=alice&PolicyName=home&PolicyDocument=" + quoted(conditioned),
				"PutUserPolicy UserName=alice&PolicyName=not&PolicyDocument=" + quoted(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"},{"Effect":"Allow","NotAction":["S3:*","iam:*"],"Resource":"*"}]}`),
				"PutGroupPolicy GroupName=devs&PolicyName=all&PolicyDocument=" + step(allowAll),
				"AttachGroupPolicy GroupName=devs&PolicyArn=arn:aws:iam::aws:policy/PowerUserAccess", "AttachUserPolicy UserName=alice&PolicyArn=arn:aws:iam::aws:policy/PowerUserAccess",
				createLimits, "AttachUserPolicy UserName=alice&PolicyArn=" + limitsARN,
			},
			step: list,
			want: &iamapi.ListPoliciesGrantingServiceAccessResponse{PoliciesGrantingServiceAccess: []iamapi.ListPoliciesGrantingServiceAccessEntry{
				{ServiceNamespace: new("s3"), Policies: []iamapi.PolicyGrantingServiceAccess{inline("home", "USER", "Alice"), attached("limits", limitsARN), power, inline("all", "GROUP", "Devs")}},
				{ServiceNamespace: new("iam"), Policies: []iamapi.PolicyGrantingServiceAccess{attached("limits", limitsARN), power, inline("all", "GROUP", "Devs")}},
				{ServiceNamespace: new("ec2"), Policies: []iamapi.PolicyGrantingServiceAccess{inline("not", "USER", "Alice"), attached("limits", limitsARN), power, inline("all", "GROUP", "Devs")}},
			}},
		},
		{
			name: "of a user without policies", after: []step{createAlice}, step: list,
			want: &iamapi.ListPoliciesGrantingServiceAccessResponse{PoliciesGrantingServiceAccess: []iamapi.ListPoliciesGrantingServiceAccessEntry{
				{ServiceNamespace: new("s3"), Policies: []iamapi.PolicyGrantingServiceAccess{}},
				{ServiceNamespace: new("iam"), Policies: []iamapi.PolicyGrantingServiceAccess{}},
				{ServiceNamespace: new("ec2"), Policies: []iamapi.PolicyGrantingServiceAccess{}},
			}},
		},
		{name: "of a user that does not exist", step: list, err: "NoSuchEntity: The user with name Alice cannot be found."},
		{name: "another page", after: []step{createAlice}, step: list + "&Marker=" + step(*marker("p", "1")), err: "ValidationError: Invalid Marker."},
	})
}
