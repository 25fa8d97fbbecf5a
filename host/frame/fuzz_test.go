package frame_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// agree decodes stream, cut as the bytes of split say, and compares with the
// reference. Bits of mode: 1 compression, 2 small limits, 4 pieces.
func agree(t *testing.T, stream, split []byte, mode byte) {
	t.Helper()
	s := settings{rsv1: mode&1 != 0}
	if mode&2 != 0 {
		s.limits = frame.Limits{Message: 40, Frames: 3}
	}
	var cuts []int
	for i, at := 0, 0; i < len(split) && at < len(stream); i++ {
		at = min(at+int(split[i]), len(stream))
		cuts = append(cuts, at)
	}
	want := reference(stream, s)
	got, fault := decode(s.decoder(), stream, cuts, mode&4 != 0)
	if fault != nil || !got.equal(want) {
		t.Errorf("Decoder(% x, cut at %v, mode %d): got %v (%v), want %v", stream, cuts, mode, got, fault, want)
	}
}

// Any bytes, cut in any way, give the frames and the error of the reference.
func FuzzDecoder(f *testing.F) {
	for i, v := range vectors(f) {
		if len(v.stream) < 2000 {
			f.Add(v.stream, []byte{3, 5, 1, 1, 1, 1, 1, 7}, byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, stream, split []byte, mode byte) {
		agree(t, stream, split, mode)
	})
}

// The same with streams that are frames for the most part, so that the rules
// behind the first header are reached.
func TestDecoderRandomFrames(t *testing.T) {
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var stream []byte
		for range 1 + r.IntN(8) {
			var key [4]byte
			for i := range key {
				key[i] = byte(r.Uint32())
			}
			stream = appendMasked(stream, randomPacket(r), key)
		}
		if r.IntN(4) == 0 { // a wrong byte anywhere
			stream[r.IntN(len(stream))] ^= 1 << r.IntN(8)
		}
		stream = stream[:len(stream)-r.IntN(2)*r.IntN(len(stream))]
		split := make([]byte, r.IntN(12))
		for i := range split {
			split[i] = byte(r.IntN(30))
		}
		agree(t, stream, split, byte(seed))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// randomPacket is mostly legal on its own; sequences of them mostly are not wrong at once.
func randomPacket(r *rand.Rand) packet {
	flags := []byte{0x01, 0x01, 0x02, 0x81, 0x82, 0x00, 0x00, 0x80, 0x80, 0x89, 0x8a, 0x88, 0x41, 0xc1}[r.IntN(14)]
	sizes := []int{0, 1, 3, 7, 8, 30, 125, 126, 300}
	size := sizes[r.IntN(len(sizes))]
	if flags&0x08 != 0 {
		size = min(size, 125)
	}
	return packet{flags, string(randomText(r, size))}
}

// randomText is size bytes of UTF-8 characters of all lengths, the last perhaps
// cut off, with a wrong byte now and then.
func randomText(r *rand.Rand, size int) []byte {
	chars := []string{"a", "bcdefghi", "\u00e9", "\u20ac", "\ud7ff", "\ue000", "\U00010000", "\U0010ffff"}
	var p []byte
	for len(p) < size {
		p = append(p, chars[r.IntN(len(chars))]...)
	}
	p = slices.Clip(p[:size])
	if size > 0 && r.IntN(8) == 0 {
		p[r.IntN(size)] = byte(r.Uint32())
	}
	return p
}
