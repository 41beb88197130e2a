package awsmodel_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"iamserver/codegen/awsmodel"
	"iamserver/codegen/model"
	"iamserver/codegen/openapi"
	"iamserver/spec"
)

var update = flag.Bool("update", false, "rewrite the expected files under testdata")

// toy is the service of the generator's own corpus.
func toy(t *testing.T) *model.Service {
	t.Helper()
	services, err := openapi.Load(os.DirFS("../testdata/positive/thin/spec"))
	require.NoError(t, err)
	return services[0]
}

// copied is a model after a trip through its files, as AWS's are read.
func copied(t *testing.T, m *awsmodel.Model) *awsmodel.Model {
	t.Helper()
	service, err := m.ServiceFile()
	require.NoError(t, err)
	paginators, err := m.PaginatorsFile()
	require.NoError(t, err)
	again, err := awsmodel.Parse(service, paginators)
	require.NoError(t, err)
	return again
}

func TestModelKeepsItsOrder(t *testing.T) {
	m := awsmodel.Of(toy(t))
	service, err := m.ServiceFile()
	require.NoError(t, err)
	again, err := copied(t, m).ServiceFile()
	require.NoError(t, err)
	require.Equal(t, string(service), string(again))

	request, ok := m.Shapes.Get("CreateUserRequest")
	require.True(t, ok)
	var names []string
	for _, member := range request.Members {
		names = append(names, member.Name)
	}
	require.Equal(t, []string{"Path", "UserName", "Boundary", "Tags", "Status"}, names)
}

