package iam

import (
	"slices"
	"strings"

	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
	"iamserver/runtime/identity"
)

// Keys of the tags of users are the same if they differ only in case, those of
// policies are not (IAM user guide, "Tags for AWS Identity and Access
// Management resources"). The functions below are told with same.
var (
	sameUserTag   = strings.EqualFold
	samePolicyTag = func(a, b string) bool { return a == b }
)

// reservedTagPrefix begins, in any case, the keys that only AWS may set.
const reservedTagPrefix = "aws:"

// setTags returns an entity's tags with those of a request, each in place of
// the one whose key is the same: its key is then shown as the request has it.
func setTags(tags []identity.Tag, set []iamapi.Tag, same func(a, b string) bool) ([]identity.Tag, error) {
	tags = slices.Clone(tags)
	for _, t := range set {
		if len(t.Key) >= len(reservedTagPrefix) && strings.EqualFold(t.Key[:len(reservedTagPrefix)], reservedTagPrefix) {
			return nil, iamerr.ReservedTagKey()
		}
		tag := identity.Tag{Key: t.Key, Value: t.Value}
		if i := slices.IndexFunc(tags, func(has identity.Tag) bool { return same(has.Key, t.Key) }); i >= 0 {
			tags[i] = tag
		} else {
			tags = append(tags, tag)
		}
	}
	if len(tags) > iamapi.MaxTagList {
		return nil, iamerr.TagsExceeded()
	}
	return tags, nil
}

// unsetTags returns an entity's tags without those that have one of the keys.
func unsetTags(tags []identity.Tag, keys []string, same func(a, b string) bool) []identity.Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(has identity.Tag) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return same(has.Key, key) })
	})
}
