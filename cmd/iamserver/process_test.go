package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tests of this package run the real program: the test binary stands in for
// it when this variable is set, so that nothing has to be built first.
const runAsProgram = "IAMSERVER_TEST_RUN_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(runAsProgram) != "" {
		os.Unsetenv(runAsProgram) //nolint:errcheck // it cannot fail for a name that is set
		if dir := os.Getenv(runAsStore); dir != "" {
			fmt.Fprintln(os.Stderr, serveStore(dir))
			return
		}
		main()
		return
	}
	os.Exit(m.Run())
}

// program returns a command that runs iamserver with arguments, in a directory
// of its own and an environment without settings of the developer.
func program(ctx context.Context, t testing.TB, arguments ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, self, arguments...)
	cmd.Env = append(cleanEnvironment(), runAsProgram+"=1")
	return cmd
}

func cleanEnvironment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "AWS_") && !strings.HasPrefix(entry, "IAMSERVER_") {
			kept = append(kept, entry)
		}
	}
	// No profile of the developer, no metadata service, no pager.
	return append(kept, "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
}

// A running is a server that serves.
type running struct {
	t      testing.TB
	cmd    *exec.Cmd
	data   string // data directory
	url    string // of IAM and STS
	admin  string // URL of the admin address
	output *transcript
	exited chan error
}

var (
	servingURL = regexp.MustCompile(`IAM(?: and STS|, STS, S3) +(https?://[^,]+),`)
	adminURL   = regexp.MustCompile(`health +(http://[^/]+)/`)
)

// start runs a server of IAM and STS alone on free ports, with a data directory and
// more flags, and waits until it says that it serves.
func start(t testing.TB, data string, flags ...string) *running {
	t.Helper()
	return startWhole(t, data, append([]string{"--s3", "off"}, flags...)...)
}

// startWhole runs a server as start does, but of S3 as well.
func startWhole(t testing.TB, data string, flags ...string) *running {
	t.Helper()
	arguments := append([]string{"--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, flags...)
	s := run(t, program(context.Background(), t, arguments...))
	s.data = data
	s.admin = s.output.find(t, adminURL)
	return s
}

// run runs a server and waits until it says that it serves.
func run(t testing.TB, cmd *exec.Cmd) *running {
	t.Helper()
	s := &running{t: t, cmd: cmd, output: newTranscript(), exited: make(chan error, 1)}
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	require.NoError(t, s.cmd.Start())
	go func() {
		s.exited <- s.cmd.Wait()
		s.output.end()
	}()
	t.Cleanup(s.kill)
	s.url = s.output.find(t, servingURL)
	return s
}

// kill ends the server the hard way, if it still runs.
func (s *running) kill() {
	s.cmd.Process.Kill() //nolint:errcheck // it may have ended
	<-s.output.ended
}

// stop ends the server as a service manager does, and returns its exit.
func (s *running) stop() error {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTERM))
	return <-s.exited
}

// A transcript is what a program has written, which can be waited for.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer  // guarded by mu
	changed chan struct{} // guarded by mu; closed and made anew on each write
	ended   chan struct{}
}

func newTranscript() *transcript {
	return &transcript{changed: make(chan struct{}), ended: make(chan struct{})}
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

func (o *transcript) end() { close(o.ended) }

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// find waits until the output matches and returns the first group.
func (o *transcript) find(t testing.TB, pattern *regexp.Regexp) string {
	t.Helper()
	for {
		o.mu.Lock()
		found, changed := pattern.FindStringSubmatch(o.text.String()), o.changed
		o.mu.Unlock()
		if found != nil {
			return found[1]
		}
		select {
		case <-changed:
		case <-o.ended:
			if found := pattern.FindStringSubmatch(o.String()); found != nil {
				return found[1]
			}
			require.FailNow(t, "the server ended", "before its output matched %s:\n%s", pattern, o)
		}
	}
}

// needs skips the test where a tool is missing, as it may be on a user's
// machine; continuous integration makes sure that it is there.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("IAMSERVER_REQUIRE_TOOLS") != "" {
				require.NoError(t, err)
			}
			t.Skipf("this test runs %s, which is not installed", tool)
		}
	}
}

// shared returns the path of a file with facts of AWS, which only the
// developers' machines have.
func shared(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("IAMSERVER_REQUIRE_SHARED") != "" {
			require.NoError(t, err)
		}
		t.Skipf("this test reads %s, which is not part of the sources", name)
	}
	return path
}

// A shell runs commands in bash, one after another in the same session, as
// someone at a terminal does.
type shell struct {
	t      *testing.T
	dir    string // where it started
	input  io.WriteCloser
	output *bufio.Reader
	number int
}

func newShell(t *testing.T) *shell {
	t.Helper()
	needs(t, "bash")
	cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc")
	cmd.Dir = t.TempDir()
	cmd.Env = cleanEnvironment()
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		input.Close() //nolint:errcheck // the shell may have ended
		cmd.Wait()    //nolint:errcheck // its exit says how the last command went, which run has told
	})
	return &shell{t: t, dir: cmd.Dir, input: input, output: bufio.NewReader(output)}
}

// run runs a command and returns its output and exit status.
func (s *shell) run(command string) (output string, status int) {
	s.t.Helper()
	s.number++
	mark := fmt.Sprintf("end-of-command-%d", s.number)
	_, err := fmt.Fprintf(s.input, "{ %s\n} 2>&1 </dev/null; printf '\\n%s %%d\\n' $?\n", command, mark)
	require.NoError(s.t, err)
	var text strings.Builder
	for {
		line, err := s.output.ReadString('\n')
		require.NoError(s.t, err, "the shell ended in %s:\n%s", command, text.String())
		if rest, ok := strings.CutPrefix(line, mark+" "); ok {
			_, err := fmt.Sscan(rest, &status)
			require.NoError(s.t, err)
			return strings.TrimSpace(text.String()), status
		}
		text.WriteString(line)
	}
}

// must runs a command that has to succeed and returns its output.
func (s *shell) must(command string) string {
	s.t.Helper()
	output, status := s.run(command)
	require.Zero(s.t, status, "%s\n%s", command, output)
	return output
}
