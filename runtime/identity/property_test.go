package identity_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/memory"
)

// A model is an account in the plainest form: everything by id, no index.
type model struct {
	users    map[string]*modelUser
	groups   map[string]*modelGroup
	policies map[string]*modelPolicy
}

type modelPolicies struct {
	inline   map[string]string // name to document
	attached map[string]identity.PolicyRef
}

func newModelPolicies() modelPolicies {
	return modelPolicies{map[string]string{}, map[string]identity.PolicyRef{}}
}

func (p modelPolicies) count() int { return len(p.inline) + len(p.attached) }

type modelUser struct {
	identity.User
	modelPolicies
	groups   map[string]bool
	keys     map[string]modelKey
	services map[string]modelService
}

type modelKey struct {
	identity.AccessKey
	secret identity.Secret
}

type modelService struct {
	identity.ServiceAccount
	secret identity.Secret
}

type modelGroup struct {
	identity.Group
	modelPolicies
}

type modelPolicy struct {
	identity.Policy
	versions map[uint32]string
}

func (m *model) userNamed(name string) *modelUser {
	for _, u := range m.users {
		if strings.EqualFold(u.Name, name) {
			return u
		}
	}
	return nil
}

func (m *model) groupNamed(name string) *modelGroup {
	for _, g := range m.groups {
		if strings.EqualFold(g.Name, name) {
			return g
		}
	}
	return nil
}

func (m *model) policyNamed(name string) *modelPolicy {
	for _, p := range m.policies {
		if strings.EqualFold(p.Name, name) {
			return p
		}
	}
	return nil
}

func (m *model) members(groupID string) (members []identity.User) {
	for _, u := range m.users {
		if u.groups[groupID] {
			members = append(members, u.User)
		}
	}
	return byName(members, func(u identity.User) string { return u.Name })
}

// entities are the groups and then the users that use a policy, by id.
func (m *model) entities(policyID string, usage identity.PolicyUsage) (entities []identity.Entity) {
	for _, id := range slices.Sorted(maps.Keys(m.groups)) {
		_, attached := m.groups[id].attached[policyID]
		if attached && usage != identity.PermissionsBoundary {
			entities = append(entities, identity.Entity{Type: identity.EntityGroup, ID: id, Name: m.groups[id].Name})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.users)) {
		u := m.users[id]
		_, attached := u.attached[policyID]
		boundary := u.Boundary.ID == policyID
		if attached && usage != identity.PermissionsBoundary || boundary && usage != identity.PermissionsPolicy {
			entities = append(entities, identity.Entity{Type: identity.EntityUser, ID: id, Name: u.Name})
		}
	}
	return entities
}

// policy returns the policy with its counts.
func (m *model) policy(p *modelPolicy) identity.Policy {
	policy := p.Policy
	policy.Versions = len(p.versions)
	policy.AttachmentCount = len(m.entities(p.ID, identity.PermissionsPolicy))
	policy.BoundaryCount = len(m.entities(p.ID, identity.PermissionsBoundary))
	return policy
}

func byName[T any](items []T, name func(T) string) []T {
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(strings.ToLower(name(a)), strings.ToLower(name(b))) })
	return items
}

func sorted[V any](m map[string]V) []V {
	var values []V
	for _, key := range slices.Sorted(maps.Keys(m)) {
		values = append(values, m[key])
	}
	return values
}

// TestAnyHistory does anything in any order to a store and to a model: each
// operation fails as the model says, and everything that can be read is as
// the model has it.
func TestAnyHistory(t *testing.T) {
	t.Run("memory", rapid.MakeCheck(func(t *rapid.T) { anyHistory(t, memory.Open()) }))
	t.Run("optimistic", rapid.MakeCheck(func(t *rapid.T) { anyHistory(t, newOptimisticStore()) }))
}

