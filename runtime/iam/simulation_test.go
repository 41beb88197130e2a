package iam_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
)

// quoted is a document as the value of a parameter.
func quoted(document string) step { return step(url.QueryEscape(document)) }

// matched is a statement on the first line of a document.
func matched(policy, kind string, from, to int32) iamapi.SimulatedStatement {
	return iamapi.SimulatedStatement{
		SourcePolicyId: &policy, SourcePolicyType: &kind,
		StartPosition: &iamapi.DocumentPosition{Line: new(int32(1)), Column: &from},
		EndPosition:   &iamapi.DocumentPosition{Line: new(int32(1)), Column: &to},
	}
}

// decisions are the decisions of a simulation, by action and resource.
func decisions(results []iamapi.EvaluationResult) map[string]string {
	out := map[string]string{}
	for _, r := range results {
		if len(r.ResourceSpecificResults) == 0 {
			out[r.EvalActionName] = r.EvalDecision
		}
		for _, specific := range r.ResourceSpecificResults {
			out[r.EvalActionName+" "+specific.EvalResourceName] = specific.EvalResourceDecision
		}
	}
	return out
}

// The two examples of AWS's CLI reference, to the column.
func TestSimulateCustomPolicyAsAWSDocumentsIt(t *testing.T) {
	const document = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}`
	simulate := func(at string) step {
		return "SimulateCustomPolicy ActionNames.member.1=dynamodb:CreateBackup&ContextEntries.member.1.ContextKeyName=aws:CurrentTime" +
			"&ContextEntries.member.1.ContextKeyType=date&ContextEntries.member.1.ContextKeyValues.member.1=" + step(at) + "&PolicyInputList.member.1=" + quoted(document)
	}
	runTests(t, []test{
		{
			name: "after the date",
			step: simulate("2019-04-25T11:00:00Z"),
			want: &iamapi.SimulateCustomPolicyResponse{EvaluationResults: []iamapi.EvaluationResult{{
				EvalActionName: "dynamodb:CreateBackup", EvalResourceName: new("*"), EvalDecision: "allowed",
				MatchedStatements: []iamapi.SimulatedStatement{matched("PolicyInputList.1", "none", 38, 167)},
			}}},
		},
		{
			name: "before the date",
			step: simulate("2014-04-25T11:00:00Z"),
			want: &iamapi.SimulateCustomPolicyResponse{EvaluationResults: []iamapi.EvaluationResult{{
				EvalActionName: "dynamodb:CreateBackup", EvalResourceName: new("*"), EvalDecision: "implicitDeny",
			}}},
		},
	})
}

func TestStatementPositions(t *testing.T) {
	type span [4]int32 // line and column of start and end
	for _, tt := range []struct {
		name, document string
		want           []span
	}{
		{"a statement alone", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, []span{{1, 38, 1, 83}}},
		{"one statement of a list", `{"Version": "2012-10-17", "Statement": [{"Effect":"Allow","Action":"*","Resource":"*"}]}`, []span{{1, 41, 1, 87}}},
		{
			"a statement begins where the one before ends",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"} , {"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
			[]span{{1, 38, 1, 84}, {1, 84, 1, 136}},
		},
		{
			"lines of AWS's AdministratorAccess",
			"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}",
			[]span{{3, 17, 8, 6}},
		},
		{"columns count characters", `{"Version":"2012-10-17","Id":"é","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, []span{{1, 47, 1, 92}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			response := f.do("SimulateCustomPolicy ActionNames.member.1=s3:GetObject&PolicyInputList.member.1=" + quoted(tt.document)).(*iamapi.SimulateCustomPolicyResponse)
			var got []span
			for _, s := range response.EvaluationResults[0].MatchedStatements {
				got = append(got, span{*s.StartPosition.Line, *s.StartPosition.Column, *s.EndPosition.Line, *s.EndPosition.Column})
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestSimulateOnResources(t *testing.T) {
	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"},{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/secret","Condition":{"StringEquals":{"aws:UserAgent":"x"}}}]}`
	allow := matched("PolicyInputList.1", "none", 38, 102)
	missing := []string{"aws:UserAgent"}
	simulate := step("SimulateCustomPolicy ActionNames.member.1=s3:getobject&PolicyInputList.member.1=") + quoted(document)
	runTests(t, []test{
		{
			name: "on one",
			step: simulate + "&ResourceArns.member.1=arn:aws:s3:::b/k",
			want: &iamapi.SimulateCustomPolicyResponse{EvaluationResults: []iamapi.EvaluationResult{{
				EvalActionName: "s3:getobject", EvalResourceName: new("arn:${Partition}:s3:::${BucketName}/${ObjectName}"), EvalDecision: "allowed",
				MatchedStatements: []iamapi.SimulatedStatement{allow}, MissingContextValues: missing, EvalDecisionDetails: map[string]string{},
				ResourceSpecificResults: []iamapi.ResourceSpecificResult{{
					EvalResourceName: "arn:aws:s3:::b/k", EvalResourceDecision: "allowed", MatchedStatements: []iamapi.SimulatedStatement{allow},
					MissingContextValues: missing, EvalDecisionDetails: map[string]string{},
				}},
			}}},
		},
		{
			name: "on several, of which the most restrictive decision counts with its statements",
			step: simulate + "&ResourceArns.member.1=arn:aws:s3:::b/k&ResourceArns.member.2=arn:aws:s3:::b/secret&ResourceArns.member.3=arn:aws:s3:::c/k" +
				"&ContextEntries.member.1.ContextKeyName=AWS:useragent&ContextEntries.member.1.ContextKeyValues.member.1=x",
			want: &iamapi.SimulateCustomPolicyResponse{EvaluationResults: []iamapi.EvaluationResult{{
				EvalActionName: "s3:getobject", EvalResourceName: new("arn:${Partition}:s3:::${BucketName}/${ObjectName}"), EvalDecision: "explicitDeny",
				MatchedStatements: []iamapi.SimulatedStatement{matched("PolicyInputList.1", "none", 102, 222)}, EvalDecisionDetails: map[string]string{},
				ResourceSpecificResults: []iamapi.ResourceSpecificResult{
					{EvalResourceName: "arn:aws:s3:::b/k", EvalResourceDecision: "allowed", MatchedStatements: []iamapi.SimulatedStatement{allow}, EvalDecisionDetails: map[string]string{}},
					{
						EvalResourceName: "arn:aws:s3:::b/secret", EvalResourceDecision: "explicitDeny", EvalDecisionDetails: map[string]string{},
						MatchedStatements: []iamapi.SimulatedStatement{matched("PolicyInputList.1", "none", 102, 222)},
					},
					{EvalResourceName: "arn:aws:s3:::c/k", EvalResourceDecision: "implicitDeny", EvalDecisionDetails: map[string]string{}},
				},
			}}},
		},
		{
			name: "on several of different kinds",
			step: simulate + "&ResourceArns.member.1=arn:aws:s3:::b/k&ResourceArns.member.2=arn:aws:s3:::b",
			want: &iamapi.SimulateCustomPolicyResponse{EvaluationResults: []iamapi.EvaluationResult{{
				EvalActionName: "s3:getobject", EvalResourceName: new("*"), EvalDecision: "implicitDeny", MissingContextValues: missing,
				EvalDecisionDetails: map[string]string{},
				ResourceSpecificResults: []iamapi.ResourceSpecificResult{
					{EvalResourceName: "arn:aws:s3:::b/k", EvalResourceDecision: "allowed", MatchedStatements: []iamapi.SimulatedStatement{allow}, MissingContextValues: missing, EvalDecisionDetails: map[string]string{}},
					{EvalResourceName: "arn:aws:s3:::b", EvalResourceDecision: "implicitDeny", MissingContextValues: missing, EvalDecisionDetails: map[string]string{}},
				},
			}}},
		},
	})
}

func TestSimulateBoundary(t *testing.T) {
	f := newFixture(t)
	const listOnly = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:List*","Resource":"*"}}`
	response := f.do("SimulateCustomPolicy ActionNames.member.1=s3:ListBucket&ActionNames.member.2=s3:GetObject&PolicyInputList.member.1=" + step(allowAll) +
		"&PermissionsBoundaryPolicyInputList.member.1=" + quoted(listOnly)).(*iamapi.SimulateCustomPolicyResponse)
	detail := func(allowed bool) *iamapi.PermissionsBoundaryDecisionDetail {
		return &iamapi.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: &allowed}
	}
	require.Equal(t, []iamapi.EvaluationResult{
		{
			EvalActionName: "s3:ListBucket", EvalResourceName: new("*"), EvalDecision: "allowed", PermissionsBoundaryDecisionDetail: detail(true),
			MatchedStatements: []iamapi.SimulatedStatement{
				matched("PolicyInputList.1", "none", 38, 84), matched("PermissionsBoundaryPolicyInputList.1", "none", 38, 90),
			},
		},
		{EvalActionName: "s3:GetObject", EvalResourceName: new("*"), EvalDecision: "implicitDeny", PermissionsBoundaryDecisionDetail: detail(false)},
	}, response.EvaluationResults)
}

