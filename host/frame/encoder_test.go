package frame_test

import (
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// send checks a frame whose payload comes in the given parts, and keeps the
// state only when it is accepted, as the host does.
func send(e *frame.Encoder, flags byte, parts ...string) error {
	next, size := *e, 0
	for _, p := range parts {
		size += len(p)
	}
	if err := next.Check(flags, size); err != nil {
		return err
	}
	for i, p := range parts {
		if err := next.Text([]byte(p), i == len(parts)-1); err != nil {
			return err
		}
	}
	*e = next
	return nil
}

func TestEncoder(t *testing.T) {
	type step struct {
		flags byte
		parts string // cut at '|'
		want  error
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"text, binary, empty ones", []step{{0x81, "a", nil}, {0x82, "\xff", nil}, {0x81, "", nil}, {0x82, "", nil}}},
		{"ping and pong", []step{{0x89, "", nil}, {0x8a, "\xff", nil}, {0x89, strings.Repeat("p", 125), nil}}},
		{"fragments", []step{{0x01, "a", nil}, {0x00, "", nil}, {0x80, "b", nil}, {0x82, "c", nil}}},
		{"ping between fragments", []step{{0x01, "k\xc3", nil}, {0x89, "\xff", nil}, {0x80, "\xb6nig", nil}}},
		{"close is not sent this way", []step{{0x88, "", frame.ErrSendFlags}}},
		{"unknown opcodes", []step{{0x83, "", frame.ErrSendFlags}, {0x87, "", frame.ErrSendFlags}, {0x8b, "", frame.ErrSendFlags}, {0x8f, "", frame.ErrSendFlags}}},
		{"reserved bits", []step{{0xc1, "", frame.ErrSendFlags}, {0xa1, "", frame.ErrSendFlags}, {0x91, "", frame.ErrSendFlags}, {0xc9, "", frame.ErrSendFlags}}},
		{"ping without FIN", []step{{0x09, "", frame.ErrSendFlags}}},
		{"ping of 126 bytes", []step{{0x89, strings.Repeat("p", 126), frame.ErrSendControlSize}}},
		{"pong of 126 bytes in parts", []step{{0x8a, strings.Repeat("p", 100) + "|" + strings.Repeat("p", 26), frame.ErrSendControlSize}}},
		{"lone continuation", []step{{0x80, "a", frame.ErrSendSequence}, {0x00, "a", frame.ErrSendSequence}, {0x81, "a", nil}}},
		{"message inside a message", []step{{0x01, "a", nil}, {0x81, "b", frame.ErrSendSequence}, {0x02, "b", frame.ErrSendSequence}, {0x80, "c", nil}}},
		{"continuation after the end", []step{{0x02, "a", nil}, {0x80, "b", nil}, {0x80, "c", frame.ErrSendSequence}}},
		{"text cut by parts", []step{{0x81, "k\xc3|\xb6nig", nil}}},
		{"text cut by an empty part", []step{{0x81, "k\xc3||\xb6|", nil}}},
		{"text cut by fragments", []step{{0x01, "\xf0\x9f", nil}, {0x00, "\x98", nil}, {0x80, "\x80", nil}}},
		{"text cut off", []step{{0x81, "k\xc3", frame.ErrSendText}}},
		{"text cut off by an empty FIN", []step{{0x01, "k\xc3", nil}, {0x80, "", frame.ErrSendText}, {0x80, "\xb6", nil}}},
		{"bad text", []step{{0x81, "\xff", frame.ErrSendText}, {0x81, "a|\xff|b", frame.ErrSendText}, {0x81, "a", nil}}},
		{"bad text in a fragment", []step{{0x01, "a\xc3", nil}, {0x00, "a", frame.ErrSendText}, {0x80, "\xa4", nil}}},
		{"binary is opaque", []step{{0x02, "\xff", nil}, {0x80, "\xc3", nil}, {0x82, "\xff|\xfe", nil}}},
		{"a refused frame leaves nothing", []step{{0x81, "k\xc3", frame.ErrSendText}, {0x80, "\xb6", frame.ErrSendSequence}, {0x81, "a", nil}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var e frame.Encoder
			for i, s := range test.steps {
				before := e
				if err := send(&e, s.flags, strings.Split(s.parts, "|")...); err != s.want {
					t.Fatalf("step %d, send(%#x, %q): got %v, want %v", i, s.flags, s.parts, err, s.want)
				}
				if s.want != nil && e != before {
					t.Fatalf("step %d: a refused frame changed the encoder", i)
				}
			}
		})
	}
}

// What the encoder accepts the decoder accepts, and the other way round, close
// frames apart.
func FuzzEncoder(f *testing.F) {
	f.Add([]byte{0x81, 1, 'a', 0x01, 1, 0xc3, 0x89, 1, 0xff, 0x80, 1, 0xa4})
	f.Add([]byte{0x80, 0, 0x83, 0, 0xc1, 0, 0x09, 0, 0x88, 0})
	f.Fuzz(func(t *testing.T, program []byte) {
		var e frame.Encoder
		d := new(frame.Decoder)
		for i := 0; len(program) >= 2 && i < 1000; i++ {
			flags, size := program[0], int(program[1])
			program = program[2:]
			p := string(program[:min(size, len(program))])
			program = program[len(p):]

			probe := *d
			_, n, err := probe.Next(appendMasked(nil, packet{flags, p}, [4]byte{1, 2, 3, 4}))
			want := err == nil && n > 0 && flags&frame.MaskOpcode != frame.OpClose
			got := send(&e, flags, p[:len(p)/2], p[len(p)/2:])
			if (got == nil) != want {
				t.Fatalf("send(%#x, %q): got %v, the decoder says %v", flags, p, got, err)
			}
			if got == nil {
				*d = probe
			}
		}
	})
}
