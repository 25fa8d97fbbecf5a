package deflate

// A stream is one message's DEFLATE blocks (RFC 1951), fed and drained in
// parts: it stops wherever input or room ends, and goes on from there.
//
// What it keeps between calls is little, because tables are made again from
// the code lengths, and because a symbol with everything that belongs to it is
// taken as a whole or not at all: it has at most 48 bits, and held holds 64.
type stream struct {
	held  uint64 // bits taken from the input and not yet used, the next one lowest
	nheld uint   // how many; the bits above are zero

	step  step
	final bool // the block at hand is marked as the last, which only aligns what follows

	left int // bytes to come of a stored block or of the match at hand
	dist int // of that match, how far back

	// The header of a dynamic block, section 3.2.7.
	nlit, ndist, npre int
	have              int // code lengths read so far
	pre               [preSymbols]uint8
	lens              [litSymbols + distSymbols]uint8

	// The tables last used, and the stamp they had: if it is still theirs they
	// are this block's.
	tables *tables
	stamp  uint64
}

// step says what the next bits are.
type step uint8

const (
	atBlock   step = iota // a block's header
	atSize                // the sizes of a stored block; byte-aligned
	inStored              // its bytes
	atCounts              // the counts of a dynamic block's header
	inPre                 // its code lengths of code lengths
	inLens                // its code lengths
	inFixed               // symbols of the fixed code
	inDynamic             // symbols of a code of this block's own
)

// progress says why a stream stopped.
type progress uint8

const (
	wantsInput progress = iota
	wantsRoom           // more bytes would come out; the input may be used up
	broken
)

// reset makes s ready for a new message. It keeps what belongs to the tables.
func (s *stream) reset() {
	s.held, s.nheld, s.step, s.final, s.left = 0, 0, atBlock, false, 0
}

// complete reports whether a message may end here: inside an empty stored
// block, four bytes before its end, which are those that the sender takes off
// (RFC 7692 section 7.2.1); or at the end of a block that fills its last byte.
// The latter is laxer than the RFC: it takes a last block without the stored
// one behind it, and messages of no bytes at all, which some clients send.
func (s *stream) complete() bool {
	return s.nheld == 0 && (s.step == atSize || s.step == atBlock)
}

// A flow is one call's input and output.
type flow struct {
	src  []byte
	i    int // of src, how many are taken
	dst  []byte
	n    int // of dst, how many are written
	past *window
}

// run inflates until input or room ends. t must be prepared for s; bytes of dst
// behind what is written may change.
func (s *stream) run(f *flow, t *tables) progress {
	for {
		var p progress
		var on bool // go on with the next step
		switch s.step {
		case atBlock:
			p, on = s.block(f)
		case atSize:
			p, on = s.size(f)
		case inStored:
			p, on = s.stored(f)
		case atCounts:
			p, on = s.counts(f)
		case inPre:
			p, on = s.preLengths(f, t)
		case inLens:
			p, on = s.lengths(f, t)
		case inFixed:
			p, on = s.symbols(f, fixed())
		case inDynamic:
			p, on = s.symbols(f, t)
		}
		if !on {
			return p
		}
	}
}

// prepare makes t what s needs to go on, unless it is that already.
func (s *stream) prepare(t *tables) {
	if s.step != inLens && s.step != inDynamic || s.tables == t && s.stamp == t.stamp {
		return
	}
	if s.step == inLens { // all of these were built before: they cannot fail
		s.buildPre(t)
	} else {
		s.buildCodes(t)
	}
}

func (s *stream) buildPre(t *tables) (ok bool) {
	t.stamp++
	s.tables, s.stamp = t, t.stamp
	t.preBits, ok = build(t.pre[:], preRoot, s.pre[:], preBase)
	return ok
}

func (s *stream) buildCodes(t *tables) bool {
	t.stamp++
	s.tables, s.stamp = t, t.stamp
	var okLit, okDist bool
	t.litBits, okLit = build(t.lit[:], litRoot, s.lens[:s.nlit], litBase)
	t.distBits, okDist = build(t.dist[:], distRoot, s.lens[s.nlit:s.nlit+s.ndist], distBase)
	return okLit && okDist
}

