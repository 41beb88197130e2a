package hooks_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"iamserver/plugins/host"
	"iamserver/runtime/seal"
	"iamserver/runtime/server"
)

// Remains are the memory of an instance that was given up.
type remains struct {
	plugin string
	bytes  []byte
}

// No secret of a run gets into the memory of an instance: it is searched when the
// instance has handled what there was, for all of them, but for what the instance
// made itself. The authorizer and validator keeps everything that it is asked, and
// asks for every condition key that could hold one.
func TestNoSecretReachesAPlugin(t *testing.T) {
	for _, tt := range []struct {
		name, module string
		source       host.SecretSource
	}{
		{"secrets of the server", companyKey, host.SecretFromHost},
		{"secrets of the plugin", "testdata/secretive.wasm", host.SecretFromPlugin},
	} {
		t.Run(tt.name, func(t *testing.T) {
			curious, keys := config(t, "testdata/curious.wasm", host.Authorize, host.ValidatePolicy), config(t, tt.module, host.GenerateAccessKey)
			curious.Name, keys.Name = "curious", "keys"
			keys.SecretSource, keys.AllowSupplied, curious.IncludeRoot = tt.source, true, true
			var mu sync.Mutex
			var memories []remains
			keyset := t.TempDir()
			f := openWith(t, func(o *host.Options, c *server.Config) {
				o.Ended = func(plugin string, bytes []byte) {
					mu.Lock()
					defer mu.Unlock()
					memories = append(memories, remains{plugin, append([]byte{}, bytes...)})
				}
				sealed, err := seal.Load(seal.Config{Dir: keyset, Fresh: true, Getenv: func(string) string { return "" }})
				require.NoError(t, err)
				c.Sealer = sealed.OfAccount(account)
			}, curious, keys)
			secrets := traffic(t, f)
			for name, secret := range masterKey(t, keyset) {
				secrets[name] = secret
			}
			require.NoError(t, f.set.Reload(t.Context(), nil))

			seen, made := 0, map[string]int{}
			for _, m := range memories {
				if m.plugin == "curious" {
					seen += bytes.Count(m.bytes, []byte("arn:aws:iam::123456789012:user/alice")) + bytes.Count(m.bytes, []byte("arn:aws:s3:::photos/a"))
				}
				for name, secret := range secrets {
					if !bytes.Contains(m.bytes, secret) {
						continue
					}
					require.Equal(t, "keys", m.plugin, "%s has got into the memory of %s", name, m.plugin)
					require.Equal(t, host.SecretFromPlugin, tt.source, "%s has got into the memory of a plugin that makes none", name)
					require.Contains(t, name, "made: ", "a generator knows %s", name)
					made[name]++
				}
			}
			require.Greater(t, seen, 20, "the plugin keeps what it is asked")
			want := map[string]int{}
			if tt.source == host.SecretFromPlugin {
				want = map[string]int{"made: alice's key": 1, "made: service account's key": 1}
			}
			require.Equal(t, want, made, "each is in the memory of the instance that made it, and of no other")
		})
	}
}

