package server

import (
	"encoding/json"
	"fmt"
	"strings"
)

// renamePrincipals returns a policy as it is written, but for the principals that
// have another name by now. Nothing else that reads like one of them changes.
func renamePrincipals(text string, names map[string]string) (string, error) {
	r := renaming{names: names, text: text, from: json.NewDecoder(strings.NewReader(text))}
	if err := r.value(false); err != nil {
		return "", fmt.Errorf("read the stored policy: %w", err)
	}
	r.out.WriteString(text[r.copied:])
	return r.out.String(), nil
}

type renaming struct {
	names  map[string]string
	text   string
	from   *json.Decoder
	path   []string // of members
	out    strings.Builder
	copied int // so much of text has been dealt with
}

// value reads a value; principals says whether its strings are principals. How deep
// it goes is bounded by the grammar of policies, which the text was held against.
func (r *renaming) value(principals bool) error {
	before := int(r.from.InputOffset())
	token, err := r.from.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case string:
		if name, ok := r.names[t]; ok && principals && name != t {
			at := before + strings.IndexByte(r.text[before:], '"')
			r.out.WriteString(r.text[r.copied:at])
			quoted, err := json.Marshal(name)
			if err != nil {
				return err
			}
			r.out.Write(quoted)
			r.copied = int(r.from.InputOffset())
		}
	case json.Delim:
		for r.from.More() {
			if t == '[' {
				if err := r.value(principals); err != nil {
					return err
				}
			} else if err := r.member(principals); err != nil {
				return err
			}
		}
		_, err = r.from.Token()
	}
	return err
}

func (r *renaming) member(principals bool) error {
	token, err := r.from.Token()
	if err != nil {
		return err
	}
	name, _ := token.(string)
	inStatement := len(r.path) == 1 && r.path[0] == "Statement"
	r.path = append(r.path, name)
	err = r.value(principals || (inStatement && (name == "Principal" || name == "NotPrincipal")))
	r.path = r.path[:len(r.path)-1]
	return err
}
