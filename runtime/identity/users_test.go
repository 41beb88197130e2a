package identity_test

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/memory"
)

func TestUserLife(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		boundary := f.policy("Boundary")
		u := &identity.User{
			Name: "Alice", Path: "/staff/",
			Created:  time.Date(2026, 5, 4, 5, 2, 1, 999, time.FixedZone("CEST", 7200)),
			Tags:     []identity.Tag{{Key: "team", Value: "a"}, {Key: "Cost", Value: ""}},
			Boundary: ref(boundary), PasswordLastUsed: day.Add(time.Hour),
		}
		f.do(func(tx *identity.Tx) error { return tx.CreateUser(u) })
		require.Regexp(t, `^AIDA[A-Z2-7]{17}$`, u.ID)
		want := identity.User{
			ID: u.ID, Name: "Alice", Path: "/staff/", Created: day,
			Tags:     []identity.Tag{{Key: "Cost", Value: ""}, {Key: "team", Value: "a"}},
			Boundary: ref(boundary), PasswordLastUsed: day.Add(time.Hour),
		}
		require.Equal(t, want, *u, "the caller sees what is stored")
		requireUser := func(name string) {
			f.view(func(tx *identity.Tx) {
				got, err := tx.User(name)
				require.NoError(t, err)
				require.Equal(t, want, *got)
				got, err = tx.UserByID(u.ID)
				require.NoError(t, err)
				require.Equal(t, want, *got)
			})
		}
		requireUser("alice")
		requireUser("ALICE")

		require.ErrorIs(t, f.try(func(tx *identity.Tx) error {
			return tx.CreateUser(&identity.User{Name: "aLICE", Path: "/"})
		}), identity.ErrExists)

		want.Name, want.Path, want.Disabled, want.Tags, want.Boundary = "Bob", "/", true, nil, identity.PolicyRef{}
		changed := want
		changed.Created = day.Add(time.Hour)
		f.do(func(tx *identity.Tx) error { return tx.UpdateUser(&changed) })
		require.Equal(t, want, changed, "a user is created once")
		requireUser("bob")
		f.view(func(tx *identity.Tx) {
			_, err := tx.User("alice")
			require.Equal(t, identity.ErrNotFound, err)
		})
		f.requireConsistent()

		want.Name = "BOB"
		f.do(func(tx *identity.Tx) error { return tx.UpdateUser(&want) })
		requireUser("bob")
		f.requireConsistent()

		f.user("carol")
		want.Name = "Carol"
		require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tx.UpdateUser(&want) }), identity.ErrExists)

		f.do(func(tx *identity.Tx) error { return tx.DeleteUser(u.ID) })
		for _, write := range []func(tx *identity.Tx) error{
			func(tx *identity.Tx) error { return tx.DeleteUser(u.ID) },
			func(tx *identity.Tx) error { return tx.UpdateUser(u) },
		} {
			require.ErrorIs(t, f.try(write), identity.ErrNotFound)
		}
	})
}

func TestUserMayUseAPolicyTwice(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		p := f.policy("Read")
		u := f.user("alice")
		u.Boundary = ref(p)
		use := func(usage identity.PolicyUsage) (names []string) {
			f.view(func(tx *identity.Tx) {
				for _, e := range allEntities(t, tx, p.ID, identity.EntityFilter{Usage: usage}) {
					names = append(names, e.Name)
				}
			})
			return names
		}
		f.do(func(tx *identity.Tx) error { return tx.UpdateUser(u) })
		f.do(func(tx *identity.Tx) error { return tx.Attach(u.ID, ref(p)) })
		for _, usage := range []identity.PolicyUsage{"", identity.PermissionsPolicy, identity.PermissionsBoundary} {
			require.Equal(t, []string{"alice"}, use(usage))
		}
		f.do(func(tx *identity.Tx) error { return tx.Detach(u.ID, ref(p)) })
		require.Empty(t, use(identity.PermissionsPolicy))
		require.Equal(t, []string{"alice"}, use(identity.PermissionsBoundary))
		require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tx.DeletePolicy(p.ID) }), identity.ErrDeleteConflict)

		f.do(func(tx *identity.Tx) error { return tx.DeleteUser(u.ID) })
		require.Empty(t, use(""))
		f.do(func(tx *identity.Tx) error { return tx.DeletePolicy(p.ID) })
	})
}

