package host_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// A vector is one scenario of testdata/wire; README.md there has the format.
type vector struct {
	name  string
	steps []step
	end   ending
}

// A step is what the client sends, and what it must get before it goes on.
type step struct {
	send []byte
	want []expected
}

// expected is a frame, or a message in however many frames.
type expected struct {
	rawws.Frame
	message bool
}

// An ending is what becomes of the connection.
type ending struct {
	alive  bool
	code   uint16 // of the close frame, if not alive; 0 = none
	reason string // of it, if exact
	exact  bool
}

// readVectors reads all scenarios of one file below testdata.
func readVectors(t testing.TB, name string) []vector {
	t.Helper()
	path := filepath.Join("testdata", name)
	var all []vector
	var in []rawws.Frame // of the step at hand, for "out all"
	lines := bufio.NewScanner(bytes.NewReader(readAll(t, path)))
	for at := 1; lines.Scan(); at++ {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "", "#":
			continue
		case "==":
			all, in = append(all, vector{name: rest, steps: []step{{}}}), nil
			continue
		}
		if len(all) == 0 {
			t.Fatalf("%s:%d: before the first ==", path, at)
		}
		v := &all[len(all)-1]
		now := &v.steps[len(v.steps)-1]
		if (word == "in" || word == "raw") && len(now.want) > 0 {
			v.steps, in = append(v.steps, step{}), nil
			now = &v.steps[len(v.steps)-1]
		}
		if err := now.read(v, word, rest, &in); err != nil {
			t.Fatalf("%s:%d: %q: %v", path, at, lines.Text(), err)
		}
	}
	for _, v := range all {
		if v.end == (ending{}) {
			t.Fatalf("%s: %s: no end", path, v.name)
		}
	}
	return all
}

// read adds one line to the step.
func (s *step) read(v *vector, word, rest string, in *[]rawws.Frame) (err error) {
	var frames []rawws.Frame
	switch word {
	case "raw":
		var b []byte
		b, err = hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		s.send = append(s.send, b...)
	case "in":
		frames, err = parseFrames(rest)
		for _, f := range frames {
			s.send = rawws.AppendFrame(s.send, f)
		}
		*in = append(*in, frames...)
	case "out", "message":
		if frames = *in; rest != "all" {
			frames, err = parseFrames(rest)
		}
		for _, f := range frames {
			s.want = append(s.want, expected{f, word == "message"})
		}
	case "end":
		v.end, err = parseEnding(rest)
	default:
		err = fmt.Errorf("unknown word %q", word)
	}
	return err
}

// parseFrames reads `81 "text"`, `81 "x"*125` (one frame of 125 bytes),
// `81 "x"*40n` (40 frames), both together and `88 close 1000 "reason"`.
func parseFrames(s string) ([]rawws.Frame, error) {
	hexFlags, s, _ := strings.Cut(s, " ")
	flags, err := strconv.ParseUint(hexFlags, 16, 8)
	if err != nil {
		return nil, err
	}
	if code, ok := strings.CutPrefix(s, "close "); ok {
		code, reason, err := parseClose(code)
		return []rawws.Frame{{Flags: byte(flags), Payload: string([]byte{byte(code >> 8), byte(code)}) + reason}}, err
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return nil, err
	}
	text, _ := strconv.Unquote(quoted)
	frames := 1
	for times := range strings.SplitSeq(s[len(quoted):], "*") {
		if times == "" {
			continue
		}
		times, many := strings.CutSuffix(times, "n")
		n, err := strconv.Atoi(times)
		switch {
		case err != nil:
			return nil, err
		case many:
			frames = n
		default:
			text = strings.Repeat(text, n)
		}
	}
	return slices.Repeat([]rawws.Frame{{Flags: byte(flags), Payload: text}}, frames), nil
}

func parseClose(s string) (code uint16, reason string, err error) {
	number, quoted, _ := strings.Cut(s, " ")
	n, err := strconv.ParseUint(number, 10, 16)
	if err == nil && quoted != "" {
		reason, err = strconv.Unquote(quoted)
	}
	return uint16(n), reason, err
}

func parseEnding(s string) (e ending, err error) {
	if s == "alive" {
		return ending{alive: true}, nil
	}
	code, ok := strings.CutPrefix(s, "close")
	if !ok {
		return e, fmt.Errorf("want alive or close")
	}
	if code = strings.TrimSpace(code); code == "" {
		return ending{exact: true}, nil
	}
	e.code, e.reason, err = parseClose(code)
	e.exact = strings.Contains(code, `"`)
	return e, err
}
