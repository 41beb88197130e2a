package iam_test

import (
	"testing"

	"iamserver/generated/iamapi"
)

// What users cannot have here is not there, and not unknown: Terraform's
// force_destroy and its like ask for all of it before they delete a user.
func TestUsersHaveNothingButAccessKeys(t *testing.T) {
	const (
		none      = "NoSuchEntity: Login Profile for User Alice cannot be found."
		nobody    = "NoSuchEntity: The user with name bob cannot be found."
		needsName = "ValidationError: Must specify userName when calling with non-User credentials"
	)
	runTests(t, []test{
		{name: "no password to show", after: []step{createAlice}, step: "GetLoginProfile UserName=alice", err: none},
		{name: "no password of the caller's", after: []step{createAlice}, step: "alice: GetLoginProfile", err: none},
		{name: "no password of root's", step: "GetLoginProfile", err: needsName},
		{name: "no password of a user who does not exist", step: "GetLoginProfile UserName=bob", err: nobody},
		{name: "no password to delete", after: []step{createAlice}, step: "DeleteLoginProfile UserName=alice", err: none},
		{name: "no password to delete of a user who does not exist", step: "DeleteLoginProfile UserName=bob", err: nobody},

		{name: "no MFA devices", after: []step{createAlice}, step: "ListMFADevices UserName=alice", want: &iamapi.ListMFADevicesResponse{}},
		{name: "no MFA devices of root's", step: "ListMFADevices", want: &iamapi.ListMFADevicesResponse{}},
		{name: "no MFA devices of a user who does not exist", step: "ListMFADevices UserName=bob", err: nobody},
		{name: "a marker that is none", after: []step{createAlice}, step: "ListMFADevices UserName=alice&Marker=dQ", err: "ValidationError: Invalid Marker."},
		{name: "no virtual MFA devices", step: "ListVirtualMFADevices AssignmentStatus=Assigned", want: &iamapi.ListVirtualMFADevicesResponse{}},
		{name: "a marker of virtual MFA devices that is none", step: "ListVirtualMFADevices Marker=dQ", err: "ValidationError: Invalid Marker."},
		{name: "no signing certificates", after: []step{createAlice}, step: "ListSigningCertificates UserName=alice", want: &iamapi.ListSigningCertificatesResponse{}},
		{name: "no signing certificates of a user who does not exist", step: "ListSigningCertificates UserName=bob", err: nobody},
		{name: "no SSH public keys", after: []step{createAlice}, step: "ListSSHPublicKeys UserName=alice", want: &iamapi.ListSSHPublicKeysResponse{}},
		{name: "no SSH public keys of a user who does not exist", step: "ListSSHPublicKeys UserName=bob", err: nobody},
		{
			name: "no service-specific credentials", after: []step{createAlice},
			step: "ListServiceSpecificCredentials UserName=alice&ServiceName=codecommit.amazonaws.com", want: &iamapi.ListServiceSpecificCredentialsResponse{},
		},
		{name: "no service-specific credentials of all users", step: "ListServiceSpecificCredentials AllUsers=true", want: &iamapi.ListServiceSpecificCredentialsResponse{}},
		{name: "no service-specific credentials of a user who does not exist", step: "ListServiceSpecificCredentials UserName=bob", err: nobody},
	})
}
