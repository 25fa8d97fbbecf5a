package guest

import (
	"bytes"
	"math"
	"testing"
)

func TestWorldClocks(t *testing.T) {
	type reading struct{ now, mono int64 }
	tests := []struct {
		name  string
		boot  Header
		steps func(w *world)
		want  reading
	}{
		{"before the first turn", Header{}, func(*world) {}, reading{0, 0}},
		{"boot header", Header{Now: 50, Mono: 5}, func(*world) {}, reading{50, 5}},
		{"a turn", Header{}, func(w *world) { w.begin(Header{Now: 100, Mono: 10}) }, reading{100, 10}},
		{"sleep", Header{}, func(w *world) { w.begin(Header{Now: 100, Mono: 10}); w.sleep(7) }, reading{107, 17}},
		{"no time", Header{}, func(w *world) { w.begin(Header{Now: 100, Mono: 10}); w.sleep(0); w.sleep(-3) }, reading{100, 10}},
		{"next turn while ahead", Header{}, func(w *world) {
			w.begin(Header{Now: 100, Mono: 10})
			w.sleep(50)
			w.begin(Header{Now: 120, Mono: 30})
		}, reading{150, 60}},
		{"next turn after catching up", Header{}, func(w *world) {
			w.begin(Header{Now: 100, Mono: 10})
			w.sleep(5)
			w.begin(Header{Now: 120, Mono: 30})
		}, reading{120, 30}},
		{"wall clock steps back", Header{}, func(w *world) {
			w.begin(Header{Now: 100, Mono: 10})
			w.begin(Header{Now: 40, Mono: 20})
		}, reading{40, 20}},
		{"sleeps for ever, twice", Header{}, func(w *world) {
			w.begin(Header{Now: 100, Mono: 10})
			w.sleep(math.MaxInt64)
			w.sleep(math.MaxInt64)
		}, reading{math.MaxInt64, math.MaxInt64}},
	}
	if got := newWorld(Header{}, nil).nanotime(); got != 1 {
		t.Errorf("monotonic clock at its beginning: got %d, want 1", got)
	}
	for _, tt := range tests {
		w := newWorld(tt.boot, nil)
		tt.steps(w)
		if got := (reading{w.now(), w.mono}); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Random bytes depend on the turn's seed and on how many were read before in it.
func TestWorldRandom(t *testing.T) {
	read := func(w *world, n int) []byte {
		b := make([]byte, n)
		if got, err := w.Read(b); got != n || err != nil {
			t.Fatalf("Read(%d): %d, %v", n, got, err)
		}
		return b
	}
	w := newWorld(Header{Seed: 1}, nil)
	one := read(w, 40)
	w.begin(Header{Seed: 2})
	two := read(w, 40)
	w.begin(Header{Seed: 1})
	again := append(read(w, 13), read(w, 27)...)
	if bytes.Equal(one, two) || !bytes.Equal(one, again) {
		t.Errorf("seed 1 gave %x, seed 2 %x, seed 1 in two reads %x", one, two, again)
	}
}
