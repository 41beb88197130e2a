package policy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxMatched is the length of patterns and values that are compared, in bytes. No
// ARN is longer (IAM API reference, "Arn"), and a longer header is no ordinary one.
const maxMatched = 2048

// A match is the outcome of comparing a value with a pattern. What could not be
// compared fails closed.
type match uint8

const (
	unmatched match = iota
	matched
	unmatchable
)

func matchIf(ok bool) match {
	if ok {
		return matched
	}
	return unmatched
}

// counts says whether m counts as a match in a statement, where toward says what
// an unmatchable one counts as.
func (m match) counts(toward bool) bool {
	return m == matched || m == unmatchable && toward
}

// A pattern is text with wildcards and variables, taken apart so that what a
// variable stands for is always literal text: a star in a tag is a star.
type pattern struct {
	form patternForm
	// text is all of a literal, and a prefix without its star.
	text string
	// pieces are what stands between the stars of a pattern of any other form.
	pieces []piece
	// variables are those of the pieces.
	variables []*atom
}

type patternForm uint8

const (
	literal patternForm = iota
	prefix
	pieces
	tooLong
)

// A piece is a run of a pattern without stars.
type piece []atom

// An atom is literal text, or a wildcard or variable.
type atom struct {
	kind atomKind
	text string // of literal text, and the default of a variable
	key  int    // of a variable
}

type atomKind uint8

const (
	textAtom atomKind = iota
	anyCharacter
	variable
	variableOrDefault
)

// A syntax says what is special in a pattern.
type syntax struct {
	wildcards bool
	// keys takes the keys of variables; nil if there are no variables.
	keys *keyTable
}

// parsePattern takes text apart. It never fails: what is no variable is literal.
func parsePattern(text string, is syntax) pattern {
	if len(text) > maxMatched {
		return pattern{form: tooLong}
	}
	special := "*?$"
	if !strings.ContainsAny(text, special) {
		return pattern{form: literal, text: text}
	}
	var (
		p       = pattern{form: pieces}
		current piece
		plain   strings.Builder
	)
	flush := func() {
		if plain.Len() > 0 {
			current = append(current, atom{kind: textAtom, text: plain.String()})
			plain.Reset()
		}
	}
	for text != "" {
		at := strings.IndexAny(text, special)
		if at < 0 {
			at = len(text)
		}
		plain.WriteString(text[:at])
		if text = text[at:]; text == "" {
			break
		}
		switch special := text[0]; {
		case special == '*' && is.wildcards:
			flush()
			p.pieces, current = append(p.pieces, current), nil
		case special == '?' && is.wildcards:
			flush()
			current = append(current, atom{kind: anyCharacter})
		case special == '$' && is.keys != nil:
			a, size := parseVariable(text, is.keys)
			if a.kind == textAtom {
				plain.WriteString(a.text)
			} else {
				flush()
				current = append(current, a)
			}
			text = text[size:]
			continue
		default:
			plain.WriteByte(special)
		}
		text = text[1:]
	}
	flush()
	p.pieces = append(p.pieces, current)
	return p.simplified()
}

// simplified gives the commonest patterns their own forms.
func (p pattern) simplified() pattern {
	plain := func(p piece) (string, bool) {
		switch {
		case len(p) == 0:
			return "", true
		case len(p) == 1 && p[0].kind == textAtom:
			return p[0].text, true
		}
		return "", false
	}
	text, ok := plain(p.pieces[0])
	switch {
	case ok && len(p.pieces) == 1:
		return pattern{form: literal, text: text}
	case ok && len(p.pieces) == 2 && len(p.pieces[1]) == 0:
		return pattern{form: prefix, text: text}
	}
	// Stars side by side are one.
	last := len(p.pieces) - 1
	inner := slices.DeleteFunc(slices.Clone(p.pieces[1:max(last, 1)]), func(p piece) bool { return len(p) == 0 })
	if last > 0 {
		p.pieces = slices.Concat(p.pieces[:1], inner, p.pieces[last:])
	}
	for _, piece := range p.pieces {
		for i := range piece {
			if a := &piece[i]; a.kind == variable || a.kind == variableOrDefault {
				p.variables = append(p.variables, a)
			}
		}
	}
	return p
}

