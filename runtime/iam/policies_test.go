package iam_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/action"
)

// limits is the policy of createLimits, where that is the first step.
func limits(change func(*iamapi.Policy)) *iamapi.Policy {
	p := &iamapi.Policy{
		PolicyName: new("limits"), PolicyId: new(id("ANPA", 1)), Arn: new(limitsARN), Path: new("/ops/"),
		DefaultVersionId: new("v1"), IsAttachable: true, CreateDate: new(day), UpdateDate: new(day), Tags: []iamapi.Tag{},
	}
	if change != nil {
		change(p)
	}
	return p
}

func TestCreatePolicy(t *testing.T) {
	runTests(t, []test{
		{
			name: "a policy is created with a path",
			step: createLimits,
			want: &iamapi.CreatePolicyResponse{Policy: limits(nil)},
		},
		{
			name: "a policy is created with description and tags, whose keys are distinguished by case and shown in the order of the request",
			step: step("CreatePolicy PolicyName=limits&Description=a+b&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=A&Tags.member.2.Value=&PolicyDocument=" + allowAll),
			want: &iamapi.CreatePolicyResponse{Policy: limits(func(p *iamapi.Policy) {
				p.Path, p.Arn, p.Description = new("/"), new("arn:aws:iam::123456789012:policy/limits"), new("a b")
				p.Tags = []iamapi.Tag{{Key: "a", Value: "1"}, {Key: "A", Value: ""}}
			})},
		},
		{
			name:  "a name in another case and path is taken",
			after: []step{createLimits},
			step:  step("CreatePolicy PolicyName=LIMITS&PolicyDocument=" + allowAll),
			err:   "EntityAlreadyExists: A policy called LIMITS already exists. Duplicate names are not allowed.",
		},
		{
			name: "a document that is no policy",
			step: "CreatePolicy PolicyName=p&PolicyDocument=x",
			err:  "MalformedPolicyDocument: Syntax errors in policy.",
		},
		{
			name: "a document that would do for an inline policy",
			step: `CreatePolicy PolicyName=p&PolicyDocument={"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`,
			err:  "MalformedPolicyDocument: Policy document must be version 2012-10-17 or greater.",
		},
		{
			name: "a document as large as can be",
			step: step("CreatePolicy PolicyName=limits&Path=/ops/&PolicyDocument=" + sized(6144)),
			want: &iamapi.CreatePolicyResponse{Policy: limits(nil)},
		},
		{
			name: "a document that is too large",
			step: step("CreatePolicy PolicyName=p&PolicyDocument=" + sized(6145)),
			err:  "LimitExceeded: Cannot exceed quota for PolicySize: 6144",
		},
		{
			name: "a tag key that begins with aws: is reserved",
			step: step("CreatePolicy PolicyName=p&Tags.member.1.Key=AWS:x&Tags.member.1.Value=&PolicyDocument=" + allowAll),
			err:  "InvalidInput: aws: prefixed tag key names are not allowed for external use.",
		},
		{
			name: "a tag key twice",
			step: step("CreatePolicy PolicyName=p&Tags.member.1.Key=x&Tags.member.1.Value=&Tags.member.2.Key=x&Tags.member.2.Value=&PolicyDocument=" + allowAll),
			err:  "InvalidInput: Duplicate tag keys found.",
		},
	})
}

func TestPoliciesQuotas(t *testing.T) {
	another := func(name string) step { return step("CreatePolicy PolicyName=" + name + "&PolicyDocument=" + allowAll) }
	t.Run("policies of the account", func(t *testing.T) {
		f := newFixture(t)
		f.quotas.PoliciesQuota = 2
		f.do(createLimits, another("p"))
		f.requireAnswer(another("q"), nil, "LimitExceeded: Cannot exceed quota for PoliciesPerAccount: 2")
		f.do("DeletePolicy PolicyArn=arn:aws:iam:::policy/p", another("q"))
	})
	t.Run("versions of all policies of the account", func(t *testing.T) {
		f := newFixture(t)
		f.quotas.PolicyVersionsInUseQuota = 2
		newVersion := step("CreatePolicyVersion PolicyArn=" + limitsARN + "&PolicyDocument=" + allowAll)
		f.do(createLimits, newVersion)
		f.requireAnswer(newVersion, nil, "LimitExceeded: Cannot exceed quota for PolicyVersionsInUse: 2")
		f.requireAnswer(another("p"), nil, "LimitExceeded: Cannot exceed quota for PolicyVersionsInUse: 2")
		f.do("DeletePolicyVersion VersionId=v2&PolicyArn="+limitsARN, another("p"))
	})
}

