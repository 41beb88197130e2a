package conformance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
)

// What one client sends otherwise stands beside what the first one sends, and
// what they all send stands once.
func TestRecord(t *testing.T) {
	request := func(body string) *conformance.Request {
		return &conformance.Request{Method: "POST", Target: conformance.Literal("/"), Body: conformance.Literal(body)}
	}
	type other = conformance.ClientRequest
	for _, tt := range []struct {
		name   string
		before conformance.Step
		have   []string
		client string
		sends  string
		want   conformance.Step
		known  []string
	}{
		{"the first client", conformance.Step{}, nil, "a/1", "x", conformance.Step{Request: request("x")}, []string{"a/1"}},
		{"the first client sends something new", conformance.Step{Request: request("x")}, []string{"a/1"}, "a/1", "y", conformance.Step{Request: request("y")}, []string{"a/1"}},
		{"another client sends the same", conformance.Step{Request: request("x")}, []string{"a/1"}, "a/2", "x", conformance.Step{Request: request("x")}, []string{"a/1", "a/2"}},
		{
			"another client sends something else",
			conformance.Step{Request: request("x")},
			[]string{"a/1"},
			"a/2", "y",
			conformance.Step{Request: request("x"), Others: []other{{"a/2", request("y")}}},
			[]string{"a/1", "a/2"},
		},
		{
			"the first client sends something new, and another what it sent before",
			conformance.Step{Request: request("x")},
			[]string{"a/1", "a/2"},
			"a/1", "y",
			conformance.Step{Request: request("y"), Others: []other{{"a/2", request("x")}}},
			[]string{"a/1", "a/2"},
		},
		{
			"another client sends the same again",
			conformance.Step{Request: request("x"), Others: []other{{"a/2", request("y")}}},
			[]string{"a/1", "a/2"},
			"a/2", "x",
			conformance.Step{Request: request("x")},
			[]string{"a/1", "a/2"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, step := conformance.Case{Recorded: tt.have}, tt.before
			c.Record(&step, tt.client, request(tt.sends))
			require.Equal(t, tt.want, step)
			require.Equal(t, tt.known, c.Recorded)
		})
	}
}

// A case is replayed as each client that has requests of its own.
func TestVariants(t *testing.T) {
	c, err := conformance.Parse("a/b.txtar", []byte(`A user is created.

level: aws
actions: CreateUser
recorded: aws-cli/1, aws-cli/2, boto3/1
source: here
-- 1.request --
Action=One
-- 1.request boto3/1 --
Action=Other
-- 1.response --
200
-- 2.request --
Action=Two
-- 2.response --
200
`))
	require.NoError(t, err)
	type sent struct{ name, first, second string }
	var got []sent
	for _, v := range conformance.Variants([]*conformance.Case{c}) {
		got = append(got, sent{v.Name, v.Steps[0].Request.Action(), v.Steps[1].Request.Action()})
	}
	require.Equal(t, []sent{{"a/b", "One", "Two"}, {"a/b as boto3/1", "Other", "Two"}}, got)
}
