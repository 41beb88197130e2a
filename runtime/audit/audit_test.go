package audit_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"iamserver/runtime/audit"
)

func TestRecord(t *testing.T) {
	for _, tt := range []struct {
		name   string
		record audit.Record
		want   string
	}{
		{
			"a user creates another",
			audit.Record{
				UserIdentity: audit.UserIdentity{
					Type: "IAMUser", PrincipalID: "AIDAALICE", ARN: "arn:aws:iam::000000000000:user/Alice",
					AccountID: "000000000000", AccessKeyID: "AKIAALICE", UserName: "Alice",
				},
				EventSource:         "iam.amazonaws.com",
				EventName:           "CreateUser",
				AWSRegion:           "us-east-1",
				SourceIPAddress:     netip.MustParseAddr("::ffff:192.0.2.7"),
				UserAgent:           "aws-cli/2.9.19 <&>",
				RequestParameters:   map[string]any{"userName": "bob", "path": "/"},
				AdditionalEventData: map[string]any{"decision": "Allow", "reasons": []string{"AdministratorAccess"}},
				RequestID:           "f5b3a8d0-0000-4000-8000-000000000001",
				Resources:           []audit.Resource{{ARN: "arn:aws:iam::000000000000:user/bob", AccountID: "000000000000", Type: "AWS::IAM::User"}},
				RecipientAccountID:  "000000000000",
			},
			`{"eventVersion":"1.11",` +
				`"userIdentity":{"type":"IAMUser","principalId":"AIDAALICE","arn":"arn:aws:iam::000000000000:user/Alice","accountId":"000000000000","accessKeyId":"AKIAALICE","userName":"Alice"},` +
				`"eventTime":"2026-11-24T05:06:07Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"us-east-1",` +
				`"sourceIPAddress":"192.0.2.7","userAgent":"aws-cli/2.9.19 <&>",` +
				`"requestParameters":{"path":"/","userName":"bob"},"responseElements":null,` +
				`"additionalEventData":{"decision":"Allow","reasons":["AdministratorAccess"]},` +
				`"requestID":"f5b3a8d0-0000-4000-8000-000000000001","eventID":"00010203-0405-4607-8809-0a0b0c0d0e0f","readOnly":false,` +
				`"resources":[{"ARN":"arn:aws:iam::000000000000:user/bob","accountId":"000000000000","type":"AWS::IAM::User"}],` +
				`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}` + "\n",
		},
		{
			"somebody unknown is refused",
			audit.Record{
				UserIdentity:       audit.UserIdentity{Type: "Unknown"},
				EventSource:        "iam.amazonaws.com",
				EventName:          "ListUsers",
				AWSRegion:          "us-east-1",
				SourceIPAddress:    netip.MustParseAddr("2001:db8::1"),
				UserAgent:          "curl/8",
				ErrorCode:          "InvalidClientTokenId",
				ErrorMessage:       "The security token included in the request is invalid.",
				RequestID:          "f5b3a8d0-0000-4000-8000-000000000002",
				ReadOnly:           true,
				RecipientAccountID: "000000000000",
				Refused:            true,
			},
			`{"eventVersion":"1.11","userIdentity":{"type":"Unknown"},` +
				`"eventTime":"2026-11-24T05:06:07Z","eventSource":"iam.amazonaws.com","eventName":"ListUsers","awsRegion":"us-east-1",` +
				`"sourceIPAddress":"2001:db8::1","userAgent":"curl/8",` +
				`"errorCode":"InvalidClientTokenId","errorMessage":"The security token included in the request is invalid.",` +
				`"requestParameters":null,"responseElements":null,` +
				`"requestID":"f5b3a8d0-0000-4000-8000-000000000002","eventID":"00010203-0405-4607-8809-0a0b0c0d0e0f","readOnly":true,` +
				`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}` + "\n",
		},
		{
			"nothing is known",
			audit.Record{},
			`{"eventVersion":"1.11","userIdentity":{"type":""},` +
				`"eventTime":"2026-11-24T05:06:07Z","eventSource":"","eventName":"","awsRegion":"","sourceIPAddress":"","userAgent":"",` +
				`"requestParameters":null,"responseElements":null,` +
				`"requestID":"","eventID":"00010203-0405-4607-8809-0a0b0c0d0e0f","readOnly":false,` +
				`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"","eventCategory":"Management"}` + "\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sink := &sink{}
			require.NoError(t, open(t, sink).Write(&tt.record))
			require.Equal(t, []string{tt.want}, sink.writes)
		})
	}
}

