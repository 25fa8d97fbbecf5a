package deflate_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/deflate"
)

// bits writes DEFLATE by hand: "1 10 11000" is the bits in the order sent. The
// last byte is filled up with zeros.
func bits(words string) []byte {
	var out []byte
	n := 0
	for _, c := range words {
		if c != '0' && c != '1' {
			continue
		}
		if n%8 == 0 {
			out = append(out, 0)
		}
		out[n/8] |= byte(c-'0') << (n % 8)
		n++
	}
	return out
}

// num is v as words of bits takes it: n bits, the lowest first.
func num(v, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteByte('0' + byte(v>>i&1))
	}
	return b.String() + " "
}

// dynamic is a dynamic block's header whose code of code lengths has 4 bits for
// each length from 0 to 15, so that lens can be anything.
func dynamic(nlit, ndist int, lens ...int) string {
	var b strings.Builder
	b.WriteString("0 01 " + num(nlit-257, 5) + num(ndist-1, 5) + num(15, 4))
	for i := range 19 {
		if i < 3 {
			b.WriteString("000 ") // 16 to 18 do not occur
		} else {
			b.WriteString(num(4, 3))
		}
	}
	for _, n := range lens {
		for i := 3; i >= 0; i-- { // a code goes highest bit first
			b.WriteByte('0' + byte(n>>i&1))
		}
	}
	return b.String() + " "
}

// lens has the code lengths of nlit and ndist symbols, all 0 but those given as
// symbol, length; symbols from 1000 are distances.
func lens(nlit, ndist int, pairs ...int) []int {
	all := make([]int, nlit+ndist)
	for i := 0; i < len(pairs); i += 2 {
		if s := pairs[i]; s >= 1000 {
			all[nlit+s-1000] = pairs[i+1]
		} else {
			all[s] = pairs[i+1]
		}
	}
	return all
}

// Fixed codes of use below.
const (
	fixedA   = "10010001 " // 'a'
	fixedEnd = "0000000 "
	flush    = "0 00 "
)

// matchBack is a fixed block with one match of three bytes, so far back, and 40 times a.
func matchBack(back int) []byte {
	base, symbol := 1, 0
	for ; base+1<<max(0, symbol/2-1) <= back; symbol++ {
		base += 1 << max(0, symbol/2-1)
	}
	code := ""
	for i := 4; i >= 0; i-- {
		code += string('0' + byte(symbol>>i&1))
	}
	return bits("0 10 0000001 " + code + num(back-base, max(0, symbol/2-1)) + strings.Repeat(fixedA, 40) + fixedEnd + flush)
}

