package meter

import "slices"

// The sections of the binary format.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

// order is where each section stands; data count comes before code.
var order = [...]int{sectionType: 1, sectionImport: 2, sectionFunction: 3, sectionTable: 4, sectionMemory: 5, sectionGlobal: 6, sectionExport: 7, sectionStart: 8, sectionElement: 9, sectionDataCount: 10, sectionCode: 11, sectionData: 12}

const valueI64 = 0x7e

// mostValues are how many parameters or results a function may have.
const mostValues = 1000

// A rewriter reads a module and writes it with metering. The import that it
// adds is the last one, so each function that the module defines has an index
// one higher than before; the global that it adds has the last index.
type rewriter struct {
	reader

	limits Limits
	out    []byte

	types       []FunctionType
	imports     []Import
	exports     []Export
	defined     []uint32 // types of the functions that the module defines
	globals     uint32   // that the module defines
	memoryPages uint32
	written     [len(order)]bool
	names       []byte // the name section, or nil
}

func (w *rewriter) module() {
	if string(w.bytes(8)) != "\x00asm\x01\x00\x00\x00" {
		w.pos = 0
		w.reject("this is no WebAssembly core module, version 1; components are not supported")
	}
	w.out = append(w.out, w.data[:8]...)
	last := 0
	for w.more() {
		at := w.pos
		id := w.byte()
		s := w.section()
		if id == sectionCustom {
			w.custom(s)
			continue
		}
		if int(id) >= len(order) || order[id] <= last {
			w.pos = at
			w.reject("section %d is unknown, or stands where it may not", id)
		}
		last = order[id]
		// Sections that the module lacks and metering needs.
		w.need(last, sectionType, sectionImport, sectionGlobal, sectionExport)
		outer := w.reader
		w.reader = s
		w.rewriteSection(int(id))
		w.reader = outer
	}
	w.need(len(order), sectionType, sectionImport, sectionGlobal, sectionExport)
	if len(w.defined) > 0 && !w.written[sectionCode] {
		w.reject("the code section is missing")
	}
	if w.names != nil {
		w.functionNames()
	}
}

// need writes those of the sections that belong before a place and are missing.
func (w *rewriter) need(place int, sections ...int) {
	for _, id := range sections {
		if order[id] < place && !w.written[id] {
			outer := w.reader
			w.reader = reader{data: []byte{0}, end: 1} // an empty vector
			w.rewriteSection(id)
			w.reader = outer
		}
	}
}

func (w *rewriter) rewriteSection(id int) {
	w.written[id] = true
	switch id {
	case sectionType:
		w.typeSection()
	case sectionImport:
		w.importSection()
	case sectionFunction:
		w.functionSection()
	case sectionTable:
		w.tableSection()
	case sectionMemory:
		w.memorySection()
	case sectionGlobal:
		w.globalSection()
	case sectionExport:
		w.exportSection()
	case sectionStart:
		w.reject("a start section: code that runs before the host can limit it")
	case sectionElement:
		w.elementSection()
	case sectionCode:
		w.codeSection()
	case sectionData:
		w.dataSection()
	case sectionDataCount:
		w.out = appendSection(w.out, sectionDataCount, appendU32(nil, w.count(w.limits.DataSegments, "data segments")))
	}
	w.done("a section")
}

// count reads the length of a vector, each element of which takes a byte at least.
func (w *rewriter) count(limit uint32, what string) uint32 {
	n := w.u32()
	if n > limit {
		w.reject("%d %s, the limit is %d", n, what, limit)
	}
	return n
}

func (w *rewriter) typeSection() {
	n := w.count(w.limits.Functions, "types")
	out := appendU32(nil, n+1)
	start := w.pos
	for range n {
		if form := w.byte(); form != 0x60 {
			w.reject("a type of the form %#x; only function types are supported", form)
		}
		params := w.bytes(w.count(mostValues, "parameters"))
		results := w.bytes(w.count(mostValues, "results"))
		w.types = append(w.types, FunctionType{string(params), string(results)})
	}
	out = append(out, w.data[start:w.pos]...)
	out = append(out, 0x60, 0, 0) // of refuel
	w.out = appendSection(w.out, sectionType, out)
}

func (w *rewriter) typeIndex() uint32 {
	i := w.u32()
	if int(i) >= len(w.types) {
		w.reject("type %d does not exist", i)
	}
	return i
}

