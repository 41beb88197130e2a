package record_test

import (
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

// aws-sdk-go-v2 tells the stories that testdata/stories.py tells with boto3.
func TestSDK(t *testing.T) {
	tell := map[string]func(*teller){
		"user_life": userLife, "key_rotation": keyRotation, "group_life": groupLife,
		"policy_life": policyLife, "off_boarding": offBoarding, "object_rights": objectRights,
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			proxy, endpoint := recording(t)
			tell[s.name](&teller{t, endpoint, s.texts})
			recorded(t, "aws-sdk-go-v2", s, proxy)
		})
	}
}

// A teller makes the clients of one story.
type teller struct {
	*testing.T

	endpoint string
	texts    map[string]string
}

// config signs as root, or with a key that was made.
func (t *teller) config(key *iamtypes.AccessKey) aws.Config {
	id, secret := root.AccessKeyID, root.SecretAccessKey
	if key != nil {
		id, secret = *key.AccessKeyId, *key.SecretAccessKey
	}
	return aws.Config{
		BaseEndpoint: aws.String(t.endpoint), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func (t *teller) iam(key *iamtypes.AccessKey) *iam.Client { return iam.NewFromConfig(t.config(key)) }

func (t *teller) s3(key *iamtypes.AccessKey) *s3.Client {
	return s3.NewFromConfig(t.config(key), func(o *s3.Options) { o.UsePathStyle = true })
}

func (t *teller) sts(key *iamtypes.AccessKey) *sts.Client { return sts.NewFromConfig(t.config(key)) }

// done makes sure that a call was carried out.
func (t *teller) done(_ any, err error) {
	t.Helper()
	require.NoError(t, err)
}

// refused makes sure that a call was refused with an error code.
func (t *teller) refused(code string) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		var refusal smithy.APIError
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, code, refusal.ErrorCode())
	}
}

// key makes an access key of Alice.
func (t *teller) key(c *iam.Client) *iamtypes.AccessKey {
	t.Helper()
	made, err := c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: alice})
	require.NoError(t, err)
	return made.AccessKey
}

// text is one of the story's files.
func (t *teller) text(name string) *string { return aws.String(t.texts[name]) }

var (
	alice  = aws.String("Alice")
	policy = aws.String("own")
)

func userLife(t *teller) {
	c, ctx, zoe := t.iam(nil), t.Context(), aws.String("Zoe")
	t.done(c.CreateUser(ctx, &iam.CreateUserInput{UserName: alice, Path: aws.String("/staff/"), Tags: tag("team", "blue + green")}))
	t.done(c.GetUser(ctx, &iam.GetUserInput{UserName: alice}))
	t.done(c.TagUser(ctx, &iam.TagUserInput{UserName: alice, Tags: tag("level", "1")}))
	t.done(c.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: alice}))
	t.done(c.UntagUser(ctx, &iam.UntagUserInput{UserName: alice, TagKeys: []string{"team"}}))
	t.done(c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: alice, NewUserName: zoe, NewPath: aws.String("/")}))
	t.refused("NoSuchEntity")(c.GetUser(ctx, &iam.GetUserInput{UserName: alice}))
	t.done(c.GetUser(ctx, &iam.GetUserInput{UserName: zoe}))
	t.done(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: zoe}))
	t.refused("NoSuchEntity")(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: zoe}))
}

func tag(key, value string) []iamtypes.Tag { return []iamtypes.Tag{{Key: &key, Value: &value}} }

func keyRotation(t *teller) {
	c, ctx := t.iam(nil), t.Context()
	t.done(c.CreateUser(ctx, &iam.CreateUserInput{UserName: alice}))
	first, second := t.key(c), t.key(c)
	t.done(t.sts(second).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	t.done(c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: alice, AccessKeyId: first.AccessKeyId, Status: iamtypes.StatusTypeInactive}))
	t.refused("InvalidClientTokenId")(t.sts(first).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	t.done(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: alice, AccessKeyId: first.AccessKeyId}))
	t.done(c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: alice}))
	t.done(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: alice, AccessKeyId: second.AccessKeyId}))
	t.done(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: alice}))
}

