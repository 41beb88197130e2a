package storagetest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/storage"
)

func testRecords(t *testing.T, s storage.Store) {
	require.Empty(t, content(t, s, ""))
	put(t, s, "b", "1", "a", "", "c", "3")
	put(t, s, "b", "2")
	require.Equal(t, []string{"a=", "b=2", "c=3"}, content(t, s, ""))
	remove(t, s, "c", "no such key")
	require.Equal(t, []string{"a=", "b=2"}, content(t, s, ""))

	err := s.View(t.Context(), func(r storage.Reader) error {
		for _, tt := range []struct {
			key, value string
			ok         bool
		}{
			{"a", "", true},
			{"b", "2", true},
			{"c", "", false},
			{"", "", false},
			{"ab", "", false},
		} {
			value, ok, err := r.Get([]byte(tt.key))
			if err != nil {
				return err
			}
			require.Equal(t, tt.value, string(value), tt.key)
			require.Equal(t, tt.ok, ok, tt.key)
		}
		return nil
	})
	require.NoError(t, err)
	require.ErrorIs(t, s.View(t.Context(), func(storage.Reader) error { return errDiscard }), errDiscard)
}

func testCopies(t *testing.T, s storage.Store) {
	start := revision(t, s)
	update(t, s, func(tx storage.Tx) error {
		key, value := []byte("key"), []byte("value")
		if err := tx.Put(key, value); err != nil {
			return err
		}
		copy(value, "VALUE")
		copy(key, "KEY")
		return tx.Put([]byte("nil"), nil)
	})
	require.Equal(t, []string{"key=value", "nil="}, content(t, s, ""))
	require.Equal(t, []string{"key,nil"}, watch(t, s, start, 1))
}

func testOwnWrites(t *testing.T, s storage.Store) {
	put(t, s, "a", "1", "c", "3", "d", "4")
	update(t, s, func(tx storage.Tx) error {
		if err := putIn(tx, "a", "10", "b", "20", "nil", ""); err != nil {
			return err
		}
		if err := tx.Delete([]byte("c")); err != nil {
			return err
		}
		_, found, err := tx.Get([]byte("c"))
		require.NoError(t, err)
		require.False(t, found)
		empty, found, err := tx.Get([]byte("nil"))
		require.NoError(t, err)
		require.True(t, found)
		require.Empty(t, empty)

		all, err := scan(tx, nil, nil, 0)
		require.Equal(t, []string{"a=10", "b=20", "d=4", "nil="}, all)
		return err
	})
	require.Equal(t, []string{"a=10", "b=20", "d=4", "nil="}, content(t, s, ""))
}

func testScan(t *testing.T, s storage.Store) {
	put(t, s, "a", "", "a/1", "", "a/2", "", "a/3", "", "b", "", "\xff", "", "\xff\x01", "", "\xff\xff", "", "\xff\xff\x02", "", "\x00", "")
	all := []string{"\x00", "a", "a/1", "a/2", "a/3", "b", "\xff", "\xff\x01", "\xff\xff", "\xff\xff\x02"}
	for _, tt := range []struct {
		name          string
		prefix, after []byte
		limit         int
		want          []string
	}{
		{"no bound yields everything", nil, nil, 0, all},
		{"an empty prefix and an empty after are no bound", []byte{}, []byte{}, -1, all},
		{"a prefix begins with the key that is equal to it", []byte("a"), nil, 0, []string{"a", "a/1", "a/2", "a/3"}},
		{"a longer prefix leaves that key out", []byte("a/"), nil, 0, []string{"a/1", "a/2", "a/3"}},
		{"a prefix of the highest byte has no end", []byte("\xff"), nil, 0, []string{"\xff", "\xff\x01", "\xff\xff", "\xff\xff\x02"}},
		{"a prefix of two of the highest byte has no end either", []byte("\xff\xff"), nil, 0, []string{"\xff\xff", "\xff\xff\x02"}},
		{"a prefix that no key has yields nothing", []byte("c"), nil, 0, nil},
		{"a prefix after all keys yields nothing", []byte("\xff\xff\xff"), nil, 0, nil},
		{"after a key that exists comes the next", []byte("a/"), []byte("a/1"), 0, []string{"a/2", "a/3"}},
		{"after a key that does not exist comes the one that follows it", []byte("a/"), []byte("a/11"), 0, []string{"a/2", "a/3"}},
		{"after the last key of the prefix comes nothing", []byte("a/"), []byte("a/3"), 0, nil},
		{"an after beyond the prefix yields nothing", []byte("a/"), []byte("b"), 0, nil},
		{"an after before the prefix is no bound", []byte("a/"), []byte("a"), 0, []string{"a/1", "a/2", "a/3"}},
		{"an after equal to the prefix leaves out that key", []byte("a"), []byte("a"), 0, []string{"a/1", "a/2", "a/3"}},
		{"after the highest key comes nothing", nil, []byte("\xff\xff\x02"), 0, nil},
		{"an after without a prefix is a bound", nil, []byte("b"), 0, []string{"\xff", "\xff\x01", "\xff\xff", "\xff\xff\x02"}},
		{"a limit counts from after", []byte("a"), []byte("a"), 2, []string{"a/1", "a/2"}},
		{"a limit of one yields one", nil, nil, 1, []string{"\x00"}},
		{"a limit above what there is yields all", []byte("a/"), nil, 4, []string{"a/1", "a/2", "a/3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := make([]string, len(tt.want))
			for i, key := range tt.want {
				want[i] = key + "="
			}
			read := func(r storage.Reader) error {
				got, err := scan(r, tt.prefix, tt.after, tt.limit)
				require.Equal(t, want, got)
				return err
			}
			require.NoError(t, s.View(t.Context(), read))
			update(t, s, func(tx storage.Tx) error { return read(tx) })
		})
	}
}