func TestRecordsAreBounded(t *testing.T) {
	long := strings.Repeat("é", 5000)
	record := audit.Record{
		UserIdentity: audit.UserIdentity{Type: long, PrincipalID: long, ARN: long, AccountID: long, AccessKeyID: long, UserName: long},
		EventSource:  long, EventName: long, AWSRegion: long, UserAgent: long, ErrorCode: long, ErrorMessage: "x" + long,
		RequestParameters:   map[string]any{"policyDocument": strings.Repeat("x", 100<<10)},
		AdditionalEventData: map[string]any{"reasons": strings.Repeat("x", 28<<10)},
		RequestID:           long,
		RecipientAccountID:  long,
	}
	for range 200 {
		record.Resources = append(record.Resources, audit.Resource{ARN: long, AccountID: long, Type: long})
	}
	got := writeOne(t, &record)

	short, arn := strings.Repeat("é", 512), strings.Repeat("é", 1024)
	want := audit.UserIdentity{Type: short, PrincipalID: short, ARN: arn, AccountID: short, AccessKeyID: short, UserName: short}
	require.Equal(t, want, got.UserIdentity)
	require.Equal(t, []string{short, short, short, short, short, short, short},
		[]string{got.EventSource, got.EventName, got.AWSRegion, got.UserAgent, got.ErrorCode, got.RequestID, got.RecipientAccountID})
	require.Equal(t, "x"+strings.Repeat("é", 511), got.ErrorMessage, "no character is cut in two")
	require.Equal(t, map[string]any{"omitted": true}, got.RequestParameters)
	require.Equal(t, map[string]any{"omitted": true}, got.AdditionalEventData)
	require.Len(t, got.Resources, 100)
	for _, resource := range got.Resources {
		require.Equal(t, audit.Resource{ARN: arn, AccountID: short, Type: short}, resource)
	}
}

func TestParametersUpToTheBoundAreKept(t *testing.T) {
	largest := strings.Repeat("x", 100<<10-len(`{"p":""}`))
	got := writeOne(t, &audit.Record{RequestParameters: map[string]any{"p": largest}})
	require.Equal(t, map[string]any{"p": largest}, got.RequestParameters)
	got = writeOne(t, &audit.Record{RequestParameters: map[string]any{"p": largest + "x"}})
	require.Equal(t, map[string]any{"omitted": true}, got.RequestParameters)
}

func TestParametersThatAreNoJSONDoNotLoseTheRecord(t *testing.T) {
	got := writeOne(t, &audit.Record{
		EventName:           "CreateUser",
		RequestParameters:   func() {},
		AdditionalEventData: map[string]any{"broken": json.RawMessage("{")},
	})
	require.Equal(t, "CreateUser", got.EventName)
	require.Equal(t, map[string]any{"omitted": true}, got.RequestParameters)
	require.Equal(t, map[string]any{"omitted": true}, got.AdditionalEventData)
}