// traffic is what a server sees in a run, and returns all secrets of it by name.
func traffic(t *testing.T, f *fixture) map[string][]byte {
	t.Helper()
	secrets := map[string][]byte{"root's secret": []byte(f.root.SecretAccessKey), "the secret of the store": []byte("the secret of the store")}
	add := func(name, secret string) {
		require.Greater(t, len(secret), 15, name)
		secrets[name] = []byte(secret)
	}
	number := 0
	send := func(r *http.Request) {
		number++
		if header := r.Header.Get("Authorization"); header != "" {
			_, signature, _ := strings.Cut(header, "Signature=")
			add(fmt.Sprintf("signature %d", number), signature)
			add(fmt.Sprintf("Authorization %d", number), header)
		}
		if signature := r.URL.Query().Get("X-Amz-Signature"); signature != "" {
			add(fmt.Sprintf("presigned signature %d", number), signature)
		}
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	alice := f.user(t, "alice", everything)
	add("made: alice's key", alice.SecretAccessKey)
	service := keyOf(f.must(t, f.root, "CreateServiceAccount", "ParentUser", "alice", "Policy", everything))
	add("made: service account's key", service.SecretAccessKey)
	const supplied = "a secret that the caller has brought"
	f.call(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", "ACME0123456789ABCDEFG", "SecretAccessKey", supplied)
	f.call(t, f.root, "CreateAccessKey", "UserName", "alice", "AccessKeyId", "KEYS0123456789ABCDEF", "SecretAccessKey", supplied)
	f.call(t, f.root, "CreateAccessKey", "UserName", "alice", "SecretAccessKey", supplied)
	add("a supplied secret", supplied)
	f.must(t, alice, "TagUser", "UserName", "alice", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red")

	customer := strings.Repeat("a key of the customer's own!", 2)[:32]
	encoded := base64.StdEncoding.EncodeToString([]byte(customer))
	add("an SSE-C key", customer)
	add("an SSE-C key in base64", encoded)
	const token = "FwoGZXIvYXdzEBEaDsessiontoken"
	add("a session token", token)
	for _, by := range []aws.Credentials{alice, service, f.root} {
		for _, prefix := range []string{"X-Amz-Server-Side-Encryption-Customer-", "X-Amz-Copy-Source-Server-Side-Encryption-Customer-"} {
			send(f.signed(t, by, "s3", http.MethodPut, "/photos/a", "a picture", prefix+"Algorithm", "AES256", prefix+"Key", encoded, prefix+"Key-MD5", "VlQ2l+aV2nG3V0x4tBmjIg=="))
		}
		send(f.signed(t, by, "s3", http.MethodGet, "/photos/a", ""))
		send(f.signed(t, by, "s3", http.MethodDelete, "/photos/a", ""))
		send(f.signed(t, by, "s3", http.MethodPut, "/photos?policy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}}`))
		send(f.signed(t, by, "iam", http.MethodGet, "/?Action=GetUser&Version=2010-05-08", ""))
		send(f.signed(t, by, "sts", http.MethodGet, "/?Action=GetCallerIdentity&Version=2011-06-15", ""))
		for service, target := range map[string]string{"s3": "/photos/a?X-Amz-Expires=600", "iam": "/?Action=GetUser&Version=2010-05-08&X-Amz-Expires=600"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+target, nil)
			require.NoError(t, err)
			hash := "UNSIGNED-PAYLOAD"
			if service == "iam" {
				hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
			}
			signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), by, r, hash, service, "us-east-1", time.Now()) //nolint:forbidigo // as the server's clock
			require.NoError(t, err)
			r, err = http.NewRequestWithContext(t.Context(), http.MethodGet, signed, nil)
			require.NoError(t, err)
			r.Header.Set("Referer", "https://example.com/page")
			send(r)
		}
		by.SessionToken = token
		send(f.signed(t, by, "s3", http.MethodGet, "/photos/a", ""))
		send(f.signed(t, by, "iam", http.MethodGet, "/?Action=GetUser&Version=2010-05-08", ""))
	}
	return secrets
}

// masterKey is the keyset of a folder, as it stands and as the bytes it is made of.
func masterKey(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, seal.FileName))
	require.NoError(t, err)
	secrets := map[string][]byte{"the master key": text[:min(len(text), 64)]}
	for _, encoded := range regexp.MustCompile(`[A-Za-z0-9+/]{32,}={0,2}`).FindAll(text, -1) {
		secrets["the master key's "+string(encoded)] = encoded
		if raw, err := base64.StdEncoding.DecodeString(string(encoded)); err == nil {
			secrets["the raw master key"] = raw
		}
	}
	require.Greater(t, len(secrets), 1, "there is something to look for")
	return secrets
}
