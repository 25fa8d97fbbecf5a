package deflate

import "encoding/binary"

// lookup finds the code behind skip held bits, and fetches what it needs for
// that. Nothing is used up. A code length of 0 means that there is no such
// code. It reports false when the input ends inside the code.
func (s *stream) lookup(f *flow, table []entry, root, skip uint) (entry, bool) {
	for {
		bits := s.held >> skip
		e := table[bits&(1<<root-1)]
		if e&isLink != 0 {
			e = table[uint64(e>>valueShift)+bits>>root&(1<<(e>>extraShift&15)-1)]
		}
		if need := skip + uint(e&lengthMask); need <= s.nheld && (e&lengthMask != 0 || s.nheld > skip) {
			return e, true
		}
		if !s.fetch(f, s.nheld+1) {
			return 0, false
		}
	}
}

// symbols decodes a block's symbols, in two gears: fast while there is plenty of
// input and room, and with care at the ends of both.
func (s *stream) symbols(f *flow, t *tables) (progress, bool) {
	for {
		if s.left > 0 {
			if n := f.match(s.dist, s.left); n < 0 {
				return broken, false
			} else if s.left -= n; s.left > 0 {
				return wantsRoom, false
			}
		}
		if len(f.src)-f.i >= fastInput && len(f.dst)-f.n >= fastRoom {
			if !s.fast(f, t) {
				return broken, false
			}
			if s.step == atBlock {
				return 0, true
			}
			if s.left > 0 {
				continue
			}
		}
		if p, on := s.symbol(f, t); !on || s.step == atBlock {
			return p, on
		}
	}
}

// symbol decodes one symbol: a byte, a match (left in left and dist) or the end
// of the block.
func (s *stream) symbol(f *flow, t *tables) (progress, bool) {
	e, ok := s.lookup(f, t.lit[:], t.litBits, 0)
	n := uint(e & lengthMask)
	switch {
	case !ok:
		return wantsInput, false
	case n == 0 || e&isBad != 0:
		return broken, false
	case e&isLiteral != 0:
		if f.n == len(f.dst) {
			return wantsRoom, false
		}
		s.take(n)
		f.dst[f.n] = byte(e >> valueShift)
		f.n++
		return 0, true
	case e&isEnd != 0:
		s.take(n)
		s.endBlock()
		return 0, true
	}
	extra := uint(e >> extraShift & 15)
	if !s.fetch(f, n+extra) {
		return wantsInput, false
	}
	d, ok := s.lookup(f, t.dist[:], t.distBits, n+extra)
	if !ok {
		return wantsInput, false
	}
	nd, extraDist := uint(d&lengthMask), uint(d>>extraShift&15)
	if nd == 0 || d&isBad != 0 {
		return broken, false
	}
	if !s.fetch(f, n+extra+nd+extraDist) {
		return wantsInput, false
	}
	s.take(n)
	s.left = int(e>>valueShift) + int(s.take(extra))
	s.take(nd)
	s.dist = int(d>>valueShift) + int(s.take(extraDist))
	return 0, true
}

// What one round of [stream.fast] may take and write: two words of input; two
// bytes, a match and what its copying overshoots.
const (
	fastInput = 16
	fastRoom  = 2 + 258 + 16
)

// fast decodes symbols while a round of them cannot run out of input or room.
// It stops before a match that begins before this call's output, and behind
// the end of the block. It reports false when the data is broken.
func (s *stream) fast(f *flow, t *tables) (ok bool) {
	src, dst := f.src, f.dst
	i, n := f.i, f.n
	held, nheld := s.held, s.nheld
	lit, dist := t.lit[:], t.dist[:]
	litMask, distMask := uint64(1)<<t.litBits-1, uint64(1)<<t.distBits-1
	litBits, distBits := t.litBits, t.distBits
	farthest := f.past.size
	ok = true
	for len(src)-i >= fastInput && len(dst)-n >= fastRoom {
		held |= binary.LittleEndian.Uint64(src[i:]) << (nheld & 63)
		i += int(63-nheld) >> 3
		nheld |= 56

		e := lit[held&litMask]
		if e&isLink != 0 {
			e = lit[uint64(e>>valueShift)+held>>(litBits&63)&(1<<(e>>extraShift&15)-1)]
		}
		if e&isLiteral != 0 { // at most 15 bits: 41 are left
			held >>= e & lengthMask
			nheld -= uint(e & lengthMask)
			dst[n] = byte(e >> valueShift)
			n++
			e = lit[held&litMask]
			if e&isLink != 0 {
				e = lit[uint64(e>>valueShift)+held>>(litBits&63)&(1<<(e>>extraShift&15)-1)]
			}
			if e&isLiteral != 0 {
				held >>= e & lengthMask
				nheld -= uint(e & lengthMask)
				dst[n] = byte(e >> valueShift)
				n++
				continue
			}
			held |= binary.LittleEndian.Uint64(src[i:]) << (nheld & 63)
			i += int(63-nheld) >> 3
			nheld |= 56
		}
		used := uint(e & lengthMask)
		if used == 0 || e&isBad != 0 {
			ok = false
			break
		}
		if e&isEnd != 0 {
			held >>= used
			nheld -= used
			s.step = atBlock
			break
		}
		extra := uint(e >> extraShift & 15)
		length := int(e>>valueShift) + int(held>>(used&63)&(1<<extra-1))
		used += extra
		rest := held >> (used & 63)
		d := dist[rest&distMask]
		if d&isLink != 0 {
			d = dist[uint64(d>>valueShift)+rest>>(distBits&63)&(1<<(d>>extraShift&15)-1)]
		}
		nd, extra := uint(d&lengthMask), uint(d>>extraShift&15)
		if nd == 0 || d&isBad != 0 {
			ok = false
			break
		}
		back := int(d>>valueShift) + int(rest>>(nd&63)&(1<<extra-1))
		used += nd + extra
		held >>= used & 63
		nheld -= used
		if back > n || back > farthest {
			s.left, s.dist = length, back
			break
		}
		copyMatch(dst, n, back, length)
		n += length
	}
	f.i, f.n = i, n
	s.held, s.nheld = held&(1<<nheld-1), nheld
	if s.step == atBlock {
		s.endBlock()
	}
	return ok
}
