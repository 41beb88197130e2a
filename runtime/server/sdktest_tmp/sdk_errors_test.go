package server_test

import (
	"encoding/xml"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
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

// For every action and every code: the SDK makes the error that it has a type
// for where the specification says that the action may answer it, and an error
// with the code otherwise.
func TestSDKErrors(t *testing.T) {
	codes := errorCodes(t)
	eachSDKAction(t, func(t *testing.T, service *sdkService, row *action.Row[struct{}]) {
		client := service.connect(t)
		input := client.input(row.Info.Name)
		filler := sdkFiller{t: t, text: requestText(row.Info.Name)}
		filler.fill(row.Info.Name, input.Elem())
		for _, code := range codes {
			message := "Of " + code.Name + ": <b>é &amp; 東京</b> + %20 \"'\t\U0001F511"
			var w awsxml.Writer
			w.ErrorResponse(service.table.Service().Namespace, code.Fault, code.Name, message, sdkRequestID)
			client.status, client.body = code.Status, w.Bytes()
			_, err := client.try(t, row.Info.Name, input)

			type answer struct {
				status    int
				requestID string
				err       smithy.APIError
			}
			want := answer{code.Status, sdkRequestID, &smithy.GenericAPIError{Code: code.Name, Message: message}}
			if slices.Contains(row.Info.Errors, code.Name) && !slices.Contains(untyped[row.Info.Name], code.Name) {
				typed := typedErrors[code.Name]
				require.NotNil(t, typed, "the type of %s", code.Name)
				want.err = typed(&message)
				fault := map[apierror.Fault]smithy.ErrorFault{apierror.Sender: smithy.FaultClient, apierror.Receiver: smithy.FaultServer}
				require.Equal(t, fault[code.Fault], want.err.ErrorFault())
			}
			var response *awshttp.ResponseError
			require.ErrorAs(t, err, &response)
			got := answer{response.HTTPStatusCode(), response.ServiceRequestID(), nil}
			require.ErrorAs(t, err, &got.err)
			require.Equal(t, want, got)
		}
	})
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
	"PolicyNotAttachable":     func(m *string) smithy.APIError { return &types.PolicyNotAttachableException{Message: m} },
	"ServiceFailure":          func(m *string) smithy.APIError { return &types.ServiceFailureException{Message: m} },
}

// untyped holds the codes that only our extension of an action answers.
var untyped = map[string][]string{
	"CreateAccessKey": {"EntityAlreadyExists", "InvalidInput"},
	"DeleteAccessKey": {"InvalidInput"},
}

// The SDK drops the fault of an error that it has no type for.
func TestErrorEnvelope(t *testing.T) {
	for _, service := range sdkServices {
		namespace := service.table.Service().Namespace
		for _, code := range errorCodes(t) {
			var w awsxml.Writer
			w.ErrorResponse(namespace, code.Fault, code.Name, "A <sentence>.", sdkRequestID)
			type answer struct {
				XMLName   xml.Name
				Type      string `xml:"Error>Type"`
				Code      string `xml:"Error>Code"`
				Message   string `xml:"Error>Message"`
				RequestID string `xml:"RequestId"`
			}
			want := answer{xml.Name{Space: namespace, Local: "ErrorResponse"}, "Sender", code.Name, "A <sentence>.", sdkRequestID}
			if code.Status >= 500 {
				want.Type = "Receiver"
			}
			var got answer
			require.NoError(t, xml.Unmarshal(w.Bytes(), &got))
			require.Equal(t, want, got)
		}
	}
}

// errorCodes reads the codes from the source of package iamerr, so that none is
// forgotten here.
func errorCodes(t *testing.T) []apierror.Code {
	file, err := parser.ParseFile(token.NewFileSet(), "../../../generated/iamerr/errors.go", nil, 0)
	require.NoError(t, err)
	var codes []apierror.Code
	ast.Inspect(file, func(node ast.Node) bool {
		literal, ok := node.(*ast.CompositeLit)
		if !ok {
			return true
		}
		fields := make(map[string]string)
		for _, element := range literal.Elts {
			pair := element.(*ast.KeyValueExpr)
			fields[pair.Key.(*ast.Ident).Name] = text(t, pair.Value)
		}
		status, err := strconv.Atoi(fields["Status"])
		require.NoError(t, err)
		faults := map[string]apierror.Fault{"Sender": apierror.Sender, "Receiver": apierror.Receiver}
		require.Contains(t, faults, fields["Fault"])
		codes = append(codes, apierror.Code{Name: fields["Name"], Status: status, Fault: faults[fields["Fault"]]})
		return true
	})
	for _, known := range []apierror.Code{iamerr.NoSuchEntity, iamerr.ServiceFailure} {
		require.Contains(t, codes, known)
	}
	return codes
}

// text returns the value of a literal, or the name that a selector selects.
func text(t *testing.T, expression ast.Expr) string {
	switch expression := expression.(type) {
	case *ast.SelectorExpr:
		return expression.Sel.Name
	case *ast.BasicLit:
		return strings.Trim(expression.Value, `"`)
	default:
		t.Fatalf("the value of a code is a %T", expression)
		return ""
	}
}
