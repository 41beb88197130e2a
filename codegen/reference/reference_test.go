package reference_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"iamserver/codegen/awsmodel"
	"iamserver/codegen/model"
	"iamserver/codegen/reference"
	"iamserver/spec"
)

const toy = `service: toy
condition-keys:
  toy:Colour: {type: string}
  toy:Gone: {type: string, absent: There is none.}
  toy:Mine: {type: string, extension: true}
resources:
  user: {arn: 'arn:${Partition}:toy::${Account}:user/${Name}', condition-keys: ['aws:ResourceTag/${TagKey}']}
  mine: {arn: 'arn:${Partition}:toy::${Account}:mine/${Name}', extension: true}
actions:
  CreateUser: {access: Write, resources: [user], condition-keys: ['aws:RequestTag/${TagKey}', toy:Colour, toy:Gone]}
  ListUsers: {access: List}
  Own: {access: Read, resources: [mine], extension: true}
`

const aws = `service: aws
condition-keys:
  'aws:PrincipalTag/${TagKey}': {type: string}
  'aws:RequestTag/${TagKey}': {type: string, listed: true}
  'aws:ResourceTag/${TagKey}': {type: string, listed: true}
  aws:SourceIp: {type: ip}
`

func load(t *testing.T, fsys fs.FS) *reference.Reference {
	t.Helper()
	r, err := reference.Load(fsys)
	require.NoError(t, err)
	return r
}

func loadToy(t *testing.T) *reference.Reference {
	t.Helper()
	return load(t, fstest.MapFS{"toy/authorization.yaml": {Data: []byte(toy)}, "aws/authorization.yaml": {Data: []byte(aws)}})
}

func TestCheck(t *testing.T) {
	at := model.Position{File: "requests.yaml", Line: 3, Column: 5}
	for _, tt := range []struct {
		name     string
		use      reference.Use
		problems string // the only one
		missing  []string
	}{
		{"all that the action supports", reference.Use{Action: "toy:CreateUser", Resource: "user", Keys: []string{"aws:RequestTag", "aws:ResourceTag", "toy:Colour"}}, "", nil},
		{"keys with their placeholder", reference.Use{Action: "toy:CreateUser", Resource: "user", Keys: []string{"aws:RequestTag/${TagKey}", "toy:Colour"}}, "", []string{"aws:ResourceTag/${TagKey}"}},
		{"a key that every request has", reference.Use{Action: "toy:ListUsers", Keys: []string{"aws:SourceIp", "aws:PrincipalTag"}}, "", nil},
		{"a key of a resource, without resource", reference.Use{Action: "toy:ListUsers", Keys: []string{"aws:ResourceTag"}}, "toy:ListUsers does not support the condition key aws:ResourceTag", nil},
		{"a key that there is not", reference.Use{Action: "toy:ListUsers", Keys: []string{"toy:Size"}}, "toy:ListUsers does not support the condition key toy:Size", nil},
		{"an action that there is not", reference.Use{Action: "toy:HeadUser"}, "the authorization reference has no action toy:HeadUser", nil},
		{"a service that there is not", reference.Use{Action: "game:Play"}, "the authorization reference has no action game:Play", nil},
		{"another type of resource", reference.Use{Action: "toy:Own", Resource: "user"}, "toy:Own is authorized on mine, not on user", []string{"aws:ResourceTag/${TagKey}"}},
		{"no resource", reference.Use{Action: "toy:Own"}, "toy:Own is authorized on mine, not on *", nil},
		{"a resource for an action that has none", reference.Use{Action: "toy:ListUsers", Resource: "user"}, "toy:ListUsers is authorized on *, not on user", []string{"aws:ResourceTag/${TagKey}"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.use.Position = at
			r := loadToy(t)
			problems := r.Check(tt.use)
			if tt.problems == "" {
				require.Empty(t, problems)
			} else {
				require.Len(t, problems, 1)
				require.Equal(t, at, problems[0].Position)
				require.Equal(t, tt.problems, problems[0].Text)
			}
			require.Equal(t, tt.missing, r.Missing(tt.use))
		})
	}
}

