package record_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/conformance/record"
)

// withBoto3 returns a Python that has boto3, or skips the test. Debian's packages
// are for /usr/bin/python3 alone.
func withBoto3(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import boto3").Run() == nil { //nolint:gosec // one of the two above
			return python
		}
	}
	if os.Getenv("IAMSERVER_REQUIRE_TOOLS") != "" {
		t.Fatal("no python3 has boto3")
	}
	t.Skip("no python3 has boto3")
	return ""
}

// boto3 tells its stories in testdata/stories.py.
func TestBoto3(t *testing.T) {
	python := withBoto3(t)
	script, err := filepath.Abs("testdata/stories.py")
	require.NoError(t, err)
	dir := t.TempDir()
	args := []string{script}
	proxies := make([]*record.Proxy, len(stories))
	for i, s := range stories {
		var endpoint string
		proxies[i], endpoint = recording(t)
		args = append(args, s.name+"="+endpoint)
		texts := filepath.Join(dir, s.name)
		require.NoError(t, os.Mkdir(texts, 0o700))
		for name, content := range s.texts {
			require.NoError(t, os.WriteFile(filepath.Join(texts, name), []byte(content), 0o600))
		}
	}
	command := exec.CommandContext(t.Context(), python, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+root.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+root.SecretAccessKey,
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_DEFAULT_REGION=us-east-1", "AWS_DATA_PATH=")
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	for i, s := range stories {
		t.Run(s.name, func(t *testing.T) { recorded(t, "boto3", s, proxies[i]) })
	}
}
