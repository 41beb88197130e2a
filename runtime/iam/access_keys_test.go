package iam_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/runtime/authz"
	"iamserver/runtime/iam"
	"iamserver/runtime/identity"
)

const (
	createAlicesKey step = "CreateAccessKey UserName=alice&AccessKeyId=alices&SecretAccessKey=secretsecret"
	createBobsKey   step = "CreateAccessKey UserName=bob&AccessKeyId=bobs&SecretAccessKey=secretsecret"
)

// metadata is an access key of Alice in a list.
func metadata(accessKeyID, status string) iamapi.AccessKeyMetadata {
	return iamapi.AccessKeyMetadata{UserName: new("Alice"), AccessKeyId: &accessKeyID, Status: &status, CreateDate: new(day)}
}

func TestCreateAccessKey(t *testing.T) {
	generated := &iamapi.CreateAccessKeyResponse{AccessKey: iamapi.AccessKey{
		UserName: "Alice", AccessKeyId: id("AKIA", 2), Status: "Active", SecretAccessKey: secret(3), CreateDate: new(day),
	}}
	const rootIsConfigured = "InvalidInput: The access key of the account root user is configured where the server runs, in root.env or in the environment, and cannot be changed here."
	runTests(t, []test{
		{
			name:  "a key is generated",
			after: []step{createAlice},
			step:  "CreateAccessKey UserName=alice",
			want:  generated,
		},
		{
			name:  "for the caller if no user is named",
			after: []step{createAlice},
			step:  "alice: CreateAccessKey",
			want:  generated,
		},
		{
			name:  "a key is supplied",
			after: []step{createAlice},
			step:  "CreateAccessKey UserName=alice&AccessKeyId=myappkey&SecretAccessKey=a+secret%2F%2B",
			want: &iamapi.CreateAccessKeyResponse{AccessKey: iamapi.AccessKey{
				UserName: "Alice", AccessKeyId: "myappkey", Status: "Active", SecretAccessKey: "a secret/+", CreateDate: new(day),
			}},
		},
		{
			name:  "an id in another case is another id",
			after: []step{createAlice, createAlicesKey},
			step:  "CreateAccessKey UserName=alice&AccessKeyId=Alices&SecretAccessKey=secretsecret",
			want: &iamapi.CreateAccessKeyResponse{AccessKey: iamapi.AccessKey{
				UserName: "Alice", AccessKeyId: "Alices", Status: "Active", SecretAccessKey: "secretsecret", CreateDate: new(day),
			}},
		},
		{
			name:  "an id that a user has is taken",
			after: []step{createAlice, createBob, createBobsKey},
			step:  "CreateAccessKey UserName=alice&AccessKeyId=bobs&SecretAccessKey=othersecret",
			err:   "EntityAlreadyExists: The Access Key with id bobs already exists.",
		},
		{
			name:  "an id that root has is taken",
			after: []step{createAlice},
			step:  "CreateAccessKey UserName=alice&AccessKeyId=" + rootKey + "&SecretAccessKey=secretsecret",
			err:   "EntityAlreadyExists: The Access Key with id " + rootKey + " already exists.",
		},
		{
			name:  "an id without a secret",
			after: []step{createAlice},
			step:  "CreateAccessKey UserName=alice&AccessKeyId=alices",
			err:   "InvalidInput: AccessKeyId and SecretAccessKey must be given together or not at all.",
		},
		{
			name:  "a secret without an id",
			after: []step{createAlice},
			step:  "CreateAccessKey UserName=alice&SecretAccessKey=secretsecret",
			err:   "InvalidInput: AccessKeyId and SecretAccessKey must be given together or not at all.",
		},
		{
			name:  "an id as temporary credentials have it",
			after: []step{createAlice},
			step:  "CreateAccessKey UserName=alice&AccessKeyId=ASIAX&SecretAccessKey=secretsecret",
			err:   "InvalidInput: AccessKeyId must not begin with ASIA or ABIA, as those of temporary credentials and service accounts do.",
		},
		{
			name:  "an id as service accounts have it",
			after: []step{createAlice},
			step:  "CreateAccessKey UserName=alice&AccessKeyId=ABIAX&SecretAccessKey=secretsecret",
			err:   "InvalidInput: AccessKeyId must not begin with ASIA or ABIA, as those of temporary credentials and service accounts do.",
		},
		{
			name:  "a hyphen is refused",
			after: []step{createAlice},
			step:  "CreateAccessKey UserName=alice&AccessKeyId=my-app-key&SecretAccessKey=my-app-secret-value",
			err:   "ValidationError: The specified value for accessKeyId is invalid. It must contain only alphanumeric characters.",
		},
		{
			name:  "two keys are enough",
			after: []step{createAlice, createAlicesKey, "CreateAccessKey UserName=alice"},
			step:  "CreateAccessKey UserName=alice",
			err:   "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2",
		},
		{
			name:  "a key that is disabled counts, one that is deleted does not",
			after: []step{createAlice, createAlicesKey, "UpdateAccessKey UserName=alice&AccessKeyId=alices&Status=Inactive", "CreateAccessKey UserName=alice&AccessKeyId=second&SecretAccessKey=secretsecret", "DeleteAccessKey UserName=alice&AccessKeyId=second", "CreateAccessKey UserName=alice"},
			step:  "CreateAccessKey UserName=alice",
			err:   "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2",
		},
		{
			name: "a user that does not exist",
			step: "CreateAccessKey UserName=bob",
			err:  "NoSuchEntity: The user with name bob cannot be found.",
		},
		{
			name: "root's key is configured",
			step: "CreateAccessKey",
			err:  rootIsConfigured,
		},
		{
			name: "and cannot be disabled",
			step: "UpdateAccessKey AccessKeyId=" + rootKey + "&Status=Inactive",
			err:  rootIsConfigured,
		},
		{
			name: "nor deleted",
			step: "DeleteAccessKey AccessKeyId=" + rootKey,
			err:  rootIsConfigured,
		},
	})
}

