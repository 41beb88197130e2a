package identity

import (
	"errors"
	"fmt"
	"strings"
)

// A PolicyRef refers to a managed policy of the account or of AWS; policies of
// AWS are not stored, only what they are used for.
type PolicyRef struct {
	// ID is the policy's unique id.
	ID string
	// ARN ends with the policy's path and name, which never change.
	ARN string
}

// Name returns the policy's name.
func (r PolicyRef) Name() string { return r.ARN[strings.LastIndexByte(r.ARN, '/')+1:] }

// Path returns the policy's path, which begins and ends with a slash.
func (r PolicyRef) Path() string {
	return strings.TrimSuffix(r.ARN[max(strings.IndexByte(r.ARN, '/'), 0):], r.Name())
}

// OfAWS tells AWS's own policies: arn:aws:iam::aws:policy/….
func (r PolicyRef) OfAWS() bool {
	fields := strings.SplitN(r.ARN, ":", 6)
	return len(fields) == 6 && fields[4] == "aws"
}

func (r PolicyRef) position() string { return fold(r.Name()) + separator + r.ID }

// A PolicyUsage is a way to use a managed policy; empty means any.
type PolicyUsage string

// The ways to use a managed policy, in AWS's words.
const (
	PermissionsPolicy   PolicyUsage = "PermissionsPolicy"
	PermissionsBoundary PolicyUsage = "PermissionsBoundary"
)

// An EntityType tells what kind of entity uses a managed policy; empty means any.
type EntityType string

// The types of entities, in AWS's words.
const (
	EntityGroup EntityType = "Group"
	EntityUser  EntityType = "User"
)

// typeOf returns the type of the user or group with this id, or ErrNotFound.
func (tx *Tx) typeOf(id string) (EntityType, error) {
	entity, kind := EntityUser, kindUser
	if strings.HasPrefix(id, prefixGroup) {
		entity, kind = EntityGroup, kindGroup
	}
	there, err := tx.has(tx.key(kind, id))
	if err == nil && !there {
		err = ErrNotFound
	}
	return entity, err
}

func (tx *Tx) attachedKey(ownerID string, ref PolicyRef) []byte {
	return tx.key(kindAttached, ownerID, fold(ref.Name()), ref.ID)
}

// Attached reports whether a managed policy is attached to a user or group.
func (tx *Tx) Attached(ownerID string, ref PolicyRef) (bool, error) {
	return tx.has(tx.attachedKey(ownerID, ref))
}

// Attach attaches a managed policy to a user or group, which it may be
// already. It returns ErrNotFound if there is no such user or group, or no
// such policy. It costs 4 operations.
func (tx *Tx) Attach(ownerID string, ref PolicyRef) error {
	entity, err := tx.typeOf(ownerID)
	if err != nil {
		return err
	}
	if attached, err := tx.Attached(ownerID, ref); err != nil || attached {
		return err
	}
	if err := tx.use(ref, entity, ownerID, PermissionsPolicy, true); err != nil {
		return err
	}
	if err := tx.put(tx.attachedKey(ownerID, ref), []byte(ref.ARN)); err != nil {
		return err
	}
	return tx.changeChildren(ownerID, func(c *Children) { c.AttachedPolicies++ })
}

// Detach ends an attachment, or returns ErrNotFound. It costs 4 operations.
func (tx *Tx) Detach(ownerID string, ref PolicyRef) error {
	switch attached, err := tx.Attached(ownerID, ref); {
	case err != nil:
		return err
	case !attached:
		return ErrNotFound
	}
	entity, err := tx.typeOf(ownerID)
	if err != nil {
		return dangling(err, ownerID)
	}
	if err := tx.remove(tx.attachedKey(ownerID, ref)); err != nil {
		return err
	}
	if err := tx.changeChildren(ownerID, func(c *Children) { c.AttachedPolicies-- }); err != nil {
		return err
	}
	return tx.use(ref, entity, ownerID, PermissionsPolicy, false)
}

// AttachedPolicies returns the managed policies that are attached to a user or
// group, by name without regard to case.
func (tx *Tx) AttachedPolicies(ownerID string) ([]PolicyRef, error) {
	c, err := tx.Children(ownerID)
	if err != nil || c.AttachedPolicies == 0 {
		return nil, err
	}
	return list(tx, tx.prefix(kindAttached, ownerID), func(e entry) (PolicyRef, error) {
		_, id, ok := strings.Cut(e.position, separator)
		if !ok {
			return PolicyRef{}, fmt.Errorf("%w: attachment %q", ErrCorrupt, e.position)
		}
		return PolicyRef{ID: id, ARN: e.value}, nil
	})
}

