package deflate

import "strings"

// An Offer is one element of the Sec-WebSocket-Extensions header: an extension
// with its parameters, as a client wants it (RFC 6455 section 9.1).
type Offer struct {
	Name   string
	Params []Param
}

// A Param is one parameter of an [Offer]. A quoted value has lost its quotes.
type Param struct {
	Name, Value string
	HasValue    bool // "name=value" rather than "name"
}

// ParseOffers reads all lines of the header, in order of preference. An element
// that breaks the grammar is left out, as is everything behind an opening quote
// that is never closed; empty elements mean nothing (RFC 9110 section 5.6.1).
func ParseOffers(header []string) []Offer {
	var offers []Offer
	for _, line := range header {
		for s := (scanner{line}); s.rest != ""; {
			if o, ok := s.offer(); ok {
				offers = append(offers, o)
			}
		}
	}
	return offers
}

// scanner reads a header line from its front.
type scanner struct{ rest string }

// offer reads one element and the comma behind it. After a mistake it goes on
// behind the next comma that is not within quotes.
func (s *scanner) offer() (o Offer, ok bool) {
	o.Name, ok = s.token()
	for ok && s.byte(';') {
		var p Param
		p, ok = s.param()
		o.Params = append(o.Params, p)
	}
	s.space()
	if s.rest == "" || s.byte(',') {
		return o, ok
	}
	s.skip()
	return Offer{}, false
}

func (s *scanner) param() (p Param, ok bool) {
	if p.Name, ok = s.token(); !ok || !s.byte('=') {
		return p, ok
	}
	p.HasValue = true
	s.space()
	if strings.HasPrefix(s.rest, `"`) {
		p.Value, ok = s.quoted()
		return p, ok && isToken(p.Value)
	}
	p.Value, ok = s.token()
	return p, ok
}

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t") }

// byte takes c, and the space before it, if it is next.
func (s *scanner) byte(c byte) bool {
	s.space()
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) token() (string, bool) {
	s.space()
	n := 0
	for n < len(s.rest) && isTokenByte(s.rest[n]) {
		n++
	}
	word := s.rest[:n]
	s.rest = s.rest[n:]
	return word, n > 0
}

// quoted reads a quoted string, RFC 9110 section 5.6.4. Without a closing quote
// it takes all there is.
func (s *scanner) quoted() (string, bool) {
	var value []byte
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return string(value), true
		case c == '\\' && i+1 < len(s.rest):
			i++
			value = append(value, s.rest[i])
		default:
			value = append(value, c)
		}
	}
	s.rest = ""
	return "", false
}

// skip goes behind the next comma that is not within quotes.
func (s *scanner) skip() {
	for s.rest != "" {
		switch s.rest[0] {
		case ',':
			s.rest = s.rest[1:]
			return
		case '"':
			s.quoted()
		default:
			s.rest = s.rest[1:]
		}
	}
}

func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// isTokenByte says what a token is made of, RFC 9110 section 5.6.2.
func isTokenByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' ||
		strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