func groupLife(t *teller) {
	c, ctx, group, read := t.iam(nil), t.Context(), aws.String("Readers"), aws.String("read")
	t.done(c.CreateUser(ctx, &iam.CreateUserInput{UserName: alice}))
	t.done(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: group}))
	t.done(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: group, PolicyName: read, PolicyDocument: t.text("policy.json")}))
	t.done(c.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: group, PolicyName: read}))
	member := t.iam(t.key(c))
	t.refused("AccessDenied")(member.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: alice}))
	t.done(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: group, UserName: alice}))
	t.done(member.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: alice}))
	t.done(c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: alice}))
	t.done(c.GetGroup(ctx, &iam.GetGroupInput{GroupName: group}))
	t.refused("DeleteConflict")(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: group}))
	t.done(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: group, UserName: alice}))
	t.refused("AccessDenied")(member.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: alice}))
	t.done(c.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: group, PolicyName: read}))
	t.done(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: group}))
}

func policyLife(t *teller) {
	c, ctx := t.iam(nil), t.Context()
	made, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("Reading"), PolicyDocument: t.text("first.json")})
	require.NoError(t, err)
	arn := made.Policy.Arn
	t.done(c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: t.text("second.json"), SetAsDefault: false}))
	pages := iam.NewListPolicyVersionsPaginator(c, &iam.ListPolicyVersionsInput{PolicyArn: arn, MaxItems: aws.Int32(1)})
	for pages.HasMorePages() {
		t.done(pages.NextPage(ctx))
	}
	t.done(c.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))
	t.done(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))
	t.done(c.CreateUser(ctx, &iam.CreateUserInput{UserName: alice}))
	t.done(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: alice, PolicyArn: arn}))
	t.done(c.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: alice}))
	t.refused("DeleteConflict")(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
	t.done(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: alice, PolicyArn: arn}))
	t.refused("DeleteConflict")(c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))
	t.done(c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}))
	t.done(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
}

func offBoarding(t *teller) {
	c, ctx := t.iam(nil), t.Context()
	t.done(c.CreateUser(ctx, &iam.CreateUserInput{UserName: alice}))
	key := t.key(c)
	t.done(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: alice, PolicyName: policy, PolicyDocument: t.text("policy.json")}))
	t.refused("DeleteConflict")(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: alice}))
	t.done(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: alice, AccessKeyId: key.AccessKeyId}))
	t.done(c.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: alice}))
	t.done(c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: alice, PolicyName: policy}))
	t.done(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: alice}))
}

func objectRights(t *teller) {
	c, ctx, bucket := t.iam(nil), t.Context(), aws.String("photos-of-hers")
	public, private := aws.String("public/hello.txt"), aws.String("private/hello.txt")
	t.done(t.s3(nil).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))
	t.done(c.CreateUser(ctx, &iam.CreateUserInput{UserName: alice}))
	key := t.key(c)
	hers := t.s3(key)
	put := func(name *string) (any, error) {
		return hers.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: name, Body: strings.NewReader(t.texts["hello.txt"])})
	}
	t.refused("AccessDenied")(put(public))
	t.done(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: alice, PolicyName: policy, PolicyDocument: t.text("policy.json")}))
	t.done(put(public))
	got, err := hers.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: public})
	require.NoError(t, err)
	content, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	require.Equal(t, t.texts["hello.txt"], string(content))
	t.refused("AccessDenied")(put(private))
	t.refused("AccessDenied")(hers.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket}))
	t.refused("AccessDenied")(hers.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: public}))
	t.done(c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: alice, AccessKeyId: key.AccessKeyId, Status: iamtypes.StatusTypeInactive}))
	t.refused("InvalidAccessKeyId")(hers.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: public}))
}
