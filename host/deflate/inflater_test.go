package deflate_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// deflated is what the standard library makes of a message: an encoder that
// shares no code with the one of the package.
func deflated(p []byte, level int) []byte {
	var z bytes.Buffer
	w, err := flate.NewWriter(&z, level)
	if err != nil {
		panic(err)
	}
	w.Write(p)
	w.Flush()
	return z.Bytes()[:z.Len()-4]
}

// bits writes DEFLATE by hand: "1 10 11000" is the bits in the order sent. The
// last byte is filled up with zeros.
func bits(words string) []byte {
	var out []byte
	n := 0
	for _, c := range words {
		if c != '0' && c != '1' {
			continue
		}
		if n%8 == 0 {
			out = append(out, 0)
		}
		out[n/8] |= byte(c-'0') << (n % 8)
		n++
	}
	return out
}

// num is v as words of bits takes it: n bits, the lowest first.
func num(v, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteByte('0' + byte(v>>i&1))
	}
	return b.String() + " "
}

// Fixed codes, and the beginning of the block that every message ends in.
const (
	fixedA   = "10010001 " // 'a'
	fixedEnd = "0000000 "
	flush    = "0 00 "
)

func TestInflateBroken(t *testing.T) {
	tests := []struct {
		name string
		data []byte
	}{
		{"block type 3", bits("0 11")},
		{"block type 3 behind a block", bits("0 10 " + fixedA + fixedEnd + "0 11")},
		{"not DEFLATE", []byte("Hello, world!")},
		{"stored: sizes do not agree", unhex("00 05 00 fb ff 48 65 6c 6c 6f 00")},
		{"stored: ends inside the sizes", unhex("00 05 00")},
		{"stored: ends before the bytes", unhex("00 05 00 fa ff")},
		{"ends inside a symbol", bits("0 10 " + fixedA + "1001")[:2]},
		{"the last four bytes not taken off", unhex("f2 48 cd c9 c9 07 00 00 00 ff ff")},
		{"fixed: symbol 286", bits("0 10 " + fixedA + "11000110 " + fixedEnd + flush)},
		{"fixed: distance code 30", bits("0 10 " + fixedA + "0000001 11110 " + fixedEnd + flush)},
		{"fixed: back before the beginning", bits("0 10 " + fixedA + "0000001 00011 " + fixedEnd + flush)},
		{"fixed: back into nothing", bits("0 10 0000001 00000 " + fixedEnd + flush)},
		{"dynamic: 287 symbols", bits("0 01 " + num(30, 5) + num(0, 5) + num(15, 4) + num(0, 19*3))},
		{"dynamic: no code lengths", bits("0 01 " + num(0, 5) + num(0, 5) + num(0, 4) + num(0, 12) + "1111")},
		{"65 blocks marked as the last", append(bytes.Repeat(unhex("03 00"), 65), 0)},
	}
	for _, test := range tests {
		for _, frames := range [][][]byte{{test.data}, chunks(test.data, 1)} {
			in := deflate.NewPool(open).Inflater(session(15, true))
			if got, err := inflate(&in, wide, frames...); err != deflate.ErrData {
				t.Errorf("Append(%s, %d frames): got %q, %v, want %v", test.name, len(frames), got, err, deflate.ErrData)
			}
		}
	}
}

// As many as a peer might use to flush are fine.
func TestInflateManyLastBlocks(t *testing.T) {
	in := deflate.NewPool(open).Inflater(session(15, true))
	want := ""
	var data []byte
	for range 60 {
		data = append(data, bits("1 10 "+fixedA+fixedA+fixedEnd)...)
		want += "aa"
	}
	for range 2 {
		if got, err := inflate(&in, wide, append(data, 0)); string(got) != want || err != nil {
			t.Errorf("Append: got %q, %v, want %q", got, err, want)
		}
	}
	// The last of them may refer to the first, and to the message before.
	back := bits("0 10 0000001 01111 " + num(240-193, 6) + fixedEnd + flush)
	if got, err := inflate(&in, wide, append(data[:len(data):len(data)], back...)); string(got) != want+"aaa" || err != nil {
		t.Errorf("Append(with a match): got %q, %v", got, err)
	}
}

// A client refers back to what it sent before as far as the agreed window goes,
// and without context not at all.
func TestInflateContext(t *testing.T) {
	for window := 8; window <= 15; window++ {
		size := max(512, 1<<window) // 8 counts as 9: zlib takes it so
		for _, test := range []struct {
			takeover bool
			back     int
			want     error
		}{{true, size, nil}, {true, size + 1, deflate.ErrData}, {false, size, deflate.ErrData}} {
			if test.back > 1<<deflate.MaxBits {
				continue // DEFLATE itself has no such distance
			}
			p := noise(rand.New(rand.NewPCG(uint64(window), 0)), test.back)
			var far bytes.Buffer
			w, _ := flate.NewWriterDict(&far, 9, p)
			w.Write(p[:40])
			w.Flush()
			in := deflate.NewPool(open).Inflater(session(window, test.takeover))
			inflate(&in, wide, deflated(p, 1))
			got, err := inflate(&in, wide, far.Bytes()[:far.Len()-4])
			if !errors.Is(err, test.want) || err == nil && !bytes.Equal(got, p[:40]) {
				t.Errorf("Append(window %d, back %d, takeover %t): got %d bytes, %v, want %v", window, test.back, test.takeover, len(got), err, test.want)
			}
		}
	}
}

