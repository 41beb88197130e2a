package identity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage/memory"
)

func TestPolicyLife(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		const document = "{ \"Version\":\t\"2012-10-17\"}\r\n\u00ff"
		p := &identity.Policy{
			Name: "Read", Path: "/x/", Description: "reads", Created: day.Add(9),
			Tags: []identity.Tag{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}},
		}
		f.do(func(tx *identity.Tx) error { return tx.CreatePolicy(p, document) })
		require.Regexp(t, `^ANPA[A-Z2-7]{17}$`, p.ID)
		want := identity.Policy{
			ID: p.ID, Name: "Read", Path: "/x/", Description: "reads", Created: day, Updated: day,
			DefaultVersion: 1, NextVersion: 2, Versions: 1,
			Tags: []identity.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}},
		}
		require.Equal(t, want, *p)
		requirePolicy := func() {
			f.view(func(tx *identity.Tx) {
				got, err := tx.Policy("READ")
				require.NoError(t, err)
				require.Equal(t, want, *got)
			})
			f.requireConsistent()
		}
		requirePolicy()
		require.ErrorIs(t, f.try(func(tx *identity.Tx) error {
			return tx.CreatePolicy(&identity.Policy{Name: "read", Path: "/y/"}, "")
		}), identity.ErrExists, "names are unique whatever the path")

		later := day.Add(time.Minute)
		var v2, v3 *identity.PolicyVersion
		f.do(func(tx *identity.Tx) (err error) {
			v2, err = tx.CreatePolicyVersion(p.ID, "two", later.Add(9), false)
			return err
		})
		f.do(func(tx *identity.Tx) (err error) {
			v3, err = tx.CreatePolicyVersion(p.ID, "three", later, true)
			return err
		})
		require.Equal(t, identity.PolicyVersion{Number: 2, Document: "two", Created: later}, *v2)
		require.Equal(t, identity.PolicyVersion{Number: 3, Document: "three", Created: later, Default: true}, *v3)
		v1 := identity.PolicyVersion{Number: 1, Document: document, Created: day}
		want.Updated, want.DefaultVersion, want.NextVersion, want.Versions = later, 3, 4, 3
		requirePolicy()
		f.view(func(tx *identity.Tx) {
			versions, err := tx.PolicyVersions(p.ID)
			require.NoError(t, err)
			require.Equal(t, []identity.PolicyVersion{*v3, *v2, v1}, versions, "the newest first")
			page, next := identity.Page(versions, "", 2)
			require.Equal(t, versions[:2], page)
			page, next = identity.Page(versions, next, 2)
			require.Equal(t, versions[2:], page)
			require.Empty(t, next)
			got, err := tx.PolicyVersion(p.ID, 1)
			require.NoError(t, err)
			require.Equal(t, v1, *got)
			got, err = tx.DefaultVersion(p.ID)
			require.NoError(t, err)
			require.Equal(t, *v3, *got)
			_, err = tx.PolicyVersion(p.ID, 4)
			require.Equal(t, identity.ErrNotFound, err)
		})

		for want, change := range map[error][]func(tx *identity.Tx) error{
			identity.ErrDeleteConflict: {
				func(tx *identity.Tx) error { return tx.DeletePolicyVersion(p.ID, 3) },
				func(tx *identity.Tx) error { return tx.DeletePolicy(p.ID) },
			},
			identity.ErrNotFound: {
				func(tx *identity.Tx) error { return tx.DeletePolicyVersion(p.ID, 4) },
				func(tx *identity.Tx) error { return tx.SetDefaultPolicyVersion(p.ID, 0) },
				func(tx *identity.Tx) error { return tx.SetDefaultPolicyVersion("ANPANOTHING", 1) },
				func(tx *identity.Tx) error { return tx.SetPolicyTags("ANPANOTHING", nil) },
				func(tx *identity.Tx) error { return tx.DeletePolicy("ANPANOTHING") },
				func(tx *identity.Tx) error { return tx.DeletePolicyVersion("ANPANOTHING", 1) },
				func(tx *identity.Tx) error {
					_, err := tx.CreatePolicyVersion("ANPANOTHING", "", day, true)
					return err
				},
			},
		} {
			for _, change := range change {
				require.ErrorIs(t, f.try(change), want)
			}
		}

		f.do(func(tx *identity.Tx) error { return tx.SetDefaultPolicyVersion(p.ID, 2) })
		f.do(func(tx *identity.Tx) error { return tx.DeletePolicyVersion(p.ID, 3) })
		f.do(func(tx *identity.Tx) error { return tx.DeletePolicyVersion(p.ID, 1) })
		want.DefaultVersion, want.Versions = 2, 1
		requirePolicy()
		var v4 *identity.PolicyVersion
		f.do(func(tx *identity.Tx) (err error) {
			v4, err = tx.CreatePolicyVersion(p.ID, "four", later, false)
			return err
		})
		require.Equal(t, uint32(4), v4.Number, "numbers are never reused")
		f.do(func(tx *identity.Tx) error { return tx.DeletePolicyVersion(p.ID, 4) })
		want.NextVersion = 5
		f.do(func(tx *identity.Tx) error {
			return tx.SetPolicyTags(p.ID, []identity.Tag{{Key: "z"}, {Key: "c"}})
		})
		want.Tags = []identity.Tag{{Key: "c"}, {Key: "z"}}
		requirePolicy()

		f.do(func(tx *identity.Tx) error { return tx.DeletePolicy(p.ID) })
		f.view(func(tx *identity.Tx) {
			_, err := tx.Policy("Read")
			require.Equal(t, identity.ErrNotFound, err)
			_, err = tx.PolicyVersion(p.ID, 2)
			require.Equal(t, identity.ErrNotFound, err)
		})
		second := f.policy("Read")
		require.NotEqual(t, p.ID, second.ID)
		f.view(func(tx *identity.Tx) {
			v, err := tx.DefaultVersion(second.ID)
			require.NoError(t, err)
			require.Equal(t, identity.PolicyVersion{Number: 1, Document: `{"v":1}`, Created: day, Default: true}, *v)
		})
	})
}

