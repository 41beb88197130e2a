package iam

import (
	"cmp"
	"slices"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/apierror"
	"iamserver/runtime/identity"
	"iamserver/runtime/managed"
)

// The policies that AWS manages are not stored, but what uses them is. The
// functions of this file show them as the account's own are.

// ownPolicy returns AWS's AccessDenied for the ARN of a policy that AWS manages,
// which nobody can change, whether there is one or not.
func ownPolicy(policyARN string) error {
	if managed.Is(policyARN) {
		return iamerr.PolicyOutsideAccount()
	}
	return nil
}

// managedRef is what users and groups refer to a policy of AWS by.
func managedRef(policyARN string) identity.PolicyRef {
	return identity.PolicyRef{ID: managed.ID(policyARN), ARN: policyARN}
}

// managedPolicy returns a policy of AWS, with what it is used for.
func (s *Service) managedPolicy(tx *Tx, policyARN string, missing func(policyARN string) *apierror.Error) (*identity.Policy, error) {
	m := s.config.Managed.Lookup(policyARN)
	if m == nil {
		return nil, missing(policyARN)
	}
	return tx.managed(m)
}

func (tx *Tx) managed(m *managed.Policy) (*identity.Policy, error) {
	uses, err := tx.Children(m.ID)
	return &identity.Policy{
		ID: m.ID, Name: m.Name, Path: m.Path, Description: m.Description, Created: m.Created, Updated: m.Updated,
		DefaultVersion: m.Version, Versions: 1, AttachmentCount: uses.Attachments, BoundaryCount: uses.Boundaries,
	}, err
}

// managedPolicies returns the policies of AWS that show lets through, by name
// without regard to case.
func (s *Service) managedPolicies(tx *Tx, show func(*identity.Policy) bool) ([]identity.Policy, error) {
	var all []identity.Policy
	for _, m := range s.config.Managed.All() {
		p, err := tx.managed(m)
		if err != nil {
			return nil, err
		}
		if show(p) {
			all = append(all, *p)
		}
	}
	return all, nil
}

// versionOf returns a version of a policy; those of AWS have only one.
func (s *Service) versionOf(tx *Tx, p *identity.Policy, number uint32) (*identity.PolicyVersion, error) {
	m := s.config.Managed.ByID(p.ID)
	if m == nil {
		return tx.PolicyVersion(p.ID, number)
	}
	if m.Version != number {
		return nil, identity.ErrNotFound
	}
	return managedVersion(m), nil
}

// versionsOf returns the versions of a policy, the newest first.
func (s *Service) versionsOf(tx *Tx, p *identity.Policy) ([]identity.PolicyVersion, error) {
	if m := s.config.Managed.ByID(p.ID); m != nil {
		return []identity.PolicyVersion{*managedVersion(m)}, nil
	}
	return tx.PolicyVersions(p.ID)
}

func managedVersion(m *managed.Policy) *identity.PolicyVersion {
	return &identity.PolicyVersion{Number: m.Version, Document: m.Document, Created: m.Updated, Default: true}
}

// policies returns a page of the policies of a scope by name without regard to
// case. Of two with the same name, that of the account comes first.
func (s *Service) policies(tx *Tx, scope string, filter identity.PolicyFilter, after string, limit int) (page []identity.Policy, next string, err error) {
	if scope != iamapi.PolicyScopeAWS {
		page, next, err = tx.Policies(filter, after, limit)
	}
	if err != nil || scope == iamapi.PolicyScopeLocal {
		return page, next, err
	}
	// What comes after the end of the account's page is for a later one.
	theirs, err := s.managedPolicies(tx, func(p *identity.Policy) bool {
		at := managedPosition(p)
		return filter.Shows(p) && at > after && (next == "" || at <= next)
	})
	if err != nil {
		return nil, "", err
	}
	page = append(page, theirs...)
	slices.SortFunc(page, func(a, b identity.Policy) int { return cmp.Compare(s.position(&a), s.position(&b)) })
	if len(page) > limit {
		page = page[:limit]
		next = s.position(&page[limit-1])
	}
	return page, next, nil
}

// position is where a policy stands in the list of all: its name without regard
// to case, as package identity has it for the account's own.
func (s *Service) position(p *identity.Policy) string {
	if s.config.Managed.ByID(p.ID) != nil {
		return managedPosition(p)
	}
	return strings.ToLower(p.Name)
}

// managedPosition comes after the policy of the account with the same name, and
// before any other.
func managedPosition(p *identity.Policy) string { return strings.ToLower(p.Name) + "\x00" }
