package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/reference"
	"iamserver/runtime/policy"
)

// bucketActions is the catalogue of actions as bucket policies see it.
type bucketActions struct{}

func (bucketActions) S3Actions() []policy.S3Action {
	var actions []policy.S3Action
	for i := range reference.Catalogue.Actions {
		if a := &reference.Catalogue.Actions[i]; a.Service == "s3" {
			actions = append(actions, policy.S3Action{
				Name: a.String(), OnBucket: slices.Contains(a.Resources, "bucket"), OnObject: slices.Contains(a.Resources, "object"),
			})
		}
	}
	return actions
}

func (bucketActions) HasKey(key string) bool { return reference.Catalogue.Key(key) != nil }

func (bucketActions) Supports(action, key string) bool {
	return reference.Catalogue.Supports(reference.Catalogue.Action(action), key)
}

// checkBucket parses and validates the policy of the bucket b and returns S3's
// sentence, or "".
func checkBucket(t *testing.T, text string) string {
	t.Helper()
	d, err := policy.ParseBucketPolicy(text)
	if err == nil {
		err = d.ValidateBucketPolicy("b", bucketActions{})
	} else {
		require.Nil(t, d)
	}
	if err == nil {
		return ""
	}
	var refused *policy.Error
	require.ErrorAs(t, err, &refused)
	return refused.Message
}

// statementOf is a statement of the members given, which replace the usual ones of
// the same name or its opposite.
func statementOf(usual, members []string) string {
	kept := slices.DeleteFunc(slices.Clone(usual), func(u string) bool {
		return slices.ContainsFunc(members, func(m string) bool { return conflicting(u, m) })
	})
	return "{" + strings.Join(append(kept, members...), ",") + "}"
}

func bucketStatement(members ...string) string {
	return statementOf([]string{`"Effect":"Allow"`, `"Principal":"*"`, `"Action":"s3:GetObject"`, `"Resource":"arn:aws:s3:::b/*"`}, members)
}