func TestInflateBroken(t *testing.T) {
	past := string(bits("0 10 " + fixedA + fixedA + fixedA + fixedEnd + flush)) // a whole message "aaa"
	// A dynamic header with 257 symbols and 2 distances, all lengths there but the
	// two of the distances. "10" and three bits is that many zeros, three at least.
	repeats := "0 01 " + num(0, 5) + num(1, 5) + num(14, 4) +
		num(0, 3) + num(2, 3) + num(2, 3) + strings.Repeat(num(0, 3), 14) + num(1, 3) + // 1: "0", 17: "10", 18: "11"
		"11 " + num(97-11, 7) + "0 " + "11 " + num(127, 7) + "11 " + num(20-11, 7) + "0 "
	tests := []struct {
		name string
		data []byte
		want string // what comes out before the fault
	}{
		{"block type 3", bits("0 11"), ""},
		{"block type 3 behind a block", bits("0 10 " + fixedA + fixedEnd + "0 11"), "a"},
		{"stored: sizes do not agree", unhex("00 05 00 fb ff 48 65 6c 6c 6f 00"), ""},
		{"stored: ends inside the sizes", unhex("00 05 00"), ""},
		{"stored: ends inside the bytes", unhex("00 05 00 fa ff 48 65 6c"), "Hel"},
		{"stored: ends before the bytes", unhex("00 05 00 fa ff"), ""},
		{"ends inside a block's header", bits("0 10 " + strings.Repeat("110010000 ", 4) + fixedEnd + "00"), "\x90\x90\x90\x90"},
		{"fixed: ends inside a symbol", bits("0 10 " + fixedA + "1001")[:2], "a"},
		{"fixed: ends without an end", bits("0 10 " + fixedA + fixedA + "00000"), "aa"},
		{"fixed: symbol 286", bits("0 10 " + fixedA + "11000110 " + fixedEnd), "a"},
		{"fixed: symbol 287", bits("0 10 " + fixedA + "11000111 " + fixedEnd), "a"},
		{"fixed: distance code 30", bits("0 10 " + fixedA + "0000001 11110 " + fixedEnd), "a"},
		{"fixed: distance code 31", bits("0 10 " + fixedA + "0000001 11111 " + fixedEnd), "a"},
		{"fixed: symbol 286 in the middle", bits("0 10 " + fixedA + fixedA + fixedA + "11000110 " + strings.Repeat(fixedA, 40) + fixedEnd + flush), "aaa"},
		{"fixed: distance code 30 in the middle", bits("0 10 " + fixedA + "0000001 11110 " + strings.Repeat(fixedA, 40) + fixedEnd + flush), "a"},
		{"fixed: back before the beginning", bits("0 10 " + fixedA + "0000001 00011 " + fixedEnd + flush), "a"},
		{"fixed: back into nothing", bits("0 10 0000001 00000 " + fixedEnd + flush), ""},
		{"ends inside a dynamic header", bits("0 01 " + num(0, 5) + num(0, 5))[:1], ""},
		{"dynamic: 287 symbols", bits(dynamic(287, 1, lens(287, 1, 97, 1, 256, 1)...) + "0 1 " + flush), ""},
		{"dynamic: 31 distances", bits(dynamic(257, 31, lens(257, 31, 97, 1, 256, 1)...) + "0 1 " + flush), ""},
		{"dynamic: code of code lengths is too full", bits("0 01 " + num(0, 5) + num(0, 5) + num(0, 4) +
			num(1, 3) + num(1, 3) + num(1, 3) + num(0, 3)), ""},
		{"dynamic: code of code lengths has gaps", bits("0 01 " + num(0, 5) + num(0, 5) + num(0, 4) +
			num(2, 3) + num(2, 3) + num(2, 3) + num(0, 3)), ""},
		{"dynamic: no code lengths", bits("0 01 " + num(0, 5) + num(0, 5) + num(0, 4) + num(0, 12) + "1111"), ""},
		{"dynamic: repeats what is not there", bits("0 01 " + num(0, 5) + num(0, 5) + num(0, 4) +
			num(1, 3) + num(1, 3) + num(0, 6) + "0 00"), ""},
		{"dynamic: repeats too often", bits("0 01 " + num(0, 5) + num(0, 5) + num(0, 4) +
			num(0, 6) + num(1, 3) + num(1, 3) + strings.Repeat("1 1111111 ", 2)), ""},
		{"dynamic: repeats once too often", bits(repeats + "10 " + num(0, 3) + "0 1 " + flush), ""},
		{"dynamic: a single code length's other bit", bits("0 01 " + num(0, 5) + num(0, 5) + num(0, 4) +
			num(0, 6) + num(1, 3) + num(0, 3) + "1 "), ""},
		{"dynamic: symbols are too full", bits(dynamic(257, 1, lens(257, 1, 97, 1, 98, 1, 256, 1)...)), ""},
		{"dynamic: symbols have gaps", bits(dynamic(257, 1, lens(257, 1, 97, 2, 256, 1)...)), ""},
		{"dynamic: distances are too full", bits(dynamic(257, 3, lens(257, 3, 97, 1, 256, 1, 1000, 1, 1001, 1, 1002, 1)...)), ""},
		{"dynamic: distances have gaps", bits(dynamic(257, 2, lens(257, 2, 97, 1, 256, 1, 1000, 2, 1001, 1)...)), ""},
		{"dynamic: no symbols", bits(dynamic(257, 1, lens(257, 1)...) + "0000"), ""},
		{"dynamic: no end", bits(dynamic(257, 1, lens(257, 1, 97, 1, 98, 1)...) + "0 1 0" + "00000000"), "abaaaaaaaaaaaa"},
		{"dynamic: the single symbol's other bit", bits(dynamic(257, 1, lens(257, 1, 256, 1)...) + "1"), ""},
		{"dynamic: a match without distances", bits(dynamic(258, 1, lens(258, 1, 97, 1, 256, 2, 257, 2)...) + "0 11 0"), "a"},
		{"dynamic: the single distance's other bit", bits(dynamic(258, 1, lens(258, 1, 97, 1, 256, 2, 257, 2, 1000, 1)...) + "0 11 1"), "a"},
		{"a message and half a tail", append([]byte(past), 0, 0), "aaa"},
		{"a message and a tail of other bytes", append([]byte(past), 0, 0, 0xff, 0xfe, 0), "aaa"},
		{"text", []byte("this is not DEFLATE"), ""},
		{"gzip", unhex("1f 8b 08 00 00 00 00 00 00 03"), ""},
		{"zlib", unhex("78 9c f3 48 cd c9 c9 07 00 05 8c 01 f5"), ""},
	}
	used := deflated(text(1, 3000), 9)
	for _, test := range tests {
		if _, _, err := inflateMessage(test.data, nil, 1<<15); err == nil {
			t.Errorf("%s: the reference takes it", test.name)
		}
		for _, cut := range []int{1, 2, 1000} {
			for _, room := range []int{1, 400} {
				pool := deflate.NewPool(open, wide)
				inflate(pool.Inflater(session(15, false)), 0, used) // leaves its tables to the next
				in := pool.Inflater(session(15, true))
				got, err := inflate(in, room, chunks(test.data, cut)...)
				if err != deflate.ErrData || !strings.HasPrefix(test.want, string(got)) || cut == 1 && string(got) != test.want {
					t.Errorf("Inflate(%s, frames of %d, room %d): got %q, %v, want %q, %v", test.name, cut, room, got, err, test.want, deflate.ErrData)
				}
				if _, _, _, again := in.Inflate(make([]byte, 9), unhex("00"), true); again != err {
					t.Errorf("Inflate(%s) again: got %v, want %v for ever", test.name, again, err)
				}
				if pool.Waiting() != 0 || in.Held() != 0 || in.Busy() {
					t.Errorf("Inflate(%s): memory is not given back: %d waiting, %d bytes, busy %t", test.name, pool.Waiting(), in.Held(), in.Busy())
				}
			}
		}
	}
}

