package server_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
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
// comes out as it went in. What the SDK does not know is in
// TestExtensionsRoundTrip.
func TestSDKRoundTrip(t *testing.T) {
	eachAction(t, func(t *testing.T, service *sdkService, row *action.Row[struct{}]) {
		client, name := service.connect(t), row.Info.Name
		require.Equal(t, !row.Info.Extension, client.knows(name), "the SDK has the actions that are no extensions")
		if row.Info.Extension {
			return
		}
		input := client.input(name)
		fill(t, input, memberFiller{text: requestText(name), elements: 2})

		for _, tt := range []struct {
			name     string
			elements int // of every list
		}{
			{"request with every member", 2},
			{"request with empty lists", 0},
		} {
			t.Run(tt.name, func(t *testing.T) {
				input := client.input(name)
				fill(t, input, memberFiller{text: requestText(name), elements: tt.elements})
				client.answer(row, service.response(name))
				client.call(t, name, input)

				got := service.parse(t, client.form)
				require.Equal(t, memberTree{}.of(input), memberTree{}.of(reflect.ValueOf(got)))
			})
		}
		t.Run("response with every member", func(t *testing.T) {
			response := service.response(name)
			fill(t, response, memberFiller{text: responseText, elements: 2})
			client.answer(row, response)

			want := memberTree{encoded: true}.of(response)
			for _, path := range omittedMembers[name] {
				leaveOut(want, path)
			}
			require.Equal(t, want, memberTree{}.of(client.call(t, name, input)))
		})
		t.Run("response without what can be absent", func(t *testing.T) {
			response := service.response(name)
			client.answer(row, response)
			require.Equal(t, memberTree{}.of(response), memberTree{}.of(client.call(t, name, input)))
		})
	})
}

// An sdkService is the actions of a service, ours and the SDK's.
type sdkService struct {
	table   *action.Table[struct{}]
	handler reflect.Type // its methods take the requests and return the responses
	client  func(aws.Config) any
}

// Requests are parsed and answered here, but never handled.
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
		require.Len(t, rows, service.handler.NumMethod())
		for i := range rows {
			t.Run(service.table.Service().Name+"/"+rows[i].Info.Name, func(t *testing.T) { test(t, service, &rows[i]) })
		}
	}
}

// request returns a new request of an action without any member.
func (s *sdkService) request(name string) reflect.Value {
	method, _ := s.handler.MethodByName(name)
	return reflect.New(method.Type.In(1).Elem())
}

// response returns a new response of an action without any member.
func (s *sdkService) response(name string) reflect.Value {
	method, _ := s.handler.MethodByName(name)
	return reflect.New(method.Type.Out(0).Elem())
}

// parse reads a form and requires that it is a valid request.
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

// encode returns the body of the answer with a response.
func (s *sdkService) encode(row *action.Row[struct{}], response reflect.Value) []byte {
	var w awsxml.Writer
	w.Response(row.Info.Name, s.table.Service().Namespace, sdkRequestID, row.Info.HasResult, response.Interface().(action.Response).EncodeXML)
	return w.Bytes()
}

const sdkRequestID = "0f8b26de-1d2c-4a7e-93a5-6f0e8c6f7a51"

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
		HTTPClient:   wholeAnswers{},
	}))
	return c
}

// wholeAnswers returns answers that have been read to their end. The SDK closes
// the body of a request as soon as the answer begins; if the connection has not
// seen the body's end by then, it is lost, with what is left of the answer.
type wholeAnswers struct{}

func (wholeAnswers) Do(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, err
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
	_, _ = w.Write(c.body) // a client that does not get all of it fails
}

// answer makes a response the answer to every request.
func (c *sdkClient) answer(row *action.Row[struct{}], response reflect.Value) {
	c.status, c.body = http.StatusOK, c.service.encode(row, response)
}

// knows reports whether the SDK has an action.
func (c *sdkClient) knows(name string) bool { return c.client.MethodByName(name).IsValid() }

// input returns a new input of an action without any member.
func (c *sdkClient) input(name string) reflect.Value {
	return reflect.New(c.client.MethodByName(name).Type().In(1).Elem())
}

// call sends an input and requires that the SDK understands the answer.
func (c *sdkClient) call(t *testing.T, name string, input reflect.Value) (output reflect.Value) {
	output, err := c.try(t, name, input)
	require.NoError(t, err)
	return output
}

func (c *sdkClient) try(t *testing.T, name string, input reflect.Value) (output reflect.Value, err error) {
	results := c.client.MethodByName(name).Call([]reflect.Value{reflect.ValueOf(t.Context()), input})
	err, _ = results[1].Interface().(error)
	return results[0], err
}
