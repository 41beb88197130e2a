package bolt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"iamserver/runtime/storage"
)

// crashRounds, in the environment, is how often TestCrash kills the writer; 10
// times without it.
const crashRounds = "IAMSERVER_CRASH_ROUNDS"

const (
	crashWriters = 16
	// entries is how many of its last entries a writer keeps; it deletes older
	// ones, so that pages are freed and used again.
	entries = 20
)

// TestCrash kills a process with 16 writers, again and again at a moment of
// chance, and requires that the file has all it acknowledged and nothing by halves.
func TestCrash(t *testing.T) {
	rounds := 10
	if env := os.Getenv(crashRounds); env != "" {
		var err error
		rounds, err = strconv.Atoi(env)
		require.NoError(t, err)
	}
	path := filepath.Join(t.TempDir(), "iam.db")
	acknowledged := [crashWriters]int{}
	for round := range rounds {
		crash(t, path, 1+rand.IntN(1000), &acknowledged)
		requireWhole(t, path, &acknowledged)
		t.Logf("round %d: %v", round, acknowledged)
	}
}

// crash runs the writer until it has acknowledged so many writes, kills it and
// enters into acknowledged the number of the last entry of each goroutine.
func crash(t *testing.T, path string, writes int, acknowledged *[crashWriters]int) {
	cmd := child(t, "write", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for lines := bufio.NewReader(out); ; writes-- {
		if writes == 0 {
			require.NoError(t, cmd.Process.Kill())
		}
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && writes <= 0 { // what the kernel still held has been read as well
			break
		}
		require.NoError(t, err)
		var writer, n int
		_, err = fmt.Sscanf(line, "%d %d\n", &writer, &n)
		require.NoError(t, err)
		require.Greater(t, n, acknowledged[writer])
		acknowledged[writer] = n
	}
	require.EqualError(t, cmd.Wait(), "signal: killed")
}

// requireWhole opens the file, compares it with what was acknowledged and sets
// acknowledged to what is there: the write after the last one may have been
// committed without an acknowledgement.
func requireWhole(t *testing.T, path string, acknowledged *[crashWriters]int) {
	s, err := Open(path, Config{})
	require.NoError(t, err)
	require.NoError(t, s.db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			require.NoError(t, err)
		}
		return nil
	}))
	for writer := range crashWriters {
		n, err := lastEntry(s, writer)
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, acknowledged[writer])
		require.LessOrEqual(t, n, acknowledged[writer]+1)
		acknowledged[writer] = n

		want := map[string]string{}
		if n > 0 {
			want["a"], want["z"] = strconv.Itoa(n), strconv.Itoa(n)
		}
		for i := max(1, n-entries+1); i <= n; i++ {
			want[fmt.Sprintf("entry/%d", i)] = string(entry(i))
		}
		got := map[string]string{}
		prefix := fmt.Appendf(nil, "%d/", writer)
		err = s.View(t.Context(), func(r storage.Reader) error {
			for record, err := range r.Scan(prefix, nil, 0) {
				require.NoError(t, err)
				got[string(bytes.TrimPrefix(record.Key, prefix))] = string(record.Value)
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.NoError(t, s.Close())
}

func lastEntry(s *Store, writer int) (n int, err error) {
	err = s.View(context.Background(), func(r storage.Reader) error {
		value, ok, err := r.Get(fmt.Appendf(nil, "%d/a", writer))
		if err != nil || !ok {
			return err
		}
		n, err = strconv.Atoi(string(value))
		return err
	})
	return n, err
}

// entry is the value of entry n, from a few bytes to more than a page.
func entry(n int) []byte { return bytes.Repeat([]byte(strconv.Itoa(n)), n*37%2500) }

// write is the process that is killed: it writes a line "writer number" for
// each transaction that has been acknowledged. It ends only by an error.
func write(path string) error {
	s, err := Open(path, Config{})
	if err != nil {
		return err
	}
	var lines sync.Mutex
	errs := make(chan error)
	for writer := range crashWriters {
		n, err := lastEntry(s, writer)
		if err != nil {
			return err
		}
		go func() {
			for {
				n++
				if _, err := s.Update(context.Background(), writeEntry(writer, n)); err != nil {
					errs <- err
					return
				}
				lines.Lock()
				_, err := fmt.Fprintf(os.Stdout, "%d %d\n", writer, n)
				lines.Unlock()
				if err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	return <-errs
}

func writeEntry(writer, n int) func(storage.Tx) error {
	return func(tx storage.Tx) error {
		key := func(format string, args ...any) []byte {
			return fmt.Appendf(fmt.Appendf(nil, "%d/", writer), format, args...)
		}
		number := []byte(strconv.Itoa(n))
		if err := tx.Put(key("a"), number); err != nil {
			return err
		}
		if err := tx.Put(key("entry/%d", n), entry(n)); err != nil {
			return err
		}
		if err := tx.Delete(key("entry/%d", n-entries)); err != nil {
			return err
		}
		return tx.Put(key("z"), number)
	}
}
