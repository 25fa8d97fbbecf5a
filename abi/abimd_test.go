package abi_test

import (
	"bytes"
	"fmt"
	"go/constant"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

// These tests hold ABI.md, which is normative, and this package equal: prose
// and code that are kept in step by hand drift apart.

// A mdTable is a table of ABI.md: the heading above it, its head and its rows,
// without back quotes.
type mdTable struct {
	heading string
	head    []string
	rows    [][]string
	line    int // of the head
}

func abiMD(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tables takes ABI.md apart.
func tables(t *testing.T) []mdTable {
	t.Helper()
	var all []mdTable
	heading, inside := "", false
	for i, line := range strings.Split(abiMD(t), "\n") {
		if strings.HasPrefix(line, "#") {
			heading = strings.ReplaceAll(strings.TrimLeft(line, "# "), "`", "")
		}
		if !strings.HasPrefix(line, "|") {
			inside = false
			continue
		}
		var cells []string
		for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.ReplaceAll(strings.TrimSpace(cell), "`", ""))
		}
		switch {
		case !inside:
			all = append(all, mdTable{heading: heading, head: cells, line: i + 1})
		case !strings.HasPrefix(line, "|--"):
			last := &all[len(all)-1]
			last.rows = append(last.rows, cells)
		}
		inside = true
	}
	return all
}