func testScanStops(t *testing.T, s storage.Store) {
	put(t, s, "a", "1", "b", "2", "c", "3")
	err := s.View(t.Context(), func(r storage.Reader) error {
		records := r.Scan(nil, nil, 2)
		var keys []string
		for range 2 {
			for record, err := range records {
				require.NoError(t, err)
				keys = append(keys, string(record.Key))
				if string(record.Key) == "a" {
					break
				}
			}
		}
		require.Equal(t, []string{"a", "a"}, keys)
		all, err := scan(r, nil, nil, 2)
		require.Equal(t, []string{"a=1", "b=2"}, all)
		return err
	})
	require.NoError(t, err)
}

// fill puts n records, named so that they sort by number, under prefix.
func fill(t *testing.T, s storage.Store, prefix string, n int) (want []string) {
	for i := 0; i < n; {
		update(t, s, func(tx storage.Tx) error {
			for range min(storage.MaxOperations, n-i) {
				key, value := fmt.Sprintf("%s%06d", prefix, i), bytes.Repeat([]byte{'v'}, i%100)
				if err := tx.Put([]byte(key), value); err != nil {
					return err
				}
				want = append(want, key+"="+string(value))
				i++
			}
			return nil
		})
	}
	return want
}

func testScanPages(t *testing.T, s storage.Store) {
	put(t, s, "a", "before", "z", "after")
	want := fill(t, s, "k/", 5000)
	require.Equal(t, want, content(t, s, "k/"))

	var got []string
	err := s.View(t.Context(), func(r storage.Reader) error {
		for after := []byte(nil); ; {
			n := len(got)
			for record, err := range r.Scan([]byte("k/"), after, 97) {
				if err != nil {
					return err
				}
				got = append(got, string(record.Key)+"="+string(record.Value))
				after = record.Key
			}
			if len(got) == n {
				return nil
			}
		}
	})
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func testScanAndWrite(t *testing.T, s storage.Store) {
	want := fill(t, s, "k/", 200)
	var got []string
	update(t, s, func(tx storage.Tx) error {
		// A backend may treat what the transaction has written before differently.
		for i := 0; i < len(want)/2; i += 4 {
			key, value, _ := strings.Cut(want[i], "=")
			if err := putIn(tx, key, value); err != nil {
				return err
			}
		}
		got = nil
		for record, err := range tx.Scan([]byte("k/"), nil, 0) {
			if err != nil {
				return err
			}
			got = append(got, string(record.Key)+"="+string(record.Value))
			if len(got)%3 != 0 {
				continue
			}
			if err := tx.Delete(record.Key); err != nil {
				return err
			}
		}
		return nil
	})
	require.Equal(t, want, got)

	var left []string
	for i, record := range want {
		if (i+1)%3 != 0 {
			left = append(left, record)
		}
	}
	require.Equal(t, left, content(t, s, "k/"))
}
