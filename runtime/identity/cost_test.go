package identity_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/memory"
)

// A countingTx counts the operations of a transaction and what it gets.
type countingTx struct {
	storage.Tx
	gets, operations int
}

func (c *countingTx) Get(key []byte) (value []byte, ok bool, err error) {
	c.gets++
	return c.Tx.Get(key)
}

func (c *countingTx) Put(key, value []byte) error {
	c.operations++
	return c.Tx.Put(key, value)
}

func (c *countingTx) Delete(key []byte) error {
	c.operations++
	return c.Tx.Delete(key)
}

// cost runs one transaction and returns its operations.
func (f *fixture) cost(fn func(tx *identity.Tx) error) (operations int) {
	_, err := f.store.Update(f.t.(*testing.T).Context(), func(w storage.Tx) error {
		c := &countingTx{Tx: w}
		err := fn(f.db.NewTx(c))
		operations = c.operations
		return err
	})
	require.NoError(f.t, err)
	return operations
}

// gets runs fn and returns how many records it got; scans are not allowed.
func (f *fixture) gets(fn func(tx *identity.Tx) error) (gets int) {
	err := f.store.View(f.t.(*testing.T).Context(), func(r storage.Reader) error {
		c := &countingTx{Tx: readerTx{r}}
		err := fn(f.db.NewReadTx(c))
		gets = c.gets
		return err
	})
	require.NoError(f.t, err)
	return gets
}

// A readerTx is a Tx of which only Get is used.
type readerTx struct{ storage.Reader }

func (readerTx) Put([]byte, []byte) error { panic("write") }
func (readerTx) Delete([]byte) error      { panic("write") }

// What the documentation says that methods cost is what they cost.
func TestCosts(t *testing.T) {
	f := newFixture(t, memory.Open())
	g, p, q := f.group("dev"), f.policy("Read"), f.policy("Write")
	u := &identity.User{Name: "alice", Path: "/"}
	bounded := &identity.User{Name: "bob", Path: "/", Boundary: ref(p)}
	k := &identity.AccessKey{}
	s := &identity.ServiceAccount{}
	inline := identity.InlinePolicy{Name: "p", Document: "{}"}
	other := &identity.Group{Name: "ops", Path: "/"}
	third := &identity.Policy{Name: "List", Path: "/"}
	for _, tt := range []struct {
		name string
		want int
		do   func(tx *identity.Tx) error
	}{
		{"CreateUser", 3, func(tx *identity.Tx) error { return tx.CreateUser(u) }},
		{"CreateUser with a boundary", 5, func(tx *identity.Tx) error { return tx.CreateUser(bounded) }},
		{"UpdateUser", 2, func(tx *identity.Tx) error { u.Disabled = true; return tx.UpdateUser(u) }},
		{"UpdateUser: path", 2, func(tx *identity.Tx) error { u.Path = "/x/"; return tx.UpdateUser(u) }},
		{"UpdateUser: name", 3, func(tx *identity.Tx) error { u.Name = "al"; return tx.UpdateUser(u) }},
		{"UpdateUser: name and path", 3, func(tx *identity.Tx) error { u.Name, u.Path = "alice", "/"; return tx.UpdateUser(u) }},
		{"UpdateUser: case of the name", 2, func(tx *identity.Tx) error { u.Name = "Alice"; return tx.UpdateUser(u) }},
		{"UpdateUser: another boundary", 6, func(tx *identity.Tx) error { bounded.Boundary = ref(q); return tx.UpdateUser(bounded) }},
		{"CreateGroup", 3, func(tx *identity.Tx) error { return tx.CreateGroup(other) }},
		{"UpdateGroup", 2, func(tx *identity.Tx) error { other.Disabled = true; return tx.UpdateGroup(other) }},
		{"UpdateGroup: path", 2, func(tx *identity.Tx) error { other.Path = "/x/"; return tx.UpdateGroup(other) }},
		{"UpdateGroup: name", 3, func(tx *identity.Tx) error { other.Name = "admin"; return tx.UpdateGroup(other) }},
		{"AddToGroup", 4, func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, g.ID) }},
		{"AddToGroup of a member", 0, func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, g.ID) }},
		{"UpdateUser: name of a member", 5, func(tx *identity.Tx) error { u.Name = "al"; return tx.UpdateUser(u) }},
		{"RemoveFromGroup", 4, func(tx *identity.Tx) error { return tx.RemoveFromGroup(u.ID, g.ID) }},
		{"CreateAccessKey", 3, func(tx *identity.Tx) error { k.Owner = u.ID; _, err := tx.CreateAccessKey(k, ""); return err }},
		{"SetAccessKeyStatus", 1, func(tx *identity.Tx) error { return tx.SetAccessKeyStatus(u.ID, k.ID, identity.Inactive) }},
		{"PutKeyLastUsed", 1, func(tx *identity.Tx) error { return tx.PutKeyLastUsed(k.ID, identity.LastUsed{Time: day}) }},
		{"DeleteAccessKey", 4, func(tx *identity.Tx) error { return tx.DeleteAccessKey(u.ID, k.ID) }},
		{"PutInlinePolicy", 2, func(tx *identity.Tx) error { return tx.PutInlinePolicy(u.ID, inline) }},
		{"PutInlinePolicy that replaces", 2, func(tx *identity.Tx) error { return tx.PutInlinePolicy(u.ID, inline) }},
		{"DeleteInlinePolicy", 2, func(tx *identity.Tx) error { return tx.DeleteInlinePolicy(u.ID, "p") }},
		{"Attach", 4, func(tx *identity.Tx) error { return tx.Attach(u.ID, ref(p)) }},
		{"Attach again", 0, func(tx *identity.Tx) error { return tx.Attach(u.ID, ref(p)) }},
		{"Detach", 4, func(tx *identity.Tx) error { return tx.Detach(u.ID, ref(p)) }},
		{"CreateServiceAccount", 5, func(tx *identity.Tx) error { s.Parent = u.ID; _, err := tx.CreateServiceAccount(s, ""); return err }},
		{"UpdateServiceAccount", 1, func(tx *identity.Tx) error { return tx.UpdateServiceAccount(s) }},
		{"DeleteServiceAccount", 6, func(tx *identity.Tx) error { return tx.DeleteServiceAccount(s.ID) }},
		{"CreatePolicy", 5, func(tx *identity.Tx) error { return tx.CreatePolicy(third, "{}") }},
		{"SetPolicyTags", 2, func(tx *identity.Tx) error { return tx.SetPolicyTags(third.ID, nil) }},
		{"CreatePolicyVersion", 4, func(tx *identity.Tx) error { _, err := tx.CreatePolicyVersion(third.ID, "{}", day, true); return err }},
		{"SetDefaultPolicyVersion", 2, func(tx *identity.Tx) error { return tx.SetDefaultPolicyVersion(third.ID, 2) }},
		{"DeletePolicyVersion", 4, func(tx *identity.Tx) error { return tx.DeletePolicyVersion(third.ID, 1) }},
		{"DeletePolicy", 6, func(tx *identity.Tx) error { return tx.DeletePolicy(third.ID) }},
		{"DeleteGroup", 4, func(tx *identity.Tx) error { return tx.DeleteGroup(g.ID) }},
		{"DeleteUser", 4, func(tx *identity.Tx) error { return tx.DeleteUser(u.ID) }},
		{"DeleteUser with a boundary", 6, func(tx *identity.Tx) error { return tx.DeleteUser(bounded.ID) }},
		{"SetAlias", 1, func(tx *identity.Tx) error { return tx.SetAlias("a") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, f.cost(tt.do))
			f.requireConsistent()
		})
	}
}

