package guesttest

import (
	"maps"
	"slices"
	"strings"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A Request is what a peer asks for: a session, or a plain answer. Its zero
// value is a GET of "/".
type Request struct {
	Method    string // default "GET"
	Path      string // with the query; default "/"
	Host      string // default "test.example"
	Remote    string // default "192.0.2.1:50000"
	Headers   []guest.Field
	Protocols []string // a handshake's
	Body      []byte   // a plain request's
	Pieces    int      // how many bytes of Body come at once; default: as many as fit
}

func (r Request) fields(method string) []byte {
	p := abi.AppendFields(nil)
	for _, f := range [...]struct{ name, value, def string }{
		{abi.FieldMethod, method, "GET"},
		{abi.FieldScheme, "http", ""},
		{abi.FieldAuthority, r.Host, "test.example"},
		{abi.FieldPath, r.Path, "/"},
		{abi.FieldRemote, r.Remote, "192.0.2.1:50000"},
	} {
		if f.value == "" {
			f.value = f.def
		}
		p = abi.AppendField(p, 0, f.name, f.value)
	}
	return p
}

func (r Request) headers(p []byte) []byte {
	for _, f := range r.Headers {
		p = abi.AppendField(p, 0, lower(f.Name), f.Value)
	}
	return p
}

func (r Request) handshake() []byte {
	p := r.fields("GET")
	for _, protocol := range r.Protocols {
		p = abi.AppendField(p, 0, abi.FieldProtocol, protocol)
	}
	return r.headers(p)
}

func (r Request) plain() []byte { return r.headers(r.fields(r.Method)) }

// startFields describes a host with one lane, but for what config says of it.
func startFields(config map[string]string) []byte {
	p := abi.AppendFields(nil)
	for _, f := range [...]guest.Field{
		{Name: abi.FieldPlugin, Value: "test"},
		{Name: abi.FieldVersion, Value: "0000000000000000000000000000000000000000000000000000000000000000"},
		{Name: abi.FieldLane, Value: "0"}, {Name: abi.FieldLanes, Value: "1"},
		{Name: abi.FieldMaxMessage, Value: "1048576"},
		{Name: abi.FieldHost, Value: "guesttest"}, {Name: abi.FieldPort, Value: "8081"},
	} {
		if value, ok := config[f.Name]; ok {
			f.Value = value
		}
		p = abi.AppendField(p, 0, f.Name, f.Value)
	}
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if !strings.HasPrefix(key, ":") {
			p = abi.AppendField(p, 0, key, config[key])
		}
	}
	return p
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// A Response is the plugin's answer to a plain request, as far as it is.
type Response struct {
	Status  int // 0 until there is one
	Headers []guest.Field
	Body    string
	Done    bool // complete

	g  *Guest
	id uint64
}

// HTTP makes a plain request. A plugin that is no HTTPHandler is not asked: the
// host answers 200 "OK".
func (g *Guest) HTTP(r Request) *Response {
	g.t.Helper()
	resp := g.request(r, len(r.Body) == 0)
	area, _ := g.m.Area()
	piece := min(or(r.Pieces, len(area)), len(area))
	for p := range slices.Chunk(r.Body, piece) {
		if g.requests[resp.id] == nil {
			break // answered already
		}
		end := uint8(0)
		if r.Body = r.Body[len(p):]; len(r.Body) == 0 {
			end = abi.FlagEnd
		}
		g.event(abi.Event{Kind: abi.EventHTTPBody, Flags: end, ID: resp.id}, slices.Clone(p), nil)
	}
	return resp
}

// HTTPHead makes a plain request whose body never comes.
func (g *Guest) HTTPHead(r Request) *Response {
	g.t.Helper()
	return g.request(r, false)
}

func (g *Guest) request(r Request, whole bool) *Response {
	g.t.Helper()
	resp := &Response{g: g, id: g.id() | 1<<63}
	if g.Features()&guest.FeatureHTTP == 0 {
		resp.Status, resp.Body, resp.Done = 200, "OK", true
		return resp
	}
	g.requests[resp.id] = resp
	end := uint8(0)
	if whole {
		end = abi.FlagEnd
	}
	g.event(abi.Event{Kind: abi.EventHTTPRequest, Flags: end, ID: resp.id}, r.plain(), nil)
	return resp
}

// Leave lets the client go before the answer is complete.
func (r *Response) Leave() {
	r.g.t.Helper()
	if r.Done {
		r.g.t.Fatal("guesttest: Leave after the answer was complete")
	}
	delete(r.g.requests, r.id)
	r.g.event(abi.Event{Kind: abi.EventHTTPGone, ID: r.id}, nil, nil)
}

// Header returns the value of the first header of that lower-case name.
func (r *Response) Header(name string) string {
	for _, f := range r.Headers {
		if lower(f.Name) == name {
			return f.Value
		}
	}
	return ""
}
