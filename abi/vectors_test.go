package abi_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A vector is one file of testdata/vectors; the README there has the format.
type vector struct {
	name   string // of the file, without .txt
	record string
	reason string // why it is refused, empty when it is not
	keys   []pair // after record and expect
	bytes  []byte
}

type pair struct{ key, value string }

// TestVectors decodes each vector, compares, encodes it back and cuts it short.
func TestVectors(t *testing.T) {
	checks := map[string]func(t *testing.T, v *vector){
		"event":   checkEvent,
		"command": checkCommand,
		"control": checkControl,
		"fields":  checkFields,
		"topic":   checkTopic,
		"ids":     checkIDs,
	}
	seen := map[string]int{}
	for _, v := range vectors(t) {
		t.Run(v.name, func(t *testing.T) {
			check, ok := checks[v.record]
			if !ok || !strings.HasPrefix(v.name, v.record+"-") {
				t.Fatalf("record %q: unknown, or not how the file's name begins", v.record)
			}
			seen[v.record+fmt.Sprint(v.reason == "")]++
			check(t, v)
		})
	}
	for record := range checks {
		if seen[record+"true"] == 0 || seen[record+"false"] == 0 {
			t.Errorf("%s: there must be good and refused vectors", record)
		}
	}
}

// Every kind of event and command has a good vector, every status that one
// record can earn a refused one.
func TestVectorsAreComplete(t *testing.T) {
	good, refused := map[string]bool{}, map[string]bool{}
	for _, v := range vectors(t) {
		if i := slices.IndexFunc(v.keys, func(p pair) bool { return p.key == "kind" }); i >= 0 && v.reason == "" {
			good[v.record+" "+v.keys[i].value] = true
		}
		refused[v.record+" "+v.reason] = true
	}
	for _, c := range constants(t) {
		switch name := snake(strings.TrimPrefix(strings.TrimPrefix(c.name, "Event"), "Command")); {
		case c.name == "CommandCall" || c.name == "EventCallResult": // reserved: there is no good one
		case c.typ == "EventKind" && !good["event "+name], c.typ == "CommandKind" && !good["command "+name]:
			t.Errorf("%s: no good vector", c.name)
		}
	}
	for _, s := range []abi.Status{
		abi.StatusUnknownKind, abi.StatusNotGranted, abi.StatusReserved, abi.StatusBadRange, abi.StatusBadFlags,
		abi.StatusBadCode, abi.StatusBadFields, abi.StatusTooLarge, abi.StatusBadValue,
	} {
		if !refused["command "+s.String()] {
			t.Errorf("status %v: no refused vector", s)
		}
	}
}

func checkEvent(t *testing.T, v *vector) {
	got, ok := abi.ParseEvent(v.bytes)
	if !v.refuses(t, ok, "short") {
		return
	}
	r := v.reader(t)
	want := abi.Event{
		Kind: word(r, "kind", abi.ParseEventKind), Flags: uint8(r.number("flags", 8)), Code: uint16(r.number("code", 16)),
		Len: uint32(r.number("len", 32)), ID: r.number("id", 64), Addr: uint32(r.number("addr", 32)),
		Seq: uint32(r.number("seq", 32)), User: r.number("user", 64),
	}
	r.end()
	if got != want {
		t.Errorf("ParseEvent: got %+v, want %+v", got, want)
	}
	v.encodes(t, abi.AppendEvent(nil, &want))
	v.cuts(t, func(b []byte) bool { _, ok := abi.ParseEvent(b); return ok })
}

func checkCommand(t *testing.T, v *vector) {
	r := v.reader(t)
	granted, memory := r.features("granted"), make([]byte, r.number("memory", 32))
	got, ok := abi.ParseCommand(v.bytes)
	if v.reason == "short" {
		v.refuses(t, ok, "short")
		return
	}
	want := abi.Command{
		Kind: word(r, "kind", abi.ParseCommandKind), Flags: uint8(r.number("flags", 8)), Code: uint16(r.number("code", 16)),
		Len: uint32(r.number("len", 32)), ID: r.number("id", 64), Addr: uint32(r.number("addr", 32)),
		Tag: uint32(r.number("tag", 32)), Arg: r.number("arg", 64),
	}
	r.end()
	if got != want {
		t.Errorf("ParseCommand: got %+v, want %+v", got, want)
	}
	v.encodes(t, abi.AppendCommand(nil, &want))
	v.cuts(t, func(b []byte) bool { _, ok := abi.ParseCommand(b); return ok })

	status := got.Check(granted)
	if payload, ok := got.Range(memory); !ok {
		status = abi.StatusBadRange
	} else if len(payload) != int(got.Len) {
		t.Errorf("Range: got %d bytes, want %d", len(payload), got.Len)
	}
	wantStatus, _ := abi.ParseStatus(v.reason)
	if status != wantStatus {
		t.Errorf("Check and Range: got %v, want %v", status, wantStatus)
	}
}

