package identity

import (
	"errors"
	"fmt"
)

// Children counts what belongs to a user, a group or a policy. Every
// transaction that adds or removes such a thing, or replaces an inline policy,
// writes the record, and version makes it a different one each time.
//
// Fields: 1 version, 2 access keys, 3 groups, 4 service accounts, 5 inline
// policies, 6 attached policies, 7 members, 8 attachments, 9 boundaries.
type Children struct {
	version uint64
	// AccessKeys is how many access keys a user has.
	AccessKeys int
	// Groups is how many groups a user is in.
	Groups int
	// ServiceAccounts is how many service accounts a user has.
	ServiceAccounts int
	// InlinePolicies is how many policies are embedded in a user or group.
	InlinePolicies int
	// AttachedPolicies is how many managed policies a user or group has.
	AttachedPolicies int
	// Members is how many users are in a group.
	Members int
	// Attachments is how many users and groups a policy is attached to.
	Attachments int
	// Boundaries is how many users a policy is the permissions boundary of.
	Boundaries int
}

func (c *Children) encode() []byte {
	var e encoder
	e.number(1, c.version)
	for i, n := range c.counts() {
		e.number(uint64(i)+2, uint64(*n))
	}
	return e
}

func (c *Children) decode(record string) error {
	counts := c.counts()
	d := decoder{rest: record}
	for d.next() {
		switch {
		case d.field == 1:
			c.version = d.number()
		case d.field-2 < uint64(len(counts)):
			*counts[d.field-2] = d.count()
		}
	}
	return d.err
}

// counts are the counts in the order of their fields.
func (c *Children) counts() [8]*int {
	return [...]*int{
		&c.AccessKeys, &c.Groups, &c.ServiceAccounts, &c.InlinePolicies,
		&c.AttachedPolicies, &c.Members, &c.Attachments, &c.Boundaries,
	}
}

// Children returns the counts of the user, group or policy with this id; they
// are all zero where there is no such entity. The id may be that of a policy
// of AWS, which is not itself stored.
func (tx *Tx) Children(id string) (Children, error) {
	var c Children
	err := tx.load(tx.key(kindChildren, id), &c)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return c, err
}

// changeChildren costs 1 operation. The entity must be there.
func (tx *Tx) changeChildren(id string, change func(*Children)) error {
	c, err := tx.Children(id)
	if err != nil {
		return err
	}
	change(&c)
	c.version++
	for _, n := range c.counts() {
		if *n < 0 {
			return fmt.Errorf("%w: more was removed from %s than it had", ErrCorrupt, id)
		}
	}
	return tx.put(tx.key(kindChildren, id), c.encode())
}
