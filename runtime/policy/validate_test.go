package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/policy"
)

const (
	versionTooLow = "Policy document must be version 2012-10-17 or greater."
	legacyParsing = "The policy failed legacy parsing"
	sidNotUnique  = "Statement IDs (SID) in a single policy must be unique."
	sidCharacters = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	noActions     = "Policy statement must contain actions."
	noVendor      = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	manyColons    = "Actions/Condition can contain only one colon."
	noResources   = "Policy statement must contain resources."
	hasPrincipal  = "Policy document should not specify a principal."
	noService     = "Resource vendor must be fully qualified and cannot contain regexes."
	iamResource   = `IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`
)

func TestValidateAccepts(t *testing.T) {
	for _, tt := range []struct{ name, in string }{
		{"a single statement without an array", `{"Version":"2012-10-17","Statement":` + withAction(`"s3:GetObject"`) + `}`},
		{"elements in another order", `{"Statement":[{"Resource":"*","Action":"*","Effect":"Deny"}],"Id":"","Version":"2012-10-17"}`},
		{"an Id", `{"Id":"an id","Version":"2012-10-17","Statement":` + withAction(`"*"`) + `}`},

		{"an empty Sid", document(withSid(`""`), withSid(`""`))},
		{"statements without a Sid beside one with", document(withSid(`"a1"`), withAction(`"*"`), withAction(`"*"`))},
		{"Sids that differ in case", document(withSid(`"Read"`), withSid(`"read"`))},

		{"a wildcard in an action's name", document(withAction(`["s3:Get*","s3:?et","s3:*"]`))},
		{"a service that does not exist", document(withAction(`"nosuchservice:Do"`))},
		{"a service with a hyphen and a point", document(withAction(`["aws-portal:ViewBilling","s.3:x"]`))},
		{"an action's name with blanks", document(withAction(`"iam: no such action "`))},
		{"an action without a name", document(withAction(`"s3:"`))},
		{"all actions but some", document(withNotAction(`["iam:*","sts:*"]`))},
		{"all actions but all", document(withNotAction(`"*"`))},

		{"a bucket and its objects", document(withResource(`["arn:aws:s3:::b","arn:aws:s3:::b/*"]`))},
		{"a star among ARNs", document(withResource(`["arn:aws:s3:::b","*"]`))},
		{"all resources but some", document(withNotResource(`["arn:aws:s3:::b/private/*"]`))},
		{"a null entry among resources", document(withResource(`["arn:aws:s3:::b",null]`))},
		{"a service without resources", document(withResource(`"arn:aws:sqs"`))},
		{"a service that does not exist, with a region", document(withResource(`"arn:aws:nosuch:eu-west-1::x"`))},
		{"colons in the resource", document(withResource(`"arn:aws:logs:us-east-1:123456789012:log-group:a:*"`))},
		{"a policy variable", document(withResource(`"arn:aws:iam::*:user/${aws:username}"`))},
		{"each partition", document(withResource(`["arn:aws-cn:s3:::b","arn:aws-us-gov:s3:::b","arn:aws-iso:s3:::b","arn:aws-iso-b:s3:::b","arn:aws-iso-e:s3:::b","arn:aws-iso-f:s3:::b","arn:aws-eusc:s3:::b","arn:*:s3:::b"]`))},
		{"an IAM resource without an account", document(withResource(`"arn:aws:iam:::user/alice"`))},
		{"all IAM resources", document(withResource(`"arn:aws:iam::123456789012:*"`))},
		{"each type of IAM resource", document(withResource(`["arn:aws:iam:::user/x","arn:aws:iam:::federated-user/x","arn:aws:iam:::role/x","arn:aws:iam:::group/x","arn:aws:iam:::instance-profile/x","arn:aws:iam:::mfa/x","arn:aws:iam:::server-certificate/x","arn:aws:iam:::policy/x","arn:aws:iam:::sms-mfa/x","arn:aws:iam:::saml-provider/x","arn:aws:iam:::oidc-provider/x","arn:aws:iam:::report/x","arn:aws:iam:::access-report/x"]`))},
		{"the root of an account", document(withResource(`"arn:aws:iam::123456789012:root"`))},
		{"a service account", document(withResource(`"arn:aws:iam::*:service-account/*"`))},
		{"an access point in a region", document(withResource(`"arn:aws:s3:eu-west-1:123456789012:accesspoint/ap"`))},
		{"the other S3 resources that have a region", document(withResource(`["arn:aws:s3:*:*:job/*","arn:aws:s3:r:1:storage-lens/x","arn:aws:s3:r:1:storage-lens-group/x","arn:aws:s3:r:1:access-grants/default","arn:aws:s3:us-west-2:1:async-request/mrap/x/y"]`))},

		{"an empty condition", document(withCondition(`{}`))},
		{"an operator without keys", document(withCondition(`{"DateGreaterThan":{}}`))},
		{"an unknown operator without keys", document(withCondition(`{"x":{},"NullIfExists":{}}`))},
		{"a key without values", document(withCondition(`{"DateGreaterThan":{"a":[]}}`))},
		{"a set prefix", document(withCondition(`{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`))},
		{"a set prefix and IfExists", document(withCondition(`{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":"a*"}}`))},
		{"Null", document(withCondition(`{"Null":{"aws:TokenIssueTime":true}}`))},
		{"each operator", document(withCondition(`{` + operators() + `}`))},
		{"a number, a boolean and text are values alike", document(withCondition(`{"NumericLessThan":{"s3:max-keys":[10,"10",1.5e3]},"Bool":{"aws:SecureTransport":[true,"true"]}}`))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Empty(t, check(t, tt.in, policy.ManagedPolicy))
			require.Empty(t, check(t, tt.in, policy.InlinePolicy))
		})
	}
}

