package identity

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Policy is a customer managed policy.
//
// Fields: 1 name, 2 path, 3 description, 4 created, 5 updated, 6 default
// version, 7 next version, 8 versions, 9 tags, 15 id.
type Policy struct {
	// ID is ANPA and 17 characters of A-Z and 2-7; no two policies ever share it.
	ID string
	// Name is unique among the account's policies without regard to case,
	// whatever the path.
	Name string
	// Path begins and ends with a slash. Neither it nor Name ever changes.
	Path string
	// Description is given at creation and never changes.
	Description string
	// Created is when the policy was created.
	Created time.Time
	// Updated is when the most recent version was created.
	Updated time.Time
	// DefaultVersion is the number of the version in force.
	DefaultVersion uint32
	// NextVersion is what the next version will be; numbers are never reused.
	NextVersion uint32
	// Versions is how many versions there are.
	Versions int
	// Tags are sorted by key.
	Tags []Tag
	// AttachmentCount is how many users and groups the policy is attached to.
	AttachmentCount int
	// BoundaryCount is how many users have it as their permissions boundary.
	BoundaryCount int
}

func (p *Policy) encode() []byte {
	var e encoder
	e.text(1, p.Name)
	e.text(2, p.Path)
	e.text(3, p.Description)
	e.time(4, p.Created)
	e.time(5, p.Updated)
	e.number(6, uint64(p.DefaultVersion))
	e.number(7, uint64(p.NextVersion))
	e.number(8, uint64(p.Versions))
	e.tags(9, p.Tags)
	return e
}

func (p *Policy) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			p.Name = d.string()
		case 2:
			p.Path = d.string()
		case 3:
			p.Description = d.string()
		case 4:
			p.Created = d.time()
		case 5:
			p.Updated = d.time()
		case 6:
			p.DefaultVersion = d.uint32()
		case 7:
			p.NextVersion = d.uint32()
		case 8:
			p.Versions = d.count()
		case 9:
			p.Tags = append(p.Tags, d.tag())
		case fieldID:
			p.ID = d.string()
		}
	}
	return d.err
}

// A PolicyVersion is one version of a managed policy.
//
// Fields: 1 document, 2 created.
type PolicyVersion struct {
	// Number is 1 for v1.
	Number uint32
	// Document is kept as it was given, byte for byte.
	Document string
	// Created is when the version was created.
	Created time.Time
	// Default tells the version in force.
	Default bool
}

// position sorts the newest first.
func (v PolicyVersion) position() string { return versionPosition(v.Number) }

func versionPosition(number uint32) string { return fmt.Sprintf("%08x", math.MaxUint32-number) }

func (v *PolicyVersion) encode() []byte {
	var e encoder
	e.text(1, v.Document)
	e.time(2, v.Created)
	return e
}

func (v *PolicyVersion) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			v.Document = d.string()
		case 2:
			v.Created = d.time()
		}
	}
	return d.err
}

// Policy returns the customer managed policy with this name in any case, or
// ErrNotFound. It gets two records.
func (tx *Tx) Policy(name string) (*Policy, error) {
	p := &Policy{}
	if err := tx.load(tx.key(kindPolicyName, fold(name)), p); err != nil {
		return nil, err
	}
	if err := tx.countUses(p); err != nil {
		return nil, err
	}
	return p, nil
}

// PolicyByID returns the customer managed policy with this unique id, or
// ErrNotFound. It gets two records.
func (tx *Tx) PolicyByID(id string) (*Policy, error) {
	p, err := tx.policy(id)
	if err != nil {
		return nil, err
	}
	if err := tx.countUses(p); err != nil {
		return nil, err
	}
	return p, nil
}

func (tx *Tx) countUses(p *Policy) error {
	c, err := tx.Children(p.ID)
	p.AttachmentCount, p.BoundaryCount = c.Attachments, c.Boundaries
	return err
}

// policy leaves out the counts of attachments and boundaries.
func (tx *Tx) policy(id string) (*Policy, error) {
	p := &Policy{ID: id}
	if err := tx.load(tx.key(kindPolicy, id), p); err != nil {
		return nil, err
	}
	return p, nil
}

func (tx *Tx) putPolicy(p *Policy) error {
	return tx.putNamed(kindPolicy, kindPolicyName, p.ID, p.Name, p.Path, p.encode())
}

