package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"iamserver/plugins/host"
)

func TestConfigurationReadsFromYAML(t *testing.T) {
	decoder := yaml.NewDecoder(strings.NewReader(`
name: mfa-delete
path: /etc/iamserver/mfa-delete.wasm
sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
hooks: [authorize]
filter:
  actions: ["s3:Delete*"]
  resource_prefixes: ["arn:aws:s3:::finance/"]
  principal_types: [IAMUser]
limits: {authorize_fuel: 1000000, authorize_time: 5ms, memory_pages: 16}
config: '["s3:Delete*"]'
on_error: abstain
may_grant: true
isolation: fresh
`))
	decoder.KnownFields(true)
	var got host.Config
	require.NoError(t, decoder.Decode(&got))
	require.Equal(t, host.Config{
		Name: "mfa-delete", Path: "/etc/iamserver/mfa-delete.wasm", SHA256: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		Hooks:  []host.Hook{host.Authorize},
		Filter: host.Filter{Actions: []string{"s3:Delete*"}, ResourcePrefixes: []string{"arn:aws:s3:::finance/"}, PrincipalTypes: []string{"IAMUser"}},
		Limits: host.Limits{AuthorizeFuel: 1_000_000, AuthorizeTime: 5 * time.Millisecond, MemoryPages: 16},
		Config: `["s3:Delete*"]`, OnError: host.OnErrorAbstain, MayGrant: true, Isolation: host.Fresh,
	}, got)
}
