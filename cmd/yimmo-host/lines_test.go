package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestKeyLines(t *testing.T) {
	tests := []struct {
		name, doc string
		want      map[string]int
	}{
		{"none", "# a = 1\n", map[string]int{}},
		{"top", "\n# note\na = 1 # b = 2\r\nb=2", map[string]int{"a": 3, "b": 4}},
		{"byte order mark", "\ufeffa = 1\n", map[string]int{"a": 1}},
		{"tables", "[a]\nx = 1\n[ a . b ]\ny = 2\n", map[string]int{"a": 1, "a.x": 2, "a.b": 3, "a.b.y": 4}},
		{"dotted", "a.b . c = 1\na.d = 2", map[string]int{"a": 1, "a.b": 1, "a.b.c": 1, "a.d": 2}},
		{"quoted", `"a b".'c=#]' = 1` + "\n" + `"\u0064" = 2`, map[string]int{"a b": 1, "a b.c=#]": 1, "d": 2}},
		{"list of tables", "[[a]]\nx = 1\n[[a]]\nx = 2", map[string]int{"a": 1, "a.x": 2}},
		{"text with signs", `a = "x # \" ] [b]"` + "\nb = 'y = \\'\nc = 1", map[string]int{"a": 1, "b": 2, "c": 3}},
		{"long text", "a = \"\"\"\nx = 1\n\\\"\"\"\"\"\nb = '''\n'y''''\nc = 1", map[string]int{"a": 1, "b": 4, "c": 6}},
		{"list", "a = [ # x = 1\n  1, '[', [2],\n]\nb = 1", map[string]int{"a": 1, "b": 4}},
		{"inline table", "a = { x = 1, y = { z = [{ w = '}' }] } }\nb = 1",
			map[string]int{"a": 1, "a.x": 1, "a.y": 1, "a.y.z": 1, "a.y.z.w": 1, "b": 2}},
		{"values", "a = 2026-01-02 03:04:05Z\nb = -1.5e3\nc = true", map[string]int{"a": 1, "b": 2, "c": 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := keyLines(tt.doc); !maps.Equal(got, tt.want) {
				t.Errorf("keyLines(%q): got %v, want %v", tt.doc, got, tt.want)
			}
		})
	}
}

// Whatever the decoder accepts, the scanner finds exactly its keys.
func FuzzKeyLines(f *testing.F) {
	f.Add(string(reference(embedded)))
	for _, doc := range []string{
		"", "a = 1", "[a.b]\nc = 1\n[[d]]\ne = {f = 1}", `"a\tb".'c' = """x"""""`, "a = [[1, 2], ['x']]\n", "a = '''\n'''''",
		"[a]\n[a.b]\n[a.c]", "a = {}\nb = []", "a = 1979-05-27 07:32:00Z # x\n", "a=\"\\\\\"\nb=1", "=", "[", "a = [", "a = {b", `a = "`,
		"a = { # c = 1\n b = 1,\n}\n",
	} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		got := keyLines(doc) // must come to an end, good document or not
		var into map[string]any
		meta, err := toml.Decode(doc, &into)
		if err != nil {
			return
		}
		known := map[string]bool{}
		for _, key := range meta.Keys() {
			for i := range key {
				known[strings.Join(key[:i+1], ".")] = true
			}
		}
		for key := range known {
			if line := got[key]; line < 1 || line > strings.Count(doc, "\n")+1 {
				t.Errorf("keyLines(%q): key %q is at line %d", doc, key, line)
			}
		}
		for key := range got {
			if !known[key] {
				t.Errorf("keyLines(%q): found %q, which the decoder does not know", doc, key)
			}
		}
	})
}
