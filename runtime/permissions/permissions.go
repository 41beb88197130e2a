// Package permissions finds the policies that decide what a user, a group or a
// service account may do, and compiles them. It decides nothing (package policy
// does), and it does not know who is asking.
package permissions

import (
	"errors"
	"fmt"
	"sync"

	"iamserver/runtime/identity"
	"iamserver/runtime/policy"
)

// Managed are the managed policies of AWS, which are not stored.
type Managed interface {
	// InForce returns the document in force of the policy with an ARN, and the
	// name of its version; ok is false if there is no such policy.
	InForce(arn string) (document, version string, ok bool)
}

// A Compiler compiles what is stored. The versions of managed policies, which
// never change, are compiled once for all who have them.
type Compiler struct {
	vocabulary *policy.Vocabulary
	managed    Managed

	mu       sync.RWMutex
	versions map[string]*policy.Policy // guarded by mu; by policy id and version
	size     int                       // guarded by mu; characters of the documents of versions
}

// maxKept bounds the memory for versions of managed policies, in characters of
// their documents; compiled they take some ten times as much. When there are more,
// all are forgotten: that is rare, and costs a millisecond for each that is used.
const maxKept = 8 << 20

// NewCompiler returns a Compiler for requests whose actions are of a vocabulary.
// managed may be nil.
func NewCompiler(vocabulary *policy.Vocabulary, managed Managed) *Compiler {
	return &Compiler{vocabulary: vocabulary, managed: managed, versions: map[string]*policy.Policy{}}
}

// Vocabulary returns the vocabulary that the policies are compiled with.
func (c *Compiler) Vocabulary() *policy.Vocabulary { return c.vocabulary }

// Of returns the policies of a user: its own, those of its groups but not of
// disabled ones, and its permissions boundary; and with an account that is not
// nil, those that apply to this service account of the user. It gets, and so
// depends on, every record whose change could change the outcome.
func (c *Compiler) Of(tx *identity.Tx, user *identity.User, account *identity.ServiceAccount) (policy.Policies, error) {
	policies, err := c.OfUser(tx, user)
	if err != nil {
		return policy.Policies{}, err
	}
	p := policy.Policies{Identity: policy.NewSet(policies...)}
	if user.Boundary.ARN != "" {
		boundary, err := c.version(tx, user.Boundary)
		if err != nil {
			return policy.Policies{}, fmt.Errorf("permissions boundary of %s: %w", user.ID, err)
		}
		p.Boundary = policy.NewSet(boundary)
	}
	if account != nil && account.Policy != "" {
		p.ServiceAccount = policy.NewSet(c.compile(account.Policy, policy.InlinePolicy, policy.Source{ID: account.ID, Type: policy.SourceNone}))
	}
	return p, nil
}

// OfUser returns the policies of a user and its groups, but not of disabled ones.
func (c *Compiler) OfUser(tx *identity.Tx, user *identity.User) ([]*policy.Policy, error) {
	policies, err := c.owned(tx, user.ID, policy.SourceUser)
	if err != nil {
		return nil, err
	}
	groups, err := tx.GroupsOf(user.ID)
	if err != nil {
		return nil, err
	}
	for i := range groups {
		if groups[i].Disabled {
			continue
		}
		more, err := c.OfGroup(tx, &groups[i])
		if err != nil {
			return nil, err
		}
		policies = append(policies, more...)
	}
	return policies, nil
}

// OfGroup returns the policies of a group.
func (c *Compiler) OfGroup(tx *identity.Tx, group *identity.Group) ([]*policy.Policy, error) {
	return c.owned(tx, group.ID, policy.SourceGroup)
}