func TestSuppliedSecretIsStored(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice, createAlicesKey)
	require.Equal(t, "secretsecret", f.secretOf("alices"))
	// A failed attempt to take the id over changes nothing.
	f.do(createBob)
	f.requireAnswer("CreateAccessKey UserName=bob&AccessKeyId=alices&SecretAccessKey=othersecret", nil, "EntityAlreadyExists: The Access Key with id alices already exists.")
	require.Equal(t, "secretsecret", f.secretOf("alices"))
}

func TestAccessKeysQuotaIsConfigured(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice)
	f.quotas.AccessKeysPerUserQuota = 3
	f.do("CreateAccessKey UserName=alice", "CreateAccessKey UserName=alice", "CreateAccessKey UserName=alice")
	f.requireAnswer("CreateAccessKey UserName=alice", nil, "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 3")
	f.quotas.AccessKeysPerUserQuota = 0
	f.do("CreateAccessKey UserName=alice")
}

func TestListAccessKeys(t *testing.T) {
	const second step = "CreateAccessKey UserName=alice&AccessKeyId=second&SecretAccessKey=secretsecret"
	both := &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{metadata("alices", "Active"), metadata("second", "Active")}}
	runTests(t, []test{
		{
			name:  "a user's keys, and no one else's",
			after: []step{createAlice, createBob, createBobsKey, createAlicesKey, second},
			step:  "ListAccessKeys UserName=alice",
			want:  both,
		},
		{
			name:  "the caller's if no user is named",
			after: []step{createAlice, createBob, createBobsKey, createAlicesKey, second},
			step:  "Alice: ListAccessKeys",
			want:  both,
		},
		{
			name:  "keys of service accounts are not among them",
			after: []step{createAlice, "CreateServiceAccount ParentUser=alice"},
			step:  "ListAccessKeys UserName=alice",
			want:  &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{}},
		},
		{
			name:  "the first page",
			after: []step{createAlice, createAlicesKey, second},
			step:  "ListAccessKeys UserName=alice&MaxItems=1",
			want: &iamapi.ListAccessKeysResponse{
				AccessKeyMetadata: []iamapi.AccessKeyMetadata{metadata("alices", "Active")}, IsTruncated: true, Marker: marker("k", "alices"),
			},
		},
		{
			name:  "and the second",
			after: []step{createAlice, createAlicesKey, second},
			step:  "ListAccessKeys UserName=alice&MaxItems=1&Marker=" + step(*marker("k", "alices")),
			want:  &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{metadata("second", "Active")}},
		},
		{
			name: "root has one",
			step: "ListAccessKeys",
			want: &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{
				{AccessKeyId: new(rootKey), Status: new("Active"), CreateDate: new(opened)},
			}},
		},
		{
			name: "a user that does not exist",
			step: "ListAccessKeys UserName=bob",
			err:  "NoSuchEntity: The user with name bob cannot be found.",
		},
		{
			name: "a marker that is none",
			step: "ListAccessKeys Marker=%21",
			err:  "ValidationError: Invalid Marker.",
		},
	})
}

