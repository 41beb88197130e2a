package server

import (
	"net/http"

	"iamserver/runtime/audit"
	"iamserver/runtime/authz"
	"iamserver/runtime/s3"
)

// s3Parameters is what the audit log shows of an S3 request: what it is about, and
// never its headers or query, which hold signatures and keys.
type s3Parameters struct {
	BucketName string `json:"bucketName,omitempty"`
	Key        string `json:"key,omitempty"`
	VersionID  string `json:"versionId,omitempty"`
	CopySource string `json:"x-amz-copy-source,omitempty"`
	// Objects are those that DeleteObjects lists, as far as there is room for them, and
	// Omitted is the number of the others.
	Objects []s3Entry `json:"objects,omitempty"`
	Omitted int       `json:"objectsOmitted,omitempty"`
}

type s3Entry struct {
	Key       string `json:"key"`
	VersionID string `json:"versionId,omitempty"`
	Denied    bool   `json:"denied,omitempty"`
}

// maxAuditedKeys bounds the keys of a record, in bytes: with all that is around 1000
// of them, less than the parameters of a record may have.
const maxAuditedKeys = 30 << 10

// list adds the objects of DeleteObjects.
func (p *s3Parameters) list(entries []s3Entry) {
	size := 0
	for i, e := range entries {
		if size += len(e.Key) + len(e.VersionID); size > maxAuditedKeys {
			p.Omitted = len(entries) - i
			return
		}
		p.Objects = append(p.Objects, e)
	}
}

// audit records the request under the name of its operation.
func (c *s3Call) audit(name string, err error) {
	s := c.store.server
	if s.config.Audit == nil || c.request.Method == http.MethodOptions {
		return // a preflight changes and shows nothing, and anybody could fill the log with it
	}
	r := &audit.Record{
		UserIdentity: audit.UserIdentity{Type: "Unknown"}, EventSource: s3Service + ".amazonaws.com", EventName: name,
		SourceIPAddress: c.source, UserAgent: c.request.UserAgent(), RequestID: c.id, RecipientAccountID: s.config.Account,
		ReadOnly: c.request.Method == "GET" || c.request.Method == "HEAD",
	}
	if c.auth != nil {
		r.AWSRegion = c.auth.Region
		r.UserIdentity.AccessKeyID = c.auth.AccessKeyID
	}
	if p := c.principal; p != nil && p.Type != authz.Anonymous {
		r.UserIdentity = userIdentity(p)
	}
	parameters := s3Parameters{BucketName: c.req.Bucket, Key: c.req.Key}
	if c.req.Operation != nil {
		parameters.VersionID, _ = c.req.VersionID()
	}
	if c.req.Source.Bucket != "" {
		parameters.CopySource = c.req.Source.Bucket + "/" + c.req.Source.Key
	}
	parameters.list(c.entries)
	r.RequestParameters = parameters
	if c.req.Bucket != "" {
		r.Resources = append(r.Resources, audit.Resource{ARN: "arn:aws:s3:::" + c.req.Bucket, AccountID: s.config.Account, Type: "AWS::S3::Bucket"})
		if c.req.Key != "" {
			r.Resources = append(r.Resources, audit.Resource{ARN: "arn:aws:s3:::" + c.req.Bucket + "/" + c.req.Key, Type: "AWS::S3::Object"})
		}
	}
	r.AdditionalEventData = decisionData(c.denial, c.hooked)
	r.AdditionalEventData = preparationData(r.AdditionalEventData, c.validation.Plugin, c.validation.Replacements)
	if err != nil {
		answer := s3.ErrorOf(err)
		r.ErrorCode, r.ErrorMessage = answer.Code.Name, answer.Message
		r.Refused = c.principal == nil || c.denial != nil || c.principal.Type == authz.Anonymous
	}
	if failure := s.config.Audit.Write(r); failure != nil {
		s.metrics.audit.Inc()
		s.log.Error("a request is not in the audit log", "error", failure, "request", c.id, "action", "s3:"+name)
	}
}
