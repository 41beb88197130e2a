package host_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
)

func TestAuthorizerDeniesWhatPoliciesAllow(t *testing.T) {
	f := newHost(t)
	s := newSet(t, f, configure(t, mfaDelete, host.Authorize))
	denied := host.Verdict{Effect: pluginapi.EffectDeny, Plugin: "mfa-delete", Reason: "deleting needs a second factor", Code: "mfa_required"}
	for _, tt := range []struct {
		name   string
		change func(*pluginapi.AuthorizeRequest)
		want   host.Verdict
	}{
		{"a delete without a second factor is denied", func(*pluginapi.AuthorizeRequest) {}, denied},
		{"one with a second factor is not", func(r *pluginapi.AuthorizeRequest) { r.Mfa = true }, host.Verdict{}},
		{"an action that it did not ask for is not its business", func(r *pluginapi.AuthorizeRequest) { r.Action = "s3:GetObject" }, host.Verdict{}},
		{"actions have no case", func(r *pluginapi.AuthorizeRequest) { r.Action = "S3:DELETEOBJECT" }, denied},
		{"what the policies deny is denied without it", func(r *pluginapi.AuthorizeRequest) { r.EngineDecision = pluginapi.EngineDecisionImplicitDeny }, host.Verdict{}},
		{"root's IAM actions are not its business", func(r *pluginapi.AuthorizeRequest) { r.PrincipalType, r.Action = "Root", "iam:DeleteUser" }, host.Verdict{}},
		{"root's S3 actions are", func(r *pluginapi.AuthorizeRequest) { r.PrincipalType = "Root" }, denied},
		{"bytes that are no text do not upset it", func(r *pluginapi.AuthorizeRequest) { r.UserAgent, r.Resource = "\xff\xfe", "arn:aws:s3:::b/\xff" }, denied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := deleteRequest()
			tt.change(request)
			got, err := s.Authorize(t.Context(), request, nil)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.want.Plugin != "", s.Interested(request.Action, request.Resource, request.PrincipalType, request.EngineDecision) && !request.Mfa)
		})
	}
}

// Whatever bytes a client sends, a strict guest reads them: its failure would
// count against the plugin, and five of them against everybody.
func TestBytesThatAreNoTextDoNotFailThePlugin(t *testing.T) {
	const key = "aws:PrincipalTag/hours"
	s := newSet(t, newHost(t, withCache(t)), configure(t, officeHours, host.Authorize), configure(t, goAuthorize, host.Authorize))
	request := deleteRequest()
	request.Mfa, request.UserAgent, request.Resource = true, "\xff", "arn:aws:s3:::b/\xc3"
	values := []string{"fine", "\xf0\x28", "office\xff"}
	request.Context = []pluginapi.ContextEntry{{Key: key, Values: values}}
	request.MatchedStatementIds = []string{"\x80"}
	for range 10 {
		verdict, err := s.Authorize(t.Context(), request, nil)
		require.NoError(t, err)
		require.Equal(t, host.Verdict{}, verdict)
	}
	require.Equal(t, []string{"fine", "\xf0\x28", "office\xff"}, values, "the request is the caller's")
}

func TestTry(t *testing.T) {
	m, err := newHost(t).Load(t.Context(), configure(t, mfaDelete, host.Authorize))
	require.NoError(t, err)
	trial, err := m.Try(t.Context(), host.Authorize, deleteRequest().Append(nil))
	require.NoError(t, err)
	var answer pluginapi.AuthorizeResponse
	require.NoError(t, answer.Decode(string(trial.Answer)))
	require.Equal(t, "mfa_required", answer.Code)
	require.Greater(t, trial.Fuel, int64(500))
	require.Less(t, trial.Fuel, int64(50_000))

	again, err := m.Try(t.Context(), host.Authorize, deleteRequest().Append(nil))
	require.NoError(t, err)
	require.Equal(t, trial.Fuel, again.Fuel, "fuel counts instructions, not time")

	_, err = m.Try(t.Context(), host.Authorize, []byte("no message"))
	require.EqualError(t, err, "plugin mfa-delete: authorize: trap: wasm error: unreachable")
	_, err = m.Try(t.Context(), host.ValidatePolicy, nil)
	require.EqualError(t, err, "the module does not export iam_v1_validate_policy")
	require.NoError(t, m.Close(t.Context()))
	_, err = m.Try(t.Context(), host.Authorize, nil)
	require.EqualError(t, err, "plugin mfa-delete: authorize: unavailable: the set was closed")
}

