package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"iamserver/conformance/replay"
)

//go:embed matrix.html
var page string

var matrixPage = template.Must(template.New("matrix").Funcs(template.FuncMap{
	"share": share,
	"class": class,
	"count": func(r *Run, outcome string) int { return r.Count()[replay.Outcome(outcome)] },
	"id":    func(action string, n int) string { return fmt.Sprintf("%s-%d", action, n) },
	"link":  func(source string) bool { return strings.HasPrefix(source, "https://") },
	"inc":   func(n int) int { return n + 1 },
	"last":  func(s []string) string { return strings.Join(s, ", ") },
}).Parse(page))

// HTML writes the matrix of runs as a page that needs nothing else: no script,
// no font, no picture, no other file.
func HTML(to io.Writer, runs []*Run) error {
	return matrixPage.Execute(to, compare(runs))
}

// class is how a cell is coloured; the text says the same for those who do not
// see colours.
func class(s *score) string {
	switch {
	case s.Tried() == 0:
		return "none"
	case s.Failed == 0:
		return "all"
	case s.Passed == 0:
		return "nothing"
	default:
		return "some"
	}
}
