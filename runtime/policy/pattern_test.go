package policy

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// A dollar sign in the patterns of these tests is a variable.

// naiveGlob is what matching means: a star is any run of characters, a question
// mark one of them, a variable the text it stands for.
func naiveGlob(pattern, s, variable string, seen map[[2]int]bool) bool {
	at := [2]int{len(pattern), len(s)}
	if pattern == "" || seen[at] {
		return pattern == "" && s == ""
	}
	seen[at] = true // no need to try it twice
	_, size := utf8.DecodeRuneInString(s)
	switch literal := pattern[:1]; literal {
	case "*":
		return naiveGlob(pattern[1:], s, variable, seen) || s != "" && naiveGlob(pattern, s[size:], variable, seen)
	case "?":
		return s != "" && naiveGlob(pattern[1:], s[size:], variable, seen)
	case "$":
		return strings.HasPrefix(s, variable) && naiveGlob(pattern[1:], s[len(variable):], variable, seen)
	default:
		return strings.HasPrefix(s, literal) && naiveGlob(pattern[1:], s[1:], variable, seen)
	}
}

// requireSameMatch compares the matcher with the naive one.
func requireSameMatch(t *testing.T, text, s, variable string) {
	t.Helper()
	keys := &keyTable{numbers: map[string]int{}}
	p := parsePattern(strings.ReplaceAll(text, "$", "${k}"), syntax{wildcards: true, keys: keys})
	e := &evaluation{numbers: []int{0}, values: []keyValue{{known: true, Value: Text(variable)}}}
	got := p.match(e, s)
	want := matchIf(naiveGlob(text, s, variable, map[[2]int]bool{}))
	require.Equal(t, want, got, "pattern %q, value %q, variable %q", text, s, variable)
}

func TestMatchingIsWhatTheNaiveMatcherSays(t *testing.T) {
	const seed = 20_261_125
	r := rand.New(rand.NewPCG(seed, 0))
	word := func(alphabet string, most int) string {
		letters := []rune(alphabet)
		var b strings.Builder
		for range r.IntN(most + 1) {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	matches := 0
	for range 200_000 {
		text, s, variable := word("aabb**?é$/", 8), word("aabbé/", 10), word("ab*?é", 2)
		requireSameMatch(t, text, s, variable)
		if naiveGlob(text, s, variable, map[[2]int]bool{}) {
			matches++
		}
	}
	require.Greater(t, matches, 10_000, "of the random pairs some match")
}

// FuzzGlob compares the matcher with the naive one.
func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "aXbéc", "")
	f.Add("*a*a*a*b", strings.Repeat("a", 40), "")
	f.Add("home/$/*", "home/*/x", "*")
	f.Add("**??", "é\xff", "")
	f.Fuzz(func(t *testing.T, text, s, variable string) {
		const longest = 200
		if len(text) > longest || len(s) > longest || len(variable) > longest || strings.Contains(text, "{") ||
			!utf8.ValidString(text) || !utf8.ValidString(variable) {
			t.Skip("the naive matcher is slow, and a document is UTF-8")
		}
		requireSameMatch(t, text, s, variable)
	})
}
