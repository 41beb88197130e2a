package report

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the matrix of runs as a table.
func Markdown(to io.Writer, runs []*Run) error {
	m := compare(runs)
	var b strings.Builder
	b.WriteString("| action |")
	for _, r := range runs {
		b.WriteString(" " + cell(r.Target) + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(runs)) + "\n")
	for _, action := range m.Actions {
		b.WriteString("| " + cell(action) + " |")
		for _, s := range m.Row(action) {
			b.WriteString(" " + share(s) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("| **all** |")
	for _, s := range m.Totals {
		b.WriteString(" **" + share(s) + "** |")
	}
	b.WriteString("\n")
	_, err := io.WriteString(to, b.String())
	return err
}

func share(s *score) string {
	if s.Tried() == 0 {
		return "–"
	}
	return fmt.Sprintf("%d/%d", s.Passed, s.Tried())
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
