package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
)

// Bucket policies are kept here, checked as S3 checks them, and never reach the store.
func storyBucketPolicies(t *testing.T, o *objects) {
	b := o.bucket(t, "policies", []string{"a"})
	policy := message{method: "GET", target: "/" + b + "?policy"}
	require.Equal(t, "404 NoSuchBucketPolicy", o.send(t, o.root, policy).String())
	require.Equal(t, "404 NoSuchBucketPolicy", o.send(t, o.root, message{method: "GET", target: "/" + b + "?policyStatus"}).String())
	require.Equal(t, "404 NoSuchPublicAccessBlockConfiguration", o.send(t, o.root, message{method: "GET", target: "/" + b + "?publicAccessBlock"}).String())
	for _, tt := range []struct{ name, body, message string }{
		{"no JSON", "x", "Policies must be valid JSON and the first byte must be '{'"},
		{"another bucket", document(allow("GetObject", "other/*", everyone)), "Policy has invalid resource"},
		{"an action on what it is not for", document(allow("GetObject", b, everyone)), "Action does not apply to any resource(s) in statement"},
		{"no principal", document(allow("GetObject", b+"/*")), "Missing required field Principal"},
		{"a principal that is not there", document(allow("GetObject", b+"/*", of(o.userARN("none")))), "Invalid principal in policy"},
	} {
		a := o.send(t, o.root, message{method: "PUT", target: "/" + b + "?policy", body: tt.body})
		require.Equal(t, "400 MalformedPolicy", a.String(), tt.name)
		require.Equal(t, tt.message, a.message(), tt.name)
	}
	public := document(allow("GetObject", b+"/*", everyone))
	require.Equal(t, "204", o.send(t, o.root, message{method: "PUT", target: "/" + b + "?policy", body: public}).String())
	got := o.send(t, o.root, policy)
	require.Equal(t, []string{public, "application/json"}, []string{got.body, got.header.Get("Content-Type")})
	require.Equal(t, "true", element(o.send(t, o.root, message{method: "GET", target: "/" + b + "?policyStatus"}).body, "IsPublic"))

	// Whoever may read or write it is decided by policies, like everything.
	reader := o.user(t, "reader", allow("GetBucketPolicy", b))
	require.Equal(t, 200, o.send(t, reader, policy).status)
	require.Equal(t, "403 AccessDenied", o.putPolicy(t, reader, b, allow("*", b+" "+b+"/*", of(o.userARN("reader")))))
	require.Equal(t, "403 AccessDenied", o.send(t, unsigned, policy).String())
	require.Equal(t, "404 NoSuchBucket", o.send(t, o.root, message{method: "GET", target: "/" + o.name("none") + "?policy"}).String())

	// The public access block.
	c := o.sdk(o.root)
	block := func(set types.PublicAccessBlockConfiguration) {
		_, err := c.PutPublicAccessBlock(t.Context(), &awss3.PutPublicAccessBlockInput{Bucket: &b, PublicAccessBlockConfiguration: &set})
		require.NoError(t, err)
		kept, err := c.GetPublicAccessBlock(t.Context(), &awss3.GetPublicAccessBlockInput{Bucket: &b})
		require.NoError(t, err)
		require.Equal(t, aws.ToBool(set.BlockPublicPolicy), *kept.PublicAccessBlockConfiguration.BlockPublicPolicy)
	}
	require.Equal(t, "200 a", o.get(t, unsigned, b, "a"))
	block(types.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)})
	require.Equal(t, "403 AccessDenied", o.get(t, unsigned, b, "a"))
	require.Equal(t, "200 a", o.get(t, reader, b, "a"), "users of the account are no public")
	block(types.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)})
	require.Equal(t, "200 a", o.get(t, unsigned, b, "a"), "what is there stays")
	a := o.send(t, o.root, message{method: "PUT", target: "/" + b + "?policy", body: public})
	require.Equal(t, "403 AccessDenied", a.String())
	require.Contains(t, a.body, "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.")
	require.Equal(t, "204", o.putPolicy(t, o.root, b, allow("GetObject", b+"/*", everyone, `"Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`)), "this is not public")
	require.Equal(t, "200 a", o.get(t, unsigned, b, "a"))
	_, err := c.DeletePublicAccessBlock(t.Context(), &awss3.DeletePublicAccessBlockInput{Bucket: &b})
	require.NoError(t, err)
	require.Equal(t, "404 NoSuchPublicAccessBlockConfiguration", o.send(t, o.root, message{method: "GET", target: "/" + b + "?publicAccessBlock"}).String())
	require.Equal(t, "403 AccessDenied", o.send(t, reader, message{method: "DELETE", target: "/" + b + "?publicAccessBlock"}).String())
}

