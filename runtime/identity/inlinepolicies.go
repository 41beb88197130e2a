package identity

import (
	"fmt"
	"strings"
)

// An InlinePolicy is a policy embedded in a user or group.
//
// Fields: 1 document.
type InlinePolicy struct {
	// Name is unique in the user or group. Unlike the names of entities it is
	// distinguished by case (IAM user guide, "IAM name requirements").
	Name string
	// Document is kept as it was given, byte for byte.
	Document string
}

func (p InlinePolicy) position() string { return fold(p.Name) + separator + p.Name }

func (p *InlinePolicy) encode() []byte {
	var e encoder
	e.text(1, p.Document)
	return e
}

func (p *InlinePolicy) decode(record string) error {
	d := decoder{rest: record}
	for d.next() {
		if d.field == 1 {
			p.Document = d.string()
		}
	}
	return d.err
}

func (tx *Tx) inlineKey(ownerID, name string) []byte {
	return tx.key(kindInlinePolicy, ownerID, fold(name), name)
}

// InlinePolicy returns an inline policy of a user or group, or ErrNotFound. It
// gets one record.
func (tx *Tx) InlinePolicy(ownerID, name string) (*InlinePolicy, error) {
	p := &InlinePolicy{Name: name}
	if err := tx.load(tx.inlineKey(ownerID, name), p); err != nil {
		return nil, err
	}
	return p, nil
}

// InlinePolicies returns the inline policies of a user or group, by name
// without regard to case.
func (tx *Tx) InlinePolicies(ownerID string) ([]InlinePolicy, error) {
	c, err := tx.Children(ownerID)
	if err != nil || c.InlinePolicies == 0 {
		return nil, err
	}
	return list(tx, tx.prefix(kindInlinePolicy, ownerID), func(e entry) (InlinePolicy, error) {
		_, name, ok := strings.Cut(e.position, separator)
		if !ok {
			return InlinePolicy{}, fmt.Errorf("%w: inline policy %q", ErrCorrupt, e.position)
		}
		p := InlinePolicy{Name: name}
		return p, p.decode(e.value)
	})
}

// PutInlinePolicy embeds a policy in a user or group, in place of one that has
// the name. It returns ErrNotFound if there is no such user or group. It costs
// 2 operations.
func (tx *Tx) PutInlinePolicy(ownerID string, p InlinePolicy) error {
	if _, err := tx.typeOf(ownerID); err != nil {
		return err
	}
	key := tx.inlineKey(ownerID, p.Name)
	there, err := tx.has(key)
	if err != nil {
		return err
	}
	if err := tx.put(key, p.encode()); err != nil {
		return err
	}
	return tx.changeChildren(ownerID, func(c *Children) {
		if !there { // else only the version changes: InlinePolicies scans the documents
			c.InlinePolicies++
		}
	})
}

// DeleteInlinePolicy removes an inline policy from a user or group, or returns
// ErrNotFound. It costs 2 operations.
func (tx *Tx) DeleteInlinePolicy(ownerID, name string) error {
	key := tx.inlineKey(ownerID, name)
	switch there, err := tx.has(key); {
	case err != nil:
		return err
	case !there:
		return ErrNotFound
	}
	if err := tx.remove(key); err != nil {
		return err
	}
	return tx.changeChildren(ownerID, func(c *Children) { c.InlinePolicies-- })
}
