package hooks_test

import (
	"crypto/rand"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iamserver/plugins/host"
)

type randomness struct{}

func (randomness) Read(p []byte) (int, error) { return rand.Read(p) }

const everything = `{"Version":"2012-10-17","Statement":{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"}}`

// What policies allow is denied by a plugin: of S3 and of IAM. The client is told
// in AWS's words and no others; the audit log knows who, and why.
func TestAuthorizerDeniesWhatPoliciesAllow(t *testing.T) {
	c := config(t, mfaDelete, host.Authorize)
	c.Config = `["s3:GetObject", "iam:DeleteUser"]`
	f := open(t, c)
	alice := f.user(t, "alice", everything)

	status, body := f.send(t, alice, "s3", http.MethodPut, "/photos/a", "a picture")
	require.Equal(t, http.StatusOK, status, body)
	status, body = f.send(t, alice, "s3", http.MethodGet, "/photos/a", "")
	require.Equal(t, http.StatusForbidden, status)
	require.Equal(t, "AccessDenied", element(body, "Code"))
	require.Equal(t, `User: arn:aws:iam::123456789012:user/alice is not authorized to perform: s3:GetObject on resource: &quot;arn:aws:s3:::photos/a&quot; with an explicit deny in an authorization plugin`, element(body, "Message"))
	require.Equal(t, map[string]any{
		"decision": "explicitDeny", "resource": "arn:aws:s3:::photos/a", "reason": "with an explicit deny in an authorization plugin",
		"plugin": "mfa-delete", "pluginCode": "mfa_required", "pluginReason": "deleting needs a second factor",
	}, f.audit.last(t).AdditionalEventData)
	require.Equal(t, []string{"PUT /photos/a"}, f.store.seen, "the store has not heard of the GET")

	status, body = f.call(t, alice, "DeleteUser", "UserName", "bob")
	require.Equal(t, http.StatusForbidden, status)
	require.Equal(t, `User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:DeleteUser on resource: arn:aws:iam::123456789012:user/bob with an explicit deny in an authorization plugin`, element(body, "Message"))
	require.Equal(t, "mfa-delete", f.audit.last(t).AdditionalEventData["plugin"])

	// Root's IAM actions are not its business, root's S3 actions are.
	f.must(t, f.root, "CreateUser", "UserName", "bob")
	f.must(t, f.root, "DeleteUser", "UserName", "bob")
	status, _ = f.send(t, f.root, "s3", http.MethodGet, "/photos/a", "")
	require.Equal(t, http.StatusForbidden, status)
}

// A plugin gets the condition keys that it asked for, from the pipeline too.
func TestAuthorizerSeesThePrincipalsTags(t *testing.T) {
	c := config(t, officeHours, host.Authorize)
	now := time.Now().UTC() //nolint:forbidigo // the plugin decides by the server's clock
	closed := closedOffset(now)
	c.Config = closed
	f := open(t, c)
	alice, bob := f.user(t, "alice", everything), f.user(t, "bob", everything)
	f.must(t, f.root, "TagUser", "UserName", "alice", "Tags.member.1.Key", "hours", "Tags.member.1.Value", "office")
	status, _ := f.send(t, alice, "s3", http.MethodGet, "/photos/a", "")
	require.Equal(t, http.StatusForbidden, status)
	require.Equal(t, "outside office hours", f.audit.last(t).AdditionalEventData["pluginReason"])
	status, _ = f.send(t, bob, "s3", http.MethodGet, "/photos/a", "")
	require.Equal(t, http.StatusOK, status)
}

// closedOffset is an offset from UTC in minutes at which the office is closed.
func closedOffset(now time.Time) string {
	if now.Hour() >= 2 && now.Hour() < 10 {
		return "-300" // 21 to 5
	}
	if now.Hour() >= 10 && now.Hour() < 18 {
		return "600" // 20 to 4
	}
	return "0"
}

// Whatever a plugin does, the request is denied, and the server answers others
// meanwhile.
func TestHostileAuthorizersDenyRequests(t *testing.T) {
	modules := []string{
		"loop", "exponential", "recursion", "fill", "copy", "memory_bomb", "buffer_loop", "buffer_refused", "buffer_outside", "output_outside", "output_edge",
		"output_length", "output_huge", "output_garbage", "output_unknown", "trap", "divide", "exit", "log_flood", "write_flood", "random_flood", "log_outside",
	}
	for _, module := range modules {
		t.Run(module, func(t *testing.T) {
			c := hostile(t, module, host.Authorize)
			c.Filter.ResourcePrefixes = []string{"arn:aws:s3:::guarded/"}
			c.Limits.AuthorizeTime = time.Minute // fuel stops it, however slow the machine is
			f := open(t, c)
			alice := f.user(t, "alice", everything)
			var idle, worst time.Duration
			other := func() time.Duration {
				began := time.Now() //nolint:forbidigo // a figure for the log
				f.must(t, alice, "GetUser")
				return time.Since(began)
			}
			f.must(t, alice, "GetUser")
			for range 20 {
				idle = max(idle, other())
			}
			var asking sync.WaitGroup
			answered := make(chan struct{})
			asking.Go(func() {
				defer close(answered)
				for range 3 {
					status, body := f.send(t, alice, "s3", http.MethodGet, "/guarded/a", "")
					assert.Equal(t, http.StatusForbidden, status, body)
					assert.NotContains(t, body, module)
				}
			})
			for waiting := true; waiting; {
				worst = max(worst, other())
				select {
				case <-answered:
					waiting = false
				default:
				}
			}
			asking.Wait()
			f.send(t, alice, "s3", http.MethodGet, "/guarded/a", "")
			data := f.audit.last(t).AdditionalEventData
			require.Equal(t, module, data["plugin"])
			require.Equal(t, "plugin_failure", data["pluginCode"])
			require.Contains(t, data["pluginFailure"], "plugin "+module+": authorize: ")
			require.Empty(t, f.store.seen)
			t.Logf("worst answer to others: %v (%v while nobody asked the plugin)", worst, idle)
		})
	}
}

