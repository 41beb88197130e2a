package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"pgregory.net/rapid"

	"iamserver/runtime/seal"
)

var aliceKey = seal.AssociatedData{
	Purpose: seal.SecretAccessKey, Account: "000000000000", OwnerID: "AIDAALICE", AccessKeyID: "AKIAALICE1",
}

func TestSealedValueOpensOnlyInItsOwnRecord(t *testing.T) {
	k := create(t, t.TempDir())
	sealed, err := k.Seal([]byte("the secret"), aliceKey)
	require.NoError(t, err)

	plaintext, err := k.Open(sealed, aliceKey)
	require.NoError(t, err)
	require.Equal(t, "the secret", string(plaintext))

	for _, tt := range []struct {
		name string
		ad   seal.AssociatedData
	}{
		{"another account", seal.AssociatedData{Purpose: seal.SecretAccessKey, Account: "111111111111", OwnerID: "AIDAALICE", AccessKeyID: "AKIAALICE1"}},
		{"another owner", seal.AssociatedData{Purpose: seal.SecretAccessKey, Account: "000000000000", OwnerID: "AIDAMALLORY", AccessKeyID: "AKIAALICE1"}},
		{"another key of the same owner", seal.AssociatedData{Purpose: seal.SecretAccessKey, Account: "000000000000", OwnerID: "AIDAALICE", AccessKeyID: "AKIAALICE2"}},
		{"a key id that differs in case", seal.AssociatedData{Purpose: seal.SecretAccessKey, Account: "000000000000", OwnerID: "AIDAALICE", AccessKeyID: "akiaalice1"}},
		{"another purpose", seal.AssociatedData{Purpose: "session-token", Account: "000000000000", OwnerID: "AIDAALICE", AccessKeyID: "AKIAALICE1"}},
		{"a letter moved between fields", seal.AssociatedData{Purpose: seal.SecretAccessKey, Account: "000000000000", OwnerID: "AIDAALIC", AccessKeyID: "EAKIAALICE1"}},
		{"fields in another order", seal.AssociatedData{Purpose: seal.SecretAccessKey, Account: "000000000000", OwnerID: "AKIAALICE1", AccessKeyID: "AIDAALICE"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plaintext, err := k.Open(sealed, tt.ad)
			require.ErrorIs(t, err, seal.ErrNotOpened)
			require.Nil(t, plaintext)
		})
	}
}

func TestDamagedValueDoesNotOpen(t *testing.T) {
	k := create(t, t.TempDir())
	sealed, err := k.Seal([]byte("the secret"), aliceKey)
	require.NoError(t, err)

	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 1
		_, err := k.Open(damaged, aliceKey)
		require.ErrorIs(t, err, seal.ErrNotOpened, "byte %d changed", i)
		_, err = k.Open(sealed[:i], aliceKey)
		require.ErrorIs(t, err, seal.ErrNotOpened, "cut to %d bytes", i)
	}
}

func TestAssociatedDataThatBindsTooLittleIsRefused(t *testing.T) {
	k := create(t, t.TempDir())
	for _, tt := range []struct {
		name string
		ad   seal.AssociatedData
		want string
	}{
		{"nothing at all", seal.AssociatedData{}, "associated data lacks the purpose or the account"},
		{"no purpose", seal.AssociatedData{Account: "0", OwnerID: "o", AccessKeyID: "k"}, "associated data lacks the purpose or the account"},
		{"no account", seal.AssociatedData{Purpose: "session-token"}, "associated data lacks the purpose or the account"},
		{"a secret access key of nobody", seal.AssociatedData{Purpose: seal.SecretAccessKey, Account: "0", AccessKeyID: "k"}, "associated data of a secret access key lacks the owner or the access key id"},
		{"a secret access key of no key", seal.AssociatedData{Purpose: seal.SecretAccessKey, Account: "0", OwnerID: "o"}, "associated data of a secret access key lacks the owner or the access key id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := k.Seal([]byte("the secret"), tt.ad)
			require.EqualError(t, err, tt.want)
			_, err = k.Open([]byte("anything"), tt.ad)
			require.EqualError(t, err, tt.want)
		})
	}
	_, err := k.Seal([]byte("a token"), seal.AssociatedData{Purpose: "session-token", Account: "000000000000"})
	require.NoError(t, err, "other purposes may have no owner")
}

