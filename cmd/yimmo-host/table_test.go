package main

import (
	"maps"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestTable(t *testing.T) {
	tests := []struct {
		name, doc string
		want      Table
		err       string
	}{
		{name: "empty", want: Table{}},
		{name: "text", doc: `a = "x"`, want: Table{"a": "x"}},
		{name: "whole number", doc: `a = 0x10`, want: Table{"a": "16"}},
		{name: "fraction", doc: `a = 1000000.0` + "\n" + `b = 0.25`, want: Table{"a": "1000000", "b": "0.25"}},
		{name: "very large fraction", doc: `a = 1e300`, want: Table{"a": "1e+300"}},
		{name: "truth", doc: `a = true`, want: Table{"a": "true"}},
		{name: "time", doc: `a = 2026-01-02T03:04:05.5Z`, want: Table{"a": "2026-01-02T03:04:05.5Z"}},
		{name: "time with zone", doc: `a = 2026-01-02T03:04:05+02:00`, want: Table{"a": "2026-01-02T03:04:05+02:00"}},
		{name: "local time", doc: `a = 2026-01-02T03:04:05`, want: Table{"a": "2026-01-02T03:04:05"}},
		{name: "date", doc: `a = 2026-01-02`, want: Table{"a": "2026-01-02"}},
		{name: "clock", doc: `a = 03:04:05`, want: Table{"a": "03:04:05"}},
		{name: "table", doc: "[a.b]\nc = 1", want: Table{"a.b.c": "1"}},
		{name: "list", doc: `a = ["x", 2, [true]]`, want: Table{"a.0": "x", "a.1": "2", "a.2.0": "true"}},
		{name: "list of tables", doc: "[[rooms]]\nname = \"x\"\n[[rooms]]\nname = \"y\"",
			want: Table{"rooms.0.name": "x", "rooms.1.name": "y"}},
		{name: "two values of one name", doc: `"a.b" = 1` + "\n" + `a.b = 2`,
			err: `"a.b": two values have this key once tables and lists are flattened, rename one`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m map[string]any
			if _, err := toml.Decode(tt.doc, &m); err != nil {
				t.Fatal(err)
			}
			var got Table
			err := got.fromTOML(m)
			if text(err) != tt.err || err == nil && !maps.Equal(got, tt.want) {
				t.Errorf("Table(%s): got %v, error %v, want %v, error %v", tt.doc, got, err, tt.want, tt.err)
			}
		})
	}
}
