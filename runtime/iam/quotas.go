package iam

import (
	"strconv"

	"iamserver/runtime/apierror"
	"iamserver/runtime/identity"
)

// within returns the error of exceeding a quota if n is more than it; a quota
// of 0 is no limit.
func within(n, quota int, exceeded func(limit string) *apierror.Error) error {
	if quota > 0 && n > quota {
		return exceeded(strconv.Itoa(quota))
	}
	return nil
}

// withinAccount is within for a quota of the whole account, to be asked after
// the new entity is counted. Without a quota nothing is read, so that entities
// are created without conflict.
func (tx *Tx) withinAccount(count func(identity.Counts) int, quota int, exceeded func(limit string) *apierror.Error) error {
	if quota == 0 {
		return nil
	}
	counts, err := tx.Counts()
	if err != nil {
		return err
	}
	return within(count(counts), quota, exceeded)
}