func checkControl(t *testing.T, v *vector) {
	r := v.reader(t)
	at, memory, offered := uint32(r.number("at", 32)), r.number("memory", 64), r.features("offered")
	got, err := abi.ParseControl(v.bytes)
	if v.reason == "short" || v.reason == "reserved" {
		v.refusedWith(t, err)
		return
	}
	span := func(name string) abi.Span {
		return abi.Span{Addr: uint32(r.number(name+"_addr", 32)), Cap: uint32(r.number(name+"_cap", 32))}
	}
	want := abi.Control{
		Magic: uint32(r.number("magic", 32)), Major: uint16(r.number("major", 16)), Minor: uint16(r.number("minor", 16)),
		Needs: r.features("needs"), Wants: r.features("wants"),
		Events: span("events"), Commands: span("commands"), Area: span("area"),
		Granted: r.features("granted"), Consumed: uint32(r.number("consumed", 32)), More: uint32(r.number("more", 32)),
		Now: int64(r.number("now", 63)), Mono: int64(r.number("mono", 63)), Seed: r.number("seed", 64), Turn: r.number("turn", 64),
	}
	r.end()
	if got != want || err != nil {
		t.Errorf("ParseControl: got %+v, %v, want %+v", got, err, want)
	}
	v.encodes(t, abi.AppendControl(nil, &want))
	v.cuts(t, func(b []byte) bool { _, err := abi.ParseControl(b); return err == nil })
	v.refusedWith(t, got.Check(at, memory, offered))
}

func checkFields(t *testing.T, v *vector) {
	got, err := abi.ParseFields(v.bytes)
	v.refusedWith(t, err)
	if v.reason != "" {
		return
	}
	r := v.reader(t)
	again, i := abi.AppendFields(nil), 0
	for name, value := range got.All() {
		if n := r.bytes("name"); !bytes.Equal(name, n) {
			t.Errorf("pair %d: got name %q, want %q", i, name, n)
		}
		if w := r.bytes("value"); !bytes.Equal(value, w) {
			t.Errorf("pair %d: got value %q, want %q", i, value, w)
		}
		again = abi.AppendField(again, 0, string(name), string(value))
		i++
	}
	r.end()
	if got.Len() != i {
		t.Errorf("Len: got %d, want %d", got.Len(), i)
	}
	v.encodes(t, again)
	v.cuts(t, func(b []byte) bool { _, err := abi.ParseFields(b); return err == nil })
}

func checkTopic(t *testing.T, v *vector) {
	r := v.reader(t)
	code := uint16(r.number("code", 16))
	name, data, err := abi.ParseTopic(code, v.bytes)
	v.refusedWith(t, err)
	if v.reason != "" {
		return
	}
	wantName, wantData := r.bytes("name"), r.bytes("data")
	r.end()
	if !bytes.Equal(name, wantName) || !bytes.Equal(data, wantData) {
		t.Errorf("ParseTopic: got %q, %q, want %q, %q", name, data, wantName, wantData)
	}
	v.encodes(t, abi.AppendTopic(nil, string(wantName), wantData))
	for n := range len(v.bytes) {
		if _, _, err := abi.ParseTopic(code, v.bytes[:n]); (err == nil) != (n >= int(code)) {
			t.Errorf("cut to %d bytes: got error %v", n, err)
		}
	}
}

func checkIDs(t *testing.T, v *vector) {
	got, err := abi.ParseIDs(v.bytes)
	v.refusedWith(t, err)
	if v.reason != "" {
		return
	}
	r := v.reader(t)
	var want []uint64
	for range got.Len() {
		want = append(want, r.number("id", 64))
	}
	r.end()
	if all := slices.Collect(got.All()); !slices.Equal(all, want) {
		t.Errorf("All: got %x, want %x", all, want)
	}
	v.encodes(t, abi.AppendIDs(nil, want...))
	for n := range len(v.bytes) {
		if _, err := abi.ParseIDs(v.bytes[:n]); (err == nil) != (n%8 == 0) {
			t.Errorf("cut to %d bytes: got error %v", n, err)
		}
	}
}

// refuses compares a parser's ok with what v expects, and reports whether the
// vector is good and there is more to compare.
func (v *vector) refuses(t *testing.T, ok bool, reason string) bool {
	t.Helper()
	if v.reason != "" && v.reason != reason {
		t.Fatalf("expect: refused %s: unknown reason", v.reason)
	}
	if ok != (v.reason == "") {
		t.Errorf("got ok %v, want refused %q", ok, v.reason)
	}
	return ok && v.reason == ""
}

