package changes_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/storage"
	"iamserver/runtime/storage/changes"
)

// read returns what a watch yields until it has yielded n commits or an error.
func read(t *testing.T, log *changes.Log, after storage.Revision, n int) (commits []storage.Commit, err error) {
	for commit, err := range log.Watch(t.Context(), after) {
		if err != nil {
			return commits, err
		}
		if commits = append(commits, commit); len(commits) == n {
			break
		}
	}
	return commits, nil
}

func keys(names ...string) [][]byte {
	all := make([][]byte, len(names))
	for i, name := range names {
		all[i] = []byte(name)
	}
	return all
}

func TestLogYieldsEachKeyOnce(t *testing.T) {
	log := changes.NewLog(6)
	log.Append(7, keys("b", "a", "b", "b", "a"))
	log.Append(9, keys("c"))
	got, err := read(t, log, 6, 2)
	require.NoError(t, err)
	require.Equal(t, []storage.Commit{{Revision: 7, Keys: keys("a", "b")}, {Revision: 9, Keys: keys("c")}}, got)
	got, err = read(t, log, 8, 1)
	require.NoError(t, err)
	require.Equal(t, []storage.Commit{{Revision: 9, Keys: keys("c")}}, got)
}

func TestLogIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name    string
		commits int
		key     string
		dropped storage.Revision
	}{
		{"all of few small commits are kept", 4096, "key", 10},
		{"one commit too many drops the first", 4097, "key", 11},
		{"as many commits are kept as fit into 4 MiB", 65, strings.Repeat("k", 1<<16), 12},
		{"a commit that does not fit is not kept", 1, strings.Repeat("k", 4<<20), 11},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := changes.NewLog(10)
			for i := range tt.commits {
				log.Append(storage.Revision(11+i), keys(tt.key))
			}
			_, err := read(t, log, tt.dropped-1, 1)
			require.Equal(t, storage.ErrCompacted, err)
			last := storage.Revision(10 + tt.commits)
			if last == tt.dropped {
				return
			}
			got, err := read(t, log, tt.dropped, int(last-tt.dropped))
			require.NoError(t, err)
			require.Equal(t, tt.dropped+1, got[0].Revision)
			require.Equal(t, last, got[len(got)-1].Revision)
		})
	}
}

func TestLogForgets(t *testing.T) {
	log := changes.NewLog(1)
	log.Append(2, keys("a"))
	ended := make(chan error)
	go func() {
		_, err := read(t, log, 2, 1)
		ended <- err
	}()
	log.Forget(3)
	require.Equal(t, storage.ErrCompacted, <-ended)
	_, err := read(t, log, 1, 1)
	require.Equal(t, storage.ErrCompacted, err)

	log.Append(4, keys("b"))
	got, err := read(t, log, 3, 1)
	require.NoError(t, err)
	require.Equal(t, []storage.Commit{{Revision: 4, Keys: keys("b")}}, got)
}

func BenchmarkLogAppend(b *testing.B) {
	b.ReportAllocs()
	log := changes.NewLog(0)
	names := make([]string, 6)
	for i := range names {
		names[i] = fmt.Sprintf("000000000000/user/AIDA%017d", i)
	}
	revision := storage.Revision(0)
	for b.Loop() {
		revision++
		log.Append(revision, keys(names...))
	}
}