func TestBucketPolicies(t *testing.T) {
	const (
		invalidPrincipal = "Invalid principal in policy"
		invalidAction    = "Policy has invalid action"
		invalidResource  = "Policy has invalid resource"
		noTarget         = "Action does not apply to any resource(s) in statement"
		invalidKey       = "Policy has an invalid condition key"
		keyNotInAction   = "Conditions do not apply to combination of actions and resources in statement"
		invalidSyntax    = "Invalid policy syntax."
		notAnObject      = "Policies must be valid JSON and the first byte must be '{'"
		invalidJSON      = "This policy contains invalid Json"
	)
	fine := bucketStatement()
	long := func(n int) string {
		text := document(bucketStatement(`"Sid":""`))
		return strings.Replace(text, `"Sid":""`, `"Sid":"`+strings.Repeat("a", n-len(text))+`"`, 1)
	}
	for _, tt := range []struct{ name, in, want string }{
		{"objects for everyone", document(fine), ""},
		{"no version", `{"Statement":[` + fine + `]}`, ""},
		{"the old version, an Id, and one statement without an array", `{"Version":"2008-10-17","Id":"an Id","Statement":` + fine + `}`, ""},
		{"a Sid with blanks", document(bucketStatement(`"Sid":"Read only, for all"`)), ""},
		{"white space counts", long(20_480-2) + "\n\n", ""},
		{"a byte too many", long(20_480-2) + "\n\n\n", "Policy exceeds the maximum allowed document size."},

		{"nothing", "", notAnObject},
		{"white space before the object", " " + document(fine), notAnObject},
		{"an array", "[" + document(fine) + "]", notAnObject},
		{"an object that does not end", strings.TrimSuffix(document(fine), "}"), invalidJSON},
		{"text after the object", document(fine) + "x", invalidJSON},
		{"a byte that is no UTF-8", document(bucketStatement("\"Sid\":\"\xff\"")), invalidJSON},
		{"no statement", `{"Version":"2012-10-17"}`, "Missing required field Statement"},
		{"an empty array of statements", document(), "Could not parse the policy: Statement is empty!"},
		{"an unknown version", `{"Version":"2020-01-01","Statement":` + fine + `}`, "The policy must contain a valid version string"},
		{"a version that is no string", `{"Version":2012,"Statement":` + fine + `}`, "The policy must contain a valid version string"},
		{"an unknown field", `{"Version":"2012-10-17","Owner":"me","Statement":` + fine + `}`, "Unknown field Owner"},
		{"an unknown field of a statement", document(bucketStatement(`"Actions":"s3:*"`)), "Unknown field Actions"},
		{"two unknown fields", document(bucketStatement(`"Zone":1`, `"Area":1`)), "Unknown field Area"},
		{"a statement that is a string", document(`"x"`), invalidSyntax},
		{"a member twice", document(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Resource":"arn:aws:s3:::b/*"}`), invalidSyntax},
		{"Action and NotAction", document(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","NotAction":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}`), invalidSyntax},
		{"an action that is a number", document(bucketStatement(`"Action":1`)), invalidSyntax},

		{"no effect", document(`{"Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`), "Missing required field Effect"},
		{"an unknown effect", document(bucketStatement(`"Effect":"Permit"`)), "Invalid effect: Permit"},
		{"an effect in small letters", document(bucketStatement(`"Effect":"allow"`)), "Invalid effect: allow"},
		{"an effect that is null", document(bucketStatement(`"Effect":null`)), "Invalid effect: null"},

		{"no principal", document(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`), "Missing required field Principal"},
		{"an empty principal", document(bucketStatement(`"Principal":{}`)), "Missing required field Principal cannot be empty!"},
		{"a principal of an empty list", document(bucketStatement(`"Principal":{"AWS":[]}`)), "Missing required field Principal cannot be empty!"},
		{"an empty text for the principal", document(bucketStatement(`"Principal":""`)), "Missing required field Principal cannot be empty!"},
		{"each form of a principal", document(bucketStatement(`"Principal":{"AWS":["*","111122223333","arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:user/dev/bob","arn:aws:iam::111122223333:role/r","arn:aws:sts::111122223333:assumed-role/r/s","arn:aws:sts::111122223333:federated-user/f","AIDAALICEALICEALICE1","AROADEPLOYDEPLOYDEP1"],"Service":"logging.s3.amazonaws.com","Federated":"arn:aws:iam::111122223333:saml-provider/p","CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`)), ""},
		{"a text other than a star", document(bucketStatement(`"Principal":"111122223333"`)), invalidPrincipal},
		{"a part of a name", document(bucketStatement(`"Principal":{"AWS":"arn:aws:iam::111122223333:user/*"}`)), invalidPrincipal},
		{"a group", document(bucketStatement(`"Principal":{"AWS":"arn:aws:iam::111122223333:group/g"}`)), invalidPrincipal},
		{"a short account", document(bucketStatement(`"Principal":{"AWS":"11112222"}`)), invalidPrincipal},
		{"one bad principal among good ones", document(bucketStatement(`"Principal":{"AWS":["111122223333","alice"]}`)), invalidPrincipal},
		{"a canonical user that is none", document(bucketStatement(`"Principal":{"CanonicalUser":"alice"}`)), invalidPrincipal},
		{"NotPrincipal beside Deny", document(bucketStatement(`"Effect":"Deny"`, `"NotPrincipal":{"AWS":"111122223333"}`)), ""},
		{"NotPrincipal beside Allow", document(bucketStatement(`"NotPrincipal":{"AWS":"111122223333"}`)), invalidPrincipal},

		{"no action", document(`{"Effect":"Allow","Principal":"*","Resource":"arn:aws:s3:::b/*"}`), "Missing required field Action"},
		{"an empty list of actions", document(bucketStatement(`"Action":[]`)), "Missing required field Action cannot be empty!"},
		{"all actions", document(bucketStatement(`"Action":"*"`)), ""},
		{"all actions of S3", document(bucketStatement(`"Action":"s3:*"`)), ""},
		{"an action in another case", document(bucketStatement(`"Action":"S3:getobject"`)), ""},
		{"a wildcard", document(bucketStatement(`"Action":"s3:Get*Acl"`)), ""},
		{"an unknown action", document(bucketStatement(`"Action":"s3:HeadObject"`)), invalidAction},
		{"a wildcard that matches no action", document(bucketStatement(`"Action":"s3:Frobnicate*"`)), invalidAction},
		{"an action of another service", document(bucketStatement(`"Action":"iam:GetUser"`)), invalidAction},
		{"an action without a service", document(bucketStatement(`"Action":"GetObject"`)), invalidAction},
		{"an action that is of no bucket", document(bucketStatement(`"Action":"s3:ListAllMyBuckets"`)), invalidAction},
		{"one unknown action among known ones", document(bucketStatement(`"Action":["s3:GetObject","s3:GetObjects"]`)), invalidAction},
		{"an unknown NotAction", document(bucketStatement(`"NotAction":"s3:GetObjects"`)), invalidAction},

		{"no resource", document(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}`), "Missing required field Resource"},
		{"an empty list of resources", document(bucketStatement(`"Resource":[]`)), "Missing required field Resource cannot be empty!"},
		{"a resource that is null", document(bucketStatement(`"Resource":[null]`)), "Missing required field Resource cannot be empty!"},
		{"the bucket and its objects", document(bucketStatement(`"Action":"s3:*"`, `"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`)), ""},
		{"a folder", document(bucketStatement(`"Resource":"arn:aws:s3:::b/home/${aws:username}/*"`)), ""},
		{"a star behind the bucket", document(bucketStatement(`"Action":["s3:GetObject","s3:ListBucket"]`, `"Resource":"arn:aws:s3:::b*"`)), ""},
		{"everything", document(bucketStatement(`"Resource":"*"`)), invalidResource},
		{"another bucket", document(bucketStatement(`"Resource":"arn:aws:s3:::c/*"`)), invalidResource},
		{"a bucket whose name begins alike", document(bucketStatement(`"Resource":"arn:aws:s3:::bb/*"`)), invalidResource},
		{"a wildcard in the bucket's name", document(bucketStatement(`"Resource":"arn:aws:s3:::?/*"`)), invalidResource},
		{"no ARN", document(bucketStatement(`"Resource":"b/*"`)), invalidResource},
		{"another service", document(bucketStatement(`"Resource":"arn:aws:sqs:::b/*"`)), invalidResource},
		{"another bucket among resources", document(bucketStatement(`"Resource":["arn:aws:s3:::b/*","arn:aws:s3:::c/*"]`)), invalidResource},
		{"NotResource", document(bucketStatement(`"NotResource":"arn:aws:s3:::b/private/*"`)), ""},
		{"NotResource of another bucket", document(bucketStatement(`"NotResource":"arn:aws:s3:::c/*"`)), invalidResource},

		{"an action on the bucket with objects only", document(bucketStatement(`"Action":"s3:ListBucket"`)), noTarget},
		{"an action on objects with the bucket only", document(bucketStatement(`"Resource":"arn:aws:s3:::b"`)), noTarget},
		{"all actions with the bucket only", document(bucketStatement(`"Action":"s3:*"`, `"Resource":"arn:aws:s3:::b"`)), ""},
		{"one of two actions without a resource", document(bucketStatement(`"Action":["s3:GetObject","s3:ListBucket"]`)), noTarget},
		{"the first statement is fine, the second not", document(fine, bucketStatement(`"Action":"s3:ListBucket"`)), noTarget},

		{"a key that every request has", document(bucketStatement(`"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"Bool":{"AWS:securetransport":true}}`)), ""},
		{"a key of the action", document(bucketStatement(`"Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"a"}}`)), ""},
		{"a key of another action", document(bucketStatement(`"Condition":{"StringLike":{"s3:prefix":"a/*"}}`)), keyNotInAction},
		{"a key of one of two actions", document(bucketStatement(`"Action":["s3:GetObject","s3:ListBucket"]`, `"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`, `"Condition":{"StringLike":{"s3:prefix":"a/*"}}`)), keyNotInAction},
		{"a key of some of all actions", document(bucketStatement(`"Action":"s3:*"`, `"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`, `"Condition":{"StringLike":{"s3:prefix":"a/*"}}`)), ""},
		{"a key that does not exist", document(bucketStatement(`"Condition":{"StringEquals":{"s3:NoSuchKey":"a"}}`)), invalidKey},
		{"a key of an unknown service", document(bucketStatement(`"Condition":{"StringEquals":{"nosuch:key":"a"}}`)), invalidKey},
		{"an unknown operator", document(bucketStatement(`"Condition":{"StringSortOfEquals":{"aws:username":"a"}}`)), invalidSyntax},
		{"a date that is none", document(bucketStatement(`"Condition":{"DateLessThan":{"aws:CurrentTime":["2026-01-01","soon"]}}`)), invalidSyntax},
		{"an operator without keys", document(bucketStatement(`"Condition":{"NoSuchOperator":{}}`)), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, checkBucket(t, tt.in))
		})
	}
}

func TestTrustPolicies(t *testing.T) {
	const (
		notAssuming = "AssumeRole policy may only specify STS AssumeRole actions."
		invalid     = "Invalid principal in policy"
	)
	trust := func(members ...string) string {
		return document(statementOf([]string{`"Effect":"Allow"`, `"Principal":{"AWS":"111122223333"}`, `"Action":"sts:AssumeRole"`}, members))
	}
	for _, tt := range []struct{ name, in, want string }{
		{"an account", trust(), ""},
		{"the old version", `{"Version":"2008-10-17","Statement":[{"Sid":"","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`, ""},
		{"everyone, of type AWS", trust(`"Principal":{"AWS":"*"}`), ""},
		{"each action", trust(`"Action":["sts:AssumeRole","sts:AssumeRoleWithSAML","sts:AssumeRoleWithWebIdentity","sts:TagSession","sts:SetSourceIdentity","STS:assumerole","sts:Assume*","sts:*"]`), ""},
		{"an identity provider", trust(`"Principal":{"Federated":["arn:aws:iam::111122223333:oidc-provider/idp.example.com/realm","cognito-identity.amazonaws.com"]}`, `"Action":"sts:AssumeRoleWithWebIdentity"`), ""},
		{"a condition", trust(`"Condition":{"StringEquals":{"sts:ExternalId":"x"}}`), ""},

		{"another action of STS", trust(`"Action":"sts:GetCallerIdentity"`), notAssuming},
		{"an action of another service", trust(`"Action":["sts:AssumeRole","s3:GetObject"]`), notAssuming},
		{"all actions", trust(`"Action":"*"`), notAssuming},
		{"another NotAction", trust(`"NotAction":"s3:*"`), notAssuming},
		{"a resource", trust(`"Resource":"*"`), "Has prohibited field Resource."},
		{"an empty list of resources", trust(`"Resource":[]`), "Has prohibited field Resource."},
		{"a NotResource", trust(`"NotResource":"arn:aws:s3:::b"`), "Has prohibited field Resource."},
		{"no principal", document(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), "Missing required field Principal"},
		{"a star for the principal", trust(`"Principal":"*"`), `AssumeRolepolicy contained an invalid principal: "STAR":"*".`},
		{"a text for the principal", trust(`"Principal":"alice"`), invalid + `: "AWS":"alice"`},
		{"an empty principal", trust(`"Principal":{}`), invalid + "."},
		{"a principal of an empty list", trust(`"Principal":{"AWS":[]}`), invalid + "."},
		{"a NotPrincipal", trust(`"Effect":"Deny"`, `"NotPrincipal":{"AWS":"111122223333"}`), "Has prohibited field NotPrincipal."},
		{"a user with a wildcard", trust(`"Principal":{"AWS":"arn:aws:iam::111122223333:user/*"}`), invalid + `: "AWS":"arn:aws:iam::111122223333:user/*"`},
		{"a group", trust(`"Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:group/g"]}`), invalid + `: "AWS":"arn:aws:iam::111122223333:group/g"`},
		{"a service without a name", trust(`"Principal":{"Service":"amazonaws.com"}`), invalid + `: "SERVICE":"amazonaws.com"`},
		{"a provider that is none", trust(`"Principal":{"Federated":"arn:aws:iam::111122223333:user/x"}`), invalid + `: "FEDERATED":"arn:aws:iam::111122223333:user/x"`},
		{"a canonical user", trust(`"Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`), invalid + `: "CANONICALUSER":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"`},

		{"an unknown operator first", trust(`"Condition":{"Foo":{"a":"b"}}`, `"Resource":"*"`), syntaxErrors},
		{"an effect in small letters before the action", trust(`"Effect":"allow"`, `"Action":"s3:x"`), legacyParsing},
		{"a Sid with a blank before the action", trust(`"Sid":"a b"`, `"Action":"s3:x"`), sidCharacters},
		{"no action before the resource", trust(`"Action":[]`, `"Resource":"*"`), noActions},
		{"an action without a service before the resource", trust(`"Action":"AssumeRole"`, `"Resource":"*"`), noVendor},
		{"the action before the resource", trust(`"Action":"s3:x"`, `"Resource":"*"`), notAssuming},
		{"the resource before the principal", trust(`"Principal":"*"`, `"Resource":"*"`), "Has prohibited field Resource."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, check(t, tt.in, policy.TrustPolicy))
		})
	}
}

// TestResourcePolicies is about policies of resources in general, as the policy
// simulator takes them.
func TestResourcePolicies(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"everyone", document(withPrincipal(`"*"`)), ""},
		{"an account", document(withPrincipal(`{"AWS":"111122223333"}`)), ""},
		{"a Sid with blanks", document(bucketStatement(`"Sid":"a b"`)), ""},
		{"a Sid twice", document(bucketStatement(`"Sid":"a b"`), bucketStatement(`"Sid":"a b"`)), sidNotUnique},
		{"no principal", document(withAction(`"s3:GetObject"`)), "Missing required field Principal"},
		{"a principal that is none", document(withPrincipal(`{"AWS":"alice"}`)), `Invalid principal in policy: "AWS":"alice"`},
		{"NotPrincipal beside Allow", document(bucketStatement(`"NotPrincipal":{"AWS":"*"}`)), "Invalid principal in policy."},
		{"NotPrincipal beside Deny", document(bucketStatement(`"Effect":"Deny"`, `"NotPrincipal":{"AWS":"111122223333"}`)), ""},
		{"no resource", document(`{"Effect":"Allow","Principal":"*","Action":"*"}`), noResources},
		{"no action", document(`{"Effect":"Allow","Principal":"*","Resource":"*"}`), noActions},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, check(t, tt.in, policy.ResourcePolicy))
		})
	}
}