// A plugin grants only where the operator says so, and never against a Deny. The
// audit log tells what it granted.
func TestAuthorizerMayGrant(t *testing.T) {
	c := hostile(t, "output_allow", host.Authorize)
	restricting := open(t, c)
	c.MayGrant = true
	granting := open(t, c)
	const deny = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::secrets/*"}}`
	for f, want := range map[*fixture]int{restricting: http.StatusForbidden, granting: http.StatusOK} {
		alice := f.user(t, "alice", deny)
		status, _ := f.send(t, alice, "s3", http.MethodGet, "/photos/a", "")
		require.Equal(t, want, status)
		if want == http.StatusOK {
			require.Equal(t, map[string]any{"plugin": "output_allow"}, f.audit.last(t).AdditionalEventData)
		}
		status, _ = f.send(t, alice, "s3", http.MethodGet, "/secrets/a", "")
		require.Equal(t, http.StatusForbidden, status)
	}
}

// A failure that may be passed over is in the audit log of what was allowed.
func TestFailureThatIsPassedOverIsAudited(t *testing.T) {
	c := hostile(t, "trap", host.Authorize)
	c.OnError = host.OnErrorAbstain
	f := open(t, c)
	alice := f.user(t, "alice", everything)
	status, _ := f.send(t, alice, "s3", http.MethodGet, "/photos/a", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, map[string]any{"pluginFailure": "plugin trap: authorize: trap: wasm error: unreachable"}, f.audit.last(t).AdditionalEventData)
}

// Who began an upload needs no policy to give it up, but is no exception to plugins:
// one that denies does, and a failure that is passed over is in the audit log.
func TestAuthorizerIsAskedAboutOnesOwnUploads(t *testing.T) {
	f := open(t)
	alice := f.user(t, "alice", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}`)
	status, body := f.send(t, alice, "s3", http.MethodPost, "/photos/a?uploads=", "")
	require.Equal(t, http.StatusOK, status, body)
	giveUp := func() int {
		status, _ := f.send(t, alice, "s3", http.MethodDelete, "/photos/a?uploadId=u1", "")
		return status
	}
	denying := config(t, mfaDelete, host.Authorize)
	denying.Config = `["s3:AbortMultipartUpload"]`
	require.NoError(t, f.set.Reload(t.Context(), []host.Config{denying}))
	require.Equal(t, http.StatusForbidden, giveUp())
	require.Equal(t, "mfa-delete", f.audit.last(t).AdditionalEventData["plugin"])

	failing := hostile(t, "trap", host.Authorize)
	require.NoError(t, f.set.Reload(t.Context(), []host.Config{failing}))
	require.Equal(t, http.StatusForbidden, giveUp())

	failing.OnError = host.OnErrorAbstain
	require.NoError(t, f.set.Reload(t.Context(), []host.Config{failing}))
	require.Less(t, giveUp(), 300)
	require.Equal(t, map[string]any{"pluginFailure": "plugin trap: authorize: trap: wasm error: unreachable"}, f.audit.last(t).AdditionalEventData)
	require.Equal(t, http.StatusForbidden, giveUp(), "there is no upload any more")
}

// Who signed nothing may read what a bucket policy opens to all, unless a plugin
// denies it; it is told nothing.
func TestAuthorizerIsAskedAboutStrangers(t *testing.T) {
	c := config(t, mfaDelete, host.Authorize)
	c.Config = `["s3:GetObject"]`
	f := open(t, c)
	const public = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}}`
	status, body := f.send(t, f.root, "s3", http.MethodPut, "/photos?policy", public)
	require.Equal(t, http.StatusNoContent, status, body)
	response, err := http.Get(f.url + "/photos/a") //nolint:noctx // it ends with the server
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusForbidden, response.StatusCode)
	require.Equal(t, "mfa-delete", f.audit.last(t).AdditionalEventData["plugin"])
	require.NoError(t, f.set.Reload(t.Context(), nil))
	response, err = http.Get(f.url + "/photos/a") //nolint:noctx // it ends with the server
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}
