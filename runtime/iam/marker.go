package iam

import (
	"encoding/base64"
	"strings"

	"iamserver/generated/iamerr"
)

// A list is a kind of list, which its markers begin with: that of another list
// is refused, as on AWS, and not taken for a place in this one.
type list string

const (
	userList           list = "u"
	groupList          list = "g"
	memberList         list = "m" // users of a group
	membershipList     list = "n" // groups of a user
	policyList         list = "p"
	versionList        list = "v"
	attachmentList     list = "a" // managed policies of a user or group
	entityList         list = "e" // users and groups of a managed policy
	inlinePolicyList   list = "i"
	tagList            list = "t"
	accessKeyList      list = "k"
	serviceAccountList list = "s"
	detailList         list = "d"
	aliasList          list = "l"
	simulationList     list = "x" // actions of a simulation
)

// A marker is where a list goes on: a position of package identity, which
// stays good when the entity at it goes or others come. It is opaque to
// callers, and in an alphabet that needs no escaping anywhere.

// markerOut returns the marker for a position in a list, nil after the last page.
func markerOut(of list, position string) *string {
	if position == "" {
		return nil
	}
	marker := base64.RawURLEncoding.EncodeToString([]byte(string(of) + position))
	return &marker
}

// markerIn returns the position of a marker of a list, "" for none.
func markerIn(of list, marker *string) (position string, err error) {
	if marker == nil {
		return "", nil
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(*marker)
	position, ok := strings.CutPrefix(string(decoded), string(of))
	if err != nil || !ok || position == "" {
		return "", iamerr.InvalidMarker()
	}
	return position, nil
}