// operators has a member for every operator of AWS, with a value that suits all.
func operators() string {
	var members []string
	for _, operator := range strings.Fields(`
		StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike
		NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals
		DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals
		Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals ArnNotLike`) {
		members = append(members, `"`+operator+`":{"k":1}`, `"`+operator+`IfExists":{"k":1}`)
	}
	return strings.Join(members, ",") + `,"Null":{"k":1}`
}

func TestValidateRefuses(t *testing.T) {
	partition := func(partition, arn string) string {
		return `Partition "` + partition + `" is not valid for resource "` + arn + `".`
	}
	notARN := func(resource string) string { return "Resource " + resource + ` must be in ARN format or "*".` }
	iamRegion := func(arn string) string { return "IAM resource " + arn + " cannot contain region information." }
	s3Region := func(arn string) string { return "Resource " + arn + " can not contain region information." }

	for _, tt := range []struct{ name, in, want string }{
		// Stage 1, what Parse leaves of it.
		{"an unknown operator", document(withCondition(`{"FooEquals":{"a":"b"}}`)), syntaxErrors},
		{"an unknown operator whose key has no values", document(withCondition(`{"FooEquals":{"a":[]}}`)), syntaxErrors},
		{"an operator in the wrong case", document(withCondition(`{"stringEquals":{"a":"b"}}`)), syntaxErrors},
		{"an operator that AWS has only with regard to case", document(withCondition(`{"StringLikeIgnoreCase":{"a":"b"}}`)), syntaxErrors},
		{"two colons after the set prefix", document(withCondition(`{"ForAnyValue::StringEquals":{"a":"b"}}`)), syntaxErrors},
		{"two set prefixes", document(withCondition(`{"ForAnyValue:ForAllValues:StringEquals":{"a":"b"}}`)), syntaxErrors},
		{"IfExists twice", document(withCondition(`{"StringEqualsIfExistsIfExists":{"a":"b"}}`)), syntaxErrors},
		{"a prefix and a suffix with nothing between", document(withCondition(`{"ForAnyValue:IfExists":{"a":"b"}}`)), syntaxErrors},
		{"NullIfExists", document(withCondition(`{"NullIfExists":{"a":"true"}}`)), syntaxErrors},

		// Stage 2.
		{"no version", `{"Statement":` + withAction(`"*"`) + `}`, versionTooLow},
		{"the old version", `{"Version":"2008-10-17","Statement":` + withAction(`"*"`) + `}`, versionTooLow},

		// Stage 3.
		{"an effect in small letters", document(`{"Effect":"allow","Action":"*","Resource":"*"}`), legacyParsing},
		{"an effect in capitals", document(`{"Effect":"DENY","Action":"*","Resource":"*"}`), legacyParsing},
		{"a date that is none", document(withCondition(`{"DateGreaterThan":{"a":"tomorrow"}}`)), legacyParsing},
		{"a date that is none in a list", document(withCondition(`{"ForAnyValue:DateEqualsIfExists":{"a":["2024-01-01",true]}}`)), legacyParsing},
		{"an ARN of five parts with an empty one", document(withResource(`"arn:aws:s3::b"`)), legacyParsing},
		{"the same in an array", document(withResource(`["*","arn:aws:s3::b"]`)), legacyParsing},
		{"the same in NotResource", document(withNotResource(`"arn:aws:s3::b"`)), legacyParsing},
		{"an ARN without a service", document(withResource(`"arn:aws::::b"`)), legacyParsing},
		{"the same in an array", document(withResource(`["arn:aws::::b"]`)), legacyParsing},
		{"an ARN that ends before the service", document(withResource(`"arn:aws:"`)), legacyParsing},
		{"an ARN of four parts without a service", document(withResource(`"arn:aws::b"`)), legacyParsing},

		// Stage 4.
		{"a Sid twice", document(withSid(`"a"`), withSid(`""`), withSid(`"a"`)), sidNotUnique},
		{"a Sid with a hyphen", document(withSid(`"read-only"`)), sidCharacters},
		{"a Sid with a blank", document(withSid(`"read only"`)), sidCharacters},
		{"a Sid with an accent", document(withSid(`"é"`)), sidCharacters},
		{"a Sid with a hyphen, twice", document(withSid(`"a-b"`), withSid(`"a-b"`)), sidCharacters},

		// Stage 5.
		{"no action", document(`{"Effect":"Allow","Resource":"*"}`), noActions},
		{"an empty Action", document(withAction(`[]`)), noActions},
		{"an empty NotAction", document(withNotAction(`[]`)), noActions},
		{"no action in the second statement", document(withAction(`"*"`), `{"Effect":"Allow"}`), noActions},

		// Stage 6.
		{"no resource", document(`{"Effect":"Allow","Action":"*"}`), noResources},
		{"an empty Resource", document(withResource(`[]`)), noResources},
		{"an empty NotResource", document(withNotResource(`[]`)), noResources},
		{"a NotResource of null alone", document(withNotResource(`[null]`)), noResources},
		{"no resource beside an action without a service", document(`{"Effect":"Allow","Action":"invalid"}`), noResources},

		// Stage 7.
		{"a resource that is no ARN", document(withResource(`"my bucket"`)), notARN("my bucket")},
		{"an empty resource", document(withResource(`""`)), notARN("")},
		{"an empty resource in an array", document(withResource(`["*",""]`)), notARN("")},
		{"two stars", document(withResource(`"**"`)), notARN("**")},
		{"an ARN that does not begin with arn", document(withResource(`"urn:aws:s3:::b"`)), notARN("urn:aws:s3:::b")},
		{"an ARN in capitals", document(withResource(`"ARN:aws:s3:::b"`)), notARN("ARN:aws:s3:::b")},
		{"a resource without the arn", document(withResource(`"aws:s3:::b"`)), partition("s3", "arn:s3:::b:*")},
		{"an unknown partition alone", document(withResource(`"x:y"`)), partition("y", "arn:y:*:*:*:*")},
		{"an unknown partition and a colon", document(withResource(`"x:y:"`)), partition("y", "arn:y:*:*:*:*")},
		{"an unknown partition and two colons", document(withResource(`"x:y::"`)), partition("y", "arn:y:::*:*")},
		{"an unknown partition and a service", document(withResource(`"x:y:z"`)), partition("y", "arn:y:z:*:*:*")},
		{"an unknown partition and more parts than an ARN has", document(withResource(`"a:b:c:d:e:f:g:h"`)), partition("b", "arn:b:c:d:e:f:g:h")},
		{"an empty partition", document(withResource(`"arn::s3:::b"`)), partition("", "arn::s3:::b")},
		{"a wildcard in the partition", document(withResource(`"arn:aws*:s3:::b"`)), partition("aws*", "arn:aws*:s3:::b")},
		{"a partition in capitals", document(withResource(`"arn:AWS:s3:::b"`)), partition("AWS", "arn:AWS:s3:::b")},
		{"no service", document(withResource(`"arn:aws"`)), noService},
		{"a star for the service", document(withResource(`"arn:aws:*:::b"`)), noService},
		{"a wildcard in the service", document(withResource(`"arn:aws:s?:::b"`)), noService},
		{"IAM in a region", document(withResource(`"arn:aws:iam:us-east-1:123456789012:user/x"`)), iamRegion("arn:aws:iam:us-east-1:123456789012:user/x")},
		{"IAM in every region", document(withResource(`"arn:aws:iam:*:123456789012:user/x"`)), iamRegion("arn:aws:iam:*:123456789012:user/x")},
		{"IAM alone", document(withResource(`"arn:aws:iam"`)), iamRegion("arn:aws:iam")},
		{"IAM and a colon", document(withResource(`"arn:aws:iam:"`)), iamRegion("arn:aws:iam:")},
		{"a bucket in a region", document(withResource(`"arn:aws:s3:us-east-1::b"`)), s3Region("arn:aws:s3:us-east-1::b")},
		{"an object below accesspoint in a bucket in a region", document(withResource(`"arn:aws:s3:us-east-1::b/accesspoint/x"`)), s3Region("arn:aws:s3:us-east-1::b/accesspoint/x")},
		{"S3 and a star", document(withResource(`"arn:aws:s3:*"`)), s3Region("arn:aws:s3:*")},
		{"S3 alone", document(withResource(`"arn:aws:s3"`)), s3Region("arn:aws:s3")},
		{"an unknown IAM resource", document(withResource(`"arn:aws:iam::123456789012:alice"`)), iamResource},
		{"a path that begins like the root of an account", document(withResource(`"arn:aws:iam::123456789012:root/x"`)), iamResource},
		{"a wildcard for the type of an IAM resource", document(withResource(`"arn:aws:iam::123456789012:*/alice"`)), iamResource},
		{"an IAM resource that stops at the account", document(withResource(`"arn:aws:iam::123456789012"`)), iamResource},
		{"a type of IAM resource without a slash", document(withResource(`"arn:aws:iam::123456789012:user"`)), iamResource},
		{"an unknown NotResource", document(withNotResource(`"b"`)), notARN("b")},

		// Stage 7, which of several.
		{"the first in sorting order of one statement", document(withResource(`["b:c","b","*","arn:aws:iam","c"]`)), iamRegion("arn:aws:iam")},
		{"the last statement", document(withResource(`"a"`), withResource(`"c"`), withResource(`"b"`), withResource(`"*"`)), notARN("b")},
		{"NotResource after Resource", document(withNotResource(`"a"`), withResource(`"b"`)), notARN("a")},
		{"an unknown partition before what would fail legacy parsing", document(withResource(`["arn:error:s3:::b","arn:error:s3::b"]`)), partition("error", "arn:error:s3:::b")},

		// Stage 8.
		{"an action without a service", document(withAction(`"GetObject"`)), noVendor},
		{"an empty action", document(withAction(`""`)), noVendor},
		{"an empty NotAction", document(withNotAction(`[""]`)), noVendor},
		{"two stars for an action", document(withAction(`"**"`)), noVendor},
		{"two colons", document(withAction(`"s3:Get:Object"`)), manyColons},
		{"two colons and a bad service", document(withAction(`"s 3:Get:Object"`)), manyColons},
		{"a service with a blank", document(withAction(`"s 3:GetObject"`)), "Vendor s 3 is not valid"},
		{"a service with a line", document(withAction(`"s_3:GetObject"`)), "Vendor s_3 is not valid"},
		{"a star for the service of an action", document(withAction(`"*:GetObject"`)), "Vendor * is not valid"},
		{"no service before the colon", document(withAction(`":GetObject"`)), "Vendor  is not valid"},
		{"the first of several", document(withAction(`["s3:x","a b:x","a"]`), withAction(`"a:b:c"`)), "Vendor a b is not valid"},
		{"Action before NotAction", document(withNotAction(`"x"`), withAction(`"a:b:c"`)), manyColons},

		// Stage 9.
		{"a principal", document(withPrincipal(`"*"`)), hasPrincipal},
		{"an empty principal", document(withPrincipal(`{}`)), hasPrincipal},
		{"a NotPrincipal", document(`{"Effect":"Deny","NotPrincipal":{"AWS":"*"},"Action":"*","Resource":"*"}`), hasPrincipal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, check(t, tt.in, policy.ManagedPolicy))
			if tt.want == versionTooLow {
				require.Empty(t, check(t, tt.in, policy.InlinePolicy))
			} else {
				require.Equal(t, tt.want, check(t, tt.in, policy.InlinePolicy))
			}
		})
	}
}

