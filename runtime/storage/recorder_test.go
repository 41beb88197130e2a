package storage_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"iamserver/runtime/storage"
)

// broken is a Reader of a backend that fails.
type broken struct{ storage.Reader }

var errBroken = errors.New("broken")

func (broken) Get([]byte) (value []byte, ok bool, err error) { return []byte("half"), true, errBroken }

// short is a Reader whose one record lives in memory that is used again.
type short struct {
	storage.Reader
	value []byte
}

func (s short) Get([]byte) (value []byte, ok bool, err error) { return s.value, s.value != nil, nil }

func TestRecorderFailsClosed(t *testing.T) {
	recorder := storage.NewRecorder(broken{})
	_, ok, err := recorder.Get([]byte("key"))
	require.False(t, ok)
	require.Equal(t, errBroken, err)

	recorder = storage.NewRecorder(short{})
	_, _, err = recorder.Get([]byte("key"))
	require.NoError(t, err)
	unchanged, err := recorder.Unchanged(broken{})
	require.False(t, unchanged)
	require.Equal(t, errBroken, err)
}

func TestRecorderCopies(t *testing.T) {
	value := []byte("value")
	recorder := storage.NewRecorder(short{value: value})
	_, _, err := recorder.Get([]byte("key"))
	require.NoError(t, err)
	copy(value, "other")
	unchanged, err := recorder.Unchanged(short{value: value})
	require.NoError(t, err)
	require.False(t, unchanged)
	unchanged, err = recorder.Unchanged(short{value: []byte("value")})
	require.NoError(t, err)
	require.True(t, unchanged)
}
