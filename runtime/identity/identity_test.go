package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/memory"
)

func TestOpen(t *testing.T) {
	config := identity.Config{Account: account, Sealer: testSealer("a")}
	unsealed := identity.Config{Account: account}
	put := func(key, value string) func(t *testing.T, s storage.Store) {
		return func(t *testing.T, s storage.Store) {
			_, err := s.Update(t.Context(), func(tx storage.Tx) error { return tx.Put([]byte(key), []byte(value)) })
			require.NoError(t, err)
		}
	}
	opened := func(cfg identity.Config) func(t *testing.T, s storage.Store) {
		return func(t *testing.T, s storage.Store) {
			_, err := identity.Open(t.Context(), s, cfg)
			require.NoError(t, err)
		}
	}
	for _, tt := range []struct {
		name   string
		before func(t *testing.T, s storage.Store)
		config identity.Config
		want   error
		text   string
	}{
		{"an empty store", nil, config, nil, ""},
		{"the same account and keyset", opened(config), config, nil, ""},
		{"a keyset where there was none", opened(unsealed), config, nil, ""},
		{"no keyset where there was one", opened(config), unsealed, nil, ""},
		{
			"another keyset", opened(config),
			identity.Config{Account: account, Sealer: testSealer("b")},
			identity.ErrSealer,
			"identity: secrets are sealed with another keyset: cipher: message authentication failed",
		},
		{
			"a keyset that opens anything to something else", opened(config),
			identity.Config{Account: account, Sealer: blindSealer{}},
			identity.ErrSealer,
			"identity: secrets are sealed with another keyset",
		},
		{
			"another account", opened(config),
			identity.Config{Account: "000000000000", Sealer: testSealer("a")},
			identity.ErrAccount,
			"identity: data belongs to another account: 123456789012, not 000000000000",
		},
		{"a later format", put("meta", "\x08\x02"), config, identity.ErrFormat, "identity: unknown data format: version 2, this program knows version 1"},
		{"what is not ours", put("x", "y"), config, identity.ErrFormat, "identity: unknown data format: there is data that does not say whose it is"},
		{"a broken record", put("meta", "\x0a"), config, identity.ErrFormat, "identity: unknown data format: identity: corrupt record: number is cut off"},
		{"too short an account id", nil, identity.Config{Account: "12345678901"}, nil, `identity: account id "12345678901" is not 12 digits`},
		{"letters in the account id", nil, identity.Config{Account: "12345678901x"}, nil, `identity: account id "12345678901x" is not 12 digits`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := memory.Open()
			if tt.before != nil {
				tt.before(t, store)
			}
			before := (&fixture{t: t, store: store}).dump()
			_, err := identity.Open(t.Context(), store, tt.config)
			if tt.text == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tt.text)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
			}
			require.Equal(t, before, (&fixture{t: t, store: store}).dump(), "a refused store is not written to")
		})
	}
}

// A blindSealer authenticates nothing.
type blindSealer struct{}

func (blindSealer) Seal(secret []byte, _, _ string) ([]byte, error) { return secret, nil }
func (blindSealer) Open(sealed []byte, _, _ string) ([]byte, error) { return sealed, nil }

// A keyset given for the first time becomes the one that is asked for later.
func TestOpenRemembersTheFirstKeyset(t *testing.T) {
	store := memory.Open()
	for _, sealer := range []identity.Sealer{nil, testSealer("a"), testSealer("a"), nil} {
		_, err := identity.Open(t.Context(), store, identity.Config{Account: account, Sealer: sealer})
		require.NoError(t, err)
	}
	_, err := identity.Open(t.Context(), store, identity.Config{Account: account, Sealer: testSealer("b")})
	require.ErrorIs(t, err, identity.ErrSealer)
}

// The account is as old as its data, or as the first clock that was given.
func TestAccountCreated(t *testing.T) {
	store := memory.Open()
	for _, tt := range []struct {
		now  time.Time // zero: no clock
		want time.Time
	}{{time.Time{}, time.Time{}}, {day.Add(1), day}, {day.Add(time.Hour), day}, {time.Time{}, day}} {
		cfg := identity.Config{Account: account, Now: func() time.Time { return tt.now }}
		if tt.now.IsZero() {
			cfg.Now = nil
		}
		db, err := identity.Open(t.Context(), store, cfg)
		require.NoError(t, err)
		require.NoError(t, db.View(t.Context(), func(tx *identity.Tx) error {
			created, err := tx.AccountCreated()
			require.Equal(t, tt.want, created)
			return err
		}))
	}
}

func TestOpenWritesOnlyOnce(t *testing.T) {
	store := newOptimisticStore()
	newFixture(t, store)
	newFixture(t, store)
	require.Equal(t, storage.Revision(1), store.revision)
}