// A resource policy grants to the callers that it names; across accounts both
// sides have to allow, and say so one by one.
func TestSimulateResourcePolicy(t *testing.T) {
	f := newFixture(t)
	const (
		nothing = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}`
		bucket  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}`
		object  = "arn:aws:s3:::b/k"
	)
	simulate := func(document, caller, more string) *iamapi.EvaluationResult {
		r := f.do(step("SimulateCustomPolicy ActionNames.member.1=s3:GetObject&ResourceArns.member.1="+object+"&CallerArn="+caller+more+"&ResourcePolicy=") + quoted(bucket) +
			"&PolicyInputList.member.1=" + quoted(document)).(*iamapi.SimulateCustomPolicyResponse)
		return &r.EvaluationResults[0]
	}
	alice, mallory := "arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:user/mallory"

	named := simulate(nothing, alice, "")
	require.Equal(t, "allowed", named.EvalDecision)
	require.Equal(t, []iamapi.SimulatedStatement{matched("ResourcePolicy", "resource", 38, 168)}, named.MatchedStatements)
	require.Empty(t, named.EvalDecisionDetails)
	require.Equal(t, "implicitDeny", simulate(nothing, mallory, "").EvalDecision)

	across := simulate(nothing, alice, "&ResourceOwner=210987654321")
	require.Equal(t, "implicitDeny", across.EvalDecision)
	require.Equal(t, map[string]string{"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}, across.EvalDecisionDetails)
	const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	across = simulate(everything, alice, "&ResourceOwner=arn:aws:iam::210987654321:root")
	require.Equal(t, "allowed", across.EvalDecision)
	require.Equal(t, map[string]string{"IAM Policy": "allowed", "Resource Policy": "allowed"}, across.EvalDecisionDetails)
	across = simulate(everything, mallory, "&ResourceOwner=210987654321")
	require.Equal(t, "implicitDeny", across.EvalDecision)
	require.Equal(t, map[string]string{"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}, across.EvalDecisionDetails)
}

const tooLarge = "InvalidInput: This simulation is too large. Ask about fewer resources or statements at a time."

// many is a simulation that has a value n times in a list.
func many(list string, n int, value step) step {
	all := step("SimulateCustomPolicy ")
	if list != "ActionNames" {
		all += "ActionNames.member.1=s3:GetObject"
	}
	for i := range n {
		all += step("&"+list+".member."+strconv.Itoa(i+1)+"=") + value
	}
	return all
}

// manyKeys are members of a condition operator.
func manyKeys(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = `"aws:PrincipalTag/` + strconv.Itoa(i) + `":"true"`
	}
	return strings.Join(all, ",")
}

// values are those of a context entry.
func values(n int) (all step) {
	for i := range n {
		all += step("&ContextEntries.member.1.ContextKeyValues.member." + strconv.Itoa(i+1) + "=y")
	}
	return all
}

// statements is a document of statements, each with its number in action and resource.
func statements(n int, action, resource string) step {
	all := make([]string, n)
	for i := range all {
		all[i] = strings.ReplaceAll(`{"Effect":"Allow","Action":"`+action+`","Resource":"`+resource+`"}`, "#", strconv.Itoa(i))
	}
	return quoted(`{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`)
}

func TestSimulateRefuses(t *testing.T) {
	const custom step = "SimulateCustomPolicy ActionNames.member.1=s3:GetObject&PolicyInputList.member.1="
	runTests(t, []test{
		{name: "a policy that is none", step: custom + "x", err: "InvalidInput: PolicyInputList.1: Syntax errors in policy."},
		{
			name: "a resource policy that is none", step: custom + step(allowAll) + "&CallerArn=arn:aws:iam::123456789012:user/a&ResourcePolicy=x",
			err: "InvalidInput: ResourcePolicy: Syntax errors in policy.",
		},
		{name: "a resource policy without a caller", step: custom + step(allowAll) + "&ResourcePolicy=" + step(allowAll), err: "InvalidInput: CallerArn is required together with ResourcePolicy."},
		{
			name: "two boundaries", step: custom + step(allowAll) + "&PermissionsBoundaryPolicyInputList.member.1=" + step(allowAll) + "&PermissionsBoundaryPolicyInputList.member.2=" + step(allowAll),
			err: "InvalidInput: PermissionsBoundaryPolicyInputList can have only one policy.",
		},
		{
			name: "an action with a wildcard", step: "SimulateCustomPolicy ActionNames.member.1=s3:Get*&PolicyInputList.member.1=" + step(allowAll),
			err: "InvalidInput: s3:Get* is not an action such as s3:GetObject. Action names cannot have wildcards.",
		},
		{
			name: "an action without a service", step: "SimulateCustomPolicy ActionNames.member.1=GetObject&PolicyInputList.member.1=" + step(allowAll),
			err: "InvalidInput: GetObject is not an action such as s3:GetObject. Action names cannot have wildcards.",
		},
		{name: "a resource that is no ARN", step: custom + step(allowAll) + "&ResourceArns.member.1=b/k", err: "InvalidInput: Invalid ARN: b/k"},
		{name: "an owner that is none", step: custom + step(allowAll) + "&ResourceOwner=me", err: "InvalidInput: ResourceOwner must be an account id or the ARN of its root, not me"},
		{
			name: "a caller that is a session", step: custom + step(allowAll) + "&CallerArn=arn:aws:sts::123456789012:assumed-role/R/S",
			err: "InvalidInput: CallerArn must be the ARN of a user, group or role, not arn:aws:sts::123456789012:assumed-role/R/S",
		},
		{
			name: "a value that is no number", step: custom + step(allowAll) + "&ContextEntries.member.1.ContextKeyName=s3:max-keys&ContextEntries.member.1.ContextKeyType=numeric&ContextEntries.member.1.ContextKeyValues.member.1=x",
			err: "InvalidInput: The context entry s3:max-keys needs a name, a type, and values of that type.",
		},
		{
			name: "several values of a type that has one", step: custom + step(allowAll) + "&ContextEntries.member.1.ContextKeyName=aws:SourceIp&ContextEntries.member.1.ContextKeyType=ip" +
				"&ContextEntries.member.1.ContextKeyValues.member.1=10.0.0.1&ContextEntries.member.1.ContextKeyValues.member.2=10.0.0.2",
			err: "InvalidInput: The context entry aws:SourceIp needs a name, a type, and values of that type.",
		},
		{
			name: "a context key twice", step: custom + step(allowAll) + "&ContextEntries.member.1.ContextKeyName=aws:PrincipalTag/team&ContextEntries.member.1.ContextKeyValues.member.1=a" +
				"&ContextEntries.member.2.ContextKeyName=aws:principaltag/TEAM&ContextEntries.member.2.ContextKeyValues.member.1=b",
			err: "InvalidInput: The context entry aws:principaltag/TEAM is there twice.",
		},
		{name: "more statements and resources than an answer can show", step: many("ResourceArns", 300, "arn:aws:s3:::b") + "&PolicyInputList.member.1=" + statements(500, "s3:*", "*"), err: tooLarge},
		{
			name: "more condition keys and resources than an answer can show", err: tooLarge,
			step: many("ResourceArns", 200, "arn:aws:s3:::b") + "&PolicyInputList.member.1=" + quoted(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{`+manyKeys(1000)+`}}}}`),
		},
		{
			name: "patterns that take long to search for", err: tooLarge,
			step: many("ResourceArns", 100, step("arn:aws:s3:::b/"+strings.Repeat("a", 1900))) + "&PolicyInputList.member.1=" + statements(300, "s3:*", "arn:aws:s3:::b/*"+strings.Repeat("?a", 80)+"#b*"),
		},
		{
			name: "lists that take long to compare", err: tooLarge,
			step: many("ResourceArns", 100, "arn:aws:s3:::b") + "&ContextEntries.member.1.ContextKeyName=aws:TagKeys&ContextEntries.member.1.ContextKeyType=stringList" +
				values(800) + "&PolicyInputList.member.1=" + quoted(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["`+
				strings.Repeat(`x","`, 9000)+`x"]}}}}`),
		},
		{
			name: "action names that take long to compare", err: tooLarge,
			step: many("ActionNames", 100, step("s3:"+strings.Repeat("a", 100))) + "&MaxItems=1000&PolicyInputList.member.1=" + statements(500, "s3:*"+strings.Repeat("?a", 40)+"#b*", "*"),
		},
		{name: "a marker that is none", step: custom + step(allowAll) + "&Marker=" + step(*marker("x", "2")), err: "ValidationError: Invalid Marker."},
		{name: "a user that does not exist", step: "SimulatePrincipalPolicy ActionNames.member.1=s3:GetObject&PolicySourceArn=arn:aws:iam::123456789012:user/alice", err: "NoSuchEntity: The user with name alice cannot be found."},
		{
			name: "a user under another path", after: []step{createAlice},
			step: "SimulatePrincipalPolicy ActionNames.member.1=s3:GetObject&PolicySourceArn=arn:aws:iam::123456789012:user/x/Alice", err: "NoSuchEntity: The user with name Alice cannot be found.",
		},
		{
			name: "a user of another account", after: []step{createAlice},
			step: "SimulatePrincipalPolicy ActionNames.member.1=s3:GetObject&PolicySourceArn=arn:aws:iam::210987654321:user/Alice", err: "NoSuchEntity: The user with name Alice cannot be found.",
		},
		{name: "a group that does not exist", step: "SimulatePrincipalPolicy ActionNames.member.1=s3:GetObject&PolicySourceArn=arn:aws:iam::123456789012:group/devs", err: "NoSuchEntity: The group with name devs cannot be found."},
		{name: "a role, of which there are none", step: "SimulatePrincipalPolicy ActionNames.member.1=s3:GetObject&PolicySourceArn=arn:aws:iam::123456789012:role/R", err: "NoSuchEntity: The role with name R cannot be found."},
		{
			name: "root", step: "SimulatePrincipalPolicy ActionNames.member.1=s3:GetObject&PolicySourceArn=arn:aws:iam::123456789012:root",
			err: "InvalidInput: Invalid Entity Arn: arn:aws:iam::123456789012:root does not clearly define entity type and name.",
		},
	})
}

