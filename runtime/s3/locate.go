package s3

import (
	"slices"
	"strings"
	"unicode/utf8"

	"iamserver/generated/s3err"
	"iamserver/runtime/operation"
	"iamserver/runtime/sigv4"
)

const maxKey = 1024

// locate finds the bucket and the key of a request.
func (c *Classifier) locate(req sigv4.Request, r *Request) (operation.Target, error) {
	path := req.Path
	if path == "" {
		path = "/"
	}
	if path[0] != '/' {
		return 0, s3err.UnreadableURI()
	}
	bucket, rawKey, inPath := path[1:], "", true
	if name, ok := c.bucketOfHost(req.Host); ok {
		bucket, rawKey, inPath = name, path[1:], false
	}
	if inPath {
		if c.table.paths[path] {
			return operation.Service, nil
		}
		bucket, rawKey, _ = strings.Cut(bucket, "/")
		if bucket == "" && rawKey == "" && path == "/" {
			return operation.Service, nil
		}
		var err error
		if bucket, err = unescape(bucket); err != nil {
			return 0, err
		}
	}
	if !validBucket(bucket) || slices.Contains(c.cfg.ReservedBuckets, bucket) {
		return 0, s3err.NotABucketName()
	}
	r.Bucket, r.inHost = bucket, !inPath
	if rawKey == "" {
		return operation.Bucket, nil
	}
	key, err := unescape(rawKey)
	if err != nil {
		return 0, err
	}
	r.Key = key
	return operation.Object, validKey(key)
}

// IsBucketHost reports whether a host names a bucket.
func (c *Classifier) IsBucketHost(host string) bool {
	_, ok := c.bucketOfHost(host)
	return ok
}

// bucketOfHost returns the bucket that a host names.
func (c *Classifier) bucketOfHost(host string) (bucket string, ok bool) {
	if len(c.cfg.Domains) == 0 {
		return "", false
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, domain := range c.cfg.Domains {
		if name, found := strings.CutSuffix(host, domain); found && strings.HasSuffix(name, ".") {
			return name[:len(name)-1], true
		}
	}
	return "", false
}

// validBucket says whether name is one that S3 gives to buckets ("General purpose
// bucket naming rules"). No such name means anything to a file system or in a path.
func validBucket(name string) bool {
	if len(name) < 3 || len(name) > 63 {
		return false
	}
	dots, digits := 0, 0
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z':
		case '0' <= c && c <= '9':
			digits++
		case c == '.':
			dots++
			fallthrough
		case c == '-':
			// Neither first nor last, and no label between dots is empty.
			if i == 0 || i == len(name)-1 || (c == '.' && name[i-1] == '.') {
				return false
			}
		default:
			return false
		}
	}
	// What has the form of an IP address is an address.
	return dots != 3 || digits+dots != len(name)
}

func validKey(key string) error {
	switch {
	case !utf8.ValidString(key):
		return s3err.UnreadableURI()
	case len(key) > maxKey:
		return s3err.KeyTooLong()
	}
	return nil
}

// unescape decodes the percent-encoding of a path once. A plus sign is a plus
// sign there.
func unescape(s string) (string, error) {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for ; i >= 0; i = strings.IndexByte(s, '%') {
		if i+2 >= len(s) {
			return "", s3err.UnreadableURI()
		}
		high, low := unhex(s[i+1]), unhex(s[i+2])
		if high|low > 0xF {
			return "", s3err.UnreadableURI()
		}
		out = append(out, s[:i]...)
		out = append(out, high<<4|low)
		s = s[i+3:]
	}
	return string(append(out, s...)), nil
}

// unhex returns the value of a hexadecimal digit, more than 15 for any other.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xFF
}

// parseSource reads x-amz-copy-source: bucket/key, with or without a slash
// before it, percent-encoded, and maybe ?versionId=….
func parseSource(text string) (Source, error) {
	path, query, versioned := strings.Cut(text, "?")
	path, err := unescape(path)
	if err != nil {
		return Source{}, s3err.InvalidCopySource()
	}
	var s Source
	var ok bool
	if s.Bucket, s.Key, ok = strings.Cut(strings.TrimPrefix(path, "/"), "/"); !ok || s.Key == "" || !validBucket(s.Bucket) {
		return Source{}, s3err.InvalidCopySource()
	}
	if versioned {
		id, found := strings.CutPrefix(query, "versionId=")
		if s.VersionID, err = unescape(id); err != nil || !found || s.VersionID == "" || strings.ContainsAny(id, "&;") {
			return Source{}, s3err.InvalidCopySource()
		}
	}
	if err := validKey(s.Key); err != nil || !utf8.ValidString(s.VersionID) {
		return Source{}, s3err.InvalidCopySource()
	}
	return s, nil
}
