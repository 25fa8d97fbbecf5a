package host_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// fuzzSeeds are what [FuzzServer] begins with: all that is known to be hard.
func fuzzSeeds(f *testing.F) (all [][]byte) {
	add := func(i int, m byte, wire []byte) {
		all = append(all, append([]byte{byte(i * 7), byte(i), m}, wire...)[:min(len(wire)+fuzzHead, fuzzMost)])
	}
	for _, dir := range []string{"wire", "deflate"} {
		files, err := filepath.Glob("testdata/" + dir + "/*.txt")
		if err != nil || len(files) == 0 {
			f.Fatalf("testdata/%s: got %d files, %v", dir, len(files), err)
		}
		for _, file := range files {
			for i, v := range readVectors(f, dir+"/"+filepath.Base(file)) {
				var wire []byte
				for _, step := range v.steps {
					wire = append(wire, step.send...)
				}
				add(i, byte(i%4), wire)
				if dir == "deflate" {
					add(i, 2, wire)
					add(i, 3, wire)
				}
			}
		}
	}
	for i, wire := range hardWires() {
		for m := range byte(4) {
			add(i, m, wire)
		}
	}
	return all
}

// hardWires are streams that have gone wrong in one server or another, and what is
// next to them.
func hardWires() [][]byte {
	w := func(frames ...rawws.Frame) (wire []byte) {
		for _, f := range frames {
			wire = rawws.AppendFrame(wire, f)
		}
		return wire
	}
	fr := func(flags byte, payload string) rawws.Frame { return rawws.Frame{Flags: flags, Payload: payload} }
	bye := fr(0x88, rawws.ClosePayload(1000, ""))
	pack := newPacker(none).pack
	hello := "\xf2\x48\xcd\xc9\xc9\x07\x00" // RFC 7692 section 7.2.3.1
	smile := "\U0001f600"
	return [][]byte{
		// Fragments with control frames between, and inside characters.
		w(fr(0x01, "fra"), fr(0x89, "1"), fr(0x00, "gm"), fr(0x8a, "2"), fr(0x89, ""), fr(0x80, "ent"), bye),
		w(fr(0x01, smile[:1]), fr(0x89, smile[1:]), fr(0x00, smile[1:3]), fr(0x80, smile[3:]), bye),
		w(fr(0x01, smile[:2]), fr(0x80, ""), bye),
		w(fr(0x02, ""), fr(0x00, ""), bye, fr(0x80, "")),
		w(fr(0x01, ""), fr(0x00, ""), fr(0x00, ""), fr(0x00, ""), fr(0x00, ""), fr(0x00, ""), fr(0x00, ""), fr(0x80, ""), bye),
		w(slices.Concat([]rawws.Frame{fr(0x02, "x")}, slices.Repeat([]rawws.Frame{fr(0x00, "x")}, fuzzFrames-1), []rawws.Frame{fr(0x80, "x")})...),
		w(fr(0x01, "a"), fr(0x81, "b")),
		w(fr(0x80, "a")),

		// RSV1 where it may not be, and the others.
		w(fr(0xc9, "")), w(fr(0xc8, "")), w(fr(0xca, "")),
		w(fr(0x01, "a"), fr(0xc0, "b")), w(fr(0x41, hello[:3]), fr(0xc0, hello[3:])),
		w(fr(0xa1, "")), w(fr(0x91, "")), w(fr(0xf1, "")),

		// Lengths that are not the shortest, or are none.
		{0x81, 0xfe, 0, 5, 0, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'}, {0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0},
		{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		{0x89, 0xfe, 0, 126}, {0x81, 0x05, 'h', 'e', 'l', 'l', 'o'}, {0x81}, {0x81, 0x85, 1, 2}, {0x02, 0xfe, 0x07},
		w(fr(0x82, strings.Repeat("x", fuzzMessage))), w(fr(0x82, strings.Repeat("x", fuzzMessage+1))),
		w(fr(0x02, strings.Repeat("x", fuzzMessage)), fr(0x80, "x")), w(fr(0x02, strings.Repeat("x", fuzzMessage)), fr(0x80, "")),

		// Close frames that are none.
		w(fr(0x88, "\x03")), w(fr(0x88, rawws.ClosePayload(1005, ""))), w(fr(0x88, rawws.ClosePayload(1000, "\xc3"))),
		w(fr(0x88, rawws.ClosePayload(5000, ""))), w(fr(0x08, "")), w(bye, fr(0x81, "late"), bye), w(fr(0x01, "a"), bye),

		// Text that is none: overlong, a surrogate, beyond the last, a character that does not end.
		w(fr(0x81, "\xc0\xaf")), w(fr(0x81, "\xed\xa0\x80")), w(fr(0x81, "\xf4\x90\x80\x80")), w(fr(0x81, "\xe2\x82")),
		w(fr(0x81, "good"), fr(0x01, "\xce\xba\xe1"), fr(0x89, "p"), fr(0x80, "\xff")),

		// Compressed: whole, cut, empty, text that is none, broken, larger than it may be.
		w(fr(0xc1, hello), fr(0x41, hello[:2]), fr(0x89, "p"), fr(0x00, ""), fr(0x80, hello[2:]), fr(0x81, "Hello"), bye),
		w(fr(0xc1, ""), fr(0x41, ""), fr(0x80, ""), fr(0xc2, "\x00"), bye),
		w(fr(0xc1, pack("\xff\xfe"))), w(fr(0xc1, "\x07")), w(fr(0xc2, hello[:4])),
		w(fr(0xc2, pack(strings.Repeat("x", fuzzMessage))), fr(0xc2, pack(strings.Repeat("x", fuzzMessage+1)))),
		w(fr(0xc2, pack(strings.Repeat("\x00", 4<<20)))),
		w(fr(0x42, string(bytes.Repeat([]byte{3, 0}, 65))), fr(0x80, "\x00")),
		w(fr(0xc1, pack(strings.Repeat("long enough to be sent back compressed ", 20))), bye),
		w(fr(0x01, strings.Repeat("and this too, frame by frame ", 9)), fr(0x00, "short"), fr(0x80, strings.Repeat("again ", 50)), bye),
	}
}
