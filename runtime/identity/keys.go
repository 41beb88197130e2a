package identity

import "strings"

// The kinds of keys, each with the parts that follow it and what the record is.
// The kinds r, rn (roles), and others that begin with r, are kept for roles.
const (
	kindUser           = "u"  // user id: User
	kindUserName       = "un" // folded name: User
	kindGroup          = "g"  // group id: Group
	kindGroupName      = "gn" // folded name: Group
	kindPolicy         = "p"  // policy id: Policy
	kindPolicyName     = "pn" // folded name: Policy
	kindPolicyVersion  = "pv" // policy id, version position: PolicyVersion
	kindPolicyUse      = "pe" // policy id, EntityType, entity id: policyUse
	kindChildren       = "c"  // user, group or policy id: Children
	kindAccessKey      = "k"  // access key id: AccessKey
	kindKeyLastUsed    = "kl" // access key id: LastUsed
	kindUserKey        = "uk" // user id, access key id: nothing
	kindUserGroup      = "ug" // user id, group id: nothing
	kindGroupMember    = "gm" // group id, folded user name: user id
	kindInlinePolicy   = "i"  // user or group id, folded name, name: InlinePolicy
	kindAttached       = "at" // user or group id, folded policy name, policy id: ARN
	kindServiceAccount = "s"  // service account id: ServiceAccount
	kindUserService    = "us" // user id, service account id: nothing
	kindBucket         = "b"  // bucket name: Bucket
	kindUpload         = "bu" // bucket name, hash of the upload id: Upload
	kindCounter        = "n"  // counter, shard: count
	kindAlias          = "a"  // the account's alias
)

// maxPart is the longest part of a key in bytes. The longest that the API
// takes is 128; four of these stay below the 1,024 bytes of a storage key.
const maxPart = 200

// separator joins the parts of a key. No part contains it and it sorts before
// every other byte, so that keys sort as tuples do.
const separator = "\x00"

// key returns the key of a kind and its parts. It is nil if a part cannot be
// in a key: nothing is there to read, and nothing can be written.
func (tx *Tx) key(kind string, parts ...string) []byte {
	account := tx.db.config.Account
	n := len(account) + 1 + len(kind) + 1
	for _, part := range parts {
		if part == "" || len(part) > maxPart || strings.Contains(part, separator) {
			return nil
		}
		n += len(part) + 1
	}
	key := make([]byte, 0, n)
	key = append(key, account...)
	key = append(key, separator...)
	key = append(key, kind...)
	for _, part := range parts {
		key = append(key, separator...)
		key = append(key, part...)
	}
	return key
}

// prefix returns what the keys with these and further parts begin with, or nil.
func (tx *Tx) prefix(kind string, parts ...string) []byte {
	key := tx.key(kind, parts...)
	if key == nil {
		return nil
	}
	return append(key, separator...)
}
