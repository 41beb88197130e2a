package s3

import (
	"strings"

	"iamserver/runtime/operation"
)

// AppendPath appends the path of the request as a store is sent it, in path
// style: the decoded bytes, encoded in one way.
func (r *Request) AppendPath(dst []byte) []byte {
	dst = append(dst, '/')
	if r.Bucket == "" {
		return dst
	}
	dst = append(dst, r.Bucket...)
	if r.Key != "" {
		dst = append(dst, '/')
		dst = appendEscaped(dst, r.Key, true)
	}
	return dst
}

// AppendQuery appends the query as a store is sent it: the parameters of the
// operation, in the order of the table, and no others.
func (r *Request) AppendQuery(dst []byte) []byte {
	start := len(dst)
	add := func(name string) {
		value, ok := r.Parameter(name)
		if !ok {
			return
		}
		if len(dst) > start {
			dst = append(dst, '&')
		}
		dst = append(appendEscaped(dst, name, false), '=')
		dst = appendEscaped(dst, value, false)
	}
	for _, p := range r.Operation.Query {
		add(p.Name)
	}
	for _, name := range r.Operation.Optional {
		add(name)
	}
	return dst
}

// header is the header x-amz-copy-source as a store is sent it.
func (s Source) header() string {
	dst := append([]byte("/"), s.Bucket...)
	dst = append(dst, '/')
	dst = appendEscaped(dst, s.Key, true)
	if s.VersionID != "" {
		dst = append(dst, "?versionId="...)
		dst = appendEscaped(dst, s.VersionID, false)
	}
	return string(dst)
}

// HasBody says whether the operation has a body.
func (r *Request) HasBody() bool { return r.Operation.Body != operation.NoBody }

// Sought is the object that the request reads, and that may be missing: the source
// of a copy, else the target.
func (r *Request) Sought() Source {
	if r.Source.Bucket != "" {
		return r.Source
	}
	version, _ := r.VersionID()
	return Source{Bucket: r.Bucket, Key: r.Key, VersionID: version}
}

// ChangesAnswer says whether the request says what headers its answer is to have.
// Only who signs may ("GetObject" in the S3 API reference): with text/html, any
// object could otherwise be made a page.
func (r *Request) ChangesAnswer() bool {
	for _, p := range r.params[:r.used] {
		if strings.HasPrefix(p.name, "response-") {
			return true
		}
	}
	return false
}