func TestGetPolicy(t *testing.T) {
	missing := "NoSuchEntity: Policy " + limitsARN + " was not found."
	runTests(t, []test{
		{
			name:  "a policy",
			after: []step{createLimits},
			step:  "GetPolicy PolicyArn=" + limitsARN,
			want:  &iamapi.GetPolicyResponse{Policy: limits(nil)},
		},
		{
			name:  "an ARN without an account means the own account, which the answer shows",
			after: []step{createLimits},
			step:  "GetPolicy PolicyArn=arn:aws:iam:::policy/ops/limits",
			want:  &iamapi.GetPolicyResponse{Policy: limits(nil)},
		},
		{
			name: "a policy counts what it is used for",
			after: []step{
				createLimits, createAlice, createBob, createDevs,
				"AttachUserPolicy UserName=alice&PolicyArn=" + limitsARN, "AttachGroupPolicy GroupName=devs&PolicyArn=" + limitsARN,
				"PutUserPermissionsBoundary UserName=bob&PermissionsBoundary=" + limitsARN,
			},
			step: "GetPolicy PolicyArn=" + limitsARN,
			want: &iamapi.GetPolicyResponse{Policy: limits(func(p *iamapi.Policy) {
				p.AttachmentCount, p.PermissionsBoundaryUsageCount = 2, 1
			})},
		},
		{
			name: "a policy that does not exist",
			step: "GetPolicy PolicyArn=" + limitsARN,
			err:  missing,
		},
		{
			name: "an ARN of no policy",
			step: "GetPolicy PolicyArn=arn:aws:iam:::user/ops/limits",
			err:  "InvalidInput: ARN arn:aws:iam:::user/ops/limits is not valid.",
		},
	})
}

// Wherever a policy is named by its ARN, one of another case, path, account or
// kind does not name it: the caller was authorized on that ARN, not on the
// policy's.
func TestPolicyIsNamedByItsOwnARN(t *testing.T) {
	document := step("&PolicyDocument=" + allowAll)
	for _, s := range []step{
		"GetPolicy ", "DeletePolicy ", "CreatePolicyVersion x=" + document, "ListPolicyVersions ",
		"GetPolicyVersion VersionId=v1", "SetDefaultPolicyVersion VersionId=v1", "DeletePolicyVersion VersionId=v1",
		"TagPolicy Tags.member.1.Key=k&Tags.member.1.Value=", "UntagPolicy TagKeys.member.1=k", "ListPolicyTags ",
		"AttachUserPolicy UserName=alice", "DetachUserPolicy UserName=alice", "AttachGroupPolicy GroupName=devs",
		"DetachGroupPolicy GroupName=devs", "ListEntitiesForPolicy ",
	} {
		name, _, _ := strings.Cut(string(s), " ")
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.do(createLimits, createAlice, createDevs)
			for _, arn := range []string{
				"arn:aws:iam:::policy/ops/LIMITS", "arn:aws:iam:::policy/OPS/limits", "arn:aws:iam:::policy/limits",
				"arn:aws:iam::210987654321:policy/ops/limits",
			} {
				_, err := f.call(s + step("&PolicyArn="+arn))
				require.ErrorContains(t, err, "NoSuchEntity: Policy "+arn)
			}
			_, err := f.call(s + "&PolicyArn=arn:aws:iam:::group/ops/limits")
			require.EqualError(t, err, "InvalidInput: ARN arn:aws:iam:::group/ops/limits is not valid.")
		})
	}
}