// TestStages pairs every fault with every fault of a later stage, in one
// statement or in two: the earlier stage is reported.
func TestStages(t *testing.T) {
	const fine = `"Effect":"Allow","Action":"s3:x","Resource":"*"`
	faults := []struct {
		sentence string
		// members replace those of the same name in a statement that is fine.
		members string
	}{
		{syntaxErrors, `"Condition":{"Foo":{"a":"b"}}`},
		{legacyParsing, `"Effect":"allow"`},
		{sidCharacters, `"Sid":"a-b"`},
		{noActions, `"Action":[]`},
		{noResources, `"NotResource":[]`},
		{`Resource x must be in ARN format or "*".`, `"Resource":"x"`},
		{noVendor, `"NotAction":"x"`},
		{hasPrincipal, `"Principal":"*"`},
	}
	for i, early := range faults {
		for _, late := range faults[i+1:] {
			t.Run(early.members+" and "+late.members, func(t *testing.T) {
				require.Equal(t, late.sentence, check(t, document(replace(fine, late.members)), policy.ManagedPolicy), "alone")
				twoStatements := document(replace(fine, late.members), replace(fine, early.members))
				require.Equal(t, early.sentence, check(t, twoStatements, policy.ManagedPolicy), "in two statements")
				both := replace(strings.Trim(replace(fine, late.members), "{}"), early.members)
				if conflicting(early.members, late.members) {
					return
				}
				require.Equal(t, early.sentence, check(t, document(both), policy.ManagedPolicy), "in one statement")
			})
		}
	}
}

