package trace_test

import (
	"bytes"
	"encoding/hex"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

func formatMD(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tables are the rows of all tables of FORMAT.md by their head, without back quotes.
func tables(t *testing.T) (all [][][]string) {
	t.Helper()
	inside := false
	for line := range strings.Lines(formatMD(t)) {
		if !strings.HasPrefix(line, "|") {
			inside = false
			continue
		}
		if strings.HasPrefix(line, "|--") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			cells = append(cells, strings.ReplaceAll(strings.TrimSpace(cell), "`", ""))
		}
		if !inside {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], cells)
		inside = true
	}
	return all
}

// Every exported constant of the format is in a Name/Value table, with its value.
func TestFormatConstants(t *testing.T) {
	rows := map[string]string{}
	for _, table := range tables(t) {
		if table[0][0] == "Name" {
			for _, row := range table[1:] {
				rows[row[0]] = row[1]
			}
		}
	}
	for name, value := range constants(t) {
		if got := rows[name]; got != value {
			t.Errorf("FORMAT.md: %s: got %q, want %s as in the package", name, got, value)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("FORMAT.md: %s: no such constant in the package", name)
	}
}

// constants are the exported ones of format.go and state.go.
func constants(t *testing.T) map[string]string {
	t.Helper()
	fset, all := token.NewFileSet(), map[string]string{}
	for _, name := range []string{"format.go", "state.go"} {
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		config := types.Config{Importer: importer.Default(), Error: func(error) {}}
		p, _ := config.Check("trace", fset, []*ast.File{f}, nil)
		for _, name := range p.Scope().Names() {
			c, ok := p.Scope().Lookup(name).(*types.Const)
			if !ok || !c.Exported() {
				continue
			}
			if c.Val().Kind() == constant.String {
				all[name] = strconv.Quote(constant.StringVal(c.Val()))
			} else {
				all[name] = c.Val().ExactString()
			}
		}
	}
	return all
}

// The rows of a layout follow each other without a gap, and end where the size of
// the record says.
func TestFormatLayouts(t *testing.T) {
	sizes := map[string]int{
		"magic": trace.PreambleSize, "size": trace.PrefixSize, "KindHeader": trace.HeaderSize, "KindCall": trace.CallSize,
		"KindCheckpoint": trace.CheckpointSize, "KindMemory": trace.MemorySize, "KindSave or KindLoad": trace.MarkSize,
		"KindGap": trace.GapSize, "KindEnd": trace.EndSize, "below": 4,
	}
	for _, table := range tables(t) {
		if table[0][0] != "offset" {
			continue
		}
		name, end := table[1][2], 0
		if name == "kind" {
			name = table[1][3]
		}
		for _, row := range table[1:] {
			if row[0] == "" {
				continue // behind something that varies
			}
			if offset, err := strconv.Atoi(row[0]); err != nil || offset != end {
				t.Errorf("FORMAT.md: %s: row %s: got offset %s, want %d", name, row[2], row[0], end)
			}
			size, _ := strconv.Atoi(row[1])
			end += size
		}
		if want, ok := sizes[name]; !ok || end != want {
			t.Errorf("FORMAT.md: %s: ends at %d, want %d", name, end, want)
		}
		delete(sizes, name)
	}
	for name := range sizes {
		t.Errorf("FORMAT.md: no layout of %s", name)
	}
}

// example is what FORMAT.md shows.
func example() []byte {
	const session = 0x0000000100000007
	c := trace.Call{
		Turn: guest.Header{Now: 1767225600_000000000, Mono: 5_000_000, Seed: 42, Turn: 2},
		N:    1, Written: true, Consumed: 1, Count: 1, Memory: 1 << 17, Full: true,
		Events: abi.AppendEvent(nil, &abi.Event{Kind: abi.EventRecv, Flags: 0x81, Len: 2, ID: session, Addr: 0x1000, Seq: 1}), Payloads: []byte("hi"),
		Commands: abi.AppendCommand(nil, &abi.Command{Kind: abi.CommandSend, Flags: 0x81, Len: 2, ID: session, Addr: 0x1000}), Data: []byte("hi"),
	}
	c.Digest = trace.Digest(c.Commands, c.Data, c.Memory)
	b := trace.AppendHeader(trace.AppendPreamble(nil), &trace.Header{
		Plugin: "echo", Host: "yimmo-host", Time: time.Unix(1767225600, 0), Digest: strings.Repeat("ab", 32), ABI: 1,
		Rings: 16, Area: 65536, Memory: 1 << 24, Boot: guest.Header{Now: 1767225600_000000000, Mono: 1, Seed: 7},
		EventsCap: 16, CommandsCap: 16, AreaAt: abi.Span{Addr: 0x1000, Cap: 65536},
	})
	b = trace.AppendCall(b, &c)
	return trace.AppendEnd(b, &trace.End{Reason: trace.EndClosed, Calls: 1})
}

// The bytes that FORMAT.md shows are those that the package writes.
func TestFormatExample(t *testing.T) {
	m := regexp.MustCompile("(?s)\n```hex\n(.*?)\n```\n").FindStringSubmatch(formatMD(t))
	if m == nil {
		t.Fatal("FORMAT.md has no example")
	}
	digits := regexp.MustCompile(`(?m)#.*$|\s`).ReplaceAllString(m[1], "")
	got, err := hex.DecodeString(digits)
	if err != nil || !bytes.Equal(got, example()) {
		t.Errorf("FORMAT.md: example: %v: differs from what the package writes:\n%s", err, hex.Dump(example()))
	}
}
