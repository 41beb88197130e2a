package privatefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/seal/privatefile"
)

func TestRefuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, path string)
		want    string
	}{
		{"a file that the group may read", withMode(0o640), `PATH has mode 0640 and may be read by others; run: chmod 600 "PATH"`},
		{"a file that everyone may read", withMode(0o604), `PATH has mode 0604 and may be read by others; run: chmod 600 "PATH"`},
		{"a file that the group may write", withMode(0o620), `PATH has mode 0620 and may be read by others; run: chmod 600 "PATH"`},
		{"an executable file", withMode(0o700), `PATH has mode 0700 and may be read by others; run: chmod 600 "PATH"`},
		{"a file of another user", ofAnotherUser, `PATH belongs to user 54321 and the server runs as user UID; run: chown UID "PATH"`},
		{"a symbolic link to a private file", func(t *testing.T, path string) {
			t.Helper()
			withMode(0o600)(t, path+".target")
			require.NoError(t, os.Symlink(path+".target", path))
		}, `PATH is a symbolic link; give the path of the file itself`},
		{"a symbolic link to nowhere", func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Symlink(path+".target", path))
		}, `PATH is a symbolic link; give the path of the file itself`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			tt.prepare(t, path)
			before := names(t, filepath.Dir(path))
			want := strings.NewReplacer("PATH", path, "UID", strconv.Itoa(os.Geteuid())).Replace(tt.want)

			_, err := privatefile.Read(path, 100)
			require.EqualError(t, err, want)
			_, err = privatefile.OpenAppend(path)
			require.EqualError(t, err, want)
			require.Equal(t, before, names(t, filepath.Dir(path)), "refusing makes no file")
		})
	}
}

func TestReadRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))

	_, err := privatefile.Read(dir, 100)
	require.EqualError(t, err, dir+" is not a regular file")
	_, err = privatefile.Read(pipe, 100) // would wait for a writer
	require.EqualError(t, err, pipe+" is not a regular file")
	_, err = privatefile.Read(filepath.Join(dir, "nothing"), 100)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestReadIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, privatefile.Create(path, []byte("12345")))

	data, err := privatefile.Read(path, 5)
	require.NoError(t, err)
	require.Equal(t, "12345", string(data))
	_, err = privatefile.Read(path, 4)
	require.EqualError(t, err, path+" is longer than 4 bytes")
}

func TestNarrowerModeIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	withMode(0o400)(t, path)
	_, err := privatefile.Read(path, 100)
	require.NoError(t, err)
}

func TestCreateNeverReplaces(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, path string)
	}{
		{"a file", withMode(0o600)},
		{"a file of another user", ofAnotherUser},
		{"a symbolic link to nowhere", func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Symlink(path+".target", path))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			tt.prepare(t, path)
			before := names(t, filepath.Dir(path))
			require.ErrorIs(t, privatefile.Create(path, []byte("new")), fs.ErrExist)
			require.Equal(t, before, names(t, filepath.Dir(path)), "nothing is left behind")
		})
	}
}

func TestOneOfManyCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	results := make([]error, 16)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() { results[i] = privatefile.Create(path, []byte{byte(i)}) })
	}
	group.Wait()

	data, err := privatefile.Read(path, 1)
	require.NoError(t, err)
	for i, err := range results {
		if i == int(data[0]) {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, fs.ErrExist)
		}
	}
	require.Equal(t, []string{"file"}, names(t, filepath.Dir(path)))
}

func TestReplaceIsAtomicForReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	contents := []string{strings.Repeat("a", 10_000), strings.Repeat("b", 20_000)}
	require.NoError(t, privatefile.Replace(path, []byte(contents[0])), "it need not exist")

	var group sync.WaitGroup
	stop := make(chan struct{})
	var failed error
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			data, err := privatefile.Read(path, 30_000)
			if err != nil || string(data) != contents[0] && string(data) != contents[1] {
				failed = errors.Join(err, errors.New("read neither the old content nor the new one"))
				return
			}
		}
	})
	for i := range 50 {
		require.NoError(t, privatefile.Replace(path, []byte(contents[i%2])))
	}
	close(stop)
	group.Wait()
	require.NoError(t, failed)
	require.Equal(t, []string{"file"}, names(t, filepath.Dir(path)))
	requireMode(t, path)
}

func TestReplaceLeavesTheTargetOfALinkAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path+".target", []byte("victim"), 0o600))
	require.NoError(t, os.Symlink(path+".target", path))

	require.NoError(t, privatefile.Replace(path, []byte("new")))
	data, err := privatefile.Read(path, 100)
	require.NoError(t, err)
	require.Equal(t, "new", string(data))
	victim, err := os.ReadFile(path + ".target")
	require.NoError(t, err)
	require.Equal(t, "victim", string(victim))
}

func TestOpenAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, line := range []string{"one\n", "two\n"} {
		f, err := privatefile.OpenAppend(path)
		require.NoError(t, err)
		_, err = f.WriteString(line)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	data, err := privatefile.Read(path, 100)
	require.NoError(t, err)
	require.Equal(t, "one\ntwo\n", string(data))
	requireMode(t, path)
}

func TestWritingWhereThereIsNoDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "file")
	require.ErrorIs(t, privatefile.Create(path, nil), fs.ErrNotExist)
	require.ErrorIs(t, privatefile.Replace(path, nil), fs.ErrNotExist)
	_, err := privatefile.OpenAppend(path)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func withMode(mode fs.FileMode) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		t.Helper()
		require.NoError(t, os.WriteFile(path, []byte("secret"), 0o600))
		require.NoError(t, os.Chmod(path, mode)) // which the umask does not narrow
	}
}

func ofAnotherUser(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another user")
	}
	withMode(0o600)(t, path)
	require.NoError(t, os.Chown(path, 54321, -1))
}

func requireMode(t *testing.T, path string) {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
