package frame_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/host/frame"
)

// judge feeds p in the given parts and reports the verdict.
func judge(parts ...[]byte) (ok, complete bool) {
	var t frame.Text
	ok = true
	for _, p := range parts {
		ok = t.Feed(p)
	}
	return ok, ok && t.Complete()
}

// All sequences of 1 to 4 bytes whose beginning can be one character: Feed
// fails exactly at the first byte that no character has there.
func TestTextEverySequence(t *testing.T) {
	check := func(p []byte) (alive bool) {
		want := utf8.Valid(p) || beginnings()[string(p)]
		ok, complete := judge(p)
		if ok != want || complete != utf8.Valid(p) {
			t.Fatalf("Text(% x): got %t, complete %t, want %t, %t", p, ok, complete, want, utf8.Valid(p))
		}
		if ok, _ = judge(p[:len(p)-1], p[len(p)-1:]); ok != want {
			t.Fatalf("Text(% x | % x): got %t, want %t", p[:len(p)-1], p[len(p)-1:], ok, want)
		}
		return want && !complete
	}
	var extend func(p []byte)
	extend = func(p []byte) {
		for c := range 256 {
			if q := append(p, byte(c)); check(q) {
				extend(q)
			}
		}
	}
	extend(make([]byte, 0, 4))
}

// All pairs of bytes, behind ASCII of every length up to three words and before
// more of it: the fast paths begin and end at every place.
func TestTextAtEveryOffset(t *testing.T) {
	for pad := range 40 {
		p := append(bytes.Repeat([]byte{'a'}, pad), "__bcdefghi"...)
		for pair := range 1 << 16 {
			if p[pad], p[pad+1] = byte(pair>>8), byte(pair); p[pad] < 0xbf && p[pad]%16 > 1 {
				continue // all ASCII is alike, as are all continuation bytes
			}
			ok, complete := judge(p)
			if want := utf8.Valid(p); ok != want || complete != want {
				t.Fatalf("Text(%q): got %t, complete %t, want %t", p, ok, complete, want)
			}
		}
	}
}

// Random text with faults, in random parts: the verdict turns at the first bad
// byte, and stays.
func TestTextRandom(t *testing.T) {
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 2))
		p := randomText(r, r.IntN(120))
		bad := firstBad(p)
		cut := r.IntN(len(p) + 1)
		ok, complete := judge(p[:cut], p[cut:])
		if want := bad < 0; ok != want || complete != utf8.Valid(p) {
			t.Fatalf("Text(%q | %q): got %t, complete %t, want %t, %t", p[:cut], p[cut:], ok, complete, want, utf8.Valid(p))
		}
		if bad < 0 {
			continue
		}
		if ok, _ := judge(p[:bad]); !ok {
			t.Fatalf("Text(%q): got false, want true: the first bad byte is the next, %#x", p[:bad], p[bad])
		}
		if ok, _ := judge(p[:bad+1]); ok {
			t.Fatalf("Text(%q): got true, want false", p[:bad+1])
		}
		if ok, _ := judge(p[:bad+1], nil, []byte("a")); ok {
			t.Fatalf("Text(%q | more): got true, want false for ever", p[:bad+1])
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("plain text of more than a word, \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 33)
	f.Add([]byte("\xed\xa0\x80"), 1)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		cut = max(0, min(cut, len(p)))
		ok, complete := judge(p[:cut], p[cut:])
		if want := firstBad(p) < 0; ok != want || complete != utf8.Valid(p) {
			t.Errorf("Text(%q | %q): got %t, complete %t, want %t, %t", p[:cut], p[cut:], ok, complete, want, utf8.Valid(p))
		}
	})
}
