package localstore_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7"
	miniocredentials "github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/tags"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/s3"
)

func minioClient(tb testing.TB, server *httptest.Server, trailers bool) *minio.Client {
	tb.Helper()
	u, err := url.Parse(server.URL)
	require.NoError(tb, err)
	c, err := minio.New(u.Host, &minio.Options{
		Creds: miniocredentials.NewStaticV4(keyID, secret, ""), Region: "us-east-1", Secure: u.Scheme == "https",
		Transport: server.Client().Transport, BucketLookup: minio.BucketLookupPath, TrailingHeaders: trailers,
	})
	require.NoError(tb, err)
	return c
}

func sdkClient(server *httptest.Server) *awss3.Client {
	return awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), UsePathStyle: true, HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, ""),
	})
}

func bytesOf(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = 'a' + byte(i*7>>3)%26
	}
	return data
}

// What minio-go does with a store, it does through the gateway.
func TestMinio(t *testing.T) {
	_, server := newFront(t, nil)
	for _, trailers := range []bool{false, true} {
		t.Run(fmt.Sprintf("trailers=%v", trailers), func(t *testing.T) {
			ctx := t.Context()
			c := minioClient(t, server, trailers)
			bucket := bucketName(t)
			require.NoError(t, c.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}))
			buckets, err := c.ListBuckets(ctx)
			require.NoError(t, err)
			require.True(t, slices.ContainsFunc(buckets, func(b minio.BucketInfo) bool { return b.Name == bucket }))

			for _, size := range []int{0, 1 << 10, 64<<10 + 1, 17 << 20} {
				data := bytesOf(size)
				key := fmt.Sprintf("some folder/é+%d.bin", size)
				_, err := c.PutObject(ctx, bucket, key, bytes.NewReader(data), int64(size), minio.PutObjectOptions{
					ContentType: "image/x-test", UserMetadata: map[string]string{"colour": "red  and blue"}, UserTags: map[string]string{"team": "a b"}, PartSize: 5 << 20,
				})
				require.NoError(t, err, size)
				o, err := c.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
				require.NoError(t, err)
				got, err := io.ReadAll(o)
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
				info, err := o.Stat()
				require.NoError(t, err)
				require.Equal(t, "image/x-test", info.ContentType)
				require.Equal(t, "red  and blue", info.UserMetadata["Colour"])
				tagging, err := c.GetObjectTagging(ctx, bucket, key, minio.GetObjectTaggingOptions{})
				require.NoError(t, err)
				require.Equal(t, map[string]string{"team": "a b"}, tagging.ToMap())
			}

			key := "some folder/é+1024.bin"
			opts := minio.GetObjectOptions{}
			require.NoError(t, opts.SetRange(10, 19))
			o, err := c.GetObject(ctx, bucket, key, opts)
			require.NoError(t, err)
			part, err := io.ReadAll(o)
			require.NoError(t, err)
			require.Equal(t, bytesOf(1 << 10)[10:20], part)

			set, err := tags.NewTags(map[string]string{"x": "y"}, true)
			require.NoError(t, err)
			require.NoError(t, c.PutObjectTagging(ctx, bucket, key, set, minio.PutObjectTaggingOptions{}))
			_, err = c.CopyObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: "copy"}, minio.CopySrcOptions{Bucket: bucket, Object: key})
			require.NoError(t, err)
			copied, err := c.GetObjectTagging(ctx, bucket, "copy", minio.GetObjectTaggingOptions{})
			require.NoError(t, err)
			require.Equal(t, map[string]string{"x": "y"}, copied.ToMap())

			require.NoError(t, c.EnableVersioning(ctx, bucket))
			for _, text := range []string{"one", "two"} {
				_, err := c.PutObject(ctx, bucket, "versioned", strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{})
				require.NoError(t, err)
			}
			versions := 0
			for o := range c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
				require.NoError(t, o.Err)
				versions++
				require.NoError(t, c.RemoveObject(ctx, bucket, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID}))
			}
			require.Equal(t, 4+1+2, versions)
			require.NoError(t, c.RemoveBucket(ctx, bucket))
			ok, err := c.BucketExists(ctx, bucket)
			require.NoError(t, err)
			require.False(t, ok)
		})
	}
}