func anyHistory(t *rapid.T, store storage.Store) {
	f := newFixture(t, store)
	m := &model{users: map[string]*modelUser{}, groups: map[string]*modelGroup{}, policies: map[string]*modelPolicy{}}
	names := func(label string, names ...string) string { return rapid.SampledFrom(names).Draw(t, label) }
	userName := func() string { return names("user", "alice", "Alice", "ALICE-1", "alice-1", "bob", "Bob", "b", "z") }
	groupName := func() string { return names("group", "dev", "Dev", "ops", "alice") }
	policyName := func() string { return names("policy", "Read", "read", "Write", "ReadOnlyAccess") }
	path := func() string { return names("path", "/", "/a/", "/a/b/") }
	created := day
	tick := func() time.Time { created = created.Add(time.Second); return created }

	anyUser := func() *modelUser {
		if len(m.users) == 0 {
			t.Skip("no user")
		}
		return m.users[rapid.SampledFrom(slices.Sorted(maps.Keys(m.users))).Draw(t, "user")]
	}
	anyGroup := func() *modelGroup {
		if len(m.groups) == 0 {
			t.Skip("no group")
		}
		return m.groups[rapid.SampledFrom(slices.Sorted(maps.Keys(m.groups))).Draw(t, "group")]
	}
	anyPolicy := func() *modelPolicy {
		if len(m.policies) == 0 {
			t.Skip("no policy")
		}
		return m.policies[rapid.SampledFrom(slices.Sorted(maps.Keys(m.policies))).Draw(t, "policy")]
	}
	anyRef := func() identity.PolicyRef {
		refs := []identity.PolicyRef{readOnlyAccess}
		for _, p := range sorted(m.policies) {
			refs = append(refs, ref(&p.Policy))
		}
		return rapid.SampledFrom(refs).Draw(t, "policy")
	}
	// anyOwner returns a user or a group and its policies.
	anyOwner := func() (string, modelPolicies) {
		if rapid.Bool().Draw(t, "of a group") {
			g := anyGroup()
			return g.ID, g.modelPolicies
		}
		u := anyUser()
		return u.ID, u.modelPolicies
	}
	// outcome runs an operation and requires an error or its absence; it
	// returns whether the model has to follow.
	outcome := func(want error, fn func(tx *identity.Tx) error) bool {
		err := f.try(fn)
		if want != nil {
			require.ErrorIs(t, err, want)
			return false
		}
		require.NoError(t, err)
		return true
	}
	when := func(condition bool, err error) error {
		if condition {
			return err
		}
		return nil
	}

	t.Repeat(map[string]func(*rapid.T){
		"create user": func(t *rapid.T) {
			u := identity.User{Name: userName(), Path: path(), Created: tick()}
			if rapid.Bool().Draw(t, "bounded") {
				u.Boundary = anyRef()
			}
			if outcome(when(m.userNamed(u.Name) != nil, identity.ErrExists), func(tx *identity.Tx) error { return tx.CreateUser(&u) }) {
				require.Nil(t, m.users[u.ID], "ids are new")
				m.users[u.ID] = &modelUser{u, newModelPolicies(), map[string]bool{}, map[string]modelKey{}, map[string]modelService{}}
			}
		},
		"update user": func(t *rapid.T) {
			old := anyUser()
			u := old.User
			u.Name, u.Path, u.Disabled = userName(), path(), rapid.Bool().Draw(t, "disabled")
			u.Boundary = identity.PolicyRef{}
			if rapid.Bool().Draw(t, "bounded") {
				u.Boundary = anyRef()
			}
			other := m.userNamed(u.Name)
			if outcome(when(other != nil && other != old, identity.ErrExists), func(tx *identity.Tx) error { return tx.UpdateUser(&u) }) {
				old.User = u
			}
		},
		"delete user": func(*rapid.T) {
			u := anyUser()
			conflict := len(u.keys)+len(u.services)+u.count() > 0
			if outcome(when(conflict, identity.ErrDeleteConflict), func(tx *identity.Tx) error { return tx.DeleteUser(u.ID) }) {
				delete(m.users, u.ID)
			}
		},
		"create group": func(*rapid.T) {
			g := identity.Group{Name: groupName(), Path: path(), Created: tick()}
			if outcome(when(m.groupNamed(g.Name) != nil, identity.ErrExists), func(tx *identity.Tx) error { return tx.CreateGroup(&g) }) {
				m.groups[g.ID] = &modelGroup{g, newModelPolicies()}
			}
		},
		"update group": func(t *rapid.T) {
			old := anyGroup()
			g := old.Group
			g.Name, g.Path, g.Disabled = groupName(), path(), rapid.Bool().Draw(t, "disabled")
			other := m.groupNamed(g.Name)
			if outcome(when(other != nil && other != old, identity.ErrExists), func(tx *identity.Tx) error { return tx.UpdateGroup(&g) }) {
				old.Group = g
			}
		},
		"delete group": func(*rapid.T) {
			g := anyGroup()
			conflict := len(m.members(g.ID))+g.count() > 0
			if outcome(when(conflict, identity.ErrDeleteConflict), func(tx *identity.Tx) error { return tx.DeleteGroup(g.ID) }) {
				delete(m.groups, g.ID)
			}
		},
		"add to group": func(*rapid.T) {
			u, g := anyUser(), anyGroup()
			outcome(nil, func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, g.ID) })
			u.groups[g.ID] = true
		},
		"remove from group": func(*rapid.T) {
			u, g := anyUser(), anyGroup()
			outcome(when(!u.groups[g.ID], identity.ErrNotFound), func(tx *identity.Tx) error { return tx.RemoveFromGroup(u.ID, g.ID) })
			delete(u.groups, g.ID)
		},
		"put inline policy": func(t *rapid.T) {
			id, owner := anyOwner()
			p := identity.InlinePolicy{Name: names("inline", "p", "P", "q"), Document: rapid.String().Draw(t, "document")}
			outcome(nil, func(tx *identity.Tx) error { return tx.PutInlinePolicy(id, p) })
			owner.inline[p.Name] = p.Document
		},
		"delete inline policy": func(*rapid.T) {
			id, owner := anyOwner()
			name := names("inline", "p", "P", "q")
			_, there := owner.inline[name]
			outcome(when(!there, identity.ErrNotFound), func(tx *identity.Tx) error { return tx.DeleteInlinePolicy(id, name) })
			delete(owner.inline, name)
		},
		"attach": func(*rapid.T) {
			id, owner := anyOwner()
			r := anyRef()
			outcome(nil, func(tx *identity.Tx) error { return tx.Attach(id, r) })
			owner.attached[r.ID] = r
		},
		"detach": func(*rapid.T) {
			id, owner := anyOwner()
			r := anyRef()
			_, there := owner.attached[r.ID]
			outcome(when(!there, identity.ErrNotFound), func(tx *identity.Tx) error { return tx.Detach(id, r) })
			delete(owner.attached, r.ID)
		},
		"create policy": func(*rapid.T) {
			p := identity.Policy{Name: policyName(), Path: path(), Created: tick()}
			if outcome(when(m.policyNamed(p.Name) != nil, identity.ErrExists), func(tx *identity.Tx) error { return tx.CreatePolicy(&p, "1") }) {
				m.policies[p.ID] = &modelPolicy{p, map[uint32]string{1: "1"}}
			}
		},
		"create policy version": func(t *rapid.T) {
			p := anyPolicy()
			at, document, setDefault := tick(), rapid.String().Draw(t, "document"), rapid.Bool().Draw(t, "default")
			outcome(nil, func(tx *identity.Tx) error {
				v, err := tx.CreatePolicyVersion(p.ID, document, at, setDefault)
				require.Equal(t, p.NextVersion, v.Number)
				return err
			})
			p.versions[p.NextVersion] = document
			if setDefault {
				p.DefaultVersion = p.NextVersion
			}
			p.NextVersion, p.Updated = p.NextVersion+1, at
		},
		"set default policy version": func(t *rapid.T) {
			p := anyPolicy()
			number := rapid.Uint32Range(1, p.NextVersion).Draw(t, "version")
			_, there := p.versions[number]
			if outcome(when(!there, identity.ErrNotFound), func(tx *identity.Tx) error { return tx.SetDefaultPolicyVersion(p.ID, number) }) {
				p.DefaultVersion = number
			}
		},
		"delete policy version": func(t *rapid.T) {
			p := anyPolicy()
			number := rapid.Uint32Range(1, p.NextVersion).Draw(t, "version")
			_, there := p.versions[number]
			want := cmp.Or(when(!there, identity.ErrNotFound), when(number == p.DefaultVersion, identity.ErrDeleteConflict))
			if outcome(want, func(tx *identity.Tx) error { return tx.DeletePolicyVersion(p.ID, number) }) {
				delete(p.versions, number)
			}
		},
		"delete policy": func(*rapid.T) {
			p := anyPolicy()
			conflict := len(p.versions) > 1 || len(m.entities(p.ID, "")) > 0
			if outcome(when(conflict, identity.ErrDeleteConflict), func(tx *identity.Tx) error { return tx.DeletePolicy(p.ID) }) {
				delete(m.policies, p.ID)
			}
		},
		"create access key": func(*rapid.T) {
			u := anyUser()
			k := modelKey{AccessKey: identity.AccessKey{ID: names("key", "", "KEY1", "key1", "KEY2"), Owner: u.ID, Created: tick()}}
			taken := false
			for _, other := range m.users {
				_, has := other.keys[k.ID]
				taken = taken || has
			}
			if outcome(when(taken, identity.ErrExists), func(tx *identity.Tx) (err error) {
				k.secret, err = tx.CreateAccessKey(&k.AccessKey, "")
				return err
			}) {
				u.keys[k.ID] = k
			}
		},
		"set access key status": func(*rapid.T) {
			u := anyUser()
			id := names("key", "KEY1", "key1", "KEY2")
			k, has := u.keys[id]
			k.Status = identity.Status(names("status", "Active", "Inactive"))
			if outcome(when(!has, identity.ErrNotFound), func(tx *identity.Tx) error { return tx.SetAccessKeyStatus(u.ID, id, k.Status) }) {
				u.keys[id] = k
			}
		},
		"delete access key": func(t *rapid.T) {
			u := anyUser()
			ids := append(slices.Sorted(maps.Keys(u.keys)), "KEY1")
			id := rapid.SampledFrom(ids).Draw(t, "key")
			_, has := u.keys[id]
			outcome(when(!has, identity.ErrNotFound), func(tx *identity.Tx) error { return tx.DeleteAccessKey(u.ID, id) })
			delete(u.keys, id)
		},
		"create service account": func(*rapid.T) {
			u := anyUser()
			s := modelService{ServiceAccount: identity.ServiceAccount{Parent: u.ID, Created: tick()}}
			outcome(nil, func(tx *identity.Tx) (err error) {
				s.secret, err = tx.CreateServiceAccount(&s.ServiceAccount, "")
				return err
			})
			require.True(t, strings.HasPrefix(s.ID, "sa:"+u.Name+":"))
			u.services[s.ID] = s
		},
		"delete service account": func(t *rapid.T) {
			u := anyUser()
			if len(u.services) == 0 {
				t.Skip("no service account")
			}
			id := rapid.SampledFrom(slices.Sorted(maps.Keys(u.services))).Draw(t, "service account")
			outcome(nil, func(tx *identity.Tx) error { return tx.DeleteServiceAccount(id) })
			delete(u.services, id)
		},
		"": func(t *rapid.T) {
			f.t = t
			f.view(func(tx *identity.Tx) { m.require(t, tx) })
			f.requireConsistent()
		},
	})
}

