package meter_test

import (
	"bytes"
	"maps"

	"github.com/tetratelabs/wazero/api"
)

// A checkpoint is what a host saves of an instance.
type checkpoint struct {
	memory  []byte
	globals map[string]uint64
}

func save(m api.Module, globals []string) checkpoint {
	c := checkpoint{globals: map[string]uint64{}}
	memory, _ := m.Memory().Read(0, m.Memory().Size())
	c.memory = bytes.Clone(memory)
	for _, name := range globals {
		c.globals[name] = m.ExportedGlobal(name).Get()
	}
	return c
}

// restore puts memory and globals back. What the memory has grown by since
// stays, and is zeroed.
func (c checkpoint) restore(m api.Module) {
	m.Memory().Write(0, c.memory)
	rest, _ := m.Memory().Read(uint32(len(c.memory)), m.Memory().Size()-uint32(len(c.memory)))
	clear(rest)
	for name, v := range c.globals {
		m.ExportedGlobal(name).(api.MutableGlobal).Set(v)
	}
}

// equal compares two checkpoints of one instance. A memory does not shrink: the
// later one may have zeros behind the end of the other.
func (c checkpoint) equal(d checkpoint) bool {
	short, long := c.memory, d.memory
	if len(short) > len(long) {
		short, long = long, short
	}
	rest := bytes.TrimLeft(long[len(short):], "\x00")
	return bytes.Equal(short, long[:len(short)]) && len(rest) == 0 && maps.Equal(c.globals, d.globals)
}