// fetch makes sure that n bits are held, n <= 57, or reports false.
func (s *stream) fetch(f *flow, n uint) bool {
	for s.nheld < n {
		if f.i == len(f.src) {
			return false
		}
		s.held |= uint64(f.src[f.i]) << s.nheld
		s.nheld += 8
		f.i++
	}
	return true
}

// take uses n bits that are held.
func (s *stream) take(n uint) (bits uint) {
	bits = uint(s.held) & (1<<n - 1)
	s.held >>= n
	s.nheld -= n
	return bits
}

// align drops what is left of the byte at hand.
func (s *stream) align() { s.take(s.nheld & 7) }

// endBlock begins the next block. Behind one that is marked as the last it
// begins with a new byte, RFC 7692 section 7.2.1.
func (s *stream) endBlock() {
	if s.final {
		s.align()
	}
	s.step = atBlock
}

func (s *stream) block(f *flow) (progress, bool) {
	if !s.fetch(f, 3) {
		return wantsInput, false
	}
	s.final = s.take(1) == 1
	switch s.take(2) {
	case 0:
		s.align()
		s.step = atSize
	case 1:
		s.step = inFixed
	case 2:
		s.step = atCounts
	default:
		return broken, false
	}
	return 0, true
}

func (s *stream) size(f *flow) (progress, bool) {
	if !s.fetch(f, 32) {
		return wantsInput, false
	}
	size, check := s.take(16), s.take(16)
	if size != ^check&0xffff {
		return broken, false
	}
	s.left = int(size)
	s.step = inStored
	return 0, true
}

func (s *stream) stored(f *flow) (progress, bool) {
	for ; s.left > 0 && s.nheld > 0 && f.n < len(f.dst); s.left-- {
		f.dst[f.n] = byte(s.take(8))
		f.n++
	}
	if s.left > 0 && s.nheld == 0 {
		n := copy(f.dst[f.n:], f.src[f.i:min(len(f.src), f.i+s.left)])
		f.n, f.i, s.left = f.n+n, f.i+n, s.left-n
	}
	switch {
	case s.left == 0:
		s.endBlock()
		return 0, true
	case f.n == len(f.dst) && (s.nheld > 0 || f.i < len(f.src)):
		return wantsRoom, false
	}
	return wantsInput, false
}

func (s *stream) counts(f *flow) (progress, bool) {
	if !s.fetch(f, 14) {
		return wantsInput, false
	}
	s.nlit, s.ndist, s.npre = int(s.take(5))+257, int(s.take(5))+1, int(s.take(4))+4
	if s.nlit > 286 || s.ndist > 30 {
		return broken, false
	}
	s.pre, s.have, s.step = [preSymbols]uint8{}, 0, inPre
	return 0, true
}

// preOrder is the order in which the lengths of the code of code lengths come.
var preOrder = [preSymbols]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

func (s *stream) preLengths(f *flow, t *tables) (progress, bool) {
	for ; s.have < s.npre; s.have++ {
		if !s.fetch(f, 3) {
			return wantsInput, false
		}
		s.pre[preOrder[s.have]] = uint8(s.take(3))
	}
	if !s.buildPre(t) {
		return broken, false
	}
	s.have, s.step = 0, inLens
	return 0, true
}

func (s *stream) lengths(f *flow, t *tables) (progress, bool) {
	for all := s.nlit + s.ndist; s.have < all; {
		e, ok := s.lookup(f, t.pre[:], t.preBits, 0)
		if !ok {
			return wantsInput, false
		}
		n := uint(e & lengthMask)
		if n == 0 {
			return broken, false
		}
		symbol := uint8(e >> valueShift)
		if symbol < 16 {
			s.take(n)
			s.lens[s.have] = symbol
			s.have++
			continue
		}
		var value uint8
		var extra uint
		times := 3
		switch symbol {
		case 16:
			if extra = 2; s.have == 0 {
				return broken, false
			}
			value = s.lens[s.have-1]
		case 17:
			extra = 3
		case 18:
			extra, times = 7, 11
		}
		if !s.fetch(f, n+extra) {
			return wantsInput, false
		}
		s.take(n)
		times += int(s.take(extra))
		if s.have+times > all {
			return broken, false
		}
		for ; times > 0; times-- {
			s.lens[s.have] = value
			s.have++
		}
	}
	if !s.buildCodes(t) {
		return broken, false
	}
	s.step = inDynamic
	return 0, true
}
