package deflate_test

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/host/deflate"
)

// What a session does again and again allocates nothing, but for one copy that
// the compressor makes of each message together with its context.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		return // sync.Pool drops things at random then
	}
	message := text(1, 800)
	packed := deflated(message, 6)
	frames := chunks(packed, 90)
	out := make([]byte, 4096)
	free, context := deflate.NewPool(deflate.Policy{}), deflate.NewPool(open)
	in, inContext := free.Inflater(session(15, false)), context.Inflater(session(15, true))
	d, small, dContext := free.Deflater(session(15, false)), free.Deflater(session(9, false)), context.Deflater(session(15, true))
	parts := [][]byte{message[:300], message[300:]}
	m := free.Message()
	header := []string{pmd + "; client_max_window_bits"}
	tests := []struct {
		name string
		want float64
		f    func()
	}{
		{"Append", 0, func() { in.Append(out[:0], packed, wide) }},
		{"Append, with context", 0, func() { inContext.Append(out[:0], packed, wide) }},
		{"Append, in frames", 5, func() { // what has come, as it grows
			for _, f := range frames[1:] {
				in.Add(f)
			}
			in.Append(out[:0], nil, wide)
		}},
		{"AppendFrame", 0, func() { d.AppendFrame(out[:0], 0x81, message) }},
		{"AppendFrame, in parts", 0, func() { d.AppendFrame(out[:0], 0x81, parts...) }},
		{"AppendFrame, small window", 0, func() { small.AppendFrame(out[:0], 0x81, message) }},
		{"AppendFrame, below the threshold", 0, func() { d.AppendFrame(out[:0], 0x81, message[:50]) }},
		{"AppendFrame, with context", 1, func() { dContext.AppendFrame(out[:0], 0x81, message) }},
		{"Message", 0, func() { m.Reset(0x81, message); m.Frame(&d); m.Frame(&small) }},
		{"Negotiate", 8, func() { deflate.Negotiate(header, open) }},
	}
	for _, test := range tests {
		if got := testing.AllocsPerRun(200, test.f); got > test.want {
			t.Errorf("%s: got %v allocations, want %v", test.name, got, test.want)
		}
	}
}
