package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
)

// as makes a shell sign as somebody.
func (o *objects) as(sh *shell, by aws.Credentials) {
	sh.t.Helper()
	sh.must(fmt.Sprintf("export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY='%s'", o.url, by.AccessKeyID, by.SecretAccessKey))
}

// The AWS CLI, as a user who may do everything in a bucket but for one folder.
func storyCLI(t *testing.T, o *objects) {
	needs(t, "aws")
	b := o.bucket(t, "cli", []string{"private/old"})
	other := o.bucket(t, "cli-other", nil)
	user := o.user(t, "cli", allow("*", b+" "+b+"/* "+other+"/*"), deny("*", b+"/private/*"))
	sh := newShell(t)
	o.as(sh, user)
	for name, size := range map[string]int{"small": 1 << 10, "large": 100 << 20, "tree/a": 10, "tree/b/c": 20} {
		path := filepath.Join(sh.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, someBytes(size), 0o600))
	}
	// Version 1 signs presigned addresses as AWS no longer takes them, unless told.
	require.NoError(t, os.WriteFile(filepath.Join(sh.dir, "config"), []byte("[default]\ns3 =\n    signature_version = s3v4\n"), 0o600))
	sh.must("export AWS_CONFIG_FILE=$PWD/config B=" + b + " OTHER=" + other)

	sh.must("aws s3 cp small s3://$B/x/small")
	sh.must("aws s3 cp --quiet large s3://$B/x/large")
	sh.must("aws s3 cp --quiet s3://$B/x/large back && cmp large back && rm back")
	require.Regexp(t, `"ETag": "\\"[0-9a-f]{32}-13\\""`, sh.must("aws s3api head-object --bucket $B --key x/large"))
	sh.must("aws s3 sync tree s3://$B/tree")
	require.Empty(t, sh.must("aws s3 sync tree s3://$B/tree"), "everything is there already")
	require.Regexp(t, `(?s)tree/a.*tree/b/c.*x/large.*x/small`, sh.must("aws s3 ls --recursive s3://$B"))
	require.Contains(t, sh.must("aws s3 ls s3://$B/tree/"), "PRE b/")
	sh.must("aws s3 cp s3://$B/x/small s3://$OTHER/copy")
	sh.must("aws s3api copy-object --bucket $B --key x/copy --copy-source $B/x/small")
	sh.must("aws s3api put-object-tagging --bucket $B --key x/small --tagging 'TagSet=[{Key=team,Value=blue}]'")
	require.Contains(t, sh.must("aws s3api get-object-tagging --bucket $B --key x/small"), `"Value": "blue"`)
	sh.must("aws s3api put-bucket-versioning --bucket $B --versioning-configuration Status=Enabled")
	sh.must("aws s3api put-object --bucket $B --key versioned --body small")
	sh.must("aws s3api put-object --bucket $B --key versioned --body tree/a")
	require.Equal(t, "2", sh.must("aws s3api list-object-versions --bucket $B --prefix versioned --query 'length(Versions)'"))
	require.Regexp(t, `^200 1024$`, sh.must(`curl -s -o got -w '%{http_code} %{size_download}' "$(aws s3 presign s3://$B/x/small)" && cmp got small`))

	for command, want := range map[string]string{
		"aws s3 cp small s3://$B/private/new":                                            `AccessDenied.*s3:PutObject`,
		"aws s3 cp --no-progress large s3://$B/private/new":                              `AccessDenied.*s3:PutObject`,
		"aws s3 cp s3://$B/private/old -":                                                `403|Forbidden`,
		"aws s3 cp s3://$B/none -":                                                       `404|Not Found`,
		"aws s3 cp s3://$B/x/small s3://$B/private/new":                                  `AccessDenied.*s3:PutObject`,
		"aws s3api copy-object --bucket $B --key x/stolen --copy-source $B/private/old":  `AccessDenied.*s3:GetObject`,
		"aws s3api put-object-tagging --bucket $B --key private/old --tagging TagSet=[]": `AccessDenied`,
		"aws s3 ls s3://$OTHER":                                                          `AccessDenied.*s3:ListBucket`,
		"aws s3 ls":                                                                      `AccessDenied.*s3:ListAllMyBuckets`,
		"aws s3 mb s3://$B-new":                                                          `AccessDenied.*s3:CreateBucket`,
		`test "$(curl -s -o got -w '%{http_code}' "$(aws s3 presign s3://$B/private/old)")" = 200`: ``,
		"aws s3 rm s3://$B/private/old": `AccessDenied.*s3:DeleteObject`,
	} {
		output, status := sh.run(command)
		require.NotZero(t, status, command)
		require.Regexp(t, want, output, command)
	}
	require.Contains(t, sh.must("cat got"), "<Code>AccessDenied</Code>")

	deleted := sh.must(`aws s3api delete-objects --bucket $B --delete '{"Objects":[{"Key":"x/copy"},{"Key":"private/old"}]}'`)
	require.Regexp(t, `(?s)"Deleted".*"x/copy".*"Errors".*"private/old"`, deleted)
	output, status := sh.run("aws s3 rm --recursive s3://$B")
	require.NotZero(t, status)
	require.Contains(t, output, "delete: s3://"+b+"/tree/b/c")
	require.Regexp(t, "delete failed: s3://"+b+"/private/old .*AccessDenied", output)
	require.Equal(t, "200 private/old", o.get(t, o.root, b, "private/old"))
	// The denial is all that stands between the user and the rest.
	o.iam.must(t, "PutUserPolicy", "UserName", o.name("cli"), "PolicyName", "inline", "PolicyDocument", document(allow("*", b+" "+b+"/*")))
	sh.must("aws s3 rm --recursive s3://$B")
	require.Empty(t, sh.must("aws s3 ls --recursive s3://$B"))
}

