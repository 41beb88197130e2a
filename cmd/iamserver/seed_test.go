package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A seedStep is a command and what its output must match. Commands of the seed
// page stand as they do on the page; the others fill in what the page takes for
// granted, or change what it leaves to the reader.
type seedStep struct {
	command string
	fill    string // replaces the page's placeholder, by sed
	want    string // regular expression; empty: nothing is printed
	ours    bool   // not on the page
	fails   bool
}

// The examples of the page, in an order in which each can work.
var seedSteps = []seedStep{
	{command: `aws --endpoint $AWS_ENDPOINT iam create-user --user-name alice`, want: `"Arn": "arn:aws:iam::000000000000:user/alice"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam create-access-key --user-name alice > key.json && cat key.json`, want: `(?s)"UserName": "alice".*"AccessKeyId": "AKIA[A-Z2-7]{16}".*"Status": "Active".*"SecretAccessKey": "[^"]{40}"`},
	{ours: true, command: `alice_access_key=$(grep -o 'AKIA[A-Z2-7]*' key.json) alice_secret_key=$(sed -n 's/.*"SecretAccessKey": "\(.*\)".*/\1/p' key.json) IAM_ENDPOINT=$AWS_ENDPOINT`},
	{
		// The page's own example of a key id has hyphens, which its own rule
		// refuses: it is refused here too, and works without them.
		command: `curl -sS -X POST "$IAM_ENDPOINT" --data-urlencode "Action=CreateAccessKey" --data-urlencode "UserName=alice" --data-urlencode "AccessKeyId=my-app-key" --data-urlencode "SecretAccessKey=my-app-secret-value" --aws-sigv4 "aws:amz:us-east-1:iam" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"`,
		want:    `<Code>ValidationError</Code><Message>.*accessKeyId`,
	},
	{
		command: `curl -sS -X POST "$IAM_ENDPOINT" --data-urlencode "Action=CreateAccessKey" --data-urlencode "UserName=alice" --data-urlencode "AccessKeyId=my-app-key" --data-urlencode "SecretAccessKey=my-app-secret-value" --aws-sigv4 "aws:amz:us-east-1:iam" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"`,
		fill:    `s/my-app-key/myappkey/`, want: `<AccessKeyId>myappkey</AccessKeyId>.*<SecretAccessKey>my-app-secret-value</SecretAccessKey>`,
	},
	{ours: true, command: `AWS_ACCESS_KEY_ID=myappkey AWS_SECRET_ACCESS_KEY=my-app-secret-value aws sts get-caller-identity`, want: `user/alice`},
	{ours: true, command: `cat > policy.json << 'EOF'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["s3:Get*", "s3:List*"],
      "Resource": ["arn:aws:s3:::my-bucket/*"]
    }
  ]
}
EOF
`},
	{command: `aws --endpoint $AWS_ENDPOINT iam put-user-policy --user-name alice --policy-name ReadOnlyPolicy --policy-document file://policy.json`},
	{ours: true, command: `aws iam get-user-policy --user-name alice --policy-name ReadOnlyPolicy`, want: `"s3:Get\*"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam list-users`, want: `"UserName": "alice"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam list-access-keys --user-name alice`, want: `(?s)"AccessKeyId": "AKIA.*"AccessKeyId": "myappkey"`},
	{ours: true, command: `aws iam create-policy --policy-name ReadOnlyPolicy --policy-document file://policy.json`, want: `"Arn": "arn:aws:iam::000000000000:policy/ReadOnlyPolicy"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam attach-user-policy --user-name alice --policy-arn arn:aws:iam:::policy/ReadOnlyPolicy`},
	{command: `aws --endpoint $AWS_ENDPOINT iam list-attached-user-policies --user-name alice`, want: `"PolicyName": "ReadOnlyPolicy"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam detach-user-policy --user-name alice --policy-arn arn:aws:iam:::policy/ReadOnlyPolicy`},
	{command: `aws --endpoint $AWS_ENDPOINT iam create-policy --policy-name MyManagedPolicy --policy-document file://policy.json`, want: `"DefaultVersionId": "v1"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam list-policies`, want: `(?s)MyManagedPolicy.*ReadOnlyPolicy`},
	{command: `aws --endpoint $AWS_ENDPOINT iam get-policy --policy-arn arn:aws:iam:::policy/MyManagedPolicy`, want: `"PolicyId": "ANPA[A-Z2-7]{17}"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam delete-policy --policy-arn arn:aws:iam:::policy/MyManagedPolicy`},

	{ours: true, command: `aws iam delete-access-key --user-name alice --access-key-id myappkey`},
	{ours: true, command: `root_access_key=$AWS_ACCESS_KEY_ID root_secret_key=$AWS_SECRET_ACCESS_KEY; export AWS_ACCESS_KEY_ID=$alice_access_key AWS_SECRET_ACCESS_KEY=$alice_secret_key`},
	{command: `aws --endpoint $AWS_ENDPOINT iam create-access-key`, want: `"UserName": "alice"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam list-access-keys`, want: `(?s)AKIA.*AKIA`},
	{ours: true, command: `aws iam list-users`, fails: true, want: `not authorized to perform: iam:ListUsers on resource: \* because no identity-based policy allows the iam:ListUsers action`},
	{ours: true, command: `aws iam get-user`, want: `"UserName": "alice"`},
	{ours: true, command: `AKIAEXAMPLE=$(aws iam list-access-keys --query 'AccessKeyMetadata[].AccessKeyId' --output text | tr '\t' '\n' | grep -v $alice_access_key)`},
	{command: `aws --endpoint $AWS_ENDPOINT iam update-access-key --access-key-id AKIAEXAMPLE --status Inactive`, fill: `s/AKIAEXAMPLE/$AKIAEXAMPLE/`},
	{ours: true, command: `export AWS_ACCESS_KEY_ID=$root_access_key AWS_SECRET_ACCESS_KEY=$root_secret_key`},

	{command: `aws --endpoint $AWS_ENDPOINT iam set-user-status --user-name alice --status Inactive`},
	{ours: true, command: `AWS_ACCESS_KEY_ID=$alice_access_key AWS_SECRET_ACCESS_KEY=$alice_secret_key aws iam get-user`, fails: true, want: `InvalidClientTokenId`},
	{ours: true, command: `aws iam get-user --user-name alice`, want: `"Status": "Inactive"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam set-user-status --user-name alice --status Active`},
	{command: `aws --endpoint $AWS_ENDPOINT iam update-access-key --user-name alice --access-key-id AKIAEXAMPLE --status Inactive`, fill: `s/AKIAEXAMPLE/$alice_access_key/`},
	{ours: true, command: `AWS_ACCESS_KEY_ID=$alice_access_key AWS_SECRET_ACCESS_KEY=$alice_secret_key aws iam get-user`, fails: true, want: `InvalidClientTokenId`},
	{command: `aws --endpoint $AWS_ENDPOINT iam update-access-key --user-name alice --access-key-id AKIAEXAMPLE --status Active`, fill: `s/AKIAEXAMPLE/$alice_access_key/`},
	{command: `aws --endpoint $AWS_ENDPOINT iam list-access-keys --user-name alice`, want: `(?s)"Status": "(Active|Inactive)".*"Status": "(Active|Inactive)"`},

	{command: `aws --endpoint $AWS_ENDPOINT iam create-group --group-name developers`, want: `"Arn": "arn:aws:iam::000000000000:group/developers"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam add-user-to-group --group-name developers --user-name alice`},
	{command: `aws --endpoint $AWS_ENDPOINT iam attach-group-policy --group-name developers --policy-arn arn:aws:iam:::policy/ReadOnlyPolicy`},
	{command: `aws --endpoint $AWS_ENDPOINT iam list-groups`, want: `"GroupName": "developers"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam get-group --group-name developers`, want: `(?s)"Users": \[.*"UserName": "alice"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam list-attached-group-policies --group-name developers`, want: `"PolicyName": "ReadOnlyPolicy"`},
	{command: `aws --endpoint $AWS_ENDPOINT iam list-groups-for-user --user-name alice`, want: `"GroupName": "developers"`},
	{ours: true, command: `aws iam update-group --group-name developers --disabled && aws iam get-group --group-name developers`, want: `"Disabled": true`},
	{command: `aws --endpoint $AWS_ENDPOINT iam remove-user-from-group --group-name developers --user-name alice`},
	{command: `aws --endpoint $AWS_ENDPOINT iam detach-group-policy --group-name developers --policy-arn arn:aws:iam:::policy/ReadOnlyPolicy`},
	{command: `aws --endpoint $AWS_ENDPOINT iam delete-group --group-name developers`},

	// The rest of the page's table of actions, and what its rules say beside the examples.
	{ours: true, command: `aws iam create-service-account --parent-user alice --description ci > sa.json && cat sa.json`, want: `(?s)"ServiceAccountId": "sa:alice:[0-9a-f]{32}".*"AccessKeyId": "ABIA[A-Z2-7]{16}"`},
	{ours: true, command: `aws iam list-service-accounts --parent-user alice`, want: `"Description": "ci"`},
	{ours: true, command: `aws iam delete-user --user-name alice`, fails: true, want: `DeleteConflict`},
	{ours: true, command: `aws iam create-access-key --user-name alice --access-key-id onlyone`, fails: true, want: `InvalidInput`},
}

