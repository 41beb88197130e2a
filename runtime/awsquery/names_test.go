package awsquery

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesAreSortedForReading(t *testing.T) {
	names := []string{"TagsToo", "Tags-too", "Tags.member.2.Key", "Tags.member.10.Key", "Tags.member.2", "Tags.member.x", "Tags", "Tags.member.1.Value", "Tags.member", "Tags.", "Action", "Tags.member.01"}
	slices.SortFunc(names, compareNames)
	require.Equal(t, []string{
		"Action", "Tags", "Tags.", "Tags.member", "Tags.member.1.Value", "Tags.member.2", "Tags.member.2.Key", "Tags.member.01", "Tags.member.10.Key", "Tags.member.x",
		"Tags-too", "TagsToo",
	}, names)
}

// The order of all short names is that of their parts: nothing before numbers,
// numbers before words.
func TestNamesAreComparedByParts(t *testing.T) {
	names := []string{""}
	for first, length := 0, 0; length < 4; length++ {
		last := len(names)
		for ; first < last; first++ {
			for _, c := range ".19a" {
				names = append(names, names[first]+string(c))
			}
		}
	}
	rank := func(part string) int {
		switch {
		case part == "":
			return 0
		case isNumber(part):
			return len(part)
		}
		return 100
	}
	byParts := func(a, b string) int {
		return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
		})
	}
	for _, a := range names {
		for _, b := range names {
			if a == "" || b == "" {
				continue // Parse refuses it
			}
			if got, want := cmp.Compare(compareNames(a, b), 0), byParts(a, b); got != want {
				t.Fatalf("%q and %q: %d, by parts %d", a, b, got, want)
			}
		}
	}
}
