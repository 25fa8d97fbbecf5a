package host

import (
	"time"

	"github.com/yimmo-host/yimmo-host/host/lane"
)

// counts are the counters of all lanes of a plugin, added up.
type counts struct {
	up             int
	sessions       int64
	requests       int64
	queued         int64
	memory         int64
	received, sent traffic
	missed         uint64
	inflated       packed
	deflated       packed
	pings, pongs   uint64
	closes         [lane.CloseCodes]uint64
	faults         [lane.Faults]uint64
	traps          [lane.Kinds]uint64
	quota          [lane.QuotaKinds]uint64
	undone         uint64
	restarts       uint64
	recycled       uint64
	refused        [lane.Statuses]uint64
	turns          [lane.Buckets]uint64
	turnTime       time.Duration
}

type traffic struct {
	messages [2]uint64
	bytes    uint64
}

func (t *traffic) add(l *lane.Traffic) {
	load(t.messages[:], l.Messages[:])
	t.bytes += l.Bytes.Load()
}

// packed is bytes of compressed messages, as they are meant and as they went.
type packed struct{ plain, wire uint64 }

func (p *packed) add(l *lane.Packed) {
	p.plain += l.Plain.Load()
	p.wire += l.Wire.Load()
}

func (n *counts) add(c *lane.Counters) {
	if c.Up.Load() {
		n.up++
	}
	n.sessions += c.Sessions.Load()
	n.requests += c.Requests.Load()
	n.queued += c.Queued.Load()
	n.memory += c.Memory.Load()
	n.received.add(&c.Received)
	n.sent.add(&c.Sent)
	n.missed += c.Missed.Load()
	n.inflated.add(&c.Inflated)
	n.deflated.add(&c.Deflated)
	n.pings += c.Pings.Load()
	n.pongs += c.Pongs.Load()
	load(n.closes[:], c.Closes[:])
	load(n.faults[:], c.Faults[:])
	load(n.traps[:], c.Traps[:])
	load(n.quota[:], c.Quota[:])
	n.undone += c.Undone.Load()
	n.restarts += c.Restarts.Load()
	n.recycled += c.Recycled.Load()
	load(n.refused[:], c.Refused[:])
	load(n.turns[:], c.Turns.Counts[:])
	n.turnTime += time.Duration(c.Turns.Sum.Load())
}

// sum adds up what the plugin's lanes have counted since the host began.
func (p *plugin) sum() counts {
	var n counts
	for _, c := range p.counters {
		n.add(c)
	}
	n.queued += p.queued.Load()
	return n
}
