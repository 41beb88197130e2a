package derive_test

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/derive"
)

func all(t *testing.T) []*conformance.Case {
	t.Helper()
	written, err := conformance.Written()
	require.NoError(t, err)
	generated, err := derive.Cases()
	require.NoError(t, err)
	require.NotEmpty(t, generated)
	return append(written, generated...)
}

// Nothing of the specification is left out without a reason.
func TestCoverage(t *testing.T) {
	excuses, err := derive.Excuses(conformance.Unprovoked())
	require.NoError(t, err)
	rows, err := derive.Coverage(all(t), excuses)
	require.NoError(t, err)
	for i := range rows {
		require.Empty(t, rows[i].Missing(), rows[i].Action)
	}
	table := head + derive.Table(rows, all(t))
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(table), 0o600))
	}
	present, err := os.ReadFile(document)
	require.NoError(t, err)
	require.Equal(t, table, string(present), "go test ./conformance/derive -update writes it anew")
}

const (
	document = "../../docs/conformance-coverage.md"
	head     = "# What the conformance cases cover\n\nWritten by `go test ./conformance/derive -update`; " +
		"`iamconform coverage` prints the table too. Fractions are what cases show of what the specification declares.\n\n"
)

var update = flag.Bool("update", false, "rewrite "+document)

// A case that is taken away is missed.
func TestCoverageMisses(t *testing.T) {
	rows, err := derive.Coverage(nil, nil)
	require.NoError(t, err)
	for i := range rows {
		require.Contains(t, rows[i].Missing(), "success", rows[i].Action)
	}
}

// An excuse for what is covered is found.
func TestCoverageRefusesExcuses(t *testing.T) {
	_, err := derive.Coverage(all(t), []derive.Excuse{{Code: "EntityAlreadyExists", Actions: []string{"CreateUser"}, Reason: "none"}})
	require.EqualError(t, err, "unprovoked errors: EntityAlreadyExists of CreateUser is provoked, or not declared")
}

// Generated cases are in the format: they can be written and read again.
func TestGeneratedFormat(t *testing.T) {
	names := map[string]bool{}
	cases, err := derive.Cases()
	require.NoError(t, err)
	for _, c := range cases {
		require.False(t, names[c.Name], "%s is there twice", c.Name)
		names[c.Name] = true
		again, err := conformance.Parse(c.Name+".txtar", conformance.Format(c))
		require.NoError(t, err)
		again.Generated = true
		for _, s := range again.Steps {
			s.Line = 0
		}
		require.Equal(t, c, again)
	}
}
