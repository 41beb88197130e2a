package identity

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxGroupsPerUser is the most groups that a user can be in, whatever quota
// is configured: DeleteUser costs 3 operations for each.
const MaxGroupsPerUser = 40

// A Group is an IAM group.
//
// Fields: 1 name, 2 path, 3 created, 4 disabled, 15 id.
type Group struct {
	// ID is AGPA and 17 characters of A-Z and 2-7; no two groups ever share it.
	ID string
	// Name is unique among the account's groups without regard to case.
	Name string
	// Path begins and ends with a slash.
	Path string
	// Created is when the group was created.
	Created time.Time
	// Disabled groups' policies do not count for their members.
	Disabled bool
}

func (g Group) position() string { return fold(g.Name) }

func (g *Group) encode() []byte {
	var e encoder
	e.text(1, g.Name)
	e.text(2, g.Path)
	e.time(3, g.Created)
	e.bool(4, g.Disabled)
	return e
}

func (g *Group) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			g.Name = d.string()
		case 2:
			g.Path = d.string()
		case 3:
			g.Created = d.time()
		case 4:
			g.Disabled = d.bool()
		case fieldID:
			g.ID = d.string()
		}
	}
	return d.err
}

// Group returns the group with this name in any case, or ErrNotFound. It gets
// one record.
func (tx *Tx) Group(name string) (*Group, error) {
	g := &Group{}
	if err := tx.load(tx.key(kindGroupName, fold(name)), g); err != nil {
		return nil, err
	}
	return g, nil
}

// GroupByID returns the group with this unique id, or ErrNotFound. It gets
// one record.
func (tx *Tx) GroupByID(id string) (*Group, error) {
	g := &Group{ID: id}
	if err := tx.load(tx.key(kindGroup, id), g); err != nil {
		return nil, err
	}
	return g, nil
}

// CreateGroup stores a new group: it sets ID and cuts Created to seconds. It
// returns ErrExists if the name is taken. It costs 3 operations.
func (tx *Tx) CreateGroup(g *Group) error {
	if err := tx.nameFree(kindGroupName, g.Name); err != nil {
		return err
	}
	id, err := tx.newID(kindGroup, prefixGroup, lengthID)
	if err != nil {
		return err
	}
	g.ID, g.Created = id, second(g.Created)
	if err := tx.putGroup(g); err != nil {
		return err
	}
	return tx.addCount(countGroups, id, 1)
}

// UpdateGroup stores a group that was read before and changed in anything but
// ID and Created: it returns ErrNotFound if there is no group with this ID,
// and ErrExists if the new name is another group's. It costs 2 operations, 1
// more for a new name.
func (tx *Tx) UpdateGroup(g *Group) error {
	old, err := tx.GroupByID(g.ID)
	if err != nil {
		return err
	}
	g.Created = old.Created
	if fold(old.Name) != fold(g.Name) {
		if err := tx.nameFree(kindGroupName, g.Name); err != nil {
			return err
		}
		if err := tx.remove(tx.key(kindGroupName, fold(old.Name))); err != nil {
			return err
		}
	}
	return tx.putGroup(g)
}

func (tx *Tx) putGroup(g *Group) error {
	return tx.putNamed(kindGroup, kindGroupName, g.ID, g.Name, g.Path, g.encode())
}

// DeleteGroup deletes a group. It returns ErrNotFound, or ErrDeleteConflict if
// the group has members, inline or attached policies. It costs 4 operations.
func (tx *Tx) DeleteGroup(id string) error {
	g, err := tx.GroupByID(id)
	if err != nil {
		return err
	}
	c, err := tx.Children(id)
	if err != nil {
		return err
	}
	if c.Members+c.InlinePolicies+c.AttachedPolicies > 0 {
		return ErrDeleteConflict
	}
	if err := tx.remove(tx.key(kindGroup, id), tx.key(kindGroupName, fold(g.Name)), tx.key(kindChildren, id)); err != nil {
		return err
	}
	return tx.addCount(countGroups, id, -1)
}

// Groups returns a page of the groups whose path begins with pathPrefix, by
// name without regard to case.
func (tx *Tx) Groups(pathPrefix, after string, limit int) (groups []Group, next string, err error) {
	return page(tx, tx.prefix(kindGroupName), after, limit, anyPath(pathPrefix), func(e entry) (g Group, ok bool, err error) {
		err = g.decode(e.value)
		return g, strings.HasPrefix(g.Path, pathPrefix), err
	})
}

