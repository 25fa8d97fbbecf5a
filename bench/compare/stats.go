//go:build linux

package main

import (
	"math"
	"slices"
	"time"
)

// A sample is the outcome of one run.
type sample struct {
	middle time.Time // of the run
	cost   float64
}

// ratios are what one server costs as a multiple of the other, for each run of
// ours against the run of theirs nearest in time: machines shared with others
// change their pace within minutes, and pairs see the same pace.
func ratios(theirs, ours []sample) []float64 {
	all := make([]float64, len(ours))
	for i, o := range ours {
		near := slices.MinFunc(theirs, func(a, b sample) int {
			return int(a.middle.Sub(o.middle).Abs() - b.middle.Sub(o.middle).Abs())
		})
		all[i] = near.cost / o.cost
	}
	return all
}

func costs(samples []sample) []float64 {
	all := make([]float64, len(samples))
	for i, s := range samples {
		all[i] = s.cost
	}
	return all
}

// quantile is the value below which that share of all lies, between the two
// nearest by their distance.
func quantile(all []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	at := share * float64(len(sorted)-1)
	low, rest := math.Modf(at)
	value := sorted[int(low)]
	if rest > 0 {
		value += rest * (sorted[int(low)+1] - value)
	}
	return value
}
