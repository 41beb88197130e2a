package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/generated/stsapi"
	"iamserver/runtime/action"
	"iamserver/runtime/awsquery"
	"iamserver/runtime/awsxml"
	"iamserver/runtime/validate"
)

// Every member of every request and response goes through AWS's SDK for Go and
// must come out as it went in. What the SDK does not know is in
// sdk_extensions_test.go.
func TestSDKRoundTrip(t *testing.T) {
	eachSDKAction(t, func(t *testing.T, service *sdkService, row *action.Row[struct{}]) {
		t.Run("request", func(t *testing.T) {
			client := service.connect(t)
			input := client.input(row.Info.Name)
			filler := sdkFiller{t: t, text: requestText(row.Info.Name)}
			filler.fill(row.Info.Name, input.Elem())
			client.answer(row, service.response(row.Info.Name))
			client.call(t, row.Info.Name, input)

			got := service.parse(t, client.form)
			require.Equal(t, sdkMembers{}.tree(input), sdkMembers{}.tree(reflect.ValueOf(got)))
		})
		for _, tt := range []struct {
			name string
			fill bool
		}{
			{"response with every member", true},
			{"response without what can be absent", false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				client := service.connect(t)
				input := client.input(row.Info.Name)
				filler := sdkFiller{t: t, text: requestText(row.Info.Name)}
				filler.fill(row.Info.Name, input.Elem())
				response := service.response(row.Info.Name)
				if tt.fill {
					filler := sdkFiller{t: t, text: responseText}
					filler.fill(row.Info.Name, response.Elem())
				}
				client.answer(row, response)
				output := client.call(t, row.Info.Name, input)

				want := sdkMembers{encoded: true}.tree(response)
				for _, path := range omitted[row.Info.Name] {
					leaveOut(want, path)
				}
				require.Equal(t, want, sdkMembers{}.tree(output))
			})
		}
	})
}

// omitted holds the members that the answers of an action leave out of a shape
// that it shares with other actions.
var omitted = map[string][]string{
	"CreateUser":          {"User.Status"},
	"ListUsers":           {"Users.PermissionsBoundary", "Users.Tags"},
	"CreateGroup":         {"Group.Disabled"},
	"GetGroup":            {"Users.PermissionsBoundary", "Users.Tags", "Users.Status"},
	"ListGroupsForUser":   {"Groups.Disabled"},
	"CreatePolicy":        {"Policy.Description"},
	"ListPolicies":        {"Policies.Description", "Policies.Tags"},
	"CreatePolicyVersion": {"PolicyVersion.Document"},
	"ListPolicyVersions":  {"Versions.Document"},
	"ListServiceAccounts": {"ServiceAccounts.Policy"},
}

// leaveOut makes the members at a path absent, in every element of the lists on
// the way, and reports whether any was present.
func leaveOut(tree any, path string) (found bool) {
	switch tree := tree.(type) {
	case []any:
		for _, item := range tree {
			found = leaveOut(item, path) || found
		}
	case map[string]any:
		member, rest, nested := strings.Cut(path, ".")
		if nested {
			return leaveOut(tree[member], rest)
		}
		if tree[member] != nil {
			tree[member] = nil
			found = true
		}
	}
	return found
}

// An sdkService is the actions of a service, ours and the SDK's.
type sdkService struct {
	table   *action.Table[struct{}]
	handler reflect.Type // its methods return the responses
	client  func(aws.Config) any
}

// The actions are parsed and answered here, never handled.
type (
	unhandledIAM struct{ iamapi.Handler[struct{}] }
	unhandledSTS struct{ stsapi.Handler[struct{}] }
)

var sdkServices = []*sdkService{
	{
		table:   iamapi.Table[struct{}](unhandledIAM{}),
		handler: reflect.TypeFor[iamapi.Handler[struct{}]](),
		client:  func(config aws.Config) any { return iam.NewFromConfig(config) },
	},
	{
		table:   stsapi.Table[struct{}](unhandledSTS{}),
		handler: reflect.TypeFor[stsapi.Handler[struct{}]](),
		client:  func(config aws.Config) any { return sts.NewFromConfig(config) },
	},
}