func TestDeleteUserConflicts(t *testing.T) {
	f := newFixture(t, memory.Open())
	u := f.user("alice")
	for _, tt := range []struct {
		has     string
		add     func(tx *identity.Tx) error
		removal func(tx *identity.Tx) error
	}{
		{
			"an access key",
			func(tx *identity.Tx) error {
				_, err := tx.CreateAccessKey(&identity.AccessKey{ID: "key1", Owner: u.ID}, "secret12")
				return err
			},
			func(tx *identity.Tx) error { return tx.DeleteAccessKey(u.ID, "key1") },
		},
		{
			"an inline policy",
			func(tx *identity.Tx) error { return tx.PutInlinePolicy(u.ID, identity.InlinePolicy{Name: "p"}) },
			func(tx *identity.Tx) error { return tx.DeleteInlinePolicy(u.ID, "p") },
		},
		{
			"an attached policy",
			func(tx *identity.Tx) error { return tx.Attach(u.ID, readOnlyAccess) },
			func(tx *identity.Tx) error { return tx.Detach(u.ID, readOnlyAccess) },
		},
		{
			"a service account",
			func(tx *identity.Tx) error {
				_, err := tx.CreateServiceAccount(&identity.ServiceAccount{Parent: u.ID}, "")
				return err
			},
			func(tx *identity.Tx) error {
				accounts, _, err := tx.ServiceAccounts(u.ID, "", 1)
				if err != nil {
					return err
				}
				return tx.DeleteServiceAccount(accounts[0].ID)
			},
		},
	} {
		t.Run(tt.has, func(t *testing.T) {
			f.do(tt.add)
			require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tx.DeleteUser(u.ID) }), identity.ErrDeleteConflict)
			f.do(tt.removal)
			f.requireConsistent()
		})
	}
	f.do(func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, f.groupIn(tx, "dev").ID) })
	f.do(func(tx *identity.Tx) error { return tx.DeleteUser(u.ID) })
	f.requireConsistent()
}

// groupIn creates a group in a transaction.
func (f *fixture) groupIn(tx *identity.Tx, name string) *identity.Group {
	g := &identity.Group{Name: name, Path: "/", Created: day}
	require.NoError(f.t, tx.CreateGroup(g))
	return g
}

// Whoever gets a name that was in use before gets nothing else with it.
func TestRecreatedUserInheritsNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		g := f.group("dev")
		first := f.user("alice")
		f.do(func(tx *identity.Tx) error { return tx.AddToGroup(first.ID, g.ID) })
		f.do(func(tx *identity.Tx) error { return tx.PutInlinePolicy(first.ID, identity.InlinePolicy{Name: "p"}) })
		f.do(func(tx *identity.Tx) error { return tx.Attach(first.ID, readOnlyAccess) })
		f.accessKey(first.ID)
		f.serviceAccount(first.ID)
		first.Name = "former"
		f.do(func(tx *identity.Tx) error { return tx.UpdateUser(first) })

		second := f.user("alice")
		require.NotEqual(t, first.ID, second.ID)
		f.view(func(tx *identity.Tx) {
			c, err := tx.Children(second.ID)
			require.NoError(t, err)
			require.Equal(t, identity.Children{}, c)
			groups, err := tx.GroupsOf(second.ID)
			require.NoError(t, err)
			require.Empty(t, groups)
			require.Empty(t, allServiceAccounts(t, tx, second.ID))
			members := allMembers(t, tx, g.ID)
			require.Equal(t, []identity.User{*first}, members)
			c, err = tx.Children(first.ID)
			require.NoError(t, err)
			require.Equal(t, [8]int{1, 1, 1, 1, 1, 0, 0, 0}, counts(c), "a rename takes everything along")
		})
	})
}

