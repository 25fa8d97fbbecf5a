package frame_test

import (
	"encoding/binary"
	"math"
	"sync"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// outcome is what a stream of bytes amounts to.
type outcome struct {
	frames []packet
	err    *frame.Error
	busy   bool
}

// reference reads a stream the plain way: rule by rule, with copies, the whole
// text of a message judged anew at each frame. It is what the decoder must
// agree with, on every prefix of every stream.
func reference(b []byte, s settings) (o outcome) {
	maxBytes, maxFrames := s.limits.Message, s.limits.Frames
	if maxBytes == 0 {
		maxBytes = 1 << 20
	}
	if maxFrames == 0 {
		maxFrames = 1024
	}
	var (
		inside bool   // a message is unfinished
		judged bool   // its text is to be UTF-8
		packed bool   // it is compressed
		text   []byte // so far
		total  int64  // its bytes announced so far
		count  int    // its frames so far
	)
	fail := func(err *frame.Error) outcome {
		o.err, o.busy = err, false
		return o
	}
	for {
		o.busy = inside || len(b) > 0
		if len(b) == 0 {
			return o
		}
		fin, rsv, op := b[0]>>7 == 1, b[0]>>4&7, b[0]&15
		control := op >= 8
		if rsv != 0 && !(rsv == 4 && s.rsv1 && (op == 1 || op == 2)) {
			return fail(frame.ErrReserved)
		}
		switch {
		case op >= 3 && op <= 7 || op >= 11:
			return fail(frame.ErrOpcode)
		case control && !fin:
			return fail(frame.ErrControl)
		case op == 0 && !inside:
			return fail(frame.ErrContinuation)
		case (op == 1 || op == 2) && inside:
			return fail(frame.ErrInterleaved)
		case !control && count == maxFrames:
			return fail(frame.ErrFrames)
		}
		if len(b) < 2 {
			return o
		}
		if b[1] < 128 {
			return fail(frame.ErrMask)
		}
		size, at := uint64(b[1]-128), 2
		if control && size > 125 {
			return fail(frame.ErrControl)
		}
		if size == 126 {
			if at = 4; len(b) < at {
				return o
			}
			if size = uint64(binary.BigEndian.Uint16(b[2:])); size < 126 {
				return fail(frame.ErrLength)
			}
		} else if size == 127 {
			if at = 10; len(b) < at {
				return o
			}
			if size = binary.BigEndian.Uint64(b[2:]); size < 65536 || size>>63 == 1 {
				return fail(frame.ErrLength)
			}
		}
		most := uint64(maxBytes)
		if rsv != 0 || packed && op == 0 {
			most = min(most+most/64+8192, math.MaxInt64)
		}
		if !control && uint64(total)+size > most {
			return fail(frame.ErrTooBig)
		}
		if len(b) < at+4 {
			return o
		}
		key := b[at : at+4]
		b = b[at+4:]
		all := uint64(len(b)) >= size
		have := len(b)
		if all {
			have = int(size)
		}
		clear := make([]byte, have)
		for i := range clear {
			clear[i] = b[i] ^ key[i%4]
		}
		if !control {
			if op != 0 {
				inside, judged, packed, text, total, count = true, op == 1 && rsv == 0, rsv != 0, nil, 0, 0
			}
			total += int64(size)
			count++
			if text = append(text, clear...); judged && firstBad(text) >= 0 {
				return fail(frame.ErrText)
			}
		}
		if !all {
			o.busy = true
			return o
		}
		if !control && fin {
			if judged && !utf8.Valid(text) {
				return fail(frame.ErrText)
			}
			inside, packed, total, count = false, false, 0, 0
		}
		flags := op | rsv<<4
		if fin {
			flags |= 128
		}
		o.frames = append(o.frames, packet{flags, string(clear)})
		b = b[have:]
	}
}

// beginnings holds each proper beginning of each character, as UTF-8.
var beginnings = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for r := rune(0x80); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		for c := utf8.AppendRune(nil, r); len(c) > 1; {
			c = c[:len(c)-1]
			if all[string(c)] {
				break
			}
			all[string(c)] = true
		}
	}
	return all
})

// firstBad returns the index of the first byte of p that no UTF-8 can have
// there, -1 if p is the beginning of some.
func firstBad(p []byte) int {
	for i := 0; i < len(p); {
		if p[i] < utf8.RuneSelf {
			i++
			continue
		}
		if _, n := utf8.DecodeRune(p[i:]); n > 1 {
			i += n
			continue
		}
		k := 1
		for beginnings()[string(p[i:i+k])] {
			if i+k == len(p) {
				return -1
			}
			k++
		}
		return i + k - 1
	}
	return -1
}
