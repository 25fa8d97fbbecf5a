package abi

import "encoding/binary"

// Fields are name and value pairs in order, names may repeat:
//
//	u32 count, then count times: u32 name length, u32 value length, name, value
//
// The host writes only well-formed fields; malformed ones read as shorter.
type Fields []byte

// Len is the number of pairs.
func (f Fields) Len() int {
	if len(f) < 4 {
		return 0
	}
	return int(binary.LittleEndian.Uint32(f))
}

// All yields the pairs in order, as views into f.
func (f Fields) All(yield func(name, value []byte) bool) {
	left := f[min(4, len(f)):]
	for n := f.Len(); n > 0; n-- {
		if len(left) < 8 {
			return
		}
		name := uint64(binary.LittleEndian.Uint32(left))
		value := uint64(binary.LittleEndian.Uint32(left[4:]))
		left = left[8:]
		if name+value > uint64(len(left)) || !yield(left[:name:name], left[name:name+value:name+value]) {
			return
		}
		left = left[name+value:]
	}
}

// Get returns the value of the first pair with that exact name.
func (f Fields) Get(name string) (value []byte, ok bool) {
	for n, v := range f.All {
		if string(n) == name {
			return v, true
		}
	}
	return nil, false
}

// FieldSize is what one pair adds to the 4 bytes of the count.
func FieldSize(name, value string) int { return 8 + len(name) + len(value) }

// AppendFields begins fields without pairs at the end of dst.
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
