package identity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/memory"
)

func TestAccessKeyLife(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		alice, bob := f.user("alice"), f.user("bob")
		k := &identity.AccessKey{Owner: alice.ID, Created: day.Add(7)}
		var secret identity.Secret
		f.do(func(tx *identity.Tx) (err error) {
			secret, err = tx.CreateAccessKey(k, "")
			return err
		})
		require.Regexp(t, `^AKIA[A-Z2-7]{16}$`, k.ID)
		require.Regexp(t, `^[A-Za-z0-9+/]{40}$`, string(secret))
		require.Equal(t, identity.Active, k.Status)
		require.Equal(t, day, k.Created)
		requireCredential := func(status identity.Status, user identity.User) {
			f.view(func(tx *identity.Tx) {
				got, err := tx.AccessKey(k.ID)
				require.NoError(t, err)
				want := *k
				want.Status = status
				require.Equal(t, want, *got)
				c, err := tx.Credential(k.ID)
				require.NoError(t, err)
				require.Equal(t, identity.Credential{Key: want, Secret: secret, User: &user}, *c)
			})
		}
		requireCredential(identity.Active, *alice)

		given := &identity.AccessKey{ID: "zz4", Owner: alice.ID, Created: day, Status: identity.Inactive}
		f.do(func(tx *identity.Tx) error {
			got, err := tx.CreateAccessKey(given, "hunter22")
			require.Equal(t, identity.Secret("hunter22"), got)
			return err
		})
		require.Equal(t, identity.Inactive, given.Status)
		f.view(func(tx *identity.Tx) {
			keys, err := tx.AccessKeys(alice.ID)
			require.NoError(t, err)
			require.Equal(t, []identity.AccessKey{*k, *given}, keys)
			page, next := identity.Page(keys, "", 1)
			require.Equal(t, keys[:1], page)
			page, next = identity.Page(keys, next, 1)
			require.Equal(t, keys[1:], page)
			require.Empty(t, next)
			keys, err = tx.AccessKeys(bob.ID)
			require.NoError(t, err)
			require.Empty(t, keys)
		})
		service, _ := f.serviceAccount(alice.ID)
		for _, taken := range []string{k.ID, given.ID, service.AccessKeyID} {
			f.view(func(tx *identity.Tx) {
				got, err := tx.AccessKeyIDTaken(taken)
				require.NoError(t, err)
				require.True(t, got)
			})
			require.ErrorIs(t, f.try(func(tx *identity.Tx) error {
				_, err := tx.CreateAccessKey(&identity.AccessKey{ID: taken, Owner: bob.ID}, "hunter22")
				return err
			}), identity.ErrExists)
		}

		f.do(func(tx *identity.Tx) error { return tx.SetAccessKeyStatus(alice.ID, k.ID, identity.Inactive) })
		requireCredential(identity.Inactive, *alice)
		alice.Disabled = true
		f.do(func(tx *identity.Tx) error { return tx.UpdateUser(alice) })
		requireCredential(identity.Inactive, *alice)

		for _, change := range []func(tx *identity.Tx) error{
			func(tx *identity.Tx) error { return tx.SetAccessKeyStatus(bob.ID, k.ID, identity.Active) },
			func(tx *identity.Tx) error { return tx.DeleteAccessKey(bob.ID, k.ID) },
			func(tx *identity.Tx) error { return tx.DeleteAccessKey(alice.ID, service.AccessKeyID) },
			func(tx *identity.Tx) error { return tx.DeleteAccessKey(alice.ID, "none") },
			func(tx *identity.Tx) error {
				_, err := tx.CreateAccessKey(&identity.AccessKey{Owner: "AIDANOBODY"}, "")
				return err
			},
			func(tx *identity.Tx) error {
				_, err := tx.CreateAccessKey(&identity.AccessKey{Owner: service.ID}, "")
				return err
			},
		} {
			require.ErrorIs(t, f.try(change), identity.ErrNotFound)
		}
		f.do(func(tx *identity.Tx) error {
			return tx.PutKeyLastUsed(k.ID, identity.LastUsed{Time: day, Service: "s3", Region: "eu"})
		})
		f.do(func(tx *identity.Tx) error { return tx.DeleteAccessKey(alice.ID, k.ID) })
		f.view(func(tx *identity.Tx) {
			_, err := tx.Credential(k.ID)
			require.Equal(t, identity.ErrNotFound, err)
			taken, err := tx.AccessKeyIDTaken(k.ID)
			require.NoError(t, err)
			require.False(t, taken)
			last, err := tx.KeyLastUsed(k.ID)
			require.NoError(t, err)
			require.Equal(t, identity.LastUsed{}, last)
		})
	})
}