func TestHostileStringsStayWithinTheirLine(t *testing.T) {
	for _, tt := range []struct{ name, agent, want, written string }{
		{"a line feed", "a\nb", "a\nb", `a\nb`},
		{"quotes and backslashes", `"},"x":"\`, `"},"x":"\`, `\"},\"x\":\"\\`},
		{"an escape sequence of a terminal", "\x1b[2J", "\x1b[2J", `\u001b[2J`},
		{"the same in one character", "\u009b2J", "\u009b2J", `\u009b2J`},
		{"a DEL", "\x7f", "\x7f", `\u007f`},
		{"a turn of direction", "a\u202eb", "a\u202eb", `a\u202eb`},
		{"a line separator", "a\u2028b", "a\u2028b", `a\u2028b`},
		{"an invisible tag outside the basic plane", "a\U000e0041b", "a\U000e0041b", `a\udb40\udc41b`},
		{"bytes that are not UTF-8", "a\xff\xc0b", "a\ufffd\ufffdb", `a\ufffd\ufffdb`},
		{"a letter of another script", "é漢", "é漢", "é漢"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sink := &sink{}
			require.NoError(t, open(t, sink).Write(&audit.Record{
				UserAgent: tt.agent, RequestParameters: map[string]any{"p": tt.agent, "raw": json.RawMessage("\"\xff\"")},
			}))
			require.Contains(t, sink.writes[0], `"userAgent":"`+tt.written+`","requestParameters":{"p":"`+tt.written+`","raw":"\ufffd"}`)
			got := decode(t, sink.writes[0])
			require.Equal(t, tt.want, got.UserAgent)
			require.Equal(t, map[string]any{"p": tt.want, "raw": "\ufffd"}, got.RequestParameters)
		})
	}
}

func TestAnyStringsMakeOneVisibleLine(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name, value := rapid.String().Draw(rt, "name"), rapid.String().Draw(rt, "value")
		raw := string(rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes"))
		sink := &sink{}
		require.NoError(rt, open(t, sink).Write(&audit.Record{
			EventName: name, UserAgent: raw, ErrorMessage: value, RequestParameters: map[string]string{name: value, "raw": raw},
		}))
		require.Len(rt, sink.writes, 1)
		line, ok := strings.CutSuffix(sink.writes[0], "\n")
		require.True(rt, ok)
		require.True(rt, utf8.ValidString(line))
		for _, r := range line {
			require.False(rt, unicode.In(r, unicode.Cc, unicode.Cf), "%U", r)
		}
		require.Equal(rt, name, decode(t, line).EventName)
	})
}

func TestFileIsPrivateAndAppendedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	for _, name := range []string{"CreateUser", "DeleteUser"} {
		l := openFile(t, path)
		require.NoError(t, l.Write(&audit.Record{EventName: name}))
		require.NoError(t, l.Close())
	}
	require.Equal(t, []string{"CreateUser", "DeleteUser"}, eventNames(t, path))
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

func TestOpenRefusesAFileThatOthersSee(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Chmod(path, 0o640))
	_, err := audit.Open(audit.Config{Path: path})
	require.EqualError(t, err, fmt.Sprintf("audit log: %s has mode 0640 and may be read by others; run: chmod 600 %q", path, path))

	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink(path+".elsewhere", path))
	_, err = audit.Open(audit.Config{Path: path})
	require.EqualError(t, err, "audit log: "+path+" is a symbolic link; give the path of the file itself")
	require.NoFileExists(t, path+".elsewhere")
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	l := openFile(t, path)
	require.NoError(t, l.Write(&audit.Record{EventName: "One"}))
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, l.Write(&audit.Record{EventName: "Two"}))
	require.NoError(t, l.Reopen())
	require.NoError(t, l.Write(&audit.Record{EventName: "Three"}))
	require.Equal(t, []string{"One", "Two"}, eventNames(t, path+".1"))
	require.Equal(t, []string{"Three"}, eventNames(t, path))

	require.NoError(t, os.Chmod(path, 0o644))
	require.EqualError(t, l.Reopen(), fmt.Sprintf("reopen audit log: %s has mode 0644 and may be read by others; run: chmod 600 %q", path, path))
	require.NoError(t, l.Write(&audit.Record{EventName: "Four"}), "the log goes on where it was")
	require.NoError(t, os.Chmod(path, 0o600))
	require.Equal(t, []string{"Three", "Four"}, eventNames(t, path))

	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Reopen(), fs.ErrClosed)
}

func TestStandardOutputIsNeitherReopenedNorClosed(t *testing.T) {
	sink := &sink{}
	l := open(t, sink)
	require.NoError(t, l.Reopen())
	require.NoError(t, l.Write(&audit.Record{EventName: "One"}))
	require.NoError(t, l.Close())
	require.Len(t, sink.writes, 1)
}

