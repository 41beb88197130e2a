package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The bounds of a record, in bytes: those of CloudTrail's record contents, and
// the longest ARN of AWS. What is longer is cut, or omitted when it is not a
// string.
const (
	maxString              = 1 << 10
	maxARN                 = 2 << 10
	maxRequestParameters   = 100 << 10
	maxAdditionalEventData = 28 << 10
	maxResources           = 100 // in number
)

const (
	eventVersion       = "1.11" // of the fields that are written
	eventTypeAPICall   = "AwsApiCall"
	eventTypeService   = "AwsServiceEvent"
	categoryManagement = "Management"
	timeFormat         = "2006-01-02T15:04:05Z"

	droppedRecords = "DroppedRecords"
)

// A Record is one answered request. Its strings may be anything a client sends:
// they are cut to length and written as JSON.
type Record struct {
	// UserIdentity is who made the request.
	UserIdentity UserIdentity
	// EventSource is the service, such as iam.amazonaws.com.
	EventSource string
	// EventName is the action.
	EventName string
	// AWSRegion is the region that the request was signed for.
	AWSRegion string
	// SourceIPAddress is the peer; the zero value where it has no address.
	SourceIPAddress netip.Addr
	// UserAgent is the header of that name.
	UserAgent string
	// ErrorCode is AWS's error code; empty when the request succeeded.
	ErrorCode string
	// ErrorMessage is the message that the client got.
	ErrorMessage string
	// RequestParameters are the parameters of the request that may be logged,
	// for JSON; nil when there are none.
	RequestParameters any
	// AdditionalEventData is what CloudTrail has no field for, such as the
	// reasons of a decision.
	AdditionalEventData map[string]any
	// RequestID is the id that the client got.
	RequestID string
	// ReadOnly tells that the action changes nothing.
	ReadOnly bool
	// Resources are what the action was authorized on.
	Resources []Resource
	// RecipientAccountID is the account that the request was made to.
	RecipientAccountID string

	// Refused marks a request that was not authenticated or not allowed. Such
	// records, which anybody can cause, are limited for each peer.
	Refused bool
}

// A UserIdentity is CloudTrail's userIdentity. Fields that are empty are left
// out, except for the type.
type UserIdentity struct {
	// Type is Root, IAMUser, AssumedRole, …; Unknown when nobody was
	// authenticated.
	Type string `json:"type"`
	// PrincipalID is the unique id (AIDA…); the account id for root.
	PrincipalID string `json:"principalId,omitempty"`
	// ARN is the principal's ARN.
	ARN string `json:"arn,omitempty"`
	// AccountID is the principal's account.
	AccountID string `json:"accountId,omitempty"`
	// AccessKeyID is the access key id that signed the request.
	AccessKeyID string `json:"accessKeyId,omitempty"`
	// UserName is the user's friendly name.
	UserName string `json:"userName,omitempty"`
}

// A Resource is an element of CloudTrail's resources.
type Resource struct {
	// ARN is the resource's ARN.
	ARN string `json:"ARN"`
	// AccountID is the account that owns it.
	AccountID string `json:"accountId,omitempty"`
	// Type is its CloudFormation type, such as AWS::IAM::User.
	Type string `json:"type,omitempty"`
}

// event is a record as it is written; its fields are in CloudTrail's order.
type event struct {
	EventVersion        string          `json:"eventVersion"`
	UserIdentity        UserIdentity    `json:"userIdentity"`
	EventTime           string          `json:"eventTime"`
	EventSource         string          `json:"eventSource"`
	EventName           string          `json:"eventName"`
	AWSRegion           string          `json:"awsRegion"`
	SourceIPAddress     string          `json:"sourceIPAddress"`
	UserAgent           string          `json:"userAgent"`
	ErrorCode           string          `json:"errorCode,omitempty"`
	ErrorMessage        string          `json:"errorMessage,omitempty"`
	RequestParameters   json.RawMessage `json:"requestParameters"`
	ResponseElements    json.RawMessage `json:"responseElements"` // always null: they may hold a new secret
	AdditionalEventData json.RawMessage `json:"additionalEventData,omitempty"`
	RequestID           string          `json:"requestID"`
	EventID             string          `json:"eventID"`
	ReadOnly            bool            `json:"readOnly"`
	Resources           []Resource      `json:"resources,omitempty"`
	EventType           string          `json:"eventType"`
	ManagementEvent     bool            `json:"managementEvent"`
	RecipientAccountID  string          `json:"recipientAccountId"`
	EventCategory       string          `json:"eventCategory"`
}

