package host_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/plugins/host"
)

func TestInspectRunsNothing(t *testing.T) {
	for _, tt := range []struct {
		path string
		want host.Description
	}{
		{companyKey, host.Description{Hooks: []host.Hook{host.GenerateAccessKey}, HasInit: true, MemoryPages: 1}},
		{officeHours, host.Description{Hooks: []host.Hook{host.Authorize}, HasInit: true, MemoryPages: 1, Imports: []string{"iam_v1.log"}}},
		{filepath.Join("testdata", "hostile", "init.wasm"), host.Description{Hooks: []host.Hook{host.Authorize}, HasInit: true, MemoryPages: 1}},
	} {
		t.Run(tt.path, func(t *testing.T) {
			wasm, err := os.ReadFile(tt.path)
			require.NoError(t, err)
			got, err := host.Inspect(wasm)
			require.NoError(t, err)
			require.Positive(t, got.Functions)
			tt.want.SHA256, tt.want.Bytes, tt.want.Functions = configure(t, tt.path, host.Authorize).SHA256, len(wasm), got.Functions
			require.Equal(t, &tt.want, got)
		})
	}
	wasm, err := os.ReadFile(goAuthorize)
	require.NoError(t, err)
	got, err := host.Inspect(wasm)
	require.NoError(t, err)
	require.True(t, got.Go)
}

// The cache holds code that is run as it is found.
func TestCacheMustBePrivate(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Chmod(folder, 0o755))
	_, err := host.New(host.Options{CacheDir: folder})
	require.EqualError(t, err, "plugin cache: "+folder+" has the mode 0755, and others could put machine code there: chmod 700 "+folder)

	file := filepath.Join(folder, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = host.New(host.Options{CacheDir: file})
	require.EqualError(t, err, "plugin cache: "+file+" is not a folder")

	link := filepath.Join(folder, "link")
	require.NoError(t, os.Symlink(t.TempDir(), link))
	_, err = host.New(host.Options{CacheDir: link})
	require.EqualError(t, err, "plugin cache: "+link+" is not a folder")
}
