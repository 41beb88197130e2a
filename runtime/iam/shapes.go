package iam

import (
	"time"

	"iamserver/generated/iamapi"
	"iamserver/runtime/arn"
	"iamserver/runtime/identity"
)

// The functions of this file show entities in the shapes of the API with all
// that is known of them. What an answer leaves out, the specification says.

func (s *Service) userOut(u *identity.User) iamapi.User {
	return iamapi.User{
		Path:                &u.Path,
		UserName:            &u.Name,
		UserId:              u.ID,
		Arn:                 arn.User(s.config.Account, u.Path, u.Name),
		CreateDate:          u.Created,
		PasswordLastUsed:    timeOut(u.PasswordLastUsed),
		PermissionsBoundary: boundaryOut(u.Boundary),
		Tags:                tagsOut(u.Tags),
		Status:              statusOut(u.Disabled),
	}
}

func statusOut(disabled bool) *string {
	if disabled {
		return new(iamapi.UserStatusInactive)
	}
	return new(iamapi.UserStatusActive)
}

// boundaryOut returns nil for no permissions boundary.
func boundaryOut(boundary identity.PolicyRef) *iamapi.AttachedPermissionsBoundary {
	if boundary == (identity.PolicyRef{}) {
		return nil
	}
	return &iamapi.AttachedPermissionsBoundary{
		PermissionsBoundaryType: new(iamapi.PermissionsBoundaryTypePolicy),
		PermissionsBoundaryArn:  new(boundary.ARN),
	}
}

func tagsOut(tags []identity.Tag) []iamapi.Tag {
	out := make([]iamapi.Tag, len(tags))
	for i, t := range tags {
		out[i] = iamapi.Tag{Key: t.Key, Value: t.Value}
	}
	return out
}

// timeOut returns nil for the zero time.
func timeOut(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t)
}

// textOut returns nil for the empty text.
func textOut(s string) *string {
	if s == "" {
		return nil
	}
	return new(s)
}
