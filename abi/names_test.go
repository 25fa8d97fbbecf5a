package abi_test

import (
	"go/constant"
	"strings"
	"testing"
	"unicode"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Every typed constant has a name, it is the constant's own without its type's,
// and it leads back to the number.
func TestNames(t *testing.T) {
	types := map[string]struct {
		prefix string
		name   func(n int) string
		number func(name string) (int, bool)
	}{
		"EventKind": {"Event",
			func(n int) string { return abi.EventKind(n).String() },
			func(s string) (int, bool) { k, ok := abi.ParseEventKind(s); return int(k), ok }},
		"CommandKind": {"Command",
			func(n int) string { return abi.CommandKind(n).String() },
			func(s string) (int, bool) { k, ok := abi.ParseCommandKind(s); return int(k), ok }},
		"Status": {"Status",
			func(n int) string { return abi.Status(n).String() },
			func(s string) (int, bool) { k, ok := abi.ParseStatus(s); return int(k), ok }},
		"Level": {"Level",
			func(n int) string { return abi.Level(n).String() },
			func(s string) (int, bool) { k, ok := abi.ParseLevel(s); return int(k), ok }},
		"Feature": {"Feature",
			func(n int) string { return abi.Feature(n).String() },
			func(s string) (int, bool) { k, ok := abi.ParseFeature(s); return int(k), ok }},
	}
	seen := map[string]int{}
	for _, c := range constants(t) {
		typ, ok := types[c.typ]
		if !ok {
			continue
		}
		seen[c.typ]++
		n64, _ := constant.Int64Val(c.value)
		n, want := int(n64), snake(strings.TrimPrefix(c.name, typ.prefix))
		if got := typ.name(n); got != want {
			t.Errorf("%s(%d).String(): got %q, want %q", c.typ, n, got, want)
		}
		if got, ok := typ.number(want); got != n || !ok {
			t.Errorf("Parse%s(%q): got %d, %v, want %d", c.typ, want, got, ok, n)
		}
	}
	for name := range types {
		if seen[name] == 0 {
			t.Errorf("no constants of type %s in consts.go", name)
		}
	}
}

func TestNamesOfUnknownNumbers(t *testing.T) {
	tests := []struct{ got, want string }{
		{abi.EventKind(0).String(), "EventKind(0)"},
		{abi.EventKind(200).String(), "EventKind(200)"},
		{abi.CommandKind(0).String(), "CommandKind(0)"},
		{abi.CommandKind(255).String(), "CommandKind(255)"},
		{abi.Status(0).String(), "Status(0)"},
		{abi.Status(65535).String(), "Status(65535)"},
		{abi.Level(0).String(), "Level(0)"},
		{abi.Level(6).String(), "Level(6)"},
		{abi.Feature(0).String(), "none"},
		{(abi.FeatureHTTP | abi.FeatureTimers).String(), "http|timers"},
		{(abi.FeatureCall | 0x80008000).String(), "call|0x80008000"},
		{abi.Feature(0x200).String(), "0x200"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("String(): got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestParseFeature(t *testing.T) {
	tests := []struct {
		in   string
		want abi.Feature
		ok   bool
	}{
		{"none", 0, true},
		{"http|timers", abi.FeatureHTTP | abi.FeatureTimers, true},
		{"timers|http", abi.FeatureHTTP | abi.FeatureTimers, true},
		{"call|0x80008000", abi.FeatureCall | 0x80008000, true},
		{"", 0, false},
		{"http|", 0, false},
		{"HTTP", 0, false},
		{"http|none", 0, false},
		{"0x", 0, false},
		{"0x100000000", 0, false},
		{"8000", 0, false},
	}
	for _, tt := range tests {
		if got, ok := abi.ParseFeature(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("ParseFeature(%q): got %v, %v, want %v, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestParseUnknownNames(t *testing.T) {
	for _, name := range []string{"", "Recv", "recv ", "EventKind(4)", "4"} {
		if k, ok := abi.ParseEventKind(name); ok {
			t.Errorf("ParseEventKind(%q): got %v, want none", name, k)
		}
		if k, ok := abi.ParseCommandKind(name); ok {
			t.Errorf("ParseCommandKind(%q): got %v, want none", name, k)
		}
		if s, ok := abi.ParseStatus(name); ok {
			t.Errorf("ParseStatus(%q): got %v, want none", name, s)
		}
		if l, ok := abi.ParseLevel(name); ok {
			t.Errorf("ParseLevel(%q): got %v, want none", name, l)
		}
	}
}

// snake turns HTTPRequest into http_request.
func snake(name string) string {
	runes := []rune(name)
	var out []rune
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			after := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if unicode.IsLower(runes[i-1]) || after {
				out = append(out, '_')
			}
		}
		out = append(out, unicode.ToLower(r))
	}
	return string(out)
}
