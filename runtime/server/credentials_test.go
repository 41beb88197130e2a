package server_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/server"
	"iamserver/runtime/storage"
	"iamserver/runtime/storage/memory"
)

// A countingStore counts the snapshots that are read.
type countingStore struct {
	storage.Store

	views atomic.Int64
}

func (s *countingStore) View(ctx context.Context, fn func(storage.Reader) error) error {
	s.views.Add(1)
	return s.Store.View(ctx, fn)
}

// A principal is read and compiled when it is first seen and after a change of
// what it depends on, and not for each request.
func TestPrincipalsAreKept(t *testing.T) {
	store := &countingStore{Store: memory.Open()}
	f := open(t, func(c *server.Config) { c.Store = store })
	alice, bob := f.user(t, "alice"), f.user(t, "bob")
	f.must(t, f.root, "CreateGroup", "GroupName", "ops")
	f.must(t, f.root, "CreatePolicy", "PolicyName", "p", "PolicyDocument", allow(`"iam:List*"`, "*"))
	f.must(t, f.root, "AddUserToGroup", "GroupName", "ops", "UserName", "alice")
	f.must(t, f.root, "AttachGroupPolicy", "GroupName", "ops", "PolicyArn", "arn:aws:iam:::policy/p")
	views := func(by key) int64 {
		before := store.views.Load()
		do(t, f.request(t, by, "GetCallerIdentity"))
		do(t, f.request(t, by, "ListUsers"))
		return store.views.Load() - before
	}
	views(alice)
	views(bob)
	kept := views(alice)
	for _, tt := range []struct {
		name       string
		change     []string
		alice, bob int64 // loads beyond what a kept principal needs
	}{
		{"nothing has changed", nil, 0, 0},
		{"another user's tags", []string{"TagUser", "UserName", "bob", "Tags.member.1.Key", "a", "Tags.member.1.Value", "b"}, 0, 1},
		{"a policy of the group", []string{"PutGroupPolicy", "GroupName", "ops", "PolicyName", "q", "PolicyDocument", allow(`"s3:*"`, "*")}, 1, 0},
		{"a version of a policy attached to the group", []string{"CreatePolicyVersion", "PolicyArn", "arn:aws:iam:::policy/p", "PolicyDocument", allow(`"iam:*"`, "*"), "SetAsDefault", "true"}, 1, 0},
		{"a policy that nobody has", []string{"CreatePolicy", "PolicyName", "r", "PolicyDocument", allow(`"iam:*"`, "*")}, 0, 0},
		{"the group's name", []string{"UpdateGroup", "GroupName", "ops", "NewGroupName", "operators"}, 1, 0},
	} {
		if tt.change != nil {
			f.must(t, f.root, tt.change[0], tt.change[1:]...)
		}
		require.Equal(t, kept+tt.alice, views(alice), "%s: alice", tt.name)
		require.Equal(t, kept+tt.bob, views(bob), "%s: bob", tt.name)
	}
}

// Many requests of one principal at once, while its policies come and go: each
// request after a change decides by what the change left.
func TestManyRequestsWhilePoliciesChange(t *testing.T) {
	f := open(t, nil)
	alice := f.user(t, "alice")
	for round := range 20 {
		want := http.StatusForbidden
		if round%2 == 0 {
			f.must(t, f.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", allow(`"iam:ListUsers"`, "*"))
			want = http.StatusOK
		} else {
			f.must(t, f.root, "DeleteUserPolicy", "UserName", "alice", "PolicyName", "p")
		}
		var all sync.WaitGroup
		got := make(chan string, 16)
		for range cap(got) {
			all.Go(func() {
				status, body := do(t, f.request(t, alice, "ListUsers"))
				if status != want {
					got <- fmt.Sprint(status, body)
				}
			})
		}
		all.Wait()
		close(got)
		for wrong := range got {
			t.Errorf("round %d: want %d, got %s", round, want, wrong)
		}
	}
}
