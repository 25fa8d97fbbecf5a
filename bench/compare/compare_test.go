//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// served is a frame as servers send it.
func served(first byte, payload []byte) []byte {
	b := []byte{first, byte(len(payload))}
	if len(payload) > 125 {
		b = binary.BigEndian.AppendUint16([]byte{first, 126}, uint16(len(payload)))
	}
	return append(b, payload...)
}

func TestJudge(t *testing.T) {
	m := newMessages(300)
	whole := func(n int) []byte { return served(binaryFrame, m.plain[n]) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	flipped := whole(1)
	flipped[200] ^= 1
	tests := []struct {
		name string
		wire []byte
		done int // -1 = an error
	}{
		{"two", join(whole(0), whole(1)), 2},
		{"a pong between", join(whole(0), served(fin|opPong, []byte("x")), whole(1)), 2},
		{"in fragments", join(served(opBinary, m.plain[0][:126]), served(0, nil), served(fin, m.plain[0][126:])), 1},
		{"out of order", join(whole(1), whole(0)), -1},
		{"one twice", join(whole(0), whole(0)), -1},
		{"a wrong byte", join(whole(0), flipped), -1},
		{"too short", served(binaryFrame, m.plain[0][:299]), -1},
		{"too long", served(binaryFrame, append(bytes.Clone(m.plain[0]), 0)), -1},
		{"as text", served(fin|1, m.plain[0]), -1},
		{"masked", join([]byte{binaryFrame, 0x80 | 5}, m.plain[0]), -1},
		{"a continuation of nothing", served(fin, m.plain[0]), -1},
		{"closed", join(whole(0), served(fin|opClose, nil)), -1},
	}
	for _, tt := range tests {
		for _, piece := range []int{1, 7, len(tt.wire)} {
			var j judge
			done, err := 0, error(nil)
			for p := range chunks(tt.wire, piece) {
				n := 0
				n, err = j.feed(p, m)
				if done += n; err != nil {
					done = -1
					break
				}
			}
			if done != tt.done {
				t.Errorf("feed(%s, %d bytes at a time): got %d messages, %v, want %d", tt.name, piece, done, err, tt.done)
			}
		}
	}
}

func chunks(b []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(size, len(b))
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

func TestRatios(t *testing.T) {
	at := func(second int, cost float64) sample { return sample{time.Unix(int64(second), 0), cost} }
	theirs := []sample{at(0, 10), at(20, 40)}
	ours := []sample{at(1, 5), at(19, 10), at(21, 8)}
	got := ratios(theirs, ours)
	if len(got) != 3 || got[0] != 2 || got[1] != 4 || got[2] != 5 {
		t.Errorf("ratios: got %v, want [2 4 5]", got)
	}
	for _, tt := range []struct{ share, want float64 }{{0, 2}, {0.25, 3}, {0.5, 4}, {0.75, 4.5}, {1, 5}} {
		if q := quantile(got, tt.share); q != tt.want {
			t.Errorf("quantile(%v, %v): got %v, want %v", got, tt.share, q, tt.want)
		}
	}
}

// A server that answers with something else is found out.
func TestCheck(t *testing.T) {
	tests := []struct {
		name  string
		spoil func([]byte) []byte
		err   string
	}{
		{"echo", func(b []byte) []byte { return b }, ""},
		{"last byte", func(b []byte) []byte {
			if len(b) > 1<<16 {
				b[len(b)-1] ^= 1
			}
			return b
		}, "echo of 100000 bytes: connection"},
		{"silence", func([]byte) []byte { return nil }, "echo of 1 bytes: connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, err := new(websocket.Upgrader).Upgrade(w, r, nil)
				if err != nil {
					return
				}
				defer c.Close()
				for {
					kind, data, err := c.ReadMessage()
					if err != nil || c.WriteMessage(kind, tt.spoil(data)) != nil {
						return
					}
				}
			}))
			defer s.Close()
			err := check(&process{name: tt.name, addr: s.Listener.Addr().String()})
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("check: got %v, want %q", err, tt.err)
			}
		})
	}
}

// All scenarios run against both servers, and the table lands in the file.
func TestCompare(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: it is pinned, and ends with this goroutine
	b, err := build()
	if err != nil {
		t.Fatal(err)
	}
	defer b.remove()
	var small []*scenario
	for _, s := range scenarios {
		s.conns = 8
		small = append(small, &s)
	}
	r := newReport(b, &b.ours, 1, time.Millisecond)
	if err := compare(r, &b.baseline, &b.ours, small, 1, times{time.Millisecond, 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "README.md")
	before, after := "before\n"+string(marks[0]), string(marks[1])+"after\n"
	if err := os.WriteFile(file, []byte(before+"old\n"+after), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := r.replaceIn(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	table, ok := strings.CutPrefix(string(text), before)
	table, ok2 := strings.CutSuffix(table, after)
	rows := regexp.MustCompile(`(?m)^\| .* \| (µs|B)/\w+ \| [-\d.]+ \| [-\d.]+ \| .* \|$`).FindAllString(table, -1)
	if !ok || !ok2 || len(rows) != len(scenarios) || strings.Contains(table, "old") {
		t.Errorf("replaceIn: got\n%s\nwant %d rows in place of what was there", text, len(scenarios))
	}
}

// A server that ends at once is reported with what it said.
func TestStart(t *testing.T) {
	runtime.LockOSThread()
	g := program{"loser", "/bin/sh", []string{"-c", "echo sorry; exit 3"}}
	if _, err := g.start(); err == nil || !strings.Contains(err.Error(), "sorry") {
		t.Errorf("start: got %v, want what it said", err)
	}
	g.file = "/no/such/file"
	if _, err := g.start(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("start: got %v, want %v", err, os.ErrNotExist)
	}
}
