package s3

import (
	"strings"

	"iamserver/runtime/operation"
)

// A Need is an action that has to be allowed on a resource.
type Need struct {
	// Action is the name with its service, as in "s3:GetObject".
	Action string
	// Bucket and Key name the resource; both are empty for "*", and the key for
	// a bucket.
	Bucket, Key string
	// VersionID is the version that is meant; empty means the current one.
	VersionID string
	// ETag is the entity tag that an entry of a body is compared with; empty if
	// there is none.
	ETag string
	// If says that the need applies only in a state that the request does not
	// tell: the caller of AppendNeeds has to find out, or to take it for given.
	If operation.State
	// OrInitiator says that who began the upload needs no permission.
	OrInitiator bool
}

const arnPrefix = "arn:aws:s3:::"

// AppendARN appends the ARN of the resource.
func (n *Need) AppendARN(dst []byte) []byte {
	if n.Bucket == "" {
		return append(dst, '*')
	}
	dst = append(append(dst, arnPrefix...), n.Bucket...)
	if n.Key != "" {
		dst = append(append(dst, '/'), n.Key...)
	}
	return dst
}

// ARN returns the ARN of the resource.
func (n *Need) ARN() string { return string(n.AppendARN(nil)) }

// AppendNeeds appends what has to be allowed, all of it, in the order in which
// the first that is not is reported. It leaves out the entries that the body of
// DeleteObjects lists; see AppendEntryNeeds.
func (r *Request) AppendNeeds(dst []Need) []Need {
	for i := range r.Operation.Needs {
		row := &r.Operation.Needs[i]
		if row.On == operation.OnEntries || !r.applies(row) {
			continue
		}
		n := Need{Action: row.Action, If: row.If, OrInitiator: row.OrInitiator}
		versioned := false
		switch row.On {
		case operation.OnBucket:
			n.Bucket = r.Bucket
		case operation.OnObject:
			n.Bucket, n.Key = r.Bucket, r.Key
			n.VersionID, versioned = r.VersionID()
		case operation.OnSource:
			n.Bucket, n.Key, n.VersionID = r.Source.Bucket, r.Source.Key, r.Source.VersionID
			versioned = n.VersionID != ""
		case operation.OnAll, operation.OnEntries:
		}
		if versioned && row.Versioned != "" {
			n.Action = row.Versioned
		}
		dst = append(dst, n)
	}
	return dst
}

// AppendEntryNeeds appends what has to be allowed for one entry of a body that
// lists objects.
func (r *Request) AppendEntryNeeds(dst []Need, e *Deletion) []Need {
	for i := range r.Operation.Needs {
		row := &r.Operation.Needs[i]
		if row.On != operation.OnEntries || !r.applies(row) || (row.If == operation.Compared && (e.ETag == "" || e.ETag == "*")) {
			continue
		}
		n := Need{Action: row.Action, Bucket: r.Bucket, Key: e.Key, VersionID: e.VersionID, ETag: e.ETag, If: row.If}
		if n.If == operation.Compared {
			n.If = operation.Always
		}
		if e.VersionID != "" && row.Versioned != "" {
			n.Action = row.Versioned
		}
		dst = append(dst, n)
	}
	return dst
}

// applies says whether the headers of the request call for a need.
func (r *Request) applies(n *operation.Need) bool {
	if n.When == nil {
		return true
	}
	for _, name := range n.When.Headers {
		value, ok := r.Header(name)
		if !ok && n.When.Default != "" {
			value, ok = n.When.Default, true
		}
		if !ok || (n.When.Value != "" && !strings.EqualFold(value, n.When.Value)) || (n.When.Not != "" && value == n.When.Not) {
			continue
		}
		return true
	}
	return false
}