// aws-sdk-go-v2 with its default checksums: in headers without TLS, in trailers
// with it, and each algorithm.
func TestSDK(t *testing.T) {
	f, plain := newFront(t, nil)
	secure := httptest.NewTLSServer(f)
	t.Cleanup(secure.Close)
	for name, server := range map[string]*httptest.Server{"http": plain, "https": secure} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			c := sdkClient(server)
			bucket := aws.String(bucketName(t))
			_, err := c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: bucket})
			require.NoError(t, err)
			for _, algorithm := range append(types.ChecksumAlgorithm("").Values()[:5:5], "") {
				for _, size := range []int{0, 1000, 1 << 20} {
					key := aws.String(fmt.Sprintf("with %s/%d", algorithm, size))
					put, err := c.PutObject(ctx, &awss3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(bytesOf(size)), ChecksumAlgorithm: algorithm, ContentEncoding: aws.String("zip")})
					require.NoError(t, err, *key)
					got, err := c.GetObject(ctx, &awss3.GetObjectInput{Bucket: bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled})
					require.NoError(t, err)
					data, err := io.ReadAll(got.Body)
					require.NoError(t, err)
					require.True(t, bytes.Equal(bytesOf(size), data))
					require.Equal(t, "zip", aws.ToString(got.ContentEncoding))
					require.NotNil(t, put.ETag)
					if algorithm == types.ChecksumAlgorithmSha256 {
						require.NotEmpty(t, aws.ToString(got.ChecksumSHA256), "the checksum is the object's")
					}
				}
			}
			up, err := c.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("parts"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c})
			require.NoError(t, err)
			var parts []types.CompletedPart
			for n := int32(1); n <= 2; n++ {
				part, err := c.UploadPart(ctx, &awss3.UploadPartInput{Bucket: bucket, Key: aws.String("parts"), UploadId: up.UploadId, PartNumber: aws.Int32(n), Body: bytes.NewReader(bytesOf(5 << 20)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c})
				require.NoError(t, err)
				parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(n), ETag: part.ETag, ChecksumCRC32C: part.ChecksumCRC32C})
			}
			listed, err := c.ListParts(ctx, &awss3.ListPartsInput{Bucket: bucket, Key: aws.String("parts"), UploadId: up.UploadId})
			require.NoError(t, err)
			require.Len(t, listed.Parts, 2)
			require.Equal(t, owner, aws.ToString(listed.Owner.ID))
			require.Equal(t, owner, aws.ToString(listed.Initiator.ID))
			done, err := c.CompleteMultipartUpload(ctx, &awss3.CompleteMultipartUploadInput{Bucket: bucket, Key: aws.String("parts"), UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
			require.NoError(t, err)
			require.Equal(t, server.URL+"/"+*bucket+"/parts", aws.ToString(done.Location))

			objects, err := c.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: bucket, FetchOwner: aws.Bool(true)})
			require.NoError(t, err)
			var entries []types.ObjectIdentifier
			for _, o := range objects.Contents {
				require.Equal(t, owner, aws.ToString(o.Owner.ID))
				entries = append(entries, types.ObjectIdentifier{Key: o.Key})
			}
			require.Len(t, entries, 19)
			deleted, err := c.DeleteObjects(ctx, &awss3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: entries}})
			require.NoError(t, err)
			require.Len(t, deleted.Deleted, 19)
			_, err = c.DeleteBucket(ctx, &awss3.DeleteBucketInput{Bucket: bucket})
			require.NoError(t, err)
		})
	}
}

// Entries of DeleteObjects are decided one by one, and the answer has all of them.
func TestDeletionsAreDecidedOneByOne(t *testing.T) {
	_, server := newFront(t, func(n *s3.Need) bool { return n.Action == "s3:DeleteObject" && strings.HasPrefix(n.Key, "private/") })
	c, ctx, bucket := sdkClient(server), t.Context(), aws.String(bucketName(t))
	_, err := c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: bucket})
	require.NoError(t, err)
	for _, key := range []string{"a", "private/b", "c"} {
		_, err := c.PutObject(ctx, &awss3.PutObjectInput{Bucket: bucket, Key: aws.String(key), Body: strings.NewReader(key)})
		require.NoError(t, err)
	}
	remove := func(names ...string) (deleted, denied []string) {
		var entries []types.ObjectIdentifier
		for _, key := range names {
			entries = append(entries, types.ObjectIdentifier{Key: aws.String(key)})
		}
		out, err := c.DeleteObjects(ctx, &awss3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: entries}})
		require.NoError(t, err)
		for _, d := range out.Deleted {
			deleted = append(deleted, *d.Key)
		}
		for _, e := range out.Errors {
			denied = append(denied, *e.Key+" "+*e.Code)
		}
		return deleted, denied
	}
	deleted, denied := remove("a", "private/b")
	require.Equal(t, [][]string{{"a"}, {"private/b AccessDenied"}}, [][]string{deleted, denied})
	deleted, denied = remove("private/b")
	require.Equal(t, [][]string{nil, {"private/b AccessDenied"}}, [][]string{deleted, denied})
	_, err = c.GetObject(ctx, &awss3.GetObjectInput{Bucket: bucket, Key: aws.String("private/b")})
	require.NoError(t, err)
	for _, alias := range []string{"private//b", "./private/b", "x/../private/b", "/private/b"} {
		_, err := c.DeleteObjects(ctx, &awss3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String(alias)}}}})
		require.ErrorContains(t, err, "InvalidArgument", alias)
	}
}