// parseVariable reads a variable at the beginning of s, which is a dollar sign,
// and returns it with its length: ${key}, ${key, 'default'}, or one of ${*} ${?}
// ${$}, which are text. Anything else is a dollar sign (IAM user guide, "IAM
// policy elements: Variables and tags").
func parseVariable(s string, keys *keyTable) (atom, int) {
	dollar := atom{kind: textAtom, text: "$"}
	end := strings.IndexByte(s, '}')
	if !strings.HasPrefix(s, "${") || end < 0 {
		return dollar, 1
	}
	inside := s[2:end]
	switch inside {
	case "*", "?", "$":
		return atom{kind: textAtom, text: inside}, end + 1
	}
	name, _, hasDefault := strings.Cut(inside, ",")
	a := atom{kind: variable}
	if hasDefault {
		// The default may hold a closing brace; it ends at its quote.
		text, after, ok := quoted(s[2+len(name)+1:])
		if !ok {
			return dollar, 1
		}
		a.kind, a.text = variableOrDefault, text
		end = len(s) - len(after) - 1
	}
	name = strings.TrimSpace(name)
	if name == "" || strings.ContainsAny(name, "${'") {
		return dollar, 1
	}
	a.key = keys.number(name)
	return a, end + 1
}

// quoted reads blanks, text in single quotes, blanks and a closing brace, and
// returns the text and what follows the brace.
func quoted(s string) (text, after string, ok bool) {
	s, ok = strings.CutPrefix(strings.TrimLeft(s, " "), "'")
	if !ok {
		return "", "", false
	}
	if text, s, ok = strings.Cut(s, "'"); !ok {
		return "", "", false
	}
	after, ok = strings.CutPrefix(strings.TrimLeft(s, " "), "}")
	return text, after, ok
}

// indexOutside returns the place of the first of some characters that is in no
// variable, or -1.
func indexOutside(s, characters string, variables bool) int {
	unused := keyTable{numbers: map[string]int{}}
	for i := 0; i < len(s); {
		size := 1
		if variables && s[i] == '$' {
			_, size = parseVariable(s[i:], &unused)
		} else if strings.IndexByte(characters, s[i]) >= 0 {
			return i
		}
		i += size
	}
	return -1
}

// match compares all of v with p. It takes at most len(v) × len(p) steps: after a
// star the leftmost place is always good enough.
func (p *pattern) match(e *evaluation, v string) match {
	if len(v) > maxMatched {
		return unmatchable
	}
	switch p.form {
	case literal:
		return matchIf(p.text == v)
	case prefix:
		return matchIf(strings.HasPrefix(v, p.text))
	case pieces:
		return p.matchPieces(e, v)
	case tooLong:
	}
	return unmatchable
}

func (p *pattern) matchPieces(e *evaluation, v string) match {
	if e.exhausted() {
		return unmatchable
	}
	if !p.pieces[0].mayBegin(v) {
		return unmatched
	}
	if resolved := p.resolve(e); resolved != matched {
		return resolved
	}
	e.work += len(v)
	n, ok := p.pieces[0].matchStart(e, v)
	last := len(p.pieces) - 1
	if !ok || last == 0 {
		return matchIf(ok && n == len(v))
	}
	v = v[n:]
	if n, ok = p.pieces[last].matchEnd(e, v); !ok {
		return unmatched
	}
	v = v[:len(v)-n]
	for _, middle := range p.pieces[1:last] {
		end, ok := middle.find(e, v)
		if !ok {
			return unmatched
		}
		v = v[end:]
	}
	return matched
}