func TestListPolicies(t *testing.T) {
	f := newFixture(t)
	f.do(
		createLimits,
		step("CreatePolicy PolicyName=Billing&Path=/fin/&Description=d&PolicyDocument="+allowAll),
		step("CreatePolicy PolicyName=zeal&Path=/ops/eu/&PolicyDocument="+allowAll),
		createAlice, createDevs,
		"PutUserPermissionsBoundary UserName=alice&PermissionsBoundary="+limitsARN,
		"AttachGroupPolicy GroupName=devs&PolicyArn=arn:aws:iam:::policy/ops/eu/zeal",
	)
	f.requireAnswer("ListPolicies PathPrefix=/fin/", &iamapi.ListPoliciesResponse{Policies: []iamapi.Policy{{
		PolicyName: new("Billing"), PolicyId: new(id("ANPA", 2)), Arn: new("arn:aws:iam::123456789012:policy/fin/Billing"), Path: new("/fin/"),
		DefaultVersionId: new("v1"), IsAttachable: true, Description: new("d"), CreateDate: new(day), UpdateDate: new(day), Tags: []iamapi.Tag{},
	}}}, "")
	f.requireAnswer("ListPolicies Marker=%21", nil, "ValidationError: Invalid Marker.")

	for _, tt := range []struct {
		name, parameters string
		want             [][]string
	}{
		{"those of the account, by name without regard to case", "Scope=Local", [][]string{{"Billing", "limits", "zeal"}}},
		{"below a path", "PathPrefix=/ops/", [][]string{{"limits", "zeal"}}},
		{"attached ones", "OnlyAttached=true", [][]string{{"zeal"}}},
		{"those used as permissions policies", "PolicyUsageFilter=PermissionsPolicy", [][]string{{"zeal"}}},
		{"those used as boundaries", "PolicyUsageFilter=PermissionsBoundary", [][]string{{"limits"}}},
		{"those used as boundaries below another path", "PolicyUsageFilter=PermissionsBoundary&PathPrefix=/fin/", [][]string{nil}},
		{"page by page", "Scope=Local&MaxItems=2", [][]string{{"Billing", "limits"}, {"zeal"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, walk(f, step("ListPolicies "+tt.parameters), func(r action.Response) (names []string, truncated bool, marker *string) {
				list := r.(*iamapi.ListPoliciesResponse)
				for i := range list.Policies {
					names = append(names, *list.Policies[i].PolicyName)
				}
				return names, list.IsTruncated, list.Marker
			}))
		})
	}
}

func TestDeletePolicy(t *testing.T) {
	const del step = "DeletePolicy PolicyArn=" + limitsARN
	newVersion := step("CreatePolicyVersion SetAsDefault=true&PolicyArn=" + limitsARN + "&PolicyDocument=" + allowAll)
	runTests(t, []test{
		{
			name:  "a policy that nothing uses",
			after: []step{createLimits},
			step:  del,
			want:  &iamapi.DeletePolicyResponse{},
		},
		{
			name: "a policy that does not exist",
			step: del,
			err:  "NoSuchEntity: Policy " + limitsARN + " was not found.",
		},
		{
			name:  "a policy is deleted once",
			after: []step{createLimits, del},
			step:  del,
			err:   "NoSuchEntity: Policy " + limitsARN + " was not found.",
		},
		{
			name:  "one that is attached to a user, and has versions",
			after: []step{createLimits, newVersion, createAlice, "AttachUserPolicy UserName=alice&PolicyArn=" + limitsARN},
			step:  del,
			err:   "DeleteConflict: Cannot delete a policy attached to entities.",
		},
		{
			name:  "one that is attached to a group",
			after: []step{createLimits, createDevs, "AttachGroupPolicy GroupName=devs&PolicyArn=" + limitsARN},
			step:  del,
			err:   "DeleteConflict: Cannot delete a policy attached to entities.",
		},
		{
			name:  "one that bounds a user",
			after: []step{createLimits, createAlice, "PutUserPermissionsBoundary UserName=alice&PermissionsBoundary=" + limitsARN},
			step:  del,
			err:   "DeleteConflict: Cannot delete a policy attached to entities.",
		},
		{
			name:  "one with versions",
			after: []step{createLimits, newVersion},
			step:  del,
			err:   "DeleteConflict: This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
		},
		{
			name: "one whose uses and versions are gone",
			after: []step{
				createLimits, newVersion, createAlice, "AttachUserPolicy UserName=alice&PolicyArn=" + limitsARN,
				"PutUserPermissionsBoundary UserName=alice&PermissionsBoundary=" + limitsARN,
				"DetachUserPolicy UserName=alice&PolicyArn=" + limitsARN, "DeleteUser UserName=alice",
				"DeletePolicyVersion VersionId=v1&PolicyArn=" + limitsARN,
			},
			step: del,
			want: &iamapi.DeletePolicyResponse{},
		},
	})
}