// require requires what tx reads to be as the model has it.
func (m *model) require(t *rapid.T, tx *identity.Tx) {
	var users []identity.User
	var services []identity.ServiceAccount
	for _, u := range m.users {
		users = append(users, u.User)
		for _, name := range []string{u.Name, strings.ToUpper(u.Name)} {
			got, err := tx.User(name)
			require.NoError(t, err)
			require.Equal(t, u.User, *got)
		}
		var groups []identity.Group
		for id := range u.groups {
			groups = append(groups, m.groups[id].Group)
		}
		gotGroups, err := tx.GroupsOf(u.ID)
		require.NoError(t, err)
		require.Equal(t, byName(groups, func(g identity.Group) string { return g.Name }), gotGroups)

		keys, err := tx.AccessKeys(u.ID)
		require.NoError(t, err)
		require.Len(t, keys, len(u.keys))
		for _, k := range sorted(u.keys) {
			c, err := tx.Credential(k.ID)
			require.NoError(t, err)
			require.Equal(t, identity.Credential{Key: c.Key, Secret: k.secret, User: &u.User}, *c)
			require.Contains(t, keys, c.Key)
			require.Equal(t, k.Status, c.Key.Status)
			require.Equal(t, k.Created, c.Key.Created)
		}
		var own []identity.ServiceAccount
		for _, s := range sorted(u.services) {
			own = append(own, s.ServiceAccount)
			c, err := tx.Credential(s.AccessKeyID)
			require.NoError(t, err)
			require.Equal(t, identity.Credential{Key: c.Key, Secret: s.secret, ServiceAccount: &s.ServiceAccount, User: &u.User}, *c)
		}
		require.Equal(t, own, allServiceAccounts(t, tx, u.ID))
		services = append(services, own...)
		m.requirePolicies(t, tx, u.ID, u.modelPolicies)
	}
	require.Equal(t, byName(users, func(u identity.User) string { return u.Name }), allUsers(t, tx))
	slices.SortFunc(services, func(a, b identity.ServiceAccount) int { return strings.Compare(a.ID, b.ID) })
	require.Equal(t, services, allServiceAccounts(t, tx, ""))

	var groups []identity.Group
	for _, g := range m.groups {
		groups = append(groups, g.Group)
		require.Equal(t, m.members(g.ID), allMembers(t, tx, g.ID))
		m.requirePolicies(t, tx, g.ID, g.modelPolicies)
	}
	require.Equal(t, byName(groups, func(g identity.Group) string { return g.Name }), allGroups(t, tx))

	var policies []identity.Policy
	for _, p := range m.policies {
		policies = append(policies, m.policy(p))
		var documents []string
		for _, number := range slices.Backward(slices.Sorted(maps.Keys(p.versions))) {
			documents = append(documents, fmt.Sprintf("v%d %t %s", number, number == p.DefaultVersion, p.versions[number]))
		}
		versions, err := tx.PolicyVersions(p.ID)
		require.NoError(t, err)
		var got []string
		for _, v := range versions {
			got = append(got, fmt.Sprintf("v%d %t %s", v.Number, v.Default, v.Document))
		}
		require.Equal(t, documents, got)
		v, err := tx.DefaultVersion(p.ID)
		require.NoError(t, err)
		require.Equal(t, p.versions[p.DefaultVersion], v.Document)
	}
	require.Equal(t, byName(policies, func(p identity.Policy) string { return p.Name }), allPolicies(t, tx, identity.PolicyFilter{}))
	for _, usage := range []identity.PolicyUsage{"", identity.PermissionsPolicy, identity.PermissionsBoundary} {
		for _, id := range append(slices.Collect(maps.Keys(m.policies)), readOnlyAccess.ID) {
			require.Equal(t, m.entities(id, usage), allEntities(t, tx, id, identity.EntityFilter{Usage: usage}))
		}
	}
}

func (m *model) requirePolicies(t *rapid.T, tx *identity.Tx, id string, want modelPolicies) {
	inline, err := tx.InlinePolicies(id)
	require.NoError(t, err)
	require.Len(t, inline, len(want.inline))
	for i, p := range inline {
		require.Equal(t, want.inline[p.Name], p.Document)
		if i > 0 {
			require.LessOrEqual(t, strings.ToLower(inline[i-1].Name), strings.ToLower(p.Name))
		}
	}
	attached, err := tx.AttachedPolicies(id)
	require.NoError(t, err)
	require.Len(t, attached, len(want.attached))
	for i, r := range attached {
		require.Equal(t, want.attached[r.ID], r)
		if i > 0 {
			require.LessOrEqual(t, strings.ToLower(attached[i-1].Name()), strings.ToLower(r.Name()))
		}
	}
}
