package wire_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/wire"
)

type message interface {
	wire.Message
	wire.Decoder
}

// messages makes one of each message.
var messages = map[string]func() message{
	"AuthorizeRequest":          func() message { return &pluginapi.AuthorizeRequest{} },
	"AuthorizeResponse":         func() message { return &pluginapi.AuthorizeResponse{} },
	"ContextEntry":              func() message { return &pluginapi.ContextEntry{} },
	"Filter":                    func() message { return &pluginapi.Filter{} },
	"Finding":                   func() message { return &pluginapi.Finding{} },
	"GenerateAccessKeyRequest":  func() message { return &pluginapi.GenerateAccessKeyRequest{} },
	"GenerateAccessKeyResponse": func() message { return &pluginapi.GenerateAccessKeyResponse{} },
	"InitRequest":               func() message { return &pluginapi.InitRequest{} },
	"InitResponse":              func() message { return &pluginapi.InitResponse{} },
	"KeyShape":                  func() message { return &pluginapi.KeyShape{} },
	"ValidatePolicyRequest":     func() message { return &pluginapi.ValidatePolicyRequest{} },
	"ValidatePolicyResponse":    func() message { return &pluginapi.ValidatePolicyResponse{} },
}

type vector struct {
	Message   string
	Name      string
	Value     json.RawMessage
	Wire      string
	Canonical string
}

func vectors(t testing.TB) (valid, invalid []vector) {
	t.Helper()
	data, err := os.ReadFile("../../generated/pluginapi/vectors.json")
	require.NoError(t, err)
	var file struct{ Valid, Invalid []vector }
	require.NoError(t, json.Unmarshal(data, &file))
	require.NotEmpty(t, file.Valid)
	require.NotEmpty(t, file.Invalid)
	return file.Valid, file.Invalid
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	require.NoError(t, err)
	return data
}

func TestGoCodecAgreesWithTheVectors(t *testing.T) {
	valid, invalid := vectors(t)
	seen := map[string]bool{}
	for _, v := range valid {
		t.Run(v.Message+" with "+v.Name, func(t *testing.T) {
			seen[v.Message] = true
			want := messages[v.Message]()
			require.NoError(t, json.Unmarshal(v.Value, want))
			require.Equal(t, v.Canonical, hex.EncodeToString(want.Append(nil)))
			require.Equal(t, len(v.Canonical)/2, want.Size())

			got := messages[v.Message]()
			require.NoError(t, got.Decode(string(unhex(t, v.Wire))))
			require.Equal(t, want, got)
		})
	}
	require.Len(t, seen, len(messages))
	for _, v := range invalid {
		t.Run(v.Message+" with "+v.Name, func(t *testing.T) {
			require.Error(t, messages[v.Message]().Decode(string(unhex(t, v.Wire))))
		})
	}
}

func TestLimitsOfTheSpecificationAreEnforced(t *testing.T) {
	long := string(make([]byte, 1025))
	many := make([]pluginapi.Finding, 65)
	for _, tt := range []struct {
		name    string
		message message
		want    error
	}{
		{"a reason of more than 1024 bytes", &pluginapi.AuthorizeResponse{Reason: long}, wire.ErrTooLong},
		{"more than 64 findings", &pluginapi.ValidatePolicyResponse{Findings: many}, wire.ErrTooMany},
		{"a long string within a finding", &pluginapi.ValidatePolicyResponse{Findings: []pluginapi.Finding{{Message: long}}}, wire.ErrTooLong},
		{"a secret of more than 128 bytes", &pluginapi.GenerateAccessKeyResponse{SecretAccessKey: make(wire.Secret, 129)}, wire.ErrTooLong},
		{"a string that is not UTF-8", &pluginapi.AuthorizeResponse{Code: "\xff"}, wire.ErrUTF8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			encoded := string(tt.message.Append(nil))
			var err error
			switch tt.message.(type) {
			case *pluginapi.AuthorizeResponse:
				err = new(pluginapi.AuthorizeResponse).Decode(encoded)
			case *pluginapi.ValidatePolicyResponse:
				err = new(pluginapi.ValidatePolicyResponse).Decode(encoded)
			default:
				err = new(pluginapi.GenerateAccessKeyResponse).Decode(encoded)
			}
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	r := pluginapi.GenerateAccessKeyResponse{AccessKeyId: "AKIAEXAMPLE", SecretAccessKey: wire.Secret("wJalrXUtnFEMI")}
	require.NotContains(t, r.SecretAccessKey.GoString()+r.SecretAccessKey.String(), "wJal")
	text, err := json.Marshal(&r)
	require.NoError(t, err)
	require.JSONEq(t, `{"access_key_id":"AKIAEXAMPLE","secret_access_key":"REDACTED"}`, string(text))
	secret := r.SecretAccessKey
	secret.Wipe()
	require.Equal(t, make(wire.Secret, 13), secret)
}

func authorizeRequest() *pluginapi.AuthorizeRequest {
	return &pluginapi.AuthorizeRequest{
		Action: "s3:GetObject", Resource: "arn:aws:s3:::finance/2026/report.csv",
		PrincipalArn: "arn:aws:iam::000000000000:user/alice", PrincipalType: "IAMUser", Account: "000000000000",
		SourceIp: "192.0.2.10", UserAgent: "aws-cli/2.17.0", TimeMs: 1_700_000_000_000, Secure: true, RequestId: "9f1d0a52-7c1b-4d8e-8e43-1d3b5a2f6c10",
		Context: []pluginapi.ContextEntry{
			{Key: "aws:PrincipalTag/team", Values: []string{"finance"}},
			{Key: "s3:prefix", Values: []string{"2026/"}},
		},
		EngineDecision: pluginapi.EngineDecisionAllowed, MatchedStatementIds: []string{"AllowFinance"},
	}
}

func TestEncodingDoesNotAllocate(t *testing.T) {
	request, buffer := authorizeRequest(), make([]byte, 0, 1024)
	require.Zero(t, testing.AllocsPerRun(100, func() { buffer = request.Append(buffer[:0]) }))
}

func BenchmarkAppend(b *testing.B) {
	request, buffer := authorizeRequest(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buffer = request.Append(buffer[:0])
	}
}

// Whatever bytes arrive, a message refuses them or reads what it would write.
func FuzzDecode(f *testing.F) {
	valid, invalid := vectors(f)
	for _, v := range append(valid, invalid...) {
		f.Add(v.Message, unhex(f, v.Wire))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if messages[name] == nil {
			t.Skip("no such message")
		}
		first := messages[name]()
		if first.Decode(string(data)) != nil {
			return
		}
		again := messages[name]()
		require.NoError(t, again.Decode(string(first.Append(nil))))
		require.Equal(t, first.Append(nil), again.Append(nil))
		require.Len(t, first.Append(nil), first.Size())
	})
}
