package main

import (
	"testing"
	"time"
)

// What can be switched off is so by a word or a zero of its own, and else as
// strict as its kin.
func TestOff(t *testing.T) {
	var d OffDuration
	var z OffSize
	tests := []struct {
		name string
		set  func() error
		got  func() int64
		want int64
		err  string
	}{
		{"duration off", func() error { d = 1; return d.fromText("off") }, func() int64 { return int64(d) }, 0, ""},
		{"duration off in TOML", func() error { d = 1; return d.fromTOML("off") }, func() int64 { return int64(d) }, 0, ""},
		{"duration", func() error { return d.fromTOML("5s") }, func() int64 { return int64(d) }, int64(5 * time.Second), ""},
		{"duration 0", func() error { d = 1; return d.fromTOML(int64(0)) }, func() int64 { return int64(d) }, 1,
			`0: a duration is more than zero and has a unit, such as "10s"; write "off" for that`},
		{"duration 0s", func() error { return d.fromText("0s") }, func() int64 { return int64(d) }, 1,
			`"0s": a duration is more than zero; 0 does not switch anything off; write "off" for that`},
		{"size 0", func() error { z = 1; return z.fromText("0") }, func() int64 { return int64(z) }, 0, ""},
		{"size 0 in TOML", func() error { z = 1; return z.fromTOML(int64(0)) }, func() int64 { return int64(z) }, 0, ""},
		{"size", func() error { return z.fromTOML("64KiB") }, func() int64 { return int64(z) }, 64 << 10, ""},
		{"size 0KiB", func() error { z = 1; return z.fromText("0KiB") }, func() int64 { return int64(z) }, 1,
			`"0KiB": a size is more than zero; 0 does not switch anything off`},
	}
	for _, tt := range tests {
		if err := tt.set(); text(err) != tt.err || tt.got() != tt.want {
			t.Errorf("%s: got %d, error %v, want %d, error %v", tt.name, tt.got(), err, tt.want, tt.err)
		}
	}
}