func TestInflateLimits(t *testing.T) {
	flat := make([]byte, 4<<20) // inflates to a thousand times its size
	tests := []struct {
		name  string
		most  int64
		ratio int
		plain []byte
		want  error
	}{
		{"at the size", 3000, 2000, text(1, 3000), nil},
		{"above the size", 2999, 2000, text(1, 3000), frame.ErrTooBig},
		{"far above the size", 1, 2000, text(1, 3000), frame.ErrTooBig},
		{"nothing allowed", 0, 2000, text(1, 3000), frame.ErrTooBig},
		{"within the allowance", wide, 1, flat[:1<<20], nil},
		{"above the ratio", wide, 100, flat, deflate.ErrRatio},
		{"above the default ratio", wide, 0, flat, deflate.ErrRatio},
		{"within the ratio", wide, 1100, flat, nil},
		{"no ratio for text", wide, 20, text(1, 3<<20), nil},
	}
	for _, test := range tests {
		data := deflated(test.plain, 6)
		for _, frames := range [][][]byte{{data}, chunks(data, 100)} {
			in := deflate.NewPool(deflate.Policy{Ratio: test.ratio}).Inflater(session(15, false))
			got, err := inflate(&in, test.most, frames...)
			if err != test.want || err == nil && !bytes.Equal(got, test.plain) || int64(len(got)) > test.most+1 {
				t.Errorf("Append(%s, %d frames): got %d bytes, %v, want %v", test.name, len(frames), len(got), err, test.want)
			}
		}
	}
}

// 60 KB that would be 60 MB stop where the limits say, and cost no more memory
// than that.
func TestInflateBomb(t *testing.T) {
	bomb := deflated(make([]byte, 60<<20), 9)
	tests := []struct {
		name   string
		most   int64
		want   error
		memory uint64
	}{
		{"1 KiB", 1 << 10, frame.ErrTooBig, 1 << 10},
		{"1 MiB", 1 << 20, frame.ErrTooBig, 1 << 20},
		{"64 MiB, by the ratio", 64 << 20, deflate.ErrRatio, 200*uint64(len(bomb)) + 1<<20},
	}
	for _, test := range tests {
		in := deflate.NewPool(deflate.Policy{}).Inflater(session(15, true))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := in.Append(nil, bomb, test.most)
		runtime.ReadMemStats(&after)
		if err != test.want {
			t.Errorf("Append(%s): got %v, want %v", test.name, err, test.want)
		}
		// A buffer that doubles counts three times, and the reader with its copy is new.
		if got := after.TotalAlloc - before.TotalAlloc; got > 3*test.memory+256<<10 && !raceEnabled {
			t.Errorf("Append(%s): allocated %d bytes, want about %d", test.name, got, test.memory)
		}
	}
}

// What an idle session keeps: with context what was sent, up to the window;
// without context nothing.
func TestInflateHeld(t *testing.T) {
	tests := []struct {
		bits     int
		takeover bool
		sent     int
		want     int
	}{
		{15, true, 0, 0}, {15, true, 100, 512}, {15, true, 600, 600}, {15, true, 40000, 32768},
		{12, true, 40000, 4096}, {9, true, 40000, 512}, {8, true, 40000, 512},
		{15, false, 40000, 0},
	}
	for _, test := range tests {
		in := deflate.NewPool(open).Inflater(session(test.bits, test.takeover))
		if test.sent > 0 {
			inflate(&in, wide, chunks(deflated(text(1, test.sent), flate.HuffmanOnly), 50)...)
		}
		if got := in.Held(); got != test.want {
			t.Errorf("Inflater(window %d, takeover %t) after %d bytes: got %d bytes held, want %d", test.bits, test.takeover, test.sent, got, test.want)
		}
	}
}

// Sessions that share a pool do not see each other's bytes.
func TestInflateShared(t *testing.T) {
	pool := deflate.NewPool(open)
	done := make(chan error)
	for g := range 8 {
		go func() {
			in := pool.Inflater(session(15, true))
			for i := range 20 {
				want := text(g*100+i, 2000)
				got, err := inflate(&in, wide, chunks(deflated(want, 9), 7)...)
				if err == nil && !bytes.Equal(got, want) {
					err = errors.New("message differs")
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
