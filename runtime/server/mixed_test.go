package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iamserver/generated/iamapi"
	"iamserver/generated/pluginapi"
	"iamserver/runtime/audit"
	"iamserver/runtime/authz"
	"iamserver/runtime/server"
)

// A teller denies what it is asked by a user that ends with 3, saying who asked, and
// fails with those that end with 5.
type teller struct{}

func (teller) Interested(_, _, _ string, _ pluginapi.EngineDecision) bool { return true }

func (teller) Authorize(_ context.Context, req *pluginapi.AuthorizeRequest, values authz.KeyValues) (authz.Word, error) {
	names, ok, err := values("aws:username")
	switch {
	case err != nil || !ok:
		return authz.Word{}, err
	case strings.HasSuffix(names[0], "3"):
		return authz.Word{Effect: authz.Denies, Plugin: "teller", Reason: req.PrincipalArn + " " + req.UserAgent}, nil
	case strings.HasSuffix(names[0], "5"):
		panic(names[0])
	}
	return authz.Word{}, nil
}

// What one request needs room for, the next ones use. Nothing of one is ever in the
// answer of another, nor in what the audit log keeps of it.
func TestRequestsDoNotMix(t *testing.T) {
	const users, rounds = 8, 30
	log := &auditor{}
	f := open(t, func(c *server.Config) { c.Audit, c.Hook = log, teller{} })
	keys := map[string]key{}
	for i := range users {
		name := fmt.Sprintf("user-%d", i)
		keys[name] = f.user(t, name)
	}
	log.records = nil
	var all sync.WaitGroup
	for name, key := range keys {
		all.Go(func() {
			agent := func(r *http.Request) { r.Header.Set("User-Agent", "agent of "+name) }
			for range rounds {
				for _, body := range []string{
					form("GetUser"),
					form("GetUser", "UserName", name),
					form("ListAccessKeys", "UserName", name),
					form("ListGroups", "PathPrefix", "/"+name+"/"),
					form("CreateUser", "UserName", name),
					form("CreateUser", "UserName", name+"*", "Path", name),
					form("GetUser", "UserName", name, "Filler", strings.Repeat("x", 70<<10)),
					form(strings.Repeat(name, 2)),
					"Action=GetUser&UserName=" + name + "&UserName=" + name,
				} {
					r := f.signed(t, key, http.MethodPost, "/", body, agent)
					response, err := http.DefaultClient.Do(r)
					if err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
					answer, err := io.ReadAll(response.Body)
					assert.NoError(t, err)
					assert.NoError(t, response.Body.Close())
					assert.Equal(t, response.Header.Get("X-Amzn-Requestid"), element(string(answer), "RequestId"))
					assert.Empty(t, others(string(answer), name))
				}
			}
		})
	}
	all.Wait()
	require.Len(t, log.records, users*rounds*9)
	ids := map[string]bool{}
	for _, r := range log.records {
		ids[r.RequestID] = true
		name := strings.TrimPrefix(r.UserAgent, "agent of ")
		require.Equal(t, audit.UserIdentity{
			Type: "IAMUser", PrincipalID: r.UserIdentity.PrincipalID, ARN: "arn:aws:iam::123456789012:user/" + name, AccountID: "123456789012",
			AccessKeyID: keys[name].AccessKeyID, UserName: name,
		}, r.UserIdentity)
		require.Empty(t, others(fmt.Sprintf("%+v", r), name))
		if get, ok := r.RequestParameters.(*iamapi.GetUserRequest); ok && get.UserName != nil {
			require.Equal(t, name, *get.UserName)
		}
	}
	require.Len(t, ids, len(log.records))
}

var anyUser = regexp.MustCompile(`user-\d`)

// others are the users that a text names besides one.
func others(text, name string) (found []string) {
	for _, user := range anyUser.FindAllString(text, -1) {
		if user != name {
			found = append(found, user)
		}
	}
	return found
}
