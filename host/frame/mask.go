package frame

import (
	"encoding/binary"
	"math/bits"
)

// unmask inverts the masking of section 5.3 in place. Bits 0-7 of key are the
// mask of p[0], bits 8-15 of p[1], and so on, round and round.
func unmask(p []byte, key uint32) {
	le := binary.LittleEndian
	wide := uint64(key)<<32 | uint64(key)
	for len(p) >= 64 {
		q := p[:64:64]
		le.PutUint64(q[0:8], le.Uint64(q[0:8])^wide)
		le.PutUint64(q[8:16], le.Uint64(q[8:16])^wide)
		le.PutUint64(q[16:24], le.Uint64(q[16:24])^wide)
		le.PutUint64(q[24:32], le.Uint64(q[24:32])^wide)
		le.PutUint64(q[32:40], le.Uint64(q[32:40])^wide)
		le.PutUint64(q[40:48], le.Uint64(q[40:48])^wide)
		le.PutUint64(q[48:56], le.Uint64(q[48:56])^wide)
		le.PutUint64(q[56:64], le.Uint64(q[56:64])^wide)
		p = p[64:]
	}
	for len(p) >= 8 {
		le.PutUint64(p, le.Uint64(p)^wide)
		p = p[8:]
	}
	if len(p) >= 4 {
		le.PutUint32(p, le.Uint32(p)^key)
		p = p[4:]
	}
	for i := range p {
		p[i] ^= byte(key >> (8 * i))
	}
}

// phase turns key so that it fits bytes that lie n further on.
func phase(key uint32, n int) uint32 {
	return bits.RotateLeft32(key, -8*(n&3))
}
