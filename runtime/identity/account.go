package identity

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// AccountCreated returns when the account was created: when its data was first
// opened with a clock. It is zero if it never was.
func (tx *Tx) AccountCreated() (time.Time, error) {
	m, err := tx.db.readMeta(tx.reader)
	return m.created, err
}

// Alias returns the account's alias, or "" if it has none.
func (tx *Tx) Alias() (string, error) {
	alias, _, err := tx.get(tx.key(kindAlias))
	return alias, err
}

// SetAlias gives the account its one alias, or none if alias is empty. It
// costs 1 operation.
func (tx *Tx) SetAlias(alias string) error {
	if alias == "" {
		return tx.remove(tx.key(kindAlias))
	}
	return tx.put(tx.key(kindAlias), []byte(alias))
}

// Counts says how much an account holds.
type Counts struct {
	// Users, Groups and ServiceAccounts count those entities.
	Users, Groups, ServiceAccounts int
	// Policies counts customer managed policies, PolicyVersions all versions
	// of all of them.
	Policies, PolicyVersions int
}

const (
	countUsers           = "u"
	countGroups          = "g"
	countPolicies        = "p"
	countPolicyVersions  = "v"
	countServiceAccounts = "s"
)

// Each count is kept in 16 shards, so that transactions that create different
// entities seldom write the same record. An entity is counted in the shard
// that its id tells, which therefore never goes below zero.
const shards = "0123456789abcdef"

func shard(id string) string {
	i := id[len(id)-1] % byte(len(shards))
	return shards[i : i+1]
}

// shardCount is one shard of a count. Field 1 is the number.
type shardCount int

func (n *shardCount) encode() []byte {
	var e encoder
	e.number(1, uint64(*n))
	return e
}

func (n *shardCount) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		if d.field == 1 {
			*n = shardCount(d.count())
		}
	}
	return d.err
}

// addCount costs 1 operation.
func (tx *Tx) addCount(counter, id string, change int) error {
	key := tx.key(kindCounter, counter, shard(id))
	var n shardCount
	if err := tx.load(key, &n); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if n += shardCount(change); n < 0 {
		return fmt.Errorf("%w: more was removed than there was at %q", ErrCorrupt, key)
	}
	return tx.put(key, n.encode())
}

// Counts adds up the shards of every count.
func (tx *Tx) Counts() (Counts, error) {
	var c Counts
	of := map[string]*int{
		countUsers: &c.Users, countGroups: &c.Groups, countServiceAccounts: &c.ServiceAccounts,
		countPolicies: &c.Policies, countPolicyVersions: &c.PolicyVersions,
	}
	for e, err := range tx.scan(tx.prefix(kindCounter), "", 0) {
		if err != nil {
			return Counts{}, err
		}
		var n shardCount
		if err := n.decode(e.value); err != nil {
			return Counts{}, err
		}
		counter, _, _ := strings.Cut(e.position, separator)
		if sum := of[counter]; sum != nil { // a later version may count more
			*sum += int(n)
		}
	}
	return c, nil
}
