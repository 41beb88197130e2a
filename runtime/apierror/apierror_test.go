package apierror_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/apierror"
)

var (
	noSuchEntity = apierror.Code{Name: "NoSuchEntity", Status: 404, Fault: apierror.Sender}
	unavailable  = apierror.Code{Name: "ServiceUnavailable", Status: 503, Fault: apierror.Receiver}
)

func TestErrorSaysCodeAndMessage(t *testing.T) {
	err := noSuchEntity.New("The user with name alice cannot be found.")
	require.Equal(t, &apierror.Error{Code: &noSuchEntity, Message: "The user with name alice cannot be found."}, err)
	require.EqualError(t, err, "NoSuchEntity: The user with name alice cannot be found.")
	require.EqualError(t, &noSuchEntity, "NoSuchEntity")
}

func TestErrorsIs(t *testing.T) {
	err := noSuchEntity.New("gone")
	ofAnotherCatalogue := apierror.Code{Name: "NoSuchEntity", Status: 400}
	for _, tt := range []struct {
		name   string
		err    error
		target error
		want   bool
	}{
		{"an error is its code", err, &noSuchEntity, true},
		{"a wrapped error is its code", fmt.Errorf("get user: %w", err), &noSuchEntity, true},
		{"a code of the same name in another catalogue is the same code", err, &ofAnotherCatalogue, true},
		{"an error is no other code", err, &unavailable, false},
		{"an error is itself", err, err, true},
		{"two errors of one code are not each other", err, noSuchEntity.New("gone"), false},
		{"another error is no code", errors.New("NoSuchEntity"), &noSuchEntity, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, errors.Is(tt.err, tt.target))
		})
	}
}

func TestCodeOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"no error has no code", nil, ""},
		{"an error has its code", noSuchEntity.New("gone"), "NoSuchEntity"},
		{"a wrapped error has its code", fmt.Errorf("get user: %w", unavailable.New("busy")), "ServiceUnavailable"},
		{"any other error is a service failure", errors.New("disk full"), "ServiceFailure"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, apierror.CodeOf(tt.err))
		})
	}
}

func TestFaultIsTheTypeOfAnErrorResponse(t *testing.T) {
	require.Equal(t, "Sender", apierror.Sender.String())
	require.Equal(t, "Receiver", apierror.Receiver.String())
}
