package wire_test

import (
	"context"
	"encoding/hex"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// The codecs of guests read and write every message as the vectors say. The
// modules of testdata read a message and write it again.
func TestGuestCodecsAgreeWithTheVectors(t *testing.T) {
	valid, invalid := vectors(t)
	for _, language := range []string{"c", "assemblyscript"} {
		t.Run(language, func(t *testing.T) {
			g := newGuest(t, language)
			for _, v := range valid {
				echo, err := g.echo(v.Message, unhex(t, v.Wire))
				require.NoError(t, err, "%s with %s", v.Message, v.Name)
				require.Equal(t, v.Canonical, hex.EncodeToString(echo), "%s with %s", v.Message, v.Name)
			}
			for _, v := range invalid {
				_, err := newGuest(t, language).echo(v.Message, unhex(t, v.Wire))
				require.Error(t, err, "%s with %s", v.Message, v.Name)
			}
		})
	}
}

// A guest is an instance of an echoing module.
type guest struct {
	t testing.TB
	m api.Module
}

func newGuest(t testing.TB, language string) guest {
	t.Helper()
	wasm, err := os.ReadFile("testdata/" + language + "/plugin.wasm")
	require.NoError(t, err)
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { require.NoError(t, r.Close(context.Background())) })
	_, err = r.NewHostModuleBuilder("iam_v1").NewFunctionBuilder().WithFunc(func(uint32, uint32, uint32) {}).Export("log").Instantiate(ctx)
	require.NoError(t, err)
	m, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	require.NoError(t, err)
	return guest{t, m}
}

func (g guest) echo(name string, message []byte) ([]byte, error) {
	buffer, err := g.m.ExportedFunction("iam_v1_buffer").Call(g.t.Context(), 16<<10)
	require.NoError(g.t, err)
	require.True(g.t, g.m.Memory().Write(uint32(buffer[0]), message))
	result, err := g.m.ExportedFunction("echo_"+name).Call(g.t.Context(), buffer[0], uint64(len(message)))
	if err != nil {
		return nil, err
	}
	view, ok := g.m.Memory().Read(uint32(result[0]>>32), uint32(result[0]))
	require.True(g.t, ok)
	return append([]byte(nil), view...), nil
}