// AddToGroup makes a user a member of a group, which it may be already. It
// returns ErrNotFound if either is not there. It costs 4 operations.
func (tx *Tx) AddToGroup(userID, groupID string) error {
	u, err := tx.UserByID(userID)
	if err != nil {
		return err
	}
	if _, err := tx.GroupByID(groupID); err != nil {
		return err
	}
	switch member, err := tx.InGroup(userID, groupID); {
	case err != nil:
		return err
	case member:
		return nil
	}
	switch c, err := tx.Children(userID); {
	case err != nil:
		return err
	case c.Groups >= MaxGroupsPerUser:
		return fmt.Errorf("identity: user %s is in %d groups, the most there can be", userID, c.Groups)
	}
	if err := tx.put(tx.key(kindUserGroup, userID, groupID), nil); err != nil {
		return err
	}
	if err := tx.put(tx.key(kindGroupMember, groupID, fold(u.Name)), []byte(userID)); err != nil {
		return err
	}
	if err := tx.changeChildren(groupID, func(c *Children) { c.Members++ }); err != nil {
		return err
	}
	return tx.changeChildren(userID, func(c *Children) { c.Groups++ })
}

// RemoveFromGroup ends a membership. It returns ErrNotFound if the user is not
// a member of the group. It costs 4 operations.
func (tx *Tx) RemoveFromGroup(userID, groupID string) error {
	switch member, err := tx.InGroup(userID, groupID); {
	case err != nil:
		return err
	case !member:
		return ErrNotFound
	}
	u, err := tx.UserByID(userID)
	if err != nil {
		return dangling(err, userID)
	}
	if err := tx.leave(u, groupID); err != nil {
		return err
	}
	return tx.changeChildren(userID, func(c *Children) { c.Groups-- })
}

// leave costs 3 operations and leaves the user's own Children as they are.
func (tx *Tx) leave(u *User, groupID string) error {
	if err := tx.remove(tx.key(kindUserGroup, u.ID, groupID), tx.key(kindGroupMember, groupID, fold(u.Name))); err != nil {
		return err
	}
	return tx.changeChildren(groupID, func(c *Children) { c.Members-- })
}

// renameMember keeps the members of the user's groups sorted by name.
func (tx *Tx) renameMember(userID, oldName, newName string) error {
	groups, err := tx.groupIDs(userID)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if err := tx.remove(tx.key(kindGroupMember, group, oldName)); err != nil {
			return err
		}
		if err := tx.put(tx.key(kindGroupMember, group, newName), []byte(userID)); err != nil {
			return err
		}
	}
	return nil
}

// InGroup reports whether a user is a member of a group.
func (tx *Tx) InGroup(userID, groupID string) (bool, error) {
	return tx.has(tx.key(kindUserGroup, userID, groupID))
}

// GroupsOf returns the groups that a user is in, disabled ones too, by name
// without regard to case.
func (tx *Tx) GroupsOf(userID string) ([]Group, error) {
	ids, err := tx.groupIDs(userID)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	groups := make([]Group, len(ids))
	for i, id := range ids {
		g, err := tx.GroupByID(id)
		if err != nil {
			return nil, dangling(err, id)
		}
		groups[i] = *g
	}
	slices.SortFunc(groups, func(a, b Group) int { return strings.Compare(a.position(), b.position()) })
	return groups, nil
}

func (tx *Tx) groupIDs(userID string) ([]string, error) {
	c, err := tx.Children(userID)
	if err != nil || c.Groups == 0 {
		return nil, err
	}
	return list(tx, tx.prefix(kindUserGroup, userID), func(e entry) (string, error) { return e.position, nil })
}

// Members returns a page of the users in a group, by name without regard to
// case.
func (tx *Tx) Members(groupID, after string, limit int) (members []User, next string, err error) {
	return page(tx, tx.prefix(kindGroupMember, groupID), after, limit, true, func(e entry) (User, bool, error) {
		u, err := tx.UserByID(e.value)
		if err != nil {
			return User{}, false, dangling(err, e.value)
		}
		return *u, true, nil
	})
}