func TestKeyLastUsed(t *testing.T) {
	f := newFixture(t, memory.Open())
	u := f.user("alice")
	k := &identity.AccessKey{ID: "key1", Owner: u.ID, Created: day}
	create := func() {
		f.do(func(tx *identity.Tx) error { _, err := tx.CreateAccessKey(k, ""); return err })
	}
	create()
	use := func(at time.Duration) identity.LastUsed {
		return identity.LastUsed{Time: day.Add(at), Service: "s3", Region: at.String()}
	}
	for _, tt := range []struct {
		name      string
		use, want identity.LastUsed
	}{
		{"a use before the key was created is another key's", use(-time.Second), identity.LastUsed{}},
		{"the first use", use(0), use(0)},
		{"a later use", use(time.Hour), use(time.Hour)},
		{"an earlier use that arrives late", use(time.Minute), use(time.Hour)},
		{"a use in the same second", use(time.Hour + 1), use(time.Hour)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.do(func(tx *identity.Tx) error { return tx.PutKeyLastUsed(k.ID, tt.use) })
			f.view(func(tx *identity.Tx) {
				got, err := tx.KeyLastUsed(k.ID)
				require.NoError(t, err)
				require.Equal(t, tt.want, got)
			})
		})
	}
	f.do(func(tx *identity.Tx) error { return tx.DeleteAccessKey(u.ID, k.ID) })
	f.do(func(tx *identity.Tx) error { return tx.PutKeyLastUsed(k.ID, use(2*time.Hour)) })
	f.requireConsistent()
}

func TestServiceAccountLife(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		alice, bob := f.user("Alice"), f.user("bob")
		s := &identity.ServiceAccount{
			Parent: alice.ID, Description: "builds", Policy: `{"p":1}`,
			Created: day.Add(3), Expires: day.Add(time.Hour + 3),
		}
		var secret identity.Secret
		f.do(func(tx *identity.Tx) (err error) {
			secret, err = tx.CreateServiceAccount(s, "")
			return err
		})
		require.Regexp(t, `^sa:Alice:[0-9a-f]{32}$`, s.ID)
		require.Regexp(t, `^ABIA[A-Z2-7]{16}$`, s.AccessKeyID)
		require.Regexp(t, `^[A-Za-z0-9+/]{40}$`, string(secret))
		want := identity.ServiceAccount{
			ID: s.ID, Parent: alice.ID, AccessKeyID: s.AccessKeyID, Description: "builds", Policy: `{"p":1}`,
			Status: identity.Active, Created: day, Expires: day.Add(time.Hour),
		}
		require.Equal(t, want, *s)
		requireCredential := func() {
			f.view(func(tx *identity.Tx) {
				c, err := tx.Credential(s.AccessKeyID)
				require.NoError(t, err)
				require.Equal(t, identity.Active, c.Key.Status)
				require.Equal(t, s.ID, c.Key.Owner)
				require.Equal(t, want, *c.ServiceAccount)
				require.Equal(t, *alice, *c.User)
				require.Equal(t, secret, c.Secret)
			})
		}
		requireCredential()
		f.view(func(tx *identity.Tx) {
			keys, err := tx.AccessKeys(alice.ID)
			require.NoError(t, err)
			require.Empty(t, keys, "a service account's key is not its parent's")
		})

		alice.Name = "Amy"
		f.do(func(tx *identity.Tx) error { return tx.UpdateUser(alice) })
		want.Description, want.Policy, want.Status, want.Expires = "", "", identity.Inactive, time.Time{}
		changed := want
		changed.Parent, changed.AccessKeyID, changed.Created = bob.ID, "other", day.Add(time.Hour)
		f.do(func(tx *identity.Tx) error { return tx.UpdateServiceAccount(&changed) })
		require.Equal(t, want, changed, "a service account keeps its parent and key")
		requireCredential()
		f.requireConsistent()

		second, _ := f.serviceAccount(alice.ID)
		third, _ := f.serviceAccount(bob.ID)
		fourth, _ := f.serviceAccount(bob.ID)
		ids := func(userID string) (ids []string) {
			f.view(func(tx *identity.Tx) {
				for _, s := range allServiceAccounts(t, tx, userID) {
					ids = append(ids, s.ID)
				}
			})
			return ids
		}
		require.Equal(t, []string{s.ID, second.ID}, ids(alice.ID))
		require.ElementsMatch(t, []string{third.ID, fourth.ID}, ids(bob.ID))
		require.ElementsMatch(t, []string{s.ID, second.ID, third.ID, fourth.ID}, ids(""))
		require.Empty(t, ids("AIDANOBODY"))

		f.do(func(tx *identity.Tx) error {
			return tx.PutKeyLastUsed(s.AccessKeyID, identity.LastUsed{Time: day})
		})
		f.do(func(tx *identity.Tx) error { return tx.DeleteServiceAccount(s.ID) })
		for _, change := range []func(tx *identity.Tx) error{
			func(tx *identity.Tx) error { return tx.DeleteServiceAccount(s.ID) },
			func(tx *identity.Tx) error { return tx.UpdateServiceAccount(s) },
			func(tx *identity.Tx) error {
				_, err := tx.CreateServiceAccount(&identity.ServiceAccount{Parent: "AIDANOBODY"}, "")
				return err
			},
		} {
			require.ErrorIs(t, f.try(change), identity.ErrNotFound)
		}
		f.view(func(tx *identity.Tx) {
			_, err := tx.Credential(s.AccessKeyID)
			require.Equal(t, identity.ErrNotFound, err)
		})
	})
}