// theirs is what AWS would say of the toy service, with a difference in each
// kind of fact.
const theirs = `{
	"actions": {
		"createuser": {"name": "CreateUser", "accessLevel": "Tagging, Write", "resourceTypes": [{"name": "user", "required": true}], "conditionKeys": ["toy:Colour", "toy:Gone", "toy:Gone"]},
		"listusers": {"name": "ListUsers", "accessLevel": "List", "resourceTypes": [{"name": "user", "required": false}], "conditionKeys": []},
		"play": {"name": "Play", "accessLevel": "Permissions management, Write", "resourceTypes": [], "conditionKeys": []}
	},
	"resourceTypes": {
		"user": {"key": "user", "arn": "arn:${Partition}:toy::${Account}:users/${Name}"},
		"mine": {"key": "mine", "arn": "arn:${Partition}:toy::${Account}:mine/${Name}"}
	},
	"conditionKeys": {
		"toy:colour": {"key": "toy:Colour", "type": "ArrayOfString"},
		"toy:gone": {"key": "toy:Gone", "type": "String"},
		"aws:requesttag": {"key": "aws:RequestTag/<key>", "type": "String"}
	}
}`

func TestDiff(t *testing.T) {
	differences, err := reference.Diff(loadToy(t), "toy", []byte(theirs))
	require.NoError(t, err)
	at := func(line int) model.Position {
		return model.Position{File: "toy/authorization.yaml", Line: line, Column: 3}
	}
	whole := model.Position{File: "toy/authorization.yaml", Line: 1, Column: 1}
	require.Equal(t, []awsmodel.Difference{
		{Position: at(10), At: "action.CreateUser.access", Ours: "Write", Theirs: "Tagging"},
		{Position: at(10), At: "action.CreateUser.condition-keys", Ours: "aws:RequestTag/${TagKey} toy:Colour toy:Gone", Theirs: "toy:Colour toy:Gone"},
		{Position: at(11), At: "action.ListUsers.resources", Ours: "none", Theirs: "user"},
		{Position: model.Position{File: "aws/authorization.yaml", Line: 5, Column: 3}, At: "key.aws:ResourceTag/${TagKey}", Ours: "string", Theirs: "absent"},
		{Position: at(3), At: "key.toy:Colour", Ours: "string", Theirs: "many string"},
		{Position: at(8), At: "resource.mine.arn", Ours: "extension", Theirs: "arn:${Partition}:toy::${Account}:mine/${Name}"},
		{Position: at(8), At: "resource.mine.condition-keys", Ours: "extension", Theirs: "none"},
		{Position: at(7), At: "resource.user.arn", Ours: "arn:${Partition}:toy::${Account}:user/${Name}", Theirs: "arn:${Partition}:toy::${Account}:users/${Name}"},
		{Position: at(7), At: "resource.user.condition-keys", Ours: "aws:ResourceTag/${TagKey}", Theirs: "none"},
		{Position: whole, At: "action.Play.access", Ours: "absent", Theirs: "PermissionsManagement"},
		{Position: whole, At: "action.Play.condition-keys", Ours: "absent", Theirs: "none"},
		{Position: whole, At: "action.Play.resources", Ours: "absent", Theirs: "none"},
	}, differences)

	_, err = reference.Diff(loadToy(t), "game", []byte(theirs))
	require.EqualError(t, err, "the specification has no game/authorization.yaml")
	_, err = reference.Diff(loadToy(t), "toy", []byte("["))
	require.ErrorContains(t, err, "read authorization reference of AWS: ")
}

// The specification's reference is AWS's, but for what the extensions add.
func TestReferenceIsThatOfAWS(t *testing.T) {
	ours := load(t, spec.FS)
	for _, service := range []string{"iam", "s3", "sts"} {
		t.Run(service, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "models", "authorization-"+service+".json"))
			if os.IsNotExist(err) && os.Getenv("IAMSERVER_REQUIRE_SHARED") != "1" {
				t.Skip("AWS's authorization reference is not beside the repository")
			}
			require.NoError(t, err)
			differences, err := reference.Diff(ours, service, data)
			require.NoError(t, err)
			require.Empty(t, differences)
		})
	}
}

// Whatever the file holds, reading it ends in a reference or in problems.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(toy))
	f.Add([]byte(aws))
	f.Add([]byte("service: toy\nactions: [1]\nsets: {a: {b: c}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := reference.Load(fstest.MapFS{"toy/authorization.yaml": {Data: data}})
		if err == nil {
			require.Len(t, r.Services, 1)
			for _, a := range r.Services[0].Actions {
				require.NotEmpty(t, a.Access)
				require.Empty(t, r.Check(reference.Use{Action: "toy:" + a.Name, Resource: first(a.Resources), Keys: a.Keys}))
			}
		}
	})
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
