package deflate

import (
	"math/bits"
	"sync"
)

// An entry of a lookup table says what the next bits mean:
//
//	bits   field
//	 0-3   length of the code, 1 to 15; 0: no code begins like this
//	 4-7   extra bits behind the code; of a link, bits of the table it leads to
//	 8-11  what it is: one of the isX, none of them for a length or distance
//	16-31  the byte; the base of a length or distance; where the linked table begins
type entry = uint32

const (
	isLiteral entry = 1 << (8 + iota)
	isEnd
	isLink
	isBad // a symbol that may not occur

	lengthMask = 15
	extraShift = 4
	valueShift = 16
)

// Sizes of RFC 1951 section 3.2.
const (
	litSymbols  = 288 // two of them, 286 and 287, may not occur
	distSymbols = 32  // 30 and 31 may not occur
	preSymbols  = 19
	maxCode     = 15 // bits
	endSymbol   = 256
)

// A first lookup takes this many bits; longer codes take a second one. The
// sizes are the most entries that any complete code of so many symbols needs then.
const (
	litRoot, litSize   = 10, 1334
	distRoot, distSize = 8, 402
	preRoot, preSize   = 7, 128
)

// tables decode one block. They hold nothing that [stream.prepare] could not
// make again from the code lengths in a stream.
type tables struct {
	lit      [litSize]entry
	dist     [distSize]entry
	pre      [preSize]entry
	litBits  uint // of the first lookup
	distBits uint
	preBits  uint
	stamp    uint64 // how many times these have been made
}

// What each symbol means, without its code: RFC 1951 sections 3.2.5 and 3.2.7.
var litBase, distBase, preBase = bases()

func bases() (lit, dist, pre []entry) {
	lit, dist, pre = make([]entry, litSymbols), make([]entry, distSymbols), make([]entry, preSymbols)
	for i := range pre {
		pre[i] = entry(i) << valueShift
	}
	for i := range endSymbol {
		lit[i] = isLiteral | entry(i)<<valueShift
	}
	lit[endSymbol] = isEnd
	length := 3
	for i := range 28 {
		extra := max(0, i/4-1)
		lit[endSymbol+1+i] = entry(length)<<valueShift | entry(extra)<<extraShift
		length += 1 << extra
	}
	lit[285] = 258 << valueShift
	lit[286], lit[287] = isBad, isBad
	distance := 1
	for i := range 30 {
		extra := max(0, i/2-1)
		dist[i] = entry(distance)<<valueShift | entry(extra)<<extraShift
		distance += 1 << extra
	}
	dist[30], dist[31] = isBad, isBad
	return lit, dist, pre
}

// fixed holds the tables of blocks with fixed codes, section 3.2.6.
var fixed = sync.OnceValue(func() *tables {
	t := new(tables)
	var lens [litSymbols]uint8
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	t.litBits, _ = build(t.lit[:], litRoot, lens[:], litBase)
	for i := range distSymbols {
		lens[i] = 5
	}
	t.distBits, _ = build(t.dist[:], distRoot, lens[:distSymbols], distBase)
	return t
})

// build makes the table of the code whose lengths are lens: lens[i] belongs to
// the symbol that base[i] describes, 0 means that it does not occur. It returns
// how many bits the first lookup takes, at most root.
//
// A code must be complete. Two that are not are allowed, because encoders write
// them when there is nothing to tell apart: a single code of one bit, and none.
func build(table []entry, root uint, lens []uint8, base []entry) (rootBits uint, ok bool) {
	var count [maxCode + 1]int // codes of each length that are yet to come
	for _, n := range lens {
		count[n]++
	}
	longest := uint(maxCode)
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	left := 1
	var first [maxCode + 2]int // where the symbols of a length begin in order
	for n := 1; n <= int(longest); n++ {
		if left = left<<1 - count[n]; left < 0 {
			return 0, false
		}
		first[n+1] = first[n] + count[n]
	}
	rootBits = min(root, longest)
	if left > 0 {
		if longest > 1 {
			return 0, false
		}
		clear(table[:1<<rootBits])
	}
	var order [litSymbols]uint16
	for symbol, n := range lens {
		if n != 0 {
			order[first[n]] = uint16(symbol)
			first[n]++
		}
	}
	ok = fill(table, rootBits, longest, order[:len(lens)-count[0]], lens, base, &count)
	return rootBits, ok
}

// fill writes the entries of the symbols in order, which is that of their codes.
// It reports false if the table were too small, which no complete code makes it.
func fill(table []entry, root, longest uint, order []uint16, lens []uint8, base []entry, count *[maxCode + 1]int) bool {
	var code uint16                                        // in the order of its bits as counted, not as sent
	var start, size, linked uint = 0, 1 << root, 1 << root // the linked table at hand, and whose it is
	for i, symbol := range order {
		n := uint(lens[symbol])
		if i > 0 {
			code = (code + 1) << (n - uint(lens[order[i-1]]))
		}
		e := base[symbol] | entry(n)
		index := uint(bits.Reverse16(code) >> (16 - n))
		if n <= root {
			for ; index < 1<<root; index += 1 << n {
				table[index] = e
			}
		} else {
			if low := index & (1<<root - 1); low != linked {
				linked = low
				start += size
				more := linkBits(n, root, longest, count)
				if size = 1 << more; start+size > uint(len(table)) {
					return false
				}
				table[low] = isLink | entry(root) | entry(more)<<extraShift | entry(start)<<valueShift
			}
			for index >>= root; index < size; index += 1 << (n - root) {
				table[start+index] = e
			}
		}
		count[n]--
	}
	return true
}

// linkBits returns the bits of the table that holds the next codes: those that
// begin with the same root bits as the one of n bits. count has what is left.
func linkBits(n, root, longest uint, count *[maxCode + 1]int) uint {
	more := n - root
	for left := 1 << more; root+more < longest; left <<= 1 {
		if left -= count[root+more]; left <= 0 {
			break
		}
		more++
	}
	return more
}
