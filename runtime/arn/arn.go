// Package arn reads and writes Amazon Resource Names and knows the forms of
// IAM's own. It does not know whether what they name exists, nor does it match
// the patterns that policies hold; see package policy for those.
package arn

import (
	"errors"
	"fmt"
	"strings"
)

// maxLength is the greatest length of an ARN that IAM accepts, in bytes.
const maxLength = 2048

// ErrMalformed is what every error of this package wraps.
var ErrMalformed = errors.New("malformed ARN")

// An ARN is an Amazon Resource Name taken apart:
// arn:Partition:Service:Region:Account:Resource. Region and Account may be
// empty (an S3 bucket has neither); Resource may hold colons, the others may
// not.
type ARN struct {
	Partition string
	Service   string
	Region    string
	Account   string
	Resource  string
}

// Parse takes s apart at its first five colons. It returns an error that wraps
// ErrMalformed if s is longer than 2,048 bytes, has fewer than six parts, does
// not begin with "arn", or has an empty partition, service or resource. The
// parts share the memory of s.
func Parse(s string) (ARN, error) {
	if len(s) > maxLength {
		return ARN{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxLength)
	}
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return ARN{}, fmt.Errorf("%w: it does not begin with arn", ErrMalformed)
	}
	var a ARN
	for _, part := range [...]*string{&a.Partition, &a.Service, &a.Region, &a.Account} {
		if *part, rest, ok = strings.Cut(rest, ":"); !ok {
			return ARN{}, fmt.Errorf("%w: fewer than six parts", ErrMalformed)
		}
	}
	a.Resource = rest
	if a.Partition == "" || a.Service == "" || a.Resource == "" {
		return ARN{}, fmt.Errorf("%w: its partition, service or resource is empty", ErrMalformed)
	}
	return a, nil
}

// String puts a together again: Parse(a.String()) is a, if a came from Parse.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}
