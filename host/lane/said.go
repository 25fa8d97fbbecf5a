package lane

import (
	"errors"

	"github.com/cespare/xxhash/v2"

	"github.com/yimmo-host/yimmo-host/abi"
)

// said is what a guest has said of events that it has yet more to say of. If that
// fails, they are given to it once more, one by one: then it says the same again,
// which has happened already.
type said struct {
	n   int    // commands so far
	sum uint64 // of them
	old int    // of those that are said again, how many are still to come
	was uint64 // sum when they were said first
}

var errSaysOther = errors.New("it says something else of the same events when they are given to it one by one")

// again begins the repetition of all that was said.
func (s *said) again() { *s = said{old: s.n, was: s.sum} }

// add notes the commands of a call.
func (s *said) add(ring []byte) {
	for ; len(ring) > 0; ring = ring[abi.RecordSize:] {
		r := [abi.RecordSize]byte(ring)
		clear(r[abi.RecordOffsetAddr:][:4]) // where a payload lies may depend on how events are divided
		s.sum = (s.sum<<7|s.sum>>57)*0x9e3779b97f4a7c15 + xxhash.Sum64(r[:])
		s.n++
	}
}

// commitNew carries out those of n commands that are not a repetition. more says
// that the guest had more to say before, again that it has now.
func (l *Lane) commitNew(n int, more, again bool) error {
	s := &l.said
	old := min(n, s.old)
	switch {
	case old > 0:
		s.add(l.guest.Commands()[:old*abi.RecordSize])
		if s.old -= old; s.old == 0 && s.sum != s.was {
			return errSaysOther
		}
	case more || again:
		s.add(l.guest.Commands()[:n*abi.RecordSize])
	}
	l.commit(old, n)
	if s.old == 0 && !again {
		*s = said{}
	}
	return nil
}