func TestDifferentAssociatedDataNeverOpens(t *testing.T) {
	k := create(t, t.TempDir())
	field := rapid.StringMatching(`[a\x00\x01]{1,3}`) // few values, so that neighbours collide if anything does
	data := rapid.Custom(func(t *rapid.T) seal.AssociatedData {
		return seal.AssociatedData{
			Purpose: seal.Purpose(field.Draw(t, "purpose")), Account: field.Draw(t, "account"),
			OwnerID: field.Draw(t, "owner"), AccessKeyID: field.Draw(t, "key"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		sealedWith, openedWith := data.Draw(t, "sealed with"), data.Draw(t, "opened with")
		sealed, err := k.Seal([]byte("x"), sealedWith)
		require.NoError(t, err)
		_, err = k.Open(sealed, openedWith)
		require.Equal(t, sealedWith == openedWith, err == nil)
	})
}

func TestKeysetIsKept(t *testing.T) {
	dir := t.TempDir()
	sealed, err := create(t, dir).Seal([]byte("the secret"), aliceKey)
	require.NoError(t, err)

	info, err := os.Lstat(filepath.Join(dir, "master.key"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())

	for _, fresh := range []bool{false, true} {
		k, err := seal.Load(seal.Config{Dir: dir, Fresh: fresh, Getenv: noEnvironment})
		require.NoError(t, err)
		require.Equal(t, filepath.Join(dir, "master.key"), k.Source())
		plaintext, err := k.Open(sealed, aliceKey)
		require.NoError(t, err)
		require.Equal(t, "the secret", string(plaintext))
	}
}

func TestOfManyFirstStartsOneMakesTheKeyset(t *testing.T) {
	dir := t.TempDir()
	keysets := make([]*seal.Keyset, 16)
	var group sync.WaitGroup
	for i := range keysets {
		group.Go(func() { keysets[i], _ = seal.Load(seal.Config{Dir: dir, Fresh: true, Getenv: noEnvironment}) })
	}
	group.Wait()

	stored, err := seal.Load(seal.Config{Dir: dir, Getenv: noEnvironment})
	require.NoError(t, err)
	for _, k := range keysets {
		if k == nil {
			continue // it was overtaken, and stops
		}
		check, err := k.CheckValue()
		require.NoError(t, err)
		require.NoError(t, stored.Verify(check))
	}
}

func TestKeysetFromEnvironment(t *testing.T) {
	dir := t.TempDir()
	sealed, err := create(t, dir).Seal([]byte("the secret"), aliceKey)
	require.NoError(t, err)
	file, err := os.ReadFile(filepath.Join(dir, "master.key"))
	require.NoError(t, err)
	encoded := base64.StdEncoding.EncodeToString(file)

	for _, tt := range []struct{ name, value string }{
		{"on one line", encoded},
		{"with a line feed at the end", encoded + "\n"},
		{"in lines, as the base64 command prints it", encoded[:76] + "\n" + encoded[76:]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			k, err := seal.Load(seal.Config{Dir: dir, Fresh: true, Getenv: environment(tt.value)})
			require.NoError(t, err)
			require.Equal(t, "IAMSERVER_MASTER_KEY", k.Source())
			require.NoFileExists(t, filepath.Join(dir, "master.key"))
			plaintext, err := k.Open(sealed, aliceKey)
			require.NoError(t, err)
			require.Equal(t, "the secret", string(plaintext))
		})
	}

	other := t.TempDir()
	create(t, other)
	k, err := seal.Load(seal.Config{Dir: other, Getenv: environment(encoded)})
	require.NoError(t, err)
	_, err = k.Open(sealed, aliceKey)
	require.NoError(t, err, "the environment counts, not the file")
	require.EqualError(t, k.Rotate(),
		"rotate master key: it comes from IAMSERVER_MASTER_KEY, which the server cannot change; start with the keyset in master.key instead")
}

func TestLoadRefuses(t *testing.T) {
	good := keysetFile(t, aead.AES256GCMKeyTemplate())
	at := bytes.Index(good, []byte(`"value":"`)) + len(`"value":"`)
	keyMaterial := string(good[at : at+20])
	broken := bytes.Replace(good, []byte(`"value":"`), []byte(`"value":`), 1) // the decoder would quote the key
	other := keysetFile(t, aead.AES256GCMKeyTemplate())

	const damaged = " is not a Tink keyset in JSON form (is it truncated?)"
	for _, tt := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"an empty file", nil, damaged},
		{"a truncated file", good[:len(good)/2], damaged},
		{"an empty keyset", []byte("{}"), damaged},
		{"no JSON, with a key in it", broken, damaged},
		{"two keysets", append(bytes.Clone(good), other...), damaged},
		{"an unknown member", bytes.Replace(good, []byte(`{`), []byte(`{"x":1,`), 1), damaged},
		{"a key of AES-128", keysetFile(t, aead.AES128GCMKeyTemplate()), " holds key ID, which is not an AES256_GCM key with Tink's output prefix"},
		{"a key without output prefix", keysetFile(t, aead.AES256GCMNoPrefixKeyTemplate()), " holds key ID, which is not an AES256_GCM key with Tink's output prefix"},
		{"a key that does not encrypt", keysetFile(t, mac.HMACSHA256Tag128KeyTemplate()), " holds key ID, which is not an AES256_GCM key with Tink's output prefix"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "master.key")
			require.NoError(t, os.WriteFile(path, tt.content, 0o600))
			want := strings.ReplaceAll(tt.want, "ID", primaryID(tt.content))
			for _, fresh := range []bool{false, true} {
				_, err := seal.Load(seal.Config{Dir: dir, Fresh: fresh, Getenv: noEnvironment})
				require.EqualError(t, err, "master key: "+path+want+"; restore it from a backup")
				require.NotContains(t, err.Error(), keyMaterial)
			}
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(tt.content), string(after), "what is there is never replaced")

			if len(tt.content) > 0 { // an empty variable is one that is not set
				_, err = seal.Load(seal.Config{Dir: t.TempDir(), Getenv: environment(base64.StdEncoding.EncodeToString(tt.content))})
				require.EqualError(t, err, "master key: IAMSERVER_MASTER_KEY"+want+"; set it to the output of: base64 < master.key")
			}
		})
	}

	_, err := seal.Load(seal.Config{Dir: t.TempDir(), Fresh: true, Getenv: environment(string(good))})
	require.EqualError(t, err, "master key: IAMSERVER_MASTER_KEY is not base64; set it to the output of: base64 < master.key")
	_, err = seal.Load(seal.Config{Dir: t.TempDir(), Fresh: true, Getenv: environment(strings.Repeat("A", 100_000))})
	require.EqualError(t, err, "master key: IAMSERVER_MASTER_KEY is longer than that of 65536 bytes")
}

