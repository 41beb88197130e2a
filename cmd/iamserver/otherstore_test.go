package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// The test binary is another store, versitygw's over a directory, when this variable
// names that directory: a program of its own, which the server knows nothing of but
// its address and its credentials.
const runAsStore = "IAMSERVER_TEST_RUN_AS_STORE"

const (
	storeKeyID  = "STOREKEYID"
	storeSecret = "the secret of the store"
)

// storeCredentials are those of the store in the environment of the server.
var storeCredentials = []string{"IAMSERVER_S3_ACCESS_KEY_ID=" + storeKeyID, "IAMSERVER_S3_SECRET_ACCESS_KEY=" + storeSecret}

// serveStore serves the store and says where.
func serveStore(dir string) error {
	// versitygw does not tell which port it got.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return err
	}
	buckets, versions := filepath.Join(dir, "buckets"), filepath.Join(dir, "versions")
	for _, folder := range []string{buckets, versions} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	backend, err := posix.New(buckets, meta.XattrMeta{}, posix.PosixOpts{VersioningDir: versions, CopyObjectThreshold: 5 << 30})
	if err != nil {
		return err
	}
	go func() {
		var connection net.Conn
		for connection == nil {
			connection, _ = net.DialTimeout("tcp", address, time.Second)
		}
		connection.Close() //nolint:errcheck // it has shown what it had to
		fmt.Fprintf(os.Stderr, "the store serves http://%s\n", address)
	}()
	return embedgw.RunVersityGW(context.Background(), backend, &embedgw.Config{
		RootUserAccess: storeKeyID, RootUserSecret: storeSecret, Region: "us-east-1",
		IAMService: auth.NewIAMServiceSingle(auth.Account{Access: storeKeyID, Secret: storeSecret, Role: auth.RoleAdmin}),
		Ports:      []string{address}, MaxConnections: 1000, MaxRequests: 1000, MultipartMaxParts: 10000, KeepAlive: true, Quiet: true,
	})
}

var (
	upstream      = flag.String("upstream", "", "tell the stories of TestS3 in front of this store alone: an address like http://127.0.0.1:9000, with credentials in IAMSERVER_S3_ACCESS_KEY_ID and IAMSERVER_S3_SECRET_ACCESS_KEY. Buckets are left there, whose names begin with run-.")
	upstreamFlags = flag.String("upstream-flags", "", "more flags of the server in front of -upstream, separated by spaces, such as --s3-keys=exact.")
)

// inFrontOfUpstream starts a server in front of the store that -upstream names.
func inFrontOfUpstream(t *testing.T) *objects {
	t.Helper()
	var environment []string
	for _, name := range []string{"IAMSERVER_S3_ACCESS_KEY_ID", "IAMSERVER_S3_SECRET_ACCESS_KEY"} {
		value := os.Getenv(name)
		require.NotEmpty(t, value, "-upstream needs %s", name)
		environment = append(environment, name+"="+value)
	}
	o := startObjects(t, environment, append([]string{"--s3", *upstream}, strings.Fields(*upstreamFlags)...)...)
	o.run = fmt.Sprintf("run-%x-", time.Now().UnixMilli())
	o.exact = strings.Contains(*upstreamFlags, "--s3-keys=exact")
	return o
}

var storeURL = regexp.MustCompile(`the store serves (http://\S+)`)

// startStore runs another store and returns its address.
func startStore(t testing.TB) string {
	t.Helper()
	cmd := program(context.Background(), t)
	cmd.Env = append(cmd.Env, runAsStore+"="+t.TempDir())
	s := &running{t: t, cmd: cmd, output: newTranscript(), exited: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = s.output, s.output
	require.NoError(t, cmd.Start())
	go func() {
		s.exited <- cmd.Wait()
		s.output.end()
	}()
	t.Cleanup(s.kill)
	return s.output.find(t, storeURL)
}
