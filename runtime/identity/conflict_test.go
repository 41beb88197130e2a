package identity_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage"
)

// One transaction commits in the middle of another; the store checks no more
// than what the other one got. Whichever is first, the account stays
// consistent, and the other one sees what has happened.
func TestConflicts(t *testing.T) {
	type write = func(tx *identity.Tx) error
	var (
		u    *identity.User
		g    *identity.Group
		p    *identity.Policy
		errs = errors.New("quota")
	)
	createKey := func(tx *identity.Tx) error {
		_, err := tx.CreateAccessKey(&identity.AccessKey{Owner: u.ID}, "")
		return err
	}
	createService := func(tx *identity.Tx) error {
		_, err := tx.CreateServiceAccount(&identity.ServiceAccount{Parent: u.ID}, "")
		return err
	}
	firstKey := func(tx *identity.Tx) error {
		c, err := tx.Children(u.ID)
		if err != nil {
			return err
		}
		if c.AccessKeys > 0 {
			return errs
		}
		return createKey(tx)
	}
	create := func(name string) write {
		return func(tx *identity.Tx) error { return tx.CreateUser(&identity.User{Name: name, Path: "/"}) }
	}
	rename := func(id func() string, name string) write {
		return func(tx *identity.Tx) error {
			renamed, err := tx.UserByID(id())
			if err != nil {
				return err
			}
			renamed.Name = name
			return tx.UpdateUser(renamed)
		}
	}
	self := func() string { return u.ID }
	deleteUser := func(tx *identity.Tx) error { return tx.DeleteUser(u.ID) }
	deleteGroup := func(tx *identity.Tx) error { return tx.DeleteGroup(g.ID) }
	deletePolicy := func(tx *identity.Tx) error { return tx.DeletePolicy(p.ID) }
	inlineUser := func(tx *identity.Tx) error { return tx.PutInlinePolicy(u.ID, identity.InlinePolicy{Name: "p"}) }
	inlineGroup := func(tx *identity.Tx) error { return tx.PutInlinePolicy(g.ID, identity.InlinePolicy{Name: "p"}) }
	attachUser := func(tx *identity.Tx) error { return tx.Attach(u.ID, ref(p)) }
	attachGroup := func(tx *identity.Tx) error { return tx.Attach(g.ID, ref(p)) }
	attachAWS := func(tx *identity.Tx) error { return tx.Attach(u.ID, readOnlyAccess) }
	join := func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, g.ID) }
	leave := func(tx *identity.Tx) error { return tx.RemoveFromGroup(u.ID, g.ID) }
	bounded := func(tx *identity.Tx) error {
		return tx.CreateUser(&identity.User{Name: "bounded", Path: "/", Boundary: ref(p)})
	}
	bound := func(tx *identity.Tx) error {
		changed := *u
		changed.Boundary = ref(p)
		return tx.UpdateUser(&changed)
	}
	newVersion := func(tx *identity.Tx) error { _, err := tx.CreatePolicyVersion(p.ID, "2", day, false); return err }
	none := func(*identity.Tx) error { return nil }

	for _, tt := range []struct {
		name          string
		setUp         write
		first, second write
		want          error // of the second, which the first interrupts
		conflicts     int   // at least
	}{
		{"a key for a user being deleted", none, createKey, deleteUser, identity.ErrDeleteConflict, 1},
		{"a user deleted while it gets a key", none, deleteUser, createKey, identity.ErrNotFound, 1},
		{"a service account for a user being deleted", none, createService, deleteUser, identity.ErrDeleteConflict, 1},
		{"a user deleted while it gets a service account", none, deleteUser, createService, identity.ErrNotFound, 1},
		{"an inline policy for a user being deleted", none, inlineUser, deleteUser, identity.ErrDeleteConflict, 1},
		{"a user deleted while it gets an inline policy", none, deleteUser, inlineUser, identity.ErrNotFound, 1},
		{"a policy for a user being deleted", none, attachUser, deleteUser, identity.ErrDeleteConflict, 1},
		{"a policy of AWS for a user being deleted", none, attachAWS, deleteUser, identity.ErrDeleteConflict, 1},
		{"a user deleted while it gets a policy", none, deleteUser, attachUser, identity.ErrNotFound, 1},
		{"a group for a user being deleted", none, join, deleteUser, nil, 1},
		{"a user deleted while it gets into a group", none, deleteUser, join, identity.ErrNotFound, 1},
		{"a user leaves a group while it is deleted", join, leave, deleteUser, nil, 1},
		{"a member of a group being deleted", none, join, deleteGroup, identity.ErrDeleteConflict, 1},
		{"a group deleted while it gets a member", none, deleteGroup, join, identity.ErrNotFound, 1},
		{"a member deleted with the group", join, deleteUser, deleteGroup, nil, 1},
		{"an inline policy for a group being deleted", none, inlineGroup, deleteGroup, identity.ErrDeleteConflict, 1},
		{"a group deleted while it gets an inline policy", none, deleteGroup, inlineGroup, identity.ErrNotFound, 1},
		{"a policy for a group being deleted", none, attachGroup, deleteGroup, identity.ErrDeleteConflict, 1},
		{"a policy being deleted is attached", none, attachUser, deletePolicy, identity.ErrDeleteConflict, 1},
		{"a policy deleted while it is attached", none, deletePolicy, attachUser, identity.ErrNotFound, 1},
		{"a policy being deleted becomes a boundary", none, bounded, deletePolicy, identity.ErrDeleteConflict, 1},
		{"a policy deleted while it becomes a boundary", none, deletePolicy, bounded, identity.ErrNotFound, 1},
		{"a policy deleted while it becomes a user's boundary", none, deletePolicy, bound, identity.ErrNotFound, 1},
		{"a policy being deleted gets a version", none, newVersion, deletePolicy, identity.ErrDeleteConflict, 1},
		{"a policy deleted while it gets a version", none, deletePolicy, newVersion, identity.ErrNotFound, 1},
		{"two versions at once", none, newVersion, newVersion, nil, 1},
		{
			"a version deleted while it becomes the default", newVersion,
			func(tx *identity.Tx) error { return tx.DeletePolicyVersion(p.ID, 2) },
			func(tx *identity.Tx) error { return tx.SetDefaultPolicyVersion(p.ID, 2) }, identity.ErrNotFound, 1,
		},
		{
			"a version becomes the default while it is deleted", newVersion,
			func(tx *identity.Tx) error { return tx.SetDefaultPolicyVersion(p.ID, 2) },
			func(tx *identity.Tx) error { return tx.DeletePolicyVersion(p.ID, 2) }, identity.ErrDeleteConflict, 1,
		},
		{"two users of one name", none, create("new"), create("NEW"), identity.ErrExists, 1},
		{"a user created under the new name of another", none, create("new"), rename(self, "New"), identity.ErrExists, 1},
		{"a user renamed while it gets into a group", none, rename(self, "new"), join, nil, 1},
		{"a user gets into a group while it is renamed", none, join, rename(self, "new"), nil, 1},
		{"a user renamed while it leaves a group", join, rename(self, "new"), leave, nil, 1},
		{"a member renamed while it is deleted", join, rename(self, "new"), deleteUser, nil, 1},
		{"a quota of one, and two at once", none, firstKey, firstKey, errs, 1},
		{"the same attachment twice", none, attachUser, attachUser, nil, 1},
		{"attached and made a boundary", none, attachUser, bound, nil, 1},
		{"two names that share no record", none, create("new1"), rename(self, "new2"), nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newOptimisticStore()
			f := newFixture(t, store)
			u, g, p = f.user("alice"), f.group("dev"), f.policy("Read")
			f.do(tt.setUp)
			store.conflicts = 0
			store.between = func() { f.do(tt.first) }
			err := f.try(tt.second)
			if tt.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.want)
			}
			require.GreaterOrEqual(t, store.conflicts, tt.conflicts)
			if tt.conflicts == 0 {
				require.Zero(t, store.conflicts)
			}
			f.requireConsistent()
		})
	}
}

