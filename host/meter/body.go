package meter

// bigBulk is the number of bytes from which memory.fill and memory.copy run in
// pieces of that size, with a safe point after each.
const bigBulk = 1 << 20

// depthStep is how many words of stack make a function count for one more level
// of depth. With all of them spilled, a level takes 512 bytes; those of real
// guests take 20 to 110.
const depthStep = 64

// body writes one function of the guest: locals and instructions.
//
//	charge, take depth        as far as the function needs them
//	block                     only if it has a depth; what was a return branches to its end
//	    the guest's code
//	end
//	give depth back
//	end
func (w *writer) body(out code, fn uint32, b *body) code {
	out = w.locals(out, b)
	depth := int32(0)
	if b.calls {
		depth = int32(min(1+b.values/depthStep, 1<<30))
	}
	at := b.code.from
	for i := range b.edits {
		e := &b.edits[i]
		out = append(out, w.m.wasm[at:e.at]...)
		out = w.edit(out, e, b, depth)
		at = int(e.at) + int(e.skip)
		if i == 0 && depth > 0 {
			out = w.enter(out, fn, depth)
		}
	}
	out = append(out, w.m.wasm[at:b.code.to]...)
	if depth > 0 {
		out = w.leave(out.op(opEnd), depth)
	}
	return out.op(opEnd)
}

// locals writes the groups of locals, and two more for the bulk operations.
func (w *writer) locals(out code, b *body) code {
	groups := w.m.wasm[b.groups.from:b.groups.to]
	if !b.bulk {
		return append(out.u32(uint32(b.count)), groups...)
	}
	out = append(out.u32(uint32(b.count+1)), groups...)
	return out.u32(2).op(typeI32)
}

func (w *writer) edit(out code, e *edit, b *body, depth int32) code {
	n, result := uint32(b.locals), uint32(b.locals+1) // scratch
	guests := w.m.wasm[e.at : int(e.at)+int(e.skip)]
	switch e.what {
	case editCheck:
		return w.check(w.charge(out, e.n))
	case editCharge:
		return w.charge(out, e.n)
	case editReturn:
		if depth > 0 {
			return out.branch(opBr, e.n)
		}
		return append(out, guests...)
	case editLeave:
		if depth > 0 {
			return w.leave(out, depth)
		}
	case editLook:
		return w.look(out)
	case editFill:
		return w.piecewise(out, n, w.fillHelper(), guests)
	case editCopy:
		return w.piecewise(out, n, w.copyHelper(), guests)
	case editBytes, editItems:
		return w.lengthwise(out.tee(n), n, opI32ShrU, 2)
	case editPages:
		return w.grown(out, n, result, guests, opI32Shl, 14)
	case editRows:
		return w.grown(out, n, result, guests, opI32ShrU, 2)
	}
	return out
}

func (w *writer) charge(out code, units uint32) code {
	return out.get(w.global(globalSlice)).i32(int32(units)).op(opI32Sub).set(w.global(globalSlice))
}

// check looks whether the slice is used up. The order of the branches matters:
// wazero allocates registers as the first one leaves them, and the other one,
// which has a call, would leave them empty.
func (w *writer) check(out code) code {
	out = out.get(w.global(globalSlice)).i32(0).op(opI32GeS)
	return out.op(opIf, typeEmpty, opElse).call(w.refill).op(opEnd)
}

// lengthwise charges for the length in local n: 4 bytes or table entries to the
// unit, or 16384 units to the page. None exceeds 2^30.
func (w *writer) lengthwise(out code, n uint32, shift byte, by int32) code {
	out = out.get(w.global(globalSlice)).local(n).i32(by).op(shift, opI32Sub).set(w.global(globalSlice))
	return w.check(out)
}

// piecewise charges for a fill or copy and runs it, in a helper if it is big.
func (w *writer) piecewise(out code, n, helper uint32, guests []byte) code {
	out = w.lengthwise(out.tee(n), n, opI32ShrU, 2)
	out = out.local(n).i32(bigBulk).op(opI32GtU)
	out = out.with(opIf, w.three).call(helper)
	return append(out.op(opElse), guests...).op(opEnd)
}

// grown runs a memory.grow or table.grow and charges for it when it succeeded:
// asking for too much is how guests find out how much there is.
func (w *writer) grown(out code, n, result uint32, guests []byte, shift byte, by int32) code {
	out = append(out.tee(n), guests...)
	out = out.tee(result).i32(-1).op(opI32Ne).op(opIf, typeEmpty)
	return w.lengthwise(out, n, shift, by).op(opEnd).local(result)
}

// enter takes a function's depth and begins the block that its code is in.
func (w *writer) enter(out code, fn uint32, depth int32) code {
	out = out.get(w.global(globalDepth)).i32(depth).op(opI32Sub).set(w.global(globalDepth))
	out = out.get(w.global(globalDepth)).i32(0).op(opI32LtS).op(opIf, typeEmpty)
	out = w.trap(out, ReasonDepth).op(opEnd)
	typ := w.m.functions[fn]
	switch results := w.m.types[typ].results; len(results) {
	case 0:
		return out.op(opBlock, typeEmpty)
	case 1:
		return out.op(opBlock, results[0])
	}
	return out.with(opBlock, w.resultsOf(typ))
}

func (w *writer) leave(out code, depth int32) code {
	return out.get(w.global(globalDepth)).i32(depth).op(opI32Add).set(w.global(globalDepth))
}

func (w *writer) trap(out code, why Reason) code {
	return out.i32(int32(why)).set(w.global(globalReason)).op(opUnreachable)
}
