package identity_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/identity"
)

func TestBuckets(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		stored := &identity.Bucket{
			Name: "data", Policy: "{}", PublicAccessBlock: &identity.PublicAccessBlock{IgnorePublicAcls: true, BlockPublicPolicy: true},
			Ownership: "BucketOwnerEnforced", CORS: "<CORSConfiguration/>", Changed: day, Principals: []identity.PolicyPrincipal{{ARN: "arn:aws:iam::1:user/a", ID: "AIDA1"}},
		}
		get := func(name string) (b *identity.Bucket, err error) {
			f.view(func(tx *identity.Tx) { b, err = tx.Bucket(name) })
			return b, err
		}
		_, err := get("data")
		require.ErrorIs(t, err, identity.ErrNotFound)
		f.do(func(tx *identity.Tx) error { return tx.PutBucket(stored) })
		got, err := get("data")
		require.NoError(t, err)
		require.Equal(t, stored, got)
		_, err = get("dat")
		require.ErrorIs(t, err, identity.ErrNotFound)
		f.do(func(tx *identity.Tx) error { return tx.DeleteBucket("data") })
		_, err = get("data")
		require.ErrorIs(t, err, identity.ErrNotFound)
	})
}

func TestUploads(t *testing.T) {
	eachBackend(t, func(t *testing.T, f *fixture) {
		// Stores make ids of any length and form.
		for _, id := range []string{"u", strings.Repeat("long", 200), "a/b\x00c"} {
			initiator := func(bucket string) (by string) {
				f.view(func(tx *identity.Tx) {
					var err error
					by, err = tx.Initiator(bucket, id)
					require.NoError(t, err)
				})
				return by
			}
			require.Empty(t, initiator("data"))
			f.do(func(tx *identity.Tx) error {
				return tx.PutUpload(&identity.Upload{Bucket: "data", ID: id, Initiator: "AIDA1", Begun: day})
			})
			require.Equal(t, []string{"AIDA1", ""}, []string{initiator("data"), initiator("other")})
			f.do(func(tx *identity.Tx) error { return tx.DeleteUpload("data", id) })
			require.Empty(t, initiator("data"))
		}
	})
}
