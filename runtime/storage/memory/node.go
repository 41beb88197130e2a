package memory

import (
	"bytes"
	"hash/maphash"

	"iamserver/runtime/storage"
)

// A node is the root of a treap: keys rise from left to right, priorities from
// the leaves up. Priorities are hashes of the keys, which keeps the tree some
// 2·ln(n) deep whatever the order of insertion. Nodes never change; a write
// makes new ones along one path, and old roots stay as they were.
type node struct {
	record      storage.Record
	priority    uint64
	left, right *node
}

var seed = maphash.MakeSeed()

// put returns n with the record of r's key replaced by r.
func (n *node) put(r storage.Record) *node {
	before, after := n.split(r.Key)
	return join(join(before, &node{record: r, priority: maphash.Bytes(seed, r.Key)}), after)
}

// delete returns n without the record of key.
func (n *node) delete(key []byte) *node {
	before, after := n.split(key)
	return join(before, after)
}

// split returns the records of n before key and those after it, without that
// of key.
func (n *node) split(key []byte) (before, after *node) {
	if n == nil {
		return nil, nil
	}
	switch c := bytes.Compare(key, n.record.Key); {
	case c < 0:
		before, after = n.left.split(key)
		return before, &node{n.record, n.priority, after, n.right}
	case c > 0:
		before, after = n.right.split(key)
		return &node{n.record, n.priority, n.left, before}, after
	default:
		return n.left, n.right
	}
}

// join returns the records of both; those of before sort before those of after.
func join(before, after *node) *node {
	switch {
	case before == nil:
		return after
	case after == nil:
		return before
	case before.priority > after.priority:
		return &node{before.record, before.priority, before.left, join(before.right, after)}
	default:
		return &node{after.record, after.priority, join(before, after.left), after.right}
	}
}

// ascend yields the records whose keys are not before from, in order, until
// yield returns false; it then does as well.
func (n *node) ascend(from []byte, yield func(storage.Record) bool) bool {
	if n == nil {
		return true
	}
	if bytes.Compare(n.record.Key, from) >= 0 && (!n.left.ascend(from, yield) || !yield(n.record)) {
		return false
	}
	return n.right.ascend(from, yield)
}
