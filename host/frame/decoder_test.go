package frame_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// decode presents stream to d as a transport would that reads up to each of
// cuts in turn (the end is added), and takes pieces when asked to. Pieces are
// joined again, after a look at their flags. It checks on the way what holds of
// every call: views of the stream, Need, the same answer to the same bytes, and
// the same error for ever.
func decode(d *frame.Decoder, stream []byte, cuts []int, pieces bool) (o outcome, fault error) {
	buf := bytes.Clone(stream)
	var (
		pos, need int
		part      *packet // begun by a piece
	)
	for _, cut := range append(slices.Clone(cuts), len(buf)) {
		for {
			f, n, err := d.Next(buf[pos:cut])
			if err != nil {
				_, n, again := d.Next(buf[pos:cut])
				if again != err || n != 0 || d.Busy() || d.Need() != 0 {
					return o, fmt.Errorf("after %v: Next %d, %v, Busy %t, Need %d", err, n, again, d.Busy(), d.Need())
				}
				if _, n := d.Piece(buf[pos:cut]); n != 0 {
					return o, fmt.Errorf("after %v: Piece %d", err, n)
				}
				o.err = err.(*frame.Error)
				return o, nil
			}
			if n == 0 {
				break
			}
			if need != 0 && n != need {
				return o, fmt.Errorf("at %d: Need said %d, the frame has %d", pos, need, n)
			}
			if fault := view(f, buf[:pos+n]); fault != nil {
				return o, fault
			}
			p := packet{f.Flags, string(f.Payload)}
			if part != nil && f.Flags&0x08 == 0 {
				if f.Flags&^frame.FIN != 0 || len(f.Payload) == 0 {
					return o, fmt.Errorf("at %d: last piece is %v", pos, p)
				}
				p = packet{part.flags | f.Flags, part.payload + p.payload}
				part = nil
			}
			o.frames = append(o.frames, p)
			pos, need = pos+n, 0
		}
		if need = d.Need(); need != 0 && need <= cut-pos {
			return o, fmt.Errorf("at %d of %d: Need %d of an unfinished frame", pos, cut, need)
		}
		before := *d
		if _, n, err := d.Next(buf[pos:cut]); n != 0 || err != nil || *d != before {
			return o, fmt.Errorf("at %d: same bytes, other answer: %d, %v", pos, n, err)
		}
		if !pieces {
			continue
		}
		f, n := d.Piece(buf[pos:cut])
		if n == 0 {
			continue
		}
		if fault := view(f, buf[:pos+n]); fault != nil {
			return o, fault
		}
		switch {
		case len(f.Payload) == 0 || f.Flags&(frame.FIN|0x08) != 0:
			return o, fmt.Errorf("at %d: piece %02x of %d bytes", pos, f.Flags, len(f.Payload))
		case part == nil:
			part = &packet{f.Flags, string(f.Payload)}
		case f.Flags != 0:
			return o, fmt.Errorf("at %d: further piece has flags %02x", pos, f.Flags)
		default:
			part.payload += string(f.Payload)
		}
		if need != 0 && need != math.MaxInt && d.Need() != need-n {
			return o, fmt.Errorf("at %d: Need %d after a piece of %d, was %d", pos, d.Need(), n, need)
		}
		pos, need = pos+n, d.Need()
	}
	o.busy = d.Busy()
	return o, nil
}

// view checks that the payload of f is the end of b, with nothing behind it to write to.
func view(f frame.Frame, b []byte) error {
	n := len(f.Payload)
	if cap(f.Payload) != n {
		return fmt.Errorf("payload of %d bytes has capacity %d", n, cap(f.Payload))
	}
	if n > 0 && &f.Payload[0] != &b[len(b)-n] {
		return fmt.Errorf("payload of %d bytes is not a view of the input", n)
	}
	return nil
}

func (o outcome) equal(p outcome) bool {
	return slices.Equal(o.frames, p.frames) && o.err == p.err && o.busy == p.busy
}

func (o outcome) String() string {
	if len(o.frames) > 12 {
		return fmt.Sprintf("%v... (%d), error %v, busy %t", o.frames[:12], len(o.frames), o.err, o.busy)
	}
	return fmt.Sprintf("%v, error %v, busy %t", o.frames, o.err, o.busy)
}

// cutsOf returns where to cut a stream of n bytes: everywhere in a short one,
// around the ends and here and there in a long one.
func cutsOf(n int) []int {
	var cuts []int
	for k := range n + 1 {
		if n <= 400 || k < 20 || k > n-20 || k%(n/40) < 2 {
			cuts = append(cuts, k)
		}
	}
	return cuts
}

// Each scenario ends as it says, however its bytes arrive.
func TestDecoder(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.name, func(t *testing.T) {
			want := outcome{v.out, v.err, v.busy}
			check := func(how string, cuts []int, pieces bool) {
				t.Helper()
				got, fault := decode(v.decoder(), v.stream, cuts, pieces)
				if fault != nil {
					t.Fatalf("Decoder(%s): %v", how, fault)
				}
				if !got.equal(want) {
					t.Fatalf("Decoder(%s): got %v, want %v", how, got, want)
				}
			}
			check("in one go", nil, false)
			cuts := cutsOf(len(v.stream))
			check("byte by byte", cuts, false)
			check("byte by byte, in pieces", cuts, true)
			for _, k := range cuts {
				check(fmt.Sprintf("cut at %d", k), []int{k}, false)
				check(fmt.Sprintf("cut at %d, in pieces", k), []int{k}, true)
			}
		})
	}
}

