package validate

import (
	"cmp"
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// An automaton is a deterministic finite automaton over classes of characters
// that the expression does not tell apart. Matching is two table look-ups for
// each character and never allocates.
type automaton struct {
	ascii   [utf8.RuneSelf]uint8 // character → class
	beyond  []classRange         // the same for all other characters, sorted
	classes int
	next    []uint16 // state*classes+class → state
	accept  []bool   // by state
}

// A classRange begins at a character and ends where the next one begins.
type classRange struct {
	from  rune
	class uint8
}

// States 0 and 1 are special: nothing leads out of dead, nothing into start.
const (
	dead  = 0
	start = 1
)

// maxStates bounds the memory of an automaton. AWS's patterns need fewer than
// 150.
const maxStates = 1000

func (a *automaton) match(s string) bool {
	state := uint16(start)
	for i := 0; i < len(s); {
		var next uint16
		if c := s[i]; c < utf8.RuneSelf {
			next = a.next[int(state)*a.classes+int(a.ascii[c])]
			i++
		} else {
			r, size := utf8.DecodeRuneInString(s[i:])
			if size == 1 {
				return false
			}
			next = a.next[int(state)*a.classes+int(a.classBeyond(r))]
			i += size
		}
		// Most characters lead back to the same state: a branch, which is
		// predicted, lets the look-up of the next character begin at once.
		if next != state {
			if next == dead {
				return false
			}
			state = next
		}
	}
	return a.accept[state]
}

func (a *automaton) classBeyond(r rune) uint8 {
	i, exact := slices.BinarySearchFunc(a.beyond, r, func(c classRange, r rune) int { return cmp.Compare(c.from, r) })
	if !exact {
		i--
	}
	return a.beyond[i].class
}

// newAutomaton returns nil for an expression that has conditions other than the
// beginning and the end of the text, ignores case, or needs too many states.
func newAutomaton(parsed *syntax.Regexp) *automaton {
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil
	}
	for i := range prog.Inst {
		switch inst := &prog.Inst[i]; inst.Op {
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
				return nil
			}
		case syntax.InstRune, syntax.InstRune1:
			if syntax.Flags(inst.Arg)&syntax.FoldCase != 0 {
				return nil
			}
		default:
		}
	}
	a := &automaton{}
	characters := a.classify(prog)
	if characters == nil || !a.determinize(prog, characters) {
		return nil
	}
	return a
}

// classify fills the classes and returns one character of each, or nil if there
// are too many. Two characters are in one class if the same instructions match
// them.
func (a *automaton) classify(prog *syntax.Prog) []rune {
	bounds := []rune{0, utf8.RuneSelf}
	for i := range prog.Inst {
		switch inst := &prog.Inst[i]; inst.Op {
		case syntax.InstRune1:
			bounds = append(bounds, inst.Rune[0], inst.Rune[0]+1)
		case syntax.InstRune:
			for j := 0; j < len(inst.Rune); j += 2 {
				bounds = append(bounds, inst.Rune[j], inst.Rune[j+1]+1)
			}
		case syntax.InstRuneAnyNotNL:
			bounds = append(bounds, '\n', '\n'+1)
		default:
		}
	}
	slices.Sort(bounds)
	bounds = slices.Compact(bounds)

	var characters []rune
	known := map[string]uint8{}
	for i, from := range bounds {
		if from > unicode.MaxRune {
			break
		}
		var matching []byte
		for pc := range prog.Inst {
			if matchesRune(&prog.Inst[pc], from) {
				matching = binary.AppendUvarint(matching, uint64(pc))
			}
		}
		class, ok := known[string(matching)]
		if !ok {
			if len(characters) > 0xFF {
				return nil
			}
			class = uint8(len(characters))
			known[string(matching)] = class
			characters = append(characters, from)
		}
		if from < utf8.RuneSelf {
			for c := from; c < bounds[i+1]; c++ {
				a.ascii[c] = class
			}
		} else if len(a.beyond) == 0 || a.beyond[len(a.beyond)-1].class != class {
			a.beyond = append(a.beyond, classRange{from, class})
		}
	}
	a.classes = len(characters)
	return characters
}

// determinize fills the states by the subset construction. It reports whether
// there were few enough.
func (a *automaton) determinize(prog *syntax.Prog, characters []rune) bool {
	a.next = make([]uint16, 2*a.classes)
	a.accept = make([]bool, 2)
	sets := [][]uint32{dead: {}, start: closure(prog, []uint32{uint32(prog.Start)}, syntax.EmptyBeginText)}
	a.accept[start] = accepts(prog, sets[start], syntax.EmptyBeginText|syntax.EmptyEndText)
	known := map[string]uint16{key(sets[dead]): dead}
	for state := start; state < len(sets); state++ {
		for class, character := range characters {
			var out []uint32
			for _, pc := range sets[state] {
				if matchesRune(&prog.Inst[pc], character) {
					out = append(out, prog.Inst[pc].Out)
				}
			}
			set := closure(prog, out, 0)
			target, ok := known[key(set)]
			if !ok {
				if len(sets) == maxStates {
					return false
				}
				target = uint16(len(sets))
				known[key(set)] = target
				sets = append(sets, set)
				a.next = append(a.next, make([]uint16, a.classes)...)
				a.accept = append(a.accept, accepts(prog, set, syntax.EmptyEndText))
			}
			a.next[state*a.classes+class] = target
		}
	}
	return true
}

// closure returns, sorted, the instructions that are reached from pcs without
// reading a character, where given is what is known of the position. Conditions
// that are not given stay in the set: the end of the text may still come.
func closure(prog *syntax.Prog, pcs []uint32, given syntax.EmptyOp) []uint32 {
	seen := map[uint32]bool{}
	var set []uint32
	for len(pcs) > 0 {
		pc := pcs[len(pcs)-1]
		pcs = pcs[:len(pcs)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch inst := &prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			pcs = append(pcs, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			pcs = append(pcs, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^given == 0 {
				pcs = append(pcs, inst.Out)
			} else {
				set = append(set, pc)
			}
		case syntax.InstFail:
		default:
			set = append(set, pc)
		}
	}
	slices.Sort(set)
	return set
}

func accepts(prog *syntax.Prog, set []uint32, given syntax.EmptyOp) bool {
	return slices.ContainsFunc(closure(prog, slices.Clone(set), given), func(pc uint32) bool {
		return prog.Inst[pc].Op == syntax.InstMatch
	})
}

func matchesRune(inst *syntax.Inst, r rune) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return inst.MatchRune(r)
	default:
		return false
	}
}

func key(set []uint32) string {
	var b []byte
	for _, pc := range set {
		b = binary.AppendUvarint(b, uint64(pc))
	}
	return string(b)
}
