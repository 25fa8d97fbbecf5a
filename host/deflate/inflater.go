package deflate

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/klauspost/compress/flate"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// An Inflater inflates the compressed messages of one session. It belongs to
// one goroutine at a time. Get one from [Pool.Inflater].
//
// Frames whose first has RSV1, up to the one with FIN, are a compressed
// message: all but the last go to Add, the last to Append.
type Inflater struct {
	pool *Pool
	size int    // of past, at most; 0 without context takeover
	past []byte // the end of what came out
	wire []byte // of the message at hand, what has come
	open bool   // there is one
}

// Inflater returns an inflater for a session. It holds no memory until the first
// message.
func (p *Pool) Inflater(params Params) Inflater {
	in := Inflater{pool: p}
	if params.ClientTakeover {
		in.size = max(smallest, 1<<params.ClientBits)
	}
	return in
}

// Open reports whether a message is unfinished.
func (in *Inflater) Open() bool { return in.open }

// Len is how many bytes have been kept of the message.
func (in *Inflater) Len() int { return len(in.wire) }

// Add keeps a copy of the next bytes of a message that goes on behind them. Its
// caller bounds the message.
func (in *Inflater) Add(src []byte) {
	in.wire, in.open = append(in.wire, src...), true
}

// Append appends to dst what the message stands for whose last bytes are src.
// It stops one byte behind what [Policy.Ratio] and most, in bytes, allow. src and
// dst must not overlap.
//
// The error is [ErrData], [ErrRatio] or [frame.ErrTooBig]. in must not be used
// after one.
//
// A message that was cut short is not always found out: its last bytes may be
// other ones then. It is for its sender to get right.
func (in *Inflater) Append(dst, src []byte, most int64) ([]byte, error) {
	in.open = false
	over := frame.ErrTooBig
	if byRatio := allowance + int64(in.pool.policy.Ratio)*int64(len(in.wire)+len(src)); byRatio < most {
		most, over = byRatio, ErrRatio
	}
	if len(in.wire)+len(src) == 0 {
		return dst, nil // an empty message without the byte it should have; some clients send it
	}
	r := in.pool.readers.Get().(*reader)
	r.wire = append(append(append(r.wire[:0], in.wire...), src...), ending...)
	in.wire = nil
	begin := len(dst)
	dst, err := r.appendAll(dst, in.past, most)
	in.pool.freeReader(r)
	switch {
	case err == errMore:
		return dst, over
	case err != nil:
		return dst, ErrData
	}
	in.past = remember(in.past, dst[begin:], in.size)
	return dst, nil
}

// allowance is what any message may inflate to, in bytes, whatever its ratio: who
// tries a server out sends runs of one letter.
const allowance = 1 << 20

// smallest is the least context that is kept, in bytes: zlib compresses for 512
// when asked for 256.
const smallest = 512

// ending is what the sender took off (RFC 7692 section 7.2.2), and an empty last
// block, so that the library knows where the message ends.
var ending = []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}

// A reader is what works on a message for the length of one call.
type reader struct {
	wire  []byte
	left  bytes.Reader // of wire
	flate io.ReadCloser
}

func newReader() *reader {
	r := &reader{}
	r.flate = flate.NewReader(&r.left)
	return r
}

// Why a reader stops but for the library's reasons.
var (
	errMore = errors.New("there is more than may be")
	errEnds = errors.New("last blocks where none belong")
)

// mostEnds is how many blocks of a message may be marked as the last. Each costs
// as much as a small message.
const mostEnds = 64

// appendAll inflates wire behind past. It begins again behind a block that is
// marked as the last: that only aligns what follows, section 7.2.3.4.
func (r *reader) appendAll(dst, past []byte, most int64) ([]byte, error) {
	r.left.Reset(r.wire)
	begin, limit := len(dst), len(dst)+int(most)
	for range mostEnds {
		dict := past
		if n := len(dst) - begin; n >= 1<<MaxBits || len(past) == 0 {
			dict = last(dst[begin:], 1<<MaxBits)
		} else if n > 0 {
			dict = append(last(past, 1<<MaxBits-n), dst[begin:]...)
		}
		r.flate.(flate.Resetter).Reset(&r.left, dict)
		var err error
		if dst, err = r.appendBlocks(dst, limit); err != nil {
			return dst, err
		}
		switch left := r.left.Len(); {
		case left == 0, left == len(ending)-tail: // the sender may have marked its own last block
			return dst, nil
		case left == len(ending): // the message ends without that block; some clients do this
			return dst, nil
		case left < len(ending):
			return dst, errEnds
		}
	}
	return dst, errEnds
}

func (r *reader) appendBlocks(dst []byte, limit int) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, min(max(4*r.left.Len(), len(dst), smallest), limit+1-len(dst)))
		}
		n, err := r.flate.Read(dst[len(dst):min(cap(dst), limit+1)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > limit:
			return dst, errMore
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}

// remember returns past with p behind it, as far as it fits into size bytes.
func remember(past, p []byte, size int) []byte {
	p = last(p, size)
	if drop := len(past) + len(p) - size; drop > 0 {
		past = past[:copy(past, past[drop:])]
	}
	if all := len(past) + len(p); all > cap(past) { // append would take more than there ever will be
		past = append(make([]byte, 0, min(size, max(all, 2*cap(past), smallest))), past...)
	}
	return append(past, p...)
}