// The beginning of each scenario ends as the plain reading of the RFC says: the
// decoder refuses no byte too late and none too early.
func TestDecoderPrefixes(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.name, func(t *testing.T) {
			for _, k := range cutsOf(len(v.stream)) {
				want := reference(v.stream[:k], v.settings)
				got, fault := decode(v.decoder(), v.stream[:k], nil, false)
				if fault != nil || !got.equal(want) {
					t.Fatalf("Decoder(first %d bytes): got %v (%v), want %v", k, got, fault, want)
				}
			}
		})
	}
}

// A scenario that no rule needs would not be noticed: the file covers them all.
func TestDecoderVectorsCoverErrors(t *testing.T) {
	seen := map[*frame.Error]bool{}
	for _, v := range vectors(t) {
		seen[v.err] = true
	}
	for name, err := range faults {
		if !seen[err] {
			t.Errorf("testdata/decoder.txt: no scenario ends with %s", name)
		}
	}
}

func TestErrorCodes(t *testing.T) {
	tests := []struct {
		err  *frame.Error
		code uint16
	}{
		{frame.ErrReserved, 1002}, {frame.ErrOpcode, 1002}, {frame.ErrMask, 1002}, {frame.ErrLength, 1002},
		{frame.ErrControl, 1002}, {frame.ErrContinuation, 1002}, {frame.ErrInterleaved, 1002},
		{frame.ErrText, 1007}, {frame.ErrTooBig, 1009}, {frame.ErrFrames, 1008},
		{frame.ErrCloseSize, 1002}, {frame.ErrCloseCode, 1002}, {frame.ErrCloseText, 1007},
	}
	for _, test := range tests {
		if test.err.Code != test.code {
			t.Errorf("%v: got code %d, want %d", test.err, test.err.Code, test.code)
		}
		if n := len(test.err.Error()); n == 0 || n > frame.MaxReason {
			t.Errorf("%v: reason of %d bytes does not fit into a close frame", test.err, n)
		}
	}
}

// A frame larger than the buffer comes in pieces: opcode first, FIN last.
func TestDecoderPieceFlags(t *testing.T) {
	tests := []struct {
		name  string
		rsv1  bool
		flags byte
		want  []byte // three pieces
	}{
		{"text", false, 0x81, []byte{0x01, 0x00, 0x80}},
		{"binary", false, 0x82, []byte{0x02, 0x00, 0x80}},
		{"first fragment", false, 0x02, []byte{0x02, 0x00, 0x00}},
		{"compressed", true, 0xc2, []byte{0x42, 0x00, 0x80}},
		{"compressed first fragment", true, 0x41, []byte{0x41, 0x00, 0x00}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := settings{rsv1: test.rsv1}
			d := s.decoder()
			b := appendMasked(nil, packet{test.flags, "abcdefghi"}, [4]byte{1, 2, 3, 4})
			var flags []byte
			var got string
			for _, n := range []int{6 + 3, 3} { // the first has the header
				if f, n, err := d.Next(b[:n]); n != 0 || err != nil {
					t.Fatalf("Next: got %v, %d, %v, want an unfinished frame", f, n, err)
				}
				f, taken := d.Piece(b[:n])
				if taken != n || !d.Busy() {
					t.Fatalf("Piece: got %d, Busy %t, want %d, true", taken, d.Busy(), n)
				}
				flags, got, b = append(flags, f.Flags), got+string(f.Payload), b[n:]
			}
			f, _, err := d.Next(b)
			flags, got = append(flags, f.Flags), got+string(f.Payload)
			if !bytes.Equal(flags, test.want) || got != "abcdefghi" || err != nil {
				t.Errorf("pieces: got % x %q %v, want % x %q", flags, got, err, test.want, "abcdefghi")
			}
			if busy := test.flags&frame.FIN == 0; d.Busy() != busy {
				t.Errorf("Busy: got %t, want %t", d.Busy(), busy)
			}
		})
	}
}

func TestDecoderPieceOfNothing(t *testing.T) {
	tests := []struct {
		name string
		p    packet
		have int
	}{
		{"no byte", packet{0x82, "data"}, 0},
		{"half a header", packet{0x82, "data"}, 5},
		{"header without payload", packet{0x82, "data"}, 6},
		{"control frame", packet{0x89, "data"}, 8},
	}
	for _, test := range tests {
		var d frame.Decoder
		b := appendMasked(nil, test.p, [4]byte{})
		d.Next(b[:test.have])
		if f, n := d.Piece(b[:test.have]); n != 0 {
			t.Errorf("Piece(%s): got %v, %d, want nothing", test.name, f, n)
		}
		if f, n, err := d.Next(b); n != len(b) || f.Flags != test.p.flags || err != nil {
			t.Errorf("Next after Piece(%s): got %v, %d, %v, want the frame", test.name, f, n, err)
		}
	}
}

