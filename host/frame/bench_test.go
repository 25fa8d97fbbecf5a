package frame_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

var sizes = []int{16, 125, 4 << 10, 64 << 10}

func BenchmarkUnmask(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				frame.Unmask(p, 0x3d21fa37)
			}
		})
	}
}

// texts by their name: the mix of a few letters beyond ASCII, and none within it.
var texts = []struct{ name, unit string }{
	{"ascii", "plain text without a letter "},
	{"mixed", "Gr\u00fc\u00dfe aus K\u00f6ln, s'il vous pla\u00eet "},
	{"cyrillic", "\u043f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440 "},
	{"han", "\u4f60\u597d\u4e16\u754c"},
}

func BenchmarkText(b *testing.B) {
	for _, text := range texts {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/%d", text.name, size), func(b *testing.B) {
				p := bytes.Repeat([]byte(text.unit), size/len(text.unit)+1)[:size]
				b.SetBytes(int64(size))
				for b.Loop() {
					var t frame.Text
					if !t.Feed(p) {
						b.Fatal("text refused")
					}
				}
			})
		}
	}
}

// BenchmarkDecode counts wire bytes. The mask is zero, so that the same bytes
// are text each time; unmasking them is the same work.
func BenchmarkDecode(b *testing.B) {
	for _, op := range []struct {
		name  string
		flags byte
	}{{"text", 0x81}, {"binary", 0x82}} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/%d", op.name, size), func(b *testing.B) {
				wire := appendMasked(nil, packet{op.flags, string(bytes.Repeat([]byte{'a'}, size))}, [4]byte{})
				var d frame.Decoder
				b.SetBytes(int64(len(wire)))
				b.ReportAllocs()
				for b.Loop() {
					if _, n, err := d.Next(wire); n != len(wire) || err != nil {
						b.Fatal(n, err)
					}
				}
			})
		}
	}
}