// eachAction runs a subtest for every action of the specification.
func eachAction(t *testing.T, test func(*testing.T, *sdkService, *action.Row[struct{}])) {
	for _, service := range sdkServices {
		rows := service.table.Rows()
		require.NotEmpty(t, rows)
		for i := range rows {
			t.Run(service.table.Service().Name+"/"+rows[i].Info.Name, func(t *testing.T) { test(t, service, &rows[i]) })
		}
	}
}

// eachSDKAction runs a subtest for every action that AWS has too.
func eachSDKAction(t *testing.T, test func(*testing.T, *sdkService, *action.Row[struct{}])) {
	eachAction(t, func(t *testing.T, service *sdkService, row *action.Row[struct{}]) {
		if !row.Info.Extension {
			test(t, service, row)
		}
	})
}

// response returns a new response of an action without any member.
func (s *sdkService) response(name string) reflect.Value {
	method, _ := s.handler.MethodByName(name)
	return reflect.New(method.Type.Out(0).Elem())
}

// parse reads a form as the server does, and requires that it is valid.
func (s *sdkService) parse(t *testing.T, body string) action.Request {
	form, err := awsquery.Parse(body, awsquery.Limits{})
	require.NoError(t, err)
	version, _ := form.Get("Version")
	require.Equal(t, s.table.Service().Version, version)
	name, _ := form.Get("Action")
	row, ok := s.table.Lookup(name)
	require.True(t, ok, "an action %q", name)
	var violations validate.Violations
	request := row.Parse(awsquery.NewDecoder(form, &violations))
	request.Validate(&violations)
	require.NoError(t, violations.Err())
	return request
}

// An sdkClient is the SDK's client of a service and the server that it talks to,
// which gives every request the same answer.
type sdkClient struct {
	service *sdkService
	client  reflect.Value
	status  int
	body    []byte
	form    string // of the latest request
}

func (s *sdkService) connect(t *testing.T) *sdkClient {
	c := &sdkClient{service: s}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.client = reflect.ValueOf(s.client(aws.Config{
		BaseEndpoint: aws.String(server.URL),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}))
	return c
}

// ServeHTTP keeps the form of the request and gives the answer.
func (c *sdkClient) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	c.form = string(body)
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(c.status)
	_, _ = w.Write(c.body) // a client that did not get all of it fails
}

const sdkRequestID = "0f8b26de-1d2c-4a7e-93a5-6f0e8c6f7a51"

// answer makes a response the answer to every request.
func (c *sdkClient) answer(row *action.Row[struct{}], response reflect.Value) {
	c.status, c.body = http.StatusOK, encodeResponse(c.service, row, response)
}

func encodeResponse(service *sdkService, row *action.Row[struct{}], response reflect.Value) []byte {
	var w awsxml.Writer
	w.Response(row.Info.Name, service.table.Service().Namespace, sdkRequestID, row.Info.HasResult, response.Interface().(action.Response).EncodeXML)
	return w.Bytes()
}

// input returns a new input of an action without any member.
func (c *sdkClient) input(name string) reflect.Value {
	return reflect.New(c.client.MethodByName(name).Type().In(1).Elem())
}

// call sends an input and requires that it is answered.
func (c *sdkClient) call(t *testing.T, name string, input reflect.Value) (output reflect.Value) {
	output, err := c.try(t, name, input)
	require.NoError(t, err)
	return output
}

// try sends an input.
func (c *sdkClient) try(t *testing.T, name string, input reflect.Value) (output reflect.Value, err error) {
	results := c.client.MethodByName(name).Call([]reflect.Value{reflect.ValueOf(t.Context()), input})
	err, _ = results[1].Interface().(error)
	return results[0], err
}
