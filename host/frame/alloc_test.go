package frame_test

import (
	"bytes"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// Nothing on the way of a frame allocates, refusals included.
func TestAllocations(t *testing.T) {
	message := appendMasked(nil, packet{0x81, "Hello, \u20ac and the rest of it"}, [4]byte{}) // key 0: decoded again and again
	fragments := appendMasked(appendMasked(nil, packet{0x02, "fra"}, [4]byte{1}), packet{0x80, "ment"}, [4]byte{2})
	bad := appendMasked(nil, packet{0x81, "\xff"}, [4]byte{})
	reason := []byte("\x03\xe8bye")
	parts := [][]byte{[]byte("text in "), []byte("parts")}
	out := make([]byte, 0, 256)
	limits := new(frame.Limits)
	var d frame.Decoder
	var e frame.Encoder
	tests := []struct {
		name string
		f    func()
	}{
		{"Next, whole", func() { d.Init(limits); d.Next(message) }},
		{"Next, byte by byte", func() {
			d.Init(limits)
			for k := range message {
				d.Next(message[:k+1])
			}
		}},
		{"Next, two frames", func() {
			d.Init(limits)
			_, n, _ := d.Next(fragments)
			d.Next(fragments[n:])
		}},
		{"Piece", func() { d.Init(limits); d.Next(message[:10]); d.Piece(message[:10]) }},
		{"Next, refused", func() { d.Init(limits); d.Next(bad); d.Next(bad) }},
		{"ParseClose", func() { frame.ParseClose(reason); frame.ParseClose(reason[:1]) }},
		{"Encoder", func() {
			next := e
			next.Check(0x81, 13)
			next.Text(parts[0], false)
			next.Text(parts[1], true)
			next.Check(0x80, 0)
			e = next
		}},
		{"Append", func() {
			out = frame.AppendHeader(out[:0], 0x82, 70000)
			out = frame.AppendClose(out, 1001, "going away")
		}},
	}
	for _, test := range tests {
		if got := testing.AllocsPerRun(100, test.f); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", test.name, got)
		}
	}
	if !bytes.HasSuffix(message, []byte("rest of it")) {
		t.Error("message changed: key is not 0")
	}
}
