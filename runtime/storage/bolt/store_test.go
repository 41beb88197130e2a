package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/storage"
	"iamserver/runtime/storage/storagetest"
)

// childMode, in the environment of this test binary, makes it a second process
// that does one thing with the file named in childPath.
const (
	childMode = "IAMSERVER_TEST_BOLT_CHILD"
	childPath = "IAMSERVER_TEST_BOLT_PATH"
)

func TestMain(m *testing.M) {
	path := os.Getenv(childPath)
	var err error
	switch os.Getenv(childMode) {
	case "open":
		_, err = Open(path, Config{})
	case "write":
		err = write(path)
	default:
		os.Exit(m.Run())
	}
	slog.Error("the second process ended", "err", err, "in use", errors.Is(err, storage.ErrInUse))
	os.Exit(1)
}

// child returns this test binary as a second process in mode.
func child(t *testing.T, mode, path string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childMode+"="+mode, childPath+"="+path)
	return cmd
}

func TestStore(t *testing.T) {
	storagetest.RunDurable(t, func(dir string) (storage.Store, error) {
		return Open(filepath.Join(dir, "iam.db"), Config{})
	})
}

func TestSecondProcessIsTold(t *testing.T) {
	s := open(t)
	out, err := child(t, "open", s.db.Path()).CombinedOutput()
	require.EqualError(t, err, "exit status 1")
	require.Contains(t, string(out), `err="open `+s.db.Path()+`: storage: data is in use by another process" "in use"=true`)
}

func TestFileIsItsOwners(t *testing.T) {
	info, err := os.Stat(open(t).db.Path())
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

func TestOpenFails(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "absent", "iam.db"), Config{})
	require.ErrorIs(t, err, fs.ErrNotExist)

	path := filepath.Join(t.TempDir(), "iam.db")
	require.NoError(t, os.WriteFile(path, []byte("not a database"), 0o600))
	_, err = Open(path, Config{})
	require.ErrorContains(t, err, "open "+path+": ")
}

func TestSyncIsNeverTurnedOff(t *testing.T) {
	db := open(t).db
	require.False(t, db.NoSync)
	require.False(t, db.NoGrowSync)
	require.False(t, db.NoFreelistSync)
}

// Mapping the file anew must not pull pages from under those who read or write.
func TestFileOutgrowsItsMap(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "iam.db"), Config{MapSize: 1})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				err := s.View(context.Background(), func(r storage.Reader) error {
					for record, err := range r.Scan(nil, nil, 0) {
						if err != nil {
							return err
						}
						if value := fmt.Sprintf("%4096s", record.Key); value != string(record.Value) {
							return fmt.Errorf("%s has the value %s", record.Key, record.Value)
						}
					}
					return nil
				})
				assert.NoError(t, err)
			}
		})
	}
	const writers, updates = 4, 50
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for u := range updates {
				_, err := s.Update(context.Background(), func(tx storage.Tx) error {
					for i := range 5 {
						key := fmt.Sprintf("%d/%d/%d", w, u, i)
						if err := tx.Put([]byte(key), fmt.Appendf(nil, "%4096s", key)); err != nil {
							return err
						}
					}
					if u%7 == 0 {
						return errTest
					}
					return nil
				})
				if u%7 == 0 {
					assert.ErrorIs(t, err, errTest)
				} else {
					assert.NoError(t, err)
				}
			}
		})
	}
	writing.Wait()
	cancel()
	readers.Wait()
	require.Len(t, keys(t, s), writers*5*(updates-8))
	require.NoError(t, s.Close())
}
