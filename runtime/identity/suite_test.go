package identity_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/bolt"
	"iamserver/runtime/storage/memory"
)

const account = "123456789012"

// day is when everything in these tests is created.
var day = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// readOnlyAccess is a policy of AWS, which is not stored.
var readOnlyAccess = identity.PolicyRef{ID: "ANPAILL3HVNFSB6DCOWYQ", ARN: "arn:aws:iam::aws:policy/ReadOnlyAccess"}

// A testSealer is AES-GCM under a key made from a password.
type testSealer string

func (s testSealer) aead() cipher.AEAD {
	key := make([]byte, 32)
	copy(key, s)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func (s testSealer) Seal(secret []byte, owner, accessKeyID string) ([]byte, error) {
	return s.aead().Seal(nil, nil, secret, []byte(owner+"/"+accessKeyID)), nil
}

func (s testSealer) Open(sealed []byte, owner, accessKeyID string) ([]byte, error) {
	return s.aead().Open(nil, nil, sealed, []byte(owner+"/"+accessKeyID))
}

// A fixture is a DB and its store, with methods that fail the test.
type fixture struct {
	t     require.TestingT
	db    *identity.DB
	store storage.Store
}

func newFixture(t require.TestingT, store storage.Store) *fixture {
	db, err := identity.Open(context.Background(), store, identity.Config{Account: account, Sealer: testSealer("a"), Rand: rand.Reader})
	require.NoError(t, err)
	return &fixture{t, db, store}
}

// eachBackend runs a test on every backend, and on the least that one may do.
func eachBackend(t *testing.T, test func(t *testing.T, f *fixture)) {
	for name, open := range map[string]func(t *testing.T) storage.Store{
		"optimistic": func(*testing.T) storage.Store { return newOptimisticStore() },
		"memory":     func(*testing.T) storage.Store { return memory.Open() },
		"bolt": func(t *testing.T) storage.Store {
			store, err := bolt.Open(filepath.Join(t.TempDir(), "iam.db"), bolt.Config{MapSize: 1 << 24})
			require.NoError(t, err)
			return store
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			f := newFixture(t, store)
			test(t, f)
			f.requireConsistent()
			require.NoError(t, store.Close())
		})
	}
}

func (f *fixture) view(fn func(tx *identity.Tx)) {
	err := f.db.View(context.Background(), func(tx *identity.Tx) error {
		fn(tx)
		return nil
	})
	require.NoError(f.t, err)
}

// try runs one transaction and returns its error.
func (f *fixture) try(fn func(tx *identity.Tx) error) error {
	_, err := f.db.Update(context.Background(), fn)
	return err
}

// do runs one transaction that must succeed.
func (f *fixture) do(fn func(tx *identity.Tx) error) { require.NoError(f.t, f.try(fn)) }

func (f *fixture) user(name string) *identity.User {
	u := &identity.User{Name: name, Path: "/", Created: day}
	f.do(func(tx *identity.Tx) error { return tx.CreateUser(u) })
	return u
}

func (f *fixture) group(name string) *identity.Group {
	g := &identity.Group{Name: name, Path: "/", Created: day}
	f.do(func(tx *identity.Tx) error { return tx.CreateGroup(g) })
	return g
}

func (f *fixture) policy(name string) *identity.Policy {
	p := &identity.Policy{Name: name, Path: "/", Created: day}
	f.do(func(tx *identity.Tx) error { return tx.CreatePolicy(p, `{"v":1}`) })
	return p
}

func (f *fixture) accessKey(userID string) (*identity.AccessKey, identity.Secret) {
	k := &identity.AccessKey{Owner: userID, Created: day}
	var secret identity.Secret
	f.do(func(tx *identity.Tx) (err error) {
		secret, err = tx.CreateAccessKey(k, "")
		return err
	})
	return k, secret
}

func (f *fixture) serviceAccount(userID string) (*identity.ServiceAccount, identity.Secret) {
	s := &identity.ServiceAccount{Parent: userID, Created: day}
	var secret identity.Secret
	f.do(func(tx *identity.Tx) (err error) {
		secret, err = tx.CreateServiceAccount(s, "")
		return err
	})
	return s, secret
}

func ref(p *identity.Policy) identity.PolicyRef {
	return identity.PolicyRef{ID: p.ID, ARN: "arn:aws:iam::" + account + ":policy" + p.Path + p.Name}
}

// all reads every page of a list, two entities at a time.
func all[T any](t require.TestingT, list func(after string, limit int) ([]T, string, error)) []T {
	var items []T
	for after := ""; ; {
		page, next, err := list(after, 2)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), 2)
		items = append(items, page...)
		if next == "" {
			return items
		}
		after = next
	}
}

func allUsers(t require.TestingT, tx *identity.Tx) []identity.User {
	return all(t, func(after string, limit int) ([]identity.User, string, error) { return tx.Users("", after, limit) })
}

func allGroups(t require.TestingT, tx *identity.Tx) []identity.Group {
	return all(t, func(after string, limit int) ([]identity.Group, string, error) { return tx.Groups("", after, limit) })
}

func allPolicies(t require.TestingT, tx *identity.Tx, filter identity.PolicyFilter) []identity.Policy {
	return all(t, func(after string, limit int) ([]identity.Policy, string, error) {
		return tx.Policies(filter, after, limit)
	})
}

func allMembers(t require.TestingT, tx *identity.Tx, groupID string) []identity.User {
	return all(t, func(after string, limit int) ([]identity.User, string, error) {
		return tx.Members(groupID, after, limit)
	})
}

func allEntities(t require.TestingT, tx *identity.Tx, policyID string, filter identity.EntityFilter) []identity.Entity {
	return all(t, func(after string, limit int) ([]identity.Entity, string, error) {
		return tx.Entities(policyID, filter, after, limit)
	})
}

