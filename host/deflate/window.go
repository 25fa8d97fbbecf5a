package deflate

import "encoding/binary"

// A window is the last bytes that came out of a session's inflater before the
// call at hand. It grows with what there is to remember, up to size, and goes
// round from there.
type window struct {
	buf  []byte
	next int // where the next byte goes; len(buf) may be there until buf has its full size
	have int // bytes remembered
	size int // the most to remember, and the farthest a match may go back
}

// smallest is the first size of a window's memory, in bytes, and the least a
// window has: zlib compresses for 512 bytes when asked for 256.
const smallest = 512

func (w *window) setBits(bits int) { w.size = max(smallest, 1<<bits) }

// write remembers p. get returns memory for size bytes.
func (w *window) write(p []byte, get func(size int) []byte) {
	if len(p) > w.size {
		p = p[len(p)-w.size:]
	}
	if want := min(w.have+len(p), w.size); want > len(w.buf) {
		w.grow(want, get)
	}
	n := copy(w.buf[w.next:], p)
	if w.next += n; w.next == w.size {
		w.next = copy(w.buf, p[n:])
	}
	w.have = min(w.have+len(p), w.size)
}

// grow makes room for want bytes, at least twice what there was. Memory that is
// not of full size never went round.
func (w *window) grow(want int, get func(size int) []byte) {
	size := max(smallest, len(w.buf))
	for size < want {
		size *= 4
	}
	buf := get(min(size, w.size))
	copy(buf, w.buf[:w.have])
	w.buf, w.next = buf, w.have
}

// at copies into dst what lies back bytes before the end, 0 < back <= have, and
// returns how much there is until the end, or fits.
func (w *window) at(dst []byte, back int) int {
	if len(dst) > back {
		dst = dst[:back]
	}
	start := w.next - back
	if start < 0 { // it went round
		start += len(w.buf)
	}
	n := copy(dst, w.buf[start:min(len(w.buf), start+back)])
	return n + copy(dst[n:], w.buf[:w.next])
}

// match copies length bytes from back bytes before the end of the output, as
// far as there is room, and returns how many. It is -1 when there is nothing
// that far back.
func (f *flow) match(back, length int) int {
	if back > f.past.size || back > f.n+f.past.have {
		return -1
	}
	done := 0
	length = min(length, len(f.dst)-f.n)
	if back > f.n {
		done = f.past.at(f.dst[f.n:f.n+length], back-f.n)
		f.n += done
	}
	for ; done < length; done++ {
		f.dst[f.n] = f.dst[f.n-back]
		f.n++
	}
	return done
}

// copyMatch copies length bytes from dst[n-back:] to dst[n:], the bytes just
// copied included. It may overshoot by 15 bytes.
func copyMatch(dst []byte, n, back, length int) {
	le := binary.LittleEndian
	from := dst[n-back:]
	to := dst[n : n+length+15]
	switch {
	case back >= 16 && length <= 32:
		for k := 0; k < length; k += 16 {
			a, b := le.Uint64(from[k:]), le.Uint64(from[k+8:])
			le.PutUint64(to[k:], a)
			le.PutUint64(to[k+8:], b)
		}
	case back >= length:
		copy(to[:length], from)
	case back >= 8:
		for k := 0; k < length; k += 8 {
			le.PutUint64(to[k:], le.Uint64(from[k:]))
		}
	case back == 1:
		c := uint64(from[0]) * 0x0101010101010101
		for k := 0; k < length; k += 8 {
			le.PutUint64(to[k:], c)
		}
	default:
		for done := 0; done < length; { // twice as much each time
			done += copy(to[done:length], from[:back+done])
		}
	}
}
