package policy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var documents = []string{
	`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b",null]}}`,
	"{\n \"Id\": \"é\",\r\n \"Statement\": [ {\"Effect\":\"Deny\",\"NotAction\":[],\"NotResource\":\"*\",\"Sid\":\"a\"}, {\"Effect\":\"Allow\"} ] }",
	`{"Statement":{"Effect":"Allow","Condition":{"DateLessThan":{"a":[true,-1.5e+3,"2024-01-01T00:00:00Z"]},"x":{}},"Principal":{"AWS":"*"}}}`,
	`{"Statement":{"Effect":"Allow","Sid":"\u00e9\ud83d\ude00\"\\\/\b","NotPrincipal":"*","Resource":"arn:aws:iam::1:user/${aws:username}"}}`,
	`[0, -0.0, 1E9, true, false, null, {"a":{"b":[[]]}}, "\ud800", "\n"]`,
	"{\"Statement\":{\"Effect\":\"Allow\",\"Resource\":\"\u4e2d\xff\"}}",
	"{}x", "[1,]", `{"a":1,"a":2}`, `"`, `01`, "tru",
}

// FuzzParse checks that Parse accepts only JSON, that what it finds is what
// stands at the positions it gives, and that white space changes nothing else.
func FuzzParse(f *testing.F) {
	for _, seed := range documents {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			require.Equal(t, &Error{Message: syntaxErrors}, err)
			require.Nil(t, d)
			return
		}
		require.True(t, json.Valid([]byte(text)))

		for i := range d.Statements {
			s := &d.Statements[i]
			requirePosition(t, text, s.Start, '{')
			requirePosition(t, text, s.End, '}')
			alone, err := Parse(`{"Statement":` + text[s.Start.Offset:s.End.Offset+1] + `}`)
			if utf8.RuneCountInString(text) < maxLength-len(`{"Statement":}`) {
				require.NoError(t, err)
				require.Equal(t, withoutPositions(&Document{Statements: d.Statements[i : i+1]}), withoutPositions(alone))
			}
		}

		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, []byte(text)))
		again, err := Parse(compact.String())
		require.NoError(t, err)
		require.Equal(t, withoutPositions(d), withoutPositions(again))

		managed, inline := d.Validate(ManagedPolicy), d.Validate(InlinePolicy)
		if managed == nil {
			require.NoError(t, inline, "a managed policy may be inline")
		}
		require.Equal(t, inline, again.Validate(InlinePolicy))
	})
}

func requirePosition(t *testing.T, text string, p Position, brace byte) {
	t.Helper()
	require.Equal(t, brace, text[p.Offset])
	before := text[:p.Offset]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	require.Equal(t, Position{Offset: p.Offset, Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(line) + 1}, p)
}

// withoutPositions copies d without the places of its statements.
func withoutPositions(d *Document) *Document {
	c := *d
	c.Statements = append([]Statement(nil), d.Statements...)
	for i := range c.Statements {
		c.Statements[i].Start, c.Statements[i].End = Position{}, Position{}
	}
	return &c
}

// FuzzDecoder drives the decoder through any JSON, without the policy grammar, and
// compares what it accepts and the strings it reads with encoding/json.
func FuzzDecoder(f *testing.F) {
	for _, seed := range documents {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "[")+strings.Count(text, "{") > 1000 {
			t.Skip("the walk recurses; the parser does not")
		}
		d := decoder{text: text, line: 1}
		got := walk(&d)
		d.end()

		var want any
		decoding := json.NewDecoder(strings.NewReader(text))
		decoding.UseNumber()
		if !json.Valid([]byte(text)) {
			require.True(t, d.failed, "encoding/json refuses it")
			return
		}
		require.NoError(t, decoding.Decode(&want))
		if d.failed {
			require.True(t, hasForbiddenCharacter(text) || hasLoneSurrogate(want) || got == duplicateKey, "encoding/json accepts it")
			return
		}
		require.Equal(t, want, got)
	})
}

// duplicateKey is what walk returns for an object that has one.
const duplicateKey = json.Number("duplicate key")

// walk reads any value the way encoding/json represents it with UseNumber.
func walk(d *decoder) any {
	switch d.peek() {
	case '{':
		object := map[string]any{}
		var seen nameSet
		duplicate := false
		d.open('{')
		for d.more('}') {
			probe := *d
			name := probe.string()
			_, duplicate = object[name]
			if name = d.key(&seen); d.failed {
				break
			}
			value := walk(d)
			if value == duplicateKey {
				return value
			}
			object[name] = value
		}
		if d.failed && duplicate {
			return duplicateKey
		}
		return object
	case '[':
		array := []any{}
		d.open('[')
		for d.more(']') {
			value := walk(d)
			if value == duplicateKey {
				return value
			}
			array = append(array, value)
		}
		return array
	case 'n':
		d.literal("null")
		return nil
	case '"':
		return d.scalar()
	case 't', 'f':
		return d.scalar() == "true"
	default:
		return json.Number(d.scalar())
	}
}

func hasForbiddenCharacter(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r > 0xFF })
}

// hasLoneSurrogate reports whether U+FFFD, which encoding/json puts in the place of
// half a surrogate pair, stands in a string of the value.
func hasLoneSurrogate(value any) bool {
	text, err := json.Marshal(value)
	return err == nil && strings.ContainsRune(string(text), utf8.RuneError)
}

// FuzzSize compares Size with what encoding/json leaves of white space.
func FuzzSize(f *testing.F) {
	for _, seed := range documents {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size := Size(text)
		require.LessOrEqual(t, size, utf8.RuneCountInString(text))
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(text)) == nil {
			require.Equal(t, utf8.RuneCountInString(compact.String()), size)
		}
	})
}