func TestClosedLog(t *testing.T) {
	l := open(t, &sink{})
	require.NoError(t, l.Healthy())
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Write(&audit.Record{}), fs.ErrClosed)
	require.ErrorIs(t, l.Healthy(), fs.ErrClosed)
	require.ErrorIs(t, l.Close(), fs.ErrClosed)
}

func TestFailingWrites(t *testing.T) {
	full := errors.New("no space left on device")
	sink := &sink{}
	l := open(t, sink)
	require.NoError(t, l.Write(&audit.Record{EventName: "One"}))

	sink.fail(full, 0)
	require.EqualError(t, l.Write(&audit.Record{EventName: "Lost"}), "audit log: no space left on device")
	require.ErrorIs(t, l.Healthy(), full)
	sink.fail(full, 20)
	require.ErrorIs(t, l.Write(&audit.Record{EventName: "Torn"}), full)
	sink.fail(full, 0)
	require.ErrorIs(t, l.Write(&audit.Record{EventName: "Lost"}), full)
	require.ErrorIs(t, l.Healthy(), full)
	sink.fail(nil, 10)
	require.ErrorIs(t, l.Write(&audit.Record{EventName: "Torn"}), io.ErrShortWrite)

	sink.recover()
	require.NoError(t, l.Write(&audit.Record{EventName: "Two"}))
	require.NoError(t, l.Healthy())
	require.NoError(t, l.Write(&audit.Record{EventName: "Three"}))

	var names []string
	for line := range strings.Lines(strings.Join(sink.writes, "")) {
		if json.Valid([]byte(line)) {
			names = append(names, decode(t, line).EventName)
		} else {
			names = append(names, "torn")
		}
	}
	require.Equal(t, []string{"One", "torn", "torn", "Two", "Three"}, names, "a torn line takes no other with it")
}

func TestWithoutRandomnessThereIsNoRecord(t *testing.T) {
	sink := &sink{}
	l, err := audit.Open(audit.Config{Path: "-", Stdout: sink, Now: at(noon), Rand: iotest.ErrReader(errors.New("none"))})
	require.NoError(t, err)
	require.EqualError(t, l.Write(&audit.Record{}), "audit log: event id: none")
	require.Empty(t, sink.writes)
}

func TestWriteLeavesTheRecordAlone(t *testing.T) {
	l := open(t, &sink{}, audit.Limit{PerSecond: 1e-9, Burst: 1, Peers: 10})
	peer := netip.MustParseAddr("192.0.2.7")
	require.NoError(t, l.Write(&audit.Record{SourceIPAddress: peer, Refused: true}))
	require.NoError(t, l.Write(&audit.Record{SourceIPAddress: peer, Refused: true}))
	record := audit.Record{SourceIPAddress: peer, AdditionalEventData: map[string]any{"decision": "Allow"}}
	require.NoError(t, l.Write(&record))
	require.Equal(t, audit.Record{SourceIPAddress: peer, AdditionalEventData: map[string]any{"decision": "Allow"}}, record)
}

