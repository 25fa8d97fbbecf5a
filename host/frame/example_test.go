package frame_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// receive is a transport in small: it reads into one buffer that never grows,
// and hands on what does not fit in pieces. The buffer must hold a whole control
// frame, 131 bytes.
func receive(r io.Reader, buf []byte, got func(frame.Frame)) error {
	var d frame.Decoder
	d.Init(&frame.Limits{Message: 16 << 20})
	start, end := 0, 0
	for {
		f, n, err := d.Next(buf[start:end])
		if err != nil {
			return err
		}
		if n == 0 && end-start == len(buf) {
			f, n = d.Piece(buf[start:end])
		}
		if n > 0 {
			got(f)
			start += n
			continue
		}
		end = copy(buf, buf[start:end]) // to the front, so that the frame at hand can be whole
		start = 0
		n, err = r.Read(buf[end:])
		if end += n; n == 0 && err == io.EOF {
			return nil
		}
	}
}

func Example() {
	wire := appendMasked(nil, packet{0x01, "Hello"}, [4]byte{1, 2, 3, 4})
	wire = appendMasked(wire, packet{0x89, "still there?"}, [4]byte{5, 6, 7, 8})
	wire = appendMasked(wire, packet{0x80, ", world"}, [4]byte{9, 10, 11, 12})
	wire = append(wire, 0x83, 0x80)
	err := receive(bytes.NewReader(wire), make([]byte, 4096), func(f frame.Frame) {
		fmt.Printf("%02x %s\n", f.Flags, f.Payload)
	})
	fmt.Println(err.(*frame.Error).Code, err)
	// Output:
	// 01 Hello
	// 89 still there?
	// 80 , world
	// 1002 unknown opcode
}

// The bytes of an unfinished frame may move, and a frame of any size passes
// through the smallest buffer.
func TestDecoderSmallBuffer(t *testing.T) {
	var want strings.Builder
	var wire []byte
	for i, size := range []int{0, 1, 124, 125, 126, 131, 132, 1000, 70000} {
		text := strings.Repeat("\u20ac", size/3) + strings.Repeat("x", size%3)
		wire = appendMasked(wire, packet{0x81, text}, [4]byte{byte(i), 0xa5, 3, 0xff})
		wire = appendMasked(wire, packet{0x89, strings.Repeat("p", min(size, 125))}, [4]byte{7, 8, 9, 1})
		want.WriteString(text)
	}
	for size := 131; size < 160; size++ {
		for _, r := range []io.Reader{bytes.NewReader(wire), iotest.OneByteReader(bytes.NewReader(wire))} {
			var got strings.Builder
			messages := 0
			err := receive(r, make([]byte, size), func(f frame.Frame) {
				if f.Flags&frame.MaskOpcode == frame.OpPing {
					return
				}
				got.Write(f.Payload)
				messages += int(f.Flags >> 7)
			})
			if err != nil || messages != 9 || got.String() != want.String() {
				t.Fatalf("receive(buffer of %d): %d messages of %d bytes, error %v, want 9 of %d",
					size, messages, got.Len(), err, want.Len())
			}
		}
	}
}
