package record_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/conformance"
	"iamserver/conformance/record"
	"iamserver/conformance/replay"
	"iamserver/generated/awscli"
)

// models writes the AWS CLI model of the extensions.
func models(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, awscli.FS))
	_, err := os.Stat(filepath.Join(dir, "iam"))
	require.NoError(t, err)
	return dir
}

// The AWS CLI sends what is recorded, and reads what is answered: both of its
// generations, which CONFORMANCE_CLI names by their programs, aws alone if it is
// not set. It takes minutes, so it is for those who ask: with
// CONFORMANCE_DRIFT=sample the CLI sends one request of each action, with all it
// sends everything. A newer CLI may send something else, which is logged and no
// failure, unless it sends nothing.
func TestDrift(t *testing.T) {
	ask := os.Getenv("CONFORMANCE_DRIFT")
	if ask == "" {
		t.Skip("CONFORMANCE_DRIFT is neither sample nor all")
	}
	programs := strings.Fields(os.Getenv("CONFORMANCE_CLI"))
	if len(programs) == 0 {
		programs = []string{"aws"}
	}
	cases, err := conformance.Written()
	require.NoError(t, err)
	var drives func(*conformance.Step) bool
	if ask != "all" {
		cases, drives = sample(cases)
	}
	generations := map[string]bool{}
	for _, program := range programs {
		t.Run(program, func(t *testing.T) {
			cli := record.CLI{Path: tool(t, program), Models: models(t), Region: "us-east-1"}
			for client := range drift(t, cases, cli, drives) {
				generations[client] = true
			}
		})
	}
	if os.Getenv("IAMSERVER_REQUIRE_TOOLS") != "" {
		require.Equal(t, map[string]bool{"aws-cli/1": true, "aws-cli/2": true}, generations, "both generations are compared")
	}
}

// drift drives cases with a CLI, several at once, and returns what it calls itself.
func drift(t *testing.T, cases []*conformance.Case, cli record.CLI, drives func(*conformance.Step) bool) map[string]bool {
	endpoint := open(t, time.Now)                                                                      //nolint:forbidigo // the AWS CLI signs with the clock of the machine
	config := replay.Config{Endpoint: endpoint, Credentials: root, Now: time.Now, AllowExisting: true} //nolint:forbidigo // as above
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	next := make(chan int, len(cases))
	for i := range cases {
		next <- i
	}
	close(next)
	var mu sync.Mutex
	clients := map[string]bool{}
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			proxy, err := record.NewProxy(endpoint, nil)
			if err != nil {
				t.Error(err)
				return
			}
			front := httptest.NewServer(proxy)
			defer front.Close()
			own := cli
			own.Endpoint = front.URL
			for i := range next {
				session := runner.NewSession(i, cases[i])
				driven, err := record.Commands(t.Context(), cases[i], session, own, proxy, drives)
				if left := session.CleanUp(context.WithoutCancel(t.Context())); err != nil || len(left) > 0 {
					t.Errorf("%s: %v; left behind: %v", cases[i].Name, err, left)
					continue
				}
				for _, f := range driven.Findings {
					if len(f.Answer) > 0 {
						t.Errorf("%s, step %d: %v", f.Case, f.Step, f.Answer)
					}
					t.Logf("%s, step %d, %s: %s\nrecorded %s\nsends    %s", f.Case, f.Step, f.Client, f.Command, f.Recorded, f.Sends)
				}
				mu.Lock()
				if driven.Client != "" {
					clients[driven.Client] = true
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return clients
}

// sample chooses few steps that have every action that any command has, and the
// cases that they are in: it takes the shortest case with an action that is not
// there yet.
func sample(cases []*conformance.Case) (chosen []*conformance.Case, drives func(*conformance.Step) bool) {
	cases = slices.Clone(cases)
	slices.SortStableFunc(cases, func(a, b *conformance.Case) int { return len(a.Steps) - len(b.Steps) })
	have := map[string]bool{}
	steps := map[*conformance.Step]bool{}
	for _, c := range cases {
		if c.Serial || strings.HasPrefix(c.Name, "sigv4/") {
			continue
		}
		before := len(steps)
		for _, s := range c.Steps {
			words := strings.Fields(s.Command.String())
			if len(words) < 3 || s.Response.Status >= 300 {
				continue
			}
			if what := words[1] + " " + words[2]; !have[what] {
				have[what], steps[s] = true, true
			}
		}
		if len(steps) > before {
			chosen = append(chosen, c)
		}
	}
	return chosen, func(s *conformance.Step) bool { return steps[s] }
}