func TestUpdateReturnsErrorsAsTheyAre(t *testing.T) {
	f := newFixture(t, memory.Open())
	refusal := errors.New("refused")
	revision, err := f.db.Update(t.Context(), func(tx *identity.Tx) error {
		if err := tx.SetAlias("written"); err != nil {
			return err
		}
		return refusal
	})
	require.Equal(t, refusal, err)
	require.Zero(t, revision)
	require.Equal(t, refusal, f.db.View(t.Context(), func(*identity.Tx) error { return refusal }))
	f.view(func(tx *identity.Tx) {
		alias, err := tx.Alias()
		require.NoError(t, err)
		require.Empty(t, alias)
	})
}

// Every method that writes refuses to in a View.
func TestReadOnly(t *testing.T) {
	f := newFixture(t, memory.Open())
	u, g, p := f.user("alice"), f.group("dev"), f.policy("Read")
	k, _ := f.accessKey(u.ID)
	s, _ := f.serviceAccount(u.ID)
	f.do(func(tx *identity.Tx) error { return tx.PutInlinePolicy(u.ID, identity.InlinePolicy{Name: "p"}) })
	f.do(func(tx *identity.Tx) error { return tx.Attach(u.ID, readOnlyAccess) })
	f.do(func(tx *identity.Tx) error { return tx.AddToGroup(u.ID, g.ID) })
	lone := f.user("lone")
	free := f.group("free")
	before := f.dump()
	for name, write := range map[string]func(tx *identity.Tx) error{
		"CreateUser":              func(tx *identity.Tx) error { return tx.CreateUser(&identity.User{Name: "bob", Path: "/"}) },
		"UpdateUser":              func(tx *identity.Tx) error { return tx.UpdateUser(u) },
		"DeleteUser":              func(tx *identity.Tx) error { return tx.DeleteUser(lone.ID) },
		"CreateGroup":             func(tx *identity.Tx) error { return tx.CreateGroup(&identity.Group{Name: "ops", Path: "/"}) },
		"UpdateGroup":             func(tx *identity.Tx) error { return tx.UpdateGroup(g) },
		"DeleteGroup":             func(tx *identity.Tx) error { return tx.DeleteGroup(free.ID) },
		"AddToGroup":              func(tx *identity.Tx) error { return tx.AddToGroup(lone.ID, g.ID) },
		"RemoveFromGroup":         func(tx *identity.Tx) error { return tx.RemoveFromGroup(u.ID, g.ID) },
		"CreatePolicy":            func(tx *identity.Tx) error { return tx.CreatePolicy(&identity.Policy{Name: "x", Path: "/"}, "") },
		"SetPolicyTags":           func(tx *identity.Tx) error { return tx.SetPolicyTags(p.ID, nil) },
		"CreatePolicyVersion":     func(tx *identity.Tx) error { _, err := tx.CreatePolicyVersion(p.ID, "", day, true); return err },
		"SetDefaultPolicyVersion": func(tx *identity.Tx) error { return tx.SetDefaultPolicyVersion(p.ID, 1) },
		"DeletePolicy":            func(tx *identity.Tx) error { return tx.DeletePolicy(p.ID) },
		"Attach":                  func(tx *identity.Tx) error { return tx.Attach(g.ID, ref(p)) },
		"Detach":                  func(tx *identity.Tx) error { return tx.Detach(u.ID, readOnlyAccess) },
		"PutInlinePolicy":         func(tx *identity.Tx) error { return tx.PutInlinePolicy(u.ID, identity.InlinePolicy{Name: "p"}) },
		"DeleteInlinePolicy":      func(tx *identity.Tx) error { return tx.DeleteInlinePolicy(u.ID, "p") },
		"CreateAccessKey": func(tx *identity.Tx) error {
			_, err := tx.CreateAccessKey(&identity.AccessKey{Owner: u.ID}, "")
			return err
		},
		"SetAccessKeyStatus": func(tx *identity.Tx) error { return tx.SetAccessKeyStatus(u.ID, k.ID, identity.Inactive) },
		"DeleteAccessKey":    func(tx *identity.Tx) error { return tx.DeleteAccessKey(u.ID, k.ID) },
		"PutKeyLastUsed":     func(tx *identity.Tx) error { return tx.PutKeyLastUsed(k.ID, identity.LastUsed{Time: day}) },
		"CreateServiceAccount": func(tx *identity.Tx) error {
			_, err := tx.CreateServiceAccount(&identity.ServiceAccount{Parent: u.ID}, "")
			return err
		},
		"UpdateServiceAccount": func(tx *identity.Tx) error { return tx.UpdateServiceAccount(s) },
		"DeleteServiceAccount": func(tx *identity.Tx) error { return tx.DeleteServiceAccount(s.ID) },
		"SetAlias":             func(tx *identity.Tx) error { return tx.SetAlias("a") },
		"SetAlias to none":     func(tx *identity.Tx) error { return tx.SetAlias("") },
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, f.db.View(t.Context(), write), identity.ErrReadOnly)
		})
	}
	require.Equal(t, before, f.dump())
}

// A repeatingReader yields each byte n times in a row.
type repeatingReader struct{ n, read int }

