package iam_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
)

const readOnly = `{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}`

// The first service account of the first user of a fixture.
var (
	createAccount = step("CreateServiceAccount ParentUser=alice")
	accountID     = serviceAccountID("Alice", 2)
	getAccount    = step("GetServiceAccount ServiceAccountId=" + accountID)
)

// serviceAccount is that service account.
func serviceAccount(change func(*iamapi.ServiceAccountMetadata)) iamapi.ServiceAccountMetadata {
	a := iamapi.ServiceAccountMetadata{
		ServiceAccountId: accountID, Arn: "arn:aws:iam::123456789012:service-account/" + accountID, ParentUser: "Alice",
		AccessKeyId: id("ABIA", 3), Status: "Active", CreateDate: day,
	}
	if change != nil {
		change(&a)
	}
	return a
}

func updateAccount(parameters string) step {
	return step("UpdateServiceAccount ServiceAccountId=" + accountID + "&" + parameters)
}

func TestCreateServiceAccount(t *testing.T) {
	created := iamapi.ServiceAccount{
		ServiceAccountId: accountID, Arn: "arn:aws:iam::123456789012:service-account/" + accountID, ParentUser: "Alice",
		AccessKeyId: id("ABIA", 3), SecretAccessKey: secret(4), Status: "Active", CreateDate: day,
	}
	tomorrow := day.Add(24 * time.Hour)
	described := created
	described.Description, described.Expiration = new("nightly backup"), &tomorrow
	runTests(t, []test{
		{
			name:  "a service account is created with a key",
			after: []step{createAlice},
			step:  createAccount,
			want:  &iamapi.CreateServiceAccountResponse{ServiceAccount: created},
		},
		{
			name:  "with a description, and an expiration in seconds",
			after: []step{createAlice},
			step:  createAccount + "&Description=nightly+backup&Expiration=" + step(strconv.FormatInt(tomorrow.Unix(), 10)),
			want:  &iamapi.CreateServiceAccountResponse{ServiceAccount: described},
		},
		{
			name:  "or an expiration in ISO 8601 at another offset, whose fraction is dropped",
			after: []step{createAlice},
			step:  createAccount + "&Description=nightly+backup&Expiration=2026-05-05T05:02:01.9%2B02:00",
			want:  &iamapi.CreateServiceAccountResponse{ServiceAccount: described},
		},
		{
			name:  "an expiration of 0 is never",
			after: []step{createAlice},
			step:  createAccount + "&Expiration=0",
			want:  &iamapi.CreateServiceAccountResponse{ServiceAccount: created},
		},
		{
			name:  "an empty expiration is never",
			after: []step{createAlice},
			step:  createAccount + "&Expiration=",
			want:  &iamapi.CreateServiceAccountResponse{ServiceAccount: created},
		},
		{
			name:  "an expiration now is in the past",
			after: []step{createAlice},
			step:  createAccount + "&Expiration=2026-05-04T03:02:01Z",
			err:   "InvalidInput: Expiration 2026-05-04T03:02:01Z is not in the future.",
		},
		{
			name:  "an expiration within this second too",
			after: []step{createAlice},
			step:  createAccount + "&Expiration=2026-05-04T03:02:01.5Z",
			err:   "InvalidInput: Expiration 2026-05-04T03:02:01.5Z is not in the future.",
		},
		{
			name:  "one second after 1970 is in the past",
			after: []step{createAlice},
			step:  createAccount + "&Expiration=1",
			err:   "InvalidInput: Expiration 1 is not in the future.",
		},
		{
			name:  "a 13th month is no time",
			after: []step{createAlice},
			step:  createAccount + "&Expiration=2026-13-04T03:02:01Z",
			err:   "InvalidInput: Expiration 2026-13-04T03:02:01Z is not a time.",
		},
		{
			name:  "a policy must be one",
			after: []step{createAlice},
			step:  createAccount + "&Policy=%7B%7D",
			err:   "MalformedPolicyDocument: Syntax errors in policy.",
		},
		{
			name:  "a policy must be valid as an inline policy",
			after: []step{createAlice},
			step:  createAccount + step("&Policy="+url.QueryEscape(`{"Statement":{"Effect":"Allow","Resource":"*"}}`)),
			err:   "MalformedPolicyDocument: Policy statement must contain actions.",
		},
		{
			name: "a parent that does not exist",
			step: createAccount,
			err:  "NoSuchEntity: The user with name alice cannot be found.",
		},
	})
}

