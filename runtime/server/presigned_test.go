package server_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/server"
)

// A presigned GetCallerIdentity tells somebody else who one is, as clusters' tokens
// do. The SDK for Go leaves X-Amz-Expires out of it.
func TestCallerIdentityPresignedByTheSDK(t *testing.T) {
	f := open(t, func(c *server.Config) { c.Now = time.Now }) //nolint:forbidigo // the SDK signs by the clock
	client := sts.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: &f.url,
		Credentials: credentials.NewStaticCredentialsProvider(f.root.AccessKeyID, f.root.SecretAccessKey, ""),
	})
	signed, err := sts.NewPresignClient(client).PresignGetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	require.NotContains(t, signed.URL, "X-Amz-Expires", "what this test is about")
	request, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, nil)
	require.NoError(t, err)
	request.Header = signed.SignedHeader
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "arn:aws:iam::123456789012:root", element(string(body), "Arn"), string(body))
}
