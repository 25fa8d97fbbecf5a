package deflate_test

import (
	"math/rand/v2"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/deflate"
)

// The codes that take the most room, found by trying all ways to divide the
// lengths: how many symbols there are of each.
func TestTablesWorstCodes(t *testing.T) {
	tests := []struct {
		name  string
		build func([]uint8) (entries int, ok bool)
		count [16]int
		want  int
	}{
		{"286 symbols", deflate.BuildLit, [16]int{1: 1, 2: 1, 3: 1, 4: 1, 11: 1, 12: 229, 13: 49, 14: 1, 15: 2}, 1332},
		{"30 distances", deflate.BuildDist,
			[16]int{1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 9: 1, 10: 9, 11: 9, 12: 1, 13: 1, 14: 1, 15: 2}, 400},
	}
	for _, test := range tests {
		var lens []uint8
		for n, times := range test.count {
			for range times {
				lens = append(lens, uint8(n))
			}
		}
		if got, ok := test.build(lens); got != test.want || !ok {
			t.Errorf("build(%s): got %d entries, %t, want %d", test.name, got, ok, test.want)
		}
	}
}

// Any complete code is accepted.
func TestTablesRandomCodes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		for _, kind := range []struct {
			symbols int
			build   func([]uint8) (entries int, ok bool)
		}{{286, deflate.BuildLit}, {30, deflate.BuildDist}} {
			lens := []uint8{1, 1}
			for skew := r.IntN(4); len(lens) < kind.symbols; { // split a code until there are enough
				i := r.IntN(len(lens))
				for range skew { // prefer long ones
					if j := r.IntN(len(lens)); lens[j] > lens[i] && lens[j] < 15 {
						i = j
					}
				}
				if lens[i] < 15 {
					lens[i]++
					lens = append(lens, lens[i])
				}
			}
			r.Shuffle(len(lens), func(i, j int) { lens[i], lens[j] = lens[j], lens[i] })
			if _, ok := kind.build(lens); !ok {
				t.Fatalf("build(%v): complete code of %d symbols refused", lens, kind.symbols)
			}
		}
	}
}