func (r *repeatingReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.read / r.n)
		r.read++
	}
	return len(p), nil
}

// An id that is taken is drawn again, but not forever.
func TestIDsAreUnique(t *testing.T) {
	create := func(db *identity.DB, names ...string) (ids []string, err error) {
		for _, name := range names {
			u := &identity.User{Name: name, Path: "/"}
			_, err = db.Update(t.Context(), func(tx *identity.Tx) error { return tx.CreateUser(u) })
			ids = append(ids, u.ID)
		}
		return ids, err
	}
	open := func(rand *repeatingReader) *identity.DB {
		db, err := identity.Open(t.Context(), memory.Open(), identity.Config{Account: account, Rand: rand})
		require.NoError(t, err)
		return db
	}
	ids, err := create(open(&repeatingReader{n: 3 * 17}), "a", "b")
	require.NoError(t, err)
	require.Equal(t, []string{"AIDAAAAAAAAAAAAAAAAAA", "AIDABBBBBBBBBBBBBBBBB"}, ids)
	_, err = create(open(&repeatingReader{n: 100 * 17}), "a", "b")
	require.EqualError(t, err, "identity: the source of random bytes repeats itself")
}

// A name or id that cannot be part of a key is nowhere, and goes nowhere.
func TestImpossibleNames(t *testing.T) {
	f := newFixture(t, memory.Open())
	u := f.user("alice")
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = 'a'
	}
	for _, name := range []string{"", "ali\x00ce", string(long)} {
		f.view(func(tx *identity.Tx) {
			for _, read := range []func(string) error{
				func(s string) error { _, err := tx.User(s); return err },
				func(s string) error { _, err := tx.UserByID(s); return err },
				func(s string) error { _, err := tx.Group(s); return err },
				func(s string) error { _, err := tx.Policy(s); return err },
				func(s string) error { _, err := tx.AccessKey(s); return err },
				func(s string) error { _, err := tx.Credential(s); return err },
				func(s string) error { _, err := tx.ServiceAccount(s); return err },
				func(s string) error { _, err := tx.InlinePolicy(u.ID, s); return err },
				func(s string) error { _, err := tx.InlinePolicy(s, "p"); return err },
				func(s string) error { _, err := tx.PolicyVersions(s); return err },
			} {
				require.ErrorIs(t, read(name), identity.ErrNotFound)
			}
			members, next, err := tx.Members(name, "", 10)
			require.NoError(t, err)
			require.Empty(t, next)
			require.Empty(t, members, "not everything that there is")
		})
		require.Error(t, f.try(func(tx *identity.Tx) error {
			return tx.CreateUser(&identity.User{Name: name, Path: "/", Created: day})
		}))
		require.Error(t, f.try(func(tx *identity.Tx) error {
			return tx.PutInlinePolicy(u.ID, identity.InlinePolicy{Name: name})
		}))
	}
	f.requireConsistent()
}

func TestPathsBeginWithASlash(t *testing.T) {
	f := newFixture(t, memory.Open())
	for _, path := range []string{"", "x/"} {
		for _, create := range []func(tx *identity.Tx) error{
			func(tx *identity.Tx) error { return tx.CreateUser(&identity.User{Name: "a", Path: path}) },
			func(tx *identity.Tx) error { return tx.CreateGroup(&identity.Group{Name: "a", Path: path}) },
			func(tx *identity.Tx) error { return tx.CreatePolicy(&identity.Policy{Name: "a", Path: path}, "") },
		} {
			require.EqualError(t, f.try(create), `identity: path "`+path+`" does not begin with a slash`)
		}
	}
	f.requireConsistent()
}

// What was lost is noticed, not counted below zero.
func TestLostCounts(t *testing.T) {
	for _, tt := range []struct {
		name string
		lost string // what the keys of the lost records begin with
		do   func(tx *identity.Tx, u *identity.User) error
	}{
		{"the count of users", "n\x00u", func(tx *identity.Tx, u *identity.User) error { return tx.DeleteUser(u.ID) }},
		{"a user's children", "c\x00AIDA", func(tx *identity.Tx, u *identity.User) error {
			return tx.DeleteInlinePolicy(u.ID, "p")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, memory.Open())
			u := f.user("alice")
			if tt.lost[0] == 'c' {
				f.do(func(tx *identity.Tx) error { return tx.PutInlinePolicy(u.ID, identity.InlinePolicy{Name: "p"}) })
			}
			_, err := f.store.Update(t.Context(), func(tx storage.Tx) error {
				var keys [][]byte
				for record, err := range tx.Scan([]byte(account+"\x00"+tt.lost), nil, 0) {
					if err != nil {
						return err
					}
					keys = append(keys, record.Key)
				}
				require.Len(t, keys, 1)
				return tx.Delete(keys[0])
			})
			require.NoError(t, err)
			require.ErrorIs(t, f.try(func(tx *identity.Tx) error { return tt.do(tx, u) }), identity.ErrCorrupt)
		})
	}
}
