package host

import (
	"net/netip"
	"time"
)

// A caller is a connection whose first request is not complete, or that is
// refused and about to end.
type caller struct {
	fd      int
	peer    netip.AddrPort
	addr    netip.Addr // whom it counts for
	buf     []byte     // all that has come in
	head    head
	leaving bool      // it has been answered, and is half closed
	since   time.Time // when it came, or was answered

	id           uint64
	older, newer *caller
}

// callers are those who wait, in the order of their coming, which is that of
// their deadlines. Ids are not used again.
type callers struct {
	byID map[uint64]*caller
	ring caller // older: the newest; newer: the oldest
	last uint64
}

func (cs *callers) init() {
	cs.byID = map[uint64]*caller{}
	cs.ring.older, cs.ring.newer = &cs.ring, &cs.ring
}

// add gives c an id and a place.
func (cs *callers) add(c caller) *caller {
	cs.last++
	c.id = cs.last
	c.older, c.newer = cs.ring.older, &cs.ring
	k := &c
	k.older.newer, k.newer.older = k, k
	cs.byID[k.id] = k
	return k
}

func (cs *callers) find(id uint64) *caller { return cs.byID[id] }

func (cs *callers) remove(c *caller) {
	delete(cs.byID, c.id)
	c.older.newer, c.newer.older = c.newer, c.older
}

// oldest returns nil if nobody waits.
func (cs *callers) oldest() *caller {
	if cs.ring.newer == &cs.ring {
		return nil
	}
	return cs.ring.newer
}

func (cs *callers) count() int { return len(cs.byID) }
