package identity

import (
	"errors"
	"fmt"
	"strings"
)

// fold returns what names are compared and sorted by. Names of entities are
// not distinguished by case (IAM user guide, "IAM name requirements") and
// consist of ASCII characters.
func fold(name string) string {
	for i := range len(name) {
		if c := name[i]; 'A' <= c && c <= 'Z' {
			folded := []byte(name)
			for ; i < len(folded); i++ {
				if c := folded[i]; 'A' <= c && c <= 'Z' {
					folded[i] = c + 'a' - 'A'
				}
			}
			return string(folded)
		}
	}
	return name
}

// fieldID is the field of an entity's id, in the name index; elsewhere the key
// has it.
const fieldID = 15

// putNamed stores the record of an entity twice: by id, and in the index of
// the names of its kind, so that to read it by name, or a page of a list, does
// not read records all over the store. It costs 2 operations.
func (tx *Tx) putNamed(kind, index, id, name, path string, record encoder) error {
	if !strings.HasPrefix(path, "/") { // lists by path prefix rely on it
		return fmt.Errorf("identity: path %q does not begin with a slash", path)
	}
	if err := tx.put(tx.key(kind, id), record); err != nil {
		return err
	}
	record.text(fieldID, id)
	return tx.put(tx.key(index, fold(name)), record)
}

// nameFree returns ErrExists if an entity has the name.
func (tx *Tx) nameFree(index, name string) error {
	taken, err := tx.has(tx.key(index, fold(name)))
	if err == nil && taken {
		err = ErrExists
	}
	return err
}

// anyPath tells the prefixes that every path has.
func anyPath(prefix string) bool { return prefix == "" || prefix == "/" }

// dangling is the error for an id that an index has and that was not found:
// not the same as a name that is not there.
func dangling(err error, id string) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %s is referred to and not there", ErrCorrupt, id)
	}
	return err
}
