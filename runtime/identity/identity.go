// Package identity keeps the entities of an IAM account: users, access keys,
// groups, policies, service accounts and what ties them together. It knows
// neither what a caller may do nor how a request looks; see packages authz
// and iam for those.
//
// # Keys
//
// A key is a tuple: the account id, a kind, and the parts that the kinds in
// keys.go name, joined by NUL. Entities and what belongs to them are keyed by
// unique id, names are an index, which holds the entity's record once more. So
// a rename touches few records, and an entity that is created under a former
// name inherits nothing.
//
// # Parents
//
// Every transaction that adds or removes something that belongs to a user, a
// group or a policy reads and writes that parent's [Children] record, and a
// deletion of the parent reads it. A backend need only check the keys that a
// transaction got, not the ranges that it scanned, for a deletion and an
// addition at the same time to be in conflict. Likewise, the methods that
// return a whole list (GroupsOf, InlinePolicies, AttachedPolicies, AccessKeys,
// PolicyVersions) get the parent's record and that of each item which can
// change by itself: a storage.Recorder sees every change of what they return.
//
// # Costs
//
// Each method says how many operations (calls of Put and Delete) it costs at
// most; the largest is DeleteUser at 6 + 3 for each of at most
// [MaxGroupsPerUser] groups, 126, which keeps below storage.MaxOperations.
package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"iamserver/runtime/storage"
)

// format is the version of the record format. It rises only when a program
// that knows an earlier one must not touch the data: a field that such a
// program may drop when it rewrites a record does not count.
const format = 1

// metaKey is the one key outside of the account: it says whose data this is.
// It sorts after every account id.
var metaKey = []byte("meta")

var (
	// ErrNotFound is returned for an entity that is not there.
	ErrNotFound = errors.New("identity: not found")
	// ErrExists is returned when a name or an access key id is taken.
	ErrExists = errors.New("identity: already exists")
	// ErrDeleteConflict is returned by a deletion that must be preceded by the
	// removal of something else; Children tells what that is.
	ErrDeleteConflict = errors.New("identity: in use")
	// ErrReadOnly is returned by the methods that write when the transaction
	// was made with NewReadTx or View.
	ErrReadOnly = errors.New("identity: transaction is read-only")
	// ErrCorrupt is returned for a record that cannot be read, or that refers
	// to another which is not there.
	ErrCorrupt = errors.New("identity: corrupt record")
	// ErrAccount is returned by Open when the data belongs to another account.
	ErrAccount = errors.New("identity: data belongs to another account")
	// ErrFormat is returned by Open when the data was written by a later
	// version of this program, or by another program.
	ErrFormat = errors.New("identity: unknown data format")
	// ErrSealer is returned by Open when the secrets in the store were sealed
	// with another keyset.
	ErrSealer = errors.New("identity: secrets are sealed with another keyset")
)

// A Sealer encrypts secrets for storage. Owner and access key id are
// authenticated with the secret, so that Open refuses what was sealed for
// another owner or id. A Sealer is safe for concurrent use.
type Sealer interface {
	// Seal encrypts a secret of at most 128 bytes.
	Seal(secret []byte, owner, accessKeyID string) ([]byte, error)
	// Open is the reverse of Seal with the same owner and access key id.
	Open(sealed []byte, owner, accessKeyID string) ([]byte, error)
}

// A Config says whose entities a DB holds and how their secrets are kept.
type Config struct {
	// Account is the account id, 12 digits.
	Account string
	// Sealer seals secret access keys. Without one, keys can be neither made
	// nor used, and Open does not check that the secrets can be opened.
	Sealer Sealer
	// Rand is what ids and secrets are made from; nil means crypto/rand. It is
	// read concurrently.
	Rand io.Reader
	// Now is the clock, which tells when the account is created; without one,
	// that is not known.
	Now func() time.Time
}

// A DB holds the entities of one account.
type DB struct {
	store  storage.Store
	config Config
}