func TestSecretsAreSealed(t *testing.T) {
	f := newFixture(t, memory.Open())
	u := f.user("alice")
	k, secret := f.accessKey(u.ID)
	other, _ := f.accessKey(u.ID)
	s, serviceSecret := f.serviceAccount(u.ID)
	for key, value := range f.dump() {
		require.NotContains(t, key+value, string(secret))
		require.NotContains(t, key+value, string(serviceSecret))
	}

	// A sealed secret that is moved to another key is of no use there.
	raw := func(id string) []byte { return []byte(account + "\x00k\x00" + id) }
	_, err := f.store.Update(t.Context(), func(tx storage.Tx) error {
		value, _, err := tx.Get(raw(k.ID))
		if err != nil {
			return err
		}
		return tx.Put(raw(other.ID), value)
	})
	require.NoError(t, err)
	f.view(func(tx *identity.Tx) {
		_, err := tx.Credential(other.ID)
		require.EqualError(t, err, "identity: open the secret of "+other.ID+": cipher: message authentication failed")
	})

	unsealed, err := identity.Open(t.Context(), f.store, identity.Config{Account: account})
	require.NoError(t, err)
	_, err = unsealed.Update(t.Context(), func(tx *identity.Tx) error {
		_, err := tx.CreateAccessKey(&identity.AccessKey{Owner: u.ID}, "")
		return err
	})
	require.EqualError(t, err, "identity: there is nothing to seal secrets with")
	err = unsealed.View(t.Context(), func(tx *identity.Tx) error {
		_, err := tx.Credential(s.AccessKeyID)
		return err
	})
	require.EqualError(t, err, "identity: there is nothing to seal secrets with")
}

func TestSecretsAreNotPrinted(t *testing.T) {
	const secret = identity.Secret("hunter22")
	credential := &identity.Credential{Secret: secret}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{secret, credential, *credential, []identity.Secret{secret}} {
			fmt.Fprintf(&out, verb, value)
		}
	}
	encoded, err := json.Marshal(map[string]any{"a": secret, "b": credential})
	require.NoError(t, err)
	out.Write(encoded)
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("key", "secret", secret, "credential", credential)
	}
	require.NotContains(t, out.String(), string(secret))
	require.NotContains(t, out.String(), fmt.Sprintf("%x", string(secret)))
	require.Contains(t, out.String(), "REDACTED")
}

// A credential whose owner is not there is an error, not an unknown key.
func TestCredentialOfNobody(t *testing.T) {
	f := newFixture(t, memory.Open())
	k, _ := f.accessKey(f.user("alice").ID)
	_, err := f.store.Update(t.Context(), func(tx storage.Tx) error {
		return tx.Delete([]byte(account + "\x00u\x00" + k.Owner))
	})
	require.NoError(t, err)
	f.view(func(tx *identity.Tx) {
		_, err := tx.Credential(k.ID)
		require.ErrorIs(t, err, identity.ErrCorrupt)
	})
}

func TestAlias(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		for _, alias := range []string{"first", "second", "", ""} {
			f.do(func(tx *identity.Tx) error { return tx.SetAlias(alias) })
			f.view(func(tx *identity.Tx) {
				got, err := tx.Alias()
				require.NoError(t, err)
				require.Equal(t, alias, got)
			})
		}
	})
}

func TestKeyOwner(t *testing.T) {
	f := newFixture(t, memory.Open())
	u := f.user("alice")
	k, _ := f.accessKey(u.ID)
	s, _ := f.serviceAccount(u.ID)
	f.view(func(tx *identity.Tx) {
		for _, id := range []string{k.ID, s.AccessKeyID} {
			owner, err := tx.KeyOwner(id)
			require.NoError(t, err)
			require.Equal(t, u, owner)
			taken, err := tx.AccessKeyIDTaken(id)
			require.NoError(t, err)
			require.True(t, taken)
		}
		_, err := tx.KeyOwner("AKIANONE")
		require.Equal(t, identity.ErrNotFound, err)
	})
}
