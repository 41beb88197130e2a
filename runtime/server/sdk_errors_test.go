package server_test

import (
	"encoding/xml"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"iamserver/generated/iamerr"
	"iamserver/runtime/action"
	"iamserver/runtime/apierror"
	"iamserver/runtime/awsxml"
)

// Whatever action answers whatever code: the SDK's error is of its own type for
// that code if AWS's action can answer it, and names the code otherwise.
func TestSDKErrors(t *testing.T) {
	codes := errorCodes(t)
	eachAction(t, func(t *testing.T, service *sdkService, row *action.Row[struct{}]) {
		for _, name := range row.Info.Errors {
			require.True(t, slices.ContainsFunc(codes, func(c apierror.Code) bool { return c.Name == name }), "a code %s", name)
		}
		if row.Info.Extension {
			return
		}
		client := service.connect(t)
		input := client.input(row.Info.Name)
		fill(t, input, memberFiller{text: requestText(row.Info.Name), elements: 2})
		for _, code := range codes {
			message := responseText(t, code.Name, code.Status)
			client.status, client.body = code.Status, encodeError(service, code, message)

			want := sdkError{code.Status, sdkRequestID, &smithy.GenericAPIError{Code: code.Name, Message: message}}
			if slices.Contains(row.Info.Errors, code.Name) && !slices.Contains(extensionCodes[row.Info.Name], code.Name) {
				require.Contains(t, typedErrors, code.Name)
				want.err = typedErrors[code.Name](&message)
				require.Equal(t, code.Fault, smithyFaults[want.err.ErrorFault()])
			}
			_, err := client.try(t, row.Info.Name, input)
			var response *awshttp.ResponseError
			require.ErrorAs(t, err, &response)
			got := sdkError{response.HTTPStatusCode(), response.ServiceRequestID(), nil}
			require.ErrorAs(t, err, &got.err)
			require.Equal(t, want, got)
		}
	})
}

// An sdkError is what the SDK tells of an answer.
type sdkError struct {
	status    int
	requestID string
	err       smithy.APIError
}

// smithyFaults holds what the SDK calls our faults.
var smithyFaults = map[smithy.ErrorFault]apierror.Fault{
	smithy.FaultClient: apierror.Sender,
	smithy.FaultServer: apierror.Receiver,
}

// typedErrors returns the SDK's errors of the codes that it has types for.
var typedErrors = map[string]func(message *string) smithy.APIError{
	"ConcurrentModification": func(m *string) smithy.APIError { return &types.ConcurrentModificationException{Message: m} },
	"DeleteConflict":         func(m *string) smithy.APIError { return &types.DeleteConflictException{Message: m} },
	"EntityAlreadyExists":    func(m *string) smithy.APIError { return &types.EntityAlreadyExistsException{Message: m} },
	"EntityTemporarilyUnmodifiable": func(m *string) smithy.APIError {
		return &types.EntityTemporarilyUnmodifiableException{Message: m}
	},
	"InvalidInput":            func(m *string) smithy.APIError { return &types.InvalidInputException{Message: m} },
	"LimitExceeded":           func(m *string) smithy.APIError { return &types.LimitExceededException{Message: m} },
	"MalformedPolicyDocument": func(m *string) smithy.APIError { return &types.MalformedPolicyDocumentException{Message: m} },
	"NoSuchEntity":            func(m *string) smithy.APIError { return &types.NoSuchEntityException{Message: m} },
	"NotSupportedService":     func(m *string) smithy.APIError { return &types.ServiceNotSupportedException{Message: m} },
	"PolicyEvaluation":        func(m *string) smithy.APIError { return &types.PolicyEvaluationException{Message: m} },
	"PolicyNotAttachable":     func(m *string) smithy.APIError { return &types.PolicyNotAttachableException{Message: m} },
	"ServiceFailure":          func(m *string) smithy.APIError { return &types.ServiceFailureException{Message: m} },
}

// extensionCodes holds the codes that AWS's action of that name cannot answer.
var extensionCodes = map[string][]string{
	"CreateAccessKey": {"EntityAlreadyExists", "InvalidInput"},
	"DeleteAccessKey": {"InvalidInput"},
}

// The SDK drops the fault of an error that it has no type for; other clients
// read it.
func TestErrorEnvelope(t *testing.T) {
	type envelope struct {
		XMLName   xml.Name
		Type      string `xml:"Error>Type"`
		Code      string `xml:"Error>Code"`
		Message   string `xml:"Error>Message"`
		RequestID string `xml:"RequestId"`
	}
	for _, service := range sdkServices {
		for _, code := range errorCodes(t) {
			message := responseText(t, code.Name, code.Status)
			want := envelope{xml.Name{Space: service.table.Service().Namespace, Local: "ErrorResponse"}, "Sender", code.Name, message, sdkRequestID}
			if code.Status >= 500 {
				want.Type = "Receiver"
			}
			var got envelope
			require.NoError(t, xml.Unmarshal(encodeError(service, code, message), &got))
			require.Equal(t, want, got)
		}
	}
}

func encodeError(service *sdkService, code apierror.Code, message string) []byte {
	var w awsxml.Writer
	w.ErrorResponse(service.table.Service().Namespace, code.Fault, code.Name, message, sdkRequestID)
	return w.Bytes()
}

// errorCodes reads the codes from the source of package iamerr, so that none is
// forgotten here.
func errorCodes(t *testing.T) []apierror.Code {
	file, err := parser.ParseFile(token.NewFileSet(), "../../generated/iamerr/errors.go", nil, 0)
	require.NoError(t, err)
	var codes []apierror.Code
	ast.Inspect(file, func(node ast.Node) bool {
		if literal, ok := node.(*ast.CompositeLit); ok {
			codes = append(codes, errorCode(t, literal))
		}
		return true
	})
	for _, known := range []apierror.Code{iamerr.NoSuchEntity, iamerr.AccessDenied, iamerr.ServiceFailure} {
		require.Contains(t, codes, known)
	}
	return codes
}

func errorCode(t *testing.T, literal *ast.CompositeLit) (code apierror.Code) {
	fields := reflect.ValueOf(&code).Elem()
	require.Len(t, literal.Elts, fields.NumField())
	for _, element := range literal.Elts {
		pair := element.(*ast.KeyValueExpr)
		field := fields.FieldByName(pair.Key.(*ast.Ident).Name)
		switch value := pair.Value.(type) {
		case *ast.BasicLit:
			if value.Kind == token.INT {
				number, err := strconv.Atoi(value.Value)
				require.NoError(t, err)
				field.SetInt(int64(number))
				continue
			}
			text, err := strconv.Unquote(value.Value)
			require.NoError(t, err)
			field.SetString(text)
		case *ast.SelectorExpr:
			faults := map[string]apierror.Fault{"Sender": apierror.Sender, "Receiver": apierror.Receiver}
			require.Contains(t, faults, value.Sel.Name)
			field.Set(reflect.ValueOf(faults[value.Sel.Name]))
		default:
			t.Fatalf("a code with a %T", value)
		}
	}
	return code
}