func TestMissingKeysetIsMadeOnlyInAFreshInstallation(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	_, err := seal.Load(seal.Config{Dir: dir, Getenv: noEnvironment})
	require.EqualError(t, err, "master key: "+path+" does not exist, and without it the secrets in this data directory cannot be opened; "+
		"restore it from a backup or set IAMSERVER_MASTER_KEY")
	require.NoFileExists(t, path)
}

func TestExposedKeysetStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	create(t, dir)
	path := filepath.Join(dir, "master.key")
	require.NoError(t, os.Chmod(path, 0o644))
	_, err := seal.Load(seal.Config{Dir: dir, Getenv: noEnvironment})
	require.EqualError(t, err, fmt.Sprintf("master key: %s has mode 0644 and may be read by others; run: chmod 600 %q", path, path))

	require.NoError(t, os.Rename(path, path+".elsewhere"))
	require.NoError(t, os.Symlink(path+".elsewhere", path))
	_, err = seal.Load(seal.Config{Dir: dir, Fresh: true, Getenv: noEnvironment})
	require.EqualError(t, err, "master key: "+path+" is a symbolic link; give the path of the file itself")
}

func TestRotate(t *testing.T) {
	dir := t.TempDir()
	k := create(t, dir)
	before, err := k.Seal([]byte("before"), aliceKey)
	require.NoError(t, err)
	require.False(t, k.NeedsReseal(before))

	require.NoError(t, k.Rotate())
	after, err := k.Seal([]byte("after"), aliceKey)
	require.NoError(t, err)

	restarted, err := seal.Load(seal.Config{Dir: dir, Getenv: noEnvironment})
	require.NoError(t, err)
	for _, k := range []*seal.Keyset{k, restarted} {
		require.True(t, k.NeedsReseal(before))
		require.False(t, k.NeedsReseal(after))
		require.True(t, k.NeedsReseal(nil))
		for _, sealed := range []struct {
			value []byte
			want  string
		}{{before, "before"}, {after, "after"}} {
			plaintext, err := k.Open(sealed.value, aliceKey)
			require.NoError(t, err)
			require.Equal(t, sealed.want, string(plaintext))
		}
	}
}

func TestRotationThatCannotBeKeptIsNotUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.Mkdir(dir, 0o700))
	k := create(t, dir)
	require.NoError(t, os.RemoveAll(dir))

	require.ErrorIs(t, k.Rotate(), fs.ErrNotExist)
	sealed, err := k.Seal([]byte("x"), aliceKey)
	require.NoError(t, err)
	require.False(t, k.NeedsReseal(sealed))
	check, err := k.CheckValue()
	require.NoError(t, err)
	var decoded struct{ KeyIDs []uint32 }
	require.NoError(t, json.Unmarshal(check, &decoded))
	require.Len(t, decoded.KeyIDs, 1)
}

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	k := create(t, dir)
	check, err := k.CheckValue()
	require.NoError(t, err)
	require.NoError(t, k.Verify(check))

	beforeRotation, err := os.ReadFile(filepath.Join(dir, "master.key"))
	require.NoError(t, err)
	require.NoError(t, k.Rotate())
	require.NoError(t, k.Verify(check), "a crash may come between the rotation and the new check value")
	rotatedCheck, err := k.CheckValue()
	require.NoError(t, err)
	require.NoError(t, k.Verify(rotatedCheck))

	old := load(t, beforeRotation)
	require.NoError(t, old.Verify(check))
	require.EqualError(t, old.Verify(rotatedCheck), fmt.Sprintf(
		"master key: %s is not the keyset that the secrets in this data directory are sealed with (the data needs key %s, the keyset holds [%s]); restore the one that belongs to it",
		old.Source(), primary(k), primary(old)))

	stranger := create(t, t.TempDir())
	require.EqualError(t, stranger.Verify(check), fmt.Sprintf(
		"master key: %s is not the keyset that the secrets in this data directory are sealed with (the data needs key %s, the keyset holds [%s]); restore the one that belongs to it",
		stranger.Source(), primary(old), primary(stranger)))

	// Another key may carry the same id by chance or by design.
	forged := load(t, bytes.ReplaceAll(keysetFileOf(t, stranger), []byte(primary(stranger)), []byte(primary(old))))
	require.EqualError(t, forged.Verify(check),
		"master key: "+forged.Source()+" is not the keyset that the secrets in this data directory are sealed with (the key ids agree but the check value does not open); restore the one that belongs to it")
}

func TestVerifyRefusesADamagedCheckValue(t *testing.T) {
	k := create(t, t.TempDir())
	check, err := k.CheckValue()
	require.NoError(t, err)
	for _, damaged := range []string{"", "{}", "null", `{"keyIds":[]}`, string(check[:len(check)-1])} {
		require.EqualError(t, k.Verify([]byte(damaged)), "master key: the check value in the data is damaged; restore the data from a backup")
	}
	sealed, err := k.Seal([]byte("iamserver master key"), aliceKey)
	require.NoError(t, err)
	moved, err := json.Marshal(map[string]any{"keyIds": []json.Number{json.Number(primary(k))}, "sealed": sealed})
	require.NoError(t, err)
	require.ErrorContains(t, k.Verify(moved), "does not open", "a record's secret is no check value")
}

