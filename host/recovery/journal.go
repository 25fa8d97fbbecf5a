package recovery

import (
	"encoding/binary"
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A Call is one call of a guest's turn and what came of it.
type Call struct {
	First, N int // events of the ring that it was given: [First, N)
	Header   guest.Header

	// What the guest answered; meaningless for a call that failed.
	Commands, Consumed int
	More               bool
	Digest             uint64

	more     bool // the guest had more to say before it
	kept     int  // events kept: [First, kept), which may be more than it was given
	start    int  // of them in the journal's data
	at, size int  // part of the receive area that holds their payloads
}

// A journal holds calls in order, and for each the records of its events and
// then the part of the receive area that holds their payloads. Its memory is used
// again after a checkpoint.
type journal struct {
	calls  []Call
	data   []byte
	events int
}

func (j *journal) reset() {
	j.calls, j.data, j.events = j.calls[:0], j.data[:0], 0
}

// add notes what a call is about to be given, and the events up to kept that
// the calls after it will be given. They are there already if the guest is asked
// for more: nobody has put anything else into the ring since.
func (j *journal) add(first, n, kept int, more bool, h guest.Header, in Instance) {
	if more && len(j.calls) > 0 {
		kept = first
	}
	ring := in.Events()[first*abi.RecordSize : kept*abi.RecordSize]
	area, base := in.Area()
	from, to := span(ring, base, uint32(len(area)))
	j.calls = append(j.calls, Call{First: first, N: n, Header: h, more: more, kept: kept, start: len(j.data), at: from, size: to - from})
	j.events += max(n-first, 1)
	j.data = append(append(j.data, ring...), area[from:to]...)
}

// span is the part of the area that payloads of those records lie in. A payload
// outside is not the host's: the guest has written into the ring, and what the
// record points at then is part of its own state.
func span(ring []byte, base, area uint32) (from, to int) {
	low, high := area, uint32(0)
	for ; len(ring) > 0; ring = ring[abi.RecordSize:] {
		addr, size := place(ring)
		addr -= base
		if size > 0 && addr <= area && size <= area-addr {
			low, high = min(low, addr), max(high, addr+size)
		}
	}
	return int(min(low, high)), int(high)
}

// place is where the payload of a record is.
func place(record []byte) (addr, size uint32) {
	r := record[:abi.RecordSize]
	return binary.LittleEndian.Uint32(r[abi.RecordOffsetAddr:]), binary.LittleEndian.Uint32(r[abi.RecordOffsetLen:])
}

// give puts the events of a call where the guest reads them.
func (j *journal) give(c *Call, in Instance) {
	area, _ := in.Area()
	n := copy(in.Events()[c.First*abi.RecordSize:c.kept*abi.RecordSize], j.data[c.start:])
	copy(area[c.at:c.at+c.size], j.data[c.start+n:])
}

// last is the call added last.
func (j *journal) last() *Call { return &j.calls[len(j.calls)-1] }

// origin is the index of the call with which the last one began: itself or, where
// it was asked for what the one before had left to say, that one's. It is itself, too,
// where the first of them is not in the journal.
func (j *journal) origin() int {
	last := len(j.calls) - 1
	n := last
	for n > 0 && j.calls[n].more {
		n--
	}
	if j.calls[n].more {
		return last
	}
	return n
}

// digested is how much of a payload its digest covers. Commands agree in length
// and place, too; a guest that differs in nothing but later bytes goes unnoticed.
const digested = 256

// digest sums up the first m commands of an instance and what they point at. What
// they point at in the receive area is what the guest was given.
func digest(in Instance, m int) uint64 {
	ring, mem := in.Commands()[:m*abi.RecordSize], in.Memory()
	area, base := in.Area()
	sum := xxhash.Sum64(ring)
	for ; len(ring) > 0; ring = ring[abi.RecordSize:] {
		addr, size := place(ring)
		if addr-base < uint32(len(area)) || uint64(addr)+uint64(size) > uint64(len(mem)) {
			continue
		}
		p := mem[addr:][:min(size, digested)]
		sum = bits.RotateLeft64(sum, 27)*0x9e3779b97f4a7c15 + xxhash.Sum64(p)
	}
	return sum
}
