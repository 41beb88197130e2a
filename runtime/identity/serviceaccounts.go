package identity

import "time"

// A ServiceAccount is a credential with a name of its own that stands for a
// user, its parent.
//
// Fields: 1 parent, 2 access key id, 3 description, 4 policy, 5 status, 6
// created, 7 expires.
type ServiceAccount struct {
	// ID is sa:<the parent's name at creation>:<32 hexadecimal digits>.
	ID string
	// Parent is the id of a user.
	Parent string
	// AccessKeyID is ABIA and 16 characters of A-Z and 2-7, or what a plugin made.
	AccessKeyID string
	// Description may be empty.
	Description string
	// Policy is a policy document that narrows what the parent may do; none if
	// empty.
	Policy string
	// Status is Active or Inactive.
	Status Status
	// Created is when the service account was created.
	Created time.Time
	// Expires is when it stops working; never if zero.
	Expires time.Time
}

func (s *ServiceAccount) encode() []byte {
	var e encoder
	e.text(1, s.Parent)
	e.text(2, s.AccessKeyID)
	e.text(3, s.Description)
	e.text(4, s.Policy)
	e.text(5, string(s.Status))
	e.time(6, s.Created)
	e.time(7, s.Expires)
	return e
}

func (s *ServiceAccount) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			s.Parent = d.string()
		case 2:
			s.AccessKeyID = d.string()
		case 3:
			s.Description = d.string()
		case 4:
			s.Policy = d.string()
		case 5:
			s.Status = Status(d.string())
		case 6:
			s.Created = d.time()
		case 7:
			s.Expires = d.time()
		}
	}
	return d.err
}

// ServiceAccount returns the service account with this id, or ErrNotFound. It
// gets one record.
func (tx *Tx) ServiceAccount(id string) (*ServiceAccount, error) {
	s := &ServiceAccount{ID: id}
	if err := tx.load(tx.key(kindServiceAccount, id), s); err != nil {
		return nil, err
	}
	return s, nil
}

// CreateServiceAccount stores a new service account of the user s.Parent with
// its access key and returns the secret: the given one, or if that is empty 40
// random characters as for a user's key. It sets ID, and AccessKeyID and Status if
// they are empty, and cuts times to seconds. It returns ErrNotFound if there is no
// such user, and ErrExists if the access key id is taken. It costs 5 operations.
func (tx *Tx) CreateServiceAccount(s *ServiceAccount, secret Secret) (Secret, error) {
	parent, err := tx.UserByID(s.Parent)
	if err != nil {
		return "", err
	}
	unique, err := tx.randomHex(16)
	if err != nil {
		return "", err
	}
	s.ID = prefixService + parent.Name + ":" + unique
	s.Created, s.Expires = second(s.Created), second(s.Expires)
	if s.Status == "" {
		s.Status = Active
	}
	k := AccessKey{ID: s.AccessKeyID, Owner: s.ID, Created: s.Created}
	if secret, err = tx.putNewKey(&k, prefixServiceKey, secret); err != nil {
		return "", err
	}
	s.AccessKeyID = k.ID
	if err := tx.put(tx.key(kindServiceAccount, s.ID), s.encode()); err != nil {
		return "", err
	}
	if err := tx.put(tx.key(kindUserService, s.Parent, s.ID), nil); err != nil {
		return "", err
	}
	if err := tx.changeChildren(s.Parent, func(c *Children) { c.ServiceAccounts++ }); err != nil {
		return "", err
	}
	return secret, tx.addCount(countServiceAccounts, s.ID, 1)
}

// UpdateServiceAccount stores a service account that was read before and
// changed in Description, Policy, Status or Expires; its other fields stay as
// they are stored. It returns ErrNotFound if it is not there. It costs 1
// operation.
func (tx *Tx) UpdateServiceAccount(s *ServiceAccount) error {
	old, err := tx.ServiceAccount(s.ID)
	if err != nil {
		return err
	}
	s.Parent, s.AccessKeyID, s.Created = old.Parent, old.AccessKeyID, old.Created
	s.Expires = second(s.Expires)
	return tx.put(tx.key(kindServiceAccount, s.ID), s.encode())
}

// DeleteServiceAccount deletes a service account and its access key. It
// returns ErrNotFound if it is not there. It costs 6 operations.
func (tx *Tx) DeleteServiceAccount(id string) error {
	s, err := tx.ServiceAccount(id)
	if err != nil {
		return err
	}
	if err := tx.remove(
		tx.key(kindServiceAccount, id), tx.key(kindUserService, s.Parent, id),
		tx.key(kindAccessKey, s.AccessKeyID), tx.key(kindKeyLastUsed, s.AccessKeyID),
	); err != nil {
		return err
	}
	if err := tx.changeChildren(s.Parent, func(c *Children) { c.ServiceAccounts-- }); err != nil {
		return err
	}
	return tx.addCount(countServiceAccounts, id, -1)
}

// ServiceAccounts returns a page of the service accounts of a user, or if
// userID is empty of all users, by id.
func (tx *Tx) ServiceAccounts(userID, after string, limit int) (accounts []ServiceAccount, next string, err error) {
	prefix := tx.prefix(kindServiceAccount)
	if userID != "" {
		prefix = tx.prefix(kindUserService, userID)
	}
	return page(tx, prefix, after, limit, true, func(e entry) (ServiceAccount, bool, error) {
		s, err := tx.ServiceAccount(e.position)
		if err != nil {
			return ServiceAccount{}, false, dangling(err, e.position)
		}
		return *s, true, nil
	})
}
