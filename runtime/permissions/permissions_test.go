package permissions_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
	"iamserver/runtime/permissions"
	"iamserver/runtime/policy"
	"iamserver/runtime/storage/memory"
)

const (
	everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	nothing    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:None","Resource":"arn:aws:s3:::none"}}`
)

// ofAWS has one policy.
type ofAWS struct{}

const readOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess"

func (ofAWS) InForce(arn string) (document, version string, ok bool) {
	if arn != readOnly {
		return "", "", false
	}
	return everything, "v1", true
}

func open(t *testing.T) *identity.DB {
	t.Helper()
	db, err := identity.Open(t.Context(), memory.Open(), identity.Config{Account: "123456789012"})
	require.NoError(t, err)
	return db
}

func update(t *testing.T, db *identity.DB, fn func(tx *identity.Tx) error) {
	t.Helper()
	_, err := db.Update(t.Context(), fn)
	require.NoError(t, err)
}

// decides says what the policies of alice decide about any request.
func decides(t *testing.T, db *identity.DB, c *permissions.Compiler, account *identity.ServiceAccount) (policy.Decision, error) {
	t.Helper()
	decision, failed := policy.ImplicitDeny, error(nil)
	require.NoError(t, db.View(t.Context(), func(tx *identity.Tx) error {
		alice, err := tx.User("alice")
		require.NoError(t, err)
		p, err := c.Of(tx, alice, account)
		failed = err
		decision = p.Evaluate(&policy.Request{
			Principal: policy.Principal{Type: policy.User, Account: "123456789012"},
			Action:    c.Vocabulary().Action("s3:GetObject"), Resource: policy.NewResource("arn:aws:s3:::b/k"),
		})
		return nil
	}))
	return decision, failed
}

func TestWhatDecidesAboutAUser(t *testing.T) {
	inline := func(document string) func(tx *identity.Tx, alice *identity.User, ops *identity.Group) error {
		return func(tx *identity.Tx, alice *identity.User, _ *identity.Group) error {
			return tx.PutInlinePolicy(alice.ID, identity.InlinePolicy{Name: "p", Document: document})
		}
	}
	ofGroup := func(tx *identity.Tx, alice *identity.User, ops *identity.Group) error {
		if err := tx.AddToGroup(alice.ID, ops.ID); err != nil {
			return err
		}
		return tx.PutInlinePolicy(ops.ID, identity.InlinePolicy{Name: "p", Document: everything})
	}
	for _, tt := range []struct {
		name    string
		change  func(tx *identity.Tx, alice *identity.User, ops *identity.Group) error
		account *identity.ServiceAccount
		want    policy.Decision
		failed  string
	}{
		{"nothing", func(*identity.Tx, *identity.User, *identity.Group) error { return nil }, nil, policy.ImplicitDeny, ""},
		{"an inline policy", inline(everything), nil, policy.Allowed, ""},
		{"a stored document that cannot be read denies everything", inline(`{"Statement":`), nil, policy.ExplicitDeny, ""},
		{"a group's policy", ofGroup, nil, policy.Allowed, ""},
		{"a disabled group's policy is nothing", func(tx *identity.Tx, alice *identity.User, ops *identity.Group) error {
			ops.Disabled = true
			if err := tx.UpdateGroup(ops); err != nil {
				return err
			}
			return ofGroup(tx, alice, ops)
		}, nil, policy.ImplicitDeny, ""},
		{"a policy of AWS", func(tx *identity.Tx, alice *identity.User, _ *identity.Group) error {
			return tx.Attach(alice.ID, identity.PolicyRef{ID: "ANPA1", ARN: readOnly})
		}, nil, policy.Allowed, ""},
		{"a policy of AWS that is gone is no reason to guess", func(tx *identity.Tx, alice *identity.User, _ *identity.Group) error {
			return tx.Attach(alice.ID, identity.PolicyRef{ID: "ANPA2", ARN: "arn:aws:iam::aws:policy/Gone"})
		}, nil, policy.ImplicitDeny, "there is no such managed policy: arn:aws:iam::aws:policy/Gone"},
		{"a boundary", func(tx *identity.Tx, alice *identity.User, ops *identity.Group) error {
			bound := &identity.Policy{Name: "bound", Path: "/"}
			if err := tx.CreatePolicy(bound, nothing); err != nil {
				return err
			}
			alice.Boundary = identity.PolicyRef{ID: bound.ID, ARN: "arn:aws:iam::123456789012:policy/bound"}
			if err := tx.UpdateUser(alice); err != nil {
				return err
			}
			return inline(everything)(tx, alice, ops)
		}, nil, policy.ImplicitDeny, ""},
		{"a service account without a policy of its own", inline(everything), &identity.ServiceAccount{ID: "sa"}, policy.Allowed, ""},
		{"a service account with a narrower one", inline(everything), &identity.ServiceAccount{ID: "sa", Policy: nothing}, policy.ImplicitDeny, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := open(t)
			alice := &identity.User{Name: "alice", Path: "/", Created: time.Unix(1, 0)}
			ops := &identity.Group{Name: "ops", Path: "/"}
			update(t, db, func(tx *identity.Tx) error {
				if err := tx.CreateUser(alice); err != nil {
					return err
				}
				return tx.CreateGroup(ops)
			})
			update(t, db, func(tx *identity.Tx) error { return tt.change(tx, alice, ops) })
			decision, err := decides(t, db, permissions.NewCompiler(policy.NewVocabulary(nil), ofAWS{}), tt.account)
			if tt.failed != "" {
				require.ErrorContains(t, err, tt.failed)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, decision)
		})
	}
}

// A bucket policy names the users that it named when it was stored.
func TestOfBucket(t *testing.T) {
	c := permissions.NewCompiler(policy.NewVocabulary(nil), nil)
	const arn = "arn:aws:iam::123456789012:user/alice"
	set, public := c.OfBucket(&identity.Bucket{
		Name:       "b",
		Policy:     `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}`,
		Principals: []identity.PolicyPrincipal{{ARN: arn, ID: "AIDA1"}},
	})
	require.False(t, public)
	for id, want := range map[string]policy.Decision{"AIDA1": policy.Allowed, "AIDA2": policy.ImplicitDeny} {
		p := policy.Policies{Resource: set}
		require.Equal(t, want, p.Evaluate(&policy.Request{
			Principal: policy.Principal{Type: policy.User, Account: "123456789012", ARN: arn, ID: id},
			Action:    c.Vocabulary().Action("s3:GetObject"), Resource: policy.NewResource("arn:aws:s3:::b/k"),
		}), id)
	}
	broken, public := c.OfBucket(&identity.Bucket{Name: "b", Policy: "{"})
	require.False(t, public)
	p := policy.Policies{Resource: broken}
	require.Equal(t, policy.ExplicitDeny, p.Evaluate(&policy.Request{Action: c.Vocabulary().Action("s3:GetObject"), Resource: policy.NewResource("arn:aws:s3:::b/k")}))
}
