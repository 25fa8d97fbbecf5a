package guest

import (
	"fmt"

	"github.com/tetratelabs/wazero/experimental"
)

// page is the unit in which guest memory grows.
const page = 64 << 10

// A memory is the linear memory of one instance: its whole quota reserved, its
// size so far committed. The base address never changes.
//
// It belongs to the [Instance], not to wazero: wazero frees memory in the
// middle of a call when a guest exits or overruns its deadline, while the host
// still holds slices of it.
type memory struct {
	by      backing
	all     []byte // the reservation
	size    int    // bytes committed, a multiple of page
	refused bool   // growth since the flag was last cleared met the quota
}

// A backing is how a system reserves, commits and releases address space.
// Committed bytes read as zero the first time, and again once they are discarded,
// for which the system may have their memory until they are written to.
type backing struct {
	reserve func(size int) ([]byte, error)
	commit  func([]byte) error
	discard func([]byte)
	release func([]byte) error
}

// heap backs memory where the system offers nothing better. The garbage
// collector counts the whole quota of each instance, used or not.
var heap = backing{
	reserve: func(size int) ([]byte, error) { return make([]byte, size), nil },
	commit:  func([]byte) error { return nil },
	discard: func(b []byte) { clear(b) },
	release: func([]byte) error { return nil },
}

// newMemory reserves quota bytes and commits the first size of them.
func newMemory(by backing, size, quota int) (*memory, error) {
	all, err := by.reserve(max(quota, page))
	if err != nil {
		return nil, fmt.Errorf("%w: reserve %d bytes: %w", ErrMemory, quota, err)
	}
	m := &memory{by: by, all: all[:quota]}
	if size > 0 && m.Reallocate(uint64(size)) == nil {
		m.release()
		return nil, fmt.Errorf("%w: the system refuses to commit %d bytes", ErrMemory, size)
	}
	return m, nil
}

// Allocate hands the memory to wazero. It is for one module instance at a time.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate grows the memory to size bytes, or returns nil: then the guest's
// memory.grow answers -1.
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.all)) {
		m.refused = true
		return nil
	}
	if n := int(size); n > m.size {
		if m.by.commit(m.all[m.size:n]) != nil {
			m.refused = true
			return nil
		}
		m.size = n
	}
	return m.all[:size:size]
}

// restart makes the memory empty, and zero as far as it has ever been in use, for
// another module instance that will want size bytes. What lies above them goes back
// to the system: a guest that failed with all its memory in use must not keep it.
func (m *memory) restart(size int) {
	size = min(size, m.size)
	clear(m.all[:size])
	m.by.discard(m.all[size:m.size])
	m.size = 0
}

// Free is wazero's; see [memory].
func (m *memory) Free() {}

// bytes is the memory as large as it is now.
func (m *memory) bytes() []byte { return m.all[:m.size:m.size] }

// release gives everything back to the system.
func (m *memory) release() error {
	all := m.all[:cap(m.all)]
	m.all, m.size = nil, 0
	return m.by.release(all)
}
