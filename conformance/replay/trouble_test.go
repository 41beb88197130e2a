package replay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/conformance/replay"
)

// transport is a function that is an http.RoundTripper.
type transport func(action string, r *http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return t(form.Get("Action"), r)
}

var errLost = errors.New("the answer is lost")

// What is on its way when a run is interrupted is not called off: the target
// could carry it out after everything was cleaned up.
func TestInterruptedRequestGoesOn(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	config := target(t, nil)
	config.Client = &http.Client{Transport: transport(func(action string, r *http.Request) (*http.Response, error) {
		if action == "PutUserPolicy" {
			interrupt()
		}
		require.NoError(t, r.Context().Err(), action)
		return http.DefaultTransport.RoundTrip(r)
	})}
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	results, err := runner.Run(ctx, parse(t, everything, everything))
	require.ErrorIs(t, err, context.Canceled)
	for _, r := range results {
		require.Equal(t, replay.Skipped, r.Outcome)
		require.Equal(t, "interrupted", r.Reason)
		require.Empty(t, r.Left)
	}
	_, err = replay.New(t.Context(), config)
	require.NoError(t, err, "something is left")
}

// What a request made whose answer is lost is deleted as well.
func TestLostAnswers(t *testing.T) {
	for _, lost := range []string{"CreateUser", "CreateGroup", "CreatePolicy", "PutUserPolicy", "PutGroupPolicy", "CreateAccessKey", "CreateServiceAccount", "UpdateUser"} {
		t.Run(lost, func(t *testing.T) {
			config := target(t, nil)
			config.Client = &http.Client{Transport: transport(func(action string, r *http.Request) (*http.Response, error) {
				answer, err := http.DefaultTransport.RoundTrip(r)
				if err == nil && action == lost {
					return nil, errors.Join(errLost, answer.Body.Close())
				}
				return answer, err
			})}
			runner, err := replay.New(t.Context(), config)
			require.NoError(t, err)
			results, err := runner.Run(t.Context(), parse(t, everything))
			require.NoError(t, err)
			require.Equal(t, replay.Failed, results[0].Outcome)
			require.Contains(t, results[0].Reason, "the answer is lost")
			require.Empty(t, results[0].Left)
			_, err = replay.New(t.Context(), config)
			require.NoError(t, err, "something is left")
		})
	}
}

// A run does not go on with a target that is gone.
func TestTargetThatIsGone(t *testing.T) {
	config := target(t, nil)
	gone := false
	config.Client = &http.Client{Transport: transport(func(action string, r *http.Request) (*http.Response, error) {
		if gone = gone || action == "AttachUserPolicy"; gone {
			return nil, errLost
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
	runner, err := replay.New(t.Context(), config)
	require.NoError(t, err)
	results, err := runner.Run(t.Context(), parse(t, everything, everything))
	require.ErrorIs(t, err, replay.ErrGone)
	require.ErrorIs(t, err, errLost)
	require.Equal(t, replay.Failed, results[0].Outcome)
	require.Contains(t, results[0].Reason, "step 5: ")
	require.Len(t, results[0].Left, 3, "a user, a group and a policy")
	require.Equal(t, replay.Skipped, results[1].Outcome)
	require.Equal(t, "the target does not answer any more", results[1].Reason)
}

// Only who asks for it has a target emptied.
func TestReset(t *testing.T) {
	var seen []string
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.Method+" "+r.URL.Path) }))
	defer web.Close()
	profile := &replay.Profile{Name: "x", Account: "123456789012", WithoutActions: []string{"*"}, Reset: &replay.Reset{Method: http.MethodPost, Path: "/reset"}}
	for _, tt := range []struct {
		name    string
		config  replay.Config
		seen    []string
		refused string
	}{
		{"not asked for", replay.Config{Profile: profile}, nil, ""},
		{"asked for", replay.Config{Profile: profile, Reset: true}, []string{"POST /reset", "POST /reset"}, ""},
		{"while others use it", replay.Config{Profile: profile, Reset: true, AllowExisting: true}, nil, "reset: what others made is either allowed to exist, or deleted"},
		{"nobody knows how", replay.Config{Reset: true}, nil, "reset: no profile says how to empty the target"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seen = nil
			tt.config.Endpoint, tt.config.Now = web.URL, now
			runner, err := replay.New(t.Context(), tt.config)
			if tt.refused != "" {
				require.EqualError(t, err, tt.refused)
				return
			}
			require.NoError(t, err)
			_, err = runner.Run(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, tt.seen, seen)
		})
	}
}

// A target that does not tell whether it has entities is not taken for empty.
func TestTargetThatDoesNotTell(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"the caller may not ask", "<E><Code>AccessDenied</Code></E>", 403, "what the target has: ListUsers answered 403 AccessDenied"},
		{"it fails", "", 500, "what the target has: ListUsers answered 500 "},
		{"it has no such action", "<E><Code>InvalidAction</Code></E>", 400, ""},
		{"it implements no such action", "", 501, ""},
		{"a page is empty, but not the last", "<A><Users/><IsTruncated>true</IsTruncated></A>", 200, "the target has entities already: ListUsers shows an empty page, and that there are more; give a fresh one, or allow existing entities"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				if _, err := io.WriteString(w, tt.body); err != nil {
					t.Error(err)
				}
			}))
			defer web.Close()
			_, err := replay.New(t.Context(), replay.Config{Endpoint: web.URL, Now: now, Profile: &replay.Profile{Account: "123456789012"}})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tt.want)
		})
	}
}

// What a target answers takes no more memory than it has to.
func TestAnswersAreBounded(t *testing.T) {
	for _, tt := range []struct {
		name, body, reason string
		where              string // of the first difference
		differences        int
	}{
		{"an answer without an end", strings.Repeat("x", 3<<20), "step 1: the answer has more than 2097152 bytes", "", 0},
		{"elements without an end", "<A>" + strings.Repeat("<a/>", 100_000) + "</A>", "", "body", 1},
		{"members of every name", "<A>" + members(1000) + "</A>", "", "/A/c", 50},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := false
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if !asked { // whether it still answers is asked after
					asked = true
					_, _ = io.WriteString(w, tt.body) // the client may have hung up
				}
			}))
			defer web.Close()
			runner, err := replay.New(t.Context(), replay.Config{
				Endpoint: web.URL, Now: now, Profile: &replay.Profile{Account: "123456789012", WithoutActions: []string{"List*"}},
			})
			require.NoError(t, err)
			results, err := runner.Run(t.Context(), parse(t, "-- 1.request --\nAction=GetUser\n-- 1.response --\n200\n<A><c/></A>\n"))
			require.NoError(t, err)
			require.Equal(t, replay.Failed, results[0].Outcome)
			require.Equal(t, tt.reason, results[0].Reason)
			require.Len(t, results[0].Differences, tt.differences)
			if tt.differences > 0 {
				require.Equal(t, tt.where, results[0].Differences[0].Where)
				require.Less(t, len(results[0].Differences[0].Got), 1100)
			}
		})
	}
}

// members are elements with n names.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<a" + strings.Repeat("b", i) + "/>")
	}
	return b.String()
}