// A policy that is created under the name of a former one is another.
func TestRecreatedPolicyInheritsNothing(t *testing.T) {
	f := newFixture(t)
	f.do(
		createLimits,
		"TagPolicy Tags.member.1.Key=k&Tags.member.1.Value=v&PolicyArn="+limitsARN,
		step("CreatePolicyVersion SetAsDefault=true&PolicyArn="+limitsARN+"&PolicyDocument="+allowAll),
		"DeletePolicyVersion VersionId=v1&PolicyArn="+limitsARN,
		"DeletePolicy PolicyArn="+limitsARN,
	)
	f.requireAnswer(createLimits, &iamapi.CreatePolicyResponse{Policy: limits(func(p *iamapi.Policy) { p.PolicyId = new(id("ANPA", 2)) })}, "")
	f.requireAnswer("ListPolicyVersions PolicyArn="+limitsARN, &iamapi.ListPolicyVersionsResponse{Versions: []iamapi.PolicyVersion{
		{Document: new(unescape(t, allowAll)), VersionId: new("v1"), IsDefaultVersion: true, CreateDate: new(day)},
	}}, "")
}

func TestPolicyTags(t *testing.T) {
	const (
		tag  step = "TagPolicy PolicyArn=" + limitsARN + "&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=A&Tags.member.2.Value=2"
		list step = "ListPolicyTags PolicyArn=" + limitsARN
	)
	missing := "NoSuchEntity: Policy " + limitsARN + " was not found."
	runTests(t, []test{
		{
			name:  "a policy without tags",
			after: []step{createLimits},
			step:  list,
			want:  &iamapi.ListPolicyTagsResponse{Tags: []iamapi.Tag{}},
		},
		{
			name:  "keys that differ in case are different keys",
			after: []step{createLimits, tag},
			step:  list,
			want:  &iamapi.ListPolicyTagsResponse{Tags: []iamapi.Tag{{Key: "A", Value: "2"}, {Key: "a", Value: "1"}}},
		},
		{
			name:  "a key that is there gets the new value",
			after: []step{createLimits, tag, "TagPolicy PolicyArn=" + limitsARN + "&Tags.member.1.Key=a&Tags.member.1.Value="},
			step:  list,
			want:  &iamapi.ListPolicyTagsResponse{Tags: []iamapi.Tag{{Key: "A", Value: "2"}, {Key: "a", Value: ""}}},
		},
		{
			name:  "the policy shows them",
			after: []step{createLimits, tag},
			step:  "GetPolicy PolicyArn=" + limitsARN,
			want: &iamapi.GetPolicyResponse{Policy: limits(func(p *iamapi.Policy) {
				p.Tags = []iamapi.Tag{{Key: "A", Value: "2"}, {Key: "a", Value: "1"}}
			})},
		},
		{
			name:  "a tag key that begins with aws: is reserved",
			after: []step{createLimits},
			step:  "TagPolicy PolicyArn=" + limitsARN + "&Tags.member.1.Key=aws:x&Tags.member.1.Value=",
			err:   "InvalidInput: aws: prefixed tag key names are not allowed for external use.",
		},
		{
			name:  "a tag goes by the case of its key, and what is not there is passed over",
			after: []step{createLimits, tag, "UntagPolicy PolicyArn=" + limitsARN + "&TagKeys.member.1=a&TagKeys.member.2=none"},
			step:  list,
			want:  &iamapi.ListPolicyTagsResponse{Tags: []iamapi.Tag{{Key: "A", Value: "2"}}},
		},
		{name: "to tag a policy that does not exist", step: tag, err: missing},
		{name: "to untag a policy that does not exist", step: "UntagPolicy TagKeys.member.1=a&PolicyArn=" + limitsARN, err: missing},
		{name: "the tags of a policy that does not exist", step: list, err: missing},
		{name: "the tags after a marker that is none", after: []step{createLimits}, step: list + "&Marker=%21", err: "ValidationError: Invalid Marker."},
	})
}