// OfBucket compiles the policy of a bucket, and says whether it is public. Users are
// those that it named when it was stored.
func (c *Compiler) OfBucket(b *identity.Bucket) (set *policy.Set, public bool) {
	source := policy.Source{ID: b.Name, Type: policy.SourceResource}
	document, err := policy.Parse(b.Policy)
	if err != nil {
		return policy.NewSet(policy.DenyAll(source)), false
	}
	ids := map[string]string{}
	for _, p := range b.Principals {
		ids[p.ARN] = p.ID
	}
	for i := range document.Statements {
		for _, element := range []*policy.Principals{document.Statements[i].Principal, document.Statements[i].NotPrincipal} {
			if element == nil {
				continue
			}
			for j, name := range element.AWS {
				if id, ok := ids[name]; ok {
					element.AWS[j] = id
				}
			}
		}
	}
	return policy.NewSet(c.vocabulary.Compile(document, policy.ResourcePolicy, source)), document.IsPublic()
}

// owned returns the inline and attached policies of a user or group.
func (c *Compiler) owned(tx *identity.Tx, ownerID string, owner policy.SourceType) ([]*policy.Policy, error) {
	var policies []*policy.Policy
	inline, err := tx.InlinePolicies(ownerID)
	if err != nil {
		return nil, fmt.Errorf("inline policies of %s: %w", ownerID, err)
	}
	for i := range inline {
		policies = append(policies, c.compile(inline[i].Document, policy.InlinePolicy, policy.Source{ID: inline[i].Name, Type: owner}))
	}
	attached, err := tx.AttachedPolicies(ownerID)
	if err != nil {
		return nil, fmt.Errorf("attached policies of %s: %w", ownerID, err)
	}
	for _, ref := range attached {
		p, err := c.version(tx, ref)
		if err != nil {
			return nil, fmt.Errorf("policy attached to %s: %w", ownerID, err)
		}
		policies = append(policies, p)
	}
	return policies, nil
}

var errNoManagedPolicy = errors.New("permissions: there is no such managed policy")

// version returns the version in force of a managed policy.
func (c *Compiler) version(tx *identity.Tx, ref identity.PolicyRef) (*policy.Policy, error) {
	if ref.OfAWS() {
		if c.managed != nil {
			if document, version, ok := c.managed.InForce(ref.ARN); ok {
				return c.kept(ref.ARN+" "+version, policy.Source{ID: ref.ARN, Type: policy.SourceAWSManaged}, func() (string, error) { return document, nil })
			}
		}
		return nil, fmt.Errorf("%w: %s", errNoManagedPolicy, ref.ARN)
	}
	number, err := tx.DefaultVersionNumber(ref.ID)
	switch {
	case errors.Is(err, identity.ErrNotFound):
		return nil, fmt.Errorf("%w: %s", errNoManagedPolicy, ref.ARN)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", ref.ARN, err)
	}
	return c.kept(fmt.Sprint(ref.ID, " ", number), policy.Source{ID: ref.ARN, Type: policy.SourceUserManaged}, func() (string, error) {
		v, err := tx.PolicyVersion(ref.ID, number)
		if err != nil {
			return "", fmt.Errorf("version %d of %s: %w", number, ref.ARN, err)
		}
		return v.Document, nil
	})
}

// kept returns the compiled version of a managed policy. Neither its id nor its
// number is ever used again, so that it is kept whatever happens.
func (c *Compiler) kept(version string, source policy.Source, document func() (string, error)) (*policy.Policy, error) {
	c.mu.RLock()
	p := c.versions[version]
	c.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	text, err := document()
	if err != nil {
		return nil, err
	}
	p = c.compile(text, policy.ManagedPolicy, source)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += len(text); c.size > maxKept {
		clear(c.versions)
		c.size = len(text)
	}
	c.versions[version] = p
	return p, nil
}

// compile compiles a stored document. One that cannot be read, which was never
// accepted as it is, might have denied anything.
func (c *Compiler) compile(document string, kind policy.Kind, source policy.Source) *policy.Policy {
	parsed, err := policy.Parse(document)
	if err != nil {
		return policy.DenyAll(source)
	}
	return c.vocabulary.Compile(parsed, kind, source)
}
