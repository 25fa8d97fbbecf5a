package lane

import (
	"slices"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A Message is one publication on its way to its receivers. It is encoded once
// and not changed afterwards.
type Message struct {
	Topic string
	Flags uint8  // byte 0 of the frame
	Frame []byte // header and data, as they go to each session
	Data  []byte // within Frame
}

// A Bus carries publications between the lanes of a plugin, and whatever else
// has joined a topic. Its methods do not block; each receiver gets the messages
// of one publisher in order.
type Bus interface {
	Join(topic string, r Receiver)
	Leave(topic string, r Receiver)

	// Publish hands m to every receiver that has joined, but not to from.
	Publish(from Receiver, m *Message)
}

// A Receiver takes messages from a [Bus]. A [Lane] is one.
type Receiver interface{ Deliver(m *Message) }

// topic has the subscriptions of one name in this lane.
type topic struct {
	name string
	subs []*subscription
	own  bool // the instance itself has subscribed
}

// subscription is one session's to one topic.
type subscription struct {
	topic  *topic
	id     uint64 // session
	index  int    // in topic.subs
	policy uint8
	last   []byte // the newest message, while the session is slow and the policy is to keep it
}

func (l *Lane) subscribe(c *abi.Command) abi.Status {
	name := l.whole()
	if abi.CheckTopic(name) != nil {
		return abi.StatusBadText
	}
	if c.ID == 0 {
		return l.subscribeSelf(string(name))
	}
	s := l.sessions.find(c.ID)
	if s == nil || s.state == over {
		return abi.StatusUnknownSession
	}
	policy := c.Flags & abi.MaskPolicy
	if policy == 0 {
		policy = l.cfg.Policy
	}
	if sub := s.subscription(name); sub != nil {
		sub.policy = policy
		return 0
	}
	x := s.needExtra()
	if len(x.subs) == abi.MaxSubscriptions || l.subscriptions == abi.MaxAllSubscriptions || l.topicsFull(string(name)) {
		return abi.StatusQuota
	}
	t := l.topic(string(name))
	sub := &subscription{topic: t, id: c.ID, index: len(t.subs), policy: policy}
	t.subs = append(t.subs, sub)
	x.subs = append(x.subs, sub)
	l.subscriptions++
	return 0
}

func (l *Lane) subscribeSelf(name string) abi.Status {
	if t := l.topics[name]; t != nil && t.own {
		return 0
	}
	if l.ownTopics == abi.MaxSubscriptions || l.topicsFull(name) {
		return abi.StatusQuota
	}
	l.topic(name).own = true
	l.ownTopics++
	return 0
}

// topicsFull says whether that would be one topic too many.
func (l *Lane) topicsFull(name string) bool {
	q := l.cfg.Quotas.Topics
	return q > 0 && len(l.topics) >= q && l.topics[name] == nil && l.exceeded(QuotaTopics)
}

func (l *Lane) unsubscribe(c *abi.Command) abi.Status {
	name := l.whole()
	if abi.CheckTopic(name) != nil {
		return abi.StatusBadText
	}
	if c.ID == 0 {
		if t := l.topics[string(name)]; t != nil && t.own {
			t.own = false
			l.ownTopics--
			l.dropTopic(t)
		}
		return 0
	}
	s := l.sessions.find(c.ID)
	if s == nil || s.state == over {
		return abi.StatusUnknownSession
	}
	if sub := s.subscription(name); sub != nil {
		l.forgetLast(sub, s)
		s.extra.subs = slices.DeleteFunc(s.extra.subs, func(x *subscription) bool { return x == sub })
		l.endSubscription(sub)
	}
	return 0
}

// subscription is the session's to that topic, or nil.
func (s *session) subscription(name []byte) *subscription {
	if s.extra == nil {
		return nil
	}
	for _, sub := range s.extra.subs {
		if sub.topic.name == string(name) {
			return sub
		}
	}
	return nil
}

// following is who hears of which topic.
type following struct {
	topics        map[string]*topic
	subscriptions int // of all sessions
	ownTopics     int // of the instance

	// Messages of those to the instance that wait in batch.later.
	ownWaiting int
	ownBytes   int
	ownDropped bool // the instance has been told that it loses some
}

// topic finds or makes the topic of that name, and joins it on the bus.
func (l *Lane) topic(name string) *topic {
	t := l.topics[name]
	if t == nil {
		t = &topic{name: name}
		l.topics[name] = t
		if l.cfg.Bus != nil {
			l.cfg.Bus.Join(name, l)
		}
	}
	return t
}

// endSubscription takes a subscription out of its topic.
func (l *Lane) endSubscription(sub *subscription) {
	t := sub.topic
	last := len(t.subs) - 1
	t.subs[sub.index] = t.subs[last]
	t.subs[sub.index].index = sub.index
	t.subs[last] = nil
	t.subs = t.subs[:last]
	l.subscriptions--
	l.dropTopic(t)
}

// unsubscribeAll ends all subscriptions of a session.
func (l *Lane) unsubscribeAll(s *session) {
	if s.extra == nil {
		return
	}
	for _, sub := range s.extra.subs {
		l.forgetLast(sub, s)
		l.endSubscription(sub)
	}
	s.extra.subs = nil
}

// dropTopic forgets a topic that nobody hears any more.
func (l *Lane) dropTopic(t *topic) {
	if len(t.subs) > 0 || t.own {
		return
	}
	delete(l.topics, t.name)
	if l.cfg.Bus != nil {
		l.cfg.Bus.Leave(t.name, l)
	}
}

// dropOwnTopics forgets what an instance subscribed to for itself, when it ends.
func (l *Lane) dropOwnTopics() {
	for _, t := range l.topics {
		t.own = false
		l.dropTopic(t)
	}
	l.ownTopics = 0
}

// tellSelf makes a topic event for the next turn. An instance that publishes
// faster than it hears loses the newest.
func (l *Lane) tellSelf(topic string, f *sharedFrame) {
	size := len(topic) + f.size
	code := abi.StatusQueueFull
	if size > len(l.area) {
		code = abi.StatusTooLarge
	} else if l.ownWaiting < abi.MaxTopicEvents && l.ownBytes+size <= abi.MaxTopicBytes {
		l.ownWaiting++
		l.ownBytes += size
		l.later = append(l.later, pending{
			event:   abi.Event{Kind: abi.EventTopic, Flags: f.flags, Code: uint16(len(topic))},
			payload: abi.AppendTopic(make([]byte, 0, size), topic, payload(f.bytes(&l.outbox))),
		})
		return
	}
	l.counters.Missed.Add(1)
	l.tellLoss(code)
}
