package deflate

import (
	"slices"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// An Inflater inflates the compressed messages of one session. It belongs to
// one goroutine at a time. Get one from [Pool.Inflater], and Close it.
//
// Frames whose first has RSV1, up to the one with FIN, are a compressed
// message; with f from [frame.Decoder] or its Piece:
//
//	if f.Flags&frame.RSV1 != 0 || f.Flags&frame.MaskOpcode == 0 && in.Busy() {
//		// f.Payload goes through in
//	}
type Inflater struct {
	pool     *Pool
	past     window
	stream   *stream // of the message at hand; nil between messages
	in, out  int64   // bytes of it so far
	waiting  bool    // it is counted as half inflated
	takeover bool
	err      *frame.Error // what Inflate returned; for ever
}

// Inflater returns an inflater for a session. It holds no memory of its own
// until the first message.
func (p *Pool) Inflater(params Params) *Inflater {
	in := &Inflater{pool: p, takeover: params.ClientTakeover}
	in.past.setBits(params.ClientBits)
	return in
}

// Busy reports whether a message is unfinished. It is false after an error.
func (in *Inflater) Busy() bool { return in.stream != nil }

// Inflate inflates what src, the next bytes of a message, gives into dst, until
// either ends. fin says that the message ends with src. It returns how many
// bytes of dst are written and of src are used.
//
// more says that dst is full and there is more to come: call again with what is
// left of src, even if that is nothing. Otherwise all of src is used, and all
// has come out that the bytes so far tell; with fin the message is whole, and
// the next call begins a new one.
//
// Bytes of dst behind those written may change. It is fast only with some
// hundred bytes of room. src and dst must not overlap, and are not kept. The
// call may wait for others that inflate, see [Limits.Working], for nothing else.
//
// The error is an [*frame.Error], the same at every later call: [ErrData],
// [ErrRatio], [ErrBusy] or [frame.ErrTooBig]. n bytes were right before it.
// All memory is given back then, as by Close.
func (in *Inflater) Inflate(dst, src []byte, fin bool) (n, used int, more bool, err error) {
	if in.err != nil {
		return 0, 0, false, in.err
	}
	if in.stream == nil {
		in.stream = in.pool.streams.Get().(*stream)
		in.stream.reset()
	}
	room, over := in.room(len(src))
	cut := room < int64(len(dst))
	if cut {
		dst = dst[:max(room, 0)]
	}
	f := flow{src: src, dst: dst, past: &in.past}
	p := in.run(&f)
	in.in += int64(f.i)
	in.out += int64(f.n)
	if p == wantsRoom && cut {
		return f.n, f.i, false, in.fail(over)
	}
	if p == broken || p == wantsInput && fin && !in.stream.complete() {
		return f.n, f.i, false, in.fail(ErrData)
	}
	if p == wantsInput && fin && !in.takeover {
		in.endMessage()
		return f.n, f.i, false, nil
	}
	in.past.write(dst[:f.n], in.pool.window)
	if p == wantsRoom {
		return f.n, f.i, true, nil
	}
	if fin {
		in.endMessage()
	} else if !in.waiting {
		if in.waiting = in.pool.wait(); !in.waiting {
			return f.n, f.i, false, in.fail(ErrBusy)
		}
	}
	return f.n, f.i, false, nil
}

// run gives the stream tables, and a place among those at work.
func (in *Inflater) run(f *flow) progress {
	in.pool.working <- struct{}{}
	t := in.pool.tables.Get().(*tables)
	in.stream.prepare(t)
	p := in.stream.run(f, t)
	in.pool.tables.Put(t)
	<-in.pool.working
	return p
}

// room returns how many bytes more the message may inflate to when size more of
// it have come, and the fault if that is not enough.
func (in *Inflater) room(size int) (int64, *frame.Error) {
	l := &in.pool.limits
	wire := in.in + int64(size)
	if byRatio := l.Allowance + wire*int64(l.Ratio); byRatio < l.Message {
		return byRatio - in.out, ErrRatio
	}
	return l.Message - in.out, frame.ErrTooBig
}

// Append is [Inflater.Inflate] with a buffer that grows: it appends all that
// comes of src to dst. It allocates no more than twice the limits allow.
func (in *Inflater) Append(dst, src []byte, fin bool) ([]byte, error) {
	for {
		dst = slices.Grow(dst, max(fastRoom, min(4*len(src), 64<<10)))
		n, used, more, err := in.Inflate(dst[len(dst):cap(dst)], src, fin)
		dst, src = dst[:len(dst)+n], src[used:]
		if err != nil || !more {
			return dst, err
		}
	}
}

// fail ends everything.
func (in *Inflater) fail(err *frame.Error) error {
	in.err = err
	in.Close()
	return err
}

// endMessage gives back what only an unfinished message needs.
func (in *Inflater) endMessage() {
	if in.stream != nil {
		in.pool.streams.Put(in.stream)
	}
	if in.waiting {
		in.pool.waiting.Add(-1)
	}
	in.stream, in.in, in.out, in.waiting = nil, 0, 0, false
	if !in.takeover {
		in.forget()
	}
}

func (in *Inflater) forget() {
	in.pool.freeWindow(in.past.buf)
	in.past = window{size: in.past.size}
}

// Close gives all memory back. in must not be used then, except that Close may
// be called again.
func (in *Inflater) Close() {
	in.endMessage()
	in.forget()
}