// The seed page is the page that the project grew out of; what its reader types
// works here. Not run are the commands of that system's own shell (weed …), the
// port 8111 that it calls deprecated, and the exports of made-up credentials,
// for which root.env stands.
func TestSeedPageWorks(t *testing.T) {
	needs(t, "aws", "curl")
	server := start(t, filepath.Join(t.TempDir(), "iamdata"))
	sh := newShell(t)
	sh.must("source " + filepath.Join(server.data, "root.env"))
	for _, step := range seedSteps {
		command := step.command
		if step.fill != "" {
			from, to, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(step.fill, "s/"), "/"), "/")
			require.True(t, ok)
			command = strings.ReplaceAll(command, from, to)
		}
		output, status := sh.run(command)
		require.Equal(t, step.fails, status != 0, "%s\n%s", command, output)
		if step.want == "" {
			require.Empty(t, output, command)
			continue
		}
		require.Regexp(t, step.want, output, command)
	}
}

// No command of the page is left out above.
func TestSeedPageIsCovered(t *testing.T) {
	page, err := os.ReadFile(shared(t, "seed-amazon-iam-api.txt"))
	require.NoError(t, err)
	text := strings.ReplaceAll(string(page), "\\\n", " ")
	var missing []string
	for line := range strings.Lines(text) {
		command := strings.Join(strings.Fields(line), " ")
		if !strings.HasPrefix(command, "aws ") && !strings.HasPrefix(command, "curl ") {
			continue
		}
		if !slices.ContainsFunc(seedSteps, func(s seedStep) bool { return !s.ours && covers(s.command, command) }) {
			missing = append(missing, command)
		}
	}
	require.Empty(t, missing)
}

// covers tells whether a step is a command of the page, give or take curl's
// silence and where the output goes.
func covers(step, command string) bool {
	step = strings.Replace(step, "curl -sS ", "curl ", 1)
	step, _, _ = strings.Cut(step, " > ")
	return step == command
}
