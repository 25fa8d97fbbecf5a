package frame_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

func TestParseClose(t *testing.T) {
	tests := []struct {
		name    string
		payload string
		code    uint16
		reason  string
		err     error
	}{
		{"empty", "", 1005, "", nil},
		{"one byte", "\x03", 0, "", frame.ErrCloseSize},
		{"1000", "\x03\xe8", 1000, "", nil},
		{"1000 with a reason", "\x03\xe8bye", 1000, "bye", nil},
		{"3000 with a reason that is not ASCII", "\x0b\xb8\u20ac", 3000, "\u20ac", nil},
		{"4999", "\x13\x87", 4999, "", nil},
		{"the longest reason", "\x03\xe8" + strings.Repeat("r", 123), 1000, strings.Repeat("r", 123), nil},
		{"bad UTF-8", "\x03\xe8\xff", 0, "", frame.ErrCloseText},
		{"UTF-8 cut off", "\x03\xe8\xe2\x82", 0, "", frame.ErrCloseText},
		{"code 0", "\x00\x00", 0, "", frame.ErrCloseCode},
		{"1005 on the wire", "\x03\xed", 0, "", frame.ErrCloseCode},
		{"1006 on the wire", "\x03\xee", 0, "", frame.ErrCloseCode},
		{"close-5000", "\x13\x88", 0, "", frame.ErrCloseCode},
		{"bad code and bad UTF-8", "\x00\x01\xff", 0, "", frame.ErrCloseCode},
	}
	for _, test := range tests {
		code, reason, err := frame.ParseClose([]byte(test.payload))
		if code != test.code || string(reason) != test.reason || err != test.err {
			t.Errorf("ParseClose(%s): got %d, %q, %v, want %d, %q, %v",
				test.name, code, reason, err, test.code, test.reason, test.err)
		}
	}
}

// A reason that is no text is the caller's mistake, but the frame stays one.
func TestAppendCloseNoText(t *testing.T) {
	got := frame.AppendClose(nil, 1000, strings.Repeat("\x80", 200))
	if n := int(got[1]); n > frame.MaxControl || len(got) != 2+n {
		t.Errorf("AppendClose(no text): got a frame of %d bytes that says %d", len(got)-2, n)
	}
}

// All 65536 codes, by the list of the registry.
func TestValidCode(t *testing.T) {
	valid := map[uint16]bool{1000: true, 1001: true, 1002: true, 1003: true, 1007: true, 1008: true, 1009: true,
		1010: true, 1011: true, 1012: true, 1013: true, 1014: true}
	for code := range 65536 {
		c := uint16(code)
		want := valid[c] || c/1000 == 3 || c/1000 == 4
		if got := frame.ValidCode(c); got != want {
			t.Errorf("ValidCode(%d): got %t, want %t", c, got, want)
		}
		_, _, err := frame.ParseClose([]byte{byte(c >> 8), byte(c)})
		if got := !errors.Is(err, frame.ErrCloseCode); got != want {
			t.Errorf("ParseClose(%d): got %v, want valid %t", c, err, want)
		}
	}
}

func TestAppendClose(t *testing.T) {
	tests := []struct {
		name   string
		code   uint16
		reason string
		want   string
	}{
		{"code 0", 0, "", "\x88\x00"},
		{"code 0 drops the reason", 0, "bye", "\x88\x00"},
		{"1005", 1005, "", "\x88\x00"},
		{"1000", 1000, "", "\x88\x02\x03\xe8"},
		{"1001 with a reason", 1001, "bye", "\x88\x05\x03\xe9bye"},
		{"the longest reason", 1000, strings.Repeat("r", 123), "\x88\x7d\x03\xe8" + strings.Repeat("r", 123)},
		{"one byte longer", 1000, strings.Repeat("r", 124), "\x88\x7d\x03\xe8" + strings.Repeat("r", 123)},
		{"cut between characters", 1000, strings.Repeat("r", 122) + "\u20ac", "\x88\x7c\x03\xe8" + strings.Repeat("r", 122)},
		{"long characters only", 1000, strings.Repeat("\U0001f600", 40), "\x88\x7a\x03\xe8" + strings.Repeat("\U0001f600", 30)},
	}
	for _, test := range tests {
		got := frame.AppendClose([]byte("before"), test.code, test.reason)
		if string(got) != "before"+test.want {
			t.Errorf("AppendClose(%s): got % x, want % x", test.name, got[6:], test.want)
		}
		if _, _, err := frame.ParseClose(got[len("before")+2:]); err != nil {
			t.Errorf("AppendClose(%s): ParseClose: %v", test.name, err)
		}
	}
}

func TestAppendHeader(t *testing.T) {
	tests := []struct {
		flags byte
		size  int
		want  []byte
	}{
		{0x81, 0, []byte{0x81, 0}},
		{0x82, 125, []byte{0x82, 125}},
		{0x02, 126, []byte{0x02, 126, 0, 126}},
		{0x80, 65535, []byte{0x80, 126, 0xff, 0xff}},
		{0x00, 65536, []byte{0x00, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
		{0x82, 1<<31 - 1, []byte{0x82, 127, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff}},
	}
	for _, test := range tests {
		got := frame.AppendHeader([]byte{7}, test.flags, test.size)
		if !bytes.Equal(got[1:], test.want) || got[0] != 7 {
			t.Errorf("AppendHeader(%#x, %d): got % x, want % x", test.flags, test.size, got[1:], test.want)
		}
		if len(test.want) > frame.MaxHeader {
			t.Errorf("AppendHeader(%#x, %d): %d bytes, more than MaxHeader", test.flags, test.size, len(test.want))
		}
	}
}