// replace is a statement with the given members but for the one that has the name
// (or the opposite name) of member, and with member.
func replace(members, member string) string {
	kept := []string{member}
	for _, m := range strings.Split(members, `,"`) {
		m = `"` + strings.TrimPrefix(m, `"`)
		if !conflicting(m, member) {
			kept = append(kept, m)
		}
	}
	return "{" + strings.Join(kept, ",") + "}"
}

func conflicting(one, other string) bool {
	name := func(member string) string {
		name, _, _ := strings.Cut(strings.Trim(member, `"`), `"`)
		return strings.TrimPrefix(name, "Not")
	}
	return name(one) == name(other)
}

func TestStagesThatStatementsCannotShow(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"syntax before version", `{"Statement":{"Effect":"Allow","Condition":{"Foo":{"a":"b"}}}}`, syntaxErrors},
		{"version before legacy parsing", `{"Statement":{"Effect":"allow"}}`, versionTooLow},
		{"version before a Sid twice", `{"Statement":[` + withSid(`"a"`) + `,` + withSid(`"a"`) + `]}`, versionTooLow},
		{"a bad date before a bad resource", document(`{"Effect":"Allow","Resource":"x","Condition":{"DateEquals":{"a":"x"}}}`), legacyParsing},
		{"a resource that fails legacy parsing before a Sid twice", document(`{"Sid":"a","Effect":"Allow","Resource":"arn:aws:s3::b"}`, withSid(`"a"`)), legacyParsing},
		{"a resource that fails legacy parsing before no action", document(`{"Effect":"Allow","Resource":"arn:aws:s3::b"}`), legacyParsing},
		{"a Sid twice before no action", document(withSid(`"a"`), `{"Sid":"a","Effect":"Allow"}`), sidNotUnique},
		{"a Sid that is not alphanumeric before one twice", document(withSid(`"a"`), withSid(`"a"`), withSid(`"-"`)), sidCharacters},

		{"a resource in the wrong format saves later ones from legacy parsing", document(withResource(`"x"`), withResource(`"arn:aws:s3::b"`)), `Resource x must be in ARN format or "*".`},
		{"but not earlier ones", document(withResource(`"arn:aws:s3::b"`), withResource(`"x"`)), legacyParsing},
		{"it saves those of its own list", document(withResource(`["arn:aws:s3::b","x"]`)), `Resource x must be in ARN format or "*".`},
		{"and every NotResource", document(withNotResource(`"arn:aws:s3::b"`), withResource(`"x"`)), `Resource x must be in ARN format or "*".`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, check(t, tt.in, policy.ManagedPolicy))
		})
	}
}

