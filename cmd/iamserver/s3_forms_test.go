package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
)

// signedForm are the fields of a form, which somebody has signed for an hour.
func signedForm(t testing.TB, by aws.Credentials, conditions []any) map[string]string {
	t.Helper()
	now := time.Now().UTC()
	date := now.Format("20060102")
	fields := map[string]string{
		"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": now.Format("20060102T150405Z"),
		"x-amz-credential": by.AccessKeyID + "/" + date + "/us-east-1/s3/aws4_request",
	}
	for name, value := range fields {
		conditions = append(conditions, map[string]string{name: value})
	}
	policy, err := json.Marshal(map[string]any{"expiration": now.Add(time.Hour).Format(time.RFC3339), "conditions": conditions})
	require.NoError(t, err)
	fields["policy"] = base64.StdEncoding.EncodeToString(policy)
	key := []byte("AWS4" + by.SecretAccessKey)
	for _, part := range []string{date, "us-east-1", "s3", "aws4_request", fields["policy"]} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	fields["x-amz-signature"] = hex.EncodeToString(key)
	return fields
}

// A form as a browser posts it, by curl: the rights are those of who signed its policy.
func storyForms(t *testing.T, o *objects) {
	needs(t, "curl")
	ctx, b := t.Context(), o.bucket(t, "forms", nil)
	user := o.user(t, "forms", allow("PutObject", b+"/user/*"), deny("*", b+"/user/private/*"),
		deny("PutObject", b+"/user/form-only/*", `"Condition":{"StringNotEquals":{"s3:authType":"POST"}}`),
		deny("PutObject", b+"/user/old-enough/*", `"Condition":{"NumericLessThan":{"s3:signatureAge":"3600000"}}`))
	signed := func(acl string) map[string]string {
		conditions := []any{map[string]string{"bucket": b}, []any{"starts-with", "$key", ""}, []any{"content-length-range", 1, 3 << 20}}
		if acl == "" {
			return signedForm(t, user, conditions)
		}
		fields := signedForm(t, user, append(conditions, map[string]string{"acl": acl}))
		fields["acl"] = acl
		return fields
	}
	fields, dir := signed(""), t.TempDir()
	post := func(key, file string, more ...string) string {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "photo.jpg"), []byte(file), 0o600))
		arguments := []string{"-s", "-w", "%{http_code}", "-F", "key=" + key}
		for name, value := range fields {
			arguments = append(arguments, "-F", name+"="+value)
		}
		cmd := exec.CommandContext(ctx, "curl", append(append(arguments, more...), "-F", "file=@photo.jpg", "-F", "submit=Upload", o.url+"/"+b)...)
		cmd.Dir = dir
		output, err := cmd.Output()
		require.NoError(t, err)
		return string(output)
	}
	for _, size := range []int{1, 100 << 10, 2 << 20} {
		require.Equal(t, "204", post("user/${filename}", string(someBytes(size))))
		require.Equal(t, "200 "+string(someBytes(size)), o.get(t, o.root, b, "user/photo.jpg"))
	}
	require.Equal(t, "204", post("user/form-only/x", "x"))
	// A checksum among the fields is held against the file, and comes back.
	fields = signedForm(t, user, []any{map[string]string{"bucket": b}, []any{"starts-with", "$key", "user/"}, []any{"starts-with", "$x-amz-checksum-crc32", ""}})
	fields["x-amz-checksum-crc32"] = "jNwYow==" // of another file
	require.Contains(t, post("user/checked", "x"), "<Code>BadDigest</Code>")
	sum := make([]byte, 4)
	binary.BigEndian.PutUint32(sum, crc32.ChecksumIEEE([]byte("x")))
	fields["x-amz-checksum-crc32"] = base64.StdEncoding.EncodeToString(sum)
	require.Regexp(t, "(?i)x-amz-checksum-crc32: "+regexp.QuoteMeta(fields["x-amz-checksum-crc32"])+"[^$]*204$", post("user/checked", "x", "-i"))
	fields = signed("")
	require.Equal(t, "403 AccessDenied", o.send(t, user, message{method: "PUT", target: "/" + b + "/user/form-only/x", body: "x"}).String())
	require.Contains(t, post("user/../user/private/x", "x"), o.byKeys("<Code>InvalidArgument</Code>", "204"), "an alias of what is denied")
	for name, answer := range map[string]string{
		"what the signer may not write":   post("other/x", "x"),
		"what is denied to the signer":    post("user/private/x", "x"),
		"a form that is too young":        post("user/old-enough/x", "x"),
		"a field without a condition":     post("user/x", "x", "-F", "x-amz-meta-a=b"),
		"a file that is too long":         post("user/x", string(someBytes(3<<20+1))),
		"an empty file":                   post("user/x", ""),
		"two keys":                        post("user/x", "x", "-F", "key=user/y"),
		"a signature in a header as well": post("user/x", "x", "-H", "Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request, SignedHeaders=host, Signature=0"),
	} {
		want := map[string]string{
			"a file that is too long": "EntityTooLarge",
			"an empty file":           "EntityTooSmall", "two keys": "InvalidArgument", "a signature in a header as well": "",
		}
		code, ok := want[name]
		if !ok {
			code = "AccessDenied"
		}
		require.Regexp(t, "<Code>"+code+".*4[0-9][0-9]$", answer, name)
	}
	plain := fields
	fields = signed("public-read")
	require.Contains(t, post("user/x", "x"), "<Code>AccessControlListNotSupported</Code>")
	fields = signed("private")
	require.Contains(t, post("user/x", "x"), "s3:PutObjectAcl")
	fields = plain
	for _, key := range []string{"other/x", "user/private/x", "user/x", "user/y"} {
		require.Equal(t, "404 NoSuchKey", o.get(t, o.root, b, key), key)
	}
	signature := fields["x-amz-signature"]
	fields["x-amz-signature"] = strings.Repeat("0", 64)
	require.Contains(t, post("user/x", "x"), "<Code>SignatureDoesNotMatch</Code>")
	fields["x-amz-signature"] = signature
	o.iam.must(t, "DeleteAccessKey", "UserName", o.name("forms"), "AccessKeyId", user.AccessKeyID)
	require.Contains(t, post("user/x", "x"), "<Code>InvalidAccessKeyId</Code>")

	// Nobody need sign where everybody may write.
	clear(fields)
	require.Contains(t, post("inbox/x", "x"), "<Code>AccessDenied</Code>")
	require.Equal(t, "204", o.putPolicy(t, o.root, b, allow("PutObject", b+"/inbox/*", everyone)))
	require.Equal(t, "204", post("inbox/x", "x"))
	require.Contains(t, post("user/x", "x"), "<Code>AccessDenied</Code>")
	fields["policy"] = "e30="
	require.Contains(t, post("inbox/y", "x"), "<Code>InvalidPolicyDocument</Code>")
	clear(fields)
	fields["AWSAccessKeyId"], fields["signature"] = "AKIA", "old"
	require.Contains(t, post("inbox/y", "x"), "<Code>InvalidRequest</Code><Message>The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.</Message>")
	require.Equal(t, "404 NoSuchKey", o.get(t, o.root, b, "inbox/y"))
}