// refusedWith compares an error with what v expects.
func (v *vector) refusedWith(t *testing.T, err error) {
	t.Helper()
	want, ok := map[string]error{
		"":      nil,
		"short": abi.ErrShort, "reserved": abi.ErrReserved, "magic": abi.ErrMagic, "major": abi.ErrMajor,
		"needs": abi.ErrNeeds, "capacity": abi.ErrCapacity, "alignment": abi.ErrAlignment, "span": abi.ErrSpan,
		"overlap": abi.ErrOverlap, "fields": abi.ErrFields, "topic": abi.ErrTopic, "ids": abi.ErrIDs,
	}[v.reason]
	if !ok {
		t.Fatalf("expect: refused %s: unknown reason", v.reason)
	}
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func (v *vector) encodes(t *testing.T, got []byte) {
	t.Helper()
	if !bytes.Equal(got, v.bytes) {
		t.Errorf("encoded back: got\n% x, want\n% x", got, v.bytes)
	}
}

// cuts tries every shorter beginning of a good vector.
func (v *vector) cuts(t *testing.T, parse func([]byte) bool) {
	t.Helper()
	for n := range len(v.bytes) {
		if parse(slices.Clip(v.bytes[:n])) {
			t.Errorf("cut to %d bytes: not refused", n)
		}
	}
}

// vectors reads all files. The same reading, in any language, is all an SDK
// needs to use them.
func vectors(t testing.TB) []*vector {
	t.Helper()
	paths, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata/vectors: no files: %v", err)
	}
	var all []*vector
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := parseVector(string(text))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		v.name = strings.TrimSuffix(filepath.Base(path), ".txt")
		all = append(all, v)
	}
	return all
}

func parseVector(text string) (*vector, error) {
	v := &vector{}
	head, body, _ := strings.Cut(text, "\n\n")
	for line := range strings.Lines(head) {
		line = uncomment(line)
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			return nil, fmt.Errorf("line %q: not key: value", line)
		}
		v.keys = append(v.keys, pair{key, value})
	}
	if len(v.keys) < 2 || v.keys[0].key != "record" || v.keys[1].key != "expect" {
		return nil, errors.New("does not begin with record and expect")
	}
	v.record = v.keys[0].value
	expect, reason, refused := strings.Cut(v.keys[1].value, " ")
	if refused && expect != "refused" || !refused && expect != "ok" {
		return nil, fmt.Errorf("expect: %q: neither ok nor refused and a reason", v.keys[1].value)
	}
	v.reason, v.keys = reason, v.keys[2:]
	var err error
	v.bytes, err = parseHex(body)
	return v, err
}

// parseHex reads lines of hexadecimal pairs with comments.
func parseHex(text string) ([]byte, error) {
	var all strings.Builder
	for line := range strings.Lines(text) {
		all.WriteString(uncomment(line))
	}
	return hex.DecodeString(strings.ReplaceAll(all.String(), " ", ""))
}

func uncomment(line string) string {
	line, _, _ = strings.Cut(line, "#")
	return strings.TrimRight(line, " \n")
}

// A keyReader takes the keys of a vector in order.
type keyReader struct {
	t    *testing.T
	left []pair
}

func (v *vector) reader(t *testing.T) *keyReader { return &keyReader{t, v.keys} }

func (r *keyReader) next(key string) string {
	r.t.Helper()
	if len(r.left) == 0 || r.left[0].key != key {
		r.t.Fatalf("key %q is not the next of %v", key, r.left)
	}
	value := r.left[0].value
	r.left = r.left[1:]
	return value
}

func (r *keyReader) end() {
	r.t.Helper()
	if len(r.left) != 0 {
		r.t.Fatalf("keys left over: %v", r.left)
	}
}

func (r *keyReader) number(key string, bits int) uint64 {
	r.t.Helper()
	n, err := strconv.ParseUint(r.next(key), 0, bits)
	if err != nil {
		r.t.Fatalf("%s: %v", key, err)
	}
	return n
}

func (r *keyReader) bytes(key string) []byte {
	r.t.Helper()
	value := r.next(key)
	if value == "-" {
		return nil
	}
	b, err := parseHex(value)
	if err != nil {
		r.t.Fatalf("%s: %v", key, err)
	}
	return b
}

func (r *keyReader) features(key string) abi.Feature {
	r.t.Helper()
	value := r.next(key)
	f, ok := abi.ParseFeature(value)
	if !ok {
		r.t.Fatalf("%s: %q: no features", key, value)
	}
	return f
}

// word takes a name, or a number where there is none.
func word[K ~uint8](r *keyReader, key string, parse func(string) (K, bool)) K {
	r.t.Helper()
	value := r.next(key)
	if k, ok := parse(value); ok {
		return k
	}
	n, err := strconv.ParseUint(value, 10, 8)
	if err != nil {
		r.t.Fatalf("%s: %q: no name and no number", key, value)
	}
	return K(n)
}

// The README shows a vector as it is.
func TestVectorsReadme(t *testing.T) {
	readme, err := os.ReadFile("testdata/vectors/README.md")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("testdata/vectors/event-recv-text.txt")
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for line := range strings.Lines(string(file)) {
		if line != "\n" {
			shown.WriteString("    ")
		}
		shown.WriteString(line)
	}
	if !strings.Contains(string(readme), shown.String()) {
		t.Error("README.md: the example is not event-recv-text.txt")
	}
}
