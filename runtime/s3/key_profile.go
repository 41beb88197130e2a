package s3

import (
	"slices"
	"strings"

	"iamserver/generated/s3err"
)

// A KeyProfile says which object keys a store tells apart. The zero profile is
// for a store that tells all of them apart.
//
// Authorization sees the exact bytes of a key. On a file system "a//b", "a/./b"
// and "a/../a/b" all are "a/b": a policy that denies the one would be walked
// around with the others. Such keys are refused where the store has files.
type KeyProfile struct {
	// Files says that the store may keep objects as files: no segment between
	// slashes may be empty, "." or "..", except that a key may end in one slash,
	// and no key has a NUL. Ids of versions and uploads have no slash.
	Files bool
	// Reserved are names that the store keeps for itself: no key may have one of
	// them as its first segment. One that begins with "*" stands for all names that
	// end in the rest, and for any segment: SeaweedFS has the versions of an object
	// "a/b" in a folder "a/b.versions".
	Reserved []string
}

// Check refuses a key that the profile excludes.
func (p KeyProfile) Check(key string) error {
	if !p.Files {
		return nil
	}
	if strings.IndexByte(key, 0) >= 0 || key == "/" {
		return s3err.AmbiguousKey()
	}
	return p.segments(strings.TrimSuffix(key, "/"), true)
}

// checkPrefix refuses the prefix of a listing that could reach keys which do
// not begin with it. Its last segment may be the beginning of any name.
func (p KeyProfile) checkPrefix(prefix string) error {
	if !p.Files {
		return nil
	}
	if strings.IndexByte(prefix, 0) >= 0 {
		return s3err.AmbiguousKey()
	}
	last := strings.LastIndexByte(prefix, '/')
	if last < 0 {
		return p.segments(prefix, false)
	}
	return p.segments(prefix[:last], true)
}

// checkID refuses the id of a version or an upload that a store with files, which
// looks for it in a folder of the key, could take for a way to that of another key.
func (p KeyProfile) checkID(id string) error {
	if p.Files && (strings.ContainsAny(id, "/\\\x00") || id == "." || id == "..") {
		return s3err.PathAsID()
	}
	return nil
}

// segments looks at the segments of a path; whole says that the first of them
// is not the beginning of a name only.
func (p KeyProfile) segments(path string, whole bool) error {
	for first, rest, more := true, path, true; more; first = false {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if whole && (segment == "" || segment == "." || segment == "..") {
			return s3err.AmbiguousKey()
		}
		if p.reserves(segment, first, whole) {
			return s3err.AmbiguousKey()
		}
	}
	return nil
}

// reserves says whether a segment is one of the reserved names.
func (p KeyProfile) reserves(segment string, first, whole bool) bool {
	return slices.ContainsFunc(p.Reserved, func(name string) bool {
		suffix, anywhere := strings.CutPrefix(name, "*")
		if !anywhere {
			return first && strings.EqualFold(segment, name)
		}
		return whole && len(segment) >= len(suffix) && strings.EqualFold(segment[len(segment)-len(suffix):], suffix)
	})
}