// A presigned request works as it is, and in no other way.
func TestPresigned(t *testing.T) {
	_, server := newFront(t, nil)
	c, ctx, bucket := sdkClient(server), t.Context(), aws.String(bucketName(t))
	_, err := c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: bucket})
	require.NoError(t, err)
	presign := awss3.NewPresignClient(c, awss3.WithPresignExpires(7*24*time.Hour))
	put, err := presign.PresignPutObject(ctx, &awss3.PutObjectInput{Bucket: bucket, Key: aws.String("a b")})
	require.NoError(t, err)
	get, err := presign.PresignGetObject(ctx, &awss3.GetObjectInput{Bucket: bucket, Key: aws.String("a b")})
	require.NoError(t, err)

	require.Equal(t, "200 ", send(t, put.Method, put.URL, nil, "hello"))
	require.Equal(t, "200 hello", send(t, get.Method, get.URL, nil, ""))
	require.Contains(t, send(t, get.Method, get.URL+"&versionId=null", nil, ""), "SignatureDoesNotMatch")
	require.Contains(t, send(t, get.Method, strings.Replace(get.URL, "a%20b", "a%20c", 1), nil, ""), "SignatureDoesNotMatch")
	require.Contains(t, send(t, http.MethodDelete, get.URL, nil, ""), "SignatureDoesNotMatch")
	require.Contains(t, send(t, put.Method, put.URL, http.Header{"X-Amz-Acl": {"public-read"}}, "hello"), "AccessDenied")
	require.Contains(t, send(t, get.Method, get.URL, http.Header{"Authorization": {"AWS4-HMAC-SHA256 x"}}, ""), "InvalidArgument")
}

// send sends a request and returns the status and the body of the answer.
func send(t *testing.T, method, address string, header http.Header, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return fmt.Sprintf("%d %s", resp.StatusCode, text)
}

// The AWS CLI, as users have it.
func TestCLI(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		if os.Getenv("IAMSERVER_REQUIRE_TOOLS") != "" {
			require.NoError(t, err)
		}
		t.Skip("this test drives the AWS CLI, which is not installed")
	}
	_, server := newFront(t, func(n *s3.Need) bool { return strings.HasPrefix(n.Key, "private/") })
	dir := t.TempDir()
	cli := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "aws", append([]string{"--endpoint-url", server.URL}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+keyID, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_DEFAULT_REGION=us-east-1", "AWS_CONFIG_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) string {
		out, err := cli(args...)
		require.NoError(t, err, "%s: %s", args, out)
		return out
	}
	write := func(name string, size int) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, bytesOf(size), 0o600))
	}
	write("small", 1<<10)
	write("large", 20<<20)
	write("tree/a", 10)
	write("tree/b/c", 10)
	must("s3", "mb", "s3://cli-bucket")
	must("s3", "cp", "small", "s3://cli-bucket/x/small")
	must("s3", "cp", "large", "s3://cli-bucket/x/large")
	must("s3", "cp", "s3://cli-bucket/x/large", "back")
	back, err := os.ReadFile(filepath.Join(dir, "back"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(bytesOf(20<<20), back))
	must("s3", "sync", "tree", "s3://cli-bucket/tree")
	require.Contains(t, must("s3", "ls", "--recursive", "s3://cli-bucket"), "tree/b/c")
	must("s3api", "put-object-tagging", "--bucket", "cli-bucket", "--key", "x/small", "--tagging", "TagSet=[{Key=a,Value=b}]")
	require.Contains(t, must("s3api", "get-object-tagging", "--bucket", "cli-bucket", "--key", "x/small"), `"Key": "a"`)
	must("s3", "cp", "s3://cli-bucket/x/small", "s3://cli-bucket/x/copy")
	address := strings.TrimSpace(must("s3", "presign", "s3://cli-bucket/x/small"))
	require.Equal(t, "200 "+string(bytesOf(1<<10)), send(t, http.MethodGet, address, nil, ""))

	out, err := cli("s3", "cp", "small", "s3://cli-bucket/private/small")
	require.Error(t, err)
	require.Contains(t, out, "AccessDenied")
	out, err = cli("s3", "cp", "s3://cli-bucket/private/small", "-")
	require.Error(t, err)
	require.Contains(t, out, "403")
	out, err = cli("s3", "cp", "s3://cli-bucket/none", "-")
	require.Error(t, err)
	require.Contains(t, out, "404")
	must("s3", "rm", "--recursive", "s3://cli-bucket")
	must("s3", "rb", "s3://cli-bucket")
}
