package identity_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage/memory"
)

func TestGroupLife(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		g := &identity.Group{Name: "Dev", Path: "/x/", Created: day.Add(5)}
		f.do(func(tx *identity.Tx) error { return tx.CreateGroup(g) })
		require.Regexp(t, `^AGPA[A-Z2-7]{17}$`, g.ID)
		want := identity.Group{ID: g.ID, Name: "Dev", Path: "/x/", Created: day}
		require.Equal(t, want, *g)
		requireGroup := func(name string) {
			f.view(func(tx *identity.Tx) {
				got, err := tx.Group(name)
				require.NoError(t, err)
				require.Equal(t, want, *got)
			})
		}
		requireGroup("DEV")
		require.ErrorIs(t, f.try(func(tx *identity.Tx) error {
			return tx.CreateGroup(&identity.Group{Name: "dev", Path: "/"})
		}), identity.ErrExists)

		want.Name, want.Path, want.Disabled = "Ops", "/", true
		f.do(func(tx *identity.Tx) error { return tx.UpdateGroup(&want) })
		requireGroup("ops")
		f.view(func(tx *identity.Tx) {
			_, err := tx.Group("dev")
			require.Equal(t, identity.ErrNotFound, err)
		})
		f.requireConsistent()
		f.group("admins")
		want.Name = "ADMINS"
		require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tx.UpdateGroup(&want) }), identity.ErrExists)

		f.do(func(tx *identity.Tx) error { return tx.DeleteGroup(g.ID) })
		require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tx.DeleteGroup(g.ID) }), identity.ErrNotFound)
		require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tx.UpdateGroup(g) }), identity.ErrNotFound)
	})
}

func TestDeleteGroupConflicts(t *testing.T) {
	f := newFixture(t, memory.Open())
	g, u := f.group("dev"), f.user("alice")
	for _, tt := range []struct {
		has          string
		add, removal func(tx *identity.Tx) error
	}{
		{
			"a member",
			func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, g.ID) },
			func(tx *identity.Tx) error { return tx.RemoveFromGroup(u.ID, g.ID) },
		},
		{
			"an inline policy",
			func(tx *identity.Tx) error { return tx.PutInlinePolicy(g.ID, identity.InlinePolicy{Name: "p"}) },
			func(tx *identity.Tx) error { return tx.DeleteInlinePolicy(g.ID, "p") },
		},
		{
			"an attached policy",
			func(tx *identity.Tx) error { return tx.Attach(g.ID, readOnlyAccess) },
			func(tx *identity.Tx) error { return tx.Detach(g.ID, readOnlyAccess) },
		},
	} {
		t.Run(tt.has, func(t *testing.T) {
			f.do(tt.add)
			require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tx.DeleteGroup(g.ID) }), identity.ErrDeleteConflict)
			f.do(tt.removal)
			f.requireConsistent()
		})
	}
	f.do(func(tx *identity.Tx) error { return tx.DeleteGroup(g.ID) })
	f.requireConsistent()
}

func TestMembership(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		var groups []*identity.Group
		for _, name := range []string{"zeta", "Alpha", "beta"} {
			groups = append(groups, f.group(name))
		}
		alice, bob := f.user("alice"), f.user("Bob")
		for _, g := range groups {
			f.do(func(tx *identity.Tx) error { return tx.AddToGroup(alice.ID, g.ID) })
			f.do(func(tx *identity.Tx) error { return tx.AddToGroup(alice.ID, g.ID) }) // as AWS: again is no error
		}
		f.do(func(tx *identity.Tx) error { return tx.AddToGroup(bob.ID, groups[0].ID) })
		names := func() (of, in []string) {
			f.view(func(tx *identity.Tx) {
				joined, err := tx.GroupsOf(alice.ID)
				require.NoError(t, err)
				for _, g := range joined {
					of = append(of, g.Name)
				}
				for _, u := range allMembers(t, tx, groups[0].ID) {
					in = append(in, u.Name)
				}
			})
			return of, in
		}
		of, in := names()
		require.Equal(t, []string{"Alpha", "beta", "zeta"}, of)
		require.Equal(t, []string{"alice", "Bob"}, in)
		f.requireConsistent()
		f.view(func(tx *identity.Tx) {
			groups, err := tx.GroupsOf(alice.ID)
			require.NoError(t, err)
			page, next := identity.Page(groups, "alpha", 1)
			require.Equal(t, groups[1:2], page)
			require.Equal(t, "beta", next)
		})

		alice.Name = "Carol"
		f.do(func(tx *identity.Tx) error { return tx.UpdateUser(alice) })
		groups[1].Name = "Gamma"
		f.do(func(tx *identity.Tx) error { return tx.UpdateGroup(groups[1]) })
		of, in = names()
		require.Equal(t, []string{"beta", "Gamma", "zeta"}, of)
		require.Equal(t, []string{"Bob", "Carol"}, in)
		f.requireConsistent()

		f.do(func(tx *identity.Tx) error { return tx.RemoveFromGroup(alice.ID, groups[0].ID) })
		of, in = names()
		require.Equal(t, []string{"beta", "Gamma"}, of)
		require.Equal(t, []string{"Bob"}, in)
		for _, change := range []func(tx *identity.Tx) error{
			func(tx *identity.Tx) error { return tx.RemoveFromGroup(alice.ID, groups[0].ID) },
			func(tx *identity.Tx) error { return tx.AddToGroup("AIDANOBODY", groups[0].ID) },
			func(tx *identity.Tx) error { return tx.AddToGroup(alice.ID, "AGPANOTHING") },
		} {
			require.ErrorIs(t, f.try(change), identity.ErrNotFound)
		}
	})
}

func TestNoMoreGroupsThanDeleteUserCanLeave(t *testing.T) {
	f := newFixture(t, memory.Open())
	u := f.user("alice")
	for i := range identity.MaxGroupsPerUser {
		f.do(func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, f.groupIn(tx, fmt.Sprintf("g%d", i)).ID) })
	}
	extra := f.group("extra")
	require.EqualError(t, f.try(func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, extra.ID) }),
		"identity: user "+u.ID+" is in 40 groups, the most there can be")
	f.requireConsistent()
}

func TestGroupsByPath(t *testing.T) {
	f := newFixture(t, memory.Open())
	for name, path := range map[string]string{"b": "/x/y/", "A": "/x/", "c": "/"} {
		f.do(func(tx *identity.Tx) error {
			return tx.CreateGroup(&identity.Group{Name: name, Path: path, Created: day})
		})
	}
	for prefix, want := range map[string][]string{"": {"A", "b", "c"}, "/": {"A", "b", "c"}, "/x/": {"A", "b"}, "/z": nil} {
		f.view(func(tx *identity.Tx) {
			var names []string
			for _, g := range all(t, func(after string, limit int) ([]identity.Group, string, error) {
				return tx.Groups(prefix, after, limit)
			}) {
				names = append(names, g.Name)
			}
			require.Equal(t, want, names, prefix)
		})
	}
}
