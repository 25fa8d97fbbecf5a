package deflate

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Limits bounds what the compressed messages of all sessions together, and each
// one, can cost. A field that is not above zero means its default, never
// "unlimited".
type Limits struct {
	// Message is the largest message, inflated, in bytes. Above it: 1009, before
	// a byte more comes out. Default 1 MiB.
	Message int64

	// Ratio is how many times its bytes on the wire a message may inflate to, on
	// top of Allowance. Above it: 1009. Default 200: copies of text in the
	// window reach 130, only runs of one pattern reach the 1032 that DEFLATE can do.
	Ratio int

	// Allowance is what any message may inflate to, in bytes. Default 64 KiB.
	Allowance int64

	// Working is the most calls that inflate at the same time, each with tables
	// of 8 KiB; a further one waits until one of them returns, which none
	// delays by waiting for anything. Default four times GOMAXPROCS.
	Working int

	// Waiting is the most messages that may be half inflated and wait for their
	// peer, each with a window of up to 32 KiB. Above it: 1013 for the message
	// that would be the next; messages that arrive whole are not affected.
	// Default 4096. It stops peers that begin messages and never end them.
	Waiting int
}

// withDefaults returns l with every field filled in.
func (l Limits) withDefaults() Limits {
	fill := func(field *int64, value int64) {
		if *field <= 0 {
			*field = value
		}
	}
	ratio, working, waiting := int64(l.Ratio), int64(l.Working), int64(l.Waiting)
	fill(&l.Message, 1<<20)
	fill(&ratio, 200)
	fill(&l.Allowance, 64<<10)
	fill(&working, 4*int64(runtime.GOMAXPROCS(0)))
	fill(&waiting, 4096)
	l.Ratio, l.Working, l.Waiting = int(ratio), int(working), int(waiting)
	return l
}

// A Pool is what the sessions of a host share: the memory that is needed only
// while bytes are inflated or deflated, and the bounds on it. Safe for concurrent use.
type Pool struct {
	policy Policy
	limits Limits

	working chan struct{} // a place for each call that inflates
	waiting atomic.Int64  // messages that are half inflated

	tables  sync.Pool // of *tables
	streams sync.Pool // of *stream
	windows sync.Pool // of *[1 << MaxBits]byte
	packers sync.Pool // of *packer
	writers [MaxBits + 1]sync.Pool
}

// NewPool makes a pool. The policy must be valid, see [Policy.Validate].
func NewPool(policy Policy, limits Limits) *Pool {
	p := &Pool{policy: policy.withDefaults(), limits: limits.withDefaults()}
	p.working = make(chan struct{}, p.limits.Working)
	p.tables.New = func() any { return new(tables) }
	p.streams.New = func() any { return new(stream) }
	p.windows.New = func() any { return new([1 << MaxBits]byte) }
	p.packers.New = func() any { return new(packer) }
	return p
}

// Waiting returns how many messages are half inflated and wait for their peer.
func (p *Pool) Waiting() int { return int(p.waiting.Load()) }

// wait counts a message as half inflated, or reports that there are too many.
func (p *Pool) wait() bool {
	if p.waiting.Add(1) > int64(p.limits.Waiting) {
		p.waiting.Add(-1)
		return false
	}
	return true
}

// window returns memory for a window. It is not cleared: nothing refers to more
// of it than was written.
func (p *Pool) window(size int) []byte {
	if size == 1<<MaxBits {
		return p.windows.Get().(*[1 << MaxBits]byte)[:]
	}
	return make([]byte, size)
}

// freeWindow takes back what window gave.
func (p *Pool) freeWindow(buf []byte) {
	if len(buf) == 1<<MaxBits {
		p.windows.Put((*[1 << MaxBits]byte)(buf))
	}
}