func storyMinio(t *testing.T, o *objects) {
	ctx, b := t.Context(), o.name("minio")
	c := o.minio(t, o.user(t, "minio", allow("*", b+" "+b+"/*"), allow("ListAllMyBuckets", "*"), deny("*", b+"/private/*")))
	require.NoError(t, c.MakeBucket(ctx, b, minio.MakeBucketOptions{}))
	for _, size := range []int64{0, 1 << 10, 17 << 20} {
		key := fmt.Sprintf("a folder/é+%d", size)
		_, err := c.PutObject(ctx, b, key, bytes.NewReader(someBytes(int(size))), size, minio.PutObjectOptions{PartSize: 5 << 20, UserTags: map[string]string{"a": "b c"}})
		require.NoError(t, err)
		object, err := c.GetObject(ctx, b, key, minio.GetObjectOptions{})
		require.NoError(t, err)
		got, err := io.ReadAll(object)
		require.NoError(t, err)
		require.True(t, bytes.Equal(someBytes(int(size)), got))
	}
	_, err := c.PutObject(ctx, b, "private/new", strings.NewReader("x"), 1, minio.PutObjectOptions{})
	require.Equal(t, "AccessDenied", minio.ToErrorResponse(err).Code)
	_, err = c.StatObject(ctx, b, "private/none", minio.StatObjectOptions{})
	require.Equal(t, http.StatusForbidden, minio.ToErrorResponse(err).StatusCode)
	_, err = c.StatObject(ctx, b, "none", minio.StatObjectOptions{})
	require.Equal(t, "NoSuchKey", minio.ToErrorResponse(err).Code)
	// A policy comes back as it was put, and there is none after it was removed.
	policy := document(allow("GetObject", b+"/a*", everyone))
	require.NoError(t, c.SetBucketPolicy(ctx, b, policy))
	got, err := c.GetBucketPolicy(ctx, b)
	require.NoError(t, err)
	require.Equal(t, policy, got)
	require.NoError(t, c.SetBucketPolicy(ctx, b, ""))
	got, err = c.GetBucketPolicy(ctx, b)
	require.NoError(t, err)
	require.Empty(t, got)
	exists, err := c.BucketExists(ctx, b)
	require.NoError(t, err)
	require.True(t, exists)
	exists, err = c.BucketExists(ctx, o.name("none"))
	require.Error(t, err, "whether it exists is not for everyone: %v", exists)
	for removal := range c.RemoveObjectsWithResult(ctx, b, c.ListObjects(ctx, b, minio.ListObjectsOptions{Recursive: true}), minio.RemoveObjectsOptions{}) {
		require.NoError(t, removal.Err)
	}
	require.NoError(t, c.RemoveBucket(ctx, b))
}