// A stored block right behind a coded one, wherever in its bits that ends.
func TestInflateStoredBehind(t *testing.T) {
	stored := bytes.Repeat([]byte{0xff, 0x55}, 20)
	for n := range 70 {
		for _, literal := range []string{fixedA, "110010000 "} { // 8 and 9 bits
			data := slices.Concat(
				bits("0 10 "+strings.Repeat(literal, n)+fixedEnd+"0 00"),
				unhex("28 00 d7 ff"), stored,
				bits("0 10 "+strings.Repeat(fixedA, 30)+fixedEnd+flush))
			want, _, _ := inflateMessage(data, nil, 1<<15)
			in := deflate.NewPool(open, wide).Inflater(session(15, false))
			if got, err := inflate(in, 1000, data); err != nil || !bytes.Equal(got, want) || len(got) != n+70 {
				t.Errorf("Inflate(stored behind %d of %s): got %d bytes, %v, want %d", n, literal, len(got), err, n+70)
			}
		}
	}
}

// Codes at the edge of the grammar that are right.
func TestInflateOddCodes(t *testing.T) {
	long := lens(257, 1, 256, 15)
	for i := range 14 { // lengths 1 to 14, then two of 15
		long['a'+i] = i + 1
	}
	long['z'] = 15
	code := func(i int) string { return strings.Repeat("1", i) + "0 " }
	tests := []struct {
		name string
		data string
		want string
	}{
		{"a single symbol: the end", dynamic(257, 1, lens(257, 1, 256, 1)...) + "0 " + flush, ""},
		{"no distances, none used", dynamic(257, 1, lens(257, 1, 97, 1, 256, 1)...) + "0 0 1 " + flush, "aa"},
		{"a single distance", dynamic(258, 1, lens(258, 1, 97, 1, 256, 2, 257, 2, 1000, 1)...) + "0 11 0 10 " + flush, "aaaa"},
		{"30 distances, 286 symbols", dynamic(286, 30, lens(286, 30, 97, 1, 256, 2, 285, 2, 1000, 1, 1029, 1)...) +
			"0 11 0 10 " + flush, strings.Repeat("a", 259)},
		{"codes of all lengths", dynamic(257, 1, long...) + code(0) + code(8) + code(9) + code(10) + code(13) +
			code(14) + strings.Repeat("1", 15) + flush, "aijknz"},
	}
	for _, test := range tests {
		data := bits(test.data)
		for _, cut := range []int{1, 5, 1000} {
			in := deflate.NewPool(open, wide).Inflater(session(15, false))
			got, err := inflate(in, 300, chunks(data, cut)...)
			if err != nil || string(got) != test.want {
				t.Errorf("Inflate(%s, frames of %d): got %q, %v, want %q", test.name, cut, got, err, test.want)
			}
		}
	}
}
