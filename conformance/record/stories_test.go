package record_test

import (
	"bytes"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/record"
)

var update = flag.Bool("update", false, "write what the SDKs send and get into ../testdata/sdk")

// A story is what the SDKs are recorded with: each has a program that tells it.
type story struct {
	name, sentence string
	level          conformance.Level
	needs          []conformance.Need
	sources        []string
	texts          map[string]string // files that the program reads
}

const (
	reference = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_"
	guide     = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
)

var stories = []story{
	{
		"user_life", "A user is made with tags, renamed, and deleted; then there is none of either name.", conformance.AWS, nil,
		[]string{reference + "CreateUser.html", reference + "UpdateUser.html", reference + "DeleteUser.html"},
		nil,
	},
	{
		"key_rotation", "A second key takes over from the first, which is switched off and deleted.", conformance.AWS,
		[]conformance.Need{conformance.Authentication},
		[]string{guide + "id-credentials-access-keys-update.html"},
		nil,
	},
	{
		"group_life", "A member may do what the policy of the group allows, until it is removed and the group is deleted.", conformance.AWS,
		[]conformance.Need{conformance.Authorization},
		[]string{guide + "id_groups.html", reference + "GetGroupPolicy.html"},
		map[string]string{"policy.json": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUserTags","Resource":"*"}}` + "\n"},
	},
	{
		"policy_life", "A policy gets a second version, is listed page by page, attached, and can be deleted once it is detached.", conformance.AWS, nil,
		[]string{guide + "access_policies_managed-versioning.html", reference + "DeletePolicy.html"},
		map[string]string{
			"first.json":  `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}` + "\n",
			"second.json": `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*"}}` + "\n",
		},
	},
	{
		"off_boarding", "A user cannot be deleted before its key and its policy are.", conformance.AWS, nil,
		[]string{guide + "id_users_remove.html", reference + "DeleteUser.html"},
		map[string]string{"policy.json": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}` + "\n"},
	},
	{
		"object_rights", "A user writes and reads objects as its policy says, and nothing once its key is switched off.", conformance.AWS,
		[]conformance.Need{conformance.Authorization, conformance.S3},
		[]string{guide + "reference_policies_evaluation-logic.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"},
		map[string]string{
			"policy.json": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::photos-of-hers/public/*"}}` + "\n",
			"hello.txt":   "Hello, world.\n",
		},
	},
}

// recorded compares what a client sent and got in a story with what is recorded.
// A difference is a finding and no failure, like that of the CLI: a newer client
// may send something else.
func recorded(t *testing.T, client string, s story, proxy *record.Proxy) {
	t.Helper()
	r := record.Recording{
		Name: client + "/" + s.name, Sentence: s.sentence, Level: s.level, Needs: s.needs, Sources: s.sources, Texts: s.texts,
		Exchanges: proxy.Take(),
	}
	r.Commands = make([]string, len(r.Exchanges))
	c, err := r.Case()
	require.NoError(t, err)
	withoutStates(c)
	file, got := filepath.Join("..", "testdata", "sdk", client, s.name+".txtar"), conformance.Format(c)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755)) //nolint:gosec // sources are for everybody to read
		require.NoError(t, os.WriteFile(file, got, 0o644))         //nolint:gosec // as above
	}
	have, err := os.ReadFile(file)
	require.NoError(t, err, "record it with go test ./conformance/record -update")
	if !bytes.Equal(have, got) {
		t.Logf("%s sends and gets something else than what is recorded:\n%s", client, got)
	}
}

// withoutStates lets GetUser answer without the state of a user: AWS has none.
func withoutStates(c *conformance.Case) {
	for _, s := range c.Steps {
		body := s.Response.Body
		if body == nil || body.Name != "GetUserResponse" {
			continue
		}
		status := body.Child("GetUserResult").Child("User").Child("Status")
		status.Text.Parts = append([]conformance.Part{{Func: "optional"}}, status.Text.Parts...)
	}
}

// recording stands between a client and an endpoint of its own.
func recording(t *testing.T) (*record.Proxy, string) {
	t.Helper()
	proxy, err := record.NewProxy(open(t, time.Now), nil) //nolint:forbidigo // SDKs sign with the clock of the machine
	require.NoError(t, err)
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	return proxy, front.URL
}
