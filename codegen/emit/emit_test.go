package emit

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The AWS CLI names its commands so (botocore's xform_name), and the
// documentation must name the same ones.
func TestSnake(t *testing.T) {
	for name, want := range map[string]string{
		"CreateUser":                  "create_user",
		"ListMFADevices":              "list_mfa_devices",
		"ListSSHPublicKeys":           "list_ssh_public_keys",
		"CreateOpenIDConnectProvider": "create_open_id_connect_provider",
		"GetSAMLProvider":             "get_saml_provider",
		"PermissionsManagement":       "permissions_management",
		"ARN":                         "arn",
		"":                            "",
	} {
		require.Equal(t, want, snake(name), name)
	}
}