// The largest transactions fit: a user in as many groups as there can be, with
// a boundary, is renamed, bounded otherwise, moved, and deleted.
func TestLargestCosts(t *testing.T) {
	f := newFixture(t, memory.Open())
	p, q := f.policy("Read"), f.policy("Write")
	u := &identity.User{Name: "alice", Path: "/", Boundary: ref(p)}
	f.do(func(tx *identity.Tx) error { return tx.CreateUser(u) })
	for i := range identity.MaxGroupsPerUser {
		g := f.group(fmt.Sprintf("g%d", i))
		f.do(func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, g.ID) })
	}
	u.Name, u.Path, u.Boundary = "bob", "/x/", ref(q)
	require.Equal(t, 3+4+2*identity.MaxGroupsPerUser, f.cost(func(tx *identity.Tx) error { return tx.UpdateUser(u) }))
	f.requireConsistent()
	operations := f.cost(func(tx *identity.Tx) error { return tx.DeleteUser(u.ID) })
	require.Equal(t, 6+3*identity.MaxGroupsPerUser, operations)
	require.LessOrEqual(t, operations, storage.MaxOperations)
	f.requireConsistent()
}

// How many records the hot reads get.
func TestGets(t *testing.T) {
	f := newFixture(t, memory.Open())
	u, p := f.user("alice"), f.policy("Read")
	f.group("dev")
	k, _ := f.accessKey(u.ID)
	s, _ := f.serviceAccount(u.ID)
	for _, tt := range []struct {
		name string
		want int
		do   func(tx *identity.Tx) error
	}{
		{"User", 1, func(tx *identity.Tx) error { _, err := tx.User("alice"); return err }},
		{"UserByID", 1, func(tx *identity.Tx) error { _, err := tx.UserByID(u.ID); return err }},
		{"Group", 1, func(tx *identity.Tx) error { _, err := tx.Group("dev"); return err }},
		{"Policy", 2, func(tx *identity.Tx) error { _, err := tx.Policy("Read"); return err }},
		{"Credential of a user", 2, func(tx *identity.Tx) error { _, err := tx.Credential(k.ID); return err }},
		{"Credential of a service account", 3, func(tx *identity.Tx) error { _, err := tx.Credential(s.AccessKeyID); return err }},
		{"DefaultVersion", 2, func(tx *identity.Tx) error { _, err := tx.DefaultVersion(p.ID); return err }},
		{"InlinePolicies of who has none", 1, func(tx *identity.Tx) error { _, err := tx.InlinePolicies(u.ID); return err }},
		{"GroupsOf who is in none", 1, func(tx *identity.Tx) error { _, err := tx.GroupsOf(u.ID); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, f.gets(tt.do)) })
	}
}