func TestDiff(t *testing.T) {
	shape := func(m *awsmodel.Model, name string) *awsmodel.Shape {
		s, ok := m.Shapes.Get(name)
		require.True(t, ok, name)
		return s
	}
	operation := func(m *awsmodel.Model, name string) *awsmodel.Operation {
		o, ok := m.Operations.Get(name)
		require.True(t, ok, name)
		return o
	}
	number := func(n int) *int { return &n }
	for _, tt := range []struct {
		name   string
		change func(theirs *awsmodel.Model)
		want   []string
	}{
		{"nothing differs", func(*awsmodel.Model) {}, nil},
		{"a fact about the service differs", func(m *awsmodel.Model) { m.Metadata.GlobalEndpoint = "" }, []string{"metadata.globalEndpoint: ours toy.example.com, model absent"}},
		{"AWS lacks an action", func(m *awsmodel.Model) { m.Operations = m.Operations[1:] }, []string{"CreateKey: ours present, model absent"}},
		{"AWS has another action", func(m *awsmodel.Model) {
			m.Operations = append(m.Operations, awsmodel.Entry[*awsmodel.Operation]{Name: "Other", Value: &awsmodel.Operation{}})
		}, nil},
		{"AWS lacks a parameter", func(m *awsmodel.Model) {
			s := shape(m, "CreateUserRequest")
			s.Members = s.Members[:4]
		}, []string{"CreateUser.input.Status: ours present, model absent"}},
		{"AWS has another parameter", func(m *awsmodel.Model) {
			s := shape(m, "CreateUserRequest")
			s.Members = append(s.Members, awsmodel.Entry[*awsmodel.Reference]{Name: "Age", Value: &awsmodel.Reference{Shape: "Path"}})
		}, []string{"CreateUser.input.Age: ours absent, model present"}},
		{"parameters have another order", func(m *awsmodel.Model) {
			s := shape(m, "RenameUserRequest").Members
			s[0], s[1] = s[1], s[0]
		}, []string{"RenameUser.input.order: ours UserName, NewPath, NewUserName, TagKeys, model NewPath, UserName, NewUserName, TagKeys"}},
		{"a parameter is optional", func(m *awsmodel.Model) { shape(m, "CreateUserRequest").Required = nil }, []string{"CreateUser.input.UserName.required: ours true, model false"}},
		{"a member of a shape is required, and the shape is used twice", func(m *awsmodel.Model) { shape(m, "User").Required = []string{"UserName", "CreateDate", "Tags"} }, []string{"User.Tags.required: ours false, model true"}},
		{"a parameter has another type", func(m *awsmodel.Model) { shape(m, "MaxItems").Type = "string" }, []string{"ListUsers.input.MaxItems.type: ours integer, model string"}},
		{"lengths differ wherever the shape is used", func(m *awsmodel.Model) { shape(m, "Path").Min, shape(m, "Path").Max = nil, number(100) }, []string{
			"CreateUser.input.Path.minLength: ours 1, model absent", "CreateUser.input.Path.maxLength: ours 512, model 100",
			"RenameUser.input.NewPath.minLength: ours 1, model absent", "RenameUser.input.NewPath.maxLength: ours 512, model 100",
		}},
		{"a least length of 0 is none", func(m *awsmodel.Model) { shape(m, "TagValue").Min = number(0) }, nil},
		{"limits differ", func(m *awsmodel.Model) { shape(m, "MaxItems").Min, shape(m, "MaxItems").Max = number(0), nil }, []string{
			"ListUsers.input.MaxItems.minimum: ours 1, model 0", "ListUsers.input.MaxItems.maximum: ours 1000, model absent",
		}},
		{"a pattern differs", func(m *awsmodel.Model) { shape(m, "Marker").Pattern = "[a-z]+" }, []string{`ListUsers.input.Marker.pattern: ours [\u0020-\u00FF]+, model [a-z]+`}},
		{"a value set differs", func(m *awsmodel.Model) { shape(m, "BoundaryType").Enum = []string{"Policy", "Other"} }, []string{"Boundary.Type.enum: ours Policy, model Policy, Other"}},
		{"a secret is none", func(m *awsmodel.Model) { shape(m, "Secret").Sensitive = false }, []string{
			"CreateKey.input.Secret.sensitive: ours true, model false", "Key.Secret.sensitive: ours true, model false",
		}},
		{"a list may be longer", func(m *awsmodel.Model) { shape(m, "TagKeyList").Max = number(60) }, []string{"RenameUser.input.TagKeys.maxItems: ours 50, model 60"}},
		{"items differ", func(m *awsmodel.Model) { shape(m, "Status").Enum = []string{"Active"} }, []string{
			"CreateUser.input.Status.enum: ours Active, Inactive, model Active", "ListUsers.input.Filter[].enum: ours Active, Inactive, model Active",
		}},
		{"keys of a map differ", func(m *awsmodel.Model) { shape(m, "SummaryKey").Enum = []string{"Users"} }, []string{"GetSummary.output.SummaryMap.key.enum: ours Users, UsersQuota, model Users"}},
		{"an error is missing, and the others have another order", func(m *awsmodel.Model) {
			o := operation(m, "CreateUser")
			o.Errors = []awsmodel.Reference{o.Errors[2], o.Errors[0]}
		}, []string{"CreateUser.errors.InvalidInput: ours present, model absent", "CreateUser.errors.order: ours EntityAlreadyExists, ServiceFailure, model ServiceFailure, EntityAlreadyExists"}},
		{"AWS answers another error", func(m *awsmodel.Model) {
			o := operation(m, "GetUser")
			o.Errors = append(o.Errors, awsmodel.Reference{Shape: "InvalidInputException"})
		}, []string{"GetUser.errors.InvalidInput: ours absent, model present"}},
		{"an error has another status and fault", func(m *awsmodel.Model) {
			e := shape(m, "NoSuchEntityException").Error
			e.HTTPStatusCode, e.SenderFault = 400, false
		}, []string{"errors.NoSuchEntity.status: ours 404, model 400", "errors.NoSuchEntity.sender-fault: ours true, model false"}},
		{"an action answers nothing", func(m *awsmodel.Model) { operation(m, "GetUser").Output = nil }, []string{"GetUser.output: ours present, model absent"}},
		{"an action answers something", func(m *awsmodel.Model) {
			operation(m, "RenameUser").Output = &awsmodel.Reference{Shape: "User"}
		}, []string{"RenameUser.output: ours absent, model present"}},
		{"an empty input is none", func(m *awsmodel.Model) { operation(m, "GetSummary").Input = &awsmodel.Reference{Shape: "Empty"} }, nil},
		{"the result element has another name", func(m *awsmodel.Model) { operation(m, "GetUser").Output.ResultWrapper = "Result" }, []string{"GetUser.output.resultWrapper: ours GetUserResult, model Result"}},
		{"AWS does not page", func(m *awsmodel.Model) { m.Pagination = nil }, []string{"ListUsers.pagination: ours present, model absent"}},
		{"AWS pages otherwise", func(m *awsmodel.Model) {
			p, _ := m.Pagination.Get("ListUsers")
			p.InputToken, p.ResultKey = "NextToken", []string{"Users", "Groups"}
		}, []string{"ListUsers.pagination.input: ours Marker, model NextToken", "ListUsers.pagination.items: ours Users, model Users, Groups"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours := awsmodel.Of(toy(t))
			theirs := copied(t, ours)
			tt.change(theirs)
			var got []string
			for _, d := range awsmodel.Diff(ours, theirs) {
				require.NotZero(t, d.Position, "%s has no position", d)
				got = append(got, d.String())
			}
			require.ElementsMatch(t, tt.want, got)
		})
	}
}

