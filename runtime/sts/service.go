// Package sts carries out the actions of the Security Token Service API. It
// issues no temporary credentials yet: it tells callers who they are.
package sts

import (
	"iamserver/generated/stsapi"
	"iamserver/runtime/authz"
)

// A Tx is what a handler runs in: who called.
type Tx struct {
	// Caller is who signed the request, never nil.
	Caller *authz.Principal
}

// A Service implements stsapi.Handler.
type Service struct{}

var _ stsapi.Handler[Tx] = Service{}

// GetCallerIdentity answers whoever could sign a request; no policy can deny it
// (STS API reference, GetCallerIdentity).
func (Service) GetCallerIdentity(tx Tx, _ *stsapi.GetCallerIdentityRequest) (*stsapi.GetCallerIdentityResponse, error) {
	caller := tx.Caller
	return &stsapi.GetCallerIdentityResponse{UserId: &caller.ID, Account: &caller.Account, Arn: &caller.ARN}, nil
}
