package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/rootcreds"
)

// serve runs the example until the test ends.
func serve(t *testing.T, data string) (address string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- run(ctx, "127.0.0.1:0", data, func(address string) { ready <- address }) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	select {
	case address = <-ready:
	case err := <-ended:
		ended <- err
		require.NoError(t, err)
	}
	return address
}

func root(t *testing.T, data string) rootcreds.Credentials {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, rootcreds.FileName))
	require.NoError(t, err)
	found, err := rootcreds.Parse(text)
	require.NoError(t, err)
	return found
}

func objects(t *testing.T, address, id, secret string) *minio.Client {
	t.Helper()
	client, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(id, secret, ""), Region: "us-east-1", MaxRetries: 1})
	require.NoError(t, err)
	return client
}

func put(t *testing.T, client *minio.Client, key string, content []byte) string {
	t.Helper()
	_, err := client.PutObject(t.Context(), "photos", key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	return minio.ToErrorResponse(err).Code
}

func get(t *testing.T, client *minio.Client, key string) (content []byte, code string) {
	t.Helper()
	object, err := client.GetObject(t.Context(), "photos", key, minio.GetObjectOptions{})
	require.NoError(t, err)
	content, err = io.ReadAll(object)
	return content, minio.ToErrorResponse(err).Code
}

func TestTheStoreDoesWhatPoliciesAllow(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	address := serve(t, data)
	owner := root(t, data)
	everything := objects(t, address, owner.AccessKeyID, string(owner.SecretAccessKey))
	require.NoError(t, everything.MakeBucket(t.Context(), "photos", minio.MakeBucketOptions{}))
	require.Empty(t, put(t, everything, "bob/secret", []byte("secret")))

	accounts := awsiam.New(awsiam.Options{
		BaseEndpoint: aws.String("http://" + address), Region: "us-east-1",
		Credentials: awscredentials.NewStaticCredentialsProvider(owner.AccessKeyID, string(owner.SecretAccessKey), ""),
	})
	name := aws.String("alice")
	_, err := accounts.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: name})
	require.NoError(t, err)
	_, err = accounts.PutUserPolicy(t.Context(), &awsiam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("own-folder"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject","s3:PutObjectTagging"],"Resource":"arn:aws:s3:::photos/${aws:username}/*"}}`)})
	require.NoError(t, err)
	key, err := accounts.CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{UserName: name})
	require.NoError(t, err)
	alice := objects(t, address, *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)

	t.Run("her own folder", func(t *testing.T) {
		large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		for key, content := range map[string][]byte{"alice/small": []byte("hello"), "alice/large": large, "alice//a//b": []byte("exact")} {
			require.Empty(t, put(t, alice, key, content), key)
			got, code := get(t, alice, key)
			require.Empty(t, code, key)
			require.True(t, bytes.Equal(content, got), key)
		}
	})
	t.Run("in parts", func(t *testing.T) {
		content := bytes.Repeat([]byte("x"), 6<<20)
		_, err := alice.PutObject(t.Context(), "photos", "alice/parts", bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{PartSize: 5 << 20})
		require.NoError(t, err)
		got, code := get(t, alice, "alice/parts")
		require.Empty(t, code)
		require.Len(t, got, len(content))
	})
	t.Run("another's folder", func(t *testing.T) {
		require.Equal(t, "AccessDenied", put(t, alice, "bob/secret", []byte("hers")))
		_, code := get(t, alice, "bob/secret")
		require.Equal(t, "AccessDenied", code)
		got, _ := get(t, everything, "bob/secret")
		require.Equal(t, "secret", string(got))
	})
	t.Run("the bucket", func(t *testing.T) {
		for object := range alice.ListObjects(t.Context(), "photos", minio.ListObjectsOptions{}) {
			require.Equal(t, "AccessDenied", minio.ToErrorResponse(object.Err).Code)
		}
	})
	t.Run("what the store does not have", func(t *testing.T) {
		err := alice.RemoveObjectTagging(t.Context(), "photos", "alice/small", minio.RemoveObjectTaggingOptions{})
		require.Error(t, err)
		got, _ := get(t, alice, "alice/small")
		require.Equal(t, "hello", string(got))
	})
	t.Run("nobody", func(t *testing.T) {
		_, code := get(t, objects(t, address, "", ""), "bob/secret")
		require.Equal(t, "AccessDenied", code)
		require.NoError(t, everything.SetBucketPolicy(t.Context(), "photos",
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/alice/*"}}`))
		got, code := get(t, objects(t, address, "", ""), "alice/small")
		require.Empty(t, code)
		require.Equal(t, "hello", string(got))
	})
	t.Run("several at once", func(t *testing.T) {
		names := make(chan minio.ObjectInfo, 2)
		names <- minio.ObjectInfo{Key: "alice/small"}
		names <- minio.ObjectInfo{Key: "bob/secret"}
		close(names)
		var failed []string
		for problem := range alice.RemoveObjects(t.Context(), "photos", names, minio.RemoveObjectsOptions{}) {
			failed = append(failed, problem.ObjectName+" "+strings.SplitN(problem.Err.Error(), "\n", 2)[0])
		}
		require.Len(t, failed, 1)
		require.Contains(t, failed[0], "bob/secret")
		_, code := get(t, everything, "alice/small")
		require.Equal(t, "NoSuchKey", code)
	})
	t.Run("a key that is gone", func(t *testing.T) {
		_, err := accounts.DeleteAccessKey(t.Context(), &awsiam.DeleteAccessKeyInput{UserName: name, AccessKeyId: key.AccessKey.AccessKeyId})
		require.NoError(t, err)
		require.Equal(t, "InvalidAccessKeyId", put(t, alice, "alice/small", []byte("hello")))
	})
}