func TestAllowances(t *testing.T) {
	const good = "- {service: toy, at: CreateKey, ours: present, model: absent, reason: An extension.}\n"
	entry := awsmodel.Allowance{
		Difference: awsmodel.Difference{Position: model.Position{File: "allow.yaml", Line: 1, Column: 3}, At: "CreateKey", Ours: "present", Theirs: "absent"},
		Service:    "toy", Reason: "An extension.",
	}
	got, err := awsmodel.Allowances("allow.yaml", []byte(good))
	require.NoError(t, err)
	require.Equal(t, []awsmodel.Allowance{entry}, got)

	for _, tt := range []struct{ name, file, want string }{
		{"an entry without a reason", "- {service: toy, at: CreateKey, ours: present, model: absent}\n", "allow.yaml:1:3: the entry lacks reason"},
		{"a misspelt key", good + "- {servise: toy}\n", "allow.yaml:2:3: servise is not known here"},
		{"no list", "service: toy\n", "allow.yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into []yaml.Node"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := awsmodel.Allowances("allow.yaml", []byte(tt.file))
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestUnexplained(t *testing.T) {
	difference := func(at string) awsmodel.Difference {
		return awsmodel.Difference{At: at, Ours: "present", Theirs: "absent"}
	}
	allowance := func(service, at string) awsmodel.Allowance {
		return awsmodel.Allowance{Service: service, Difference: difference(at), Reason: "Because."}
	}
	open, idle := awsmodel.Unexplained("toy",
		[]awsmodel.Difference{difference("Explained"), difference("Open")},
		[]awsmodel.Allowance{allowance("toy", "Explained"), allowance("toy", "Idle"), allowance("other", "Elsewhere")})
	require.Equal(t, []awsmodel.Difference{difference("Open")}, open)
	require.Equal(t, []awsmodel.Allowance{allowance("toy", "Idle")}, idle)
}

// What is printed uses the shapes that the specification has and declares the
// others, and the codes too.
func TestImport(t *testing.T) {
	service, err := os.ReadFile("testdata/service-2.json")
	require.NoError(t, err)
	paginators, err := os.ReadFile("testdata/paginators-1.json")
	require.NoError(t, err)
	theirs, err := awsmodel.Parse(service, paginators)
	require.NoError(t, err)
	got, err := awsmodel.Import(toy(t), theirs, "ListRoles")
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("testdata/list_roles.yaml", []byte(got), 0o644))
	}
	want, err := os.ReadFile("testdata/list_roles.yaml")
	require.NoError(t, err)
	require.Equal(t, string(want), got)

	_, err = awsmodel.Import(toy(t), theirs, "ListRolls")
	require.EqualError(t, err, "the model of Toy has no operation ListRolls")
}

// aws reads one of AWS's models from the shared folder beside the repository.
func aws(t *testing.T, name string) *awsmodel.Model {
	t.Helper()
	folder := filepath.Join("..", "..", "..", "shared", "models")
	service, err := os.ReadFile(filepath.Join(folder, name+".json"))
	if os.IsNotExist(err) && os.Getenv("IAMSERVER_REQUIRE_SHARED") != "1" {
		t.Skip("AWS's models are not beside the repository")
	}
	require.NoError(t, err)
	paginators, err := os.ReadFile(filepath.Join(folder, name+".paginators.json"))
	require.NoError(t, err)
	m, err := awsmodel.Parse(service, paginators)
	require.NoError(t, err)
	return m
}

// The specification says what AWS's models say, but for what
// spec/aws-differences.yaml explains.
func TestSpecificationIsAsAWS(t *testing.T) {
	services, err := openapi.Load(spec.FS)
	require.NoError(t, err)
	data, err := os.ReadFile("../../spec/aws-differences.yaml")
	require.NoError(t, err)
	allowances, err := awsmodel.Allowances("aws-differences.yaml", data)
	require.NoError(t, err)
	names := map[string]string{"iam": "aws-iam-2010-05-08", "sts": "aws-sts-2011-06-15"}
	for _, s := range services {
		t.Run(s.Name, func(t *testing.T) {
			open, idle := awsmodel.Unexplained(s.Name, awsmodel.Diff(awsmodel.Of(s), aws(t, names[s.Name])), allowances)
			require.Empty(t, open)
			require.Empty(t, idle)
		})
	}
}

// Every operation of AWS's model can be imported, as YAML that parses.
func TestImportOfEveryOperation(t *testing.T) {
	services, err := openapi.Load(spec.FS)
	require.NoError(t, err)
	theirs := aws(t, "aws-iam-2010-05-08")
	for _, o := range theirs.Operations {
		text, err := awsmodel.Import(services[0], theirs, o.Name)
		require.NoError(t, err)
		var document map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(text), &document), text)
		require.Contains(t, document, o.Name)
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	_, err := awsmodel.Parse([]byte(`{"operations": []}`), []byte(`{}`))
	require.EqualError(t, err, "read service model: not a JSON object")
	var syntax *json.SyntaxError
	_, err = awsmodel.Parse([]byte(`{}`), []byte(`{`))
	require.ErrorAs(t, err, &syntax)
	require.ErrorContains(t, err, "read paginators: ")
}
