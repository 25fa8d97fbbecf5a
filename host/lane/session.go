package lane

import (
	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

type state uint8

const (
	free       state = iota
	connecting       // the guest has been asked, nobody has decided
	accepted         // the guest said yes, the 101 is on its way
	open             // frames go both ways
	closing          // our close frame is queued; the peer's is awaited
	over             // the close event is in the ring; freed when its turn is done
)

// session is one WebSocket connection as the lane knows it. Everything in it
// belongs to the lane's goroutine.
type session struct {
	link   Link
	asker  *connect // who waits for the decision, until there is one
	extra  *extra   // nil as long as nothing of it is needed
	fields string   // of its connect event, for the next instance
	user   uint64
	enc    frame.Encoder
	gen    uint32
	seq    uint32
	heard  uint32 // when a frame last came, in ticks of the lane
	spoke  uint32 // when data last went either way
	asked  uint32 // when the peer was last pinged
	letter uint32 // index in the outbox, plus 1; 0 = nothing is in it
	code   uint16 // of the close frame that last stands for, or that we sent
	state  state
	held   bool  // the guest asked for time to decide
	slow   bool  // more than the mark waits for the peer
	who    uint8 // abi.WhoX: who began to close
	last   bool  // a close frame is to be sent before the link closes

	controls, messages, bytes pace // of the peer
}

// extra is what only some sessions have, and most only for a while.
type extra struct {
	early   []byte   // frames sent before the link was there
	owed    []*Batch // not handed back, because the peer does not read
	subs    []*subscription
	kept    int      // bytes of topics' last messages that wait until the peer reads
	held    []byte   // topic messages that wait for the end of a fragmented one
	reason  string   // of our close frame, until the peer's comes
	message []byte   // what has come of a message, if the guest takes whole ones
	opcode  uint8    // of that message
	packing *packing // nil unless its messages may be compressed
	counted int      // bytes of unfinished messages, as far as they are counted

	dropped  bool // the guest has heard of a dropped frame and not yet of room
	skipping bool // the rest of a dropped message
}

func (s *session) needExtra() *extra {
	if s.extra == nil {
		s.extra = &extra{}
	}
	return s.extra
}

// early is what waits for the link.
func (s *session) early() []byte {
	if s.extra == nil {
		return nil
	}
	return s.extra.early
}

// reason is that of our close frame.
func (s *session) reason() []byte {
	if s.extra == nil {
		return nil
	}
	return []byte(s.extra.reason)
}

const (
	indexBits = 24
	laneBits  = 8
	slabSize  = 256
)

// sessions is the table of a lane's sessions: slabs that never move, and a
// generation for each place, so that an old id never names a new session.
type sessions struct {
	lane  uint64 // this lane's number, already shifted into place
	slabs []*[slabSize]session
	spare []uint32 // free places
	count int
}

// find returns the session of id, or nil if there is none: a stale, foreign and
// invented id look alike.
func (t *sessions) find(id uint64) *session {
	index := id & (1<<indexBits - 1)
	if id>>indexBits&(1<<laneBits-1)<<indexBits != t.lane || index >= uint64(len(t.slabs)*slabSize) {
		return nil
	}
	s := &t.slabs[index/slabSize][index%slabSize]
	if s.state == free || s.gen != uint32(id>>32) {
		return nil
	}
	return s
}

// add takes a free place, or makes some. It reports false when all ids are in use.
func (t *sessions) add() (id uint64, s *session, ok bool) {
	if len(t.spare) == 0 {
		first := uint32(len(t.slabs) * slabSize)
		if first+slabSize > 1<<indexBits {
			return 0, nil, false
		}
		t.slabs = append(t.slabs, new([slabSize]session))
		for i := first + slabSize; i > first; i-- {
			t.spare = append(t.spare, i-1)
		}
	}
	index := t.spare[len(t.spare)-1]
	t.spare = t.spare[:len(t.spare)-1]
	s = &t.slabs[index/slabSize][index%slabSize]
	gen := s.gen + 1
	if gen == 0 {
		gen = 1 // so that no id is ever 0
	}
	*s = session{gen: gen, state: connecting}
	t.count++
	return uint64(gen)<<32 | t.lane | uint64(index), s, true
}

// drop frees the place of id. The id is dead from now on.
func (t *sessions) drop(id uint64, s *session) {
	*s = session{gen: s.gen}
	t.spare = append(t.spare, uint32(id&(1<<indexBits-1)))
	t.count--
}

// all calls f for each session there is. f may drop the session it is given.
func (t *sessions) all(f func(id uint64, s *session)) {
	for i := range t.slabs {
		t.slab(i, f)
	}
}

// slab calls f for each session in the slab of that index.
func (t *sessions) slab(i int, f func(id uint64, s *session)) {
	slab := t.slabs[i]
	for j := range slab {
		if s := &slab[j]; s.state != free {
			f(uint64(s.gen)<<32|t.lane|uint64(i*slabSize+j), s)
		}
	}
}

// closeFlags is the flags byte of a close event.
func closeFlags(who uint8, clean bool) uint8 {
	if clean {
		return who | abi.FlagClean
	}
	return who
}
