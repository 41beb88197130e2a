package s3_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/generated/s3api"
	"iamserver/runtime/apierror"
	"iamserver/runtime/operation"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

// What each operation of AWS's has to be allowed, with nothing said in headers:
// the actions without a version, then with one. A refused operation has "-".
// This is AWS's "Required permissions for Amazon S3 API operations".
const permissions = `
AbortMultipartUpload                             s3:AbortMultipartUpload@object
CompleteMultipartUpload                          s3:PutObject@object
CopyObject                                       s3:GetObject@source s3:PutObject@object s3:GetObjectTagging@source? s3:PutObjectTagging@object?
CreateBucket                                     s3:CreateBucket@bucket s3:TagResource@bucket?
CreateBucketMetadataConfiguration                -
CreateBucketMetadataTableConfiguration           -
CreateMultipartUpload                            s3:PutObject@object
CreateSession                                    -
DeleteBucket                                     s3:DeleteBucket@bucket
DeleteBucketAnalyticsConfiguration               s3:PutAnalyticsConfiguration@bucket
DeleteBucketCors                                 s3:PutBucketCORS@bucket
DeleteBucketEncryption                           s3:PutEncryptionConfiguration@bucket
DeleteBucketIntelligentTieringConfiguration      s3:PutIntelligentTieringConfiguration@bucket
DeleteBucketInventoryConfiguration               s3:PutInventoryConfiguration@bucket
DeleteBucketLifecycle                            s3:PutLifecycleConfiguration@bucket
DeleteBucketMetadataConfiguration                -
DeleteBucketMetadataTableConfiguration           -
DeleteBucketMetricsConfiguration                 s3:PutMetricsConfiguration@bucket
DeleteBucketOwnershipControls                    s3:PutBucketOwnershipControls@bucket
DeleteBucketPolicy                               s3:DeleteBucketPolicy@bucket
DeleteBucketReplication                          s3:PutReplicationConfiguration@bucket
DeleteBucketTagging                              s3:PutBucketTagging@bucket
DeleteBucketWebsite                              s3:DeleteBucketWebsite@bucket
DeleteObject                                     s3:DeleteObject@object | s3:DeleteObjectVersion@object
DeleteObjectTagging                              s3:DeleteObjectTagging@object | s3:DeleteObjectVersionTagging@object
DeleteObjects
DeletePublicAccessBlock                          s3:PutBucketPublicAccessBlock@bucket
GetBucketAbac                                    -
GetBucketAccelerateConfiguration                 s3:GetAccelerateConfiguration@bucket
GetBucketAcl                                     s3:GetBucketAcl@bucket
GetBucketAnalyticsConfiguration                  s3:GetAnalyticsConfiguration@bucket
GetBucketCors                                    s3:GetBucketCORS@bucket
GetBucketEncryption                              s3:GetEncryptionConfiguration@bucket
GetBucketIntelligentTieringConfiguration         s3:GetIntelligentTieringConfiguration@bucket
GetBucketInventoryConfiguration                  s3:GetInventoryConfiguration@bucket
GetBucketLifecycle                               s3:GetLifecycleConfiguration@bucket
GetBucketLifecycleConfiguration                  s3:GetLifecycleConfiguration@bucket
GetBucketLocation                                s3:GetBucketLocation@bucket
GetBucketLogging                                 s3:GetBucketLogging@bucket
GetBucketMetadataConfiguration                   -
GetBucketMetadataTableConfiguration              -
GetBucketMetricsConfiguration                    s3:GetMetricsConfiguration@bucket
GetBucketNotification                            s3:GetBucketNotification@bucket
GetBucketNotificationConfiguration               s3:GetBucketNotification@bucket
GetBucketOwnershipControls                       s3:GetBucketOwnershipControls@bucket
GetBucketPolicy                                  s3:GetBucketPolicy@bucket
GetBucketPolicyStatus                            s3:GetBucketPolicyStatus@bucket
GetBucketReplication                             s3:GetReplicationConfiguration@bucket
GetBucketRequestPayment                          s3:GetBucketRequestPayment@bucket
GetBucketTagging                                 s3:GetBucketTagging@bucket
GetBucketVersioning                              s3:GetBucketVersioning@bucket
GetBucketWebsite                                 s3:GetBucketWebsite@bucket
GetObject                                        s3:GetObject@object | s3:GetObjectVersion@object
GetObjectAcl                                     s3:GetObjectAcl@object | s3:GetObjectVersionAcl@object
GetObjectAttributes                              s3:GetObject@object s3:GetObjectAttributes@object | s3:GetObjectVersion@object s3:GetObjectVersionAttributes@object
GetObjectLegalHold                               s3:GetObjectLegalHold@object | s3:GetObjectLegalHold@object
GetObjectLockConfiguration                       s3:GetBucketObjectLockConfiguration@bucket
GetObjectRetention                               s3:GetObjectRetention@object | s3:GetObjectRetention@object
GetObjectTagging                                 s3:GetObjectTagging@object | s3:GetObjectVersionTagging@object
GetObjectTorrent                                 s3:GetObjectTorrent@object
GetPublicAccessBlock                             s3:GetBucketPublicAccessBlock@bucket
HeadBucket                                       s3:ListBucket@bucket
HeadObject                                       s3:GetObject@object | s3:GetObjectVersion@object
ListBucketAnalyticsConfigurations                s3:GetAnalyticsConfiguration@bucket
ListBucketIntelligentTieringConfigurations       s3:GetIntelligentTieringConfiguration@bucket
ListBucketInventoryConfigurations                s3:GetInventoryConfiguration@bucket
ListBucketMetricsConfigurations                  s3:GetMetricsConfiguration@bucket
ListBuckets                                      s3:ListAllMyBuckets@*
ListDirectoryBuckets                             -
ListMultipartUploads                             s3:ListBucketMultipartUploads@bucket
ListObjectVersions                               s3:ListBucketVersions@bucket
ListObjects                                      s3:ListBucket@bucket
ListObjectsV2                                    s3:ListBucket@bucket
ListParts                                        s3:ListMultipartUploadParts@object
PutBucketAbac                                    -
PutBucketAccelerateConfiguration                 s3:PutAccelerateConfiguration@bucket
PutBucketAcl                                     s3:PutBucketAcl@bucket
PutBucketAnalyticsConfiguration                  -
PutBucketCors                                    s3:PutBucketCORS@bucket
PutBucketEncryption                              s3:PutEncryptionConfiguration@bucket
PutBucketIntelligentTieringConfiguration         s3:PutIntelligentTieringConfiguration@bucket
PutBucketInventoryConfiguration                  -
PutBucketLifecycle                               s3:PutLifecycleConfiguration@bucket
PutBucketLifecycleConfiguration                  s3:PutLifecycleConfiguration@bucket
PutBucketLogging                                 -
PutBucketMetricsConfiguration                    s3:PutMetricsConfiguration@bucket
PutBucketNotification                            s3:PutBucketNotification@bucket
PutBucketNotificationConfiguration               s3:PutBucketNotification@bucket
PutBucketOwnershipControls                       s3:PutBucketOwnershipControls@bucket
PutBucketPolicy                                  s3:PutBucketPolicy@bucket
PutBucketReplication                             -
PutBucketRequestPayment                          s3:PutBucketRequestPayment@bucket
PutBucketTagging                                 s3:PutBucketTagging@bucket
PutBucketVersioning                              s3:PutBucketVersioning@bucket
PutBucketWebsite                                 s3:PutBucketWebsite@bucket
PutObject                                        s3:PutObject@object
PutObjectAcl                                     s3:PutObjectAcl@object | s3:PutObjectVersionAcl@object
PutObjectLegalHold                               s3:PutObjectLegalHold@object | s3:PutObjectLegalHold@object
PutObjectLockConfiguration                       s3:PutBucketObjectLockConfiguration@bucket
PutObjectRetention                               s3:PutObjectRetention@object | s3:PutObjectRetention@object
PutObjectTagging                                 s3:PutObjectTagging@object | s3:PutObjectVersionTagging@object
PutPublicAccessBlock                             s3:PutBucketPublicAccessBlock@bucket
RenameObject                                     -
RestoreObject                                    -
SelectObjectContent                              s3:GetObject@object
UpdateBucketMetadataInventoryTableConfiguration  -
UpdateBucketMetadataJournalTableConfiguration    -
UpdateObjectEncryption                           -
UploadPart                                       s3:PutObject@object
UploadPartCopy                                   s3:GetObject@source s3:PutObject@object
WriteGetObjectResponse                           -
`

