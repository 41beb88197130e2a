package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/policy"
)

const syntaxErrors = "Syntax errors in policy."

// document is a document of the current version with the given statements.
func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// The following are statements with nothing wrong but what is given as JSON.

func withAction(value string) string {
	return `{"Effect":"Allow","Action":` + value + `,"Resource":"*"}`
}

func withNotAction(value string) string {
	return `{"Effect":"Allow","NotAction":` + value + `,"Resource":"*"}`
}

func withResource(value string) string {
	return `{"Effect":"Allow","Action":"s3:GetObject","Resource":` + value + `}`
}

func withNotResource(value string) string {
	return `{"Effect":"Deny","Action":"s3:GetObject","NotResource":` + value + `}`
}

func withCondition(value string) string {
	return `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":` + value + `}`
}

func withSid(value string) string {
	return `{"Sid":` + value + `,"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`
}

func withPrincipal(value string) string {
	return `{"Effect":"Allow","Principal":` + value + `,"Action":"s3:GetObject","Resource":"*"}`
}

// check parses and validates a document and returns the sentence, or "".
func check(t *testing.T, text string, kind policy.Kind) string {
	t.Helper()
	d, err := policy.Parse(text)
	if err == nil {
		err = d.Validate(kind)
	} else {
		require.Nil(t, d)
	}
	if err == nil {
		return ""
	}
	var refused *policy.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, refused.Message, err.Error())
	return refused.Message
}
