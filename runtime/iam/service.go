// Package iam carries out the actions of the IAM API: each handler is the rule
// of one action on the entities of package identity. Who may call it, and how
// requests and answers look on the wire, is decided before and after.
package iam

import (
	"time"

	"iamserver/generated/iamapi"
	"iamserver/runtime/authz"
	"iamserver/runtime/identity"
	"iamserver/runtime/managed"
)

// A Tx is what a handler runs in: the transaction, and who called.
type Tx struct {
	*identity.Tx

	// Caller is who signed the request, never nil.
	Caller *authz.Principal
	// Key is what a Generator made for the request; nil if it was not asked.
	Key *Key
}

// A Config is what the actions depend on beside the transaction.
type Config struct {
	// Account is the account id, 12 digits.
	Account string
	// RootAccessKeyID is the access key id of root, whose key is configured and
	// not stored.
	RootAccessKeyID string
	// RootCreated is when the account was made: root's CreateDate.
	RootCreated time.Time
	// Quotas are the limits of the account.
	Quotas iamapi.Quotas
	// Managed are the policies that no request can change; nil means those that
	// come with the server.
	Managed *managed.Policies
	// Now is the clock.
	Now func() time.Time
	// LastUsed returns the latest use of an access key that is not yet stored;
	// ok is false where the stored one is the latest.
	LastUsed func(accessKeyID string) (use identity.LastUsed, ok bool)
	// Validator is asked about policy documents before they are stored; nil is none.
	Validator Validator
	// Generator makes access keys in place of the server; nil is none.
	Generator Generator
}

// A Service implements iamapi.Handler.
type Service struct {
	config Config
}

var _ iamapi.Handler[*Tx] = (*Service)(nil)

// New returns the IAM API of an account.
func New(cfg Config) *Service {
	if cfg.Managed == nil {
		cfg.Managed = managed.BuiltIn()
	}
	return &Service{config: cfg}
}