func TestServiceAccountPolicySize(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice)
	policy := func(size int) string {
		const start, end = `{"Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::`, `"}}`
		return url.QueryEscape(start + strings.Repeat("x", size-len(start)-len(end)) + end + strings.Repeat(" ", 1000))
	}
	f.do(createAccount + step("&Policy="+policy(2048)))
	const tooLong = "LimitExceeded: Cannot exceed quota for ServiceAccountPolicySize: 2048"
	f.requireAnswer(createAccount+step("&Policy="+policy(2049)), nil, tooLong)
	f.requireAnswer(updateAccount("Policy="+policy(2049)), nil, tooLong)
}

func TestServiceAccountsQuota(t *testing.T) {
	f := newFixture(t)
	f.quotas.ServiceAccountsPerUserQuota = 2
	f.do(createAlice, createBob, createAccount, createAccount, "CreateServiceAccount ParentUser=bob")
	f.requireAnswer(createAccount, nil, "LimitExceeded: Cannot exceed quota for ServiceAccountsPerUser: 2")
	f.do(step("DeleteServiceAccount ServiceAccountId="+serviceAccountID("Alice", 3)), createAccount)
	require.Equal(t, 100, iamapi.DefaultQuotas().ServiceAccountsPerUserQuota)
}

func TestUpdateServiceAccount(t *testing.T) {
	tomorrow := day.Add(24 * time.Hour)
	full := serviceAccount(func(a *iamapi.ServiceAccountMetadata) {
		a.Description, a.Expiration, a.Policy = new("backup"), &tomorrow, new(readOnly)
	})
	createFull := createAccount + step("&Description=backup&Expiration=2026-05-05T03:02:01Z&Policy="+url.QueryEscape(readOnly))
	answer := func(change func(*iamapi.ServiceAccountMetadata)) *iamapi.GetServiceAccountResponse {
		changed := full
		change(&changed)
		return &iamapi.GetServiceAccountResponse{ServiceAccount: changed}
	}
	runTests(t, []test{
		{
			name:  "all that is given at creation is shown",
			after: []step{createAlice, createFull},
			step:  getAccount,
			want:  &iamapi.GetServiceAccountResponse{ServiceAccount: full},
		},
		{
			name:  "what is not given stays",
			after: []step{createAlice, createFull, updateAccount("Status=Inactive")},
			step:  getAccount,
			want:  answer(func(a *iamapi.ServiceAccountMetadata) { a.Status = "Inactive" }),
		},
		{
			name:  "what is given changes",
			after: []step{createAlice, createFull, updateAccount("Description=other&Expiration=2026-05-06T03:02:01Z&Policy=" + allowAll)},
			step:  getAccount,
			want: answer(func(a *iamapi.ServiceAccountMetadata) {
				document, err := url.QueryUnescape(allowAll)
				require.NoError(t, err)
				a.Description, a.Expiration, a.Policy = new("other"), new(day.Add(48*time.Hour)), &document
			}),
		},
		{
			name:  "what is given empty goes",
			after: []step{createAlice, createFull, updateAccount("Description=&Expiration=&Policy=")},
			step:  getAccount,
			want:  &iamapi.GetServiceAccountResponse{ServiceAccount: serviceAccount(nil)},
		},
		{
			name:  "an expiration of 0 goes",
			after: []step{createAlice, createFull, updateAccount("Expiration=0")},
			step:  getAccount,
			want:  answer(func(a *iamapi.ServiceAccountMetadata) { a.Expiration = nil }),
		},
		{
			name:  "an answer says nothing",
			after: []step{createAlice, createFull},
			step:  updateAccount("Status=Active"),
			want:  &iamapi.UpdateServiceAccountResponse{},
		},
		{
			name:  "a policy that is none",
			after: []step{createAlice, createFull},
			step:  updateAccount("Policy=x"),
			err:   "MalformedPolicyDocument: Syntax errors in policy.",
		},
		{
			name:  "an expiration in the past",
			after: []step{createAlice, createFull},
			step:  updateAccount("Expiration=2026-05-04T03:02:00Z"),
			err:   "InvalidInput: Expiration 2026-05-04T03:02:00Z is not in the future.",
		},
		{
			name: "a service account that does not exist",
			step: updateAccount("Status=Active"),
			err:  "NoSuchEntity: The service account with id " + accountID + " cannot be found.",
		},
	})
}