// CreatePolicy stores a new policy with its first version: it sets ID, Updated
// and the numbers, cuts Created to seconds and sorts the tags. It returns
// ErrExists if the name is taken. It costs 5 operations.
func (tx *Tx) CreatePolicy(p *Policy, document string) error {
	if err := tx.nameFree(kindPolicyName, p.Name); err != nil {
		return err
	}
	id, err := tx.newID(kindPolicy, prefixPolicy, lengthID)
	if err != nil {
		return err
	}
	p.ID, p.NextVersion, p.Versions = id, 1, 0
	p.AttachmentCount, p.BoundaryCount = 0, 0
	p.Created = second(p.Created)
	sortTags(p.Tags)
	if _, err := tx.addVersion(p, document, p.Created, true); err != nil {
		return err
	}
	return tx.addCount(countPolicies, id, 1)
}

// SetPolicyTags replaces the tags of a policy. It returns ErrNotFound if there
// is no such policy. It costs 2 operations.
func (tx *Tx) SetPolicyTags(policyID string, tags []Tag) error {
	p, err := tx.policy(policyID)
	if err != nil {
		return err
	}
	sortTags(tags)
	p.Tags = tags
	return tx.putPolicy(p)
}

// CreatePolicyVersion stores a new version of a policy, which comes into force
// if setDefault is true. It returns ErrNotFound if there is no such policy. It
// costs 4 operations.
func (tx *Tx) CreatePolicyVersion(policyID, document string, created time.Time, setDefault bool) (*PolicyVersion, error) {
	p, err := tx.policy(policyID)
	if err != nil {
		return nil, err
	}
	return tx.addVersion(p, document, second(created), setDefault)
}

// addVersion stores p too; it costs 4 operations.
func (tx *Tx) addVersion(p *Policy, document string, created time.Time, setDefault bool) (*PolicyVersion, error) {
	v := &PolicyVersion{Number: p.NextVersion, Document: document, Created: created, Default: setDefault}
	p.NextVersion++
	p.Versions++
	p.Updated = created
	if setDefault {
		p.DefaultVersion = v.Number
	}
	if err := tx.putPolicy(p); err != nil {
		return nil, err
	}
	if err := tx.put(tx.key(kindPolicyVersion, p.ID, v.position()), v.encode()); err != nil {
		return nil, err
	}
	return v, tx.addCount(countPolicyVersions, p.ID, 1)
}

// SetDefaultPolicyVersion brings a version into force. It returns ErrNotFound
// if there is no such policy or version. It costs 2 operations.
func (tx *Tx) SetDefaultPolicyVersion(policyID string, number uint32) error {
	p, err := tx.policy(policyID)
	if err != nil {
		return err
	}
	switch there, err := tx.has(tx.key(kindPolicyVersion, policyID, versionPosition(number))); {
	case err != nil:
		return err
	case !there:
		return ErrNotFound
	}
	p.DefaultVersion = number
	return tx.putPolicy(p)
}

// DeletePolicyVersion deletes a version. It returns ErrNotFound if there is no
// such policy or version, and ErrDeleteConflict if it is the one in force. It
// costs 4 operations.
func (tx *Tx) DeletePolicyVersion(policyID string, number uint32) error {
	p, err := tx.policy(policyID)
	if err != nil {
		return err
	}
	key := tx.key(kindPolicyVersion, policyID, versionPosition(number))
	switch there, err := tx.has(key); {
	case err != nil:
		return err
	case !there:
		return ErrNotFound
	case p.DefaultVersion == number:
		return ErrDeleteConflict
	}
	p.Versions--
	if err := tx.putPolicy(p); err != nil {
		return err
	}
	if err := tx.remove(key); err != nil {
		return err
	}
	return tx.addCount(countPolicyVersions, policyID, -1)
}