func TestPolicyHasFiftyTagsAtMost(t *testing.T) {
	f := newFixture(t)
	f.do(createLimits)
	tag := func(key string) step {
		return step("TagPolicy PolicyArn=" + limitsARN + "&Tags.member.1.Value=&Tags.member.1.Key=" + key)
	}
	for i := range 50 {
		f.do(tag(fmt.Sprintf("k%02d", i)))
	}
	f.requireAnswer(tag("K00"), nil, "LimitExceeded: The number of tags has reached the maximum limit.")
	f.do(tag("k00"))
}

// The markers of the longest keys are accepted.
func TestPolicyTagsArePaged(t *testing.T) {
	f := newFixture(t)
	long := func(last string) string { return strings.Repeat("𝔸", 127) + last }
	f.do(createLimits)
	for _, key := range []string{long("c"), "b", long("a")} {
		f.do(step("TagPolicy PolicyArn=" + limitsARN + "&Tags.member.1.Value=&Tags.member.1.Key=" + url.QueryEscape(key)))
	}
	pages := walk(f, "ListPolicyTags MaxItems=1&PolicyArn="+limitsARN, func(r action.Response) (keys []string, truncated bool, marker *string) {
		list := r.(*iamapi.ListPolicyTagsResponse)
		for _, tag := range list.Tags {
			keys = append(keys, tag.Key)
		}
		return keys, list.IsTruncated, list.Marker
	})
	require.Equal(t, [][]string{{"b"}, {long("a")}, {long("c")}}, pages)
}

func version(id string, isDefault bool, created time.Time, document string) iamapi.PolicyVersion {
	return iamapi.PolicyVersion{Document: &document, VersionId: &id, IsDefaultVersion: isDefault, CreateDate: &created}
}

func TestPolicyVersions(t *testing.T) {
	const del, set, get step = "DeletePolicyVersion PolicyArn=" + limitsARN + "&VersionId=",
		"SetDefaultPolicyVersion PolicyArn=" + limitsARN + "&VersionId=", "GetPolicyVersion PolicyArn=" + limitsARN + "&VersionId="
	create := step("CreatePolicyVersion PolicyArn=" + limitsARN + "&PolicyDocument=" + sized(100))
	document, second := unescape(t, allowAll), unescape(t, sized(100))
	missing := func(version string) string {
		return "NoSuchEntity: Policy " + limitsARN + " version " + version + " does not exist or is not attachable."
	}
	runTests(t, []test{
		{
			name:  "a new version is not in force",
			after: []step{createLimits},
			step:  create,
			want:  &iamapi.CreatePolicyVersionResponse{PolicyVersion: new(version("v2", false, day, second))},
		},
		{
			name:  "a new version is in force if it is to be",
			after: []step{createLimits},
			step:  create + "&SetAsDefault=true",
			want:  &iamapi.CreatePolicyVersionResponse{PolicyVersion: new(version("v2", true, day, second))},
		},
		{
			name:  "a document that is too large",
			after: []step{createLimits},
			step:  step("CreatePolicyVersion PolicyArn=" + limitsARN + "&PolicyDocument=" + sized(6145)),
			err:   "LimitExceeded: Cannot exceed quota for PolicySize: 6144",
		},
		{
			name:  "a document that is no managed policy",
			after: []step{createLimits},
			step:  `CreatePolicyVersion PolicyDocument={"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}&PolicyArn=` + limitsARN,
			err:   "MalformedPolicyDocument: Policy document must be version 2012-10-17 or greater.",
		},
		{
			name: "a version of a policy that does not exist",
			step: create,
			err:  "NoSuchEntity: Policy " + limitsARN + " does not exist or is not attachable.",
		},
		{
			name:  "there can be five",
			after: []step{createLimits, create, create, create, create},
			step:  create,
			err:   "LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
		},
		{
			name:  "an id is not used again",
			after: []step{createLimits, create, create, create, create, del + "v5"},
			step:  create,
			want:  &iamapi.CreatePolicyVersionResponse{PolicyVersion: new(version("v6", false, day, second))},
		},
		{
			name:  "a version has its document",
			after: []step{createLimits, create},
			step:  get + "v1",
			want:  &iamapi.GetPolicyVersionResponse{PolicyVersion: new(version("v1", true, day, document))},
		},
		{name: "a version that does not exist", after: []step{createLimits}, step: get + "v2", err: missing("v2")},
		{name: "a version whose id is a pattern of AWS's only", after: []step{createLimits}, step: get + "v1.0", err: missing("v1.0")},
		{name: "a version whose number is too large", after: []step{createLimits}, step: get + "v4294967297", err: missing("v4294967297")},
		{name: "a version of no policy", step: get + "v1", err: missing("v1")},
		{
			name:  "the newest version comes first",
			after: []step{createLimits, create, create, set + "v2"},
			step:  "ListPolicyVersions PolicyArn=" + limitsARN,
			want: &iamapi.ListPolicyVersionsResponse{Versions: []iamapi.PolicyVersion{
				version("v3", false, day, second), version("v2", true, day, second), version("v1", false, day, document),
			}},
		},
		{
			name: "the versions of no policy",
			step: "ListPolicyVersions PolicyArn=" + limitsARN,
			err:  "NoSuchEntity: Policy " + limitsARN + " does not exist or is not attachable.",
		},
		{
			name:  "the versions after a marker that is none",
			after: []step{createLimits},
			step:  "ListPolicyVersions Marker=%21&PolicyArn=" + limitsARN,
			err:   "ValidationError: Invalid Marker.",
		},
		{
			name:  "another version is brought into force",
			after: []step{createLimits, create},
			step:  set + "v2",
			want:  &iamapi.SetDefaultPolicyVersionResponse{},
		},
		{name: "a version that does not exist cannot be in force", after: []step{createLimits}, step: set + "v2", err: missing("v2")},
		{name: "nor one of no policy", step: set + "v1", err: missing("v1")},
		{
			name:  "a version is deleted",
			after: []step{createLimits, create},
			step:  del + "v2",
			want:  &iamapi.DeletePolicyVersionResponse{},
		},
		{
			name:  "a version is deleted once",
			after: []step{createLimits, create, del + "v2"},
			step:  del + "v2",
			err:   missing("v2"),
		},
		{
			name:  "the version in force stays",
			after: []step{createLimits, create, set + "v2"},
			step:  del + "v2",
			err:   "DeleteConflict: Cannot delete the default version of a policy.",
		},
		{
			name:  "the version that was in force before goes",
			after: []step{createLimits, create, set + "v2"},
			step:  del + "v1",
			want:  &iamapi.DeletePolicyVersionResponse{},
		},
		{name: "a version of no policy cannot be deleted", step: del + "v1", err: missing("v1")},
	})
}

