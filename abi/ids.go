package abi

import (
	"encoding/binary"
	"errors"
	"iter"
)

// IDs are session ids: the payload of a send_many command. One encoding: eight
// bytes each, little-endian, nothing before, between or behind them.
type IDs []byte

// ErrIDs reports a list that is not whole or has more than [MaxSendMany] ids.
var ErrIDs = errors.New("ids: not a multiple of 8 bytes, or too many")

// AppendIDs appends the encoding of ids to dst.
func AppendIDs(dst []byte, ids ...uint64) []byte {
	for _, id := range ids {
		dst = binary.LittleEndian.AppendUint64(dst, id)
	}
	return dst
}

// ParseIDs checks the whole encoding and returns src as a view. It judges no id.
// It fails with [ErrIDs].
func ParseIDs(src []byte) (IDs, error) {
	if len(src)%8 != 0 || len(src) > 8*MaxSendMany {
		return nil, ErrIDs
	}
	return IDs(src), nil
}

// Len is the number of ids.
func (l IDs) Len() int { return len(l) / 8 }

// All yields the ids in order.
func (l IDs) All() iter.Seq[uint64] {
	return func(yield func(id uint64) bool) {
		for left := l; len(left) >= 8; left = left[8:] {
			if !yield(binary.LittleEndian.Uint64(left)) {
				return
			}
		}
	}
}
