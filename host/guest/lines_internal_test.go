package guest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("x", abi.MaxLog)
	tests := []struct {
		name   string
		writes []string
		want   []string // before the flush of the turn
		flush  []string
	}{
		{"nothing", nil, nil, nil},
		{"a line", []string{"one\n"}, []string{"one"}, nil},
		{"two in one write", []string{"one\ntwo\n"}, []string{"one", "two"}, nil},
		{"one in two writes", []string{"o", "ne\n"}, []string{"one"}, nil},
		{"empty lines", []string{"\n\n"}, []string{"", ""}, nil},
		{"carriage return", []string{"one\r\n"}, []string{"one"}, nil},
		{"no end", []string{"one\ntwo"}, []string{"one"}, []string{"two"}},
		{"not UTF-8", []string{"a\xff\xfeb\n"}, []string{"a\ufffdb"}, nil},
		{"as long as may be", []string{long + "\n"}, []string{long}, nil},
		{"longer", []string{long + "y\n"}, []string{long, "y"}, nil},
		{"longer, in pieces", []string{long, "y", "z\n"}, []string{long, "yz"}, nil},
		{"much longer", []string{long + long + "y"}, []string{long, long}, []string{"y"}},
		{"cut between characters", []string{long[:abi.MaxLog-1] + "\u20ac\n"}, []string{long[:abi.MaxLog-1], "\u20ac"}, nil},
		{"long and not UTF-8", []string{strings.Repeat("\x80", abi.MaxLog+1) + "\n"}, []string{"\ufffd", "\ufffd"}, nil},
	}
	for _, tt := range tests {
		var got []string
		l := lines{level: abi.LevelInfo, log: func(_ abi.Level, s string) { got = append(got, s) }}
		for _, w := range tt.writes {
			if n, err := l.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("%s: Write: %d, %v", tt.name, n, err)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %.40q, want %.40q", tt.name, got, tt.want)
		}
		got = nil
		l.flush()
		if !slices.Equal(got, tt.flush) {
			t.Errorf("%s: flush: got %.40q, want %.40q", tt.name, got, tt.flush)
		}
	}
}

// A guest that floods its log is heard up to a bound, and told off once a turn.
func TestLinesFlood(t *testing.T) {
	var got []string
	l := lines{log: func(_ abi.Level, s string) { got = append(got, s) }}
	flood := []byte(strings.Repeat("0123456789abcde\n", 1<<16)) // 1 MiB
	for range 3 {
		got = nil
		for range 4 {
			if n, err := l.Write(flood); n != len(flood) || err != nil {
				t.Fatalf("Write: %d, %v", n, err)
			}
		}
		l.flush()
		want := fmt.Sprintf("... %d bytes of output dropped, at most %d a turn", 4<<20-maxOutput, maxOutput)
		if len(got) != maxOutput/16+1 || got[len(got)-1] != want {
			t.Errorf("got %d lines ending in %q, want %d ending in %q", len(got), got[len(got)-1], maxOutput/16+1, want)
		}
	}
}