// Open returns the entities of cfg.Account in store, which is either empty or
// was used for the same account before: else it returns an error that wraps
// ErrAccount, ErrFormat or ErrSealer.
func Open(ctx context.Context, store storage.Store, cfg Config) (*DB, error) {
	if !validAccount(cfg.Account) {
		return nil, fmt.Errorf("identity: account id %q is not 12 digits", cfg.Account)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	db := &DB{store: store, config: cfg}
	var current bool
	err := store.View(ctx, func(r storage.Reader) error {
		m, err := db.readMeta(r)
		current = m.format != 0 && (m.check != "" || cfg.Sealer == nil) && (!m.created.IsZero() || cfg.Now == nil)
		return err
	})
	if err == nil && !current {
		_, err = store.Update(ctx, db.writeMeta)
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

// View runs fn on a snapshot; what fn returns is returned as it is.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.store.View(ctx, func(r storage.Reader) error { return fn(db.NewReadTx(r)) })
}

// Update runs fn in a transaction and returns the revision that holds what it
// wrote. Like the function given to storage.Store.Update, fn may run more than
// once; its error discards the writes and is returned as it is.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) (storage.Revision, error) {
	return db.store.Update(ctx, func(w storage.Tx) error { return fn(db.NewTx(w)) })
}

// NewReadTx returns a transaction that reads from r, for callers that watch
// what is read; its methods that write return ErrReadOnly.
func (db *DB) NewReadTx(r storage.Reader) *Tx { return &Tx{db: db, reader: r} }

// NewTx returns a transaction that reads from and writes to w.
func (db *DB) NewTx(w storage.Tx) *Tx { return &Tx{db: db, reader: w, writer: w} }

// meta says whose data a store holds. Fields: 1 format, 2 account, 3 check, 4
// created.
type meta struct {
	format  uint32
	account string
	// check is a known text, sealed: what cannot open it cannot open secrets.
	check string
	// created is when the data was first opened with a clock.
	created time.Time
}

const checkText = "iamserver"

func (m *meta) encode() []byte {
	var e encoder
	e.number(1, uint64(m.format))
	e.text(2, m.account)
	e.text(3, m.check)
	e.time(4, m.created)
	return e
}

func (m *meta) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		switch d.field {
		case 1:
			m.format = d.uint32()
		case 2:
			m.account = d.string()
		case 3:
			m.check = d.string()
		case 4:
			m.created = d.time()
		}
	}
	return d.err
}

// readMeta returns the zero meta for an empty store, and an error if the
// store's data is not for db.
func (db *DB) readMeta(r storage.Reader) (meta, error) {
	var m meta
	value, ok, err := r.Get(metaKey)
	if err != nil {
		return m, fmt.Errorf("identity: read what the data is: %w", err)
	}
	if !ok {
		for _, err := range r.Scan(nil, nil, 1) {
			if err != nil {
				return m, fmt.Errorf("identity: read what the data is: %w", err)
			}
			return m, fmt.Errorf("%w: there is data that does not say whose it is", ErrFormat)
		}
		return m, nil
	}
	switch err := m.decode(string(value)); {
	case err != nil:
		return m, fmt.Errorf("%w: %w", ErrFormat, err)
	case m.format != format:
		return m, fmt.Errorf("%w: version %d, this program knows version %d", ErrFormat, m.format, format)
	case m.account != db.config.Account:
		return m, fmt.Errorf("%w: %s, not %s", ErrAccount, m.account, db.config.Account)
	}
	if m.check != "" && db.config.Sealer != nil {
		text, err := db.config.Sealer.Open([]byte(m.check), string(metaKey), m.account)
		if err != nil {
			return m, fmt.Errorf("%w: %w", ErrSealer, err)
		}
		if string(text) != checkText {
			return m, ErrSealer
		}
	}
	return m, nil
}

func (db *DB) writeMeta(w storage.Tx) error {
	m, err := db.readMeta(w)
	if err != nil {
		return err
	}
	m.format, m.account = format, db.config.Account
	if m.check == "" && db.config.Sealer != nil {
		check, err := db.config.Sealer.Seal([]byte(checkText), string(metaKey), m.account)
		if err != nil {
			return fmt.Errorf("identity: seal: %w", err)
		}
		m.check = string(check)
	}
	if m.created.IsZero() && db.config.Now != nil {
		m.created = second(db.config.Now())
	}
	return w.Put(metaKey, m.encode())
}

func validAccount(id string) bool {
	for _, c := range []byte(id) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(id) == 12
}
