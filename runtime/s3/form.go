package s3

import "strings"

// A Form is what a browser posted: fields that stand for headers, before a file.
type Form struct {
	fields []struct{ name, value string }
}

// Field returns a field by the canonical name of the header that it stands for.
func (f *Form) Field(header string) (value string, ok bool) {
	for _, field := range f.fields {
		if strings.EqualFold(field.name, header) {
			return field.value, true
		}
	}
	return "", false
}
