package main

import (
	"strconv"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	tests := []struct {
		in   string
		want time.Duration
		err  string
	}{
		{in: "5s", want: 5 * time.Second},
		{in: "100ms", want: 100 * time.Millisecond},
		{in: "1m30s", want: 90 * time.Second},
		{in: "1.5h", want: 90 * time.Minute},
		{in: "1ns", want: 1},
		{in: "10", err: `"10": a duration has a unit, write "10s"`},
		{in: "2.5", err: `"2.5": a duration has a unit, write "2.5s"`},
		{in: "0", err: `"0": a duration is more than zero and has a unit, such as "10s"`},
		{in: "-5", err: `"-5": a duration is more than zero and has a unit, such as "10s"`},
		{in: "0s", err: `"0s": a duration is more than zero; 0 does not switch anything off`},
		{in: "0.1ns", err: `"0.1ns": a duration is more than zero; 0 does not switch anything off`},
		{in: "-5s", err: `"-5s": a duration is more than zero; 0 does not switch anything off`},
		{in: "", err: `"": a duration is a number with a unit (ns, us, ms, s, m, h), such as "10s"`},
		{in: "inf", err: `"inf": a duration is a number with a unit (ns, us, ms, s, m, h), such as "10s"`},
		{in: "5 s", err: `"5 s": a duration is a number with a unit (ns, us, ms, s, m, h), such as "10s"`},
		{in: "1d", err: `"1d": a duration is a number with a unit (ns, us, ms, s, m, h), such as "10s"`},
		{in: "9999999h", err: `"9999999h": a duration is a number with a unit (ns, us, ms, s, m, h), such as "10s"`},
	}
	for _, tt := range tests {
		var d Duration
		err := d.fromText(tt.in)
		if text(err) != tt.err || time.Duration(d) != tt.want {
			t.Errorf("Duration(%q): got %v, error %v, want %v, error %v", tt.in, time.Duration(d), err, tt.want, tt.err)
		}
	}
}

func TestSize(t *testing.T) {
	const (
		zero = ": a size is more than zero; 0 does not switch anything off"
		form = `: a size is a whole number of bytes, or one with a unit (B, KB, MB, GB, KiB, MiB, GiB), such as "64KiB"`
		huge = ": a size is less than 8 EiB"
	)
	tests := []struct {
		in   string
		want int64
		err  string
	}{
		{in: "1", want: 1},
		{in: "1048576", want: 1 << 20},
		{in: "12B", want: 12},
		{in: "64KiB", want: 64 << 10},
		{in: "1MiB", want: 1 << 20},
		{in: "2GiB", want: 2 << 30},
		{in: "16kB", want: 16e3},
		{in: "16KB", want: 16e3},
		{in: "16MB", want: 16e6},
		{in: "3GB", want: 3e9},
		{in: "9223372036854775807", want: 1<<63 - 1},
		{in: "8589934591GiB", want: (1<<33 - 1) << 30},
		{in: "0", err: `0` + zero},
		{in: "-1", err: `-1` + zero},
		{in: "0KiB", err: `"0KiB"` + zero},
		{in: "-4KiB", err: `"-4KiB"` + zero},
		{in: "8589934592GiB", err: `"8589934592GiB"` + huge},
		{in: "99999999999999999999", err: `99999999999999999999` + huge},
		{in: "", err: `""` + form},
		{in: "KiB", err: `"KiB"` + form},
		{in: "64 KiB", err: `"64 KiB"` + form},
		{in: "64kib", err: `"64kib"` + form},
		{in: "64K", err: `"64K"` + form},
		{in: "1.5MiB", err: `"1.5MiB"` + form},
		{in: "+5", err: `"+5"` + form},
		{in: "1_000", err: `"1_000"` + form},
		{in: "64KiBB", err: `"64KiBB"` + form},
	}
	for _, tt := range tests {
		var z Size
		err := z.fromText(tt.in)
		if text(err) != tt.err || int64(z) != tt.want {
			t.Errorf("Size(%q): got %d, error %v, want %d, error %v", tt.in, z, err, tt.want, tt.err)
		}
	}
}

func TestCount(t *testing.T) {
	tests := []struct {
		in         string
		want       int
		err, error string // of Count, of AutoCount
	}{
		{in: "1", want: 1},
		{in: "2147483647", want: 1<<31 - 1},
		{in: "0", err: "0: write a whole number from 1 to 2147483647"},
		{in: "-1", err: "-1: write a whole number from 1 to 2147483647", error: "-1: write a whole number from 0 to 2147483647"},
		{in: "2147483648", err: "2147483648: write a whole number from 1 to 2147483647",
			error: "2147483648: write a whole number from 0 to 2147483647"},
		{in: "many", err: `"many": write a whole number`, error: `"many": write a whole number`},
		{in: "1.5", err: `"1.5": write a whole number`, error: `"1.5": write a whole number`},
	}
	for _, tt := range tests {
		var c Count
		var a AutoCount
		err, autoErr := c.fromText(tt.in), a.fromText(tt.in)
		if text(err) != tt.err || int(c) != tt.want {
			t.Errorf("Count(%q): got %d, error %v, want %d, error %v", tt.in, c, err, tt.want, tt.err)
		}
		if text(autoErr) != tt.error || int(a) != tt.want {
			t.Errorf("AutoCount(%q): got %d, error %v, want %d, error %v", tt.in, a, autoErr, tt.want, tt.error)
		}
	}
}

// A value that was refused leaves the setting alone, one that was taken is in
// bounds and means the same when it is written out again.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"5s", "100ms", "1m30s", "10", "0", "-5s", "0.1ns", "", "1e9s", "9999999h", "\u00b5s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var d, again Duration
		if d.fromText(s) != nil {
			if d != 0 {
				t.Fatalf("Duration(%q): refused, but set to %v", s, time.Duration(d))
			}
			return
		}
		if err := again.fromText(time.Duration(d).String()); d <= 0 || err != nil || again != d {
			t.Fatalf("Duration(%q): got %v, written out %v, error %v", s, time.Duration(d), time.Duration(again), err)
		}
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			t.Fatalf("Duration(%q): a number without unit was taken", s)
		}
	})
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{"1", "64KiB", "1MiB", "16MB", "0", "-1", "1.5MiB", "", "KiB", "9223372036854775808", "8589934592GiB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var z, again Size
		if z.fromText(s) != nil {
			if z != 0 {
				t.Fatalf("Size(%q): refused, but set to %d", s, z)
			}
			return
		}
		if err := again.fromText(strconv.FormatInt(int64(z), 10)); z <= 0 || err != nil || again != z {
			t.Fatalf("Size(%q): got %d, written out %d, error %v", s, z, again, err)
		}
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
