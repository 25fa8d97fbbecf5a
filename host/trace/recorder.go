package trace

import (
	"log/slog"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

const recordSize = abi.RecordSize

// A Recorder is a guest that is recorded. It does what the guest below it does;
// to record never fails or delays a call, other than by the time it takes to copy
// events and commands. It has one owner at a time, as an instance.
type Recorder struct {
	Guest // below
	queue *queue
	log   *slog.Logger

	header  Header
	buf     []byte // the record at hand
	segment int64  // bytes after which another file begins; 0 = never
	written int64  // bytes since this one began
	calls   uint64 // in this file

	// The turn at hand: a call that goes on with it has the same events.
	unfinished  bool
	consumed, n int

	gap     Gap  // calls left out since the last record; none if Calls is 0
	behind  bool // a checkpoint should come before the next turn
	lost    bool // nothing can be recorded before it does
	told    time.Time
	untold  uint64
	trapped bool
	over    bool // recorded no further, or closed
	slots   [Slots]*guest.Checkpoint
	slot    int // the last one used
}

func newRecorder(g Guest, h Header, q *queue, segment int64, log *slog.Logger) *Recorder {
	r := &Recorder{Guest: g, queue: q, header: h, segment: segment, log: log.With("lane", h.Lane)}
	r.begin()
	return r
}

// begin begins a file.
func (r *Recorder) begin() {
	h := r.header
	r.queue.add(item{next: &h})
	r.written, r.calls = 0, 0
	r.slots = [Slots]*guest.Checkpoint{}
}

// Turn is that of the guest below.
func (r *Recorder) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	return r.record(first, n, h, r.Guest)
}

// A repeater can make a call that has been before, see [guest.Instance.Again].
type repeater interface {
	Again(first, n int, h guest.Header) (commands, consumed int, more bool, err error)
}

// Again is that of the guest below, or Turn if it has none.
func (r *Recorder) Again(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	if below, ok := r.Guest.(repeater); ok {
		return r.record(first, n, h, again{below})
	}
	return r.record(first, n, h, r.Guest)
}

// A turner makes a call.
type turner interface {
	Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error)
}

// again is a turner that repeats.
type again struct{ repeater }

func (a again) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	return a.Again(first, n, h)
}

func (r *Recorder) record(first, n int, h guest.Header, below turner) (commands, consumed int, more bool, err error) {
	c := Call{Turn: h, First: first, N: n}
	c.Written = !r.unfinished || first != r.consumed || n != r.n
	recording := r.ready(c.Written)
	if recording {
		r.giving(&c)
	}
	commands, consumed, more, err = below.Turn(first, n, h)
	r.unfinished, r.consumed, r.n = err == nil && (consumed < n || more), consumed, n
	r.trapped = err != nil
	switch {
	case r.over:
	case recording:
		r.answered(&c, commands, consumed, more, err)
	default:
		r.leaveOut(h.Turn)
	}
	return commands, consumed, more, err
}

// giving puts what the guest is given into the buffer, before it can change it.
func (r *Recorder) giving(c *Call) {
	r.buf = appendCall(r.buf[:0], c)
	if !c.Written {
		return
	}
	ring := r.Guest.Events()[c.First*recordSize : c.N*recordSize]
	records := len(r.buf)
	r.buf = append(r.buf, ring...)
	payloads := len(r.buf)
	area, addr := r.Guest.Area()
	for ; len(ring) > 0; ring = ring[recordSize:] {
		e, _ := abi.ParseEvent(ring)
		if n := given(&e, r.header.AreaAt); n > 0 {
			r.buf = append(r.buf, area[e.Addr-addr:][:n]...)
		}
	}
	if r.header.Redacted {
		wipeEvents(r.buf[records:payloads], r.buf[payloads:], r.header.AreaAt)
	}
}

// answered adds what became of the call, and hands the record over.
func (r *Recorder) answered(c *Call, commands, consumed int, more bool, err error) {
	mem := r.Guest.Memory()
	c.Count, c.Consumed, c.More, c.Memory = commands, consumed, more, uint64(len(mem))
	c.Trap, c.Text = trapOf(err)
	if c.Trap != 0 {
		c.Count, c.Consumed, c.More = 0, 0, false
	} else {
		at := len(r.buf)
		r.buf = appendCommands(r.buf, r.Guest.Commands(), commands, mem)
		records, data := r.buf[at:at+commands*recordSize], r.buf[at+commands*recordSize:]
		if r.header.Redacted {
			wipeCommands(records, data, c.Memory)
		}
		c.Digest = digest(records, data, c.Memory)
		if c.Full = !r.header.DigestsOnly; !c.Full {
			r.buf = r.buf[:at]
		}
	}
	r.buf = finishCall(r.buf, 0, c)
	if !r.queue.push(r.buf) {
		r.leaveOut(c.Turn.Turn)
		return
	}
	r.calls++
	r.written += int64(len(r.buf))
	if cap(r.buf) > 4<<20 && len(r.buf) < cap(r.buf)/8 {
		r.buf = nil // a call was much larger than the others
	}
}

// Close closes the guest below and ends the trace. It does not wait for the disk.
func (r *Recorder) Close() error {
	reason := uint8(EndClosed)
	if r.trapped {
		reason = EndTrap
	}
	if !r.over {
		r.end(reason)
	}
	return r.Guest.Close()
}

// end is the last that is recorded.
func (r *Recorder) end(reason uint8) {
	r.over = true
	if r.gap.Calls > 0 {
		r.tellGap()
		r.queue.add(item{data: AppendGap(nil, &r.gap)})
	}
	r.queue.add(item{data: AppendEnd(nil, &End{Reason: reason, Calls: r.calls})})
	r.queue.close()
}
