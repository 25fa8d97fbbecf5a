package frame_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// packet is a frame as the tests compare it.
type packet struct {
	flags   byte
	payload string
}

func (p packet) String() string {
	if len(p.payload) > 40 {
		return fmt.Sprintf("%02x %q... (%d bytes)", p.flags, p.payload[:40], len(p.payload))
	}
	return fmt.Sprintf("%02x %q", p.flags, p.payload)
}

// appendMasked writes a frame as a client does. It shares no code with the package.
func appendMasked(dst []byte, p packet, key [4]byte) []byte {
	n := len(p.payload)
	switch {
	case n < 126:
		dst = append(dst, p.flags, 0x80|byte(n))
	case n < 65536:
		dst = binary.BigEndian.AppendUint16(append(dst, p.flags, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, p.flags, 0x80|127), uint64(n))
	}
	dst = append(dst, key[:]...)
	for i := range n {
		dst = append(dst, p.payload[i]^key[i%4])
	}
	return dst
}

// settings are what a scenario may change.
type settings struct {
	limits frame.Limits
	rsv1   bool
}

func (s *settings) decoder() *frame.Decoder {
	d := new(frame.Decoder)
	d.Init(&s.limits)
	d.AllowRSV1(s.rsv1)
	return d
}

// vector is one scenario of testdata/decoder.txt.
type vector struct {
	settings
	name   string
	stream []byte
	out    []packet
	err    *frame.Error
	busy   bool
}

// faults are the errors that a scenario may end with.
var faults = map[string]*frame.Error{
	"ErrReserved": frame.ErrReserved, "ErrOpcode": frame.ErrOpcode, "ErrMask": frame.ErrMask,
	"ErrLength": frame.ErrLength, "ErrControl": frame.ErrControl, "ErrContinuation": frame.ErrContinuation,
	"ErrInterleaved": frame.ErrInterleaved, "ErrText": frame.ErrText, "ErrTooBig": frame.ErrTooBig,
	"ErrFrames": frame.ErrFrames,
}

// vectors reads testdata/decoder.txt; see there for the format.
func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/decoder.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	var in []packet
	lines := bufio.NewScanner(bytes.NewReader(text))
	for at := 1; lines.Scan(); at++ {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		var v *vector
		if len(all) > 0 {
			v = &all[len(all)-1]
		}
		var err error
		switch word {
		case "", "#":
		case "==":
			all, in = append(all, vector{name: rest}), nil
		case "message":
			v.limits.Message, err = strconv.ParseInt(rest, 10, 64)
		case "frames":
			v.limits.Frames, err = strconv.Atoi(rest)
		case "rsv1":
			v.rsv1 = true
		case "raw":
			var raw []byte
			raw, err = hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
			v.stream = append(v.stream, raw...)
		case "in":
			var ps []packet
			ps, err = parsePackets(rest)
			for _, p := range ps {
				v.stream = appendMasked(v.stream, p, [4]byte{0x37, 0xfa, 0x21, byte(len(v.stream))})
			}
			in = append(in, ps...)
		case "out":
			ps := in
			if rest != "all" {
				ps, err = parsePackets(rest)
			}
			v.out = append(v.out, ps...)
		case "end":
			known := false
			if v.err, known = faults[rest]; !known && rest != "idle" && rest != "busy" {
				err = fmt.Errorf("unknown end")
			}
			v.busy = rest == "busy"
		default:
			err = fmt.Errorf("unknown word")
		}
		if err != nil {
			t.Fatalf("testdata/decoder.txt:%d: %q: %v", at, lines.Text(), err)
		}
	}
	if len(all) < 80 {
		t.Fatalf("testdata/decoder.txt: got %d scenarios, want more", len(all))
	}
	return all
}

// parsePackets reads `81 "text"`, `81 "x"*125` (one frame of 125 bytes) and
// `81 "x"*40n` (40 frames).
func parsePackets(s string) ([]packet, error) {
	flags, s, _ := strings.Cut(s, " ")
	f, err := strconv.ParseUint(flags, 16, 8)
	if err != nil {
		return nil, err
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return nil, err
	}
	text, _ := strconv.Unquote(quoted)
	times, frames := strings.CutSuffix(strings.TrimPrefix(s[len(quoted):], "*"), "n")
	if times == "" {
		return []packet{{byte(f), text}}, nil
	}
	n, err := strconv.Atoi(times)
	if err != nil {
		return nil, err
	}
	if frames {
		return slices.Repeat([]packet{{byte(f), text}}, n), nil
	}
	return []packet{{byte(f), strings.Repeat(text, n)}}, nil
}
