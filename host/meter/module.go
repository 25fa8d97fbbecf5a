package meter

import "bytes"

// Numbers of the sections.
const (
	secCustom = iota
	secType
	secImport
	secFunction
	secTable
	secMemory
	secGlobal
	secExport
	secStart
	secElement
	secCode
	secData
	secDataCount
	sections
)

// sectionOrder is where each section stands in a file. Custom sections stand
// anywhere.
var sectionOrder = [sections]int{
	secType: 1, secImport: 2, secFunction: 3, secTable: 4, secMemory: 5, secGlobal: 6, secExport: 7,
	secStart: 8, secElement: 9, secDataCount: 10, secCode: 11, secData: 12,
}

var sectionNames = [sections]string{
	"custom section", "type section", "import section", "function section", "table section",
	"memory section", "global section", "export section", "start section", "element section",
	"code section", "data section", "data count section",
}

// Kinds of imports and exports.
const (
	kindFunction = 0
	kindTable    = 1
	kindMemory   = 2
	kindGlobal   = 3
)

// A section is a part of the file, from its first byte to its last.
type section struct {
	id       int
	from, to int // with its header
	body     int // behind its header
}

// A signature is the value types of a function. It aliases the file.
type signature struct {
	params, results []byte
	words           uint32 // that all of them take on the stack
}

// words that a value takes on the stack.
func words(typ byte) uint32 {
	if typ == typeV128 {
		return 2
	}
	return 1
}

// words that the values of a type take on the stack; 0 when there is no such type.
func (m *module) words(typ uint32) uint32 {
	if uint64(typ) >= uint64(len(m.types)) {
		return 0
	}
	return m.types[typ].words
}

// A global is one of a module's globals.
type global struct {
	typ     byte
	mutable bool
}

// A module is what the rewrite knows of a file before it reads the code.
type module struct {
	opt       *Options
	wasm      []byte
	sections  []section
	types     []signature
	functions []uint32 // type of each, imported ones first
	imported  int      // of the functions
	lends     bool     // imported ones may be called by reference
	starts    bool     // it has a start function,
	start     uint32   // this one
	globals   []global // imported ones first
	foreign   int      // imported globals
	tables    int
	memories  int
	counts    [sections]int // elements of a section, where bytes follow that are copied
	rest      [sections]int // where those begin
	code      []span        // bodies
	hidden    []string      // state that nothing outside of the guest can save
}

// A span is a range of bytes of the file.
type span struct{ from, to int }

// maxModule keeps offsets in 32 bits.
const maxModule = 1 << 30

// parse reads everything but the instructions. It allocates in proportion to
// what is there, never to what is declared.
func parse(wasm []byte) (*module, error) {
	m := &module{wasm: wasm}
	r := &reader{b: wasm, fn: -1}
	if !bytes.HasPrefix(wasm, []byte("\x00asm\x01\x00\x00\x00")) {
		r.fail(ErrMalformed, "no header of a version 1 core module")
	}
	if len(wasm) > maxModule {
		r.fail(ErrUnsupported, "%d bytes, at most %d", len(wasm), maxModule)
	}
	r.skip(8)
	for last := 0; r.more(); {
		from := r.at
		id := int(r.byte())
		if id >= sections {
			r.failAt(from, ErrUnsupported, "section %d is not of WebAssembly 2.0", id)
			break
		}
		if o := sectionOrder[id]; o != 0 && o <= last {
			r.failAt(from, ErrMalformed, "%s out of order", sectionNames[id])
			break
		}
		last = max(last, sectionOrder[id])
		s := r.sub(r.u32())
		m.sections = append(m.sections, section{id: id, from: from, body: s.at, to: r.at})
		m.section(s, id)
		r.done(s, sectionNames[id])
	}
	if defined := len(m.functions) - m.imported; r.err == nil && defined != len(m.code) {
		r.fail(ErrMalformed, "%d functions, %d bodies", defined, len(m.code))
	}
	return m, r.err
}

func (m *module) section(r *reader, id int) {
	switch id {
	case secCustom:
		r.name()
		r.at = len(r.b)
	case secType:
		m.parseTypes(r)
	case secImport:
		m.parseImports(r)
	case secFunction:
		for n := m.vector(r, id, "functions", 1); n > 0 && r.err == nil; n-- {
			m.functions = append(m.functions, r.index("type", len(m.types)))
		}
	case secTable:
		for n := m.vector(r, id, "tables", 3); n > 0 && r.err == nil; n-- {
			m.table(r)
		}
	case secMemory:
		for n := m.vector(r, id, "memories", 2); n > 0 && r.err == nil; n-- {
			m.memory(r)
		}
	case secGlobal:
		for n := m.vector(r, id, "globals", 4); n > 0 && r.err == nil; n-- {
			m.global(r)
			m.expression(r)
		}
	case secExport:
		m.parseExports(r)
	case secStart:
		m.startFunction(r)
	case secElement:
		m.parseElements(r)
	case secCode:
		for n := m.vector(r, id, "bodies", 3); n > 0 && r.err == nil; n-- {
			size := r.u32()
			from := r.at
			r.skip(int(size))
			m.code = append(m.code, span{from, r.at})
		}
	case secData:
		m.parseData(r)
	case secDataCount:
		r.u32()
	}
}

// vector begins a vector whose elements are copied as they are, perhaps with
// more behind them.
func (m *module) vector(r *reader, id int, what string, size int) int {
	n := r.count(what, size)
	m.counts[id], m.rest[id] = n, r.at
	return n
}
