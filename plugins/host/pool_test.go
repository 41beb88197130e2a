package host_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
)

// How long an instance lives is the operator's choice: what it learns from one
// request it could use for the next.
func TestLifeOfInstances(t *testing.T) {
	abstain, deny := pluginapi.EffectAbstain, pluginapi.EffectDeny
	for _, tt := range []struct {
		name   string
		change func(*host.Config)
		want   []pluginapi.Effect
	}{
		{"a pooled instance remembers", func(*host.Config) {}, []pluginapi.Effect{abstain, abstain, deny, deny, deny}},
		{"it lives for as many questions as it may", func(c *host.Config) { c.Limits.CallsPerMemory = 3 }, []pluginapi.Effect{abstain, abstain, deny, abstain, abstain}},
		{"a fresh one knows nothing", func(c *host.Config) { c.Isolation = host.Fresh }, []pluginapi.Effect{abstain, abstain, abstain, abstain, abstain}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := hostile(t, "remembers")
			tt.change(&c)
			s := newSet(t, newHost(t), c)
			var got []pluginapi.Effect
			for range tt.want {
				verdict, err := s.Authorize(t.Context(), deleteRequest(), nil)
				require.NoError(t, err)
				got = append(got, verdict.Effect)
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// An instance whose memory fills up makes room for another before it fails.
func TestFullInstanceIsReplaced(t *testing.T) {
	c := hostile(t, "leaks")
	c.Limits.MemoryPages = 8
	f := newHost(t)
	s := newSet(t, f, c)
	for range 100 {
		_, err := s.Authorize(t.Context(), deleteRequest(), nil)
		require.NoError(t, err)
		require.LessOrEqual(t, f.metric(t, "iamserver_plugin_instances"), 1.0)
	}
}

// The operator's filter narrows the plugin's own, and never widens it.
func TestInterested(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		change                 func(*host.Config)
		action, resource, kind string
		engine                 pluginapi.EngineDecision
		want                   bool
	}{
		{"the plugin's own filter", func(*host.Config) {}, "s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionAllowed, true},
		{"an action that it did not choose", func(c *host.Config) { c.Filter.Actions = []string{"*"} }, "s3:GetObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionAllowed, false},
		{"an action that the operator chose, without regard to case", func(c *host.Config) { c.Filter.Actions = []string{"S3:deleteobject"} }, "s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionAllowed, true},
		{"an action that the operator did not choose", func(c *host.Config) { c.Filter.Actions = []string{"iam:*"} }, "s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionAllowed, false},
		{"a resource that the operator chose", func(c *host.Config) { c.Filter.ResourcePrefixes = []string{"arn:aws:s3:::a/", "arn:aws:s3:::b/"} }, "s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionAllowed, true},
		{"one that the operator did not choose", func(c *host.Config) { c.Filter.ResourcePrefixes = []string{"arn:aws:s3:::a/"} }, "s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionAllowed, false},
		{"a principal that the operator did not choose", func(c *host.Config) { c.Filter.PrincipalTypes = []string{"ServiceAccount"} }, "s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionAllowed, false},
		{"root's IAM action", func(*host.Config) {}, "iam:DeleteUser", "arn:aws:iam::000000000000:user/a", "Root", pluginapi.EngineDecisionAllowed, false},
		{"root's IAM action where the operator includes it", func(c *host.Config) { c.IncludeRoot = true }, "iam:DeleteUser", "arn:aws:iam::000000000000:user/a", "Root", pluginapi.EngineDecisionAllowed, true},
		{"what is denied, for one that cannot grant", func(*host.Config) {}, "s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionImplicitDeny, false},
		{"what is denied, for one that may grant", func(c *host.Config) { c.MayGrant = true }, "s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionImplicitDeny, true},
		{"what is denied explicitly", func(c *host.Config) { c.MayGrant = true }, "s3:DeleteObject", "arn:aws:s3:::b/k", "IAMUser", pluginapi.EngineDecisionExplicitDeny, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := configure(t, mfaDelete, host.Authorize)
			tt.change(&c)
			s := newSet(t, newHost(t), c)
			require.Equal(t, tt.want, s.Interested(tt.action, tt.resource, tt.kind, tt.engine))
		})
	}
}
