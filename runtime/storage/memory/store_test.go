package memory_test

import (
	"testing"

	"iamserver/runtime/storage"
	"iamserver/runtime/storage/memory"
	"iamserver/runtime/storage/storagetest"
)

func TestStore(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return memory.Open() })
}