// event returns what is written for r, with everything bounded.
func (r *Record) event(now time.Time, dropped int64) event {
	e := event{
		EventVersion:       eventVersion,
		UserIdentity:       r.UserIdentity.bounded(),
		EventTime:          now.UTC().Format(timeFormat),
		EventSource:        cut(r.EventSource, maxString),
		EventName:          cut(r.EventName, maxString),
		AWSRegion:          cut(r.AWSRegion, maxString),
		UserAgent:          cut(r.UserAgent, maxString),
		ErrorCode:          cut(r.ErrorCode, maxString),
		ErrorMessage:       cut(r.ErrorMessage, maxString),
		RequestID:          cut(r.RequestID, maxString),
		ReadOnly:           r.ReadOnly,
		EventType:          eventTypeAPICall,
		ManagementEvent:    true,
		RecipientAccountID: cut(r.RecipientAccountID, maxString),
		EventCategory:      categoryManagement,
	}
	if r.SourceIPAddress.IsValid() {
		e.SourceIPAddress = r.SourceIPAddress.Unmap().String()
	}
	if r.RequestParameters != nil {
		e.RequestParameters = encode(r.RequestParameters, maxRequestParameters, 0)
	}
	if len(r.AdditionalEventData) > 0 || dropped > 0 {
		data := r.AdditionalEventData
		if dropped > 0 {
			data = maps.Clone(data) // the caller's stays as it is
			if data == nil {
				data = map[string]any{}
			}
			data[droppedRecords] = dropped
		}
		e.AdditionalEventData = encode(data, maxAdditionalEventData, dropped)
	}
	for _, resource := range r.Resources[:min(len(r.Resources), maxResources)] {
		e.Resources = append(e.Resources, resource.bounded())
	}
	return e
}

// droppedEvent tells that count records of a peer were dropped.
func droppedEvent(now time.Time, peer string, count int64) event {
	return event{
		EventVersion:        eventVersion,
		UserIdentity:        UserIdentity{Type: "AWSService"},
		EventTime:           now.UTC().Format(timeFormat),
		EventSource:         "iamserver",
		EventName:           droppedRecords,
		SourceIPAddress:     peer,
		AdditionalEventData: encode(map[string]any{droppedRecords: count}, maxAdditionalEventData, count),
		ReadOnly:            true,
		EventType:           eventTypeService,
		ManagementEvent:     true,
		EventCategory:       categoryManagement,
	}
}

func (u UserIdentity) bounded() UserIdentity {
	return UserIdentity{
		Type:        cut(u.Type, maxString),
		PrincipalID: cut(u.PrincipalID, maxString),
		ARN:         cut(u.ARN, maxARN),
		AccountID:   cut(u.AccountID, maxString),
		AccessKeyID: cut(u.AccessKeyID, maxString),
		UserName:    cut(u.UserName, maxString),
	}
}

func (r Resource) bounded() Resource {
	return Resource{ARN: cut(r.ARN, maxARN), AccountID: cut(r.AccountID, maxString), Type: cut(r.Type, maxString)}
}

// line returns the event as a line of JSON.
func (e event) line() ([]byte, error) {
	b, err := marshal(e)
	if err != nil {
		return nil, err
	}
	return append(escapeInvisible(b), '\n'), nil
}

// encode returns v as JSON of at most limit bytes. What is longer, or is not
// JSON, is omitted, and CloudTrail's mark stands for it: losing the record
// because of it would be worse. A count of dropped records is kept.
func encode(v any, limit int, dropped int64) json.RawMessage {
	if b, err := marshal(v); err == nil && len(b) <= limit {
		return b
	}
	if dropped > 0 {
		return fmt.Appendf(nil, `{%q:%d,"omitted":true}`, droppedRecords, dropped)
	}
	return json.RawMessage(`{"omitted":true}`)
}

// marshal is json.Marshal without the escapes for HTML, which nobody who reads
// a log wants.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// escapeInvisible escapes the control and format characters that JSON allows in
// strings: DEL, those of U+0080 to U+009F that a terminal obeys, and those that
// turn the direction of text and so make a line look like another. A byte that
// is not UTF-8, which can come with ready-made JSON, becomes U+FFFD.
func escapeInvisible(b []byte) []byte {
	if bytes.IndexFunc(b, isInvisible) < 0 {
		return b
	}
	escaped := make([]byte, 0, 2*len(b))
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case !isInvisible(r):
			escaped = append(escaped, b[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
		b = b[size:]
	}
	return escaped
}

func isInvisible(r rune) bool {
	return r >= 0x7f && (r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf))
}

// cut returns at most limit bytes of s, whole characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// newEventID returns a random UUID (version 4).
func newEventID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[:], b[:4])
	for i, at := range []int{9, 14, 19} {
		s[at-1] = '-'
		hex.Encode(s[at:], b[4+2*i:6+2*i])
	}
	s[23] = '-'
	hex.Encode(s[24:], b[10:])
	return string(s[:]), nil
}
