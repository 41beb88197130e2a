package identity

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"iamserver/runtime/storage"
)

// MaxScan is the most records that one call of a method that returns a page
// looks at: a page may hold fewer entities than asked for, even none, and
// still have a next one.
const MaxScan = 5_000

// A Tx reads and writes entities within one transaction. It is valid until
// the function that it was given to returns, and not safe for concurrent use.
//
// Methods that return a page take the position after which it begins ("" for
// the first page) and the most entities that it holds (less than 1 counts as
// 1), and return the position of the next page, "" after the last. A position
// stays good when entities come and go. It may hold any byte.
type Tx struct {
	db     *DB
	reader storage.Reader
	writer storage.Tx // nil if read-only

	// The user that User returned last, and its folded name, while nothing can
	// change it: authorization and the handler ask for the same one.
	latest     *User
	latestName string
}

func (tx *Tx) get(key []byte) (value string, ok bool, err error) {
	if key == nil {
		return "", false, nil
	}
	b, ok, err := tx.reader.Get(key)
	if err != nil {
		return "", false, fmt.Errorf("identity: read: %w", err)
	}
	return string(b), ok, nil
}

// load decodes the record of key, or returns ErrNotFound.
func (tx *Tx) load(key []byte, entity interface{ decode(record string) error }) error {
	record, ok, err := tx.get(key)
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrNotFound
	}
	if err := entity.decode(record); err != nil {
		return fmt.Errorf("%w at %q", err, key)
	}
	return nil
}

func (tx *Tx) has(key []byte) (bool, error) {
	if key == nil {
		return false, nil
	}
	_, ok, err := tx.reader.Get(key)
	if err != nil {
		return false, fmt.Errorf("identity: read: %w", err)
	}
	return ok, nil
}

func (tx *Tx) put(key, value []byte) error {
	switch {
	case tx.writer == nil:
		return ErrReadOnly
	case key == nil:
		return fmt.Errorf("identity: write: a name or id is empty, longer than %d bytes or contains NUL", maxPart)
	}
	if err := tx.writer.Put(key, value); err != nil {
		return fmt.Errorf("identity: write: %w", err)
	}
	return nil
}

func (tx *Tx) remove(keys ...[]byte) error {
	if tx.writer == nil {
		return ErrReadOnly
	}
	for _, key := range keys {
		if key == nil {
			continue
		}
		if err := tx.writer.Delete(key); err != nil {
			return fmt.Errorf("identity: delete: %w", err)
		}
	}
	return nil
}

// scan yields what follows prefix in the keys that begin with it, and the values.
func (tx *Tx) scan(prefix []byte, after string, limit int) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		if prefix == nil { // would be everything
			return
		}
		var start []byte
		if after != "" {
			start = append(slices.Clip(prefix), after...)
		}
		for r, err := range tx.reader.Scan(prefix, start, limit) {
			if err != nil {
				yield(entry{}, fmt.Errorf("identity: scan: %w", err))
				return
			}
			if !yield(entry{position: string(r.Key[len(prefix):]), value: string(r.Value)}, nil) {
				return
			}
		}
	}
}

// An entry is a record of a scan; position is its key without the prefix.
type entry struct {
	position, value string
}

// page returns the items of the entries under prefix, limit at most, and the
// position of the next page if there is another item. Item says whether an entry
// has one; unfiltered means that every entry does.
func page[T any](tx *Tx, prefix []byte, after string, limit int, unfiltered bool, item func(entry) (T, bool, error)) (items []T, next string, err error) {
	limit = max(limit, 1)
	most := MaxScan
	if unfiltered {
		most = min(limit, MaxScan)
	}
	seen := 0
	for e, err := range tx.scan(prefix, after, most+1) {
		if err != nil {
			return nil, "", err
		}
		if seen == most {
			return items, after, nil
		}
		i, ok, err := item(e)
		if err != nil {
			return nil, "", fmt.Errorf("%w at %q of %q", err, e.position, prefix)
		}
		if ok {
			if len(items) == limit {
				return items, after, nil
			}
			items = append(items, i)
		}
		seen++
		after = e.position
	}
	return items, "", nil
}

// list returns what belongs to one parent, which its quotas bound.
func list[T any](tx *Tx, prefix []byte, item func(entry) (T, error)) ([]T, error) {
	var items []T
	for e, err := range tx.scan(prefix, "", 0) {
		if err != nil {
			return nil, err
		}
		t, err := item(e)
		if err != nil {
			return nil, fmt.Errorf("%w at %q of %q", err, e.position, prefix)
		}
		items = append(items, t)
	}
	return items, nil
}

// Page cuts a page from a whole list, for what the quotas of one entity bound:
// access keys, groups of a user, inline and attached policies, versions, tags.
// The list must be in the order that its method returned it in; positions and
// limit are as for the methods of Tx that return a page.
func Page[T interface{ position() string }](all []T, after string, limit int) (page []T, next string) {
	limit = max(limit, 1)
	start := 0
	for start < len(all) && all[start].position() <= after {
		start++
	}
	page = all[start:]
	if len(page) <= limit {
		return page, ""
	}
	return page[:limit], page[limit-1].position()
}

// A Tag is a key and a value. Entities keep their tags sorted by key, as
// ListUserTags shows them.
type Tag struct {
	Key, Value string
}

func (t Tag) position() string { return t.Key }

func sortTags(tags []Tag) {
	slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
}

// second cuts t to what AWS shows.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