// Sixteen at once do all there is to do to the same few entities.
func TestConcurrentWriters(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		g, p := f.group("dev"), f.policy("Read")
		var writers sync.WaitGroup
		unexpected := make(chan error, 16)
		for i := range 16 {
			writers.Go(func() {
				try := func(fn func(tx *identity.Tx) error) {
					_, err := f.db.Update(context.Background(), fn)
					if err != nil && !errors.Is(err, identity.ErrNotFound) && !errors.Is(err, identity.ErrExists) && !errors.Is(err, identity.ErrDeleteConflict) {
						select {
						case unexpected <- err:
						default:
						}
					}
				}
				for round := range 6 {
					name := fmt.Sprintf("user%d", (i+round)%3)
					try(func(tx *identity.Tx) error {
						return tx.CreateUser(&identity.User{Name: name, Path: "/", Created: day})
					})
					with := func(fn func(tx *identity.Tx, u *identity.User) error) {
						try(func(tx *identity.Tx) error {
							u, err := tx.User(name)
							if err != nil {
								return err
							}
							return fn(tx, u)
						})
					}
					with(func(tx *identity.Tx, u *identity.User) error { return tx.AddToGroup(u.ID, g.ID) })
					with(func(tx *identity.Tx, u *identity.User) error { return tx.Attach(u.ID, ref(p)) })
					with(func(tx *identity.Tx, u *identity.User) error {
						u.Name = fmt.Sprintf("user%d", i%5)
						return tx.UpdateUser(u)
					})
					with(func(tx *identity.Tx, u *identity.User) error {
						_, err := tx.CreateAccessKey(&identity.AccessKey{ID: fmt.Sprintf("key%d", i%4), Owner: u.ID}, "")
						return err
					})
					with(func(tx *identity.Tx, u *identity.User) error {
						return tx.DeleteAccessKey(u.ID, fmt.Sprintf("key%d", round%4))
					})
					with(func(tx *identity.Tx, u *identity.User) error { return tx.Detach(u.ID, ref(p)) })
					with(func(tx *identity.Tx, u *identity.User) error { return tx.DeleteUser(u.ID) })
				}
			})
		}
		writers.Wait()
		select {
		case err := <-unexpected:
			require.NoError(t, err)
		default:
		}
	})
}

