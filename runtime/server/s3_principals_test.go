package server

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRenamePrincipals(t *testing.T) {
	names := map[string]string{"old": "new \"n\"", "same": "same"}
	for _, tt := range []struct{ name, text, want string }{
		{"in a map, however it is spaced", `{ "Statement" : [ { "Principal" : { "AWS" :  "old" } } ] }`, `{ "Statement" : [ { "Principal" : { "AWS" :  "new \"n\"" } } ] }`},
		{"in lists, each time", `{"Statement":{"NotPrincipal":{"AWS":["old","same", "old","other"]}}}`, `{"Statement":{"NotPrincipal":{"AWS":["new \"n\"","same", "new \"n\"","other"]}}}`},
		{"however it is escaped", `{"Statement":{"Principal":{"AWS":"\u006fld"}}}`, `{"Statement":{"Principal":{"AWS":"new \"n\""}}}`},
		{
			"and nowhere else",
			`{"Id":"old","Statement":{"Sid":"old","Condition":{"StringEquals":{"Principal":"old"}},"Resource":["old"],"Principal":"*"}}`,
			`{"Id":"old","Statement":{"Sid":"old","Condition":{"StringEquals":{"Principal":"old"}},"Resource":["old"],"Principal":"*"}}`,
		},
	} {
		got, err := renamePrincipals(tt.text, names)
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.want, got, tt.name)
	}
	_, err := renamePrincipals(`{`, names)
	require.Error(t, err)
}
