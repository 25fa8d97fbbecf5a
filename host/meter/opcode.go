package meter

// Opcodes that the rewrite looks at or writes.
const (
	opUnreachable        = 0x00
	opBlock              = 0x02
	opLoop               = 0x03
	opIf                 = 0x04
	opElse               = 0x05
	opEnd                = 0x0b
	opBr                 = 0x0c
	opBrIf               = 0x0d
	opBrTable            = 0x0e
	opReturn             = 0x0f
	opCall               = 0x10
	opCallIndirect       = 0x11
	opReturnCall         = 0x12
	opReturnCallIndirect = 0x13
	opDrop               = 0x1a
	opSelect             = 0x1b
	opLocalGet           = 0x20
	opLocalSet           = 0x21
	opLocalTee           = 0x22
	opGlobalGet          = 0x23
	opGlobalSet          = 0x24
	opTableSet           = 0x26
	opMemorySize         = 0x3f
	opMemoryGrow         = 0x40
	opI32Const           = 0x41
	opI64Const           = 0x42
	opI32LtS             = 0x48
	opI32GtU             = 0x4b
	opI32LeU             = 0x4d
	opI32GeS             = 0x4e
	opI32Ne              = 0x47
	opI64LtS             = 0x53
	opI64LeU             = 0x58
	opI32Add             = 0x6a
	opI32Sub             = 0x6b
	opI32Shl             = 0x74
	opI32ShrU            = 0x76
	opI64Add             = 0x7c
	opI64Sub             = 0x7d
	opI64Shl             = 0x86
	opI32WrapI64         = 0xa7
	opI64ExtendI32S      = 0xac
	opI64ExtendI32U      = 0xad
	opRefFunc            = 0xd2
	opBulk               = 0xfc // prefix: saturating conversions, bulk memory, tables
	opVector             = 0xfd // prefix: SIMD
	opAtomic             = 0xfe // prefix: threads
)

// Opcodes behind the prefix opBulk.
const (
	bulkMemoryInit = 8
	bulkDataDrop   = 9
	bulkMemoryCopy = 10
	bulkMemoryFill = 11
	bulkTableInit  = 12
	bulkElemDrop   = 13
	bulkTableCopy  = 14
	bulkTableGrow  = 15
	bulkTableSize  = 16
	bulkTableFill  = 17
)

// The same as [instr] has them.
const (
	opMemoryInit = opBulk<<8 | bulkMemoryInit
	opDataDrop   = opBulk<<8 | bulkDataDrop
	opMemoryCopy = opBulk<<8 | bulkMemoryCopy
	opMemoryFill = opBulk<<8 | bulkMemoryFill
	opTableInit  = opBulk<<8 | bulkTableInit
	opElemDrop   = opBulk<<8 | bulkElemDrop
	opTableCopy  = opBulk<<8 | bulkTableCopy
	opTableGrow  = opBulk<<8 | bulkTableGrow
	opTableFill  = opBulk<<8 | bulkTableFill
)

// Value types, and the block type of a block that leaves nothing.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
	typeEmpty     = 0x40
)

func isValueType(t byte) bool { return t >= typeV128 && t <= typeI32 || isReference(t) }
func isReference(t byte) bool { return t == typeFuncref || t == typeExternref }

// What follows an opcode.
type form uint8

const (
	formRefused form = iota
	formNone
	formBlock        // block type
	formLabel        // label
	formBrTable      // labels
	formFunction     // index of a function
	formCallIndirect // type and table
	formSelect       // exactly one value type
	formLocal
	formGlobal
	formTable
	formAccess // alignment and offset
	formMemory // index of a memory, one zero byte
	formI32
	formI64
	formF32
	formF64
	formRefType
	formPrefix
)

var forms = func() (f [256]form) {
	set := func(form form, from, to int) {
		for op := from; op <= to; op++ {
			f[op] = form
		}
	}
	set(formNone, 0x00, 0x01)  // unreachable, nop
	set(formBlock, 0x02, 0x04) // block, loop, if
	set(formNone, opElse, opElse)
	set(formNone, opEnd, opEnd)
	set(formLabel, opBr, opBrIf)
	set(formBrTable, opBrTable, opBrTable)
	set(formNone, opReturn, opReturn)
	set(formFunction, opCall, opCall)
	set(formCallIndirect, opCallIndirect, opCallIndirect)
	set(formFunction, opReturnCall, opReturnCall)
	set(formCallIndirect, opReturnCallIndirect, opReturnCallIndirect)
	set(formNone, opDrop, opSelect)
	set(formSelect, 0x1c, 0x1c)
	set(formLocal, opLocalGet, opLocalTee)
	set(formGlobal, opGlobalGet, opGlobalSet)
	set(formTable, 0x25, opTableSet)
	set(formAccess, 0x28, 0x3e)
	set(formMemory, opMemorySize, opMemoryGrow)
	set(formI32, opI32Const, opI32Const)
	set(formI64, opI64Const, opI64Const)
	set(formF32, 0x43, 0x43)
	set(formF64, 0x44, 0x44)
	set(formNone, 0x45, 0xc4) // numeric
	set(formRefType, 0xd0, 0xd0)
	set(formNone, 0xd1, 0xd1) // ref.is_null
	set(formFunction, opRefFunc, opRefFunc)
	set(formPrefix, opBulk, opVector)
	return f
}()

// Weights of instructions in units. A unit is about what an addition takes, a
// fraction of a nanosecond; what takes some ten times as long has a weight of
// its own, and what only shapes the code has none.
const (
	weightCall    = 16 // also pays for a callee that is too small to be metered itself
	weightImport  = 64 // leaves the guest
	weightGrow    = 64 // likewise
	weightDivide  = 8  // division, square root
	weightSegment = 16 // data.drop and the like
)

// plainWeight is that of an opcode without immediates.
func plainWeight(op byte) uint32 {
	switch {
	case op == opEnd, op == opElse, op == 0x01:
		return 0
	case op >= 0x6d && op <= 0x70, op >= 0x7f && op <= 0x82: // integer division and remainder
		return weightDivide
	case op == 0x91, op == 0x95, op == 0x9f, op == 0xa3: // square root and division of floats
		return weightDivide
	}
	return 1
}
