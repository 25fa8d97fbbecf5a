package deflate_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/deflate"
)

// open is a policy that compresses all there is and stops nothing, wide a limit
// that stops nothing.
var open = deflate.Policy{ContextTakeover: true, Threshold: 1, Ratio: 2000}

const wide = 1 << 30

// session is the parameters of one with these windows, with context or without.
func session(bits int, takeover bool) deflate.Params {
	return deflate.Params{ServerBits: bits, ClientBits: bits, ServerTakeover: takeover, ClientTakeover: takeover}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// inflate gives frames to in, one after the other, and returns the message.
func inflate(in *deflate.Inflater, most int64, frames ...[]byte) ([]byte, error) {
	end := len(frames) - 1
	for _, f := range frames[:end] {
		in.Add(f)
	}
	if in.Open() != (end > 0) {
		return nil, fmt.Errorf("Open after %d frames: got %t", end, in.Open())
	}
	out, err := in.Append([]byte("before"), frames[end], most)
	if !bytes.HasPrefix(out, []byte("before")) || in.Open() {
		return nil, fmt.Errorf("Append: got % .20x behind what was there; open: %t", out, in.Open())
	}
	return out[len("before"):], err
}

// RFC 7692 section 7.2.3, each example; and what its rules allow besides.
func TestInflateExamples(t *testing.T) {
	tests := []struct {
		name     string
		takeover bool
		messages []string // hex; frames are separated by '|'
		want     string   // of each message
	}{
		{"7.2.3.1 one block", false, []string{"f2 48 cd c9 c9 07 00"}, "Hello"},
		{"7.2.3.1 in two frames", false, []string{"f2 48 cd | c9 c9 07 00"}, "Hello"},
		{"7.2.3.1 and an empty frame at either end", false, []string{" | f2 48 cd c9 c9 07 00 | "}, "Hello"},
		{"7.2.3.2 without context", false, []string{"f2 48 cd c9 c9 07 00", "f2 48 cd c9 c9 07 00"}, "Hello"},
		{"7.2.3.2 with context", true, []string{"f2 48 cd c9 c9 07 00", "f2 00 11 00 00", "f2 00 11 00 00"}, "Hello"},
		{"7.2.3.3 no compression", false, []string{"00 05 00 fa ff 48 65 6c 6c 6f 00"}, "Hello"},
		{"7.2.3.4 BFINAL", false, []string{"f3 48 cd c9 c9 07 00 00"}, "Hello"},
		{"7.2.3.4 BFINAL, and context behind it", true, []string{"f3 48 cd c9 c9 07 00 00", "f2 00 11 00 00"}, "Hello"},
		{"7.2.3.5 two blocks", false, []string{"f2 48 05 00 00 00 ff ff ca c9 c9 07 00"}, "Hello"},
		{"7.2.3.6 an empty message", false, []string{"00"}, ""},
		{"7.2.3.6 an empty last frame", false, []string{"f2 48 cd c9 c9 07 00 00 00 ff ff | 00"}, "Hello"},
		{"blocks behind BFINAL", false, []string{"f3 48 05 00 ca c9 c9 07 00"}, "Hello"},
		{"BFINAL in a stored block", false, []string{"01 05 00 fa ff 48 65 6c 6c 6f 00"}, "Hello"},
		{"BFINAL in the last empty block", false, []string{"f2 48 cd c9 c9 07 00 00 00 ff ff 01"}, "Hello"},
		{"an empty message with a fixed block", false, []string{"02 00"}, ""},
		{"an empty message as an empty stored block too many", false, []string{"00 00 00 ff ff 00"}, ""},

		// Laxer than the RFC.
		{"BFINAL without the stored block", false, []string{"f3 48 cd c9 c9 07 00"}, "Hello"},
		{"no bytes at all", true, []string{"", ""}, ""},
	}
	for _, test := range tests {
		in := deflate.NewPool(open).Inflater(session(15, test.takeover))
		for i, message := range test.messages {
			var frames [][]byte
			for _, f := range strings.Split(message, "|") {
				frames = append(frames, unhex(f))
			}
			got, err := inflate(&in, wide, frames...)
			if err != nil || string(got) != test.want {
				t.Errorf("Append(%s, message %d): got %q, %v, want %q", test.name, i, got, err, test.want)
			}
		}
	}
}

// text is size bytes of words, numbers and runs, the same for the same seed.
func text(seed, size int) []byte {
	words := strings.Fields("session frame lane turn event command bucket brigade topic journal trace version plugin checkpoint instance window")
	var out []byte
	for x := uint32(seed); len(out) < size; {
		x = (x*1103515245 + 12345) % (1 << 31)
		switch k := int(x>>16) % 23; {
		case k < 16:
			out = append(out, words[k]+" "...)
		case k < 20:
			out = append(strconv.AppendUint(out, uint64(x), 10), ' ')
		default:
			out = append(out, bytes.Repeat([]byte{byte(x >> 8)}, k-17)...)
		}
	}
	return out[:size]
}

// A zlibStream is one scenario of testdata/zlib.txt.
type zlibStream struct {
	name     string
	bits     int
	takeover bool
	plain    [][]byte
	packed   [][]byte
}

func zlibStreams(t testing.TB) (all []zlibStream) {
	t.Helper()
	file, err := os.ReadFile("testdata/zlib.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(file))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "", "#":
		case "==":
			all = append(all, zlibStream{name: rest})
		case "bits":
			all[len(all)-1].bits, _ = strconv.Atoi(rest)
		case "takeover":
			all[len(all)-1].takeover = true
		case "message":
			var seed, size int
			var data string
			fmt.Sscan(rest, &seed, &size, &data) // no data: never, an empty message is "AA=="
			packed, err := base64.StdEncoding.DecodeString(data)
			if err != nil {
				t.Fatal(err)
			}
			s := &all[len(all)-1]
			s.plain, s.packed = append(s.plain, text(seed, size)), append(s.packed, packed)
		default:
			t.Fatalf("testdata/zlib.txt: unknown word %q", word)
		}
	}
	if len(all) != 15 {
		t.Fatalf("testdata/zlib.txt: got %d streams, want 15", len(all))
	}
	return all
}

// What zlib compressed for a window is inflated with that window, in frames of
// any size.
func TestInflateZlib(t *testing.T) {
	pool := deflate.NewPool(open)
	for _, s := range zlibStreams(t) {
		for _, cut := range []int{1, 17, 250, 1 << 20} {
			in := pool.Inflater(session(s.bits, s.takeover))
			for i, packed := range s.packed {
				got, err := inflate(&in, wide, chunks(packed, cut)...)
				if err != nil || !bytes.Equal(got, s.plain[i]) {
					t.Fatalf("Append(%s, message %d in frames of %d): got %d bytes, %v, want %d", s.name, i, cut, len(got), err, len(s.plain[i]))
				}
			}
		}
	}
}

// chunks cuts p into frames of size bytes.
func chunks(p []byte, size int) (all [][]byte) {
	for len(p) > size {
		all = append(all, p[:size])
		p = p[size:]
	}
	return append(all, p)
}

// The reference is held to the same vectors.
func TestReference(t *testing.T) {
	for _, s := range zlibStreams(t) {
		var past []byte
		for i, packed := range s.packed {
			got, _, err := inflateMessage(packed, past, 1<<s.bits)
			if err != nil || !bytes.Equal(got, s.plain[i]) {
				t.Fatalf("reference(%s, message %d): got %d bytes, %v, want %d", s.name, i, len(got), err, len(s.plain[i]))
			}
			if s.takeover {
				past = append(past, got...)
			}
		}
	}
}
