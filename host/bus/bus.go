// Package bus carries topic messages between the lanes of a plugin.
package bus

import (
	"sync"

	"github.com/yimmo-host/yimmo-host/host/lane"
)

// Local is a [lane.Bus] within one process. The zero value is ready; all
// methods are safe for concurrent use.
type Local struct {
	mu     sync.RWMutex
	topics map[string][]lane.Receiver
}

var _ lane.Bus = (*Local)(nil)

// Join makes r hear what is published to topic from now on.
func (b *Local) Join(topic string, r lane.Receiver) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.topics == nil {
		b.topics = map[string][]lane.Receiver{}
	}
	b.topics[topic] = append(b.topics[topic], r)
}

// Leave ends that. Messages under way may still come.
func (b *Local) Leave(topic string, r lane.Receiver) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.topics[topic]
	for i := range left {
		if left[i] == r {
			left = append(left[:i:i], left[i+1:]...) // a copy: Publish may be reading the old one
			break
		}
	}
	if len(left) == 0 {
		delete(b.topics, topic)
		return
	}
	b.topics[topic] = left
}

// Publish hands m to everyone who joined its topic, but not to from. Each
// receiver queues it; what one publisher publishes stays in order.
func (b *Local) Publish(from lane.Receiver, m *lane.Message) {
	b.mu.RLock()
	receivers := b.topics[m.Topic]
	b.mu.RUnlock()
	for _, r := range receivers {
		if r != from {
			r.Deliver(m)
		}
	}
}
