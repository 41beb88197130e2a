package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
)

// Rights come from inline, attached, group and bucket policies, and boundaries and
// the policies of service accounts bound them.
func storyRights(t *testing.T, o *objects) {
	b := o.bucket(t, "rights", []string{"public/a", "secret/a"})
	all := allow("*", b+" "+b+"/*")
	who := map[string]aws.Credentials{
		"root":    o.root,
		"nobody":  o.user(t, "nobody"),
		"inline":  o.user(t, "inline", allow("GetObject", b+"/public/*")),
		"denied":  o.user(t, "denied", all, deny("*", b+"/secret/*")),
		"listed":  o.user(t, "listed"),
		"barred":  o.user(t, "barred", all),
		"writer":  o.user(t, "writer"),
		"member":  o.user(t, "member"),
		"bounded": o.user(t, "bounded", all),
		"named":   o.user(t, "named"),
	}
	arn := element(o.iam.must(t, "CreatePolicy", "PolicyName", o.name("writes"), "PolicyDocument", document(allow("PutObject DeleteObject", b+"/public/*"))), "Arn")
	o.iam.must(t, "AttachUserPolicy", "UserName", o.name("writer"), "PolicyArn", arn)
	o.iam.must(t, "CreateGroup", "GroupName", o.name("readers"))
	o.iam.must(t, "PutGroupPolicy", "GroupName", o.name("readers"), "PolicyName", "reads", "PolicyDocument", document(allow("GetObject ListBucket", b+" "+b+"/*")))
	o.iam.must(t, "AddUserToGroup", "GroupName", o.name("readers"), "UserName", o.name("member"))
	boundary := element(o.iam.must(t, "CreatePolicy", "PolicyName", o.name("boundary"), "PolicyDocument", document(allow("Get*", b+"/*"))), "Arn")
	for _, name := range []string{"bounded", "named"} {
		o.iam.must(t, "PutUserPermissionsBoundary", "UserName", o.name(name), "PermissionsBoundary", boundary)
	}
	for name, policy := range map[string]string{"account": "", "narrow account": document(allow("GetObject", b+"/public/*"))} {
		parameters := []string{"ParentUser", o.name("denied")}
		if policy != "" {
			parameters = append(parameters, "Policy", policy)
		}
		made := o.iam.must(t, "CreateServiceAccount", parameters...)
		who[name] = aws.Credentials{AccessKeyID: element(made, "AccessKeyId"), SecretAccessKey: element(made, "SecretAccessKey")}
	}
	require.Equal(t, "204", o.putPolicy(t, o.root, b,
		allow("GetObject", b+"/public/*", of(o.userARN("listed"))),
		allow("PutObject", b+"/public/*", of(o.userARN("named"))),
		deny("GetObject", b+"/secret/*", of(o.userARN("barred"))),
		allow("ListBucket", b, of("arn:aws:iam::"+account+":root")),
	))

	const yes, no = "ok", "AccessDenied"
	for _, tt := range []struct {
		who                                        string
		getPublic, getSecret, put, list, deleteOne string
	}{
		{"root", yes, yes, yes, yes, yes},
		{"nobody", no, no, no, no, no},
		{"inline", yes, no, no, no, no},
		{"denied", yes, no, yes, yes, yes},
		{"listed", yes, no, no, no, no},
		{"barred", yes, no, yes, yes, yes},
		{"writer", no, no, yes, no, yes},
		{"member", yes, yes, no, yes, no},
		{"bounded", yes, yes, no, no, no},
		{"named", no, no, yes, no, no}, // a boundary does not bound what names the user
		{"account", yes, no, yes, yes, yes},
		{"narrow account", yes, no, no, no, no},
	} {
		c, key := o.sdk(who[tt.who]), aws.String("public/by "+tt.who)
		_, put := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &b, Key: key, Body: strings.NewReader("x")})
		_, public := c.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &b, Key: aws.String("public/a")})
		_, secret := c.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &b, Key: aws.String("secret/a")})
		_, list := c.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: &b})
		_, remove := c.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: &b, Key: key})
		require.Equal(t, []string{tt.getPublic, tt.getSecret, tt.put, tt.list, tt.deleteOne},
			[]string{outcome(public), outcome(secret), outcome(put), outcome(list), outcome(remove)}, tt.who)
	}

	// Each change counts from the next request on.
	require.Equal(t, "200 secret/a", o.get(t, who["member"], b, "secret/a"))
	o.iam.must(t, "RemoveUserFromGroup", "GroupName", o.name("readers"), "UserName", o.name("member"))
	require.Equal(t, "403 AccessDenied", o.get(t, who["member"], b, "secret/a"))
	require.Equal(t, "204", o.send(t, o.root, message{method: "DELETE", target: "/" + b + "?policy"}).String())
	require.Equal(t, "200 secret/a", o.get(t, who["barred"], b, "secret/a"))
	require.Equal(t, "403 AccessDenied", o.get(t, who["listed"], b, "public/a"))
	o.iam.must(t, "UpdateAccessKey", "UserName", o.name("barred"), "AccessKeyId", who["barred"].AccessKeyID, "Status", "Inactive")
	require.Equal(t, "403 InvalidAccessKeyId", o.get(t, who["barred"], b, "public/a"))

	// A denial says why, as S3 does.
	denial := o.send(t, who["nobody"], message{method: "GET", target: "/" + b + "/public/a"})
	require.Equal(t, "User: "+o.userARN("nobody")+` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::`+b+`/public/a" because no identity-based policy allows the s3:GetObject action`,
		denial.message())
}