// Every exported constant is in a Name/Value table of ABI.md with its value,
// once, and every row of these tables is a constant.
func TestABIConstants(t *testing.T) {
	rows := map[string]constant.Value{}
	for _, table := range tables(t) {
		if table.head[0] != "Name" || table.head[1] != "Value" {
			continue
		}
		for _, row := range table.rows {
			name := row[0]
			if _, twice := rows[name]; twice {
				t.Errorf("ABI.md: %s: row %s: there is another one", table.heading, name)
			}
			rows[name] = literal(row[1])
			if rows[name].Kind() == constant.Unknown {
				t.Errorf("ABI.md: %s: row %s: %s is neither a number nor text", table.heading, name, row[1])
			}
		}
	}
	for _, c := range constants(t) {
		value, ok := rows[c.name]
		delete(rows, c.name)
		switch {
		case !ok:
			t.Errorf("ABI.md: no row %s, which is %v in consts.go", c.name, c.value)
		case value.Kind() != c.value.Kind() || !constant.Compare(value, token.EQL, c.value):
			t.Errorf("ABI.md: row %s: got %v, want %v as in consts.go", c.name, value, c.value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		t.Errorf("ABI.md: row %s: no such constant in consts.go", name)
	}
}

// literal reads a value as Go does: 10, 0x0a, "text".
func literal(s string) constant.Value {
	kind := token.INT
	if strings.HasPrefix(s, `"`) {
		kind = token.STRING
	}
	return constant.MakeFromLiteral(s, kind, 0)
}

// Names of constants in the prose of ABI.md are constants.
func TestABINamesExist(t *testing.T) {
	known, prefixes := map[string]bool{}, map[string]bool{}
	first := regexp.MustCompile(`^[A-Z][a-z]+`)
	for _, c := range constants(t) {
		known[c.name] = true
		if prefix := first.FindString(c.name); prefix != c.name {
			prefixes[prefix] = true
		}
	}
	for _, m := range regexp.MustCompile("`([A-Z]\\w+)`").FindAllStringSubmatch(abiMD(t), -1) {
		name := m[1]
		if prefixes[first.FindString(name)] && !known[name] {
			t.Errorf("ABI.md: names %s, which is not in consts.go", name)
		}
	}
}

// The offsets in ABI.md, in the doc comments and in the constants are those of
// the encoding: each field is set alone, and the bytes that change are its own.
func TestABILayouts(t *testing.T) {
	const all = 1<<64 - 1
	control := map[string]func(*abi.Control){
		"magic":         func(c *abi.Control) { c.Magic = all >> 32 },
		"major":         func(c *abi.Control) { c.Major = all >> 48 },
		"minor":         func(c *abi.Control) { c.Minor = all >> 48 },
		"needs":         func(c *abi.Control) { c.Needs = all >> 32 },
		"wants":         func(c *abi.Control) { c.Wants = all >> 32 },
		"events addr":   func(c *abi.Control) { c.Events.Addr = all >> 32 },
		"events cap":    func(c *abi.Control) { c.Events.Cap = all >> 32 },
		"commands addr": func(c *abi.Control) { c.Commands.Addr = all >> 32 },
		"commands cap":  func(c *abi.Control) { c.Commands.Cap = all >> 32 },
		"area addr":     func(c *abi.Control) { c.Area.Addr = all >> 32 },
		"area cap":      func(c *abi.Control) { c.Area.Cap = all >> 32 },
		"granted":       func(c *abi.Control) { c.Granted = all >> 32 },
		"consumed":      func(c *abi.Control) { c.Consumed = all >> 32 },
		"more":          func(c *abi.Control) { c.More = all >> 32 },
		"now":           func(c *abi.Control) { c.Now = -1 },
		"mono":          func(c *abi.Control) { c.Mono = -1 },
		"seed":          func(c *abi.Control) { c.Seed = all },
		"turn":          func(c *abi.Control) { c.Turn = all },
	}
	event := map[string]func(*abi.Event){
		"kind":  func(e *abi.Event) { e.Kind = all >> 56 },
		"flags": func(e *abi.Event) { e.Flags = all >> 56 },
		"code":  func(e *abi.Event) { e.Code = all >> 48 },
		"len":   func(e *abi.Event) { e.Len = all >> 32 },
		"id":    func(e *abi.Event) { e.ID = all },
		"addr":  func(e *abi.Event) { e.Addr = all >> 32 },
		"seq":   func(e *abi.Event) { e.Seq = all >> 32 },
		"user":  func(e *abi.Event) { e.User = all },
	}
	command := map[string]func(*abi.Command){
		"kind":  func(c *abi.Command) { c.Kind = all >> 56 },
		"flags": func(c *abi.Command) { c.Flags = all >> 56 },
		"code":  func(c *abi.Command) { c.Code = all >> 48 },
		"len":   func(c *abi.Command) { c.Len = all >> 32 },
		"id":    func(c *abi.Command) { c.ID = all },
		"addr":  func(c *abi.Command) { c.Addr = all >> 32 },
		"tag":   func(c *abi.Command) { c.Tag = all >> 32 },
		"arg":   func(c *abi.Command) { c.Arg = all },
	}
	layouts := []struct {
		heading, file, typ, prefix string
		size                       int
		extents                    map[string]extent
	}{
		{"6 Control block", "control.go", "Control", "Offset", abi.ControlSize, extents(t, control, abi.AppendControl)},
		{"Event record", "record.go", "Event", "RecordOffset", abi.RecordSize, extents(t, event, abi.AppendEvent)},
		{"Command record", "record.go", "Command", "RecordOffset", abi.RecordSize, extents(t, command, abi.AppendCommand)},
	}
	offsets := map[string]int64{}
	for _, c := range constants(t) {
		if c.value.Kind() == constant.Int {
			offsets[c.name], _ = constant.Int64Val(c.value)
		}
	}
	for _, l := range layouts {
		for where, rows := range map[string]map[string]extent{
			"ABI.md: " + l.heading: markdownLayout(t, l.heading, l.size),
			l.file + ": " + l.typ:  commentLayout(t, l.file, l.typ, l.size),
		} {
			for name, got := range rows {
				if want, ok := l.extents[name]; !ok || got != want {
					t.Errorf("%s: row %s: got %v, want %v", where, name, got, want)
				}
			}
			for name := range l.extents {
				if _, ok := rows[name]; !ok {
					t.Errorf("%s: no row %s", where, name)
				}
			}
		}
		for name, e := range l.extents {
			constName := l.prefix + camel(name)
			if offset, ok := offsets[constName]; !ok || offset != int64(e.offset) {
				t.Errorf("consts.go: %s: got %d, want %d", constName, offset, e.offset)
			}
		}
	}
}

// An extent is where a field lies, in bytes.
type extent struct{ offset, size int }

// extents sets each field alone and looks which bytes change.
func extents[T any](t *testing.T, fields map[string]func(*T), encode func([]byte, *T) []byte) map[string]extent {
	t.Helper()
	blank := encode(nil, new(T))
	found := map[string]extent{}
	for name, set := range fields {
		var v T
		set(&v)
		got := encode(nil, &v)
		changed := func(i int) bool { return got[i] != blank[i] }
		var e extent
		for i := range got {
			if changed(i) {
				if e.size == 0 {
					e.offset = i
				}
				e.size = i + 1 - e.offset
			}
		}
		for i := range e.size {
			if !changed(e.offset + i) {
				t.Errorf("field %s: its bytes do not lie together", name)
			}
		}
		found[name] = e
	}
	return found
}

// markdownLayout reads the offset table below a heading of ABI.md.
func markdownLayout(t *testing.T, heading string, size int) map[string]extent {
	t.Helper()
	for _, table := range tables(t) {
		if table.heading == heading && table.head[0] == "offset" {
			return layoutRows(t, "ABI.md: "+heading, table.rows, size)
		}
	}
	t.Fatalf("ABI.md: %s: no table of offsets", heading)
	return nil
}

// commentLayout reads the offset table in the doc comment of a type.
func commentLayout(t *testing.T, file, typ string, size int) map[string]extent {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(text), "\ntype "+typ+" struct")
	if !ok {
		t.Fatalf("%s: no type %s", file, typ)
	}
	comment := before[strings.LastIndex(before, "\n\n")+1:]
	row := regexp.MustCompile(`(?m)^//\t +(\d+) +(\d+)  ([a-z]+(?: [a-z]+)?)(?:  .*)?$`)
	var rows [][]string
	for _, m := range row.FindAllStringSubmatch(comment, -1) {
		rows = append(rows, m[1:])
	}
	return layoutRows(t, file+": "+typ, rows, size)
}

// layoutRows checks that rows follow each other without gap up to size, and
// leaves reserved ones out.
func layoutRows(t *testing.T, where string, rows [][]string, size int) map[string]extent {
	t.Helper()
	fields, end := map[string]extent{}, 0
	for _, row := range rows {
		offset, err1 := strconv.Atoi(row[0])
		length, err2 := strconv.Atoi(row[1])
		if err1 != nil || err2 != nil || offset != end {
			t.Errorf("%s: row %s: got offset %s and size %s, want offset %d", where, row[2], row[0], row[1], end)
		}
		end = offset + length
		if row[2] != "reserved" {
			fields[row[2]] = extent{offset, length}
		}
	}
	if end != size {
		t.Errorf("%s: rows end at %d, want %d", where, end, size)
	}
	return fields
}

// camel turns "events addr" into EventsAddr, and "id" into ID.
func camel(name string) string {
	if name == "id" {
		return "ID"
	}
	var out strings.Builder
	for word := range strings.SplitSeq(name, " ") {
		out.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return out.String()
}

// An entry is what ABI.md says about one kind.
type entry struct {
	needs  abi.Feature
	fields map[string]bool // named in the table of fields
}

// entries reads the entries of events or commands; those that refer to another
// one for their fields have none.
func entries(t *testing.T, what string) map[string]entry {
	t.Helper()
	all := map[string]entry{}
	heading := regexp.MustCompile("(?m)^### `(\\w+)` " + what + "$")
	text := abiMD(t)
	for _, m := range heading.FindAllStringSubmatchIndex(text, -1) {
		body := text[m[1]:]
		if next := strings.Index(body, "\n#"); next >= 0 {
			body = body[:next]
		}
		e := entry{fields: map[string]bool{}}
		if need := regexp.MustCompile("\nNeeds `Feature(\\w+)`\\.").FindStringSubmatch(body); need != nil {
			e.needs, _ = abi.ParseFeature(snake(need[1]))
		}
		all[text[m[2]:m[3]]] = e
	}
	for _, table := range tables(t) {
		name, ok := strings.CutSuffix(table.heading, " "+what)
		e, known := all[name]
		if !ok || !known || table.head[0] != "field" {
			continue
		}
		for _, row := range table.rows {
			for field := range strings.SplitSeq(row[0], ", ") {
				e.fields[field] = true
			}
		}
	}
	return all
}

// Every kind has its entry.
func TestABIEntries(t *testing.T) {
	events, commands := entries(t, "event"), entries(t, "command")
	for _, c := range constants(t) {
		name, all := "", map[string]entry(nil)
		switch c.typ {
		case "EventKind":
			name, all = snake(strings.TrimPrefix(c.name, "Event")), events
		case "CommandKind":
			name, all = snake(strings.TrimPrefix(c.name, "Command")), commands
		default:
			continue
		}
		if _, ok := all[name]; !ok {
			t.Errorf("ABI.md: no entry for %s", c.name)
		}
		delete(all, name)
	}
	for name := range events {
		t.Errorf("ABI.md: entry `%s` event: no such kind", name)
	}
	for name := range commands {
		t.Errorf("ABI.md: entry `%s` command: no such kind", name)
	}
}

// What an entry says about features and zero fields is what Check does: the
// good vectors are changed in one field each.
func TestABIEntriesAgainstCheck(t *testing.T) {
	const all = abi.Feature(1<<32 - 1)
	commands := entries(t, "command")
	commands["unsubscribe"] = commands["subscribe"] // its entry says so
	for _, v := range vectors(t) {
		if v.record != "command" || v.reason != "" {
			continue
		}
		c, _ := abi.ParseCommand(v.bytes)
		e := commands[c.Kind.String()]
		if got := c.Check(e.needs); got != 0 {
			t.Errorf("%s: granted %v: got %v, want no status", v.name, e.needs, got)
		}
		if got := c.Check(all &^ e.needs); e.needs != 0 && got != abi.StatusNotGranted {
			t.Errorf("%s: granted all but %v: got %v, want %v", v.name, e.needs, got, abi.StatusNotGranted)
		}
		for name, set := range map[string]func(*abi.Command){
			"flags":   func(c *abi.Command) { c.Flags = 0x40 },
			"code":    func(c *abi.Command) { c.Code = 1 },
			"id":      func(c *abi.Command) { c.ID = 1 },
			"arg":     func(c *abi.Command) { c.Arg = 1 },
			"payload": func(c *abi.Command) { c.Len = 1 },
		} {
			changed := c
			set(&changed)
			named := e.fields[name] || name == "payload" && e.fields["len"]
			got := changed.Check(all)
			if !named && got != abi.StatusReserved {
				t.Errorf("%s: %s is not named in ABI.md: got %v, want %v", v.name, name, got, abi.StatusReserved)
			}
			if named && name != "flags" && got == abi.StatusReserved {
				t.Errorf("%s: %s is named in ABI.md: got %v", v.name, name, got)
			}
		}
		changed := c
		changed.Tag = 77
		if got := changed.Check(all); got != 0 {
			t.Errorf("%s: tag: got %v, want no status", v.name, got)
		}
	}
}

// The table of features names every kind whose entry needs one.
func TestABIFeatures(t *testing.T) {
	rows := map[string]string{}
	for _, table := range tables(t) {
		for _, row := range table.rows {
			if name, ok := strings.CutPrefix(row[0], "Feature"); ok && len(row) == 3 {
				rows[snake(name)] = row[2]
			}
		}
	}
	named := regexp.MustCompile(`\w+`)
	for _, what := range []string{"event", "command"} {
		for name, e := range entries(t, what) {
			if e.needs == 0 || e.needs == abi.FeatureCall {
				continue
			}
			if !slices.Contains(named.FindAllString(rows[e.needs.String()], -1), name) {
				t.Errorf("ABI.md: row %v of the features: does not name the %s %s", e.needs, what, name)
			}
		}
	}
}

// The byte examples of ABI.md are vectors.
func TestABIExamples(t *testing.T) {
	known := map[string]*vector{}
	for _, v := range vectors(t) {
		known[v.name] = v
	}
	blocks := regexp.MustCompile("(?s)\n```hex (\\S+)\n(.*?)\n```\n").FindAllStringSubmatch(abiMD(t), -1)
	if len(blocks) == 0 {
		t.Error("ABI.md: no byte examples")
	}
	for _, b := range blocks {
		got, err := parseHex(b[2])
		if v := known[b[1]]; v == nil || err != nil || !bytes.Equal(got, v.bytes) {
			t.Errorf("ABI.md: example %s: differs from the vector, or there is none: %v", b[1], err)
		}
	}
}

// The banner names the version.
func TestABIVersion(t *testing.T) {
	want := fmt.Sprintf("| Version | %d.%d |", abi.Major, abi.Minor)
	if !strings.Contains(abiMD(t), want) {
		t.Errorf("ABI.md: no row %s", want)
	}
}