func TestUpdateAccessKey(t *testing.T) {
	disable := step("UpdateAccessKey UserName=alice&AccessKeyId=alices&Status=Inactive")
	runTests(t, []test{
		{
			name:  "a key is disabled",
			after: []step{createAlice, createAlicesKey, disable},
			step:  "ListAccessKeys UserName=alice",
			want:  &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{metadata("alices", "Inactive")}},
		},
		{
			name:  "and enabled by its owner",
			after: []step{createAlice, createAlicesKey, disable, "Alice: UpdateAccessKey AccessKeyId=alices&Status=Active"},
			step:  "ListAccessKeys UserName=alice",
			want:  &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{metadata("alices", "Active")}},
		},
		{
			name:  "an answer says nothing",
			after: []step{createAlice, createAlicesKey},
			step:  disable,
			want:  &iamapi.UpdateAccessKeyResponse{},
		},
		{
			name:  "another user's key does not exist for this one",
			after: []step{createAlice, createBob, createBobsKey},
			step:  "alice: UpdateAccessKey AccessKeyId=bobs&Status=Inactive",
			err:   "NoSuchEntity: The Access Key with id bobs cannot be found.",
		},
		{
			name:  "nor does one of a user's service account",
			after: []step{createAlice, "CreateServiceAccount ParentUser=alice"},
			step:  step("UpdateAccessKey UserName=alice&AccessKeyId=" + id("ABIA", 3) + "&Status=Inactive"),
			err:   "NoSuchEntity: The Access Key with id " + id("ABIA", 3) + " cannot be found.",
		},
		{
			name:  "nor does root's",
			after: []step{createAlice},
			step:  "UpdateAccessKey UserName=alice&AccessKeyId=" + rootKey + "&Status=Inactive",
			err:   "NoSuchEntity: The Access Key with id " + rootKey + " cannot be found.",
		},
		{
			name:  "keys do not expire",
			after: []step{createAlice, createAlicesKey},
			step:  "UpdateAccessKey UserName=alice&AccessKeyId=alices&Status=Expired",
			err:   "InvalidInput: The status of an access key cannot be set to Expired.",
		},
		{
			name: "a user that does not exist",
			step: "UpdateAccessKey UserName=bob&AccessKeyId=bobs&Status=Active",
			err:  "NoSuchEntity: The user with name bob cannot be found.",
		},
	})
}