// A frame in pieces is one frame of the message, and its bytes count once.
func TestDecoderPiecesAgainstLimits(t *testing.T) {
	s := settings{limits: frame.Limits{Message: 8, Frames: 2}}
	d := s.decoder()
	b := appendMasked(nil, packet{0x02, "12345678"}, [4]byte{9, 8, 7, 6})
	b = appendMasked(b, packet{0x80, ""}, [4]byte{})
	b = appendMasked(b, packet{0x82, "12345678"}, [4]byte{5, 4, 3, 2})
	var cuts []int
	for k := range b {
		cuts = append(cuts, k)
	}
	got, fault := decode(d, b, cuts, true)
	want := outcome{frames: []packet{{0x02, "12345678"}, {0x80, ""}, {0x82, "12345678"}}}
	if fault != nil || !got.equal(want) {
		t.Errorf("Decoder(in pieces): got %v (%v), want %v", got, fault, want)
	}
}

func TestDecoderNeed(t *testing.T) {
	s := settings{limits: frame.Limits{Message: math.MaxInt64}}
	tests := []struct {
		name string
		b    []byte
		want int
	}{
		{"nothing", nil, 0},
		{"half a header", []byte{0x82, 0x85, 1, 2, 3}, 0},
		{"short frame", []byte{0x82, 0x85, 0, 0, 0, 0, 1}, 6 + 5},
		{"16-bit length", []byte{0x82, 0xfe, 0x01, 0x00, 0, 0, 0, 0}, 8 + 256},
		{"64-bit length", []byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, 14 + 65536},
		{"the largest", []byte{0x82, 0xff, 127, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}, math.MaxInt},
		{"whole frame", []byte{0x82, 0x81, 0, 0, 0, 0, 1}, 0},
	}
	for _, test := range tests {
		d := s.decoder()
		if _, _, err := d.Next(test.b); err != nil || d.Need() != test.want {
			t.Errorf("Need(%s): got %d (%v), want %d", test.name, d.Need(), err, test.want)
		}
	}
}

func TestDecoderBusy(t *testing.T) {
	var d frame.Decoder
	steps := []struct {
		name string
		b    []byte
		want bool
	}{
		{"nothing", nil, false},
		{"one byte of a ping", []byte{0x89}, true},
		{"a ping without its payload", []byte{0x89, 0x81, 0, 0, 0, 0}, true},
		{"a ping", []byte{0x89, 0x81, 0, 0, 0, 0, 'p'}, false},
		{"nothing again", nil, false},
		{"first fragment", []byte{0x01, 0x81, 0, 0, 0, 0, 'a'}, true},
		{"nothing inside a message", nil, true},
		{"a ping inside a message", []byte{0x89, 0x80, 0, 0, 0, 0}, true},
		{"last fragment", []byte{0x80, 0x80, 0, 0, 0, 0}, false},
		{"a whole message", []byte{0x81, 0x80, 0, 0, 0, 0}, false},
		{"a fault", []byte{0x83}, false},
	}
	for _, step := range steps {
		d.Next(step.b)
		if d.Busy() != step.want {
			t.Errorf("Busy after %s: got %t, want %t", step.name, d.Busy(), step.want)
		}
	}
}

// Bytes behind the frame, and those of a refused header, are as they were.
func TestDecoderTouchesItsFrameOnly(t *testing.T) {
	for size := range 200 {
		b := appendMasked(nil, packet{0x82, string(make([]byte, size))}, [4]byte{1, 2, 3, 4})
		n := len(b)
		b = append(b, bytes.Repeat([]byte{0xaa}, 80)...)
		var d frame.Decoder
		if _, got, err := d.Next(b); got != n || err != nil {
			t.Fatalf("Next(%d bytes): got %d, %v, want %d", size, got, err, n)
		}
		if !bytes.Equal(b[n:], bytes.Repeat([]byte{0xaa}, 80)) {
			t.Fatalf("Next(%d bytes): bytes behind the frame changed", size)
		}
	}
}

// Nothing of the message before is left after Init.
func TestDecoderInit(t *testing.T) {
	d := (&settings{rsv1: true}).decoder()
	d.Next([]byte{0x01, 0x81, 0, 0, 0, 0, 0xc3})
	d.Next([]byte{0x80, 0x85, 0, 0, 0, 0, 0xa4})
	limits := new(frame.Limits)
	d.Init(limits)
	var fresh frame.Decoder
	fresh.Init(limits)
	if *d != fresh {
		t.Errorf("Init: got %+v, want %+v", *d, fresh)
	}
}

// One decoder exists per connection, idle ones too.
func TestDecoderSize(t *testing.T) {
	if n := unsafe.Sizeof(frame.Decoder{}); n > 64 {
		t.Errorf("Sizeof(Decoder): got %d, want at most 64", n)
	}
	if n := unsafe.Sizeof(frame.Encoder{}); n > 8 {
		t.Errorf("Sizeof(Encoder): got %d, want at most 8", n)
	}
}
