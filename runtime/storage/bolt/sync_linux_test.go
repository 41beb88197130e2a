package bolt

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file system that loses what it has not synced would show that an
// acknowledgement waits for its sync. In its stead, the file gets a descriptor
// that takes all writes and refuses only to sync: /dev/zero. If any part of the
// way did without the sync, Update would succeed.
func TestFailedSyncIsNotAcknowledged(t *testing.T) {
	s := open(t)
	for range 10 { // until there are free pages: a growing file fails earlier
		_, err := s.Update(t.Context(), putKey("a"))
		require.NoError(t, err)
	}
	before := last(t, s)

	fd := descriptor(t, s.db.Path())
	file, err := syscall.Dup(fd)
	require.NoError(t, err)
	zero, err := os.OpenFile("/dev/zero", os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, syscall.Dup3(int(zero.Fd()), fd, syscall.O_CLOEXEC))
	revision, err := s.Update(t.Context(), putKey("b"))
	require.NoError(t, syscall.Dup3(file, fd, syscall.O_CLOEXEC))
	require.NoError(t, syscall.Close(file))
	require.NoError(t, zero.Close())

	require.ErrorIs(t, err, syscall.EINVAL, "what fdatasync returns where there is nothing to sync to")
	require.Zero(t, revision)
	require.Equal(t, before, last(t, s))
	_, err = s.Update(t.Context(), putKey("c"))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c"}, keys(t, s))
}

// descriptor returns the file descriptor of this process that is open on path.
func descriptor(t *testing.T, path string) int {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		if target, err := os.Readlink(filepath.Join(dir, entry.Name())); err == nil && target == path {
			fd, err := strconv.Atoi(entry.Name())
			require.NoError(t, err)
			return fd
		}
	}
	require.Fail(t, "no descriptor of the file")
	return -1
}
