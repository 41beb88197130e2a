package conformance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/derive"
	"iamserver/conformance/replay"
	"iamserver/runtime/storage/memory"
)

// now is a fixed clock: what was recorded is signed anew, so any will do.
func now() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

// plainSealer seals nothing: what it is for is tested where it is made.
type plainSealer struct{}

func (plainSealer) Seal(secret []byte, _, _ string) ([]byte, error) { return secret, nil }
func (plainSealer) Open(sealed []byte, _, _ string) ([]byte, error) { return sealed, nil }

// open serves an empty account and returns how to reach it.
func open(t testing.TB) replay.Config {
	t.Helper()
	return openStore(t, memory.Open(), nil)
}

// all returns every case.
func all(t testing.TB) []*conformance.Case {
	t.Helper()
	written, err := conformance.Written()
	require.NoError(t, err)
	generated, err := derive.Cases()
	require.NoError(t, err)
	return conformance.Variants(append(written, generated...))
}

// Our own server passes every case to the letter, and nothing is left of them.
func TestCases(t *testing.T) {
	config := open(t)
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	results, err := runner.Run(t.Context(), all(t))
	require.NoError(t, err)
	for _, r := range results {
		t.Run(r.Case, func(t *testing.T) {
			require.Empty(t, r.Left)
			if r.Outcome == replay.Passed {
				return
			}
			t.Logf("%s\n%s", r.Sentence, r.Reason)
			for _, d := range r.Differences {
				t.Log(d)
			}
			t.Logf("sent:\n%s\nanswer:\n%s\nsources: %s", r.Request, r.Answer, r.Sources)
			t.FailNow()
		})
	}
	// A new run refuses an account that is not empty.
	_, err = replay.New(t.Context(), config)
	require.NoError(t, err, "the cases left something behind")
}
