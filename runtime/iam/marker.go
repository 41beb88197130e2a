package iam

import (
	"encoding/base64"

	"iamserver/generated/iamerr"
)

// A marker is where a list goes on: a position of package identity, which
// stays good when the entity at it goes or others come. It is opaque to
// callers, and in an alphabet that needs no escaping anywhere.

// markerOut returns the marker for a position, nil after the last page.
func markerOut(position string) *string {
	if position == "" {
		return nil
	}
	marker := base64.RawURLEncoding.EncodeToString([]byte(position))
	return &marker
}

// markerIn returns the position of a marker, "" for none.
func markerIn(marker *string) (position string, err error) {
	if marker == nil {
		return "", nil
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(*marker)
	if err != nil || len(decoded) == 0 {
		return "", iamerr.InvalidMarker()
	}
	return string(decoded), nil
}
