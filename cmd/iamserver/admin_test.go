package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nobody has to sign to read the admin address, so it must not serve more.
func TestAdminServesHealthAndMetricsAlone(t *testing.T) {
	server := start(t, t.TempDir())
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		status, body := get(t, server.admin+path)
		require.Equal(t, http.StatusOK, status, "%s\n%s", path, body)
	}
	rootClient(t, server, 1).must(t, "GetUser")
	_, metrics := get(t, server.admin+"/metrics")
	require.Contains(t, metrics, `action="GetUser"`)

	for _, path := range []string{"/", "/?Action=ListUsers&Version=2010-05-08", "/metrics/users", "/debug/pprof/"} {
		status, _ := get(t, server.admin+path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
	response, err := http.Post(server.admin+"/metrics", "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
	status, _ := get(t, server.url+"/metrics")
	require.NotEqual(t, http.StatusOK, status, "metrics on the public address")
}
