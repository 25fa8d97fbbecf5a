package lane

import (
	"sync/atomic"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Bounds on publications of other lanes that wait for this one to get to them.
const (
	maxIncoming = 64 << 20 // bytes
	messageCost = 256      // of a message beside its own bytes
)

// arrivals are publications of other lanes.
type arrivals struct {
	incoming atomic.Int64 // bytes that wait in the mailbox
	losing   atomic.Bool  // some are lost, and the lane will learn of it
}

func (m *Message) cost() int64 { return int64(len(m.Topic)+len(m.Frame)) + messageCost }

// Deliver implements [Receiver]. A lane that is too far behind loses the newest: its
// publishers do not wait for it, for it may be waiting for them.
func (l *Lane) Deliver(m *Message) {
	cost := m.cost()
	if waiting := l.incoming.Add(cost); waiting > maxIncoming && waiting > cost {
		l.incoming.Add(-cost)
		l.counters.Missed.Add(1)
		if !l.losing.Swap(true) {
			l.mail.post(mail{kind: mailLost})
		}
		return
	}
	l.mail.post(mail{kind: mailTopic, what: m})
}

// delivered takes a publication of another lane out of the mailbox.
func (l *Lane) delivered(m *Message) {
	l.incoming.Add(-m.cost())
	if t := l.topics[m.Topic]; t != nil {
		f := l.shareMessage(m)
		l.fanOut(t, &f, 0)
		l.flushFull()
	}
}

// outrun follows publications that there was no room for. Which topics they were of
// nobody has kept.
func (l *Lane) outrun() {
	l.losing.Store(false)
	if skipped, ok := l.losses.sample(l.clock); ok {
		l.log.Warn("publications of other lanes are lost: this one does not keep up",
			"missed", l.counters.Missed.Load(), "skipped", skipped)
	}
	if l.ownTopics > 0 {
		l.tellLoss(abi.StatusQueueFull)
	}
}

// tellLoss tells the instance, once before it has heard of that, that it loses
// messages of topics that it has subscribed to itself.
func (l *Lane) tellLoss(why abi.Status) {
	if l.guest.Features()&abi.FeatureBackPressure != 0 && !l.ownDropped {
		l.ownDropped = true
		l.later = append(l.later, pending{event: abi.Event{Kind: abi.EventDropped, Code: uint16(why)}})
	}
}
