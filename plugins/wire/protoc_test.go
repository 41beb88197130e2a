package wire_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Protobuf's own compiler reads plugin.proto, and writes each message that it
// has read as the vectors say.
func TestProtocAgreesWithTheVectors(t *testing.T) {
	if _, err := exec.LookPath("protoc"); err != nil {
		if os.Getenv("IAMSERVER_REQUIRE_TOOLS") != "" {
			t.Fatal("protoc is missing, and IAMSERVER_REQUIRE_TOOLS is set")
		}
		t.Skip("protoc is not installed")
	}
	protoc := func(verb, message string, in []byte) []byte {
		command := exec.CommandContext(t.Context(), "protoc", "--"+verb+"=iamserver.plugin.v1."+message, "-I../../generated/pluginapi", "plugin.proto")
		command.Stdin, command.Stderr = bytes.NewReader(in), os.Stderr
		out, err := command.Output()
		require.NoError(t, err)
		return out
	}
	valid, _ := vectors(t)
	for _, v := range valid {
		if v.Wire != v.Canonical {
			continue // protoc keeps what it does not know
		}
		text := protoc("decode", v.Message, unhex(t, v.Wire))
		require.Equal(t, v.Canonical, hex.EncodeToString(protoc("encode", v.Message, text)), "%s with %s", v.Message, v.Name)
	}
}
