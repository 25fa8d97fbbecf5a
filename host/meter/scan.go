package meter

// How the charges are laid out.
//
// A charge stands for the instructions behind it, as far as none of them can be
// reached without passing it and none of them twice. So there must be one at
// each loop header, where branches back land, and at the start of a function.
// Code inside a block belongs to the charge before the block, and so does code
// behind the block: whatever way leads there, it led through that charge.
//
// A charge pays for all of its code, taken or not. One that has grown past
// chargeSpan is therefore closed, and the next instruction gets a charge of its
// own. In a function whose code is a row of cases behind a br_table, the first
// few cases belong to the loop header and each further case pays for itself.
//
// Only the charges at loop headers and function starts look whether the slice
// is used up; the others just take off. Between two looks runs no more than the
// code of the functions that return meanwhile, each once, and the depth bounds
// how much code that is.
const (
	// chargeSpan is the weight from which a charge takes no more code.
	chargeSpan = 128

	// checkSpan is how much weight in a row may go without a look at the slice.
	checkSpan = 1 << 16

	// leafSpan is the weight up to which a function without loops, calls and
	// bulk operations goes without a charge: weightCall pays for it.
	leafSpan = weightCall

	// entrySpan is the weight up to which the code before a loop is paid for in
	// each of its rounds. It saves a charge in functions that begin with a loop,
	// as do all functions that Go compiles.
	entrySpan = 16

	// maxWeight of a function keeps the slice in 32 bits at its lowest, together
	// with the 2^30 of a bulk operation and the 2^29 that all functions together
	// book while they return: 64 times the largest MaxDepth, times depthStep.
	maxWeight = 1 << 28

	// maxLocals of a function, far above what wazero takes in reasonable time.
	maxLocals = 1 << 24
)

// An edit is a place where the body of a function changes.
type edit struct {
	at   uint32 // offset in the file
	n    uint32 // weight or label
	skip uint8  // bytes of the guest that go
	what editKind
}

type editKind uint8

const (
	editNone   editKind = iota
	editCheck           // n units, then a look at the slice
	editCharge          // n units
	editReturn          // becomes a branch to label n
	editLeave           // give the function's depth back
	editLook            // a look at the stop flag
	editFill            // charge a memory.fill and run it
	editCopy            // a memory.copy
	editBytes           // charge for the number of bytes on the stack
	editItems           // charge for the number of table entries on the stack
	editPages           // charge a memory.grow once it has succeeded
	editRows            // charge a table.grow once it has succeeded
)

// A body is what the first pass finds out about a function.
type body struct {
	groups span // of locals, without their number
	count  int  // of groups
	locals int  // parameters included
	code   span // without the last end
	edits  []edit
	frames []frame
	loops  int
	calls  bool  // functions of the guest: it has a depth
	bulk   bool  // it needs scratch locals
	weight int64 // of everything
	values int64 // estimate of the stack that a call of it takes, in words
}

// A frame is an open block.
type frame struct {
	charge int32 // the edit that pays for what follows the block
	op     uint8
}

// spent stands for a charge that is not there: whatever is next needs a new one.
const spent = -1

// scan reads the body of a function and fills b, whose slices it reuses.
func (m *module) scan(r *reader, fn uint32, b *body) {
	sig := &m.types[m.functions[fn]]
	*b = body{edits: b.edits[:0], frames: b.frames[:0], locals: len(sig.params), values: int64(sig.words)}
	m.scanLocals(r, b)
	b.code.from = r.at
	s := scanner{m: m, r: r, b: b, early: true}
	s.edit(r.at, 0, editCheck, 0)
	s.open(0)
	for len(b.frames) > 0 && r.err == nil {
		s.step()
	}
	if r.err == nil && r.at != len(r.b) {
		r.fail(ErrMalformed, "body goes on behind its end")
	}
	if b.weight > maxWeight {
		r.fail(ErrUnsupported, "function of %d units, at most %d", b.weight, maxWeight)
	}
	b.code.to = r.at - 1
	if b.loops == 0 && !b.calls && !b.bulk && b.weight <= leafSpan {
		b.edits[0].what = editNone
	}
}

func (m *module) scanLocals(r *reader, b *body) {
	b.count = r.count("groups of locals", 2)
	b.groups.from = r.at
	for n := b.count; n > 0 && r.err == nil; n-- {
		count := r.u32()
		if count > maxLocals || b.locals > maxLocals {
			r.fail(ErrUnsupported, "more than %d locals", maxLocals)
			return
		}
		b.locals += int(count)
		b.values += int64(count) * int64(words(r.valueType()))
	}
	b.groups.to = r.at
}

// A scanner goes through one body.
type scanner struct {
	m      *module
	r      *reader
	b      *body
	charge int32  // index of the edit that pays for the current instruction
	blind  uint32 // weight since the last look at the slice
	early  bool   // still in straight code before the first loop, light enough to be paid for there
}

