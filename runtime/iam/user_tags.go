package iam

import (
	"iamserver/generated/iamapi"
	"iamserver/runtime/identity"
)

// TagUser sets tags of a user.
func (s *Service) TagUser(tx *Tx, req *iamapi.TagUserRequest) (*iamapi.TagUserResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	if user.Tags, err = setTags(user.Tags, req.Tags, sameUserTag); err != nil {
		return nil, err
	}
	return &iamapi.TagUserResponse{}, tx.UpdateUser(user)
}

// UntagUser removes tags of a user; keys that the user does not have are passed
// over.
func (s *Service) UntagUser(tx *Tx, req *iamapi.UntagUserRequest) (*iamapi.UntagUserResponse, error) {
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	user.Tags = unsetTags(user.Tags, req.TagKeys, sameUserTag)
	return &iamapi.UntagUserResponse{}, tx.UpdateUser(user)
}

// ListUserTags returns a page of the tags of a user.
func (s *Service) ListUserTags(tx *Tx, req *iamapi.ListUserTagsRequest) (*iamapi.ListUserTagsResponse, error) {
	after, err := markerIn(tagList, req.Marker)
	if err != nil {
		return nil, err
	}
	user, err := tx.user(req.UserName)
	if err != nil {
		return nil, err
	}
	page, next := identity.Page(user.Tags, after, int(req.MaxItems))
	return &iamapi.ListUserTagsResponse{Tags: tagsOut(page), IsTruncated: next != "", Marker: markerOut(tagList, next)}, nil
}