// requestModel is AWS's model of one operation.
type requestModel struct {
	Method     string   `json:"method"`
	RequestURI string   `json:"requestUri"`
	Query      []string `json:"query"`
	Headers    []string `json:"headers"`
}

// Every operation of AWS's model is recognised, in both styles, as itself or
// as one with the same request, and needs what AWS says; or is refused.
func TestEveryOperationOfTheModel(t *testing.T) {
	var models map[string]requestModel
	shared(t, "aws-s3-2006-03-01.requests.json", &models)
	want := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(permissions)) {
		name, actions, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[name] = strings.TrimSpace(actions)
	}
	classifier := s3.NewClassifier(s3.Config{Domains: []string{"s3.example.com"}})
	for name, model := range models {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, want, name)
			plain, versioned, _ := strings.Cut(want[name], " | ")
			for _, req := range []sigv4.Request{pathStyle(model), hostStyle(model)} {
				if plain == "-" {
					var r s3.Request
					err := classifier.Classify(req, &r)
					require.Equal(t, "NotImplemented", apierror.CodeOf(err))
					require.NotNil(t, r.Operation, "refused by the table, not as unknown")
					require.Equal(t, name, r.Operation.Name)
					continue
				}
				require.Equal(t, plain, needsOf(t, classifier, req, name))
				if slices.Contains(model.Query, "versionId") {
					req.Query += "&versionId=v1"
					require.Equal(t, strings.TrimSpace(versioned), needsOf(t, classifier, req, name))
				}
			}
		})
	}
	require.Len(t, want, len(models))
}

