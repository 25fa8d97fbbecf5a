package trace

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A Header says whose trace it is and how to start an instance like the one
// recorded.
type Header struct {
	Plugin string    // its name in the configuration, at most [MaxName] bytes
	Host   string    // the program that recorded, at most [MaxHost] bytes
	Lane   int       // number of the instance's lane
	Time   time.Time // when the recording began
	Digest string    // SHA-256 of the module, hexadecimal; "" for a plugin without one
	ABI    int       // major version

	// What the host asked for, see [guest.Options].
	Rings   int
	Area    int
	Memory  int64 // quota, bytes
	Offered abi.Feature
	Boot    guest.Header // Turn is 0

	// The budget of a call, 0 = none, and how many times as much start and hooks may
	// do.
	Units                 int64
	StartTimes, HookTimes int

	// What the instance chose.
	Granted      abi.Feature
	EventsCap    uint32 // records
	CommandsCap  uint32 // records
	AreaAt       abi.Span
	DigestsOnly  bool // calls have the digest of their commands, not the commands
	Redacted     bool // payloads were wiped at recording
	Continuation bool // begins with a checkpoint, calls were made before
}

// Options are those that start an instance like the one recorded, a call of which
// may take turn. The log is the caller's, and without a budget StartTime and
// HookTime are, too.
func (h *Header) Options(turn time.Duration) guest.Options {
	return guest.Options{
		Rings: h.Rings, Area: h.Area, MemoryMax: h.Memory, Offered: h.Offered, Boot: h.Boot, Units: h.Units,
		TurnTime: turn, StartTime: turn * time.Duration(h.StartTimes), HookTime: turn * time.Duration(h.HookTimes),
	}
}

// Budget notes the budget that o gives an instance.
func (h *Header) Budget(o *guest.Options) {
	if h.Units = o.Units; h.Units > 0 {
		h.StartTimes, h.HookTimes = guest.BudgetTimes(o.StartTime, o.TurnTime), guest.BudgetTimes(o.HookTime, o.TurnTime)
	}
}

func (h *Header) flags() (f uint8) {
	for bit, on := range map[uint8]bool{HeaderDigests: h.DigestsOnly, HeaderRedacted: h.Redacted, HeaderPart: h.Continuation} {
		if on {
			f |= bit
		}
	}
	return f
}

// AppendHeader appends the record of h to dst. Texts that are too long are cut,
// a digest that is none is left out.
func AppendHeader(dst []byte, h *Header) []byte {
	start := len(dst)
	plugin, host := h.Plugin[:min(len(h.Plugin), MaxName)], h.Host[:min(len(h.Host), MaxHost)]
	var digest [32]byte
	if b, err := hex.DecodeString(h.Digest); err == nil && len(b) == len(digest) {
		digest = [32]byte(b)
	}
	le := binary.LittleEndian
	dst = begin(dst, KindHeader, h.flags(), uint16(h.ABI))
	dst = le.AppendUint32(dst, uint32(h.Lane))
	dst = le.AppendUint64(dst, uint64(h.Time.UnixNano()))
	dst = append(dst, digest[:]...)
	dst = le.AppendUint32(dst, uint32(h.Rings))
	dst = le.AppendUint32(dst, uint32(h.Area))
	dst = le.AppendUint64(dst, uint64(h.Memory))
	dst = le.AppendUint32(dst, uint32(h.Offered))
	dst = le.AppendUint32(dst, uint32(h.Granted))
	boot := h.Boot
	boot.Turn = uint64(h.Units)
	dst = appendTurn(dst, &boot)
	for _, v := range [...]uint32{h.EventsCap, h.CommandsCap, h.AreaAt.Addr, h.AreaAt.Cap} {
		dst = le.AppendUint32(dst, v)
	}
	dst = le.AppendUint16(dst, uint16(len(plugin)))
	dst = le.AppendUint16(dst, uint16(len(host)))
	dst = le.AppendUint16(dst, uint16(h.StartTimes))
	dst = le.AppendUint16(dst, uint16(h.HookTimes))
	dst = append(append(dst, plugin...), host...)
	return finish(dst, start)
}

func appendTurn(dst []byte, h *guest.Header) []byte {
	for _, v := range [...]uint64{uint64(h.Now), uint64(h.Mono), h.Seed, h.Turn} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return dst
}

func (b *body) turn() guest.Header {
	return guest.Header{Now: b.i64(), Mono: b.i64(), Seed: b.u64(), Turn: b.u64()}
}

func parseHeader(flags uint8, word uint16, b *body) (*Header, error) {
	h := &Header{
		ABI:         int(word),
		DigestsOnly: flags&HeaderDigests != 0, Redacted: flags&HeaderRedacted != 0, Continuation: flags&HeaderPart != 0,
		Lane: int(b.u32()), Time: time.Unix(0, b.i64()).UTC(), Digest: hex.EncodeToString(b.take(32)),
		Rings: int(b.u32()), Area: int(b.u32()), Memory: b.i64(),
		Offered: abi.Feature(b.u32()), Granted: abi.Feature(b.u32()), Boot: b.turn(),
		EventsCap: b.u32(), CommandsCap: b.u32(), AreaAt: b.span(),
	}
	h.Units, h.Boot.Turn = int64(h.Boot.Turn), 0
	plugin, host := b.u16(), b.u16()
	h.StartTimes, h.HookTimes = int(b.u16()), int(b.u16())
	h.Plugin, h.Host = string(b.take(uint64(plugin))), string(b.take(uint64(host)))
	if h.Digest == noDigest {
		h.Digest = ""
	}
	switch {
	case flags&^(HeaderDigests|HeaderRedacted|HeaderPart) != 0:
		return nil, fmt.Errorf("%w: reserved bits of the header are set", ErrDamaged)
	case plugin > MaxName || host > MaxHost:
		return nil, fmt.Errorf("%w: names of %d and %d bytes", ErrDamaged, plugin, host)
	case h.EventsCap > abi.MaxRing || h.CommandsCap > abi.MaxRing || h.AreaAt.Cap > abi.MaxArea:
		return nil, fmt.Errorf("%w: rings of %d and %d records, area of %d bytes", ErrDamaged, h.EventsCap, h.CommandsCap, h.AreaAt.Cap)
	case h.Units < 0 || (h.Units > 0) != (h.StartTimes > 0) || (h.Units > 0) != (h.HookTimes > 0):
		return nil, fmt.Errorf("%w: budget of %d units, %d and %d times as many for start and hooks", ErrDamaged, h.Units, h.StartTimes, h.HookTimes)
	case h.Memory < 0 || h.Memory > maxOfMemory:
		return nil, fmt.Errorf("%w: memory of %d bytes", ErrDamaged, h.Memory)
	}
	return h, nil
}

var noDigest = hex.EncodeToString(make([]byte, 32))
