package identity

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Status says whether an access key or a service account works. Anything
// but Active does not.
type Status string

// The statuses, in AWS's words.
const (
	Active   Status = "Active"
	Inactive Status = "Inactive"
)

// An AccessKey is a long-term access key of a user or of a service account.
//
// Fields: 1 owner, 2 status, 3 created, 4 sealed secret.
type AccessKey struct {
	// ID is unique among the keys of users and service accounts: AKIA or ABIA
	// and 16 characters of A-Z and 2-7, or what a plugin or the user's caller gave.
	ID string
	// Owner is the id of a user or of a service account.
	Owner string
	// Status of a service account's key is always Active; the service
	// account's own counts.
	Status Status
	// Created is when the key was created.
	Created time.Time

	sealed string
}

func (k AccessKey) position() string { return k.ID }

func (k *AccessKey) encode() []byte {
	e := make(encoder, 0, 64+len(k.sealed))
	e.text(1, k.Owner)
	e.text(2, string(k.Status))
	e.time(3, k.Created)
	e.text(4, k.sealed)
	return e
}

func (k *AccessKey) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			k.Owner = d.string()
		case 2:
			k.Status = Status(d.string())
		case 3:
			k.Created = d.time()
		case 4:
			k.sealed = d.string()
		}
	}
	return d.err
}

// AccessKey returns the access key with this id, or ErrNotFound. It gets one
// record.
func (tx *Tx) AccessKey(id string) (*AccessKey, error) {
	k := &AccessKey{ID: id}
	if err := tx.load(tx.key(kindAccessKey, id), k); err != nil {
		return nil, err
	}
	return k, nil
}

// AccessKeyIDTaken reports whether a user or a service account has the access
// key with this id. It gets one record.
func (tx *Tx) AccessKeyIDTaken(id string) (bool, error) { return tx.has(tx.key(kindAccessKey, id)) }

// AccessKeys returns the access keys of a user, by id, but not those of its
// service accounts.
func (tx *Tx) AccessKeys(userID string) ([]AccessKey, error) {
	c, err := tx.Children(userID)
	if err != nil || c.AccessKeys == 0 {
		return nil, err
	}
	return list(tx, tx.prefix(kindUserKey, userID), func(e entry) (AccessKey, error) {
		k, err := tx.AccessKey(e.position)
		if err != nil {
			return AccessKey{}, dangling(err, e.position)
		}
		return *k, nil
	})
}

// CreateAccessKey stores a new access key of the user k.Owner and returns its
// secret: the given one, or if that is empty 40 random characters of A-Z, a-z,
// 0-9, + and /. It sets ID if that is empty, Status if that is, and cuts
// Created to seconds. It returns ErrNotFound if there is no such user, and
// ErrExists if the id is taken. It costs 3 operations.
func (tx *Tx) CreateAccessKey(k *AccessKey, secret Secret) (Secret, error) {
	if _, err := tx.UserByID(k.Owner); err != nil {
		return "", err
	}
	secret, err := tx.putNewKey(k, prefixAccessKey, secret)
	if err != nil {
		return "", err
	}
	if err := tx.put(tx.key(kindUserKey, k.Owner, k.ID), nil); err != nil {
		return "", err
	}
	return secret, tx.changeChildren(k.Owner, func(c *Children) { c.AccessKeys++ })
}

// putNewKey costs 1 operation.
func (tx *Tx) putNewKey(k *AccessKey, prefix string, secret Secret) (Secret, error) {
	if k.ID == "" {
		id, err := tx.newID(kindAccessKey, prefix, lengthKeyID)
		if err != nil {
			return "", err
		}
		k.ID = id
	} else if taken, err := tx.AccessKeyIDTaken(k.ID); err != nil {
		return "", err
	} else if taken {
		return "", ErrExists
	}
	if secret == "" {
		s, err := tx.random(alphabetSecret, lengthSecret)
		if err != nil {
			return "", err
		}
		secret = Secret(s)
	}
	sealer := tx.db.config.Sealer
	if sealer == nil {
		return "", errNoSealer
	}
	sealed, err := sealer.Seal([]byte(secret), k.Owner, k.ID)
	if err != nil {
		return "", fmt.Errorf("identity: seal the secret of %s: %w", k.ID, err)
	}
	k.Created, k.sealed = second(k.Created), string(sealed)
	if k.Status == "" {
		k.Status = Active
	}
	return secret, tx.put(tx.key(kindAccessKey, k.ID), k.encode())
}

var errNoSealer = errors.New("identity: there is nothing to seal secrets with")

// userKey returns an access key, or ErrNotFound if it is not the user's own.
func (tx *Tx) userKey(userID, id string) (*AccessKey, error) {
	k, err := tx.AccessKey(id)
	if err == nil && k.Owner != userID {
		err = ErrNotFound
	}
	return k, err
}