// target returns the path after the bucket and the query of an operation, with
// every parameter that the model has but a version.
func (m requestModel) target() (path, query string) {
	path, query, _ = strings.Cut(m.RequestURI, "?")
	path = strings.NewReplacer("{Bucket}", "photos", "{Key+}", "2026/a b.jpg").Replace(path)
	parts := strings.FieldsFunc(query, func(c rune) bool { return c == '&' })
	for _, name := range m.Query {
		if name != "versionId" {
			parts = append(parts, name+"=1")
		}
	}
	return (&url.URL{Path: path}).EscapedPath(), strings.Join(parts, "&")
}

func (m requestModel) request(host, path, query string) sigv4.Request {
	req := sigv4.Request{Method: m.Method, Path: path, Query: query, Host: host, Header: http.Header{}}
	if slices.Contains(m.Headers, "x-amz-copy-source") {
		req.Header.Set("x-amz-copy-source", "/archive/2025/c%20d.jpg")
	}
	return req
}

func pathStyle(m requestModel) sigv4.Request {
	path, query := m.target()
	return m.request("s3.example.com:9000", path, query)
}

func hostStyle(m requestModel) sigv4.Request {
	path, query := m.target()
	if rest, ok := strings.CutPrefix(path, "/photos"); ok {
		return m.request("photos.s3.example.com:9000", rest, query)
	}
	return m.request("s3.example.com", path, query)
}

func needsOf(t *testing.T, c *s3.Classifier, req sigv4.Request, name string) string {
	t.Helper()
	var r s3.Request
	require.NoError(t, c.Classify(req, &r))
	require.Contains(t, append([]string{r.Operation.Name}, r.Operation.Also...), name)
	return describe(r.AppendNeeds(nil))
}

