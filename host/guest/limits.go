package guest

import "github.com/yimmo-host/yimmo-host/host/meter"

// What a module may be and declare: the unit, the bound, what it stops, and what
// real modules come to. "Go's compiler" is cmd/compile built for wasip1, 49 MB:
// the largest that was looked at. No setting changes these; what compiling may
// take is a setting, see [Limits of compiling].
//
// Each count is also held against the bytes that are left in the file.
//
// [Limits of compiling]: CompileLimits
const (
	// Bytes of the file. Stops what would take minutes to compile and fill the
	// cache.
	maxModule = 64 << 20

	// Function types. Each is looked up by each function and import. Go's
	// compiler has 18, large C++ programs some hundreds.
	maxTypes = 10_000

	// Parameters, and results, of one function. Compiling takes time by their
	// square. Compilers pass 1000 at most.
	maxValues = 1000

	// Imports. WASI has 46 functions; Go's linker lists some of them twice.
	maxImports = 1000

	// Functions of the module itself. Each costs some hundred bytes in the host,
	// however small it is. Go's compiler has 19,930.
	maxFuncs = 100_000

	// Bytes of one function. The compiler works on one at a time and cannot be
	// interrupted in it. The largest of Go's compiler has 666,326.
	maxBody = 1 << 20

	// Locals of one function, and of all: the host has a byte for each, and the
	// compiler a value in each block. Linkers merge them into a few dozen; a
	// debug build of Rust has some thousands.
	maxLocals   = 50_000
	maxLocalSum = 2_000_000

	// Blocks inside each other: the compiler keeps something for each level at
	// each step. Go makes one for each part of a function that it may come back
	// to, 7741 in the worst of its compiler; others a few dozen.
	maxNesting = 10_000

	// Targets of one br_table, for the same reason. Go's compiler has 12,048,
	// the specification's tests 24,615.
	maxLabels = 30_000

	// Tables, and entries of all of them together, as declared and as grown
	// (a word each, outside of the memory quota). Compilers make one table with
	// an entry for each function whose address is taken.
	maxTables = 8
	maxTable  = 100_000

	// Pages of memory: with one more, sizes no longer fit 32 bits. The quota is
	// the operator's, see [Options.MemoryMax].
	maxPages = 65535

	// Globals. Each costs an instance some hundred bytes. Go has 8, what is
	// linked for relocation some hundreds.
	maxGlobals = 10_000

	// Exports: a name and a place in a map for each instance.
	maxExports = 10_000

	// Segments of elements, and of data. Go's linker merges the data of a large
	// program into exactly so many.
	maxSegments = 100_000

	// Elements of all segments: a word for each in each instance.
	maxElements = 200_000

	// Custom sections. A debug build has about ten. Their content is skipped, but
	// for names.
	maxCustoms = 1000

	// Bytes of one name, and number of names in the name section. The longest
	// that C++ makes have some thousands.
	maxName  = 100_000
	maxNames = 1_000_000

	// Instructions of one constant expression. Compilers need one or two.
	maxExpr = 1000
)

// metering is how modules are rewritten: those of the bounds above that need a
// look at instructions, and the bounds of a run that no setting changes.
var metering = meter.Options{
	MaxTable:   maxTable,
	MaxNesting: maxNesting,
	MaxLabels:  maxLabels,
}
