package main

import (
	"strconv"
	"strings"
)

// keyLines finds the line on which each key of a TOML document first stands;
// tables and their parents count as keys. Paths are joined with dots, without
// quotes. The decoder knows these lines and keeps them to itself.
//
// The document must have been accepted by the decoder; of another the result
// is unspecified but there is one.
func keyLines(doc string) map[string]int {
	for _, bom := range []string{"\xff\xfe", "\xfe\xff", "\ufeff"} {
		if rest, ok := strings.CutPrefix(doc, bom); ok { // as the decoder does
			doc = rest
			break
		}
	}
	s := keyScanner{rest: doc, line: 1, lines: map[string]int{}}
	var table []string
	for s.space(); s.rest != ""; s.space() {
		if s.rest[0] == '[' {
			s.skipAny("[ \t")
			table = s.key(nil)
			s.skipAny("] \t")
			continue
		}
		s.pair(table)
	}
	return s.lines
}

// keyScanner reads a document from the front. Every method takes at least what
// its name says and never fails: the document is known to be good.
type keyScanner struct {
	rest  string
	line  int
	lines map[string]int
}

// next drops n bytes and counts the lines in them.
func (s *keyScanner) next(n int) string {
	n = min(n, len(s.rest))
	taken := s.rest[:n]
	s.line += strings.Count(taken, "\n")
	s.rest = s.rest[n:]
	return taken
}

func (s *keyScanner) skipAny(set string) {
	s.next(len(s.rest) - len(strings.TrimLeft(s.rest, set)))
}

// until drops everything before the first byte of set.
func (s *keyScanner) until(set string) string {
	if i := strings.IndexAny(s.rest, set); i >= 0 {
		return s.next(i)
	}
	return s.next(len(s.rest))
}

// space drops blanks, line ends and comments.
func (s *keyScanner) space() {
	for s.skipAny(" \t\r\n"); strings.HasPrefix(s.rest, "#"); s.skipAny(" \t\r\n") {
		s.until("\n")
	}
}

// pair reads one "key = value" below table.
func (s *keyScanner) pair(table []string) {
	key := s.key(table)
	s.skipAny(" \t")
	s.next(1) // '=', or whatever keeps a bad document from advancing
	s.value(key)
}

// key reads a dotted key below table and notes it and its parents.
func (s *keyScanner) key(table []string) []string {
	path := table[:len(table):len(table)]
	for {
		s.skipAny(" \t")
		path = append(path, s.part())
		if name := strings.Join(path, "."); s.lines[name] == 0 {
			s.lines[name] = s.line
		}
		s.skipAny(" \t")
		if !strings.HasPrefix(s.rest, ".") {
			return path
		}
		s.next(1)
	}
}

func (s *keyScanner) part() string {
	if s.rest != "" && (s.rest[0] == '"' || s.rest[0] == '\'') {
		return s.quoted()
	}
	return strings.TrimSpace(s.until(".=] \t\r\n"))
}

// value drops a value, noting the keys of tables in it as below path.
func (s *keyScanner) value(path []string) {
	s.skipAny(" \t")
	if s.rest == "" {
		return
	}
	switch s.rest[0] {
	case '"', '\'':
		s.quoted()
	case '[':
		s.list("]", func() { s.value(path) })
	case '{':
		s.list("}", func() { s.pair(path) })
	default:
		s.until(",]}#\n")
	}
}

// list drops a bracketed list of elements up to and with its end.
func (s *keyScanner) list(end string, element func()) {
	s.next(1)
	for s.space(); s.rest != ""; s.space() {
		switch {
		case strings.HasPrefix(s.rest, end):
			s.next(1)
			return
		case s.rest[0] == ',':
			s.next(1)
		default:
			before := len(s.rest)
			if element(); len(s.rest) == before {
				s.next(1)
			}
		}
	}
}

// quoted reads a string of any of the four forms and returns what it means.
func (s *keyScanner) quoted() string {
	quote := s.rest[:1]
	if long := strings.Repeat(quote, 3); strings.HasPrefix(s.rest, long) {
		quote = long
	}
	s.next(len(quote))
	before := s.rest
	for s.rest != "" && !strings.HasPrefix(s.rest, quote) {
		if s.rest[0] == '\\' && quote[0] == '"' {
			s.next(1)
		}
		s.next(1)
	}
	text := before[:len(before)-len(s.rest)]
	s.next(len(quote))
	for range 2 { // up to two quotes may stand before the closing three
		if len(quote) == 3 && strings.HasPrefix(s.rest, quote[:1]) {
			s.next(1)
		}
	}
	if plain, err := strconv.Unquote(`"` + text + `"`); err == nil && quote[0] == '"' {
		return plain
	}
	return text
}
