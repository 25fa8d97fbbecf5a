package trace

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Stand-ins for the address of a command's payload in digests and comparisons:
// where a guest keeps its bytes is its own affair.
const (
	addrHere    = 0
	addrMissing = 1<<32 - 1
)

// digest is the xxHash64 of commands and the payloads that a trace has of them.
func digest(commands, data []byte, memory uint64) uint64 {
	var h xxhash.Digest
	h.Reset()
	room := newRoom(memory)
	var r [abi.RecordSize]byte
	for ; len(commands) > 0; commands = commands[abi.RecordSize:] {
		c, _ := abi.ParseCommand(commands)
		here := room.has(&c)
		copy(r[:], commands)
		addr := uint32(addrHere)
		if !here {
			addr = addrMissing
		}
		binary.LittleEndian.PutUint32(r[abi.RecordOffsetAddr:], addr)
		h.Write(r[:])
		if here {
			h.Write(data[:c.Len])
			data = data[c.Len:]
		}
	}
	return h.Sum64()
}

// appendCommands appends records and payloads of the first n commands of a ring
// to dst, as a full call has them.
func appendCommands(dst, ring []byte, n int, memory []byte) []byte {
	ring = ring[:n*abi.RecordSize]
	dst = append(dst, ring...)
	room := newRoom(uint64(len(memory)))
	for ; len(ring) > 0; ring = ring[abi.RecordSize:] {
		if c, _ := abi.ParseCommand(ring); c.Len > 0 && room.has(&c) {
			dst = append(dst, memory[c.Addr:][:c.Len]...)
		}
	}
	return dst
}