// TestConcurrentWriters also moves the file away and reopens it, as a log
// rotation does.
func TestConcurrentWriters(t *testing.T) {
	const writers, records, rotations = 8, 100, 10
	path := filepath.Join(t.TempDir(), "audit.log")
	l, err := audit.Open(audit.Config{Path: path, Now: at(noon), Rand: zeros{}})
	require.NoError(t, err)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range records {
				if err := l.Write(&audit.Record{
					EventName:       fmt.Sprintf("%d/%d", w, i),
					UserAgent:       strings.Repeat("x", 1000),
					SourceIPAddress: netip.AddrFrom4([4]byte{10, 0, 0, byte(w)}),
					Refused:         w%2 == 0,
				}); err != nil {
					t.Error(err)
				}
				if err := l.Healthy(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Go(func() {
		for i := range rotations {
			if err := errors.Join(os.Rename(path, fmt.Sprintf("%s.%d", path, i)), l.Reopen()); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	require.NoError(t, l.Close())

	seen := map[string]int{}
	for i := range rotations {
		for _, name := range eventNames(t, fmt.Sprintf("%s.%d", path, i)) {
			seen[name]++
		}
	}
	for _, name := range eventNames(t, path) {
		seen[name]++
	}
	require.Len(t, seen, writers*records)
	for name, count := range seen {
		require.Equal(t, 1, count, name)
	}
}

func BenchmarkWrite(b *testing.B) {
	l, err := audit.Open(audit.Config{Path: filepath.Join(b.TempDir(), "audit.log"), Now: at(noon), Rand: zeros{}})
	require.NoError(b, err)
	record := audit.Record{
		UserIdentity:      audit.UserIdentity{Type: "IAMUser", PrincipalID: "AIDAALICE", ARN: "arn:aws:iam::000000000000:user/Alice", AccountID: "000000000000", AccessKeyID: "AKIAALICE", UserName: "Alice"},
		EventSource:       "iam.amazonaws.com",
		EventName:         "CreateUser",
		AWSRegion:         "us-east-1",
		SourceIPAddress:   netip.MustParseAddr("192.0.2.7"),
		UserAgent:         "aws-cli/2.9.19",
		RequestParameters: map[string]any{"userName": "bob", "path": "/"},
		RequestID:         "f5b3a8d0-0000-4000-8000-000000000001",
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Write(&record); err != nil {
			b.Fatal(err)
		}
	}
}

// written is a record as a reader of the log sees it.
type written struct {
	UserIdentity        audit.UserIdentity
	EventSource         string
	EventName           string
	AWSRegion           string
	SourceIPAddress     string
	UserAgent           string
	ErrorCode           string
	ErrorMessage        string
	RequestParameters   any
	AdditionalEventData map[string]any
	RequestID           string
	Resources           []audit.Resource
	EventType           string
	RecipientAccountID  string
}

// sink keeps what each write call was given.
type sink struct {
	mu      sync.Mutex
	writes  []string
	failing bool
	err     error
	room    int
}

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing {
		s.writes = append(s.writes, string(b[:s.room]))
		return s.room, s.err
	}
	s.writes = append(s.writes, string(b))
	return len(b), nil
}

// fail makes writes take only room bytes and return err.
func (s *sink) fail(err error, room int) { s.failing, s.err, s.room = true, err, room }

func (s *sink) recover() { s.failing = false }

// zeros is an endless source of nothing.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// counting yields 0, 1, 2 and so on in each read.
type counting struct{}

func (counting) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i)
	}
	return len(b), nil
}

var noon = time.Date(2026, 11, 24, 6, 6, 7, 8, time.FixedZone("CET", 3600))

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

func open(t *testing.T, stdout io.Writer, limit ...audit.Limit) *audit.Log {
	t.Helper()
	c := audit.Config{Path: "-", Stdout: stdout, Now: at(noon), Rand: counting{}}
	if len(limit) > 0 {
		c.Limit = limit[0]
	}
	l, err := audit.Open(c)
	require.NoError(t, err)
	return l
}

func openFile(t *testing.T, path string) *audit.Log {
	t.Helper()
	l, err := audit.Open(audit.Config{Path: path, Now: at(noon), Rand: counting{}})
	require.NoError(t, err)
	return l
}

func writeOne(t *testing.T, r *audit.Record) written {
	t.Helper()
	sink := &sink{}
	require.NoError(t, open(t, sink).Write(r))
	require.Len(t, sink.writes, 1)
	return decode(t, sink.writes[0])
}

func decode(t *testing.T, line string) written {
	t.Helper()
	require.Equal(t, 0, strings.Count(strings.TrimSuffix(line, "\n"), "\n"))
	var w written
	require.NoError(t, json.Unmarshal([]byte(line), &w))
	return w
}

func eventNames(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var names []string
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		names = append(names, decode(t, lines.Text()).EventName)
	}
	require.NoError(t, lines.Err())
	return names
}
