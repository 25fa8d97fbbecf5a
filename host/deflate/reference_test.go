package deflate_test

import (
	"errors"
	"sync"
)

// reference inflates whole messages the slow way, a bit at a time, after RFC
// 1951 and RFC 7692 section 7.2.2. It shares no code with the package.
type reference struct {
	src      []byte
	at       int // in bits
	out      []byte
	window   int // farthest distance allowed
	farthest int // found
}

var (
	errBroken = errors.New("broken")
	errEnd    = errors.New("out of data")
)

// inflateMessage inflates src behind past and returns what it adds. A message
// must end in a block's first empty byte, or where a block ends with a byte.
func inflateMessage(src, past []byte, window int) (out []byte, farthest int, err error) {
	r := &reference{src: src, out: append([]byte(nil), past...), window: window}
	for err == nil {
		if r.at == 8*len(r.src) {
			return r.out[len(past):], r.farthest, nil
		}
		err = r.block()
	}
	if err == errFlushed {
		err = nil
	}
	return r.out[len(past):], r.farthest, err
}

// errFlushed is the end inside the last stored block, before its sizes.
var errFlushed = errors.New("flushed")

func (r *reference) bits(n int) (v int, err error) {
	for i := range n {
		if r.at == 8*len(r.src) {
			return 0, errEnd
		}
		v |= int(r.src[r.at/8]>>(r.at%8)&1) << i
		r.at++
	}
	return v, nil
}

func (r *reference) block() error {
	head, err := r.bits(3)
	if err != nil {
		return err
	}
	switch head >> 1 {
	case 0:
		err = r.stored()
	case 1:
		err = r.symbols(fixedCodes())
	case 2:
		var lit, dist code
		if lit, dist, err = r.codes(); err == nil {
			err = r.symbols(lit, dist)
		}
	default:
		err = errBroken
	}
	if head&1 == 1 && err == nil {
		r.at = (r.at + 7) &^ 7
	}
	return err
}

func (r *reference) stored() error {
	r.at = (r.at + 7) &^ 7
	if r.at == 8*len(r.src) {
		return errFlushed
	}
	n, err := r.bits(16)
	if err != nil {
		return err
	}
	check, err := r.bits(16)
	if err != nil {
		return err
	}
	if n != check^0xffff {
		return errBroken
	}
	for range n {
		c, err := r.bits(8)
		if err != nil {
			return err
		}
		r.out = append(r.out, byte(c))
	}
	return nil
}

// code is a canonical Huffman code: symbols by their bits, with a 1 in front.
type code map[int]int

func makeCode(lens []int) (code, error) {
	c := code{}
	var next, left, longest = 0, 1, 0
	for n := 1; n <= 15; n++ {
		next, left = next<<1, left<<1
		for symbol, l := range lens {
			if l == n {
				c[1<<n|next] = symbol
				next++
				left--
				longest = n
			}
		}
		if left < 0 {
			return nil, errBroken
		}
	}
	if left > 0 && longest > 1 {
		return nil, errBroken
	}
	return c, nil
}

func (r *reference) symbol(c code) (int, error) {
	for bits := 1; bits < 1<<15; {
		b, err := r.bits(1)
		if err != nil {
			return 0, err
		}
		bits = bits<<1 | b
		if symbol, ok := c[bits]; ok {
			return symbol, nil
		}
		if len(c) <= 1 { // no longer code can follow
			break
		}
	}
	return 0, errBroken
}

var fixedCodes = sync.OnceValues(func() (lit, dist code) {
	lens := make([]int, 288)
	for i := range lens {
		lens[i] = 8
		if i >= 144 && i < 256 {
			lens[i] = 9
		} else if i >= 256 && i < 280 {
			lens[i] = 7
		}
	}
	lit, _ = makeCode(lens)
	for i := range lens[:32] {
		lens[i] = 5
	}
	dist, _ = makeCode(lens[:32])
	return lit, dist
})

func (r *reference) codes() (lit, dist code, err error) {
	var counts [3]int
	for i, n := range []int{5, 5, 4} {
		if counts[i], err = r.bits(n); err != nil {
			return nil, nil, err
		}
	}
	nlit, ndist, npre := counts[0]+257, counts[1]+1, counts[2]+4
	if nlit > 286 || ndist > 30 {
		return nil, nil, errBroken
	}
	pre := make([]int, 19)
	for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:npre] {
		if pre[i], err = r.bits(3); err != nil {
			return nil, nil, err
		}
	}
	c, err := makeCode(pre)
	if err != nil {
		return nil, nil, err
	}
	var lens []int
	for len(lens) < nlit+ndist {
		symbol, err := r.symbol(c)
		if err != nil {
			return nil, nil, err
		}
		if symbol < 16 {
			lens = append(lens, symbol)
			continue
		}
		if symbol == 16 && len(lens) == 0 {
			return nil, nil, errBroken
		}
		n, err := r.bits([]int{2, 3, 7}[symbol-16])
		if err != nil {
			return nil, nil, err
		}
		value := 0
		if symbol == 16 {
			value = lens[len(lens)-1]
		}
		for range n + []int{3, 3, 11}[symbol-16] {
			lens = append(lens, value)
		}
	}
	if len(lens) > nlit+ndist {
		return nil, nil, errBroken
	}
	if lit, err = makeCode(lens[:nlit]); err != nil {
		return nil, nil, err
	}
	dist, err = makeCode(lens[nlit:])
	return lit, dist, err
}

func (r *reference) symbols(lit, dist code) error {
	for {
		symbol, err := r.symbol(lit)
		switch {
		case err != nil:
			return err
		case symbol < 256:
			r.out = append(r.out, byte(symbol))
			continue
		case symbol == 256:
			return nil
		case symbol > 285:
			return errBroken
		}
		length, err := r.extra(symbol-257, 4, 3)
		if symbol == 285 {
			length = 258
		}
		if err != nil {
			return err
		}
		symbol, err = r.symbol(dist)
		if err != nil {
			return err
		}
		if symbol > 29 {
			return errBroken
		}
		back, err := r.extra(symbol, 2, 1)
		if err != nil {
			return err
		}
		if back > len(r.out) || back > r.window {
			return errBroken
		}
		r.farthest = max(r.farthest, back)
		for range length {
			r.out = append(r.out, r.out[len(r.out)-back])
		}
	}
}

// extra reads the number that symbol stands for: the first 2*step symbols are
// single numbers from base, then each step of them has one more extra bit.
func (r *reference) extra(symbol, step, base int) (int, error) {
	if symbol == 28 && step == 4 { // length 258 has no extra bits
		return 0, nil
	}
	for s := range symbol {
		base += 1 << max(0, s/step-1)
	}
	n, err := r.bits(max(0, symbol/step-1))
	return base + n, err
}
