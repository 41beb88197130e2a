package awsmodel

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Ordered is a JSON object that keeps the order of its keys.
type Ordered[T any] []Entry[T]

// An Entry is one key of a JSON object with its value.
type Entry[T any] struct {
	Name  string
	Value T
}

// Get returns the value of a key; without the key, the zero value.
func (o Ordered[T]) Get(name string) (value T, ok bool) {
	for _, e := range o {
		if e.Name == name {
			return e.Value, true
		}
	}
	return value, false
}

// UnmarshalJSON reads an object.
func (o *Ordered[T]) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return errors.Join(errors.New("not a JSON object"), err)
	}
	*o = Ordered[T]{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value T
		if err := d.Decode(&value); err != nil {
			return err
		}
		key, _ := name.(string) // the decoder has checked that keys are strings
		*o = append(*o, Entry[T]{key, value})
	}
	return nil
}

// MarshalJSON writes an object.
func (o Ordered[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(e.Name)
		if err != nil {
			return nil, err
		}
		value, err := plain(e.Value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plain is json.Marshal without the escapes for HTML, which only hamper readers.
func plain(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return b.Bytes(), err
}

func indented(value any) ([]byte, error) {
	data, err := plain(value)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Indent(&b, data, "", "  ")
	return b.Bytes(), err
}
