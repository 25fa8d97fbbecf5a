package deflate_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/deflate"
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

// A client that refers back further than the agreed window allows has lied.
func TestInflateWindow(t *testing.T) {
	for window := 8; window <= 15; window++ {
		size := max(512, 1<<window) // 8 counts as 9: zlib takes it so
		for _, test := range []struct {
			back int
			want error
		}{{size, nil}, {size + 1, deflate.ErrData}} {
			if test.back > 1<<15 {
				continue // DEFLATE itself has no such distance
			}
			r := rand.New(rand.NewPCG(uint64(window), 0))
			p := make([]byte, test.back)
			for i := range p {
				p[i] = byte(r.Uint32())
			}
			first := deflated(p, flate.NoCompression)
			second := matchBack(test.back)
			// Both in one call, the match in another, and in another message.
			for i, frames := range [][][]byte{{slices.Concat(first, unhex("00 00 ff ff"), second)}, {slices.Concat(first, unhex("00 00 ff ff")), second}} {
				in := deflate.NewPool(open, wide).Inflater(session(window, true))
				got, err := inflate(in, 0, frames...)
				if !errors.Is(err, test.want) || err == nil && !bytes.Equal(got, slices.Concat(p, p[:3], bytes.Repeat([]byte("a"), 40))) {
					t.Errorf("Inflate(window %d, back %d, way %d): got %d bytes, %v, want %v", window, test.back, i, len(got), err, test.want)
				}
			}
			in := deflate.NewPool(open, wide).Inflater(session(window, true))
			inflate(in, 0, first)
			if got, err := inflate(in, 0, second); !errors.Is(err, test.want) || err == nil && !bytes.Equal(got[:3], p[:3]) {
				t.Errorf("Inflate(window %d, back %d, next message): got %q, %v, want %v", window, test.back, got, err, test.want)
			}
		}
	}
}

// Without context a message cannot refer to the one before.
func TestInflateNoContext(t *testing.T) {
	in := deflate.NewPool(open, wide).Inflater(session(15, false))
	if got, err := inflate(in, 0, unhex("f2 48 cd c9 c9 07 00")); string(got) != "Hello" || err != nil {
		t.Fatalf("Inflate: got %q, %v, want Hello", got, err)
	}
	if got, err := inflate(in, 0, unhex("f2 00 11 00 00")); err != deflate.ErrData {
		t.Errorf("Inflate(a message that refers to the one before): got %q, %v, want %v", got, err, deflate.ErrData)
	}
}

// What a frame flushes comes out with that frame, and of any byte what can be
// known by then: text is judged and limits bite without waiting.
func TestInflateAtOnce(t *testing.T) {
	in := deflate.NewPool(open, wide).Inflater(session(15, true))
	var z bytes.Buffer
	w, _ := flate.NewWriter(&z, 6)
	for seed := range 50 {
		p := text(seed, 1+seed*seed)
		w.Write(p)
		w.Flush()
		got, err := in.Append(nil, z.Bytes(), false)
		if err != nil || !bytes.Equal(got, p) {
			t.Fatalf("Append(flushed part %d): got %d bytes, %v, want %d", seed, len(got), err, len(p))
		}
		z.Reset()
	}
	in = deflate.NewPool(open, wide).Inflater(session(15, true))
	out := 0
	for i, c := range bits("0 10 " + strings.Repeat(fixedA, 20)) { // a byte of data, a byte of text, but for three bits
		got, err := in.Append(nil, []byte{c}, false)
		if out += len(got); err != nil || out != (8*(i+1)-3)/8 && i < 20 {
			t.Fatalf("Append(byte %d): got %d bytes so far, %v, want %d", i, out, err, (8*(i+1)-3)/8)
		}
	}
}

// Every way to cut a message into two frames, and every room up to 300, with
// all kinds of blocks in it.
func TestInflateEveryCut(t *testing.T) {
	want := text(5, 1000)
	data := slices.Concat(
		deflated(want[:100], flate.NoCompression), unhex("00 00 ff ff"),
		deflated(want[100:120], 1), unhex("00 00 ff ff"), // fixed
		deflated(want[120:700], 9), unhex("00 00 ff ff"),
		deflated(want[700:760], flate.NoCompression), unhex("00 00 ff ff"),
		deflated(want[760:], 9))
	pool := deflate.NewPool(open, wide)
	for cut := range len(data) {
		for _, room := range []int{7, 290, 1000} {
			in := pool.Inflater(session(15, false))
			got, err := inflate(in, room, data[:cut], data[cut:])
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("Inflate(cut at %d, room %d): got %d bytes, %v, want %d", cut, room, len(got), err, len(want))
			}
		}
	}
	for room := 1; room < 300; room++ {
		in := pool.Inflater(session(15, false))
		if got, err := inflate(in, room, data); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("Inflate(room %d): got %d bytes, %v, want %d", room, len(got), err, len(want))
		}
	}
}

// Many sessions share a pool, and tables change hands in the middle of blocks.
func TestInflateShared(t *testing.T) {
	pool := deflate.NewPool(open, deflate.Limits{Working: 3})
	done := make(chan error)
	for g := range 8 {
		go func() {
			for i := range 20 {
				want := text(g*100+i, 2000)
				in := pool.Inflater(session(15, i%2 == 0))
				got, err := inflate(in, 100, chunks(deflated(want, 9), 7)...)
				if err == nil && !bytes.Equal(got, want) {
					err = errors.New("message differs")
				}
				in.Close()
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
	if n := pool.Waiting(); n != 0 {
		t.Errorf("Waiting: got %d, want 0", n)
	}
}

// Tables that were made for one message are not taken for another's, though
// they were made as often.
func TestInflateOthersTables(t *testing.T) {
	pool := deflate.NewPool(open, wide)
	var ins []*deflate.Inflater
	var left, want, got [][]byte
	for i := range 3 {
		p := text(i, 1000)
		data := deflated(p, 9)
		in := pool.Inflater(session(15, false))
		part, err := in.Append(nil, data[:len(data)/2], false)
		if err != nil {
			t.Fatal(err)
		}
		pool.HideTables()
		ins, left, want, got = append(ins, in), append(left, data[len(data)/2:]), append(want, p), append(got, part)
	}
	for i, in := range ins {
		whole, err := in.Append(got[i], left[i], true)
		if err != nil || !bytes.Equal(whole, want[i]) {
			t.Errorf("Append(rest of message %d): got %d bytes, %v, want %d", i, len(whole), err, len(want[i]))
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
		{15, true, 0, 0}, {15, true, 100, 512}, {15, true, 600, 2048}, {15, true, 40000, 32768},
		{12, true, 40000, 4096}, {9, true, 40000, 512}, {8, true, 40000, 512},
		{15, false, 40000, 0},
	}
	for _, test := range tests {
		in := deflate.NewPool(open, wide).Inflater(session(test.bits, test.takeover))
		if test.sent > 0 {
			for _, cut := range []int{50, 1 << 20} {
				inflate(in, 500, chunks(deflated(text(1, test.sent), flate.HuffmanOnly), cut)...)
			}
		}
		if test.sent == 100 {
			inflate(in, 0, unhex("00"))
		}
		if got := in.Held(); got != test.want {
			t.Errorf("Inflater(window %d, takeover %t) after %d bytes: got %d bytes held, want %d", test.bits, test.takeover, test.sent, got, test.want)
		}
		in.Close()
		if got := in.Held(); got != 0 {
			t.Errorf("Inflater after Close: got %d bytes held, want 0", got)
		}
	}
}
