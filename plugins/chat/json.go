package main

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The JSON of this plugin is small enough to read and write by hand: one string
// comes in, flat objects go out. encoding/json would make the module half as
// large again, 3.5 MB instead of 2.5.

// pair reads an object of one string, such as {"text": "hello"}. Nothing else
// is one: no other number of members, no other type, nothing behind it. The
// input is UTF-8; half a surrogate pair becomes U+FFFD, as in encoding/json.
func pair(data []byte) (key, value string, ok bool) {
	r := reader{rest: data}
	ok = r.token('{') && r.string(&key) && r.token(':') && r.string(&value) && r.token('}') && r.end()
	return key, value, ok
}

// reader takes JSON off rest.
type reader struct{ rest []byte }

// end skips white space and tells whether nothing is left.
func (r *reader) end() bool {
	for len(r.rest) > 0 && strings.IndexByte(" \t\r\n", r.rest[0]) >= 0 {
		r.rest = r.rest[1:]
	}
	return len(r.rest) == 0
}

// token takes white space and then c.
func (r *reader) token(c byte) bool {
	if r.end() || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// string takes white space and then a string.
func (r *reader) string(s *string) bool {
	if !r.token('"') {
		return false
	}
	var b []byte
	for len(r.rest) > 0 {
		c := r.rest[0]
		r.rest = r.rest[1:]
		switch {
		case c == '"':
			*s = string(b)
			return true
		case c < ' ':
			return false
		case c != '\\':
			b = append(b, c)
		default:
			var ok bool
			if b, ok = r.escape(b); !ok {
				return false
			}
		}
	}
	return false
}

// escape takes what follows a backslash and appends what it stands for.
func (r *reader) escape(b []byte) ([]byte, bool) {
	const names, stands = `"\/bfnrtu`, "\"\\/\b\f\n\r\t"
	if len(r.rest) == 0 {
		return b, false
	}
	i := strings.IndexByte(names, r.rest[0])
	r.rest = r.rest[1:]
	switch {
	case i < 0:
		return b, false
	case i < len(stands):
		return append(b, stands[i]), true
	}
	c, ok := r.hex()
	if !ok {
		return b, false
	}
	if 0xd800 <= c && c < 0xdc00 && len(r.rest) > 1 && r.rest[0] == '\\' && r.rest[1] == 'u' {
		low := reader{rest: r.rest[2:]}
		if d, ok := low.hex(); ok && 0xdc00 <= d && d < 0xe000 {
			c, r.rest = 0x10000+(c-0xd800)<<10+(d-0xdc00), low.rest
		}
	}
	return utf8.AppendRune(b, c), true // which makes U+FFFD of a half
}

// hex takes four hexadecimal digits.
func (r *reader) hex() (rune, bool) {
	if len(r.rest) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.rest[:4]), 16, 16)
	r.rest = r.rest[4:]
	return rune(n), err == nil
}

// appendString appends s, which is UTF-8, as a JSON string.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// appendStrings appends a list of strings.
func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// event makes a message to the page: its type, and further members of strings,
// name and value by turns. A time of 0 is left out.
func event(kind string, time int64, members ...string) []byte {
	b := appendString([]byte(`{"type":`), kind)
	if time != 0 {
		b = strconv.AppendInt(append(b, `,"time":`...), time, 10)
	}
	for i := 0; i < len(members); i += 2 {
		b = appendString(append(b, ','), members[i])
		b = appendString(append(b, ':'), members[i+1])
	}
	return append(b, '}')
}
