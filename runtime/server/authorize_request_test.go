package server_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"iamserver/runtime/apierror"
	"iamserver/runtime/audit"
	"iamserver/runtime/authz"
	"iamserver/runtime/policy"
	"iamserver/runtime/server"
)

const album = "arn:aws:photos::123456789012:album/summer"

// share is what the tests' service asks about a request to share an album.
func share(r *http.Request) server.Action {
	return server.Action{
		Service: "photos", Name: "photos:Share", Resources: []authz.Resource{{Type: "album", ARN: album}},
		Keys: policy.Values{"photos:with": policy.Text(r.URL.Query().Get("with"))}, MaxBody: 16,
	}
}

// A recordingAuditor keeps records, unless it fails.
type recordingAuditor struct {
	records []audit.Record
	fails   error
}

func (a *recordingAuditor) Write(r *audit.Record) error {
	a.records = append(a.records, *r)
	return a.fails
}
func (a *recordingAuditor) Healthy() error     { return nil }
func (*recordingAuditor) ReportDropped() error { return nil }

// photoService answers with who was allowed and what was read of the body.
func photoService(s *server.Server) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		decision, err := s.AuthorizeRequest(r, share(r))
		var refused *apierror.Error
		switch {
		case errors.As(err, &refused):
			http.Error(w, refused.Error(), refused.Code.Status)
		case err != nil:
			http.Error(w, "failed", http.StatusInternalServerError)
		default:
			body, err := io.ReadAll(r.Body)
			if err != nil {
				body = []byte(err.Error())
			}
			io.WriteString(w, decision.Principal.UserName+" "+decision.Operation+" "+decision.Allowed[0].Resource+" "+string(body)) //nolint:errcheck // a test
		}
	}))
}

func TestOtherServicesAskForDecisions(t *testing.T) {
	log := &recordingAuditor{}
	f := open(t, func(c *server.Config) { c.Audit = log })
	service := photoService(f.server)
	t.Cleanup(service.Close)
	alice := f.alice(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"photos:Share","Resource":"arn:aws:photos:*:*:album/sum*","Condition":{"StringEquals":{"photos:With":"bob"}}}}`)
	bob := f.user(t, "bob")
	send := func(by key, service, url, body, signed string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		require.NoError(t, err)
		if by.AccessKeyID != "" {
			require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), by, r, sha256Hex(signed), service, "eu-west-1", now))
		}
		return do(t, r)
	}
	for _, tt := range []struct {
		name           string
		by             key
		service, query string
		body, signed   string
		status         int
		answer         string
	}{
		{"allowed", alice, "photos", "?with=bob", "hello", "hello", 200, "alice photos:Share " + album + " hello"},
		{"without a body", alice, "photos", "?with=bob", "", "", 200, "alice photos:Share " + album + " "},
		{"the condition is not met", alice, "photos", "?with=eve", "", "", 403, "AccessDenied: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: photos:Share on resource: " + album + " because no identity-based policy allows the photos:Share action\n"},
		{"no policy", bob, "photos", "?with=bob", "", "", 403, "AccessDenied: User: arn:aws:iam::123456789012:user/bob is not authorized to perform: photos:Share on resource: " + album + " because no identity-based policy allows the photos:Share action\n"},
		{"not signed", key{}, "", "?with=bob", "", "", 403, "MissingAuthenticationToken: Request is missing Authentication Token\n"},
		{"another body than was signed", alice, "photos", "?with=bob", "hello", "else", 403, ""},
		{"signed for S3", alice, "s3", "?with=bob", "", "", 403, ""},
		{"a body that is too long", alice, "photos", "?with=bob", strings.Repeat("x", 17), strings.Repeat("x", 17), 413, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := send(tt.by, tt.service, service.URL+"/"+tt.query, tt.body, tt.signed)
			require.Equal(t, tt.status, status, answer)
			if tt.answer != "" {
				require.Equal(t, tt.answer, answer)
			}
		})
	}
	t.Run("each is in the audit log", func(t *testing.T) {
		log.records = nil
		_, _ = send(alice, "photos", service.URL+"/?with=bob", "", "")
		_, _ = send(bob, "photos", service.URL+"/?with=bob", "", "")
		require.Len(t, log.records, 2)
		require.Equal(t, []audit.Resource{{ARN: album, AccountID: account}}, log.records[0].Resources)
		require.Equal(t, []string{"photos", "photos:Share", "", "alice"}, []string{log.records[0].EventSource, log.records[0].EventName, log.records[0].ErrorCode, log.records[0].UserIdentity.UserName})
		require.Equal(t, []string{"photos", "photos:Share", "AccessDenied", "bob"}, []string{log.records[1].EventSource, log.records[1].EventName, log.records[1].ErrorCode, log.records[1].UserIdentity.UserName})
		require.True(t, log.records[1].Refused)
	})
	t.Run("what cannot be recorded is refused", func(t *testing.T) {
		log.fails = errors.New("the disk is full")
		status, answer := send(alice, "photos", service.URL+"/?with=bob", "", "")
		require.Equal(t, 503, status, answer)
	})
}

// IAM, STS and S3 have their own ways in.
func TestAnotherServiceIsNoneOfOurs(t *testing.T) {
	f := open(t, nil)
	for _, service := range []string{"", "iam", "sts", "s3"} {
		_, err := f.server.AuthorizeRequest(httptest.NewRequest(http.MethodGet, "/", nil), server.Action{Service: service, Name: "a:B"})
		require.Error(t, err)
	}
}