// A policy names the user that had the name when it was put: neither a rename nor
// another user of that name changes who that is.
func storyPolicyPrincipals(t *testing.T, o *objects) {
	b := o.bucket(t, "principals", []string{"a"})
	first := o.user(t, "carol")
	id := element(o.iam.must(t, "GetUser", "UserName", o.name("carol")), "UserId")
	stored := []string{
		allow("GetObject", b+"/*", of(o.userARN("carol")), `"Condition":{"ArnNotEquals":{"aws:PrincipalArn":"`+o.userARN("carol")+`"}}`),
		allow("GetObject", b+"/*", of(o.userARN("carol"))),
	}
	require.Equal(t, "204", o.putPolicy(t, o.root, b, stored...))
	require.Equal(t, "200 a", o.get(t, first, b, "a"))

	o.iam.must(t, "UpdateUser", "UserName", o.name("carol"), "NewUserName", o.name("carla"))
	require.Equal(t, "200 a", o.get(t, first, b, "a"))
	principals := func() (names []string) {
		var kept struct {
			Statement []struct {
				Principal struct{ AWS string }
				Condition json.RawMessage
			}
		}
		require.NoError(t, json.Unmarshal([]byte(o.send(t, o.root, message{method: "GET", target: "/" + b + "?policy"}).body), &kept))
		require.JSONEq(t, `{"ArnNotEquals":{"aws:PrincipalArn":"`+o.userARN("carol")+`"}}`, string(kept.Statement[0].Condition), "conditions stay as they are")
		return []string{kept.Statement[0].Principal.AWS, kept.Statement[1].Principal.AWS}
	}
	require.Equal(t, []string{o.userARN("carla"), o.userARN("carla")}, principals())
	second := o.user(t, "carol")
	require.Equal(t, "403 AccessDenied", o.get(t, second, b, "a"))

	o.iam.must(t, "DeleteAccessKey", "UserName", o.name("carla"), "AccessKeyId", first.AccessKeyID)
	o.iam.must(t, "DeleteUser", "UserName", o.name("carla"))
	require.Equal(t, []string{id, id}, principals())
	third := o.user(t, "carla")
	require.Equal(t, "403 AccessDenied", o.get(t, third, b, "a"))
}

// Who signs nothing gets what "*" is allowed, and is told nothing.
func storyAnonymous(t *testing.T, o *objects) {
	b := o.bucket(t, "anonymous", []string{"public/a", "account/a", "private/a"})
	o.user(t, "reader")
	require.Equal(t, "204", o.putPolicy(t, o.root, b,
		allow("GetObject", b+"/public/*", everyone),
		allow("GetObject", b+"/account/*", of("arn:aws:iam::"+account+":root")),
		allow("GetObject", b+"/private/*", of(o.userARN("reader"))),
		deny("GetObject", b+"/public/not-this", everyone),
	))
	require.Equal(t, "200 public/a", o.get(t, unsigned, b, "public/a"))
	for _, m := range []message{
		{method: "GET", target: "/" + b + "/account/a"},
		{method: "GET", target: "/" + b + "/private/a"},
		{method: "GET", target: "/" + b + "/public/none"}, // whether it is there is not for everyone
		{method: "GET", target: "/" + b + "/public/not-this"},
		{method: "PUT", target: "/" + b + "/public/a", body: "mine"},
		{method: "DELETE", target: "/" + b + "/public/a"},
		{method: "GET", target: "/" + b},
		{method: "GET", target: "/" + b + "?policy"},
		{method: "PUT", target: "/" + b + "?policy", body: document(allow("GetObject", b+"/*", everyone))},
		{method: "POST", target: "/" + b + "?delete", body: `<Delete><Object><Key>public/a</Key></Object></Delete>`},
		{method: "POST", target: "/" + b + "/public/a?uploads"},
		{method: "PUT", target: "/" + b + "/stolen", header: http.Header{"X-Amz-Copy-Source": {b + "/public/a"}}},
		{method: "GET", target: "/"},
		{method: "PUT", target: "/" + o.name("new")},
		{method: "GET", target: "/" + o.name("none")},
	} {
		a := o.send(t, unsigned, m)
		if strings.HasSuffix(m.target, "?delete") && a.status == 200 {
			require.Equal(t, "AccessDenied", element(a.body, "Code"))
			continue
		}
		require.Equal(t, "403 AccessDenied", a.String(), "%s %s", m.method, m.target)
		require.Equal(t, "Access Denied", a.message())
	}
	require.Equal(t, 403, o.send(t, unsigned, message{method: "HEAD", target: "/" + o.name("none")}).status)
	require.Equal(t, 200, o.send(t, unsigned, message{method: "HEAD", target: "/" + b + "/public/a"}).status)
}

