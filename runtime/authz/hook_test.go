package authz_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/runtime/authz"
	"iamserver/runtime/policy"
)

// A hook says one word about everything, and keeps what it was asked.
type hook struct {
	word  authz.Word
	err   error
	deaf  bool // not interested
	wants string

	asked  []pluginapi.AuthorizeRequest
	values []string
	found  bool
	failed error
}

func (h *hook) Interested(string, string, string, pluginapi.EngineDecision) bool { return !h.deaf }

func (h *hook) Authorize(_ context.Context, req *pluginapi.AuthorizeRequest, values authz.KeyValues) (authz.Word, error) {
	h.asked = append(h.asked, *req)
	if h.wants != "" {
		h.values, h.found, h.failed = values(h.wants)
	}
	return h.word, h.err
}

var vocabulary = policy.NewVocabulary([]string{"s3:GetObject", "iam:CreateAccessKey"})

const (
	bucket  = "arn:aws:s3:::photos/"
	allowed = `{"Version":"2012-10-17","Statement":{"Sid":"Reading","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`
	denied  = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
)

// question is whether alice may get objects, by a policy.
func question(t *testing.T, document string, keys ...string) *authz.Request {
	t.Helper()
	req := &authz.Request{
		Principal: &authz.Principal{
			Type: authz.User, Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/alice", ID: "AIDAALICE", UserID: "AIDAALICE", UserName: "alice",
			UserARN: "arn:aws:iam::123456789012:user/alice", Tags: []authz.Tag{{Key: "hours", Value: "office"}},
		},
		Account: "123456789012", Action: vocabulary.Action("s3:GetObject"), ID: "request-1",
		Environment: authz.Environment{SourceIP: netip.MustParseAddr("192.0.2.1"), SecureTransport: true, UserAgent: "agent", Referer: "secret-page", Time: time.UnixMilli(1_700_000_000_123)},
	}
	if document != "" {
		parsed, err := policy.Parse(document)
		require.NoError(t, err)
		req.Principal.Policies.Identity = policy.NewSet(vocabulary.Compile(parsed, policy.InlinePolicy, policy.Source{ID: "p", Type: policy.SourceUser}))
	}
	for _, key := range keys {
		req.Resources = append(req.Resources, authz.Resource{Type: "object", ARN: bucket + key})
	}
	return req
}

var (
	denies = authz.Word{Effect: authz.Denies, Plugin: "hours", Reason: "it is late", Code: "late"}
	allows = authz.Word{Effect: authz.Allows, Plugin: "grants"}
)

func TestHookRestricts(t *testing.T) {
	failure := errors.New("the plugin trapped")
	const byHook = "with an explicit deny in an authorization plugin"
	nobody := authz.Outcome{
		Decision: policy.ImplicitDeny, Resource: bucket + "a", Reason: "because no identity-based policy allows the s3:GetObject action",
		Reasons: policy.Reasons{Lacking: []policy.Part{policy.Identity}},
	}
	for _, tt := range []struct {
		name, document string
		hook           hook
		want           authz.Outcome
		asked          int
	}{
		{"one that abstains leaves an allow", allowed, hook{}, authz.Outcome{Decision: policy.Allowed}, 1},
		{"one that abstains leaves a deny", "", hook{}, nobody, 1},
		{"one that is not interested is not asked", allowed, hook{deaf: true, word: denies}, authz.Outcome{Decision: policy.Allowed}, 0},
		{"one that denies wins over an allow", allowed, hook{word: denies}, authz.Outcome{Decision: policy.ExplicitDeny, Resource: bucket + "a", Reason: byHook, Word: denies}, 1},
		{
			"one that failed and denies says so", allowed,
			hook{word: authz.Word{Effect: authz.Denies, Plugin: "hours", Code: "plugin_failure"}, err: failure},
			authz.Outcome{Decision: policy.ExplicitDeny, Resource: bucket + "a", Reason: byHook, Word: authz.Word{Effect: authz.Denies, Plugin: "hours", Code: "plugin_failure"}, HookFailed: failure},
			1,
		},
		{"one that failed and may is passed over", allowed, hook{err: failure}, authz.Outcome{Decision: policy.Allowed, HookFailed: failure}, 1},
		{"one that allows grants what nothing denies", "", hook{word: allows}, authz.Outcome{Decision: policy.Allowed, Word: allows}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := authz.Engine{Hook: &tt.hook}.Decide(t.Context(), question(t, tt.document, "a"))
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Len(t, tt.hook.asked, tt.asked)
		})
	}
}

