package lane

import "sync"

// A mail is one thing that another goroutine wants of the lane.
type mail struct {
	kind mailKind
	id   uint64 // session or request, where the kind has one
	what any    // as the kind says; always a pointer, so that posting allocates nothing
}

type mailKind uint8

const (
	mailConnect mailKind = iota + 1 // what: *connect
	mailAbort                       // the upgrade of id will not happen; what: *connect or *Exchange that nobody waits for
	mailAttach                      // what: Link
	mailSocket                      // what: *socket
	mailTopic                       // what: *Message
	mailLost                        // messages that there was no room for
	mailBatch                       // what: *Batch
	mailGone                        // the connection of id ended without a close frame
	mailDrained                     // the link of id took what was waiting
	mailStalled                     // the peer of id takes nothing of what waits
	mailRequest                     // what: *Exchange
	mailBody                        // what: *body
	mailLeft                        // what: *Exchange; its client needs nothing more
	mailDrain                       // end all sessions within id nanoseconds, then stop
	mailKill                        // end everything now
	mailReset                       // start again, whatever happened
)

// A mailbox carries mails to the lane's goroutine, in order for each sender.
type mailbox struct {
	mu     sync.Mutex
	queue  []mail
	closed bool
	wake   func() // makes the lane look; called with mu held, never after shut
}

// post never waits for the lane. It reports false when the lane has stopped.
func (b *mailbox) post(m mail) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.queue = append(b.queue, m)
	if len(b.queue) == 1 {
		b.wake()
	}
	return true
}

// poke wakes the lane without mail.
func (b *mailbox) poke() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.wake()
	}
}

// take swaps the queue for an empty one that reuses the memory of spare, which the
// lane has cleared.
func (b *mailbox) take(spare []mail) []mail {
	b.mu.Lock()
	q := b.queue
	b.queue = spare[:0]
	b.mu.Unlock()
	return q
}

// shut refuses further mail and returns what was still waiting.
func (b *mailbox) shut() []mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	q := b.queue
	b.queue = nil
	return q
}