// aws-sdk-go-v2 with the checksums that it sends by default.
func storySDK(t *testing.T, o *objects) {
	ctx, b := t.Context(), o.bucket(t, "sdk", nil)
	c := o.sdk(o.user(t, "sdk", allow("*", b+" "+b+"/*"), deny("*", b+"/private/*")))
	for _, algorithm := range append(types.ChecksumAlgorithm("").Values()[:5:5], types.ChecksumAlgorithmSha512, "") {
		for _, size := range []int{0, 1 << 10, 1 << 20} {
			key := aws.String(fmt.Sprintf("with %s/%d", algorithm, size))
			_, err := c.PutObject(ctx, &awss3.PutObjectInput{Bucket: &b, Key: key, Body: bytes.NewReader(someBytes(size)), ChecksumAlgorithm: algorithm})
			require.NoError(t, err, *key)
			got, err := c.GetObject(ctx, &awss3.GetObjectInput{Bucket: &b, Key: key, ChecksumMode: types.ChecksumModeEnabled})
			require.NoError(t, err)
			data, err := io.ReadAll(got.Body)
			require.NoError(t, err)
			require.True(t, bytes.Equal(someBytes(size), data))
		}
	}
	_, err := c.PutObject(ctx, &awss3.PutObjectInput{Bucket: &b, Key: aws.String("private/x"), Body: bytes.NewReader(someBytes(1 << 20))})
	require.Equal(t, "AccessDenied", outcome(err))
	_, err = c.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &b, Key: aws.String("private/x")})
	require.Equal(t, "Forbidden", outcome(err))
	_, err = c.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &b, Key: aws.String("none")})
	require.Equal(t, "NotFound", outcome(err))
	attributes, err := c.GetObjectAttributes(ctx, &awss3.GetObjectAttributesInput{Bucket: &b, Key: aws.String("with SHA256/1024"), ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectSize, types.ObjectAttributesChecksum}})
	require.NoError(t, err)
	require.Equal(t, []any{int64(1 << 10), true, true}, []any{*attributes.ObjectSize, attributes.Checksum.ChecksumSHA256 != nil, attributes.LastModified != nil})
	location, err := c.GetBucketLocation(ctx, &awss3.GetBucketLocationInput{Bucket: &b})
	require.NoError(t, err)
	require.Empty(t, location.LocationConstraint, "us-east-1 has no name there")
	listed, err := c.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: &b, FetchOwner: aws.Bool(true)})
	require.NoError(t, err)
	require.Len(t, listed.Contents, 21)
	require.Equal(t, s3.CanonicalUser(account), *listed.Contents[0].Owner.ID)
}

// curl signs by itself, follows presigned addresses, and reads what is public.
func storyCurl(t *testing.T, o *objects) {
	needs(t, "curl", "bash")
	b := o.bucket(t, "curl", []string{"public/a", "private/a"})
	require.Equal(t, "204", o.putPolicy(t, o.root, b, allow("GetObject", b+"/public/*", everyone)))
	user := o.user(t, "curl", allow("GetObject PutObject", b+"/private/*"))
	sh := newShell(t)
	o.as(sh, user)
	sh.must("export B=" + o.url + "/" + b + "; signed() { curl -s -w ' %{http_code}' --aws-sigv4 aws:amz:us-east-1:s3 --user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY \"$@\"; }")
	require.Equal(t, "public/a 200", sh.must("curl -s -w ' %{http_code}' $B/public/a"))
	require.Regexp(t, "AccessDenied.* 403", sh.must("curl -s -w ' %{http_code}' $B/private/a"))
	require.Equal(t, "private/a 200", sh.must("signed -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' $B/private/a"))
	require.Regexp(t, "MissingContentLength.* 411$", sh.must("echo text | signed -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -T - $B/private/b"), "how long a body is must be known")
	require.Equal(t, "200", sh.must("echo text >file; signed -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -T file $B/private/b"))
	require.Equal(t, "text 200", strings.Join(strings.Fields(sh.must("signed -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' $B/private/b")), " "))
}
