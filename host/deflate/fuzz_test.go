package deflate_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/flate"

	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// Any bytes, in frames and room of any size, behind any context: what the
// reference says of them, within the limits, and all memory back.
func FuzzInflate(f *testing.F) {
	for _, s := range zlibStreams(f) {
		for i, packed := range s.packed {
			if len(packed) < 600 && i > 0 {
				f.Add(packed, s.plain[i-1], uint16(len(packed)/3), uint16(100), uint8(s.bits))
			}
		}
	}
	for _, s := range []string{
		"f2 48 cd c9 c9 07 00", "00 05 00 fa ff 48 65 6c 6c 6f 00", "f3 48 cd c9 c9 07 00 00",
		"f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "00", "", "06", "01 ff ff 00 00",
	} {
		f.Add(unhex(s), []byte("Hello"), uint16(1), uint16(3), uint8(15))
	}
	f.Add(bits(dynamic(258, 1, lens(258, 1, 97, 1, 256, 2, 257, 2, 1000, 1)...)+"0 11 0 10 "+flush), []byte(nil), uint16(7), uint16(1), uint8(9))
	f.Fuzz(func(t *testing.T, data, past []byte, cut, room uint16, window uint8) {
		if len(data) > 2000 || len(past) > 4000 {
			return // the reference is slow
		}
		size := 8 + int(window)%8
		limits := deflate.Limits{Message: 1 << 16, Ratio: 2000}
		pool := deflate.NewPool(open, limits)
		in := pool.Inflater(session(size, true))
		if _, err := inflate(in, 0, deflated(past, 0)); err != nil {
			t.Fatalf("Inflate(stored context): %v", err)
		}
		want, _, wantErr := inflateMessage(data, past, max(512, 1<<size))
		got, err := inflate(in, 1+int(room)%600, chunks(data, 1+int(cut))...)
		switch {
		case len(want) > 1<<16:
			if err != frame.ErrTooBig || len(got) != 1<<16 {
				t.Errorf("Inflate: got %d bytes, %v, want %d and %v", len(got), err, 1<<16, frame.ErrTooBig)
			}
		case wantErr == nil:
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("Inflate: got %d bytes, %v, want %d", len(got), err, len(want))
			}
		case !errors.Is(err, deflate.ErrData) || !bytes.HasPrefix(want, got):
			t.Errorf("Inflate: got %d bytes, %v, want %v (%v) and no more than %d", len(got), err, deflate.ErrData, wantErr, len(want))
		}
		in.Close()
		if pool.Waiting() != 0 || in.Held() != 0 {
			t.Errorf("Close: %d waiting, %d bytes held", pool.Waiting(), in.Held())
		}
	})
}

// Against the library's own inflater, which is fast enough for large inputs: it
// stops at BFINAL, so what comes up to there must agree.
func FuzzInflateLibrary(f *testing.F) {
	for _, s := range zlibStreams(f) {
		f.Add(s.packed[0], uint16(1000))
	}
	f.Add(deflated(text(1, 30000), 9), uint16(4000))
	f.Add(deflated(make([]byte, 1<<16), 9), uint16(9))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		in := deflate.NewPool(open, deflate.Limits{Message: 1 << 20, Ratio: 2000}).Inflater(session(15, false))
		got, err := inflate(in, 0, chunks(data, 1+int(cut))...)
		tail := []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}
		r := flate.NewReader(io.MultiReader(bytes.NewReader(data), bytes.NewReader(tail)))
		want, wantErr := io.ReadAll(io.LimitReader(r, 1<<20))
		common := min(len(got), len(want))
		if !bytes.Equal(got[:common], want[:common]) || err == nil && wantErr == nil && common < len(want) {
			t.Errorf("Inflate: got %d bytes, %v, which differ from the library's %d, %v", len(got), err, len(want), wantErr)
		}
	})
}

// Whatever is sent comes back, in any window and context, whole and in pieces.
func FuzzDeflate(f *testing.F) {
	f.Add([]byte("Hello"), []byte("Hello, Hello"), uint8(15), uint8(3))
	f.Add(text(1, 700), text(1, 900), uint8(9), uint8(200))
	f.Add(make([]byte, 300), text(2, 300), uint8(8), uint8(7))
	f.Fuzz(func(t *testing.T, first, second []byte, window, cut uint8) {
		if len(first)+len(second) > 6000 {
			return
		}
		p := session(8+int(window)%8, window&64 == 0)
		policy := deflate.Policy{Enabled: true, Threshold: 1, Level: 1 + int(window>>5)}
		d := deflate.NewPool(policy, wide).Deflater(p)
		c := newClient(t, p)
		c.read(d.AppendFrame(nil, 0x82, first))
		at := min(int(cut), len(second))
		c.read(d.AppendFrame(nil, 0x02, second[:at]))
		c.read(d.AppendFrame(nil, 0x80, second[at:]))
		c.read(d.AppendFrame(nil, 0x82, first, second))
		for i, want := range [][]byte{first, second, append(first[:len(first):len(first)], second...)} {
			if !bytes.Equal(c.messages[i], want) {
				t.Errorf("message %d: got % .40x, want % .40x", i, c.messages[i], want)
			}
		}
	})
}

// Streams that are right for the most part, so that a fault is met in every
// state: a bit turned over, a byte more or less, an end too early.
func TestInflateFaults(t *testing.T) {
	pool := deflate.NewPool(open, wide)
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 3))
		past := text(r.IntN(9), r.IntN(700))
		plain := text(r.IntN(9), r.IntN(900))
		data := deflated(plain, []int{flate.HuffmanOnly, 0, 1, 6, 9}[r.IntN(5)])
		if r.IntN(2) == 0 {
			data = append(append(data, 0, 0, 0xff, 0xff), deflated(text(r.IntN(9), r.IntN(90)), 6)...)
		}
		for range r.IntN(4) {
			at := r.IntN(len(data))
			switch r.IntN(3) {
			case 0:
				data[at] ^= 1 << r.IntN(8)
			case 1:
				data = slices.Insert(data, at, byte(r.Uint32()))
			case 2:
				data = slices.Delete(data, at, min(len(data), at+1+r.IntN(3)))
			}
			if len(data) == 0 {
				data = []byte{byte(r.Uint32())}
			}
		}
		size := 8 + r.IntN(8)
		want, _, wantErr := inflateMessage(data, past, max(512, 1<<size))
		in := pool.Inflater(session(size, true))
		inflate(in, 0, deflated(past, 0))
		got, err := inflate(in, r.IntN(500), chunks(data, 1+r.IntN(300))...)
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) || !bytes.HasPrefix(want, got) {
			t.Fatalf("seed %d: Inflate(% x): got %d bytes, %v, want %d, %v", seed, data, len(got), err, len(want), wantErr)
		}
		in.Close()
	}
}