func TestAttachments(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		u, g := f.user("alice"), f.group("dev")
		zoo, own := f.policy("zoo"), f.policy("ReadonlyAccess")
		for _, owner := range []string{u.ID, g.ID} {
			for _, r := range []identity.PolicyRef{ref(zoo), readOnlyAccess, ref(own)} {
				f.do(func(tx *identity.Tx) error { return tx.Attach(owner, r) })
				f.do(func(tx *identity.Tx) error { return tx.Attach(owner, r) }) // as AWS: again is no error
			}
		}
		f.requireConsistent()
		f.view(func(tx *identity.Tx) {
			for _, owner := range []string{u.ID, g.ID} {
				refs, err := tx.AttachedPolicies(owner)
				require.NoError(t, err)
				require.ElementsMatch(t, []identity.PolicyRef{readOnlyAccess, ref(own)}, refs[:2], "two policies may have one name")
				require.Equal(t, []identity.PolicyRef{ref(zoo)}, refs[2:])
				page, next := identity.Page(refs, "", 1)
				require.Equal(t, refs[:1], page)
				page, _ = identity.Page(refs, next, 2)
				require.Equal(t, refs[1:], page)
				attached, err := tx.Attached(owner, readOnlyAccess)
				require.NoError(t, err)
				require.True(t, attached)
			}
			c, err := tx.Children(readOnlyAccess.ID)
			require.NoError(t, err)
			require.Equal(t, 2, c.Attachments, "policies of AWS are counted too")
			p, err := tx.Policy("zoo")
			require.NoError(t, err)
			require.Equal(t, 2, p.AttachmentCount)
		})

		f.do(func(tx *identity.Tx) error { return tx.Detach(u.ID, ref(zoo)) })
		gone := identity.PolicyRef{ID: "ANPANOTHING", ARN: "arn:aws:iam::" + account + ":policy/Gone"}
		for _, change := range []func(tx *identity.Tx) error{
			func(tx *identity.Tx) error { return tx.Detach(u.ID, ref(zoo)) },
			func(tx *identity.Tx) error { return tx.Attach("AIDANOBODY", ref(zoo)) },
			func(tx *identity.Tx) error { return tx.Attach("AGPANOTHING", ref(zoo)) },
			func(tx *identity.Tx) error { return tx.Attach(u.ID, gone) },
			func(tx *identity.Tx) error { return tx.Attach(u.ID, identity.PolicyRef{}) },
			func(tx *identity.Tx) error {
				return tx.CreateUser(&identity.User{Name: "bob", Path: "/", Boundary: gone})
			},
			func(tx *identity.Tx) error {
				changed := *u
				changed.Boundary = gone
				return tx.UpdateUser(&changed)
			},
		} {
			require.ErrorIs(t, f.try(change), identity.ErrNotFound)
		}
		require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tx.DeletePolicy(zoo.ID) }), identity.ErrDeleteConflict)
		f.do(func(tx *identity.Tx) error { return tx.Detach(g.ID, ref(zoo)) })
		f.do(func(tx *identity.Tx) error { return tx.DeletePolicy(zoo.ID) })
	})
}