func (w *rewriter) importSection() {
	n := w.count(w.limits.Imports, "imports")
	out := appendU32(nil, n+1)
	for range n {
		start := w.pos
		i := Import{Module: w.name(), Name: w.name()}
		if i.Module == ImportModule {
			w.reject("the import %s has a name that is reserved", i)
		}
		if kind := w.byte(); kind != 0 {
			w.reject("the import %s is no function", i)
		}
		i.Type = w.types[w.typeIndex()]
		w.imports = append(w.imports, i)
		out = append(out, w.data[start:w.pos]...)
	}
	out = appendName(appendName(out, ImportModule), ImportFunction)
	out = appendU32(append(out, 0), uint32(len(w.types)))
	w.out = appendSection(w.out, sectionImport, out)
}

func (w *rewriter) functionSection() {
	n := w.count(w.limits.Functions, "functions")
	start := w.pos
	for range n {
		w.defined = append(w.defined, w.typeIndex())
	}
	w.out = appendSection(w.out, sectionFunction, append(appendU32(nil, n), w.data[start:w.pos]...))
}

func (w *rewriter) tableSection() {
	start := w.pos
	for range w.count(w.limits.Tables, "tables") {
		if kind := w.byte(); kind != 0x70 {
			w.reject("a table of other things than functions")
		}
		least, greatest := w.sizes("table")
		if least > w.limits.TableEntries || greatest != nil && *greatest > w.limits.TableEntries {
			w.reject("a table of up to %d entries, the limit is %d", max(least, value(greatest)), w.limits.TableEntries)
		}
	}
	w.out = appendSection(w.out, sectionTable, w.data[start:w.pos])
}

func value(n *uint32) uint32 {
	if n == nil {
		return 0
	}
	return *n
}

// sizes reads the limits of a table or memory; without the second, it has none.
func (w *rewriter) sizes(of string) (least uint32, greatest *uint32) {
	switch kind := w.byte(); kind {
	case 0:
		return w.u32(), nil
	case 1:
		least = w.u32()
		most := w.u32()
		return least, &most
	default:
		w.reject("a %s that is shared, or of 64 bits", of)
		return 0, nil
	}
}

func (w *rewriter) memorySection() {
	start := w.pos
	for range w.count(1, "memories") {
		w.memoryPages, _ = w.sizes("memory")
		if w.memoryPages > w.limits.MemoryPages {
			w.reject("a memory of at least %d pages, the limit is %d", w.memoryPages, w.limits.MemoryPages)
		}
	}
	w.out = appendSection(w.out, sectionMemory, w.data[start:w.pos])
}

func (w *rewriter) globalSection() {
	n := w.count(w.limits.Globals, "globals")
	out := appendU32(nil, n+1)
	start := w.pos
	for range n {
		w.byte() // value type
		w.byte() // mutability
		w.constant()
		w.globals++
	}
	out = append(out, w.data[start:w.pos]...)
	out = append(out, valueI64, 1, opI64Const, 0, opEnd)
	w.out = appendSection(w.out, sectionGlobal, out)
}

// constant skips an expression that initializes something.
func (w *rewriter) constant() {
	for {
		switch op := w.byte(); op {
		case opEnd:
			return
		case opI32Const:
			w.signed(5)
		case opI64Const:
			w.signed(10)
		case opF32Const:
			w.bytes(4)
		case opF64Const:
			w.bytes(8)
		case opGlobalGet:
			w.globalIndex()
		case opSIMD:
			if w.u32() != simdConst {
				w.reject("an instruction in an initializer")
			}
			w.bytes(16)
		default:
			w.reject("instruction %#x in an initializer", op)
		}
	}
}

// globalIndex keeps the code away from the fuel, whose index is the first that
// the module does not have.
func (w *rewriter) globalIndex() uint32 {
	i := w.u32()
	if i >= w.globals {
		w.reject("global %d does not exist", i)
	}
	return i
}

// functionIndex reads the index of a function and returns the one it has now.
func (w *rewriter) functionIndex() uint32 {
	i := w.u32()
	if int(i) >= len(w.imports)+len(w.defined) {
		w.reject("function %d does not exist", i)
	}
	return w.moved(i)
}

func (w *rewriter) moved(function uint32) uint32 {
	if int(function) >= len(w.imports) {
		return function + 1
	}
	return function
}

// refuel is the index of the function that is imported for metering.
func (w *rewriter) refuel() uint32 { return uint32(len(w.imports)) }

