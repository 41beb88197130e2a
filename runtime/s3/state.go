package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"iamserver/runtime/operation"
)

// A State asks a store for what decisions need to know of what it holds.
type State struct {
	client *minio.Client
	now    func() time.Time
}

// NewState returns the State of a store.
func NewState(up Upstream) (*State, error) {
	lookup := minio.BucketLookupPath
	if up.VirtualHosts {
		lookup = minio.BucketLookupDNS
	}
	client, err := minio.New(up.Endpoint.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(up.AccessKeyID, up.SecretAccessKey, up.SessionToken),
		Secure: up.Endpoint.Scheme == "https", Transport: up.Transport, Region: up.Region, BucketLookup: lookup,
		// A decision waits for the answer: once more, and no ten times.
		MaxRetries: 2,
	})
	if err != nil {
		return nil, fmt.Errorf("s3: a client of the store: %w", err)
	}
	return &State{client, up.Now}, nil
}

// BucketExists reports whether the store has a bucket.
func (s *State) BucketExists(ctx context.Context, bucket string) (bool, error) {
	ok, err := s.client.BucketExists(ctx, bucket)
	if err != nil {
		return false, fmt.Errorf("ask for bucket %s: %w", bucket, err)
	}
	return ok, nil
}

// ObjectExists reports whether the store has an object, or a version of it.
func (s *State) ObjectExists(ctx context.Context, bucket, key, versionID string) (bool, error) {
	_, err := s.client.StatObject(ctx, bucket, key, minio.StatObjectOptions{VersionID: versionID})
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask for an object of %s: %w", bucket, err)
	}
	return true, nil
}

// Tags returns the tags of an object; none if there is no such object.
func (s *State) Tags(ctx context.Context, bucket, key, versionID string) (map[string]string, error) {
	tags, err := s.client.GetObjectTagging(ctx, bucket, key, minio.GetObjectTaggingOptions{VersionID: versionID})
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask for tags of an object of %s: %w", bucket, err)
	}
	return tags.ToMap(), nil
}

// Governed reports whether an object is locked in mode GOVERNANCE. That a store shows
// no lock where it has one does no harm, as long as it is not told to bypass one.
func (s *State) Governed(ctx context.Context, bucket, key, versionID string) (bool, error) {
	// Stores do not agree on the document that GetObjectRetention answers.
	object, err := s.client.StatObject(ctx, bucket, key, minio.StatObjectOptions{VersionID: versionID})
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask for the lock of an object of %s: %w", bucket, err)
	}
	if object.Metadata.Get("X-Amz-Object-Lock-Mode") != string(minio.Governance) {
		return false, nil
	}
	until, err := time.Parse(time.RFC3339, object.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	if err != nil {
		return false, fmt.Errorf("ask for the lock of an object of %s: %w", bucket, err)
	}
	return until.After(s.now()), nil
}

// missing reports whether a store says that there is no such thing: no object, no
// tags, no lock.
func missing(err error) bool {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.Code {
	case "NoSuchKey", "NoSuchVersion", "NoSuchBucket", "NoSuchTagSet":
		return true
	case "MethodNotAllowed": // of a marker that something was deleted
		return answer.StatusCode == http.StatusMethodNotAllowed
	}
	return answer.StatusCode == http.StatusNotFound
}

// ReadXML reads a document whose root element is called root. The error is an
// *apierror.Error.
func ReadXML(body []byte, root string, into any) error { return parseDocument(body, root, into) }

// TaggedBody reports whether the body of the request has tags.
func (r *Request) TaggedBody() bool { return len(r.facts["tag-keys"]) > 0 }

// Subject returns what a need is about that depends on the state of the store:
// for a tag of the source of a copy, the source.
func (r *Request) Subject(n *Need) (bucket, key, versionID string) {
	if n.If == operation.SourceTagged {
		return r.Source.Bucket, r.Source.Key, r.Source.VersionID
	}
	return n.Bucket, n.Key, n.VersionID
}