// SetAccessKeyStatus changes the status of a user's access key. It returns
// ErrNotFound if the user has no such key. It costs 1 operation.
func (tx *Tx) SetAccessKeyStatus(userID, id string, status Status) error {
	k, err := tx.userKey(userID, id)
	if err != nil {
		return err
	}
	k.Status = status
	return tx.put(tx.key(kindAccessKey, id), k.encode())
}

// DeleteAccessKey deletes a user's access key. It returns ErrNotFound if the
// user has no such key. It costs 4 operations.
func (tx *Tx) DeleteAccessKey(userID, id string) error {
	if _, err := tx.userKey(userID, id); err != nil {
		return err
	}
	if err := tx.remove(tx.key(kindAccessKey, id), tx.key(kindKeyLastUsed, id), tx.key(kindUserKey, userID, id)); err != nil {
		return err
	}
	return tx.changeChildren(userID, func(c *Children) { c.AccessKeys-- })
}

// LastUsed says what an access key was last used for.
//
// Fields: 1 time, 2 service, 3 region.
type LastUsed struct {
	// Time is zero if the key was never used.
	Time time.Time
	// Service and Region are those of the credential scope.
	Service, Region string
}

func (l *LastUsed) encode() []byte {
	var e encoder
	e.time(1, l.Time)
	e.text(2, l.Service)
	e.text(3, l.Region)
	return e
}

func (l *LastUsed) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			l.Time = d.time()
		case 2:
			l.Service = d.string()
		case 3:
			l.Region = d.string()
		}
	}
	return d.err
}

// KeyLastUsed returns what the access key with this id was last used for; the
// zero LastUsed if it never was.
func (tx *Tx) KeyLastUsed(id string) (LastUsed, error) {
	var l LastUsed
	err := tx.load(tx.key(kindKeyLastUsed, id), &l)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return l, err
}

// PutKeyLastUsed records a use of an access key, which may be some time ago:
// it does nothing if the key is gone or was created after the use, or if a
// later use is recorded. It costs 1 operation, so that a transaction can
// record the uses of 128 keys.
func (tx *Tx) PutKeyLastUsed(id string, use LastUsed) error {
	use.Time = second(use.Time)
	k, err := tx.AccessKey(id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case use.Time.Before(k.Created):
		return nil
	}
	last, err := tx.KeyLastUsed(id)
	if err != nil || !use.Time.After(last.Time) {
		return err
	}
	return tx.put(tx.key(kindKeyLastUsed, id), use.encode())
}

// KeyOwner returns the user that the access key with this id stands for: its
// owner, or the parent of the service account that is; or ErrNotFound. It gets
// two records for a user's key, three for a service account's.
func (tx *Tx) KeyOwner(accessKeyID string) (*User, error) {
	k, err := tx.AccessKey(accessKeyID)
	if err != nil {
		return nil, err
	}
	_, user, err := tx.keyOwner(k)
	return user, err
}

// keyOwner returns nil for the service account of a user's own key.
func (tx *Tx) keyOwner(k *AccessKey) (account *ServiceAccount, user *User, err error) {
	userID := k.Owner
	if strings.HasPrefix(k.Owner, prefixService) {
		if account, err = tx.ServiceAccount(k.Owner); err != nil {
			return nil, nil, dangling(err, k.Owner)
		}
		userID = account.Parent
	}
	if user, err = tx.UserByID(userID); err != nil {
		return nil, nil, dangling(err, userID)
	}
	return account, user, nil
}

// A Credential is an access key with its secret and whom it stands for.
type Credential struct {
	// Key is the access key, in any status.
	Key AccessKey
	// Secret is the secret access key.
	Secret Secret
	// ServiceAccount is the key's owner, in any status, expired or not; nil if
	// the owner is a user.
	ServiceAccount *ServiceAccount
	// User is the key's owner or the parent of ServiceAccount, disabled or not.
	User *User
}

// Credential returns the credential of an access key id, or ErrNotFound. It
// only gets records: two for a user's key, three for a service account's.
func (tx *Tx) Credential(accessKeyID string) (*Credential, error) {
	k, err := tx.AccessKey(accessKeyID)
	if err != nil {
		return nil, err
	}
	c := &Credential{Key: *k}
	if c.ServiceAccount, c.User, err = tx.keyOwner(k); err != nil {
		return nil, err
	}
	sealer := tx.db.config.Sealer
	if sealer == nil {
		return nil, errNoSealer
	}
	secret, err := sealer.Open([]byte(k.sealed), k.Owner, k.ID)
	if err != nil {
		return nil, fmt.Errorf("identity: open the secret of %s: %w", k.ID, err)
	}
	c.Secret = Secret(secret)
	return c, nil
}