func (w *rewriter) exportSection() {
	n := w.count(w.limits.Exports, "exports")
	out := appendU32(nil, n+1)
	for range n {
		e := Export{Name: w.name(), Kind: ExportKind(w.byte())}
		if e.Name == FuelExport {
			w.reject("the export %s has a name that is reserved", e.Name)
		}
		out = append(appendName(out, e.Name), byte(e.Kind))
		switch e.Kind {
		case ExportFunction:
			at := w.pos
			i := w.functionIndex()
			e.Type = w.functionType(i, at)
			out = appendU32(out, i)
		case ExportGlobal:
			out = appendU32(out, w.globalIndex())
		case ExportTable, ExportMemory:
			out = appendU32(out, w.u32())
		default:
			w.reject("the export %s is of an unknown kind", e.Name)
		}
		w.exports = append(w.exports, e)
	}
	out = append(appendName(out, FuelExport), byte(ExportGlobal))
	w.out = appendSection(w.out, sectionExport, appendU32(out, w.globals))
}

// functionType is the type of a function by the index that it has now.
func (w *rewriter) functionType(i uint32, at int) FunctionType {
	if i < w.refuel() {
		w.pos = at
		w.reject("an import is exported")
	}
	return w.types[w.defined[i-w.refuel()-1]]
}

func (w *rewriter) elementSection() {
	n := w.count(w.limits.TableEntries, "element segments")
	out := appendU32(nil, n)
	for range n {
		start := w.pos
		flags := w.u32()
		if flags > 3 {
			w.reject("an element segment of expressions, which needs reference types")
		}
		if flags == 2 {
			w.u32() // table
		}
		if flags%2 == 0 {
			w.constant() // offset
		}
		if flags != 0 && w.byte() != 0 {
			w.reject("an element segment of other things than functions")
		}
		out = append(out, w.data[start:w.pos]...)
		functions := w.count(w.limits.TableEntries, "functions in an element segment")
		out = appendU32(out, functions)
		for range functions {
			out = appendU32(out, w.functionIndex())
		}
	}
	w.out = appendSection(w.out, sectionElement, out)
}

func (w *rewriter) codeSection() {
	if n := w.u32(); int(n) != len(w.defined) {
		w.reject("%d function bodies for %d functions", n, len(w.defined))
	}
	// The length of the section comes before it and is known after it: the
	// bodies are written behind a gap that is as long as a length can be.
	const gap = 5
	start := len(w.out)
	w.out = append(w.out, make([]byte, 1+gap)...)
	w.out = appendU32(w.out, uint32(len(w.defined)))
	var f function
	for _, t := range w.defined {
		body := w.section()
		if size := body.end - body.pos; size > int(w.limits.FunctionBodyBytes) {
			w.reject("a function of %d bytes, the limit is %d", size, w.limits.FunctionBodyBytes)
		}
		f.rewrite(w, body, w.types[t])
		w.out = appendU32(w.out, uint32(len(f.body)))
		w.out = append(w.out, f.body...)
	}
	length := appendU32([]byte{sectionCode}, uint32(len(w.out)-start-1-gap))
	w.out = slices.Replace(w.out, start, start+1+gap, length...)
}

// dataSection refers to nothing that moves, but runtimes take its counts at
// their word when they make room for it.
func (w *rewriter) dataSection() {
	start := w.pos
	for range w.count(w.limits.DataSegments, "data segments") {
		flags := w.u32()
		if flags > 2 {
			w.reject("a data segment of an unknown kind")
		}
		if flags == 2 {
			w.u32() // memory
		}
		if flags != 1 {
			w.constant() // offset
		}
		w.bytes(w.u32())
	}
	w.out = appendSection(w.out, sectionData, w.data[start:w.pos])
}

// custom drops all custom sections but the names, which traces show.
func (w *rewriter) custom(s reader) {
	if s.name() == "name" && w.names == nil {
		w.names = s.data[s.pos:s.end]
	}
}

// functionNames writes the names of functions by their new indexes. Names are
// for people: what is malformed is left out.
func (w *rewriter) functionNames() {
	var names []byte
	func() {
		defer func() {
			if _, rejected := recover().(*RejectedError); rejected {
				names = nil
			}
		}()
		r := reader{data: w.names, end: len(w.names)}
		for r.more() {
			id := r.byte()
			s := r.section()
			if id != 1 {
				continue
			}
			n := s.u32()
			all := appendU32(nil, n)
			for range n {
				i := s.u32()
				all = appendName(appendU32(all, w.moved(i)), s.name())
			}
			names = all
		}
	}()
	if names != nil {
		w.out = appendSection(w.out, sectionCustom, appendSection(appendName(nil, "name"), 1, names))
	}
}
