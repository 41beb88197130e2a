package report

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"

	"iamserver/conformance/replay"
)

// Sample returns n failures of a run, or all if there are fewer, that the seed
// chooses: those whose SHA-256 of seed, target and case, a line each, comes
// first. Anybody with the results and the seed gets the same.
func Sample(r *Run, seed string, n int) []replay.Result {
	var failures []replay.Result
	for i := range r.Results {
		if r.Results[i].Outcome == replay.Failed {
			failures = append(failures, r.Results[i])
		}
	}
	lot := func(f replay.Result) string {
		sum := sha256.Sum256([]byte(seed + "\n" + r.Target + "\n" + f.Case + "\n"))
		return string(sum[:])
	}
	slices.SortFunc(failures, func(a, b replay.Result) int { return cmp.Compare(lot(a), lot(b)) })
	return failures[:min(n, len(failures))]
}

// maxCell bounds what a table shows of a value, in characters.
const maxCell = 120

func clip(text string) string {
	if r := []rune(text); len(r) > maxCell {
		return string(r[:maxCell]) + "…"
	}
	return text
}

// Samples writes n failures of each run, chosen by the seed, as a table.
func Samples(to io.Writer, runs []*Run, seed string, n int) error {
	var b strings.Builder
	b.WriteString("| target | case | where | expected | got |\n|---|---|---|---|---|\n")
	for _, r := range runs {
		for _, f := range Sample(r, seed, n) {
			where, want, got := "", "", f.Reason
			if len(f.Differences) > 0 {
				d := f.Differences[0]
				where, want, got = fmt.Sprintf("step %d, %s", d.Step, d.Where), d.Want, d.Got
			}
			for _, text := range []string{r.Target, f.Case, where, want, got} {
				b.WriteString("| " + cell(clip(strings.ReplaceAll(text, "\n", " "))) + " ")
			}
			b.WriteString("|\n")
		}
	}
	_, err := io.WriteString(to, b.String())
	return err
}