// changeBoundary costs 2 operations for each of old and new.
func (tx *Tx) changeBoundary(userID string, from, to PolicyRef) error {
	if from == to {
		return nil
	}
	if from != (PolicyRef{}) {
		if err := tx.use(from, EntityUser, userID, PermissionsBoundary, false); err != nil {
			return err
		}
	}
	if to != (PolicyRef{}) {
		return tx.use(to, EntityUser, userID, PermissionsBoundary, true)
	}
	return nil
}

// policyUse says what an entity uses a policy for; it has a record while it is
// either. Fields: 1 attached, 2 boundary.
type policyUse struct {
	attached, boundary bool
}

func (u *policyUse) encode() []byte {
	var e encoder
	e.bool(1, u.attached)
	e.bool(2, u.boundary)
	return e
}

func (u *policyUse) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			u.attached = d.bool()
		case 2:
			u.boundary = d.bool()
		}
	}
	return d.err
}

// use begins or ends a use of a policy, which must be a change. It returns
// ErrNotFound if there is no such policy. It costs 2 operations.
func (tx *Tx) use(ref PolicyRef, entity EntityType, entityID string, usage PolicyUsage, on bool) error {
	if on && !ref.OfAWS() {
		switch there, err := tx.has(tx.key(kindPolicy, ref.ID)); {
		case err != nil:
			return err
		case !there:
			return ErrNotFound
		}
	}
	var u policyUse
	key := tx.key(kindPolicyUse, ref.ID, string(entity), entityID)
	if err := tx.load(key, &u); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	change := 1
	if !on {
		change = -1
	}
	err := tx.changeChildren(ref.ID, func(c *Children) {
		if usage == PermissionsBoundary {
			u.boundary = on
			c.Boundaries += change
		} else {
			u.attached = on
			c.Attachments += change
		}
	})
	switch {
	case err != nil:
		return err
	case u == policyUse{}:
		return tx.remove(key)
	default:
		return tx.put(key, u.encode())
	}
}

// An Entity is a user or group that uses a managed policy.
type Entity struct {
	// Type tells which of the two it is.
	Type EntityType
	// ID is the entity's unique id.
	ID string
	// Name is the entity's name.
	Name string
}

// An EntityFilter says which entities a list shows; the zero filter shows all.
type EntityFilter struct {
	// Type is which type of entities to show.
	Type EntityType
	// PathPrefix is what the entity's path begins with; empty or "/" for any.
	PathPrefix string
	// Usage is what they use the policy for.
	Usage PolicyUsage
}

// Entities returns a page of the groups and then the users that use a managed
// policy, each by id, so that a rename of a user or group does not touch what
// it uses.
func (tx *Tx) Entities(policyID string, filter EntityFilter, after string, limit int) (entities []Entity, next string, err error) {
	unfiltered := filter.Type == "" && filter.Usage == "" && anyPath(filter.PathPrefix)
	return page(tx, tx.prefix(kindPolicyUse, policyID), after, limit, unfiltered, func(e entry) (Entity, bool, error) {
		var u policyUse
		if err := u.decode(e.value); err != nil {
			return Entity{}, false, err
		}
		typ, id, _ := strings.Cut(e.position, separator)
		switch {
		case filter.Type != "" && filter.Type != EntityType(typ),
			filter.Usage == PermissionsPolicy && !u.attached,
			filter.Usage == PermissionsBoundary && !u.boundary:
			return Entity{}, false, nil
		}
		name, path, err := tx.nameAndPath(EntityType(typ), id)
		return Entity{Type: EntityType(typ), ID: id, Name: name}, strings.HasPrefix(path, filter.PathPrefix), err
	})
}

func (tx *Tx) nameAndPath(entity EntityType, id string) (name, path string, err error) {
	switch entity {
	case EntityGroup:
		g, err := tx.GroupByID(id)
		if err != nil {
			return "", "", dangling(err, id)
		}
		return g.Name, g.Path, nil
	case EntityUser:
		u, err := tx.UserByID(id)
		if err != nil {
			return "", "", dangling(err, id)
		}
		return u.Name, u.Path, nil
	default:
		return "", "", fmt.Errorf("%w: entity type %q", ErrCorrupt, entity)
	}
}
