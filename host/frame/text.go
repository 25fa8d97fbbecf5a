package frame

import (
	"encoding/binary"
	"math/bits"
)

// Text checks UTF-8 (RFC 3629) that arrives in parts of any size, cut anywhere.
// It fails at the first byte that cannot be right, not at the end of the
// character. The zero value is ready; assign Text{} to begin again.
type Text struct {
	left   uint8 // bytes missing from the character at hand, or broken
	lo, hi uint8 // the next of them lies between these
}

// broken is Text.left after a byte that cannot be right.
const broken = 0xff

// leads holds the state after each first byte of a character, section 4 of RFC 3629.
var leads = func() (table [256]Text) {
	for c := range table {
		table[c] = lead(c)
	}
	return table
}()

func lead(c int) Text {
	switch {
	case c < 0x80:
		return Text{}
	case c < 0xc2: // a continuation byte, or the overlong forms of ASCII
		return Text{left: broken}
	case c < 0xe0:
		return Text{1, 0x80, 0xbf}
	case c == 0xe0: // below 0xa0: overlong
		return Text{2, 0xa0, 0xbf}
	case c == 0xed: // above 0x9f: surrogates
		return Text{2, 0x80, 0x9f}
	case c < 0xf0:
		return Text{2, 0x80, 0xbf}
	case c == 0xf0: // below 0x90: overlong
		return Text{3, 0x90, 0xbf}
	case c < 0xf4:
		return Text{3, 0x80, 0xbf}
	case c == 0xf4: // above 0x8f: beyond U+10FFFF
		return Text{3, 0x80, 0x8f}
	default:
		return Text{left: broken}
	}
}

// Complete reports whether the parts so far are UTF-8 as they stand, that is,
// end at the end of a character.
func (t *Text) Complete() bool { return t.left == 0 }

// Feed takes the next part and reports whether all parts so far can be the
// beginning of UTF-8. After false it stays false.
func (t *Text) Feed(p []byte) bool {
	for t.left != 0 && len(p) > 0 {
		if !t.step(p[0]) {
			return false
		}
		p = p[1:]
	}
	if t.left == broken {
		return false
	}
	i := whole(p)
	for ; i < len(p); i++ { // three bytes at most, or the fault
		if !t.step(p[i]) {
			return false
		}
	}
	return true
}

// step takes one byte.
func (t *Text) step(c byte) bool {
	switch {
	case t.left == 0:
		*t = leads[c]
	case t.left == broken || c < t.lo || c > t.hi:
		t.left = broken
	default:
		*t = Text{t.left - 1, 0x80, 0xbf}
	}
	return t.left != broken
}

// whole returns how many bytes at the start of p are whole characters. It stops
// before the first that is wrong or does not end in p.
func whole(p []byte) int {
	i := 0
	for i < len(p) {
		c := p[i]
		switch {
		case c < 0x80:
			i += ascii(p[i:])
		case c < 0xc2:
			return i
		case c < 0xe0:
			if i+1 >= len(p) || p[i+1]&0xc0 != 0x80 {
				return i
			}
			i += 2
		case c < 0xf0:
			if i+2 >= len(p) || p[i+1] < leads[c].lo || p[i+1] > leads[c].hi || p[i+2]&0xc0 != 0x80 {
				return i
			}
			i += 3
		case c < 0xf5:
			if i+3 >= len(p) || p[i+1] < leads[c].lo || p[i+1] > leads[c].hi || p[i+2]&0xc0 != 0x80 || p[i+3]&0xc0 != 0x80 {
				return i
			}
			i += 4
		default:
			return i
		}
	}
	return i
}

// ascii returns how many bytes at the start of p are below 0x80.
func ascii(p []byte) int {
	const high = 0x8080808080808080
	le := binary.LittleEndian
	i := 0
	for len(p)-i >= 8 {
		if m := le.Uint64(p[i:]) & high; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
		for len(p)-i >= 32 {
			q := p[i : i+32 : i+32]
			if (le.Uint64(q[0:8])|le.Uint64(q[8:16])|le.Uint64(q[16:24])|le.Uint64(q[24:32]))&high != 0 {
				break
			}
			i += 32
		}
	}
	for i < len(p) && p[i] < 0x80 {
		i++
	}
	return i
}
