package s3_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/operation"
	"iamserver/runtime/s3"
	"iamserver/runtime/sigv4"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// keysOf returns the values of condition keys for the need with that number.
func keysOf(t *testing.T, r *s3.Request, need int, names ...string) map[string][]string {
	t.Helper()
	n := r.AppendNeeds(nil)[need]
	got := map[string][]string{}
	for _, name := range names {
		k, tag := r.ConditionKey(&n, name)
		if k == nil {
			continue
		}
		if k.Source == operation.FromStore {
			got[name] = []string{"ask the store for " + k.Param + " of " + n.ARN()}
		} else if values, ok := r.Values(&n, k, tag, noon); ok {
			got[name] = values
		}
	}
	return got
}

func classified(t *testing.T, method, target string, header http.Header) *s3.Request {
	t.Helper()
	req := get(target)
	req.Method, req.Header = method, header
	r := new(s3.Request)
	require.NoError(t, s3.NewClassifier(s3.Config{}).Classify(req, r))
	return r
}

func TestConditionKeys(t *testing.T) {
	listing := []string{"s3:prefix", "S3:Delimiter", "s3:max-keys", "s3:versionid"}
	require.Equal(t, map[string][]string{"s3:prefix": {"a b/"}, "s3:max-keys": {"1000"}},
		keysOf(t, classified(t, "GET", "/photos?list-type=2&prefix=a+b%2F", nil), 0, listing...))
	require.Equal(t, map[string][]string{"s3:prefix": {""}, "S3:Delimiter": {"/"}, "s3:max-keys": {"5"}},
		keysOf(t, classified(t, "GET", "/photos?prefix=&delimiter=/&max-keys=5", nil), 0, listing...))

	reading := []string{"s3:versionid", "s3:ExistingObjectTag/team", "s3:prefix"}
	require.Equal(t, map[string][]string{"s3:ExistingObjectTag/team": {"ask the store for object-tags of arn:aws:s3:::photos/k"}},
		keysOf(t, classified(t, "GET", "/photos/k", nil), 0, reading...))
	require.Equal(t, map[string][]string{"s3:versionid": {"7"}, "s3:ExistingObjectTag/team": {"ask the store for object-tags of arn:aws:s3:::photos/k"}},
		keysOf(t, classified(t, "GET", "/photos/k?versionId=7", nil), 0, reading...))

	writing := []string{
		"s3:x-amz-acl", "s3:RequestObjectTag/team", "s3:RequestObjectTag/TEAM", "s3:RequestObjectTag/none", "s3:RequestObjectTagKeys", "s3:object-lock-remaining-retention-days",
		"s3:ObjectCreationOperation", "s3:ExistingObjectTag/team", "s3:x-amz-copy-source", "s3:versionid",
	}
	require.Equal(t, map[string][]string{
		"s3:x-amz-acl": {"private"}, "s3:RequestObjectTag/team": {"red & blue"}, "s3:RequestObjectTag/TEAM": {"red & blue"},
		"s3:RequestObjectTagKeys": {"team", "x"}, "s3:object-lock-remaining-retention-days": {"10"}, "s3:ObjectCreationOperation": {"true"},
	}, keysOf(t, classified(t, "PUT", "/photos/k", http.Header{
		"X-Amz-Acl": {"private"}, "X-Amz-Tagging": {"team=red+%26%20blue&x="}, "X-Amz-Object-Lock-Retain-Until-Date": {"2026-12-05T11:59:00Z"},
	}), 0, writing...))

	// The source of a copy is written in one way, and its tags and version belong
	// to the read of it alone.
	copying := http.Header{"X-Amz-Copy-Source": {"/archive/a%20b%2Fc?versionId=7"}}
	require.Equal(t, map[string][]string{
		"s3:ObjectCreationOperation": {"true"}, "s3:x-amz-copy-source": {"archive/a b/c"},
		"s3:ExistingObjectTag/team": {"ask the store for object-tags of arn:aws:s3:::archive/a b/c"}, "s3:versionid": {"7"},
	}, keysOf(t, classified(t, "PUT", "/photos/k", copying), 0, writing...))
	require.Equal(t, map[string][]string{"s3:ObjectCreationOperation": {"true"}, "s3:x-amz-copy-source": {"archive/a b/c"}},
		keysOf(t, classified(t, "PUT", "/photos/k", copying), 1, writing...))
}

