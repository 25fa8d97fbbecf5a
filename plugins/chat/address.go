package main

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yimmo-host/yimmo-host/plugins/internal/page"
)

// lobby is the room of an address that names none.
const lobby = "lobby"

const noRoom = "no such room: a name has 1 to 64 letters, digits, '-' and '_'\n"

// roomOf returns the room that a path leads to, whatever the plugin's route is.
func roomOf(path string) (name string, ok bool) {
	name = page.Last(path)
	if name == "" {
		name = lobby
	}
	for i := range len(name) {
		c := name[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return "", false
		}
	}
	return name, len(name) <= 64
}

// parameter returns the first value of that name in a query, UTF-8 whatever the
// query is. It knows what is needed here; net/url would add 600 KB.
func parameter(query, name string) (value string, ok bool) {
	for part := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(part, "=")
		if unescape(key) == name {
			return unescape(value), true
		}
	}
	return "", false
}

// unescape undoes a form's encoding. A percent sign that begins no code stays.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(s):
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c = byte(n)
				i += 2
			}
		}
		b = append(b, c)
	}
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}