func TestDeleteAccessKey(t *testing.T) {
	runTests(t, []test{
		{
			name:  "a key is deleted by its owner, and only that one",
			after: []step{createAlice, createAlicesKey, "CreateAccessKey UserName=alice&AccessKeyId=second&SecretAccessKey=secretsecret", "alice: DeleteAccessKey AccessKeyId=second"},
			step:  "ListAccessKeys UserName=alice",
			want:  &iamapi.ListAccessKeysResponse{AccessKeyMetadata: []iamapi.AccessKeyMetadata{metadata("alices", "Active")}},
		},
		{
			name:  "a deleted key does not exist",
			after: []step{createAlice, createAlicesKey, "DeleteAccessKey UserName=alice&AccessKeyId=alices"},
			step:  "DeleteAccessKey UserName=alice&AccessKeyId=alices",
			err:   "NoSuchEntity: The Access Key with id alices cannot be found.",
		},
		{
			name:  "another user's key does not exist for this one",
			after: []step{createAlice, createBob, createBobsKey},
			step:  "alice: DeleteAccessKey AccessKeyId=bobs",
			err:   "NoSuchEntity: The Access Key with id bobs cannot be found.",
		},
		{
			name:  "the id of a deleted key can be supplied again",
			after: []step{createAlice, createBob, createBobsKey, "DeleteAccessKey UserName=bob&AccessKeyId=bobs"},
			step:  "CreateAccessKey UserName=alice&AccessKeyId=bobs&SecretAccessKey=othersecret",
			want: &iamapi.CreateAccessKeyResponse{AccessKey: iamapi.AccessKey{
				UserName: "Alice", AccessKeyId: "bobs", Status: "Active", SecretAccessKey: "othersecret", CreateDate: new(day),
			}},
		},
		{
			name: "a user that does not exist",
			step: "DeleteAccessKey UserName=bob&AccessKeyId=bobs",
			err:  "NoSuchEntity: The user with name bob cannot be found.",
		},
	})
}

func TestGetAccessKeyLastUsed(t *testing.T) {
	never := &iamapi.AccessKeyLastUsed{ServiceName: "N/A", Region: "N/A"}
	runTests(t, []test{
		{
			name:  "a key that was never used",
			after: []step{createAlice, createAlicesKey},
			step:  "GetAccessKeyLastUsed AccessKeyId=alices",
			want:  &iamapi.GetAccessKeyLastUsedResponse{UserName: new("Alice"), AccessKeyLastUsed: never},
		},
		{
			name:  "the key of a service account is its parent's",
			after: []step{createAlice, "CreateServiceAccount ParentUser=alice"},
			step:  step("GetAccessKeyLastUsed AccessKeyId=" + id("ABIA", 3)),
			want:  &iamapi.GetAccessKeyLastUsedResponse{UserName: new("Alice"), AccessKeyLastUsed: never},
		},
		{
			name: "the use of root's key is not kept",
			step: "GetAccessKeyLastUsed AccessKeyId=" + rootKey,
			want: &iamapi.GetAccessKeyLastUsedResponse{AccessKeyLastUsed: never},
		},
		{
			name: "a key that does not exist is one that the caller may not ask for",
			step: "GetAccessKeyLastUsed AccessKeyId=AKIAIOSFODNN7EXAMPLE",
			err:  "AccessDenied: User: arn:aws:iam::123456789012:root is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key AKIAIOSFODNN7EXAMPLE",
		},
	})
}

func TestLastUseIsTheLatest(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice, createAlicesKey)
	requireUse := func(want iamapi.AccessKeyLastUsed) {
		t.Helper()
		f.requireAnswer("GetAccessKeyLastUsed AccessKeyId=alices", &iamapi.GetAccessKeyLastUsedResponse{UserName: new("Alice"), AccessKeyLastUsed: &want}, "")
	}
	stored := identity.LastUsed{Time: day.Add(time.Hour), Service: "iam", Region: "eu-central-1"}
	_, err := f.db.Update(t.Context(), func(tx *identity.Tx) error { return tx.PutKeyLastUsed("alices", stored) })
	require.NoError(t, err)
	requireUse(iamapi.AccessKeyLastUsed{LastUsedDate: &stored.Time, ServiceName: "iam", Region: "eu-central-1"})

	later := day.Add(2 * time.Hour)
	f.lastUse["alices"] = identity.LastUsed{Time: later, Service: "s3"} // an empty region can be signed for
	requireUse(iamapi.AccessKeyLastUsed{LastUsedDate: &later, ServiceName: "s3", Region: "N/A"})
}

// A caller that is neither root nor has a user must name one.
func TestCallerWithoutUser(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.db.View(t.Context(), func(tx *identity.Tx) error {
		_, err := f.service().GetUser(&iam.Tx{Tx: tx, Caller: &authz.Principal{}}, &iamapi.GetUserRequest{})
		require.EqualError(t, err, "ValidationError: Must specify userName when calling with non-User credentials")
		return nil
	}))
}