// A service account that has expired can still be shown, described and renewed.
func TestExpiredServiceAccount(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice, createAccount+"&Expiration=2026-05-05T03:02:01Z")
	f.now = day.Add(48 * time.Hour)
	f.do(updateAccount("Description=late"))
	f.requireAnswer(getAccount, &iamapi.GetServiceAccountResponse{ServiceAccount: serviceAccount(func(a *iamapi.ServiceAccountMetadata) {
		a.Description, a.Expiration = new("late"), new(day.Add(24*time.Hour))
	})}, "")
	f.do(updateAccount("Expiration=2026-05-07T03:02:01Z"))
}

func TestDeleteServiceAccount(t *testing.T) {
	missing := "NoSuchEntity: The service account with id " + accountID + " cannot be found."
	remove := step("DeleteServiceAccount ServiceAccountId=" + accountID)
	runTests(t, []test{
		{
			name:  "a service account goes",
			after: []step{createAlice, createAccount},
			step:  remove,
			want:  &iamapi.DeleteServiceAccountResponse{},
		},
		{
			name:  "and then does not exist",
			after: []step{createAlice, createAccount, remove},
			step:  getAccount,
			err:   missing,
		},
		{
			name:  "so that its parent can be deleted",
			after: []step{createAlice, createAccount, remove},
			step:  "DeleteUser UserName=alice",
			want:  &iamapi.DeleteUserResponse{},
		},
		{
			name:  "its key is gone",
			after: []step{createAlice, createAccount, remove},
			step:  step("GetAccessKeyLastUsed AccessKeyId=" + id("ABIA", 3)),
			err:   "AccessDenied: User: arn:aws:iam::123456789012:root is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key " + id("ABIA", 3),
		},
		{
			name: "a service account that does not exist",
			step: remove,
			err:  missing,
		},
	})
}

func TestListServiceAccounts(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice, createAccount, createBob, "CreateServiceAccount ParentUser=bob", createAccount)
	ids := func(s step) (ids []string, marker *string) {
		r := f.do(s).(*iamapi.ListServiceAccountsResponse)
		require.Equal(t, r.Marker != nil, r.IsTruncated)
		for _, a := range r.ServiceAccounts {
			ids = append(ids, a.ParentUser+" "+a.ServiceAccountId)
		}
		return ids, r.Marker
	}
	first, bobs, second := "Alice "+accountID, "bob "+serviceAccountID("bob", 6), "Alice "+serviceAccountID("Alice", 9)

	all, next := ids("ListServiceAccounts")
	require.Equal(t, []string{first, second, bobs}, all)
	require.Nil(t, next)

	page, next := ids("ListServiceAccounts MaxItems=2")
	require.Equal(t, []string{first, second}, page)
	page, next = ids("ListServiceAccounts MaxItems=2&Marker=" + step(*next))
	require.Equal(t, []string{bobs}, page)
	require.Nil(t, next)

	page, next = ids("ListServiceAccounts ParentUser=ALICE&MaxItems=1")
	require.Equal(t, []string{first}, page)
	page, next = ids("ListServiceAccounts ParentUser=ALICE&MaxItems=1&Marker=" + step(*next))
	require.Equal(t, []string{second}, page)
	require.Nil(t, next)

	f.requireAnswer("ListServiceAccounts ParentUser=bob", &iamapi.ListServiceAccountsResponse{ServiceAccounts: []iamapi.ServiceAccountMetadata{{
		ServiceAccountId: serviceAccountID("bob", 6), Arn: "arn:aws:iam::123456789012:service-account/" + serviceAccountID("bob", 6),
		ParentUser: "bob", AccessKeyId: id("ABIA", 7), Status: "Active", CreateDate: day,
	}}}, "")
	f.requireAnswer("ListServiceAccounts ParentUser=carol", nil, "NoSuchEntity: The user with name carol cannot be found.")
	f.requireAnswer("ListServiceAccounts Marker=%21", nil, "ValidationError: Invalid Marker.")
}

// A service account is called after its parent at creation, for good.
func TestServiceAccountOfRenamedParent(t *testing.T) {
	f := newFixture(t)
	f.do(createAlice, createAccount, "UpdateUser UserName=alice&NewUserName=Zoe")
	f.requireAnswer(getAccount, &iamapi.GetServiceAccountResponse{ServiceAccount: serviceAccount(func(a *iamapi.ServiceAccountMetadata) { a.ParentUser = "Zoe" })}, "")
}
