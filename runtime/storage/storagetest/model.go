package storagetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iamserver/runtime/storage"
)

// testModel runs random transactions against s and a map. Each check has a part
// of the keys to itself, so that they can share a store.
func testModel(t *testing.T, s storage.Store) {
	checks := 0
	rapid.Check(t, func(t *rapid.T) {
		checks++
		prefix := fmt.Sprintf("check/%d/", checks)
		records := map[string]string{}
		t.Repeat(map[string]func(*rapid.T){
			"transaction": func(t *rapid.T) {
				steps := rapid.SliceOfN(step, 0, 12).Draw(t, "steps")
				outcome := rapid.SampledFrom([]string{"commit", "commit", "error", "panic"}).Draw(t, "outcome")
				written := maps.Clone(records)
				run := func() (storage.Revision, error) {
					return s.Update(t.Context(), func(tx storage.Tx) error {
						for _, step := range steps {
							step(t, tx, prefix, written)
						}
						switch outcome {
						case "error":
							return errDiscard
						case "panic":
							panic(outcome)
						}
						return nil
					})
				}
				switch outcome {
				case "commit":
					_, err := run()
					require.NoError(t, err)
					records = written
				case "error":
					_, err := run()
					require.Equal(t, errDiscard, err)
				case "panic":
					require.PanicsWithValue(t, outcome, func() { _, _ = run() })
				}
			},
			"": func(t *rapid.T) {
				require.Equal(t, sorted(records, prefix, "", "", 0), content(t, s, prefix))
			},
		})
	})
}

// key draws keys that share prefixes, of bytes from both ends of the alphabet.
var key = rapid.StringOfN(rapid.RuneFrom([]rune{0, 'a', 'b', 0x7f}), 1, 3, -1)

// A step does one thing in a transaction and the same to a map.
var step = rapid.OneOf(
	rapid.Custom(func(t *rapid.T) func(*rapid.T, storage.Tx, string, map[string]string) {
		key, value := key.Draw(t, "key"), rapid.SampledFrom([]string{"", "1", strings.Repeat("2", 3000)}).Draw(t, "value")
		return func(t *rapid.T, tx storage.Tx, prefix string, records map[string]string) {
			require.NoError(t, tx.Put([]byte(prefix+key), []byte(value)))
			records[key] = value
		}
	}),
	rapid.Custom(func(t *rapid.T) func(*rapid.T, storage.Tx, string, map[string]string) {
		key := key.Draw(t, "key")
		return func(t *rapid.T, tx storage.Tx, prefix string, records map[string]string) {
			require.NoError(t, tx.Delete([]byte(prefix+key)))
			delete(records, key)
		}
	}),
	rapid.Custom(func(t *rapid.T) func(*rapid.T, storage.Tx, string, map[string]string) {
		key := key.Draw(t, "key")
		return func(t *rapid.T, tx storage.Tx, prefix string, records map[string]string) {
			got, ok, err := tx.Get([]byte(prefix + key))
			require.NoError(t, err)
			want, wantOK := records[key]
			require.Equal(t, wantOK, ok)
			require.Equal(t, want, string(got))
		}
	}),
	rapid.Custom(func(t *rapid.T) func(*rapid.T, storage.Tx, string, map[string]string) {
		under, after, limit := key.Draw(t, "under"), key.Draw(t, "after"), rapid.IntRange(0, 5).Draw(t, "limit")
		return func(t *rapid.T, tx storage.Tx, prefix string, records map[string]string) {
			got, err := scan(tx, []byte(prefix+under[1:]), []byte(prefix+after), limit)
			require.NoError(t, err)
			require.Equal(t, sorted(records, prefix, under[1:], after, limit), got)
		}
	}),
)

// sorted is the Scan of a map whose keys lack prefix.
func sorted(records map[string]string, prefix, under, after string, limit int) []string {
	all := []string{}
	for _, key := range slices.Sorted(maps.Keys(records)) {
		if strings.HasPrefix(key, under) && key > after && (limit == 0 || len(all) < limit) {
			all = append(all, prefix+key+"="+records[key])
		}
	}
	return all
}