// UpdateDate is when the newest version was created; to bring another into
// force, or to delete one, does not change it.
func TestPolicyShowsItsVersions(t *testing.T) {
	f := newFixture(t)
	f.do(createLimits)
	f.now = day.Add(time.Hour)
	f.do(step("CreatePolicyVersion PolicyArn=" + limitsARN + "&PolicyDocument=" + sized(100)))
	want := limits(func(p *iamapi.Policy) { p.UpdateDate = new(day.Add(time.Hour)) })
	f.requireAnswer("GetPolicy PolicyArn="+limitsARN, &iamapi.GetPolicyResponse{Policy: want}, "")

	f.now = day.Add(2 * time.Hour)
	f.do("SetDefaultPolicyVersion VersionId=v2&PolicyArn="+limitsARN, "DeletePolicyVersion VersionId=v1&PolicyArn="+limitsARN)
	want.DefaultVersionId = new("v2")
	f.requireAnswer("GetPolicy PolicyArn="+limitsARN, &iamapi.GetPolicyResponse{Policy: want}, "")
}

func TestPolicyVersionsArePaged(t *testing.T) {
	f := newFixture(t)
	create := step("CreatePolicyVersion PolicyArn=" + limitsARN + "&PolicyDocument=" + allowAll)
	f.do(createLimits, create, create)
	pages := walk(f, "ListPolicyVersions MaxItems=2&PolicyArn="+limitsARN, func(r action.Response) (ids []string, truncated bool, marker *string) {
		list := r.(*iamapi.ListPolicyVersionsResponse)
		for i := range list.Versions {
			ids = append(ids, *list.Versions[i].VersionId)
		}
		return ids, list.IsTruncated, list.Marker
	})
	require.Equal(t, [][]string{{"v3", "v2"}, {"v1"}}, pages)
}