// An explicit Deny is not even put to the hook, and neither is what a service
// account would do to its own rights.
func TestExplicitDenyWinsOverTheHook(t *testing.T) {
	h := &hook{word: allows}
	got, err := authz.Engine{Hook: h}.Decide(t.Context(), question(t, denied, "a"))
	require.NoError(t, err)
	require.Equal(t, policy.ExplicitDeny, got.Decision)
	require.Empty(t, h.asked)

	widening := question(t, allowed, "a")
	widening.Principal.Type, widening.Resources[0].UserID = authz.ServiceAccount, widening.Principal.UserID
	got, err = authz.Engine{Hook: h}.Decide(t.Context(), widening)
	require.NoError(t, err)
	require.Equal(t, policy.ExplicitDeny, got.Decision)
	require.Empty(t, h.asked)
}

// Each resource is asked about, and what self-service opens as well.
func TestHookIsAskedAboutEachResource(t *testing.T) {
	h := &hook{}
	_, err := authz.Engine{Hook: h}.Decide(t.Context(), question(t, allowed, "a", "b"))
	require.NoError(t, err)
	require.Len(t, h.asked, 2)
	require.Equal(t, bucket+"b", h.asked[1].Resource)

	own := question(t, "", "a")
	own.Action, own.SelfService, own.Resources[0].UserID = vocabulary.Action("iam:CreateAccessKey"), true, own.Principal.UserID
	h = &hook{word: denies}
	got, err := authz.Engine{SelfService: true, Hook: h}.Decide(t.Context(), own)
	require.NoError(t, err)
	require.Equal(t, policy.ExplicitDeny, got.Decision)
	require.Equal(t, pluginapi.EngineDecisionAllowed, h.asked[0].EngineDecision)
}

func TestHookIsToldWhatItMayKnow(t *testing.T) {
	h := &hook{wants: "aws:PrincipalTag/hours"}
	_, err := authz.Engine{Hook: h}.Decide(t.Context(), question(t, allowed, "a"))
	require.NoError(t, err)
	require.Equal(t, []pluginapi.AuthorizeRequest{{
		Action: "s3:GetObject", Resource: bucket + "a", PrincipalArn: "arn:aws:iam::123456789012:user/alice", PrincipalType: "IAMUser", Account: "123456789012",
		SourceIp: "192.0.2.1", UserAgent: "agent", TimeMs: 1_700_000_000_123, Secure: true, RequestId: "request-1",
		EngineDecision: pluginapi.EngineDecisionAllowed, MatchedStatementIds: []string{"Reading"},
	}}, h.asked)
	require.Equal(t, []string{"office"}, h.values)
	require.True(t, h.found)

	for _, tt := range []struct {
		name, key string
		keys      policy.Values
		values    []string
		found     bool
		failed    string
		mfa       bool
	}{
		{"a key that the request has not", "aws:PrincipalTag/team", nil, nil, false, "", false},
		{"a key of several values", "aws:TagKeys", policy.Values{"aws:TagKeys": policy.List([]string{"a", "b"})}, []string{"a", "b"}, true, "", false},
		{"a key that cannot be obtained", "s3:ExistingObjectTag/a", policy.Values{"s3:ExistingObjectTag/a": policy.Failed()}, nil, false, "it could not be obtained", false},
		{"a time", "aws:EpochTime", nil, []string{"1700000000"}, true, "", false},
		{"a second factor", "aws:MultiFactorAuthPresent", policy.Values{"aws:MultiFactorAuthPresent": policy.Boolean(true)}, []string{"true"}, true, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &hook{wants: tt.key}
			req := question(t, allowed, "a")
			if tt.keys != nil {
				req.Keys = tt.keys
			}
			_, err := authz.Engine{Hook: h}.Decide(t.Context(), req)
			require.NoError(t, err)
			require.Equal(t, tt.values, h.values)
			require.Equal(t, tt.found, h.found)
			require.Equal(t, tt.mfa, h.asked[0].Mfa)
			if tt.failed == "" {
				require.NoError(t, h.failed)
			} else {
				require.EqualError(t, h.failed, tt.failed)
			}
		})
	}
}