// Pages hold as many actions as asked for, and fewer where those have many resources.
func TestSimulationPages(t *testing.T) {
	f := newFixture(t)
	all := step("SimulateCustomPolicy ActionNames.member.1=s3:A&ActionNames.member.2=s3:B&ActionNames.member.3=s3:C&PolicyInputList.member.1=") + step(allowAll)
	first := f.do(all + "&MaxItems=2").(*iamapi.SimulateCustomPolicyResponse)
	require.True(t, first.IsTruncated)
	require.Equal(t, map[string]string{"s3:A": "allowed", "s3:B": "allowed"}, decisions(first.EvaluationResults))
	last := f.do(all + "&MaxItems=2&Marker=" + step(*first.Marker)).(*iamapi.SimulateCustomPolicyResponse)
	require.False(t, last.IsTruncated)
	require.Equal(t, map[string]string{"s3:C": "allowed"}, decisions(last.EvaluationResults))

	many := all
	for i := range 600 {
		many += step("&ResourceArns.member." + strconv.Itoa(i+1) + "=arn:aws:s3:::b/" + strconv.Itoa(i))
	}
	require.Len(t, f.do(many).(*iamapi.SimulateCustomPolicyResponse).EvaluationResults, 1)
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	const home = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${aws:username}/*"}}`
	const team = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::team/${aws:PrincipalTag/team}"}}`
	f := newFixture(t)
	f.do(
		createAlice, createDevs, createOps, "AddUserToGroup GroupName=devs&UserName=alice", "AddUserToGroup GroupName=ops&UserName=alice",
		"TagUser UserName=alice&Tags.member.1.Key=team&Tags.member.1.Value=blue",
		"PutUserPolicy UserName=alice&PolicyName=home&PolicyDocument="+quoted(home), "PutGroupPolicy GroupName=devs&PolicyName=team&PolicyDocument="+quoted(team),
		"PutGroupPolicy GroupName=ops&PolicyName=all&PolicyDocument="+step(allowAll), "UpdateGroup GroupName=ops&Disabled=true",
		"AttachUserPolicy UserName=alice&PolicyArn="+viewOnlyARN,
	)
	simulate := func(parameters step) []iamapi.EvaluationResult {
		return f.do("SimulatePrincipalPolicy " + parameters).(*iamapi.SimulatePrincipalPolicyResponse).EvaluationResults
	}
	const alice step = "PolicySourceArn=arn:aws:iam::123456789012:user/Alice&"

	got := simulate(alice + "ActionNames.member.1=s3:GetObject&ActionNames.member.2=s3:PutObject&ResourceArns.member.1=arn:aws:s3:::home/Alice/k" +
		"&ResourceArns.member.2=arn:aws:s3:::home/bob/k&ResourceArns.member.3=arn:aws:s3:::team/blue")
	require.Equal(t, map[string]string{
		"s3:GetObject arn:aws:s3:::home/Alice/k": "allowed", "s3:GetObject arn:aws:s3:::home/bob/k": "implicitDeny", "s3:GetObject arn:aws:s3:::team/blue": "allowed",
		"s3:PutObject arn:aws:s3:::home/Alice/k": "implicitDeny", "s3:PutObject arn:aws:s3:::home/bob/k": "implicitDeny", "s3:PutObject arn:aws:s3:::team/blue": "implicitDeny",
	}, decisions(got), "the disabled group gives nothing")
	require.Equal(t, []iamapi.SimulatedStatement{matched("user_Alice_home", "user", 38, 128)}, got[0].ResourceSpecificResults[0].MatchedStatements)
	require.Equal(t, []iamapi.SimulatedStatement{matched("group_Devs_team", "group", 38, 135)}, got[0].ResourceSpecificResults[2].MatchedStatements)

	list := simulate(alice + "ActionNames.member.1=s3:ListAllMyBuckets")
	require.Equal(t, "ViewOnlyAccess", *list[0].MatchedStatements[0].SourcePolicyId)
	require.Equal(t, "aws-managed", *list[0].MatchedStatements[0].SourcePolicyType)
	require.Empty(t, list[0].MissingContextValues, "what is known of the caller does not have to be given")

	// A group by itself is nobody: its variables stay empty.
	group := simulate("PolicySourceArn=arn:aws:iam::123456789012:group/eng/Devs&ActionNames.member.1=s3:GetObject&ResourceArns.member.1=arn:aws:s3:::team/blue")
	require.Equal(t, "implicitDeny", group[0].EvalDecision)
	require.Equal(t, []string{"aws:PrincipalTag/team"}, group[0].MissingContextValues)

	// More policies are added; another boundary takes the place of the user's.
	f.do("PutUserPermissionsBoundary UserName=alice&PermissionsBoundary=arn:aws:iam::aws:policy/IAMFullAccess")
	more := alice + "ActionNames.member.1=s3:PutObject&PolicyInputList.member.1=" + step(allowAll)
	require.Equal(t, "implicitDeny", simulate(more)[0].EvalDecision)
	require.False(t, *simulate(more)[0].PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary)
	require.Equal(t, "allowed", simulate(more + "&PermissionsBoundaryPolicyInputList.member.1=" + step(allowAll))[0].EvalDecision)

	// A resource policy may name the user, who calls by default.
	const bucket = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/Alice"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}}`
	named := alice + "ActionNames.member.1=s3:PutObject&ResourceArns.member.1=arn:aws:s3:::b/k&ResourcePolicy=" + quoted(bucket)
	require.Equal(t, "allowed", simulate(named)[0].EvalDecision)
	require.Equal(t, "implicitDeny", simulate(named + "&CallerArn=arn:aws:iam::123456789012:user/bob")[0].EvalDecision)
}

// Where an attached policy is gone, nothing can be said.
func TestSimulateMissingPolicy(t *testing.T) {
	f := newFixture(t)
	const gone = "arn:aws:iam::aws:policy/Auditors"
	f.managed = loadManaged(t, "Auditors")
	f.do(createAlice, "AttachUserPolicy UserName=alice&PolicyArn="+gone)
	f.managed = nil
	f.requireAnswer("SimulatePrincipalPolicy ActionNames.member.1=s3:GetObject&PolicySourceArn=arn:aws:iam::123456789012:user/Alice", nil,
		"PolicyEvaluation: Policy "+gone+" is attached, but does not exist any more; nothing is allowed until it is detached.")
}
