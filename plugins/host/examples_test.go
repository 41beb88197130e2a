package host_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/host"
)

const (
	officeHours = "../examples/office-hours/plugin.wasm"
	policyRules = "../examples/policy-rules/plugin.wasm"
)

// The check digit of company-key finds each mistyped character.
func TestCompanyKeyHasACheckDigit(t *testing.T) {
	c := configure(t, companyKey, host.GenerateAccessKey)
	c.Config = `"WIDGET"`
	key, err := newSet(t, newHost(t), c).GenerateAccessKey(t.Context(), &pluginapi.GenerateAccessKeyRequest{}, func(string) (bool, error) { return false, nil })
	require.NoError(t, err)
	require.Regexp(t, `^WIDGET[0-9A-Z]{17}$`, key.AccessKeyID)
	require.Zero(t, luhn36(key.AccessKeyID))
	for i := range key.AccessKeyID {
		mistyped := []byte(key.AccessKeyID)
		if mistyped[i]++; mistyped[i] == '9'+1 || mistyped[i] == 'Z'+1 {
			mistyped[i] = 'K'
		}
		require.NotZero(t, luhn36(string(mistyped)), string(mistyped))
	}
}

// luhn36 is 0 for an id whose check digit is right.
func luhn36(id string) int {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	sum := 0
	for i := range len(id) {
		addend := strings.IndexByte(alphabet, id[len(id)-1-i]) * (1 + i%2)
		sum += addend/36 + addend%36
	}
	return sum % 36
}

func TestOfficeHours(t *testing.T) {
	c := configure(t, officeHours, host.Authorize)
	c.Config = "60"
	s := newSet(t, newHost(t), c)
	require.Equal(t, []string{"aws:PrincipalTag/hours"}, s.ContextKeys())
	denied := host.Verdict{Effect: pluginapi.EffectDeny, Plugin: "office-hours", Reason: "outside office hours", Code: "office_hours"}
	for _, tt := range []struct {
		name, at, tag string
		want          host.Verdict
	}{
		{"Monday at 9 in the office", "2026-11-23T08:00:00Z", "office", host.Verdict{}},
		{"Monday at a minute to 9", "2026-11-23T07:59:59Z", "office", denied},
		{"Friday at a minute to 17", "2026-11-27T15:59:59Z", "office", host.Verdict{}},
		{"Friday at 17", "2026-11-27T16:00:00Z", "office", denied},
		{"Saturday at noon", "2026-11-28T11:00:00Z", "office", denied},
		{"Sunday for somebody without the tag", "2026-11-29T11:00:00Z", "any", host.Verdict{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, tt.at)
			require.NoError(t, err)
			request := deleteRequest()
			request.TimeMs = at.UnixMilli()
			request.Context = append(request.Context, pluginapi.ContextEntry{Key: "aws:PrincipalTag/hours", Values: []string{tt.tag}})
			got, err := s.Authorize(t.Context(), request, nil)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
	c.Config = `"noon"`
	_, err := newHost(t).NewSet(t.Context(), []host.Config{c})
	require.EqualError(t, err, `load plugin "office-hours": plugin office-hours: init: answer: the plugin says: the config must be an offset from UTC in minutes`)
}

func TestPolicyRules(t *testing.T) {
	f := newHost(t, withCache(t))
	s := newSet(t, f, configure(t, policyRules, host.ValidatePolicy))
	require.True(t, s.Validates())
	for _, tt := range []struct {
		name, document string
		want           []pluginapi.Finding
	}{
		{"a modest document", `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`, nil},
		{"a Deny of everything", `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`, nil},
		{"an Allow of everything", `{"Statement":[{"Effect":"Allow","Action":["s3:GetObject","*"],"Resource":["*"]}]}`, []pluginapi.Finding{
			{Path: "Statement[0].Action", Message: "Every action on every resource is too much for one statement."},
		}},
		{"NotPrincipal and a stranger", `{"Statement":[{"Effect":"Deny","NotPrincipal":"*","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/eve","000000000000"]},"Action":"s3:*","Resource":"*"}]}`, []pluginapi.Finding{
			{Path: "Statement[0].NotPrincipal", Message: "NotPrincipal allows or denies everybody else; name the principals."},
			{Path: "Statement[1].Principal", Message: "The account 111122223333 is not ours."},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := host.Validation{Document: []byte(tt.document)}
			if tt.want != nil {
				want = host.Validation{Findings: tt.want, Plugin: "policy-rules"}
			}
			got, err := s.ValidatePolicy(t.Context(), &pluginapi.ValidatePolicyRequest{Operation: "iam:PutUserPolicy", Account: "000000000000", Document: []byte(tt.document)}, never)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
	_, err := s.ValidatePolicy(t.Context(), &pluginapi.ValidatePolicyRequest{Document: []byte("{")}, never)
	require.EqualError(t, err, "plugin policy-rules: validate_policy: trap: wasm error: unreachable")
	require.Contains(t, f.log.String(), "panic: unexpected end of JSON input", "what a guest writes before it dies is in the log")

	_, err = s.ValidatePolicy(t.Context(), &pluginapi.ValidatePolicyRequest{Document: make([]byte, 300<<10)}, never)
	require.EqualError(t, err, "plugin policy-rules: validate_policy: input: the question has 307204 bytes, the limit is 262144")
}

func never([]byte) error { return errors.New("nothing was to be replaced") }

// A replacement is checked by the server, and the audit log can tell both.
func TestReplacement(t *testing.T) {
	f := newHost(t)
	s := newSet(t, f, hostile(t, "replace", host.ValidatePolicy))
	request := &pluginapi.ValidatePolicyRequest{Document: []byte(`{"Statement":[]}`)}
	var checked string
	got, err := s.ValidatePolicy(t.Context(), request, func(document []byte) error { checked = string(document); return nil })
	require.NoError(t, err)
	require.Equal(t, host.Validation{
		Document: []byte(`{"a":1}`),
		Replacements: []host.Replacement{{
			Plugin: "replace",
			Before: "701f12e2a45641932e7716b160cc43c240755a8790dc94ac5af17eb9dc4d261f",
			After:  "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",
		}},
	}, got)
	require.Equal(t, `{"a":1}`, checked)

	_, err = s.ValidatePolicy(t.Context(), request, func([]byte) error { return errors.New("no Statement") })
	require.EqualError(t, err, "plugin replace: validate_policy: answer: the replacement is not accepted: no Statement")
	require.Equal(t, 1, f.failures(t, host.BadAnswer))
}