const useVersion4 = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."

// Signature Version 2 is told apart from no signature, at what is public as well.
func storyOldSignatures(t *testing.T, o *objects) {
	b := o.bucket(t, "old", []string{"a"})
	require.Equal(t, "204", o.putPolicy(t, o.root, b, allow("GetObject", b+"/*", everyone)))
	require.Equal(t, "200 a", o.get(t, unsigned, b, "a"))
	query := url.Values{"AWSAccessKeyId": {o.root.AccessKeyID}, "Signature": {"c2lnbmF0dXJl"}, "Expires": {"4000000000"}}.Encode()
	for name, m := range map[string]message{
		"a header":            {method: "GET", target: "/" + b + "/a", header: map[string][]string{"Authorization": {"AWS " + o.root.AccessKeyID + ":c2lnbmF0dXJl"}}},
		"a presigned address": {method: "GET", target: "/" + b + "/a?" + query},
	} {
		a := o.send(t, unsigned, m)
		require.Equal(t, "400 InvalidRequest", a.String(), name)
		require.Equal(t, useVersion4, a.message(), name)
	}
	a := o.send(t, unsigned, message{method: "GET", target: "/" + b + "/a", header: map[string][]string{"Authorization": {"Bearer token"}}})
	require.Equal(t, "400 InvalidArgument", a.String())
	require.Equal(t, "Unsupported Authorization Type", a.message())
}

// Version 1 of the AWS CLI presigns for us-east-1 with Signature Version 2 unless it
// is told otherwise: the answer says what to do.
func TestPresignedByAnOldCLI(t *testing.T) {
	needs(t, "aws", "curl", "bash")
	sh := newShell(t)
	if !strings.HasPrefix(sh.must("aws --version"), "aws-cli/1.") {
		t.Skip("this test is about version 1 of the AWS CLI")
	}
	o := startObjects(t, nil)
	o.prefix = "old-"
	b := o.bucket(t, "cli", []string{"a"})
	o.as(sh, o.root)
	require.Regexp(t, `<Code>InvalidRequest</Code><Message>`+useVersion4+`</Message>.*400$`, sh.must(`curl -s -w '%{http_code}' "$(aws s3 presign s3://`+b+`/a)"`))
	sh.must("export AWS_CONFIG_FILE=$PWD/config && aws configure set default.s3.signature_version s3v4")
	require.Equal(t, "a200", sh.must(`curl -s -w '%{http_code}' "$(aws s3 presign s3://`+b+`/a)"`))
}