func TestPluginRefusesItsConfiguration(t *testing.T) {
	c := configure(t, mfaDelete, host.Authorize)
	c.Config = `{"actions": "all"}`
	_, err := newHost(t).NewSet(t.Context(), []host.Config{c})
	require.EqualError(t, err, `load plugin "mfa-delete": plugin mfa-delete: init: answer: the plugin says: the config must be a JSON list of actions, such as ["s3:Delete*"]`)
}

func TestGeneratorShapesTheKey(t *testing.T) {
	s := newSet(t, newHost(t), configure(t, companyKey, host.GenerateAccessKey))
	request := &pluginapi.GenerateAccessKeyRequest{Account: "000000000000", UserName: "alice", Path: "/"}
	seen := map[string]bool{}
	for range 20 {
		key, err := s.GenerateAccessKey(t.Context(), request, func(id string) (bool, error) { return seen[id], nil })
		require.NoError(t, err)
		require.Regexp(t, `^ACME[0-9A-Z]{17}$`, key.AccessKeyID)
		require.Nil(t, key.Secret)
		require.False(t, seen[key.AccessKeyID])
		seen[key.AccessKeyID] = true
	}
	require.Nil(t, request.Entropy)
}

func TestGeneratorIsAskedAgainForAnIDThatExists(t *testing.T) {
	f := newHost(t)
	s := newSet(t, f, configure(t, companyKey, host.GenerateAccessKey))
	asked := 0
	key, err := s.GenerateAccessKey(t.Context(), &pluginapi.GenerateAccessKeyRequest{}, func(string) (bool, error) { asked++; return asked < 3, nil })
	require.NoError(t, err)
	require.NotEmpty(t, key.AccessKeyID)
	require.Equal(t, 3, asked)

	_, err = s.GenerateAccessKey(t.Context(), &pluginapi.GenerateAccessKeyRequest{}, func(string) (bool, error) { return true, nil })
	require.EqualError(t, err, "plugin company-key: generate_access_key: answer: made an id that exists 3 times")

	broken := errors.New("no disk")
	_, err = s.GenerateAccessKey(t.Context(), &pluginapi.GenerateAccessKeyRequest{}, func(string) (bool, error) { return false, broken })
	require.ErrorIs(t, err, broken)
}

func TestSuppliedKeys(t *testing.T) {
	c := configure(t, companyKey, host.GenerateAccessKey)
	f := newHost(t)
	none := newSet(t, f)
	require.NoError(t, none.CheckSupplied("whatever"))
	require.False(t, none.Generates())
	_, err := none.GenerateAccessKey(t.Context(), &pluginapi.GenerateAccessKeyRequest{}, nil)
	require.ErrorIs(t, err, host.ErrNoGenerator)

	strict := newSet(t, f, c)
	require.True(t, strict.Generates())
	require.ErrorIs(t, strict.CheckSupplied("ACME0123456789ABCDEFG"), host.ErrNotSupplied)

	c.Name, c.AllowSupplied = "lenient", true
	lenient := newSet(t, f, c)
	require.NoError(t, lenient.CheckSupplied("ACME0123456789ABCDEFG"))
	for _, other := range []string{"AKIA0123456789ABCDEFG", "ACME0123456789ABCDEF", "ACME0123456789ABCDEFGH", "ACME0123456789abcdefg", ""} {
		require.ErrorIs(t, lenient.CheckSupplied(other), host.ErrKeyShape, other)
	}
}

// A question that gets no instance in time fails closed.
func TestBusy(t *testing.T) {
	f := newHost(t, func(o *host.Options) { o.Wait = time.Nanosecond })
	c := hostile(t, "loop", host.ValidatePolicy)
	c.Limits.ValidateFuel, c.Limits.ValidateTime, c.Limits.Instances = 1<<50, time.Hour, 1
	s := newSet(t, f, c)
	ctx, stop := context.WithCancel(t.Context())
	answers := make(chan error)
	for range 2 {
		go func() {
			_, err := s.ValidatePolicy(ctx, &pluginapi.ValidatePolicyRequest{}, nil)
			answers <- err
		}()
	}
	require.EqualError(t, <-answers, "plugin loop: validate_policy: busy: no instance became free in time")
	stop()
	require.EqualError(t, <-answers, "plugin loop: validate_policy: cancelled: context canceled")
}
