package abi

import (
	"encoding/binary"
	"errors"
	"iter"
)

// Fields are name and value pairs in order, names may repeat: configuration,
// request and response headers. One encoding serves them all:
//
//	u32 count, then count times: u32 name length, u32 value length, name, value
//
// Integers are little-endian, without padding; the encoding ends with the last
// value and nothing may follow.
type Fields []byte

// ErrFields reports an encoding that is cut short, too long or counts wrongly.
var ErrFields = errors.New("fields: count and lengths do not match the bytes")

// AppendFields begins fields without pairs at the end of dst. [AppendField]
// adds to them; the start of the fields is where dst ended.
func AppendFields(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// AppendField adds a pair to the fields that begin at dst[start:].
func AppendField(dst []byte, start int, name, value string) []byte {
	count := dst[start : start+4]
	binary.LittleEndian.PutUint32(count, binary.LittleEndian.Uint32(count)+1)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(name)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(value)))
	dst = append(dst, name...)
	return append(dst, value...)
}

// ParseFields checks the whole encoding and returns src as a view. Its cost is
// bounded by len(src), whatever count says.
func ParseFields(src []byte) (Fields, error) {
	if len(src) < 4 {
		return nil, ErrFields
	}
	left := src[4:]
	for n := binary.LittleEndian.Uint32(src); n > 0; n-- {
		if len(left) < 8 {
			return nil, ErrFields
		}
		size := uint64(binary.LittleEndian.Uint32(left)) + uint64(binary.LittleEndian.Uint32(left[4:]))
		if uint64(len(left)-8) < size {
			return nil, ErrFields
		}
		left = left[8+size:]
	}
	if len(left) != 0 {
		return nil, ErrFields
	}
	return Fields(src), nil
}

// Len is the number of pairs.
func (f Fields) Len() int {
	if len(f) < 4 {
		return 0
	}
	return int(binary.LittleEndian.Uint32(f))
}

// All yields the pairs in order. The slices are views into f.
func (f Fields) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for n, left := f.Len(), f[min(4, len(f)):]; n > 0; n-- {
			nameLen := binary.LittleEndian.Uint32(left)
			valueLen := binary.LittleEndian.Uint32(left[4:])
			name, rest := left[8:8+nameLen], left[8+nameLen:]
			if !yield(name, rest[:valueLen]) {
				return
			}
			left = rest[valueLen:]
		}
	}
}

// Get returns the value of the first pair with that exact name.
func (f Fields) Get(name string) (value []byte, ok bool) {
	for n, v := range f.All() {
		if string(n) == name {
			return v, true
		}
	}
	return nil, false
}