func TestPolicyRef(t *testing.T) {
	for arn, want := range map[string][2]string{
		"arn:aws:iam::123456789012:policy/Read":              {"/", "Read"},
		"arn:aws:iam::123456789012:policy/a/b/Read":          {"/a/b/", "Read"},
		"arn:aws:iam::aws:policy/job-function/ViewOnly":      {"/job-function/", "ViewOnly"},
		"arn:aws:iam::123456789012:policy/Read/Read/Re/Read": {"/Read/Read/Re/", "Read"},
	} {
		r := identity.PolicyRef{ARN: arn}
		require.Equal(t, want, [2]string{r.Path(), r.Name()}, arn)
	}
}

func TestPolicyLists(t *testing.T) {
	f := newFixture(t, memory.Open())
	both, attached, boundary := f.policy("Both"), f.policy("attached"), f.policy("Boundary")
	f.do(func(tx *identity.Tx) error {
		return tx.CreatePolicy(&identity.Policy{Name: "unused", Path: "/x/", Created: day}, "")
	})
	alice, bob := f.user("alice"), f.user("bob")
	alice.Boundary, bob.Boundary, bob.Path = ref(both), ref(boundary), "/x/"
	dev := f.group("dev")
	f.do(func(tx *identity.Tx) error { return tx.UpdateUser(alice) })
	f.do(func(tx *identity.Tx) error { return tx.UpdateUser(bob) })
	f.do(func(tx *identity.Tx) error { return tx.Attach(dev.ID, ref(both)) })
	f.do(func(tx *identity.Tx) error { return tx.Attach(bob.ID, ref(both)) })
	f.do(func(tx *identity.Tx) error { return tx.Attach(dev.ID, ref(attached)) })

	for _, tt := range []struct {
		name   string
		filter identity.PolicyFilter
		want   []string
	}{
		{"all", identity.PolicyFilter{}, []string{"attached", "Both", "Boundary", "unused"}},
		{"any path", identity.PolicyFilter{PathPrefix: "/"}, []string{"attached", "Both", "Boundary", "unused"}},
		{"a path", identity.PolicyFilter{PathPrefix: "/x/"}, []string{"unused"}},
		{"attached", identity.PolicyFilter{OnlyAttached: true}, []string{"attached", "Both"}},
		{"permissions policies", identity.PolicyFilter{Usage: identity.PermissionsPolicy}, []string{"attached", "Both"}},
		{"boundaries", identity.PolicyFilter{Usage: identity.PermissionsBoundary}, []string{"Both", "Boundary"}},
		{"boundaries in use", identity.PolicyFilter{Usage: identity.PermissionsBoundary, OnlyAttached: true}, []string{"Both", "Boundary"}},
		{"attached under a path", identity.PolicyFilter{PathPrefix: "/x/", OnlyAttached: true}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.view(func(tx *identity.Tx) {
				var names []string
				for _, p := range allPolicies(t, tx, tt.filter) {
					names = append(names, p.Name)
				}
				require.Equal(t, tt.want, names)
			})
		})
	}

	entity := map[string]identity.Entity{
		"dev":   {Type: identity.EntityGroup, ID: dev.ID, Name: "dev"},
		"alice": {Type: identity.EntityUser, ID: alice.ID, Name: "alice"},
		"bob":   {Type: identity.EntityUser, ID: bob.ID, Name: "bob"},
	}
	for _, tt := range []struct {
		name   string
		filter identity.EntityFilter
		want   []string
	}{
		{"all", identity.EntityFilter{}, []string{"dev", "alice", "bob"}},
		{"any path", identity.EntityFilter{PathPrefix: "/"}, []string{"dev", "alice", "bob"}},
		{"a path", identity.EntityFilter{PathPrefix: "/x/"}, []string{"bob"}},
		{"groups", identity.EntityFilter{Type: identity.EntityGroup}, []string{"dev"}},
		{"users", identity.EntityFilter{Type: identity.EntityUser}, []string{"alice", "bob"}},
		{"attached to", identity.EntityFilter{Usage: identity.PermissionsPolicy}, []string{"dev", "bob"}},
		{"boundary of", identity.EntityFilter{Usage: identity.PermissionsBoundary}, []string{"alice"}},
		{"roles", identity.EntityFilter{Type: "Role"}, nil},
	} {
		t.Run("entities: "+tt.name, func(t *testing.T) {
			f.view(func(tx *identity.Tx) {
				var want []identity.Entity
				for _, name := range tt.want {
					want = append(want, entity[name])
				}
				got := allEntities(t, tx, both.ID, tt.filter)
				require.ElementsMatch(t, want, got)
				if len(got) == 3 {
					require.Equal(t, identity.EntityGroup, got[0].Type, "groups come first")
				}
			})
		})
	}
	f.requireConsistent()
}

