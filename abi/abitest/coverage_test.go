package abitest_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/abi/abitest"
)

// mistakes names a case or more for each row of section 15 of ABI.md.
var mistakes = map[string][]string{
	"module does not parse, is too large or too costly to compile": {
		"load/refused: not_wasm", "load/refused: cut_in_half"},
	"an import that is not a function of `ImportWASI`": {
		"load/refused: import_env", "load/refused: import_wasi_unknown", "load/refused: memory_imported"},
	"a required export is missing or has another type": {
		"load/refused: no_memory", "load/refused: no_init", "load/refused: no_turn",
		"load/refused: init_signature", "load/refused: turn_signature", "load/refused: turn_is_a_memory"},
	"exports of another major version only": {"load/refused: version_2"},
	"traps or takes too long in `_initialize` or init; init returns 0": {
		"load/refused: start_traps", "load/refused: initialize_traps", "load/refused: initialize_loops",
		"load/refused: init_traps", "load/refused: init_loops", "load/refused: control_block_none"},
	"control block fails a check of section 6": {
		"load/refused: control_block_magic", "load/refused: control_block_major_2", "load/refused: control_block_reserved",
		"load/refused: control_block_past_the_end", "load/refused: control_block_events_few",
		"load/refused: control_block_area_unaligned", "load/refused: control_block_rings_overlap"},
	"`needs` what the host does not offer": {
		"load/refused: control_block_needs_call", "load/refused: control_block_needs_reserved"},
	"traps or takes too long in the start turn": {
		"load/refused: start_event_traps", "load/refused: start_event_loops", "load/refused: start_event_stuck"},
	"traps in a later call: unreachable, out of bounds, stack overflow, `proc_exit`": {
		"mistake/unreachable", "mistake/load outside memory", "mistake/endless recursion", "load/wasi"},
	"takes longer than a call may": {"mistake/endless loop"},
	"result above `commands cap`":  {"mistake/one command more than the ring holds", "mistake/2^32-1 commands"},
	"`consumed` below `first` or above n": {
		"mistake/consumed beyond the events", "mistake/consumed before the call's first event"},
	"no progress, or more calls than a turn may have": {
		"mistake/no progress with more", "mistake/no progress with events left", "mistake/calls without end"},
	"changes its header of the control block, or a reserved field": {
		"mistake/control block: magic", "mistake/control block: area", "mistake/control block: reserved word"},
	"writes into the event ring or the receive area": {
		"lifecycle/what the guest writes over the host's words is its own loss"},
	"writes into `granted` or the turn's header": {
		"lifecycle/what the guest writes over the host's words is its own loss"},
	"unknown command kind, kind 0, feature not granted": {
		"send/refused: kind 0", "send/refused: kind 20", "feature/commands of features not in force are refused",
		"lifecycle/guest without features"},
	"reserved field or bit not zero":                {"send/refused: code", "send/refused: arg"},
	"payload or piece outside memory":               {"send/refused: payload past the end", "send/a brigade with a bad piece is refused whole"},
	"session id that is stale, foreign or invented": {"send/ids that name no session", "mistake/unreachable"},
	"piece without a command before it":             {"call/a brigade does not go on in the next call"},
	"decision about a connect that is itself refused": {
		"connect/accept that is refused does not let the peer in", "connect/refuse that is refused does not let the peer in",
		"connect/hold with anything but an id"},
	"a command's own rules broken":    {"send/sequence of fragments", "close/refused: code 1005", "http/refused"},
	"nothing decided about a connect": {"connect/no decision is acceptance"},
	"request never answered":          {"http/never answered", "http/begun and never completed"},
	"memory grown beyond the quota":   {"lifecycle/memory growth above the quota fails, the guest goes on"},
}

// Every row of the table of mistakes in ABI.md has a case.
func TestEveryMistakeHasACase(t *testing.T) {
	text, err := os.ReadFile("../ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "| guest mistake | what happens |\n|---|---|\n")
	if !ok {
		t.Fatal("ABI.md has no table of guest mistakes")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	rows := map[string]bool{}
	for line := range strings.Lines(table) {
		row := strings.TrimSpace(strings.Split(line, "|")[1])
		if rows[row] = true; len(mistakes[row]) == 0 {
			t.Errorf("ABI.md: mistake %q has no case", row)
		}
	}
	cases := abitest.Cases()
	for row, names := range mistakes {
		if !rows[row] {
			t.Errorf("mistake %q is not in ABI.md", row)
		}
		for _, name := range names {
			if !slices.Contains(cases, name) {
				t.Errorf("mistake %q: there is no case %q", row, name)
			}
		}
	}
}

// Names of cases are used once, so that -run finds one.
func TestCaseNames(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range abitest.Cases() {
		if seen[name] {
			t.Errorf("case %q is there twice", name)
		}
		seen[name] = true
	}
}

// Every bad control block is refused by package abi, with the words that a host
// must say.
func TestBadControlBlocks(t *testing.T) {
	n := 0
	for _, bad := range abitest.BadModules() {
		if !strings.HasPrefix(bad.Name, "control_block_") {
			continue
		}
		n++
		at := bytes.Index(bad.Module, []byte("\x00\x00\x00\x00YIMO")) + 4
		if at == 3 { // the magic number is what is wrong
			continue
		}
		addr := binary.LittleEndian.Uint32(bad.Module[at-8:])
		c, err := abi.ParseControl(bad.Module[at:])
		if err == nil {
			err = c.Check(addr, abitest.MemoryEnd, ^abi.FeatureCall&0x1ff)
		}
		switch {
		case addr == 0: // refuses to run
		case uint64(addr)+abi.ControlSize > abitest.MemoryEnd: // abi.ErrShort before anything can be checked
		case err == nil:
			t.Errorf("%s: Check finds nothing wrong", bad.Name)
		default:
			for _, word := range bad.Says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%s: Check: %v: want it to say %q", bad.Name, err, word)
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("%d bad control blocks, want more", n)
	}
}