func allServiceAccounts(t require.TestingT, tx *identity.Tx, userID string) []identity.ServiceAccount {
	return all(t, func(after string, limit int) ([]identity.ServiceAccount, string, error) {
		return tx.ServiceAccounts(userID, after, limit)
	})
}

// counts returns Children without its version.
func counts(c identity.Children) [8]int {
	return [8]int{c.AccessKeys, c.Groups, c.ServiceAccounts, c.InlinePolicies, c.AttachedPolicies, c.Members, c.Attachments, c.Boundaries}
}

// dump returns every record, with slashes for the NULs in keys.
func (f *fixture) dump() map[string]string {
	records := map[string]string{}
	err := f.store.View(context.Background(), func(r storage.Reader) error {
		for record, err := range r.Scan(nil, nil, 0) {
			if err != nil {
				return err
			}
			records[strings.ReplaceAll(string(record.Key), "\x00", "/")] = string(record.Value)
		}
		return nil
	})
	require.NoError(f.t, err)
	return records
}

// requireConsistent reads everything through the lists, works out which keys
// there must be, and requires these and no others. The keys are spelled out
// because data written today must be found tomorrow.
func (f *fixture) requireConsistent() {
	want := map[string]bool{"meta": true}
	children := map[string]*identity.Children{}
	parent := func(id string) *identity.Children {
		if children[id] == nil {
			children[id] = &identity.Children{}
		}
		return children[id]
	}
	key := func(parts ...string) {
		want[account+"/"+strings.Join(parts, "/")] = true
	}
	var sum identity.Counts
	// What belongs to users and groups alike.
	policies := func(tx *identity.Tx, typ identity.EntityType, id string) {
		inline, err := tx.InlinePolicies(id)
		require.NoError(f.t, err)
		for _, p := range inline {
			key("i", id, strings.ToLower(p.Name), p.Name)
			parent(id).InlinePolicies++
		}
		attached, err := tx.AttachedPolicies(id)
		require.NoError(f.t, err)
		for _, p := range attached {
			key("at", id, strings.ToLower(p.Name()), p.ID)
			key("pe", p.ID, string(typ), id)
			parent(id).AttachedPolicies++
			parent(p.ID).Attachments++
		}
	}
	f.view(func(tx *identity.Tx) {
		for _, u := range allUsers(f.t, tx) {
			sum.Users++
			byID, err := tx.UserByID(u.ID)
			require.NoError(f.t, err)
			require.Equal(f.t, u, *byID, "the index has what the record has")
			key("u", u.ID)
			key("un", strings.ToLower(u.Name))
			keys, err := tx.AccessKeys(u.ID)
			require.NoError(f.t, err)
			for _, k := range keys {
				require.Equal(f.t, u.ID, k.Owner)
				key("k", k.ID)
				key("uk", u.ID, k.ID)
				parent(u.ID).AccessKeys++
			}
			groups, err := tx.GroupsOf(u.ID)
			require.NoError(f.t, err)
			for _, g := range groups {
				key("ug", u.ID, g.ID)
				key("gm", g.ID, strings.ToLower(u.Name))
				parent(u.ID).Groups++
				parent(g.ID).Members++
			}
			for _, s := range allServiceAccounts(f.t, tx, u.ID) {
				sum.ServiceAccounts++
				require.Equal(f.t, u.ID, s.Parent)
				key("s", s.ID)
				key("us", u.ID, s.ID)
				key("k", s.AccessKeyID)
				parent(u.ID).ServiceAccounts++
			}
			if u.Boundary.ID != "" {
				key("pe", u.Boundary.ID, "User", u.ID)
				parent(u.Boundary.ID).Boundaries++
			}
			policies(tx, identity.EntityUser, u.ID)
			parent(u.ID)
		}
		for _, g := range allGroups(f.t, tx) {
			sum.Groups++
			byID, err := tx.GroupByID(g.ID)
			require.NoError(f.t, err)
			require.Equal(f.t, g, *byID)
			key("g", g.ID)
			key("gn", strings.ToLower(g.Name))
			policies(tx, identity.EntityGroup, g.ID)
			parent(g.ID)
		}
		for _, p := range allPolicies(f.t, tx, identity.PolicyFilter{}) {
			sum.Policies++
			byID, err := tx.PolicyByID(p.ID)
			require.NoError(f.t, err)
			require.Equal(f.t, p, *byID)
			key("p", p.ID)
			key("pn", strings.ToLower(p.Name))
			versions, err := tx.PolicyVersions(p.ID)
			require.NoError(f.t, err)
			require.Len(f.t, versions, p.Versions)
			sum.PolicyVersions += len(versions)
			for _, v := range versions {
				key("pv", p.ID, fmt.Sprintf("%08x", ^v.Number))
			}
			parent(p.ID)
		}
		for id, want := range children {
			got, err := tx.Children(id)
			require.NoError(f.t, err)
			require.Equal(f.t, counts(*want), counts(got), id)
		}
		got, err := tx.Counts()
		require.NoError(f.t, err)
		require.Equal(f.t, sum, got)
	})
	// Keys that may be there as well, next to those that must.
	may := func(key string) bool {
		fields := strings.Split(key, "/")
		switch fields[1] {
		case "n", "a":
			return true
		case "c":
			return children[fields[2]] != nil || fields[2] == readOnlyAccess.ID
		case "kl":
			return want[account+"/k/"+fields[2]]
		}
		return false
	}
	have := f.dump()
	maps.DeleteFunc(have, func(key, _ string) bool { return !want[key] && may(key) })
	require.Equal(f.t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(have)))
}