func describe(needs []s3.Need) string {
	resources := map[string]string{
		"*": "*", "arn:aws:s3:::photos": "bucket", "arn:aws:s3:::photos/2026/a b.jpg": "object", "arn:aws:s3:::archive/2025/c d.jpg": "source",
	}
	var out []string
	for _, n := range needs {
		text := n.Action + "@" + resources[n.ARN()]
		if n.If != operation.Always {
			text += "?"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// What headers ask for has to be allowed too.
func TestHeadersNeedMore(t *testing.T) {
	for _, tt := range []struct {
		name   string
		method string
		target string
		header http.Header
		want   string
	}{
		{"an access list", "PUT", "/photos/2026/a%20b.jpg", http.Header{"X-Amz-Acl": {"private"}}, "s3:PutObject@object s3:PutObjectAcl@object"},
		{"a grant", "PUT", "/photos/2026/a%20b.jpg", http.Header{"X-Amz-Grant-Read": {"id=1"}}, "s3:PutObject@object s3:PutObjectAcl@object"},
		{"tags", "PUT", "/photos/2026/a%20b.jpg", http.Header{"X-Amz-Tagging": {"a=b"}}, "s3:PutObject@object s3:PutObjectTagging@object"},
		{"retention", "PUT", "/photos/2026/a%20b.jpg", http.Header{"X-Amz-Object-Lock-Mode": {"GOVERNANCE"}}, "s3:PutObject@object s3:PutObjectRetention@object"},
		{"a legal hold", "POST", "/photos/2026/a%20b.jpg?uploads", http.Header{"X-Amz-Object-Lock-Legal-Hold": {"ON"}}, "s3:PutObject@object s3:PutObjectLegalHold@object"},
		{"comparing with an entity tag", "PUT", "/photos/2026/a%20b.jpg", http.Header{"If-Match": {`"1"`}}, "s3:PutObject@object s3:GetObject@object"},
		{"comparing with another entity tag", "PUT", "/photos/2026/a%20b.jpg", http.Header{"If-None-Match": {`"1"`}}, "s3:PutObject@object s3:GetObject@object"},
		{"only where nothing is", "PUT", "/photos/2026/a%20b.jpg", http.Header{"If-None-Match": {`*`}}, "s3:PutObject@object"},
		{"comparing with anything", "PUT", "/photos/2026/a%20b.jpg", http.Header{"If-Match": {`*`}}, "s3:PutObject@object"},
		{"bypassing a lock", "DELETE", "/photos/2026/a%20b.jpg?versionId=1", http.Header{"X-Amz-Bypass-Governance-Retention": {"true"}}, "s3:DeleteObjectVersion@object s3:BypassGovernanceRetention@object?"},
		{"not bypassing a lock", "DELETE", "/photos/2026/a%20b.jpg", http.Header{"X-Amz-Bypass-Governance-Retention": {"false"}}, "s3:DeleteObject@object"},
		{"a copy with its tags", "PUT", "/photos/2026/a%20b.jpg", http.Header{"X-Amz-Copy-Source": {"archive/2025/c d.jpg?versionId=7"}}, "s3:GetObjectVersion@source s3:PutObject@object s3:GetObjectVersionTagging@source? s3:PutObjectTagging@object?"},
		{"maybe bypassing a lock", "DELETE", "/photos/2026/a%20b.jpg", http.Header{"X-Amz-Bypass-Governance-Retention": {"1"}}, "s3:DeleteObject@object s3:BypassGovernanceRetention@object?"},
		{"a copy that leaves its tags to the default", "PUT", "/photos/2026/a%20b.jpg", http.Header{"X-Amz-Copy-Source": {"archive/2025/c d.jpg"}, "X-Amz-Tagging-Directive": {""}}, "s3:GetObject@source s3:PutObject@object s3:GetObjectTagging@source? s3:PutObjectTagging@object?"},
		{"a copy with other tags", "PUT", "/photos/2026/a%20b.jpg", http.Header{"X-Amz-Copy-Source": {"archive/2025/c d.jpg"}, "X-Amz-Tagging-Directive": {"REPLACE"}, "X-Amz-Tagging": {"a=b"}}, "s3:GetObject@source s3:PutObject@object s3:PutObjectTagging@object"},
		{"a bucket with locks", "PUT", "/photos", http.Header{"X-Amz-Bucket-Object-Lock-Enabled": {"True"}}, "s3:CreateBucket@bucket s3:PutBucketObjectLockConfiguration@bucket s3:PutBucketVersioning@bucket s3:TagResource@bucket?"},
		{"a bucket with an owner", "PUT", "/photos", http.Header{"X-Amz-Object-Ownership": {"BucketOwnerEnforced"}, "X-Amz-Acl": {"private"}}, "s3:CreateBucket@bucket s3:PutBucketAcl@bucket s3:PutBucketOwnershipControls@bucket s3:TagResource@bucket?"},
		{"an access list in a presigned query", "PUT", "/photos/2026/a%20b.jpg?x-amz-acl=private", nil, "s3:PutObject@object s3:PutObjectAcl@object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, query, _ := strings.Cut(tt.target, "?")
			var r s3.Request
			require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(sigv4.Request{Method: tt.method, Path: path, Query: query, Header: tt.header}, &r))
			require.Equal(t, tt.want, describe(r.AppendNeeds(nil)))
		})
	}
}

// Headers of AWS's model are passed on, kept with a reason, or refused; and
// nothing else is passed on.
func TestHeadersOfTheModel(t *testing.T) {
	var models map[string]requestModel
	shared(t, "aws-s3-2006-03-01.requests.json", &models)
	kept := []string{
		"Content-Length", "Content-Md5", "X-Amz-Checksum-Sha512", "X-Amz-Checksum-Md5", "X-Amz-Sdk-Checksum-Algorithm", "X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner",
		"X-Amz-Request-Payer", "X-Amz-Mfa", "X-Amz-Acl", "X-Amz-Grant-Full-Control", "X-Amz-Grant-Read", "X-Amz-Grant-Read-Acp", "X-Amz-Grant-Write",
		"X-Amz-Grant-Write-Acp", "X-Amz-Object-Ownership", "X-Amz-Copy-Source", "X-Amz-Confirm-Remove-Self-Bucket-Access",
	}
	for _, u := range s3api.Unsupported {
		kept = append(kept, u.Header)
	}
	for _, o := range s3api.Operations {
		model, ok := models[o.Name]
		if !ok || o.Refused != "" {
			continue
		}
		theirs, query := []string{}, []string{}
		for _, h := range model.Headers {
			if canonical := http.CanonicalHeaderKey(h); !slices.Contains(kept, canonical) {
				theirs = append(theirs, canonical)
			}
		}
		require.ElementsMatch(t, theirs, o.Forward, o.Name)
		for _, name := range model.Query {
			if !slices.ContainsFunc(o.Query, func(p operation.Parameter) bool { return p.Name == name }) {
				query = append(query, name)
			}
		}
		require.ElementsMatch(t, query, o.Optional, o.Name)
	}
}

// Condition keys that no store behind this server has a value for.
var absentKeys = []string{
	"aws:ResourceTag/", "s3:AccessGrantsInstanceArn", "s3:AccessPointNetworkOrigin", "s3:AccessPointTag/", "s3:DataAccessPointAccount", "s3:DataAccessPointArn",
	"s3:InventoryAccessibleOptionalFields", "s3:isReplicationPauseRequest", "s3:object-lock-event-hold", "s3:object-lock-event-hold-duration-days",
	"s3:x-amz-bucket-namespace", "s3:x-amz-object-annotation-directive",
}

// Condition keys of s3:PutObject that the requests about parts cannot have:
// they were said when the upload began.
var saidBefore = []string{
	"s3:RequestObjectTag/", "s3:RequestObjectTagKeys", "s3:object-lock-legal-hold", "s3:object-lock-mode", "s3:object-lock-remaining-retention-days",
	"s3:object-lock-retain-until-date", "s3:x-amz-acl", "s3:x-amz-grant-full-control", "s3:x-amz-grant-read", "s3:x-amz-grant-read-acp", "s3:x-amz-grant-write",
	"s3:x-amz-grant-write-acp", "s3:x-amz-storage-class",
}

// The condition keys of the service authorization reference are supplied: every
// operation has those of its first action, and none that no action of it has.
func TestConditionKeysOfTheReference(t *testing.T) {
	keys := referenceKeys(t)
	for _, o := range s3api.Operations {
		if o.Refused != "" {
			continue
		}
		supplied := map[string]bool{}
		for _, k := range o.Keys {
			supplied[k.Name] = true
		}
		theirs := map[string]bool{}
		for _, n := range o.Needs {
			for _, action := range []string{n.Action, n.Versioned} {
				if action == "" {
					continue
				}
				require.Contains(t, keys, action, o.Name)
				for _, k := range keys[action] {
					theirs[k] = true
				}
			}
		}
		for name := range supplied {
			require.True(t, theirs[name], "%s supplies %s, which no action of it has", o.Name, name)
		}
		for _, name := range keys[o.Needs[0].Action] {
			part := strings.Contains(o.Name, "MultipartUpload") && o.Name != "CreateMultipartUpload" || strings.HasPrefix(o.Name, "UploadPart")
			if !supplied[name] && !slices.Contains(absentKeys, name) && (!part || !slices.Contains(saidBefore, name)) {
				require.Fail(t, o.Name+" does not supply "+name)
			}
		}
		for _, k := range o.Keys {
			for _, action := range k.Of {
				require.Contains(t, keys[action], k.Name)
			}
		}
	}
}

// referenceKeys are the condition keys of each action, without those that any
// request has.
func referenceKeys(t *testing.T) map[string][]string {
	t.Helper()
	var reference struct {
		Actions map[string]struct {
			Name          string
			ConditionKeys []string
			ResourceTypes []struct {
				Name          string
				ConditionKeys []string
			}
		}
	}
	shared(t, "authorization-s3.json", &reference)
	always := []string{"s3:ResourceAccount", "s3:TlsVersion", "s3:authType", "s3:signatureAge", "s3:signatureversion", "s3:x-amz-content-sha256"}
	out := map[string][]string{}
	for _, a := range reference.Actions {
		names := a.ConditionKeys
		for _, r := range a.ResourceTypes {
			if r.Name == "bucket" || r.Name == "object" {
				names = append(names, r.ConditionKeys...)
			}
		}
		for _, name := range names {
			name = strings.NewReplacer("<key>", "", "${TagKey}", "").Replace(name)
			if !slices.Contains(always, name) {
				out["s3:"+a.Name] = append(out["s3:"+a.Name], name)
			}
		}
		out["s3:"+a.Name] = append(out["s3:"+a.Name], []string{}...)
		if out["s3:"+a.Name] == nil {
			out["s3:"+a.Name] = []string{}
		}
	}
	return out
}
