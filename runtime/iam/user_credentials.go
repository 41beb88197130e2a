package iam

import (
	"iamserver/generated/iamapi"
	"iamserver/generated/iamerr"
)

// Users have access keys here, and nothing else of what AWS's users can prove
// who they are with. Tools ask for all of it before they delete a user.

// GetLoginProfile finds that a user has no password.
func (s *Service) GetLoginProfile(tx *Tx, req *iamapi.GetLoginProfileRequest) (*iamapi.GetLoginProfileResponse, error) {
	return nil, tx.noLoginProfile(req.UserName)
}

// DeleteLoginProfile finds that a user has no password.
func (s *Service) DeleteLoginProfile(tx *Tx, req *iamapi.DeleteLoginProfileRequest) (*iamapi.DeleteLoginProfileResponse, error) {
	return nil, tx.noLoginProfile(req.UserName)
}

// noLoginProfile is the answer for a user who exists, and for root, which is
// asked about without a name.
func (tx *Tx) noLoginProfile(userName *string) error {
	user, err := tx.subject(userName)
	switch {
	case err != nil:
		return err
	case user == nil:
		return iamerr.UserNameRequired()
	}
	return iamerr.LoginProfileNotFound(user.Name)
}

// ListMFADevices lists nothing for a user who exists.
func (s *Service) ListMFADevices(tx *Tx, req *iamapi.ListMFADevicesRequest) (*iamapi.ListMFADevicesResponse, error) {
	return &iamapi.ListMFADevicesResponse{}, tx.noneOf(req.UserName, req.Marker)
}

// ListVirtualMFADevices lists nothing.
func (s *Service) ListVirtualMFADevices(_ *Tx, req *iamapi.ListVirtualMFADevicesRequest) (*iamapi.ListVirtualMFADevicesResponse, error) {
	return &iamapi.ListVirtualMFADevicesResponse{}, noMarker(req.Marker)
}

// ListSigningCertificates lists nothing for a user who exists.
func (s *Service) ListSigningCertificates(tx *Tx, req *iamapi.ListSigningCertificatesRequest) (*iamapi.ListSigningCertificatesResponse, error) {
	return &iamapi.ListSigningCertificatesResponse{}, tx.noneOf(req.UserName, req.Marker)
}

// ListSSHPublicKeys lists nothing for a user who exists.
func (s *Service) ListSSHPublicKeys(tx *Tx, req *iamapi.ListSSHPublicKeysRequest) (*iamapi.ListSSHPublicKeysResponse, error) {
	return &iamapi.ListSSHPublicKeysResponse{}, tx.noneOf(req.UserName, req.Marker)
}

// ListServiceSpecificCredentials lists nothing for a user who exists, or for
// all users.
func (s *Service) ListServiceSpecificCredentials(tx *Tx, req *iamapi.ListServiceSpecificCredentialsRequest) (*iamapi.ListServiceSpecificCredentialsResponse, error) {
	return &iamapi.ListServiceSpecificCredentialsResponse{}, tx.noneOf(req.UserName, req.Marker)
}

// noneOf checks a request for a list of what nobody has: the user must exist.
func (tx *Tx) noneOf(userName, marker *string) error {
	if err := noMarker(marker); err != nil {
		return err
	}
	_, err := tx.subject(userName)
	return err
}

// noMarker refuses every marker: these lists have a single page.
func noMarker(marker *string) error {
	if marker != nil {
		return iamerr.InvalidMarker()
	}
	return nil
}
