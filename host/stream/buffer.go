package stream

import (
	"math/bits"
	"sync"
)

// A buffer is memory that connections share: it belongs to one only while that
// reads into it or its frames are under way.
type buffer struct{ bytes []byte }

// bufferPool keeps buffers by size, each a power of two.
type bufferPool [maxClass]sync.Pool

const maxClass = 32

var buffers bufferPool

// get returns a buffer of at least size bytes, with the contents of its last use.
func (p *bufferPool) get(size int) *buffer {
	class := bits.Len(uint(size - 1))
	if b, ok := p[class].Get().(*buffer); ok {
		return b
	}
	return &buffer{make([]byte, 1<<class)}
}

func (p *bufferPool) put(b *buffer) { p[bits.Len(uint(len(b.bytes)-1))].Put(b) }