// mayBegin reports whether v begins with the text that p begins with. If not, it
// does not matter what the variables are: a statement about another bucket is not
// in play because of them, whether the index of its set says so or this does.
func (p piece) mayBegin(v string) bool {
	for i := range p {
		if p[i].kind != textAtom {
			break
		}
		rest, ok := strings.CutPrefix(v, p[i].text)
		if !ok {
			return false
		}
		v = rest
	}
	return true
}

// resolve reports whether every variable of p has a value: matched if so. One that
// has none settles it, whatever the others are.
func (p *pattern) resolve(e *evaluation) match {
	resolved := matched
	for _, a := range p.variables {
		switch _, has := e.substitute(a); has {
		case unmatched:
			return unmatched
		case unmatchable:
			resolved = unmatchable
		case matched:
		}
	}
	return resolved
}

// literal returns the text that an atom stands for, which is not anyCharacter.
func (a *atom) literal(e *evaluation) string {
	if a.kind == textAtom {
		return a.text
	}
	text, _ := e.substitute(a)
	return text
}

// matchStart reports whether v begins with p, and how much of it p takes.
func (p piece) matchStart(e *evaluation, v string) (int, bool) {
	n := 0
	for i := range p {
		e.work++
		a := &p[i]
		if a.kind == anyCharacter {
			if n == len(v) {
				return 0, false
			}
			n += characterSize(v[n:])
			continue
		}
		text := a.literal(e)
		if !strings.HasPrefix(v[n:], text) {
			return 0, false
		}
		n += len(text)
	}
	return n, true
}

// matchEnd reports whether v ends with p, and how much of it p takes.
func (p piece) matchEnd(e *evaluation, v string) (int, bool) {
	rest := v
	for i := len(p) - 1; i >= 0; i-- {
		e.work++
		a := &p[i]
		if a.kind == anyCharacter {
			if rest == "" {
				return 0, false
			}
			_, size := utf8.DecodeLastRuneInString(rest)
			rest = rest[:len(rest)-size]
			continue
		}
		text := a.literal(e)
		if !strings.HasSuffix(rest, text) {
			return 0, false
		}
		rest = rest[:len(rest)-len(text)]
	}
	return len(v) - len(rest), true
}

// find returns the end of the leftmost place where p stands in v.
func (p piece) find(e *evaluation, v string) (int, bool) {
	if p[0].kind == anyCharacter {
		return p.findEverywhere(e, v)
	}
	first := p[0].literal(e)
	for at := 0; ; {
		n := strings.Index(v[at:], first)
		e.work += 1 + (len(v)-at)/16
		if n < 0 {
			return 0, false
		}
		at += n + len(first)
		if n, ok := p[1:].matchStart(e, v[at:]); ok {
			return at + n, true
		}
		at -= len(first)
		if at += characterSize(v[at:]); at > len(v) || first == "" && at == len(v) {
			return 0, false
		}
	}
}

// findEverywhere is find for a piece that does not begin with text.
func (p piece) findEverywhere(e *evaluation, v string) (int, bool) {
	for at := 0; at < len(v); at += characterSize(v[at:]) {
		if n, ok := p.matchStart(e, v[at:]); ok {
			return at + n, true
		}
	}
	return 0, false
}

// characterSize returns the length of the first character of s in bytes; a byte
// that is no UTF-8 is a character.
func characterSize(s string) int {
	if s == "" {
		return 0
	}
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, size := utf8.DecodeRuneInString(s)
	return size
}

// matchFolded compares v with p, which has no wildcards, without regard to case.
func (p *pattern) matchFolded(e *evaluation, v string) match {
	switch {
	case p.form == tooLong || len(v) > maxMatched:
		return unmatchable
	case p.form == literal:
		return matchIf(strings.EqualFold(p.text, v))
	}
	if resolved := p.resolve(e); resolved != matched {
		return resolved
	}
	var text strings.Builder
	for i := range p.pieces[0] {
		text.WriteString(p.pieces[0][i].literal(e))
	}
	return matchIf(strings.EqualFold(text.String(), v))
}
