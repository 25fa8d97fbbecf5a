package meter

// safePoint leaves native code and comes back, then looks whether the host
// wants the guest to stop. The order matters: what the host sets while the
// guest is outside is seen at once.
func (w *writer) safePoint(out code) code {
	return w.look(out.i32(0).op(opMemoryGrow, 0, opDrop))
}

// look traps if the host wants the guest to stop.
func (w *writer) look(out code) code {
	out = out.get(w.global(globalStop)).op(opIf, typeEmpty)
	return w.trap(out, ReasonStop).op(opEnd)
}

// refillBody is what runs when the slice is below zero: it takes the overdraft
// and a new slice off the budget.
//
//	left = budget + slice
//	if left < 0: trap
//	slice = min(left, Slice)
//	budget = left - slice
func (w *writer) refillBody() []byte {
	const left, slice = 0, 1
	full := int64(w.opt.Slice)
	c := code{}.op(1, 2, typeI64)
	c = c.get(w.global(globalBudget)).get(w.global(globalSlice)).op(opI64ExtendI32S, opI64Add).tee(left)
	c = c.i64(0).op(opI64LtS).op(opIf, typeEmpty)
	c = w.trap(c, ReasonBudget).op(opEnd)
	c = c.local(left).i64(full).local(left).i64(full).op(opI64LtS, opSelect).tee(slice)
	c = c.op(opI32WrapI64).set(w.global(globalSlice))
	c = c.local(left).local(slice).op(opI64Sub).set(w.global(globalBudget))
	return w.safePoint(c).op(opEnd)
}

// fillHelper returns the index of the function that fills piece by piece.
//
//	if to+n is beyond the memory: memory.fill, which traps
//	while n > bigBulk: memory.fill a piece; to, n = behind it; safe point
//	memory.fill the rest
func (w *writer) fillHelper() uint32 {
	if w.fill != 0 {
		return w.fill
	}
	const to, value, n = 0, 1, 2
	fill := []byte{opBulk, bulkMemoryFill, 0}
	all := append(code{}.local(to).local(value).local(n), fill...)
	piece := append(code{}.local(to).local(value).i32(bigBulk), fill...)
	c := code{}.op(0)
	c = w.inside(c, all, to, n)
	c = c.op(opLoop, typeEmpty)
	c = append(c, piece...)
	c = step(step(c, to, opI32Add), n, opI32Sub)
	c = w.safePoint(c)
	c = c.local(n).i32(bigBulk).op(opI32GtU).branch(opBrIf, 0).op(opEnd)
	c = append(c, all...)
	w.fill = w.helper(w.three, c.op(opEnd))
	return w.fill
}

// copyHelper returns the index of the function that copies piece by piece, from
// the front when to is before from and else from the back, so that no piece is
// overwritten before it is read.
func (w *writer) copyHelper() uint32 {
	if w.copy != 0 {
		return w.copy
	}
	const to, from, n = 0, 1, 2
	copying := []byte{opBulk, bulkMemoryCopy, 0, 0}
	all := append(code{}.local(to).local(from).local(n), copying...)
	piece := append(code{}.local(to).local(from).i32(bigBulk), copying...)
	last := code{}.local(to).local(n).op(opI32Add).local(from).local(n).op(opI32Add).i32(bigBulk)
	last = append(last, copying...)
	c := code{}.op(0)
	c = w.inside(w.inside(c, all, to, n), all, from, n)
	c = c.local(to).local(from).op(opI32LeU).op(opIf, typeEmpty, opLoop, typeEmpty)
	c = append(c, piece...)
	c = step(step(step(c, to, opI32Add), from, opI32Add), n, opI32Sub)
	c = w.safePoint(c)
	c = c.local(n).i32(bigBulk).op(opI32GtU).branch(opBrIf, 0).op(opEnd)
	c = c.op(opElse, opLoop, typeEmpty)
	c = step(c, n, opI32Sub)
	c = append(c, last...)
	c = w.safePoint(c)
	c = c.local(n).i32(bigBulk).op(opI32GtU).branch(opBrIf, 0).op(opEnd).op(opEnd)
	c = append(c, all...)
	w.copy = w.helper(w.three, c.op(opEnd))
	return w.copy
}

// inside runs all, which traps, unless n bytes from the address in a local are
// in the memory.
func (w *writer) inside(c code, all []byte, address, n uint32) code {
	c = c.op(opBlock, typeEmpty)
	c = c.local(address).op(opI64ExtendI32U).local(n).op(opI64ExtendI32U, opI64Add)
	c = c.op(opMemorySize, 0, opI64ExtendI32U).i64(16).op(opI64Shl)
	c = c.op(opI64LeU).branch(opBrIf, 0)
	return append(c, all...).op(opUnreachable, opEnd)
}

// step moves a local by one piece.
func step(c code, local uint32, op byte) code {
	return c.local(local).i32(bigBulk).op(op).setLocal(local)
}