func TestNoOutputHoldsAKey(t *testing.T) {
	dir := t.TempDir()
	k := create(t, dir)
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("loaded", "keyset", k)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("loaded", "keyset", k)
	check, err := k.CheckValue()
	require.NoError(t, err)
	output := bytes.Join([][]byte{logged.Bytes(), check}, nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		output = fmt.Appendf(output, verb, k)
	}

	want := fmt.Sprintf("keyset %s from %s", primary(k), filepath.Join(dir, "master.key"))
	require.Equal(t, want, k.String())
	require.Contains(t, logged.String(), want)
	var file struct {
		Key []struct{ KeyData struct{ Value string } }
	}
	require.NoError(t, json.Unmarshal(keysetFileOf(t, k), &file))
	raw, err := base64.StdEncoding.DecodeString(file.Key[0].KeyData.Value)
	require.NoError(t, err)
	raw = raw[len(raw)-32:]
	for _, form := range []string{file.Key[0].KeyData.Value, string(raw), hex.EncodeToString(raw), fmt.Sprintf("%d", raw), base64.StdEncoding.EncodeToString(raw)} {
		require.NotContains(t, string(output), form)
	}
}

func TestConcurrentUseDuringRotation(t *testing.T) {
	dir := t.TempDir()
	k := create(t, dir)
	const workers, rounds, rotations = 8, 50, 4
	sealed := make([][][]byte, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range rounds {
				value, err := k.Seal(fmt.Append(nil, w, i), aliceKey)
				if err == nil {
					_, err = k.Open(value, aliceKey)
				}
				if err == nil {
					sealed[w] = append(sealed[w], value)
				}
			}
		})
	}
	for range rotations {
		group.Go(func() {
			if err := k.Rotate(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()

	restarted, err := seal.Load(seal.Config{Dir: dir, Getenv: noEnvironment})
	require.NoError(t, err)
	for w := range workers {
		require.Len(t, sealed[w], rounds)
		for i, value := range sealed[w] {
			plaintext, err := restarted.Open(value, aliceKey)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(w, i), string(plaintext))
		}
	}
	check, err := k.CheckValue()
	require.NoError(t, err)
	require.NoError(t, restarted.Verify(check))
	var decoded struct{ KeyIDs []uint32 }
	require.NoError(t, json.Unmarshal(check, &decoded))
	require.Len(t, decoded.KeyIDs, 1+rotations, "no rotation overwrites another")
}

func BenchmarkSeal(b *testing.B) {
	k := create(b, b.TempDir())
	secret := []byte(strings.Repeat("s", 40))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Seal(secret, aliceKey); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	k := create(b, b.TempDir())
	sealed, err := k.Seal([]byte(strings.Repeat("s", 40)), aliceKey)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(sealed, aliceKey); err != nil {
			b.Fatal(err)
		}
	}
}

func noEnvironment(string) string { return "" }

func environment(masterKey string) func(string) string {
	return func(name string) string {
		if name == "IAMSERVER_MASTER_KEY" {
			return masterKey
		}
		return ""
	}
}

func create(t testing.TB, dir string) *seal.Keyset {
	t.Helper()
	k, err := seal.Load(seal.Config{Dir: dir, Fresh: true, Getenv: noEnvironment})
	require.NoError(t, err)
	return k
}

func load(t *testing.T, file []byte) *seal.Keyset {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "master.key"), file, 0o600))
	k, err := seal.Load(seal.Config{Dir: dir, Getenv: noEnvironment})
	require.NoError(t, err)
	return k
}

// primary returns the id of the primary key.
func primary(k *seal.Keyset) string {
	return strings.Fields(k.String())[1]
}

func primaryID(file []byte) string {
	var decoded struct {
		PrimaryKeyID json.Number `json:"primaryKeyId"`
	}
	if err := json.Unmarshal(file, &decoded); err != nil {
		return ""
	}
	return decoded.PrimaryKeyID.String()
}

func keysetFileOf(t *testing.T, k *seal.Keyset) []byte {
	t.Helper()
	data, err := os.ReadFile(k.Source())
	require.NoError(t, err)
	return data
}

func keysetFile(t *testing.T, template *tinkpb.KeyTemplate) []byte {
	t.Helper()
	handle, err := keyset.NewHandle(template)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)))
	return bytes.ReplaceAll(b.Bytes(), []byte(`": `), []byte(`":`)) // the encoder's spacing varies
}