// DeletePolicy deletes a policy and its last version. It returns ErrNotFound,
// or ErrDeleteConflict if the policy is attached, is a permissions boundary or
// has a version that is not in force. It costs 6 operations.
func (tx *Tx) DeletePolicy(id string) error {
	p, err := tx.PolicyByID(id)
	if err != nil {
		return err
	}
	if p.AttachmentCount+p.BoundaryCount > 0 || p.Versions > 1 {
		return ErrDeleteConflict
	}
	if err := tx.remove(
		tx.key(kindPolicy, id), tx.key(kindPolicyName, fold(p.Name)), tx.key(kindChildren, id),
		tx.key(kindPolicyVersion, id, versionPosition(p.DefaultVersion)),
	); err != nil {
		return err
	}
	if err := tx.addCount(countPolicyVersions, id, -1); err != nil {
		return err
	}
	return tx.addCount(countPolicies, id, -1)
}

// PolicyVersion returns a version of a policy, or ErrNotFound. It gets two
// records.
func (tx *Tx) PolicyVersion(policyID string, number uint32) (*PolicyVersion, error) {
	p, err := tx.policy(policyID)
	if err != nil {
		return nil, err
	}
	return tx.version(p, number)
}

func (tx *Tx) version(p *Policy, number uint32) (*PolicyVersion, error) {
	v := &PolicyVersion{Number: number, Default: number == p.DefaultVersion}
	if err := tx.load(tx.key(kindPolicyVersion, p.ID, v.position()), v); err != nil {
		return nil, err
	}
	return v, nil
}

// DefaultVersionNumber returns the number of the version of a policy that is in
// force, or ErrNotFound if there is no such policy. It gets one record.
func (tx *Tx) DefaultVersionNumber(policyID string) (uint32, error) {
	p, err := tx.policy(policyID)
	if err != nil {
		return 0, err
	}
	return p.DefaultVersion, nil
}

// DefaultVersion returns the version of a policy that is in force, or
// ErrNotFound if there is no such policy. It gets two records.
func (tx *Tx) DefaultVersion(policyID string) (*PolicyVersion, error) {
	p, err := tx.policy(policyID)
	if err != nil {
		return nil, err
	}
	v, err := tx.version(p, p.DefaultVersion)
	return v, dangling(err, policyID)
}

// PolicyVersions returns the versions of a policy, the newest first, or
// ErrNotFound if there is no such policy.
func (tx *Tx) PolicyVersions(policyID string) ([]PolicyVersion, error) {
	p, err := tx.policy(policyID)
	if err != nil {
		return nil, err
	}
	return list(tx, tx.prefix(kindPolicyVersion, policyID), func(e entry) (PolicyVersion, error) {
		inverted, err := strconv.ParseUint(e.position, 16, 32)
		if err != nil {
			return PolicyVersion{}, fmt.Errorf("%w: version %q of %s", ErrCorrupt, e.position, policyID)
		}
		v := PolicyVersion{Number: math.MaxUint32 - uint32(inverted)}
		v.Default = v.Number == p.DefaultVersion
		return v, v.decode(e.value)
	})
}

// A PolicyFilter says which policies a list shows; the zero filter shows all.
type PolicyFilter struct {
	// PathPrefix is what the path begins with; empty or "/" for any.
	PathPrefix string
	// OnlyAttached leaves out the policies that nothing uses the way that
	// Usage says: as a permissions policy if that is empty.
	OnlyAttached bool
	// Usage leaves out the policies that nothing uses in this way.
	Usage PolicyUsage
}

// Shows tells whether a list shows a policy, whose counts must be set.
func (f PolicyFilter) Shows(p *Policy) bool {
	if !strings.HasPrefix(p.Path, f.PathPrefix) {
		return false
	}
	switch f.Usage {
	case PermissionsBoundary:
		return p.BoundaryCount > 0
	case PermissionsPolicy:
		return p.AttachmentCount > 0
	default:
		return !f.OnlyAttached || p.AttachmentCount > 0
	}
}

// Policies returns a page of the customer managed policies that the filter
// shows, by name without regard to case.
func (tx *Tx) Policies(filter PolicyFilter, after string, limit int) (policies []Policy, next string, err error) {
	unfiltered := !filter.OnlyAttached && filter.Usage == "" && anyPath(filter.PathPrefix)
	return page(tx, tx.prefix(kindPolicyName), after, limit, unfiltered, func(e entry) (p Policy, ok bool, err error) {
		if err := p.decode(e.value); err != nil || !strings.HasPrefix(p.Path, filter.PathPrefix) {
			return p, false, err
		}
		err = tx.countUses(&p)
		return p, filter.Shows(&p), err
	})
}
