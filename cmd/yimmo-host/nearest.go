package main

import (
	"slices"
	"strings"
)

// nearestKey finds the key that was probably meant by key: one of that spelling
// in the same table, else one of that name in any table, else a table.
// "" if nothing is near.
func nearestKey(key string, known []string) string {
	last := func(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
	within := max(1, len(last(key))/3)
	if like := nearest(key, known, within); like != "" {
		return like
	}
	for _, k := range known {
		if strings.EqualFold(last(k), last(key)) {
			return k
		}
	}
	var tables []string
	for _, k := range known {
		if table, _, ok := strings.Cut(k, "."); ok {
			tables = append(tables, table)
		}
	}
	return nearest(key, tables, within)
}

// nearest finds the word closest to word, capitals aside; "" if none can be
// made of it by as many changes as within.
func nearest(word string, known []string, within int) string {
	best, least := "", within+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = slices.Min([]int{cost, row[j] + 1, row[j+1] + 1})
		}
	}
	return row[len(y)]
}
