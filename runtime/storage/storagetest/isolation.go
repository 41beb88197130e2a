package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/storage"
)

// number returns the value of key as a number, 0 where there is none.
func number(r storage.Reader, key string) (int, error) {
	value, ok, err := r.Get([]byte(key))
	if err != nil || !ok {
		return 0, err
	}
	return strconv.Atoi(string(value))
}

// add adds n to the number at key.
func add(tx storage.Tx, key string, n int) error {
	sum, err := number(tx, key)
	if err != nil {
		return err
	}
	return putIn(tx, key, strconv.Itoa(sum+n))
}

// concurrently runs fn(0) to fn(n-1), each in its own goroutine, and waits.
func concurrently(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

func testSnapshot(t *testing.T, s storage.Store) {
	put(t, s, "a", "1", "b", "2")
	err := s.View(t.Context(), func(r storage.Reader) error {
		before := r.Revision()
		committed := make(chan error)
		go func() {
			_, err := s.Update(context.Background(), scribble)
			committed <- err
		}()
		require.NoError(t, <-committed)

		require.Equal(t, before, r.Revision())
		all, err := scan(r, nil, nil, 0)
		require.Equal(t, []string{"a=1", "b=2"}, all)
		return err
	})
	require.NoError(t, err)
	require.Equal(t, []string{"a=changed again", "b=other", "new=1"}, content(t, s, ""))
}

func testLostUpdate(t *testing.T, s storage.Store) {
	const writers, updates = 16, 25
	concurrently(writers, func(int) {
		for range updates {
			_, err := s.Update(context.Background(), func(tx storage.Tx) error { return add(tx, "counter", 1) })
			assert.NoError(t, err)
		}
	})
	require.Equal(t, []string{fmt.Sprintf("counter=%d", writers*updates)}, content(t, s, ""))
}

// testWholeTransactions moves amounts between accounts, some moves failing half
// way, while readers add them up.
func testWholeTransactions(t *testing.T, s storage.Store) {
	const accounts, writers, moves = 5, 8, 40
	account := func(i int) string { return fmt.Sprintf("account/%d", i%accounts) }
	ctx, cancel := context.WithCancel(t.Context())
	sum := func() (total int, err error) {
		err = s.View(context.Background(), func(r storage.Reader) error {
			total = 0
			for record, err := range r.Scan([]byte("account/"), nil, 0) {
				if err != nil {
					return err
				}
				amount, err := strconv.Atoi(string(record.Value))
				if err != nil {
					return err
				}
				total += amount
			}
			return nil
		})
		return total, err
	}

	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if total, err := sum(); err != nil || total != 0 {
					t.Errorf("the accounts add up to %d, %v", total, err)
				}
			}
		})
	}
	concurrently(writers, func(writer int) {
		for i := range moves {
			_, err := s.Update(context.Background(), func(tx storage.Tx) error {
				if err := add(tx, account(writer+i), -i); err != nil {
					return err
				}
				if i%5 == 4 {
					return errDiscard
				}
				return add(tx, account(writer+2*i+1), i)
			})
			if i%5 == 4 {
				assert.ErrorIs(t, err, errDiscard)
			} else {
				assert.NoError(t, err)
			}
		}
	})
	cancel()
	readers.Wait()
	total, err := sum()
	require.NoError(t, err)
	require.Zero(t, total)
}

// testWriteSkew lets two administrators leave at once, each provided that the
// other stays.
func testWriteSkew(t *testing.T, s storage.Store) {
	admins := []string{"admin/0", "admin/1"}
	for range 50 {
		put(t, s, admins[0], "1", admins[1], "1")
		var left [2]error
		concurrently(2, func(i int) {
			_, left[i] = s.Update(context.Background(), func(tx storage.Tx) error {
				if other, err := number(tx, admins[1-i]); err != nil || other == 0 {
					return errors.Join(err, errDiscard)
				}
				return putIn(tx, admins[i], "0")
			})
		})
		if left[0] == nil {
			require.ErrorIs(t, left[1], errDiscard)
			require.Equal(t, []string{"admin/0=0", "admin/1=1"}, content(t, s, ""))
		} else {
			require.ErrorIs(t, left[0], errDiscard)
			require.NoError(t, left[1])
			require.Equal(t, []string{"admin/0=1", "admin/1=0"}, content(t, s, ""))
		}
	}
}

var (
	errNoParent = errors.New("there is no such parent")
	errChildren = errors.New("the parent has children")
)

// createChild and deleteParent are the two halves of the rule that what has
// children is not deleted. Range reads are not checked for conflicts on every
// backend: what lets only one of the two commit is that creation writes the
// version record of each parent, and deletion reads it.
func createChild(tx storage.Tx, child string, parents ...string) error {
	for _, parent := range parents {
		if _, ok, err := tx.Get([]byte("parent/" + parent)); err != nil || !ok {
			return errors.Join(err, errNoParent)
		}
		if err := add(tx, "version/"+parent, 1); err != nil {
			return err
		}
		if err := putIn(tx, "child/"+parent+"/"+child, ""); err != nil {
			return err
		}
	}
	return nil
}

