package deflate_test

import (
	"bytes"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// Any bytes, in frames of any size, behind any context: what the reference says
// of them if they are right, and never more than is allowed.
func FuzzInflate(f *testing.F) {
	for _, s := range zlibStreams(f) {
		for i, packed := range s.packed {
			if len(packed) < 600 && i > 0 {
				f.Add(packed, s.plain[i-1], uint16(len(packed)/3), uint8(s.bits))
			}
		}
	}
	for _, s := range []string{
		"f2 48 cd c9 c9 07 00", "00 05 00 fa ff 48 65 6c 6c 6f 00", "f3 48 cd c9 c9 07 00 00",
		"f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "00", "", "06", "01 ff ff 00 00", "03 00 03 00 03 00 00",
	} {
		f.Add(unhex(s), []byte("Hello"), uint16(1), uint8(15))
	}
	f.Fuzz(func(t *testing.T, data, past []byte, cut uint16, window uint8) {
		if len(data) > 2000 || len(past) > 4000 {
			return // the reference is slow
		}
		const most = 1 << 16
		size := 8 + int(window)%8
		in := deflate.NewPool(open).Inflater(session(size, true))
		if _, err := inflate(&in, most, deflated(past, 0)); err != nil {
			t.Fatalf("Append(stored context): %v", err)
		}
		want, farthest, wantErr := inflateMessage(data, past[max(0, len(past)-max(512, 1<<size)):], 1<<15)
		got, err := inflate(&in, most, chunks(data, 1+int(cut))...)
		switch {
		case len(got) > most+1:
			t.Errorf("Append: got %d bytes, want no more than %d", len(got), most)
		case wantErr != nil: // it may pass for another message, see Append
		case len(want) > most:
			if err != frame.ErrTooBig {
				t.Errorf("Append: got %v, want %v", err, frame.ErrTooBig)
			}
		case err == deflate.ErrData && bytes.Contains(data, []byte{0, 0, 0xff, 0xff}): // a last block that was not taken off
		case err == deflate.ErrData && bytes.Count(data, []byte{3})+bytes.Count(data, []byte{1}) > 60: // perhaps too many last blocks
		case err != nil || !bytes.Equal(got, want):
			t.Errorf("Append: got %d bytes, %v, want %d, back %d", len(got), err, len(want), farthest)
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
		policy := deflate.Policy{Threshold: 1, Level: 1 + int(window>>5)}
		d := deflate.NewPool(policy).Deflater(p)
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