func TestInlinePolicies(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		for _, owner := range []string{f.user("alice").ID, f.group("dev").ID} {
			const document = "\t{\"a\" : \"\u00e9\"}\n"
			for _, p := range []identity.InlinePolicy{{Name: "b", Document: "1"}, {Name: "B", Document: "2"}, {Name: "a", Document: "3"}, {Name: "b", Document: document}} {
				f.do(func(tx *identity.Tx) error { return tx.PutInlinePolicy(owner, p) })
			}
			f.requireConsistent()
			f.view(func(tx *identity.Tx) {
				policies, err := tx.InlinePolicies(owner)
				require.NoError(t, err)
				require.Equal(t, []identity.InlinePolicy{{Name: "a", Document: "3"}, {Name: "B", Document: "2"}, {Name: "b", Document: document}}, policies)
				page, next := identity.Page(policies, "", 2)
				require.Equal(t, policies[:2], page)
				page, next = identity.Page(policies, next, 2)
				require.Equal(t, policies[2:], page)
				require.Empty(t, next)
				p, err := tx.InlinePolicy(owner, "b")
				require.NoError(t, err)
				require.Equal(t, identity.InlinePolicy{Name: "b", Document: document}, *p)
				_, err = tx.InlinePolicy(owner, "A")
				require.Equal(t, identity.ErrNotFound, err, "inline policies are distinguished by case")
			})
			f.do(func(tx *identity.Tx) error { return tx.DeleteInlinePolicy(owner, "b") })
			require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tx.DeleteInlinePolicy(owner, "b") }), identity.ErrNotFound)
		}
		for _, nobody := range []string{"AIDANOBODY", "AGPANOTHING", ""} {
			require.ErrorIs(t, f.try(func(tx *identity.Tx) error {
				return tx.PutInlinePolicy(nobody, identity.InlinePolicy{Name: "p"})
			}), identity.ErrNotFound)
		}
	})
}