// A bucket policy binds root too, but never keeps it from changing that policy.
func storyRoot(t *testing.T, o *objects) {
	b := o.bucket(t, "root", []string{"a"})
	require.Equal(t, "204", o.putPolicy(t, o.root, b, deny("*", b+" "+b+"/*", everyone)))
	for want, m := range map[string]message{
		"GET a":         {method: "GET", target: "/" + b + "/a"},
		"GET list":      {method: "GET", target: "/" + b},
		"DELETE bucket": {method: "DELETE", target: "/" + b},
		"PUT block":     {method: "PUT", target: "/" + b + "?publicAccessBlock", body: `<PublicAccessBlockConfiguration/>`},
		"GET status":    {method: "GET", target: "/" + b + "?policyStatus"},
	} {
		a := o.send(t, o.root, m)
		require.Equal(t, "403 AccessDenied", a.String(), want)
		require.Contains(t, a.body, "with an explicit deny in a resource-based policy", want)
	}
	admin := o.user(t, "admin", `"Effect":"Allow","Action":"*","Resource":"*"`)
	require.Equal(t, "403 AccessDenied", o.send(t, admin, message{method: "DELETE", target: "/" + b + "?policy"}).String())
	require.Equal(t, 200, o.send(t, o.root, message{method: "GET", target: "/" + b + "?policy"}).status)
	require.Equal(t, "204", o.putPolicy(t, o.root, b, deny("*", b+"/*", everyone)))
	require.Equal(t, "403 AccessDenied", o.get(t, o.root, b, "a"))
	require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: "/" + b + "?policy"}).String())
	require.Equal(t, "200 a", o.get(t, o.root, b, "a"))
}

// What decides about a bucket belongs to the bucket, not to its name.
func storyBucketsMadeAnew(t *testing.T, o *objects) {
	b := o.bucket(t, "anew", nil)
	require.Equal(t, "204", o.putPolicy(t, o.root, b, allow("GetObject", b+"/*", everyone), deny("DeleteObject", b+"/*", everyone)))
	maker := o.user(t, "maker", allow("CreateBucket DeleteBucket", b))
	_, err := o.sdk(o.root).PutPublicAccessBlock(t.Context(), &awss3.PutPublicAccessBlockInput{Bucket: &b, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{IgnorePublicAcls: aws.Bool(true)}})
	require.NoError(t, err)

	// Who may make buckets takes nothing from one that is there.
	require.Equal(t, "409 BucketAlreadyOwnedByYou", o.send(t, maker, message{method: "PUT", target: "/" + b}).String())
	require.Equal(t, 200, o.send(t, o.root, message{method: "GET", target: "/" + b + "?policy"}).status)

	// A bucket that cannot be deleted keeps its policy.
	o.put(t, b, "a", "a")
	require.Equal(t, "409 BucketNotEmpty", o.send(t, maker, message{method: "DELETE", target: "/" + b}).String())
	require.Equal(t, "403 AccessDenied", o.send(t, o.root, message{method: "DELETE", target: "/" + b + "/a"}).String())
	require.Equal(t, "204", o.putPolicy(t, o.root, b, allow("GetObject", b+"/*", everyone)))
	require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: "/" + b + "/a"}).String())

	require.Equal(t, "204", o.send(t, maker, message{method: "DELETE", target: "/" + b}).String())
	require.Equal(t, "404 NoSuchBucket", o.send(t, o.root, message{method: "GET", target: "/" + b + "?policy"}).String())
	require.Equal(t, "200", o.send(t, maker, message{method: "PUT", target: "/" + b}).String())
	require.Equal(t, "404 NoSuchBucketPolicy", o.send(t, o.root, message{method: "GET", target: "/" + b + "?policy"}).String())
	require.Equal(t, "404 NoSuchPublicAccessBlockConfiguration", o.send(t, o.root, message{method: "GET", target: "/" + b + "?publicAccessBlock"}).String())
	o.put(t, b, "a", "a")
	require.Equal(t, "403 AccessDenied", o.get(t, unsigned, b, "a"))
}