func TestUsersByPath(t *testing.T) {
	f := newFixture(t, memory.Open())
	for name, path := range map[string]string{"b": "/x/y/", "A": "/x/", "c": "/", "a-1": "/xy/", "a1": "/x/"} {
		f.do(func(tx *identity.Tx) error {
			return tx.CreateUser(&identity.User{Name: name, Path: path, Created: day})
		})
	}
	for _, tt := range []struct {
		prefix string
		want   []string
	}{
		{"", []string{"A", "a-1", "a1", "b", "c"}},
		{"/", []string{"A", "a-1", "a1", "b", "c"}},
		{"/x/", []string{"A", "a1", "b"}},
		{"/x", []string{"A", "a-1", "a1", "b"}},
		{"/x/y/z/", nil},
	} {
		t.Run(tt.prefix, func(t *testing.T) {
			f.view(func(tx *identity.Tx) {
				var names []string
				for _, u := range all(t, func(after string, limit int) ([]identity.User, string, error) {
					return tx.Users(tt.prefix, after, limit)
				}) {
					names = append(names, u.Name)
				}
				require.Equal(t, tt.want, names)
			})
		})
	}
}

// What is there all the time is listed once, whatever else comes and goes
// between the pages.
func TestPagesSurviveChange(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		users := map[string]*identity.User{}
		for _, name := range []string{"Bea", "dan", "Fay", "hal", "Joe"} {
			users[name] = f.user(name)
		}
		var names []string
		read := func(after string) (next string) {
			f.view(func(tx *identity.Tx) {
				page, n, err := tx.Users("", after, 2)
				require.NoError(t, err)
				for _, u := range page {
					names = append(names, u.Name)
				}
				next = n
			})
			return next
		}
		next := read("")
		require.Equal(t, []string{"Bea", "dan"}, names)
		f.do(func(tx *identity.Tx) error { return tx.DeleteUser(users["dan"].ID) })
		f.user("ann")
		f.user("eve")
		users["hal"].Name = "abe"
		f.do(func(tx *identity.Tx) error { return tx.UpdateUser(users["hal"]) })
		next = read(next)
		require.Equal(t, []string{"Bea", "dan", "eve", "Fay"}, names)
		f.do(func(tx *identity.Tx) error { return tx.DeleteUser(users["Joe"].ID) })
		require.Empty(t, read(next))
		require.Equal(t, []string{"Bea", "dan", "eve", "Fay"}, names)
	})
}

func TestLastFullPageHasNoNext(t *testing.T) {
	f := newFixture(t, memory.Open())
	for _, name := range []string{"a", "b", "c"} {
		f.user(name)
	}
	f.view(func(tx *identity.Tx) {
		for limit, want := range map[int]struct {
			users int
			next  string
		}{-1: {1, "a"}, 0: {1, "a"}, 1: {1, "a"}, 2: {2, "b"}, 3: {3, ""}, 4: {3, ""}} {
			page, next, err := tx.Users("", "", limit)
			require.NoError(t, err)
			require.Len(t, page, want.users)
			require.Equal(t, want.next, next)
		}
	})
}

// There is a next page only if it shows something.
func TestLastFullPageOfAPathHasNoNext(t *testing.T) {
	f := newFixture(t, memory.Open())
	for _, u := range []identity.User{
		{Name: "a", Path: "/x/"}, {Name: "b", Path: "/"}, {Name: "c", Path: "/x/"}, {Name: "d", Path: "/"},
	} {
		u.Created = day
		f.do(func(tx *identity.Tx) error { return tx.CreateUser(&u) })
	}
	for _, tt := range []struct {
		name  string
		after string
		limit int
		want  []string
		next  string
	}{
		{"more than there are", "", 3, []string{"a", "c"}, ""},
		{"as many as there are", "", 2, []string{"a", "c"}, ""},
		{"the first", "", 1, []string{"a"}, "b"},
		{"the last", "b", 1, []string{"c"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.view(func(tx *identity.Tx) {
				page, next, err := tx.Users("/x/", tt.after, tt.limit)
				require.NoError(t, err)
				var names []string
				for _, u := range page {
					names = append(names, u.Name)
				}
				require.Equal(t, tt.want, names)
				require.Equal(t, tt.next, next)
			})
		})
	}
}

