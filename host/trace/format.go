package trace

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Version is the version of the format that this package writes, and the only
// one that it reads.
const Version = 1

// The file begins with the preamble; every record follows a prefix.
const (
	Magic        = "\x89YIMOT\r\n"
	PreambleSize = 16
	PrefixSize   = 12
)

// A Kind says what a record is. One from [KindOptional] up may be passed over by
// a reader that does not know it.
type Kind uint8

// Kinds of records.
const (
	KindHeader     Kind = 1    // whose trace it is; first, and only there
	KindCheckpoint Kind = 2    // the instance's state; memory records follow
	KindMemory     Kind = 3    // a piece of its memory
	KindCall       Kind = 4    // one call: events in, commands out
	KindGap        Kind = 5    // calls that were not recorded
	KindEnd        Kind = 6    // of the instance, or of this file; last
	KindSave       Kind = 7    // the host noted the instance's state
	KindLoad       Kind = 8    // the host put it back to that
	KindOptional   Kind = 0x80 // the first of those that may be passed over
)

// Sizes of the records without what varies, kind included, in bytes.
const (
	HeaderSize     = 128
	CheckpointSize = 24
	MemorySize     = 16
	CallSize       = 72
	GapSize        = 32
	EndSize        = 16
	MarkSize       = 8 // save and load
)

// Flags of a header.
const (
	HeaderDigests  = 1 << 0 // calls have no commands, only their digest
	HeaderRedacted = 1 << 1 // payloads were wiped, see FORMAT.md
	HeaderPart     = 1 << 2 // calls were made before: the trace begins with a checkpoint
)

// Flags of a call.
const (
	CallEvents   = 1 << 0 // the host wrote events first; they follow
	CallMore     = 1 << 1 // the guest has commands left
	CallTrap     = 1 << 2 // the call did not return in good order
	CallCommands = 1 << 3 // the commands follow
)

// Encodings of a memory record.
const MemoryZstd = 1

// Reasons of a gap.
const GapSlow = 1 // records came faster than they could be written

// Reasons of an end.
const (
	EndClosed = 1 // the host closed the instance
	EndTrap   = 2 // the instance trapped; the last call says how
	EndPart   = 3 // the trace goes on in another file
)

// Bounds of a trace, in bytes where not said otherwise.
const (
	MaxRecord   = 320 << 20     // a record: event ring, receive area, command ring and MaxPayload fit
	MaxPayload  = 16 << 20      // payloads of the commands of one call; the rest is not recorded
	MaxChunk    = 1 << 20       // of memory in one memory record
	MaxText     = 4 << 10       // what a trap said
	MaxName     = 64            // the plugin's name
	MaxHost     = 256           // the host's version
	MaxGlobals  = 1 << 16       // globals
	maxOfMemory = 65536 * 65536 // a memory
)

// Errors of a [Reader]. It wraps them.
var (
	// ErrTruncated reports that a trace ends without an end record, or inside a
	// record: its writer was stopped. Everything before it is good.
	ErrTruncated = errors.New("the trace is cut off")

	// ErrDamaged reports bytes that are not what was written. What comes after
	// them cannot be read.
	ErrDamaged = errors.New("the trace is damaged")

	ErrNotTrace = errors.New("not a trace")
	ErrVersion  = errors.New("the trace has another format version")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// AppendPreamble appends the first [PreambleSize] bytes of a trace to dst.
func AppendPreamble(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, Magic...)
	dst = binary.LittleEndian.AppendUint32(dst, Version)
	return binary.LittleEndian.AppendUint32(dst, sum(dst[start:]))
}

// begin makes room for a prefix at the end of dst and starts the record behind it.
func begin(dst []byte, kind Kind, flags uint8, word uint16) []byte {
	var prefix [PrefixSize]byte
	dst = append(dst, prefix[:]...)
	return binary.LittleEndian.AppendUint16(append(dst, byte(kind), flags), word)
}

// finish fills in the prefix of the record whose prefix begins at dst[start].
func finish(dst []byte, start int) []byte {
	prefix, body := dst[start:start+PrefixSize], dst[start+PrefixSize:]
	le := binary.LittleEndian
	le.PutUint32(prefix, uint32(len(body)))
	le.PutUint32(prefix[4:], sum(body))
	le.PutUint32(prefix[8:], sum(prefix[:8]))
	return dst
}

// A body takes a record apart from its front. Once it is used up it yields zeros
// and short is set.
type body struct {
	left  []byte
	short bool
}

func (b *body) take(n uint64) []byte {
	if n > uint64(len(b.left)) {
		b.short, b.left = true, nil
		return nil
	}
	p := b.left[:n:n]
	b.left = b.left[n:]
	return p
}

func (b *body) u16() uint16 {
	if p := b.take(2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

func (b *body) u32() uint32 {
	if p := b.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (b *body) u64() uint64 {
	if p := b.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

func (b *body) i64() int64 { return int64(b.u64()) }

func (b *body) span() abi.Span { return abi.Span{Addr: b.u32(), Cap: b.u32()} }
