package identity

import (
	"strings"
	"time"
)

// A User is an IAM user.
//
// Fields: 1 name, 2 path, 3 created, 4 tags, 5 boundary, 6 disabled, 7
// password last used, 15 id.
type User struct {
	// ID is AIDA and 17 characters of A-Z and 2-7; no two users ever share it.
	ID string
	// Name is unique in the account without regard to case.
	Name string
	// Path begins and ends with a slash.
	Path string
	// Created has a precision of seconds and is in UTC, as every time here.
	Created time.Time
	// Tags are sorted by key.
	Tags []Tag
	// Boundary is the permissions boundary; the zero value means none.
	Boundary PolicyRef
	// Disabled users' keys and service accounts do not work.
	Disabled bool
	// PasswordLastUsed is zero if a password was never used.
	PasswordLastUsed time.Time
}

func (u *User) encode() []byte {
	e := make(encoder, 0, 64+len(u.Name)+len(u.Path))
	e.text(1, u.Name)
	e.text(2, u.Path)
	e.time(3, u.Created)
	e.tags(4, u.Tags)
	e.policy(5, u.Boundary)
	e.bool(6, u.Disabled)
	e.time(7, u.PasswordLastUsed)
	return e
}

func (u *User) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			u.Name = d.string()
		case 2:
			u.Path = d.string()
		case 3:
			u.Created = d.time()
		case 4:
			u.Tags = append(u.Tags, d.tag())
		case 5:
			u.Boundary = d.policy()
		case 6:
			u.Disabled = d.bool()
		case 7:
			u.PasswordLastUsed = d.time()
		case fieldID:
			u.ID = d.string()
		}
	}
	return d.err
}

// User returns the user with this name in any case, or ErrNotFound. It gets
// one record. Where nothing can be written, asking again returns the same
// *User, which must not be changed.
func (tx *Tx) User(name string) (*User, error) {
	name = fold(name)
	if tx.latest != nil && name == tx.latestName {
		return tx.latest, nil
	}
	u := &User{}
	if err := tx.load(tx.key(kindUserName, name), u); err != nil {
		return nil, err
	}
	if tx.writer == nil {
		tx.latest, tx.latestName = u, name
	}
	return u, nil
}

// UserByID returns the user with this unique id, or ErrNotFound. It gets one
// record.
func (tx *Tx) UserByID(id string) (*User, error) {
	u := &User{ID: id}
	if err := tx.load(tx.key(kindUser, id), u); err != nil {
		return nil, err
	}
	return u, nil
}

// CreateUser stores a new user: it sets ID, cuts times to seconds and sorts
// the tags. It returns ErrExists if the name is taken, and ErrNotFound if
// there is no policy Boundary. It costs 3 operations, 5 with a boundary.
func (tx *Tx) CreateUser(u *User) error {
	if err := tx.nameFree(kindUserName, u.Name); err != nil {
		return err
	}
	id, err := tx.newID(kindUser, prefixUser, lengthID)
	if err != nil {
		return err
	}
	u.ID = id
	if err := tx.changeBoundary(u.ID, PolicyRef{}, u.Boundary); err != nil {
		return err
	}
	if err := tx.putUser(u); err != nil {
		return err
	}
	return tx.addCount(countUsers, u.ID, 1)
}

// UpdateUser stores a user that was read before and changed in anything but
// ID and Created: it returns ErrNotFound if there is no user with this ID or
// no policy that a new Boundary names, and ErrExists if the new name is
// another user's. It costs 2 operations, 1 more for a new name and 2 for each
// group that the user is in then, 4 for a new boundary.
func (tx *Tx) UpdateUser(u *User) error {
	old, err := tx.UserByID(u.ID)
	if err != nil {
		return err
	}
	u.Created = old.Created
	oldName, newName := fold(old.Name), fold(u.Name)
	if oldName != newName {
		if err := tx.nameFree(kindUserName, u.Name); err != nil {
			return err
		}
	}
	if err := tx.changeBoundary(u.ID, old.Boundary, u.Boundary); err != nil {
		return err
	}
	if oldName != newName {
		if err := tx.remove(tx.key(kindUserName, oldName)); err != nil {
			return err
		}
		if err := tx.renameMember(u.ID, oldName, newName); err != nil {
			return err
		}
	}
	return tx.putUser(u)
}

func (tx *Tx) putUser(u *User) error {
	u.Created, u.PasswordLastUsed = second(u.Created), second(u.PasswordLastUsed)
	sortTags(u.Tags)
	return tx.putNamed(kindUser, kindUserName, u.ID, u.Name, u.Path, u.encode())
}

// DeleteUser deletes a user and ends its memberships. It returns ErrNotFound,
// or ErrDeleteConflict if the user has access keys, service accounts, inline
// or attached policies. It costs 6 operations and 3 for each group.
func (tx *Tx) DeleteUser(id string) error {
	u, err := tx.UserByID(id)
	if err != nil {
		return err
	}
	c, err := tx.Children(id)
	if err != nil {
		return err
	}
	if c.AccessKeys+c.ServiceAccounts+c.InlinePolicies+c.AttachedPolicies > 0 {
		return ErrDeleteConflict
	}
	groups, err := tx.groupIDs(id)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if err := tx.leave(u, group); err != nil {
			return err
		}
	}
	if err := tx.changeBoundary(id, u.Boundary, PolicyRef{}); err != nil {
		return err
	}
	if err := tx.remove(tx.key(kindUser, id), tx.key(kindUserName, fold(u.Name)), tx.key(kindChildren, id)); err != nil {
		return err
	}
	return tx.addCount(countUsers, id, -1)
}

// Users returns a page of the users whose path begins with pathPrefix, by
// name without regard to case.
func (tx *Tx) Users(pathPrefix, after string, limit int) (users []User, next string, err error) {
	return page(tx, tx.prefix(kindUserName), after, limit, anyPath(pathPrefix), func(e entry) (u User, ok bool, err error) {
		err = u.decode(e.value)
		return u, strings.HasPrefix(u.Path, pathPrefix), err
	})
}
