package frame_test

import (
	"bytes"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// Every length up to three strides, at every alignment, in every phase: the
// bytes of the plain loop, and none beside them.
func TestUnmask(t *testing.T) {
	const key = 0x3d21fa37 // 37 fa 21 3d on the wire
	wire := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	for size := range 200 {
		for align := range 9 {
			for first := range 5 {
				b := make([]byte, align+size+9)
				for i := range b {
					b[i] = byte(i * 7)
				}
				want := bytes.Clone(b)
				for i := range size {
					want[align+i] ^= wire[(first+i)%4]
				}
				frame.Unmask(b[align:align+size], frame.Phase(key, first))
				if !bytes.Equal(b, want) {
					t.Fatalf("unmask(%d bytes, alignment %d, phase %d): got % x, want % x", size, align, first, b, want)
				}
			}
		}
	}
}
