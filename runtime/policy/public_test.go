package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/policy"
)

func TestIsPublic(t *testing.T) {
	statement := func(effect, principal, condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `",` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"` + condition + `}]}`
	}
	const everyone = `"Principal":"*"`
	when := func(condition string) string { return statement("Allow", everyone, `,"Condition":`+condition) }
	for _, tt := range []struct {
		name     string
		document string
		want     bool
	}{
		{"everyone", statement("Allow", everyone, ""), true},
		{"everyone, as a list of AWS principals", statement("Allow", `"Principal":{"AWS":["*"]}`, ""), true},
		{"everyone but one", statement("Allow", `"NotPrincipal":{"AWS":"111122223333"}`, ""), true},
		{"a deny to everyone", statement("Deny", everyone, ""), false},
		{"an account", statement("Allow", `"Principal":{"AWS":"111122223333"}`, ""), false},
		{"everyone from a network", when(`{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), false},
		{"everyone from half of the internet", when(`{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","0.0.0.0/1"]}}`), true},
		{"everyone from all of IPv6", when(`{"IpAddress":{"aws:SourceIp":"::/0"}}`), true},
		{"everyone but from a network", when(`{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), true},
		{"a fixed principal", when(`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/a"}}`), false},
		{"a pattern of principals", when(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a"}}`), true},
		{"a fixed account, if there is one", when(`{"StringEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}}`), true},
		{"a condition that fixes nobody", when(`{"Bool":{"aws:SecureTransport":"true"}}`), true},
		{"one of several statements", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"},{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := policy.Parse(tt.document)
			require.NoError(t, err)
			require.Equal(t, tt.want, d.IsPublic())
		})
	}
}