// What a body says is known to the policies as the store will read it.
func TestBodiesThatDecide(t *testing.T) {
	for _, tt := range []struct {
		name, target, body string
		keys               map[string][]string
		document           string
	}{
		{
			"tags", "/photos/k?tagging", "<Tagging><TagSet><Tag><Key>team</Key><Value>red</Value></Tag><Tag><Key>x</Key><Value/></Tag></TagSet></Tagging>",
			map[string][]string{"s3:RequestObjectTag/team": {"red"}, "s3:RequestObjectTagKeys": {"team", "x"}},
			`<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>team</Key><Value>red</Value></Tag><Tag><Key>x</Key><Value></Value></Tag></TagSet></Tagging>`,
		},
		{
			"a tag whose key differs in case from the policy's", "/photos/k?tagging", "<Tagging><TagSet><Tag><Key>TEAM</Key><Value>red</Value></Tag></TagSet></Tagging>",
			map[string][]string{"s3:RequestObjectTag/team": {"red"}, "s3:RequestObjectTagKeys": {"TEAM"}},
			`<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>TEAM</Key><Value>red</Value></Tag></TagSet></Tagging>`,
		},
		{
			"retention", "/photos/k?retention", `<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><RetainUntilDate>2026-11-27T12:00:00Z</RetainUntilDate><Mode>GOVERNANCE</Mode></Retention>`,
			map[string][]string{"s3:object-lock-mode": {"GOVERNANCE"}, "s3:object-lock-remaining-retention-days": {"2"}},
			`<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>GOVERNANCE</Mode><RetainUntilDate>2026-11-27T12:00:00Z</RetainUntilDate></Retention>`,
		},
		{
			"a legal hold", "/photos/k?legal-hold", "<LegalHold><Status>ON</Status></LegalHold>",
			map[string][]string{"s3:object-lock-legal-hold": {"ON"}},
			`<LegalHold xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>ON</Status></LegalHold>`,
		},
		{
			"a region", "/photos", "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
			map[string][]string{"s3:locationconstraint": {"eu-west-1"}},
			"", // there is one place, whatever clients call it
		},
		{"no region", "/photos", "", map[string][]string{}, ""},
		{"a document of the store", "/photos?versioning", "anything", map[string][]string{}, "anything"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := classified(t, "PUT", tt.target, nil)
			document, err := r.ReadDocument([]byte(tt.body))
			require.NoError(t, err)
			require.Equal(t, tt.document, string(document))
			require.Equal(t, tt.keys, keysOf(t, r, 0, "s3:RequestObjectTag/team", "s3:RequestObjectTagKeys", "s3:object-lock-mode",
				"s3:object-lock-remaining-retention-days", "s3:object-lock-legal-hold", "s3:locationconstraint"))
		})
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, target, body, want string }{
		{"no document", "/photos/k?tagging", "", "MalformedXML"},
		{"another document", "/photos/k?tagging", "<Retention/>", "MalformedXML"},
		{"an unknown element", "/photos/k?tagging", "<Tagging><TagSet/><More/></Tagging>", "MalformedXML"},
		{"an unknown element in a tag", "/photos/k?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value><Name>c</Name></Tag></TagSet></Tagging>", "MalformedXML"},
		{"two documents", "/photos/k?tagging", "<Tagging><TagSet/></Tagging><Tagging/>", "MalformedXML"},
		{"a document type", "/photos/k?tagging", `<!DOCTYPE x [<!ENTITY e "v">]><Tagging><TagSet/></Tagging>`, "MalformedXML"},
		{"another namespace", "/photos/k?tagging", `<Tagging xmlns="urn:other"><TagSet/></Tagging>`, "MalformedXML"},
		{"a tag twice", "/photos/k?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>a</Key><Value>c</Value></Tag></TagSet></Tagging>", "InvalidTag"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := classified(t, "PUT", tt.target, nil).ReadDocument([]byte(tt.body))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// Each entry of DeleteObjects is decided by itself.
func TestEntriesNeedPermissions(t *testing.T) {
	c := s3.NewClassifier(s3.Config{})
	var r s3.Request
	require.NoError(t, c.Classify(sigv4.Request{Method: "POST", Path: "/photos", Query: "delete", Header: http.Header{"X-Amz-Bypass-Governance-Retention": {"true"}}}, &r))
	require.Empty(t, r.AppendNeeds(nil))
	d, err := c.ParseDeletions([]byte("<Delete><Quiet>true</Quiet><Object><Key>a/../b &amp; c</Key></Object><Object><Key>d</Key><VersionId>7</VersionId><ETag>\"1\"</ETag></Object></Delete>"))
	require.NoError(t, err)
	require.Equal(t, []s3.Need{
		{Action: "s3:DeleteObject", Bucket: "photos", Key: "a/../b & c"},
		{Action: "s3:BypassGovernanceRetention", Bucket: "photos", Key: "a/../b & c", If: operation.Governed},
	}, r.AppendEntryNeeds(nil, &d.Objects[0]))
	require.Equal(t, []s3.Need{
		{Action: "s3:DeleteObjectVersion", Bucket: "photos", Key: "d", VersionID: "7", ETag: `"1"`},
		{Action: "s3:BypassGovernanceRetention", Bucket: "photos", Key: "d", VersionID: "7", ETag: `"1"`, If: operation.Governed},
		{Action: "s3:GetObject", Bucket: "photos", Key: "d", VersionID: "7", ETag: `"1"`},
	}, r.AppendEntryNeeds(nil, &d.Objects[1]))
	d.Objects = d.Objects[:1]
	document, err := d.Document()
	require.NoError(t, err)
	require.Equal(t, `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a/../b &amp; c</Key></Object><Quiet>true</Quiet></Delete>`, string(document))
}