// Access lists decide nothing: the owner owns everything, and what says otherwise is
// refused.
func storyOwners(t *testing.T, o *objects) {
	b := o.bucket(t, "owners", []string{"a"})
	owner := s3.CanonicalUser(account)
	for _, target := range []string{"/" + b + "?acl", "/" + b + "/a?acl"} {
		a := o.send(t, o.root, message{method: "GET", target: target})
		require.Equal(t, []string{"200", owner, "FULL_CONTROL"}, []string{a.String(), element(a.body, "ID"), element(a.body, "Permission")})
		for name, m := range map[string]message{
			"400 AccessControlListNotSupported":   {header: http.Header{"X-Amz-Acl": {"public-read"}}},
			"400 AccessControlListNotSupported ":  {header: http.Header{"X-Amz-Grant-Read": {`uri="http://acs.amazonaws.com/groups/global/AllUsers"`}}},
			"400 AccessControlListNotSupported  ": {body: strings.Replace(a.body, "FULL_CONTROL", "READ", 1)},
			"400 MalformedXML":                    {body: "<x/>"},
			"200":                                 {header: http.Header{"X-Amz-Acl": {"private"}}},
			"200 ":                                {header: http.Header{"X-Amz-Acl": {"bucket-owner-full-control"}}},
			"200  ":                               {body: a.body}, // what was read can be written back
		} {
			m.method, m.target = "PUT", target
			require.Equal(t, strings.TrimSpace(name), o.send(t, o.root, m).String(), "%s %v %s", target, m.header, m.body)
		}
	}
	writer := o.user(t, "writer", allow("PutObject", b+"/*"))
	for acl, want := range map[string]string{"": "200", "bucket-owner-full-control": "403 AccessDenied", "public-read": "400 AccessControlListNotSupported"} {
		m := message{method: "PUT", target: "/" + b + "/b", body: "b", header: http.Header{}}
		if acl != "" {
			m.header.Set("X-Amz-Acl", acl)
		}
		require.Equal(t, want, o.send(t, writer, m).String(), acl)
	}
	for other, want := range map[string]string{account: "200", "111122223333": "403 AccessDenied"} {
		require.Equal(t, want, o.send(t, o.root, message{method: "GET", target: "/" + b + "/a", header: http.Header{"X-Amz-Expected-Bucket-Owner": {other}}}).String())
	}

	// Of the settings of ownership there is one, or none.
	controls := func() string {
		return o.send(t, o.root, message{method: "GET", target: "/" + b + "?ownershipControls"}).String()
	}
	c := o.sdk(o.root)
	require.Equal(t, "200", controls())
	_, err := c.DeleteBucketOwnershipControls(t.Context(), &awss3.DeleteBucketOwnershipControlsInput{Bucket: &b})
	require.NoError(t, err)
	require.Equal(t, "404 OwnershipControlsNotFoundError", controls())
	put := func(ownership types.ObjectOwnership) string {
		_, err := c.PutBucketOwnershipControls(t.Context(), &awss3.PutBucketOwnershipControlsInput{
			Bucket: &b, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: ownership}}},
		})
		return outcome(err)
	}
	require.Equal(t, "AccessControlListNotSupported", put(types.ObjectOwnershipObjectWriter))
	require.Equal(t, "404 OwnershipControlsNotFoundError", controls())
	require.Equal(t, "ok", put(types.ObjectOwnershipBucketOwnerEnforced))
	require.Equal(t, "200", controls())

	// Whoever may list all buckets sees all of the account, and nobody else does.
	lister := o.user(t, "lister", allow("ListAllMyBuckets", "*"))
	a := o.send(t, lister, message{method: "GET", target: "/"})
	require.Equal(t, 200, a.status)
	require.Contains(t, elements(a.body, "Name"), b)
	require.Equal(t, owner, element(a.body, "ID"))
	require.Equal(t, "403 AccessDenied", o.send(t, writer, message{method: "GET", target: "/"}).String())
}

// There is one place, and clients may call it what they like; policies see what.
func storyRegions(t *testing.T, o *objects) {
	here := o.name("region")
	user := o.user(t, "user", allow("CreateBucket ListBucket GetBucketLocation", here, `"Condition":{"StringEqualsIfExists":{"s3:LocationConstraint":["eu-central-1","EU"]}}`))
	create := func(region string) string {
		return o.send(t, user, message{method: "PUT", target: "/" + here, body: "<CreateBucketConfiguration><LocationConstraint>" + region + "</LocationConstraint></CreateBucketConfiguration>"}).String()
	}
	require.Equal(t, "403 AccessDenied", create("us-west-2"))
	require.Equal(t, "200", create("eu-central-1"))
	require.Equal(t, "409 BucketAlreadyOwnedByYou", create("EU"))
	elsewhere := awss3.New(o.sdk(user).Options(), func(options *awss3.Options) { options.Region = "ap-southeast-2" })
	_, err := elsewhere.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: &here})
	require.NoError(t, err)
	require.Equal(t, "us-east-1", o.send(t, user, message{method: "HEAD", target: "/" + here}).header.Get("X-Amz-Bucket-Region"))
}
