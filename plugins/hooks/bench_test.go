package hooks_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/plugins/hooks"
	"iamserver/plugins/host"
	"iamserver/runtime/authz"
	"iamserver/runtime/policy"
)

// What a hook adds to a decision of the policies.
func BenchmarkDecide(b *testing.B) {
	vocabulary := policy.NewVocabulary([]string{"s3:GetObject", "s3:DeleteObject"})
	document, err := policy.Parse(everything)
	require.NoError(b, err)
	request := &authz.Request{
		Principal: &authz.Principal{
			Type: authz.User, Account: account, ARN: "arn:aws:iam::123456789012:user/alice", UserID: "AIDAALICE", UserARN: "arn:aws:iam::123456789012:user/alice",
			Policies: policy.Policies{Identity: policy.NewSet(vocabulary.Compile(document, policy.InlinePolicy, policy.Source{ID: "p", Type: policy.SourceUser}))},
		},
		Account: account, Action: vocabulary.Action("s3:GetObject"), Resources: []authz.Resource{{Type: "object", ARN: "arn:aws:s3:::photos/a"}},
		Environment: authz.Environment{UserAgent: "aws-cli/2", Time: time.Unix(1_700_000_000, 0)}, ID: "request",
	}
	h, err := host.New(host.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Wait: time.Minute}) //nolint:forbidigo // guests run on real time
	require.NoError(b, err)
	set := func(configs ...host.Config) authz.Hook {
		s, err := h.NewSet(b.Context(), configs)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, s.Close(context.Background())) })
		return hooks.Of(s)
	}
	guard, none := config(b, mfaDelete, host.Authorize), hostile(b, "abstain", host.Authorize)
	for _, bb := range []struct {
		name string
		hook authz.Hook
	}{
		{"none", nil}, {"no plugin", set()}, {"filtered", set(guard)}, {"abstains", set(none)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			engine := authz.Engine{Hook: bb.hook}
			b.ReportAllocs()
			for b.Loop() {
				if outcome, err := engine.Decide(b.Context(), request); err != nil || outcome.Decision != policy.Allowed {
					b.Fatal(outcome, err)
				}
			}
		})
	}
}
