package record

import (
	"errors"
	"strings"
)

// Words splits a command line as a shell does: at space, with '…' and "…" kept
// together. Nothing is expanded.
func Words(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inside, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			inside, quote = true, r
		case r == ' ' || r == '\n' || r == '\t':
			if inside {
				words = append(words, word.String())
				word.Reset()
			}
			inside = false
		default:
			inside = true
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, errors.New("a quotation mark is not closed")
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}