func TestOldVersionsOfInlinePolicies(t *testing.T) {
	for _, version := range []string{``, `"Version":"2008-10-17",`} {
		in := `{` + version + `"Statement":` + withAction(`"s3:GetObject"`) + `}`
		require.Empty(t, check(t, in, policy.InlinePolicy))
		require.Equal(t, versionTooLow, check(t, in, policy.ManagedPolicy))
	}
}

func TestDates(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want bool
	}{
		{"0", true},
		{"2024", true}, // an epoch, as it has digits only
		{"9223372036854775807", true},
		{"9223372036854775808", false},
		{"+1", false},
		{" 1", false},
		{"1.5", false},
		{"1_000", false},
		{"", false},
		{"true", false},
		{"${aws:CurrentTime}", false},

		{"2024-02", true},
		{"2024-2-3", true},
		{"2024-00", false},
		{"2024-13", false},
		{"2024-12-31", true},
		{"2024-12-32", false},
		{"2024-12-00", false},
		{"2024-12-31-1", false},
		{"2024-", false},
		{"2024-12-", false},
		{"-", false},
		{"--1", false},
		{"-1", true},
		{"-292275054", true},
		{"-292275055", false},
		{"292278993T", true},
		{"292278994T", false},

		{"01T", true},
		{"T", false},
		{"2024-01-01T", true},
		{"2024-01-01T23", true},
		{"2024-01-01T24", false},
		{"2024-01-01T23Z", false},
		{"2024-01-01T23:", false},
		{"2024-01-01T:59", false},
		{"2024-01-01T23:59", true},
		{"2024-01-01T23:59Z", true},
		{"2024-01-01T23:59-05:00", true},
		{"2024-01-01T23:60", false},
		{"2024-01-01T23:59:59", true},
		{"2024-01-01T23:59:", false},
		{"2024-01-01T23:59:60", false},
		{"2024-01-01T23:59:59:1", false},
		{"2024-01-01T23:59:59Z", true},
		{"2024-01-01t2:5:9z", true},
		{"2024-01-01T23:59:59ZZ", false},
		{"2024-01-01T23:59:59Z1", false},
		{"2024-01-01T23:59:59Z05", false},
		{"2024-01-01T23:59:59.5Z", true},
		{"2024-01-01T23:59:59.999999999Z", true},
		{"2024-01-01T23:59:59.1000000000Z", false},
		{"2024-01-01T23:59:59.Z", false},
		{"2024-01-01T23:59.5Z", false},
		{"2024-01-01T23:59:59+23", true},
		{"2024-01-01T23:59:59+24", false},
		{"2024-01-01T23:59:59+1", false},
		{"2024-01-01T23:59:59+001", false},
		{"2024-01-01T23:59:59+", false},
		{"2024-01-01T23:59:59+10:59", true},
		{"2024-01-01T23:59:59-10:59", true},
		{"2024-01-01T23:59:59+10:60", false},
		{"2024-01-01T23:59:59+10:5", false},
		{"2024-01-01T23:59:59+1059", false},
		{"2024-01-01 23:59:59Z", false},
		{"2024-01-01T23:59:59T", false},
		{"2024-01-*", false},
	} {
		t.Run(tt.in, func(t *testing.T) {
			want := legacyParsing
			if tt.want {
				want = ""
			}
			require.Equal(t, want, check(t, document(withCondition(`{"DateLessThan":{"k":"`+tt.in+`"}}`)), policy.ManagedPolicy))
		})
	}
}