func deleteParent(tx storage.Tx, parent string) error {
	if _, _, err := tx.Get([]byte("version/" + parent)); err != nil {
		return err
	}
	for _, err := range tx.Scan([]byte("child/"+parent+"/"), nil, 1) {
		return errors.Join(err, errChildren)
	}
	if err := tx.Delete([]byte("version/" + parent)); err != nil {
		return err
	}
	return tx.Delete([]byte("parent/" + parent))
}

func testParents(t *testing.T, s storage.Store) {
	const rounds, children = 20, 3
	users := []string{"user/0", "user/1", "user/2"}
	for _, tt := range []struct {
		name    string
		deleted string
		// parents are those of child i.
		parents func(i int) []string
	}{
		{"DeleteUser and CreateAccessKey", "owner", func(int) []string { return []string{"owner"} }},
		{"DeletePolicy and AttachUserPolicy", "policy", func(i int) []string { return []string{users[i], "policy"} }},
		{"DeleteGroup and AddUserToGroup", "group", func(i int) []string { return []string{"group", users[i]} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for round := range rounds {
				put(t, s, "parent/"+tt.deleted, "", "parent/"+users[0], "", "parent/"+users[1], "", "parent/"+users[2], "")
				var created [children]error
				var deleted error
				concurrently(children+1, func(i int) {
					// Goroutines tend to start in one order: let deletion have each place.
					i = (i + round) % (children + 1)
					_, err := s.Update(context.Background(), func(tx storage.Tx) error {
						if i == children {
							return deleteParent(tx, tt.deleted)
						}
						return createChild(tx, strconv.Itoa(i), tt.parents(i)...)
					})
					if i == children {
						deleted = err
					} else {
						created[i] = err
					}
				})

				if deleted == nil {
					for _, err := range created {
						require.ErrorIs(t, err, errNoParent)
					}
					require.Empty(t, content(t, s, "child/"))
					require.Empty(t, content(t, s, "version/"))
					require.Empty(t, content(t, s, "parent/"+tt.deleted))
				} else {
					require.ErrorIs(t, deleted, errChildren)
					require.Equal(t, [children]error{}, created)
					require.Len(t, content(t, s, "child/"+tt.deleted+"/"), children)
					require.Equal(t, []string{"version/" + tt.deleted + "=3"}, content(t, s, "version/"+tt.deleted))
				}
				for _, parent := range append(users, tt.deleted) {
					remove(t, s, "parent/"+parent, "version/"+parent)
					remove(t, s, "child/"+parent+"/0", "child/"+parent+"/1", "child/"+parent+"/2")
				}
			}
		})
	}
}

func testRecorder(t *testing.T, s storage.Store) {
	for _, tt := range []struct {
		name   string
		change []string // records put between the decision and the act
		remove string
		want   bool
	}{
		{"nothing changed", nil, "", true},
		{"a record that was not read changed", []string{"other", "2"}, "", true},
		{"a record was written with the same value", []string{"read", "1"}, "", true},
		{"a record that was read changed", []string{"read", "2"}, "", false},
		{"a record that was read is empty now", []string{"read", ""}, "", false},
		{"a record that was read is gone", nil, "read", false},
		{"a record that was empty is gone", nil, "empty", false},
		{"a record that was absent is there", []string{"absent", "1"}, "", false},
		{"a record that was absent is there and empty", []string{"absent", ""}, "", false},
		{"only a record that was scanned changed", []string{"scanned/1", "2"}, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			put(t, s, "read", "1", "empty", "", "other", "1", "scanned/1", "1")
			remove(t, s, "absent")
			var recorder *storage.Recorder
			err := s.View(t.Context(), func(r storage.Reader) error {
				recorder = storage.NewRecorder(r)
				require.Equal(t, r.Revision(), recorder.Revision())
				for _, key := range []string{"read", "empty", "absent", "read"} {
					want, wantOK, err := r.Get([]byte(key))
					require.NoError(t, err)
					got, ok, err := recorder.Get([]byte(key))
					require.NoError(t, err)
					require.Equal(t, wantOK, ok)
					require.Equal(t, want, got)
				}
				all, err := scan(recorder, []byte("scanned/"), nil, 0)
				require.Equal(t, []string{"scanned/1=1"}, all)
				return err
			})
			require.NoError(t, err)

			put(t, s, tt.change...)
			if tt.remove != "" {
				remove(t, s, tt.remove)
			}
			update(t, s, func(tx storage.Tx) error {
				unchanged, err := recorder.Unchanged(tx)
				require.Equal(t, tt.want, unchanged)
				return err
			})
		})
	}
}
