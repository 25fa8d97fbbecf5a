package guest

import (
	"errors"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A Request is an HTTP request: the handshake of a session, or a plain one. It
// is valid until the callback that got it returns; the strings its methods
// return are the plugin's to keep.
type Request struct {
	id      uint64
	fields  abi.Fields
	body    []byte
	resumed bool
}

// ID identifies the request: that of the session, or of the answer to come.
func (r *Request) ID() uint64 { return r.id }

// Method is the request's method: "GET" for a handshake.
func (r *Request) Method() string { return r.Header(abi.FieldMethod) }

// Scheme is "http" or "https".
func (r *Request) Scheme() string { return r.Header(abi.FieldScheme) }

// Host is the Host header.
func (r *Request) Host() string { return r.Header(abi.FieldAuthority) }

// Path is the path as it stands on the request line, without the query.
func (r *Request) Path() string {
	path, _, _ := strings.Cut(r.Header(abi.FieldPath), "?")
	return path
}

// Query is what follows the question mark, not decoded.
func (r *Request) Query() string {
	_, query, _ := strings.Cut(r.Header(abi.FieldPath), "?")
	return query
}

// Remote is the peer's "address:port".
func (r *Request) Remote() string { return r.Header(abi.FieldRemote) }

// TLSName is the server name the peer asked for by TLS, or empty.
func (r *Request) TLSName() string { return r.Header(abi.FieldTLSName) }

// Protocols are the subprotocols the peer offers, in its order of preference.
func (r *Request) Protocols() []string {
	var list []string
	for name, value := range r.fields.All {
		if string(name) == abi.FieldProtocol {
			list = append(list, string(value))
		}
	}
	return list
}

// Header returns the first header of that name, whatever its case, or "".
func (r *Request) Header(name string) string {
	for n, v := range r.fields.All {
		if len(n) == len(name) && strings.EqualFold(string(n), name) {
			return string(v)
		}
	}
	return ""
}

// Headers yields all headers in order, names in lower case.
func (r *Request) Headers() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for n, v := range r.fields.All {
			if len(n) > 0 && n[0] != ':' && !yield(string(n), string(v)) {
				return
			}
		}
	}
}

// Body is the whole body of a plain request, valid until the callback returns.
func (r *Request) Body() []byte { return r.body }

// A Field is a header: name and value.
type Field struct{ Name, Value string }

// A Config is the plugin's table of the host's configuration and what the host
// says about itself. Keys of nested tables are joined by dots ("limits.users"),
// list elements have their index ("rooms.0"). It is the plugin's to keep.
type Config struct{ fields abi.Fields }

// Lookup returns the value of a key as text.
func (c Config) Lookup(key string) (value string, ok bool) {
	v, ok := c.fields.Get(key)
	return string(v), ok
}

// String returns the value of a key, or def if it is not set.
func (c Config) String(key, def string) string {
	if v, ok := c.Lookup(key); ok {
		return v
	}
	return def
}

// Int returns the value of a key, or def if it is not set.
func (c Config) Int(key string, def int) (int, error) {
	return value(c, key, def, "whole number", strconv.Atoi)
}

// Bool returns the value of a key, or def if it is not set.
func (c Config) Bool(key string, def bool) (bool, error) {
	return value(c, key, def, "true or false", strconv.ParseBool)
}

// Duration returns the value of a key, such as "1m30s", or def if it is not set.
func (c Config) Duration(key string, def time.Duration) (time.Duration, error) {
	return value(c, key, def, "duration", time.ParseDuration)
}

func value[T any](c Config, key string, def T, what string, parse func(string) (T, error)) (T, error) {
	text, ok := c.Lookup(key)
	if !ok {
		return def, nil
	}
	v, err := parse(text)
	if err != nil {
		return def, errors.New("configuration: " + key + ": " + strconv.Quote(text) + " is no " + what)
	}
	return v, nil
}

// All yields the plugin's keys in the host's order.
func (c Config) All() iter.Seq2[string, string] { return (&Request{fields: c.fields}).Headers() }

// Plugin is the plugin's name in the configuration.
func (c Config) Plugin() string { return c.String(abi.FieldPlugin, "") }

// Version is the SHA-256 of the plugin's module, in hexadecimal.
func (c Config) Version() string { return c.String(abi.FieldVersion, "") }

// Host is the host's name and version.
func (c Config) Host() string { return c.String(abi.FieldHost, "") }

// Lane is this instance's number among Lanes, from 0.
func (c Config) Lane() int { return c.number(abi.FieldLane) }

// Lanes is how many instances the plugin has; each has its own sessions.
func (c Config) Lanes() int { return c.number(abi.FieldLanes) }

// MaxMessage is the largest message from a peer, in bytes.
func (c Config) MaxMessage() int { return c.number(abi.FieldMaxMessage) }

// Port is the TCP port the host listens on.
func (c Config) Port() int { return c.number(abi.FieldPort) }

func (c Config) number(key string) int {
	n, _ := strconv.Atoi(c.String(key, ""))
	return n
}