func (s *scanner) edit(at, skip int, what editKind, n uint32) {
	s.b.edits = append(s.b.edits, edit{uint32(at), n, uint8(skip), what})
}

// pay books weight for the instruction at offset at.
func (s *scanner) pay(at int, weight uint32) {
	if weight == 0 {
		return
	}
	if s.charge == spent || s.b.edits[s.charge].n >= chargeSpan {
		what := editCharge
		if s.blind > checkSpan {
			what, s.blind = editCheck, 0
		}
		s.charge = int32(len(s.b.edits))
		s.edit(at, 0, what, 0)
	}
	s.b.edits[s.charge].n += weight
	s.b.weight += int64(weight)
	s.blind += weight
}

func (s *scanner) step() {
	at := s.r.at
	i := s.r.instruction(s.m, s.b.locals, len(s.b.frames))
	s.pay(at, i.weight)
	s.b.values += int64(i.values)
	switch i.op {
	case opBlock, opIf:
		s.early = s.early && i.op == opBlock
		s.open(byte(i.op))
	case opLoop:
		s.loop()
	case opElse:
		s.otherwise(at)
	case opEnd:
		s.end()
	case opBr, opBrIf, opBrTable:
		s.early = false
	case opReturn:
		s.early = false
		s.edit(at, s.r.at-at, editReturn, uint32(len(s.b.frames)-1))
	case opCall, opReturnCall:
		host := int(i.x) < s.m.imported
		s.call(at, i.op == opReturnCall, !host, host)
	case opCallIndirect, opReturnCallIndirect:
		s.call(at, i.op == opReturnCallIndirect, true, s.m.lends)
	default:
		s.bulk(at, &i)
	}
	s.early = s.early && s.b.edits[0].n <= entrySpan
}

func (s *scanner) open(op byte) {
	if len(s.b.frames) > int(s.m.opt.MaxNesting) {
		s.r.fail(ErrLimit, "blocks are nested deeper than %d", s.m.opt.MaxNesting)
	}
	s.b.frames = append(s.b.frames, frame{s.charge, op})
}

// loop puts a charge behind the loop opcode and makes it the one that pays.
func (s *scanner) loop() {
	var before uint32
	if s.early {
		before = s.b.edits[0].n
		s.b.edits[0].what, s.charge = editNone, spent
		for i := range s.b.frames {
			s.b.frames[i].charge = spent
		}
	}
	s.early = false
	s.open(opLoop)
	s.charge = int32(len(s.b.edits))
	s.edit(s.r.at, 0, editCheck, before)
	s.b.loops++
	s.pay(s.r.at, 1)
}

func (s *scanner) otherwise(at int) {
	top := &s.b.frames[len(s.b.frames)-1]
	if top.op != opIf {
		s.r.failAt(at, ErrMalformed, "else without if")
		return
	}
	top.op = opElse
	s.charge = top.charge
}

func (s *scanner) end() {
	last := len(s.b.frames) - 1
	s.charge = s.b.frames[last].charge
	s.b.frames = s.b.frames[:last]
}

// call looks at the stop flag next to a call that may go to the host: it may have
// taken longer there than the guest in thousands of slices.
func (s *scanner) call(at int, leaves, guest, host bool) {
	s.early = false
	s.b.calls = s.b.calls || guest
	if host {
		next := s.r.at
		if leaves {
			next = at // nothing of this function runs behind it
		}
		s.edit(next, 0, editLook, 0)
	}
	if leaves {
		s.edit(at, 0, editLeave, 0)
	}
}

// bulk finds the instructions that take a time of their own, and those that
// change what a checkpoint does not hold.
func (s *scanner) bulk(at int, i *instr) {
	size := s.r.at - at
	switch i.op {
	case opMemoryFill:
		s.scratch(at, size, editFill)
	case opMemoryCopy:
		s.scratch(at, size, editCopy)
	case opMemoryInit:
		s.scratch(at, 0, editBytes)
	case opMemoryGrow:
		s.scratch(at, size, editPages)
	case opTableInit, opTableCopy, opTableFill:
		s.scratch(at, 0, editItems)
		s.m.hide("table %d is written by function %d", int(i.x), s.r.fn)
	case opTableGrow:
		s.scratch(at, size, editRows)
		s.m.hide("table %d is grown by function %d", int(i.x), s.r.fn)
	case opTableSet:
		s.m.hide("table %d is written by function %d", int(i.x), s.r.fn)
	case opDataDrop, opElemDrop:
		s.m.hide("segment %d is dropped by function %d", int(i.x), s.r.fn)
	}
}

func (s *scanner) scratch(at, skip int, what editKind) {
	s.b.bulk, s.early = true, false
	s.edit(at, skip, what, 0)
}
