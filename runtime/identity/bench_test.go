package identity_test

import (
	"fmt"
	"testing"

	"iamserver/runtime/identity"
	"iamserver/runtime/storage/memory"
)

func BenchmarkReads(b *testing.B) {
	f := newFixture(b, memory.Open())
	for i := range 1000 {
		f.user(fmt.Sprintf("user%04d", i))
	}
	u := f.user("alice")
	k, _ := f.accessKey(u.ID)
	for name, read := range map[string]func(tx *identity.Tx) error{
		"User":          func(tx *identity.Tx) error { _, err := tx.User("alice"); return err },
		"Users/100":     func(tx *identity.Tx) error { _, _, err := tx.Users("/", "user0100", 100); return err },
		"Credential":    func(tx *identity.Tx) error { _, err := tx.Credential(k.ID); return err },
		"GroupsOf/none": func(tx *identity.Tx) error { _, err := tx.GroupsOf(u.ID); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			f.view(func(tx *identity.Tx) {
				for b.Loop() {
					if err := read(tx); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
