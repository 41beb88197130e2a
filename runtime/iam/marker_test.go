package iam_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/iam"
)

// A marker goes on with the kind of list that it comes from, and with no other.
func TestMarkersBelongToTheirLists(t *testing.T) {
	const policyARN = "PolicyArn=arn:aws:iam::123456789012:policy/Read"
	f := newFixture(t)
	f.do(createAlice, "CreateGroup GroupName=team", step("CreatePolicy PolicyName=Read&PolicyDocument="+allowAll))
	lists := map[string][]step{
		"u": {"ListUsers "},
		"g": {"ListGroups "},
		"m": {"GetGroup GroupName=team"},
		"n": {"ListGroupsForUser UserName=alice"},
		"p": {"ListPolicies "},
		"v": {"ListPolicyVersions " + policyARN},
		"a": {"ListAttachedUserPolicies UserName=alice", "ListAttachedGroupPolicies GroupName=team"},
		"e": {"ListEntitiesForPolicy " + policyARN},
		"i": {"ListUserPolicies UserName=alice", "ListGroupPolicies GroupName=team"},
		"t": {"ListUserTags UserName=alice", "ListPolicyTags " + policyARN},
		"k": {"ListAccessKeys UserName=alice"},
		"s": {"ListServiceAccounts "},
		"d": {"GetAccountAuthorizationDetails "},
		"l": {"ListAccountAliases "},
		"": { // lists that have no second page
			"ListMFADevices UserName=alice", "ListVirtualMFADevices ", "ListSigningCertificates UserName=alice",
			"ListSSHPublicKeys UserName=alice", "ListServiceSpecificCredentials UserName=alice",
			"ListPoliciesGrantingServiceAccess Arn=arn:aws:iam::123456789012:user/Alice&ServiceNamespaces.member.1=s3",
			// and those whose positions are numbers
			step("SimulateCustomPolicy ActionNames.member.1=s3:GetObject&PolicyInputList.member.1=" + allowAll),
			"SimulatePrincipalPolicy ActionNames.member.1=s3:GetObject&PolicySourceArn=arn:aws:iam::123456789012:user/Alice",
		},
	}
	tested := map[string]bool{}
	for own, steps := range lists {
		for _, list := range steps {
			for other := range lists {
				position := "User:a" // every list has such a position
				_, err := f.call(list + "&Marker=" + step(*marker(other, position)))
				if own == other && own != "" {
					require.NoError(t, err, list)
				} else {
					require.EqualError(t, err, "ValidationError: Invalid Marker.", "%s with a marker of %q", list, other)
				}
			}
			name, _, _ := strings.Cut(string(list), " ")
			tested[name] = true
		}
	}
	paged := 0
	handler := reflect.TypeFor[iamapi.Handler[*iam.Tx]]()
	for method := range handler.Methods() {
		if _, ok := method.Type.In(1).Elem().FieldByName("Marker"); ok {
			paged++
		}
	}
	require.Len(t, tested, paged, "every action with a Marker is tested")
}