// A list that shows little still ends each call after MaxScan records.
func TestFilteredListIsBounded(t *testing.T) {
	f := newFixture(t, memory.Open())
	const users = identity.MaxScan + 10
	for i := 0; i < users; {
		f.do(func(tx *identity.Tx) error {
			for range 40 {
				path := "/"
				if i == 3 || i == users-1 {
					path = "/rare/"
				}
				if err := tx.CreateUser(&identity.User{Name: fmt.Sprintf("u%06d", i), Path: path, Created: day}); err != nil {
					return err
				}
				if i++; i == users {
					return nil
				}
			}
			return nil
		})
	}
	f.view(func(tx *identity.Tx) {
		page, next, err := tx.Users("/rare/", "", 100)
		require.NoError(t, err)
		require.Len(t, page, 1)
		require.Equal(t, fmt.Sprintf("u%06d", identity.MaxScan-1), next)
		page, next, err = tx.Users("/rare/", next, 100)
		require.NoError(t, err)
		require.Len(t, page, 1)
		require.Empty(t, next)

		page, next, err = tx.Users("", "", users)
		require.NoError(t, err)
		require.Len(t, page, identity.MaxScan)
		require.NotEmpty(t, next)
	})
}

// A limitReader remembers how much the last scan asked for.
type limitReader struct {
	storage.Reader
	limit int
}

func (r *limitReader) Scan(prefix, after []byte, limit int) iter.Seq2[storage.Record, error] {
	r.limit = limit
	return r.Reader.Scan(prefix, after, limit)
}

// A backend far away is not asked for more than the page needs.
func TestPagesAskForNoMoreThanTheyNeed(t *testing.T) {
	f := newFixture(t, memory.Open())
	for _, tt := range []struct {
		name string
		want int
		read func(tx *identity.Tx) error
	}{
		{"all users", 3, func(tx *identity.Tx) error { _, _, err := tx.Users("", "", 2); return err }},
		{"users of any path", 3, func(tx *identity.Tx) error { _, _, err := tx.Users("/", "", 2); return err }},
		{"users of a path", identity.MaxScan + 1, func(tx *identity.Tx) error { _, _, err := tx.Users("/x/", "", 2); return err }},
		{"everyone", identity.MaxScan + 1, func(tx *identity.Tx) error { _, _, err := tx.Users("", "", 1_000_000); return err }},
		{"all policies", 3, func(tx *identity.Tx) error { _, _, err := tx.Policies(identity.PolicyFilter{}, "", 2); return err }},
		{"attached policies", identity.MaxScan + 1, func(tx *identity.Tx) error {
			_, _, err := tx.Policies(identity.PolicyFilter{OnlyAttached: true}, "", 2)
			return err
		}},
		{"entities of any path", 3, func(tx *identity.Tx) error {
			_, _, err := tx.Entities("ANPA", identity.EntityFilter{PathPrefix: "/"}, "", 2)
			return err
		}},
		{"members", 3, func(tx *identity.Tx) error { _, _, err := tx.Members("AGPA", "", 2); return err }},
		{"service accounts", 3, func(tx *identity.Tx) error { _, _, err := tx.ServiceAccounts("", "", 2); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, f.store.View(t.Context(), func(r storage.Reader) error {
				reader := &limitReader{Reader: r}
				err := tt.read(f.db.NewReadTx(reader))
				require.Equal(t, tt.want, reader.limit)
				return err
			}))
		})
	}
}
