package stream

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// firstRead is the size of the buffer an idle connection reads into, in bytes.
const firstRead = 4 << 10

// maxHeader is the longest header of a peer's frame, RFC 6455 section 5.2.
const maxHeader = 14

// reader is the receiving side of a connection, owned by its read goroutine.
type reader struct {
	*conn
	dec   frame.Decoder
	buf   *buffer
	have  int       // bytes in buf
	kept  int       // bytes of memory for an unfinished frame, as far as they are counted
	timed bool      // a message is unfinished and the clock is running
	until time.Time // when it stops
}

// read decodes what the peer sends. It returns when nothing more is to be read
// for the session, and whether the connection itself has ended.
func (c *conn) read(already []byte, packed bool) (ended bool) {
	r := reader{conn: c, buf: buffers.get(max(firstRead, 2*len(already)))}
	defer func() {
		buffers.put(r.buf)
		c.opt.Unfinished.Add(-int64(r.kept))
	}()
	r.dec.Init(&c.opt.Frames)
	r.dec.AllowRSV1(packed)
	r.have = copy(r.buf.bytes, already)
	if failed := r.decode(); failed != nil {
		r.post(parcels.get(), failed)
		return false
	}
	for {
		n, err := c.nc.Read(r.buf.bytes[r.have:])
		r.have += n
		if n > 0 {
			if failed := r.decode(); failed != nil {
				r.post(parcels.get(), failed)
				return false
			}
		}
		if err == nil {
			continue
		}
		if r.timed && errors.Is(err, os.ErrDeadlineExceeded) {
			r.post(parcels.get(), lane.ErrMessageTime)
			return false
		}
		c.lane.Gone(c.session)
		return true
	}
}

// decode posts all frames that are complete and keeps the rest. Frames before
// a protocol error are posted, the error is returned.
func (r *reader) decode() *frame.Error {
	p := parcels.get()
	pos, finished := 0, false
	var failed error
	for pos < r.have {
		f, n, err := r.dec.Next(r.buf.bytes[pos:r.have])
		if err != nil {
			failed = err
			break
		}
		if n == 0 {
			break
		}
		p.Frames = append(p.Frames, f)
		finished = finished || f.Flags&(abi.FlagFIN|8) == abi.FlagFIN
		pos += n
	}
	if pos == 0 && failed == nil && r.full() {
		if f, n := r.dec.Piece(r.buf.bytes[:r.have]); n > 0 {
			p.Frames = append(p.Frames, f)
			pos = n
		}
	}
	r.keep(p, pos)
	r.clock(finished)
	if failed != nil {
		return failed.(*frame.Error) // the decoder has no other
	}
	return r.count()
}

// count counts the memory for an unfinished frame anew. An idle connection's does not
// count.
func (r *reader) count() *frame.Error {
	n := len(r.buf.bytes) - firstRead
	if n == r.kept {
		return nil
	}
	r.opt.Unfinished.Add(int64(n - r.kept))
	r.kept = n
	if !r.opt.Unfinished.Allows(int64(n)) {
		return lane.ErrMessageTotal
	}
	return nil
}

// full says whether an unfinished frame has all the memory it may have.
func (r *reader) full() bool {
	return r.have == len(r.buf.bytes) && r.have >= r.limit()
}

func (r *reader) limit() int { return r.opt.Piece + maxHeader }

// keep posts the parcel, with the buffer its frames lie in, and moves the
// unfinished rest to where the next read goes on. Memory grows with what has
// come: what a header announces costs its sender nothing.
func (r *reader) keep(p *parcel, pos int) {
	rest := r.buf.bytes[pos:r.have]
	size := max(firstRead, min(r.limit(), max(2*len(rest), min(4*len(rest), r.dec.Need()))))
	if len(p.Frames) == 0 {
		parcels.put(p)
		if r.have < len(r.buf.bytes) && len(r.buf.bytes) >= size {
			return
		}
		bigger := buffers.get(size)
		r.have = copy(bigger.bytes, rest)
		buffers.put(r.buf)
		r.buf = bigger
		return
	}
	next := buffers.get(size)
	r.have = copy(next.bytes, rest)
	p.buf, r.buf = r.buf, next
	r.post(p, nil)
}

// clock starts the message's deadline with its first byte and stops it with its
// last. Nothing in between extends it, no ping and no further fragment.
func (r *reader) clock(finished bool) {
	busy := r.dec.Busy()
	r.busy.Store(busy)
	if busy == r.timed && !finished {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return // the deadline is now that of closing
	}
	r.timed = busy
	if busy {
		r.until = time.Now().Add(r.opt.MessageTime)
		r.nc.SetReadDeadline(r.until)
	} else {
		r.nc.SetReadDeadline(time.Time{})
	}
}

// post hands a parcel to the lane, waiting while too many are under way. That time
// does not count for the message that is unfinished.
func (r *reader) post(p *parcel, failed *frame.Error) {
	select {
	case r.credit <- struct{}{}:
	default:
		begin := time.Now()
		r.credit <- struct{}{}
		r.extend(time.Since(begin))
	}
	p.conn, p.Failed = r.conn, failed
	r.lane.Input(r.session, &p.Batch)
}

// extend moves the message's deadline, if there is one.
func (r *reader) extend(by time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timed && !r.dead {
		r.until = r.until.Add(by)
		r.nc.SetReadDeadline(r.until)
	}
}

// A parcel is a batch with the buffer its frames lie in.
type parcel struct {
	lane.Batch
	buf  *buffer
	conn *conn
}

// done takes a parcel back from the lane.
func (p *parcel) done() {
	c := p.conn
	if p.buf != nil {
		buffers.put(p.buf)
	}
	parcels.put(p)
	<-c.credit
}

var parcels parcelPool

type parcelPool struct{ pool sync.Pool }

func (pp *parcelPool) get() *parcel {
	if p, ok := pp.pool.Get().(*parcel); ok {
		return p
	}
	p := &parcel{}
	p.Done = p.done
	return p
}

func (pp *parcelPool) put(p *parcel) {
	clear(p.Frames)
	p.Frames, p.Failed, p.buf, p.conn = p.Frames[:0], nil, nil, nil
	pp.pool.Put(p)
}
