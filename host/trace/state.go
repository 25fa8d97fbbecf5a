package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A Checkpoint is the state from which the calls behind it went on. Memory
// records follow it, see [Memory].
type Checkpoint struct {
	Mono    int64    // the guest's monotonic clock, nanoseconds
	Memory  uint64   // size of guest memory, bytes
	Globals []uint64 // the guest's mutable globals, in the order of the module
}

// A Memory is a piece of the memory of the checkpoint before it. What no piece
// has is zero.
type Memory struct {
	Addr uint64
	Size uint32 // bytes, at most [MaxChunk]
	Data []byte // a Zstandard frame; a view, good until the next record is read
}

// A Gap stands for calls that were not recorded. Only a checkpoint leads on.
type Gap struct {
	Reason      uint8
	Calls       uint64
	First, Last uint64 // their turn numbers
}

// An End says how the recording ended.
type End struct {
	Reason uint8
	Calls  uint64 // of the instance that this file has
}

// A Mark says that the host noted the instance's state in a slot, or put the
// instance back to what the slot has.
type Mark struct {
	Load bool
	Slot uint32
}

// Slots are how many states a host may have noted at a time.
const Slots = 4

// A packer makes the memory records of checkpoints.
type packer struct{ zstd *zstd.Encoder }

func newPacker() *packer {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(MaxChunk), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return &packer{z}
}

// appendCheckpoint appends the records of c to dst.
func (p *packer) appendCheckpoint(dst []byte, c *guest.Checkpoint) []byte {
	dst = appendCheckpoint(dst, &Checkpoint{Mono: c.Mono, Memory: uint64(len(c.Memory)), Globals: c.Globals})
	for at := 0; at < len(c.Memory); at += MaxChunk {
		chunk := c.Memory[at:min(at+MaxChunk, len(c.Memory))]
		if isZero(chunk) {
			continue
		}
		start := len(dst)
		dst = appendMemory(dst, uint64(at), len(chunk))
		dst = finish(p.zstd.EncodeAll(chunk, dst), start)
	}
	return dst
}

func appendCheckpoint(dst []byte, c *Checkpoint) []byte {
	start, le := len(dst), binary.LittleEndian
	dst = begin(dst, KindCheckpoint, 0, 0)
	dst = le.AppendUint32(dst, uint32(len(c.Globals)))
	dst = le.AppendUint64(dst, uint64(c.Mono))
	dst = le.AppendUint64(dst, c.Memory)
	for _, g := range c.Globals {
		dst = le.AppendUint64(dst, g)
	}
	return finish(dst, start)
}

func appendMemory(dst []byte, addr uint64, size int) []byte {
	dst = begin(dst, KindMemory, MemoryZstd, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(size))
	return binary.LittleEndian.AppendUint64(dst, addr)
}

func isZero(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// AppendGap appends the record of g to dst.
func AppendGap(dst []byte, g *Gap) []byte {
	start := len(dst)
	dst = begin(dst, KindGap, g.Reason, 0)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	for _, v := range [...]uint64{g.Calls, g.First, g.Last} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return finish(dst, start)
}

// AppendEnd appends the record of e to dst.
func AppendEnd(dst []byte, e *End) []byte {
	start := len(dst)
	dst = begin(dst, KindEnd, e.Reason, 0)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	return finish(binary.LittleEndian.AppendUint64(dst, e.Calls), start)
}

// AppendMark appends the record of m to dst.
func AppendMark(dst []byte, m Mark) []byte {
	start, kind := len(dst), KindSave
	if m.Load {
		kind = KindLoad
	}
	dst = begin(dst, kind, 0, 0)
	return finish(binary.LittleEndian.AppendUint32(dst, m.Slot), start)
}

func parseCheckpoint(b *body) (*Checkpoint, error) {
	globals := b.u32()
	c := &Checkpoint{Mono: b.i64(), Memory: b.u64()}
	if c.Memory > maxOfMemory || globals > MaxGlobals || uint64(globals)*8 != uint64(len(b.left)) {
		return nil, fmt.Errorf("%w: a checkpoint of %d globals and %d bytes", ErrDamaged, globals, c.Memory)
	}
	for range globals {
		c.Globals = append(c.Globals, b.u64())
	}
	return c, nil
}

func parseMemory(encoding uint8, b *body) (*Memory, error) {
	m := &Memory{Size: b.u32(), Addr: b.u64(), Data: b.take(uint64(len(b.left)))}
	switch {
	case encoding != MemoryZstd:
		return nil, fmt.Errorf("%w: memory in encoding %d", ErrVersion, encoding)
	case m.Size == 0 || m.Size > MaxChunk || m.Addr > maxOfMemory:
		return nil, fmt.Errorf("%w: %d bytes of memory at %#x", ErrDamaged, m.Size, m.Addr)
	}
	return m, nil
}

func parseGap(reason uint8, b *body) (*Gap, error) {
	reserved := b.u32()
	g := &Gap{Reason: reason, Calls: b.u64(), First: b.u64(), Last: b.u64()}
	if reserved != 0 {
		return nil, fmt.Errorf("%w: reserved bits of a gap are set", ErrDamaged)
	}
	return g, nil
}

func parseEnd(reason uint8, b *body) (*End, error) {
	if b.u32() != 0 {
		return nil, fmt.Errorf("%w: reserved bits of the end are set", ErrDamaged)
	}
	return &End{Reason: reason, Calls: b.u64()}, nil
}

func parseMark(load bool, b *body) (*Mark, error) {
	m := &Mark{Load: load, Slot: b.u32()}
	if m.Slot >= Slots {
		return nil, fmt.Errorf("%w: slot %d", ErrDamaged, m.Slot)
	}
	return m, nil
}

// An unpacker puts the memory of a checkpoint together.
type unpacker struct{ zstd *zstd.Decoder }

func newUnpacker() *unpacker {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxChunk),
		zstd.WithDecoderMaxWindow(MaxChunk), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err)
	}
	return &unpacker{z}
}

func (u *unpacker) close() { u.zstd.Close() }

var errChunk = errors.New("a piece of memory does not unpack")

// An image is a checkpoint whose memory records are being read. Until all are
// there it takes as much memory as they do, whatever size the checkpoint claims.
type image struct {
	Checkpoint
	pieces []Memory
}

// add keeps a piece, which is good until the next record only.
func (i *image) add(m *Memory) {
	i.pieces = append(i.pieces, Memory{Addr: m.Addr, Size: m.Size, Data: slices.Clone(m.Data)})
}

// put puts all together.
func (i *image) put(u *unpacker) (*guest.Checkpoint, error) {
	c := &guest.Checkpoint{Memory: make([]byte, i.Memory), Globals: i.Globals, Mono: i.Mono}
	for n := range i.pieces {
		if err := u.unpack(c.Memory, &i.pieces[n]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// unpack writes the piece m into memory.
func (u *unpacker) unpack(memory []byte, m *Memory) error {
	if m.Addr+uint64(m.Size) > uint64(len(memory)) {
		return fmt.Errorf("%w: %w: %d bytes at %#x of %d", ErrDamaged, errChunk, m.Size, m.Addr, len(memory))
	}
	to := memory[m.Addr:][:m.Size:m.Size]
	got, err := u.zstd.DecodeAll(m.Data, to[:0])
	if err != nil || len(got) != len(to) {
		return fmt.Errorf("%w: %w: got %d of %d bytes, %v", ErrDamaged, errChunk, len(got), len(to), err)
	}
	copy(to, got) // the decoder may have taken a buffer of its own
	return nil
}
