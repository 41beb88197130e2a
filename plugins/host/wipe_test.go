package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
)

// What a generator made and what it was made of is in the memory of its
// instance while it works, and nowhere when it is closed.
func TestGeneratorsMemoryIsWiped(t *testing.T) {
	const path = "../examples/company-key/plugin.wasm"
	wasm, err := os.ReadFile(path)
	require.NoError(t, err)
	sum := sha256.Sum256(wasm)
	h, err := New(Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Random: pattern{}, Wait: time.Minute}) //nolint:forbidigo // guests run on real time
	require.NoError(t, err)
	ctx := t.Context()
	c := Config{Name: "keys", Path: path, SHA256: hex.EncodeToString(sum[:]), Hooks: []Hook{GenerateAccessKey}}
	_, err = h.Load(ctx, c)
	require.EqualError(t, err, `load plugin "keys": self-test: the generator made the same key from different entropy`, "the randomness of this test repeats itself")

	h.random = &counter{}
	m, err := h.Load(ctx, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close(context.Background())) })
	h.random = pattern{}
	i, _, err := m.begin(ctx, true)
	require.NoError(t, err)
	key, _, err := m.askGenerator(ctx, i, &pluginapi.GenerateAccessKeyRequest{UserName: "alice"})
	require.NoError(t, err)
	memory, ok := i.memory.Read(0, i.memory.Size())
	require.True(t, ok)
	encoded, answer := i.encoded[:cap(i.encoded)], i.answer[:cap(i.answer)]
	require.True(t, bytes.Contains(memory, []byte(key.AccessKeyID)))
	require.True(t, bytes.Contains(memory, bytes.Repeat([]byte{0x5a}, entropyBytes)))
	m.end(ctx, i, false)
	for _, b := range [][]byte{memory, encoded, answer} {
		require.Equal(t, make([]byte, len(b)), b)
	}
}

// A pattern is randomness that is not.
type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0x5a
	}
	return len(p), nil
}

// A counter is not random either, but never the same twice.
type counter struct{ n byte }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		c.n += 7
		p[i] = c.n
	}
	return len(p), nil
}