// Whoever reads a list through a Recorder sees that it has changed, whatever
// the store makes of scans.
func TestRecorderSeesListsChange(t *testing.T) {
	type change = func(tx *identity.Tx) error
	groupsOf := func(tx *identity.Tx, id string) error { _, err := tx.GroupsOf(id); return err }
	inlinePolicies := func(tx *identity.Tx, id string) error { _, err := tx.InlinePolicies(id); return err }
	attachedPolicies := func(tx *identity.Tx, id string) error { _, err := tx.AttachedPolicies(id); return err }
	accessKeys := func(tx *identity.Tx, id string) error { _, err := tx.AccessKeys(id); return err }
	everything := func(tx *identity.Tx, id string) error {
		return errors.Join(groupsOf(tx, id), inlinePolicies(tx, id), attachedPolicies(tx, id), accessKeys(tx, id))
	}
	versions := func(tx *identity.Tx, _ string) error {
		p, err := tx.Policy("Read")
		if err != nil {
			return err
		}
		_, err = tx.PolicyVersions(p.ID)
		return err
	}
	group := func(f *fixture, name string) string {
		var id string
		f.view(func(tx *identity.Tx) {
			g, err := tx.Group(name)
			require.NoError(t, err)
			id = g.ID
		})
		return id
	}
	policy := func(f *fixture) identity.PolicyRef {
		var r identity.PolicyRef
		f.view(func(tx *identity.Tx) {
			p, err := tx.Policy("Read")
			require.NoError(t, err)
			r = ref(p)
		})
		return r
	}
	for _, tt := range []struct {
		name   string
		read   func(tx *identity.Tx, id string) error
		change func(f *fixture, id string) change
		want   bool // unchanged
	}{
		{"nothing happens", everything, nil, true},
		{"another user gets a policy", everything, func(f *fixture, _ string) change {
			other, r := f.user("bob"), policy(f)
			return func(tx *identity.Tx) error { return tx.Attach(other.ID, r) }
		}, true},
		{"another group is joined", groupsOf, func(f *fixture, id string) change {
			ops := group(f, "ops")
			return func(tx *identity.Tx) error { return tx.AddToGroup(id, ops) }
		}, false},
		{"one group is left and another joined", groupsOf, func(f *fixture, id string) change {
			dev, ops := group(f, "dev"), group(f, "ops")
			return func(tx *identity.Tx) error {
				return errors.Join(tx.RemoveFromGroup(id, dev), tx.AddToGroup(id, ops))
			}
		}, false},
		{"a group is disabled", groupsOf, func(f *fixture, _ string) change {
			dev := group(f, "dev")
			return func(tx *identity.Tx) error {
				g, err := tx.GroupByID(dev)
				if err != nil {
					return err
				}
				g.Disabled = true
				return tx.UpdateGroup(g)
			}
		}, false},
		{"an inline policy is added", inlinePolicies, func(_ *fixture, id string) change {
			return func(tx *identity.Tx) error { return tx.PutInlinePolicy(id, identity.InlinePolicy{Name: "q"}) }
		}, false},
		{"an inline policy is replaced", inlinePolicies, func(_ *fixture, id string) change {
			return func(tx *identity.Tx) error {
				return tx.PutInlinePolicy(id, identity.InlinePolicy{Name: "p", Document: "{}"})
			}
		}, false},
		{"an inline policy is deleted", inlinePolicies, func(_ *fixture, id string) change {
			return func(tx *identity.Tx) error { return tx.DeleteInlinePolicy(id, "p") }
		}, false},
		{"a policy is attached", attachedPolicies, func(f *fixture, id string) change {
			r := policy(f)
			return func(tx *identity.Tx) error { return tx.Attach(id, r) }
		}, false},
		{"a policy is detached", attachedPolicies, func(_ *fixture, id string) change {
			return func(tx *identity.Tx) error { return tx.Detach(id, readOnlyAccess) }
		}, false},
		{"a key is created", accessKeys, func(_ *fixture, id string) change {
			return func(tx *identity.Tx) error {
				_, err := tx.CreateAccessKey(&identity.AccessKey{Owner: id}, "")
				return err
			}
		}, false},
		{"a key is made inactive", accessKeys, func(_ *fixture, id string) change {
			return func(tx *identity.Tx) error { return tx.SetAccessKeyStatus(id, "key1", identity.Inactive) }
		}, false},
		{"a version is created", versions, func(f *fixture, _ string) change {
			r := policy(f)
			return func(tx *identity.Tx) error {
				_, err := tx.CreatePolicyVersion(r.ID, "2", day, false)
				return err
			}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, newOptimisticStore())
			u, dev := f.user("alice"), f.group("dev")
			f.group("ops")
			f.policy("Read")
			f.do(func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, dev.ID) })
			f.do(func(tx *identity.Tx) error { return tx.PutInlinePolicy(u.ID, identity.InlinePolicy{Name: "p"}) })
			f.do(func(tx *identity.Tx) error { return tx.Attach(u.ID, readOnlyAccess) })
			f.do(func(tx *identity.Tx) error {
				_, err := tx.CreateAccessKey(&identity.AccessKey{ID: "key1", Owner: u.ID}, "")
				return err
			})
			var recorder *storage.Recorder
			require.NoError(t, f.store.View(t.Context(), func(r storage.Reader) error {
				recorder = storage.NewRecorder(r)
				return tt.read(f.db.NewReadTx(recorder), u.ID)
			}))
			if tt.change != nil {
				f.do(tt.change(f, u.ID))
			}
			require.NoError(t, f.store.View(t.Context(), func(r storage.Reader) error {
				got, err := recorder.Unchanged(r)
				require.Equal(t, tt.want, got)
				return err
			}))
		})
	}
}
