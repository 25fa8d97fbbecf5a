package c_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

func TestEchoProgram(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "echo"), options{})
	d.wantLogs(`info "sample starts with 1 argument(s)"`)
	d.connect(1)
	d.turn()
	d.want(`send 1 81 "Hello!"`)
	d.text(1, "hi")
	d.recv(1, 0x82, "\x00\xff")
	d.text(1, "")
	d.turn()
	d.want(`send 1 81 "hi"`, `send 1 82 "\x00\xff"`, `send 1 81 ""`)
	d.recv(1, 0x01, "fra")
	d.recv(1, 0x00, "gm")
	d.recv(1, 0x80, "")
	d.close(1, 1000)
	d.request(1, "GET", "/", "")
	d.turn()
	d.want(`send 1 01 "fra"`, `send 1 00 "gm"`, `send 1 80 ""`, `head 1 200 end content-type=text/plain "OK"`)
	d.logs = d.logs[1:] // has a pointer
	d.wantLogs(`info 1 "received \"hi\""`, `info 1 "received nothing"`, `info 1 "received \"fra\""`,
		`info 1 "received nothing"`, `info 1 "gone"`)
	d.stop()
	d.want()
	d.wantLogs(`info "the loop is over"`)
}

func TestFeaturesWanted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		want abi.Feature
	}{
		{"echo", abi.FeatureHTTP | abi.FeatureTimers},
		{"buffered", abi.FeatureHTTP | abi.FeatureTimers | abi.FeatureMessages},
		{"twoways", abi.FeatureHTTP | abi.FeatureTimers}, // one protocol of each mode
	} {
		if got := load(t, program(t, tt.name), options{features: allFeatures}).i.Features(); got != tt.want {
			t.Errorf("%s: features %v, want %v", tt.name, got, tt.want)
		}
	}
}

// main goes on after ev_run when the host stops the plugin, with what its
// variables were and what the globals have become.
func TestMainGoesOn(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "totals"), options{})
	d.connect(1)
	d.connect(2)
	d.recv(1, 0x01, "a")
	d.recv(1, 0x80, "b")
	d.text(2, "c")
	d.close(1, 1000)
	d.turn()
	d.want(`send 1 01 "a"`, `send 1 80 "b"`, `send 2 81 "c"`)
	d.wantLogs()
	d.stop()
	d.want(`close 2 1001`)
	d.wantLogs(`warn "signal 15, events 0x400"`, `warn "connects 2, disconnects 1"`, `warn "frames 3, messages 2"`)
}

// ev_run may be called anywhere below main; main's own variables stay good.
func TestNestedLoop(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "nested"), options{})
	d.wantLogs()
	for id := range uint64(3) {
		d.connect(id + 1)
		d.text(id+1, "x")
		d.turn()
	}
	d.want(`send 1 81 "served by sample"`, `send 2 81 "served by sample"`, `send 3 81 "served by sample"`)
	d.stop()
	d.wantLogs(`info "run returns after 3 frames"`, `info "main ends, served by sample"`, `info "at exit"`)
	slices.Sort(d.said)
	d.want(`close 1 1001`, `close 2 1001`, `close 3 1001`)
}

// A handler is called wherever the linker puts it: the first function whose address
// is taken has the address 1, which is SIG_IGN elsewhere.
func TestFirstFunctionHandlesSignals(t *testing.T) {
	t.Parallel()
	d := begin(t, linked(t, "libyimmo.c", source(t, `
		#include <ev.h>
		#include <signal.h>
		#include <ymo_http.h>
		#include <ymo_log.h>
		static volatile sig_atomic_t stop;
		static void on_term(int sig) { stop = sig; }
		int main(void)
		{
			ymo_log_info("handler at %lu", (unsigned long)(uintptr_t)on_term);
			signal(SIGTERM, on_term);
			ymo_server_start(ymo_http_simple_init(EV_DEFAULT, 8081, NULL, NULL, NULL), EV_DEFAULT);
			while (!stop)
				ev_run(EV_DEFAULT, EVRUN_ONCE);
			ymo_log_info("stopped by %d", (int)stop);
			return 0;
		}
	`)), options{})
	d.wantLogs(`info "handler at 1"`)
	d.stop()
	d.wantLogs(`info "stopped by 15"`)
}

// A main that leaves with exit serves like any other; only the end is a trap.
func TestExit(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "exits"), options{})
	d.connect(1)
	d.text(1, "x")
	d.turn()
	d.want(`send 1 81 "x"`)
	d.event(abi.Event{Kind: abi.EventStop}, nil)
	d.try()
	if d.err == nil || !strings.Contains(d.err.Error(), "yimmo_program_called_exit") {
		t.Errorf("stop: got error %v, want a trap that names exit", d.err)
	}
}

// Much memory, in main's frame and on the heap, is the same on both sides of ev_run.
func TestBigMain(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "big"), options{})
	d.connect(1)
	bytes := 0
	for i := range 2500 {
		text := string(make([]byte, i%300))
		d.text(1, text)
		d.turn()
		d.said = nil
		_ = bytes
	}
	d.stop()
	d.wantLogs(`info "frame intact, last table in place, 2500 notes of 0 bytes, 2500 counted"`)
}

// A main that ends with exit where its configuration is not to its liking runs where it
// is: main never runs without its configuration.
func TestMainDemandsItsConfiguration(t *testing.T) {
	t.Parallel()
	m := linked(t, "libyimmo.c", source(t, `
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <ev.h>
		#include <ymo_http.h>
		#include <ymo_ws.h>
		static const char* greeting;
		static ymo_status_t greet(ymo_ws_session_t* s)
		{
			return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_REF(greeting, strlen(greeting)));
		}
		static ymo_status_t ignore(ymo_ws_session_t* s, void* u, uint8_t f, const char* p, size_t n)
		{
			(void)s; (void)u; (void)f; (void)p; (void)n;
			return YMO_OKAY;
		}
		int main(void)
		{
			greeting = getenv("GREETING");
			if (!greeting) {
				fprintf(stderr, "set GREETING\n");
				exit(EXIT_FAILURE);
			}
			ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_BUFFERED, greet, ignore, NULL);
			ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
			ymo_server_start(ymo_http_simple_init(EV_DEFAULT, 8081, NULL, handlers, NULL), EV_DEFAULT);
			ev_run(EV_DEFAULT, 0);
			return 0;
		}
	`))
	d := begin(t, m, options{features: allFeatures}, "greeting", "hey")
	d.connect(1)
	d.turn()
	d.want(`send 1 81 "hey"`)
	if got := d.i.Features(); got&abi.FeatureMessages == 0 {
		t.Errorf("features %v, want messages among them", got)
	}
	d = load(t, m, options{})
	d.event(abi.Event{Kind: abi.EventStart}, fields())
	d.try()
	if d.err == nil || !strings.Contains(d.err.Error(), "yimmo_program_called_exit") {
		t.Errorf("start without it: got %v, want a trap that names exit", d.err)
	}
}

func TestMainGivesUp(t *testing.T) {
	t.Parallel()
	d := load(t, program(t, "gives_up"), options{})
	d.event(abi.Event{Kind: abi.EventStart}, fields())
	d.try()
	if d.err == nil {
		t.Error("start: the plugin runs although main returned")
	}
	d.wantLogs(`error "cannot go on: Address already in use"`,
		`error "main returned before it ran the event loop: the plugin does not start"`)
}

func TestPort(t *testing.T) {
	t.Parallel()
	tests := []struct {
		port string
		want []string
	}{
		{"8081", nil},
		{"80", []string{`info "the program asks for port 8081, the host listens on 80"`}},
	}
	for _, tt := range tests {
		d := load(t, program(t, "buffered"), options{})
		d.event(abi.Event{Kind: abi.EventStart}, fields(":port", tt.port))
		d.turn()
		d.wantLogs(tt.want...)
	}
}

func TestChatProgram(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "chat"), options{}, "room_title", "the den")
	d.logs = nil // the port
	d.connect(1)
	d.connect(2)
	d.turn()
	d.want(`send 1 81 "Welcome to the den, guest-1!"`, `send 2 81 "Welcome to the den, guest-2!"`,
		`send 1 81 "*: guest-2"`)
	d.text(1, "/nick ann!")
	d.text(1, "hello")
	d.text(2, "/who")
	d.recv(2, 0x82, "x")
	d.text(2, "not heard any more")
	d.request(1, "GET", "/", "")
	d.turn()
	d.want(`send 1 81 "ann"`, `send 2 81 "ann: hello"`, `send 2 81 "guest-2 ann"`, `close 2 1008`,
		`head 1 200 end "2 joined the den"`)
	d.wantLogs(`warn 2 "receive callback returned 22 (Invalid argument): session closed with 1008"`)
	d.close(2, 1008)
	d.turn()
	d.want(`send 1 81 "-: guest-2"`)
	d.stop()
	d.wantLogs(`info "the den closes, 2 joined"`)
	d.want(`close 1 1001`)
}

func TestHTTPProgram(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, path, body string
		headers                  []string
		want                     string
	}{
		{name: "headers", path: "/headers", headers: []string{"accept", "a", "accept", "b", "cookie", "x=y"},
			want: `head 1 200 end "host=example.org\naccept=a,b\ncookie=x=y\n"`},
		{name: "response headers", path: "/agent", headers: []string{"user-agent", "test/1"},
			want: `head 1 204 end X-Agent=test/1 x-list=a,b set-cookie=a=1 set-cookie=b=2 ""`},
		{name: "no body", path: "/body", want: `head 1 200 end "received nothing"`},
		{name: "body", method: "POST", path: "/body", body: "abc", want: `head 1 200 end "received 3 of 3: abc"`},
		{name: "query", path: "/base64?yimmo", want: `head 1 200 end "eWltbW8="`},
		{name: "empty query", path: "/base64?", want: `head 1 200 end ""`},
		{name: "fragment", path: "/base64?ab#c", want: `head 1 200 end "YWI="`},
		{name: "server data", path: "/data", want: `head 1 200 end "the server's data"`},
		{name: "not found", path: "/nowhere", want: `head 1 404 end ""`},
		{name: "error", path: "/error", want: `head 1 500 end ""`},
		{name: "error with a status of its own", path: "/error?13", want: `head 1 403 end ""`},
		{name: "error that is a status", path: "/error?451", want: `head 1 451 end ""`},
		{name: "status", path: "/status?418", want: `head 1 418 end ""`},
		{name: "status that is none", path: "/status?99", want: `head 1 500 end ""`},
	}
	m := program(t, "http")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := begin(t, m, options{})
			d.request(1, tt.method, tt.path, tt.body, tt.headers...)
			d.turn()
			d.want(tt.want)
		})
	}
}

// What a request costs grows with its headers, not with their square: thousands of
// short ones fit where the host takes 16 KiB.
func TestHTTPManyHeaders(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "http"), options{units: 30_000_000})
	var headers []string
	for i := range 2700 {
		headers = append(headers, fmt.Sprintf("h%04d", i), "")
	}
	d.request(1, "GET", "/status?418", "", headers...)
	d.turn()
	d.want(`head 1 418 end ""`)
}

func TestHTTPLarge(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "http"), options{})
	body := make([]byte, 300_000)
	for i := range body {
		body[i] = 'a' + byte(i%26)
	}
	d.request(1, "PUT", "/body", string(body))
	d.turn()
	if len(d.said) != 1 || len(d.said[0]) < 300_000 {
		t.Errorf("answer to a large body: %d lines", len(d.said))
	}
}

func TestHTTPLater(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "http"), options{})
	d.request(1, "GET", "/later?0", "")
	d.request(2, "GET", "/later?2", "")
	d.request(3, "GET", "/later?1", "")
	d.turn()
	d.want()
	d.gone(3)
	d.turn()
	d.advance(100e6)
	d.want(`head 1 200 end x-later=yes ""`, `head 2 200 x-later=yes "part "`, `body 2 "part "`, `body 2 end ""`)
	d.stop()
	d.logs = d.logs[len(d.logs)-1:]
	d.wantLogs(`info "stops after 3 requests"`)
}

// streaming takes bodies as they come, answers as the path says, and has no cleanup
// callback.
const streaming = `
	#include <stdlib.h>
	#include <string.h>
	#include <ev.h>
	#include <ymo_http.h>
	static ymo_status_t head(ymo_http_session_t* s, ymo_http_request_t* q, ymo_http_response_t* r, void* u)
	{
		(void)s; (void)q; (void)r; (void)u;
		return YMO_OKAY;
	}
	static ymo_status_t body(ymo_http_session_t* s, ymo_http_request_t* q, ymo_http_response_t* r, const char* p, size_t n, void* u)
	{
		(void)s; (void)q; (void)r; (void)p; (void)n; (void)u;
		return YMO_OKAY;
	}
	static ymo_status_t done(ymo_http_session_t* s, ymo_http_request_t* q, ymo_http_response_t* r, void* u)
	{
		(void)s; (void)u;
		char* value = calloc(1, 70000);
		memset(value, 'x', strcmp(q->uri, "/large") ? 10 : 69999);
		ymo_http_response_insert_header(r, "x-value", value);
		free(value);
		ymo_http_response_body_append(r, YMO_BUCKET_FROM_REF("done", 4));
		if (!strcmp(q->uri, "/later"))
			return EAGAIN;
		ymo_http_response_finish(r);
		return YMO_OKAY;
	}
	int main(void)
	{
		ymo_server_config_t config = { .loop = EV_DEFAULT, .port = 8081 };
		ymo_server_t* s = ymo_server_create(&config, ymo_proto_http_create(NULL, done, head, body, NULL, NULL));
		if (ymo_server_init(s) || ymo_server_start(s, EV_DEFAULT))
			return 1;
		ev_run(EV_DEFAULT, 0);
		return 0;
	}
`

// Clients that go away in the middle of their request leave nothing behind.
func TestHTTPGoneEarly(t *testing.T) {
	t.Parallel()
	d := begin(t, linked(t, "libyimmo.c", source(t, streaming)), options{})
	leave := func(times uint64) int {
		for id := range times {
			d.event(abi.Event{Kind: abi.EventHTTPRequest, ID: id + 1 | requestBit}, fields(":method", "PUT", ":path", "/"))
			d.event(abi.Event{Kind: abi.EventHTTPBody, ID: id + 1 | requestBit}, []byte("some"))
			d.gone(id + 1)
			d.turn()
		}
		return len(d.i.Memory())
	}
	if few, many := leave(100), leave(2000); many > few {
		t.Errorf("memory: %d bytes after 100 requests, %d after 2000 more", few, many)
	}
	d.want()
}

// An answer that cannot be given is one of 500, not one that never comes.
func TestHTTPAnswerTooLarge(t *testing.T) {
	t.Parallel()
	m := linked(t, "libyimmo.c", source(t, streaming))
	d := begin(t, m, options{})
	d.request(1, "GET", "/large", "")
	d.turn()
	d.want(`head 1 500 end ""`)
	d.wantLogs(`error 1 "an answer is lost: its headers are larger than 64 KiB"`)
	for _, path := range []string{"/", "/later"} {
		d = begin(t, m, options{})
		d.request(1, "GET", path, "")
		d.turn()
		refused := slices.Clone(d.i.Commands()[:abi.RecordSize]) // the head
		d.said = nil
		d.event(abi.Event{Kind: abi.EventRefused, Code: uint16(abi.StatusTooLarge), ID: 1 | requestBit}, refused)
		d.turn()
		d.want(`head 1 500 end ""`)
		d.wantLogs(`error 1 "an answer is lost: it is larger than what the host lets wait for a peer"`)
		d.event(abi.Event{Kind: abi.EventRefused, Code: uint16(abi.StatusUnknownRequest), ID: 1 | requestBit}, refused)
		d.turn()
		d.want()
	}
}

func TestHTTPSessions(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "stream"), options{})
	d.request(1, "POST", "/", string(make([]byte, 2500)))
	d.turn()
	d.want(`head 1 202 end "2500 bytes in 3 parts"`)
	d.request(2, "POST", "/", "no!")
	d.request(3, "POST", "/", "anything", "x-stop", "1")
	d.turn()
	d.want(`head 2 400 end ""`, `head 3 417 end ""`)
	d.request(4, "GET", "/", "")
	d.turn()
	d.want(`head 4 202 end "0 bytes in 0 parts"`)
	d.logs = nil
	d.stop()
	d.wantLogs(`info "4 sessions were cleaned up"`)
}

// Buffered mode gives whole messages, with their length and the first opcode,
// whether the host puts them together or the library does.
func TestBufferedProgram(t *testing.T) {
	t.Parallel()
	m := program(t, "buffered")
	d := begin(t, m, options{})
	d.connect(1)
	d.connect(2)
	d.recv(1, 0x81, "whole")
	d.recv(1, 0x81, "")
	d.recv(1, 0x01, "fra")
	d.recv(2, 0x02, "other ")
	d.recv(1, 0x00, "")
	d.recv(1, 0x00, "gmen")
	d.recv(2, 0x80, "session")
	d.recv(1, 0x80, "")
	d.recv(1, 0x02, "")
	d.recv(1, 0x80, "")
	d.turn()
	d.want(`send 1 82 "81 5 whole"`, `send 1 82 "81 0 "`, `send 2 82 "82 13 other session"`, `send 1 82 "81 7 fragmen"`,
		`send 1 82 "82 0 "`)
	for range 60 { // one by one, each at the limit
		d.recv(1, 0x82, string(make([]byte, 4096)))
	}
	d.turn()
	if len(d.said) != 60 {
		t.Errorf("60 messages: got %d answers", len(d.said))
	}
	d.said = nil
	d.recv(1, 0x82, string(make([]byte, 4097)))
	d.recv(2, 0x01, string(make([]byte, 4000)))
	d.recv(2, 0x80, string(make([]byte, 97)))
	d.text(2, "dropped")
	d.turn()
	d.want(`close 1 1009`, `close 2 1009`)

	d = begin(t, m, options{features: allFeatures})
	d.connect(1)
	d.recv(1, 0x81, "from the host")
	d.recv(1, 0x82, "")
	d.turn()
	d.want(`send 1 82 "81 13 from the host"`, `send 1 82 "82 0 "`)

	d = begin(t, program(t, "buffered", "-DYMO_WS_MSG_LEN_MAX=10"), options{})
	d.connect(1)
	d.recv(1, 0x81, "0123456789")
	d.recv(1, 0x81, "0123456789!")
	d.turn()
	d.want(`send 1 82 "81 10 0123456789"`, `close 1 1009`)
}

func TestCallbackStatuses(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "statuses"), options{})
	id := uint64(0)
	open := func() {
		id++
		d.connect(id)
	}
	open()
	for range 1 {
		d.text(id, "13")
		d.text(id, "0") // dropped: the session is closing
		open()
		d.text(id, "999")
		open()
		d.text(id, "4000")
		open()
		d.text(id, "1005") // may not be sent
	}
	d.turn()
	d.want(`close 1 1008`, `close 2 1011`, `close 3 4000`, `close 4 1011`)
	open()
	d.text(id, "c13")
	open()
	open()
	d.text(id, "c404")
	open()
	open()
	d.text(id, "g13")
	open()
	d.close(1, 1008)
	d.turn()
	d.want(`refuse 6 403`, `refuse 8 404`, `send 10 81 "hi"`, `close 10 1008`)
	d.wantLogs(
		`warn 1 "receive callback returned 13 (Permission denied): session closed with 1008"`,
		`warn 2 "receive callback returned 999 (Error 999): session closed with 1011"`,
		`warn 3 "receive callback returned 4000 (Error 4000): session closed with 4000"`,
		`warn 4 "receive callback returned 1005 (Error 1005): session closed with 1011"`,
		`warn 6 "connect callback returned 13 (Permission denied): handshake refused with 403"`,
		`info 6 "closed; sending now gives EPIPE"`,
		`warn 8 "connect callback returned 404 (Error 404): handshake refused with 404"`,
		`info 8 "closed; sending now gives EPIPE"`,
		`warn 10 "connect callback returned 13 (Permission denied): session closed with 1008"`,
		`info 1 "closed; sending now gives EPIPE"`)
}

// A server that stops closes the session that is just being connected as well.
func TestStopWhileConnecting(t *testing.T) {
	t.Parallel()
	d := begin(t, linked(t, "libyimmo.c", source(t, `
		#include <ev.h>
		#include <ymo_http.h>
		#include <ymo_ws.h>
		static ymo_server_t* server;
		static ymo_status_t stop(ymo_ws_session_t* s)
		{
			(void)s;
			return ymo_server_stop_graceful(server);
		}
		int main(void)
		{
			ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, stop, NULL, NULL);
			ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
			server = ymo_http_simple_init(EV_DEFAULT, 8081, NULL, handlers, NULL);
			ymo_server_start(server, EV_DEFAULT);
			ev_run(EV_DEFAULT, 0);
			return 0;
		}
	`)), options{})
	d.connect(1)
	d.connect(2)
	d.turn()
	d.want(`close 1 1001`, `refuse 2 503`)
}

func TestControlProgram(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "control"), options{})
	d.connect(1)
	d.connect(2)
	for _, s := range []string{"ping", "pong", "bad", "stack", "chain", "close"} {
		d.text(1, s)
	}
	d.text(2, "quit")
	d.text(2, "after")
	d.turn()
	d.want(`send 1 89 ""`, `send 1 8a "x"`, `send 1 81 "1 1 1 1"`, `send 1 81 "again"`, `send 1 81 "local"`,
		`send 1 82 "abc0123456789012345678901234567890123456789"`, `close 1 4001 "bye"`, `close 2 0`)
	d.wantLogs(`info 1 "chain of 43 bytes, b is in it, its tail the same"`, `info 1 "close: 0, then: 99"`)
}

// What the host would refuse later is refused at once, and a session that was not
// closed goes on.
func TestFramesThatMayNotBeSent(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "control"), options{})
	tests := []struct{ name, frame string }{
		{"reserved opcode", "\x83"},
		{"reserved bit", "\xc1x"},
		{"ping without end", "\x09"},
		{"long pong", "\x8a" + strings.Repeat("x", 126)},
		{"close with half a code", "\x88\x03"},
		{"close 0", "\x88\x00\x00"},
		{"close 1005", "\x88\x03\xed"},
		{"close 5000", "\x88\x13\x88"},
		{"long reason", "\x88\x03\xe8" + strings.Repeat("x", 124)},
		{"reason that is not UTF-8", "\x88\x03\xe8\xff"},
		{"reason cut short", "\x88\x03\xe8ab\xe2\x82"},
		{"overlong", "\x88\x03\xe8\xc0\xaf"},
		{"surrogate", "\x88\x03\xe8\xed\xa0\x80"},
		{"behind Unicode", "\x88\x03\xe8\xf4\x90\x80\x80"},
	}
	for i, tt := range tests {
		id := uint64(i + 1)
		d.connect(id)
		d.text(id, "frame "+tt.frame)
		d.turn()
		if want := fmt.Sprintf(`send %d 81 "Invalid argument"`, id); !slices.Equal(d.said, []string{want}) {
			t.Errorf("%s: got %q, want %s", tt.name, d.said, want)
		}
		d.said = nil
	}
	d.connect(100)
	d.text(100, "frame \x89"+strings.Repeat("x", 125))
	d.text(100, "frame \x88\x0f\xa0grüße €𝄞")
	d.turn()
	d.want(`send 100 89 "`+strings.Repeat("x", 125)+`"`, `send 100 81 "sent"`, `close 100 4000 "grüße €𝄞"`)
}

func TestLoggingProgram(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "logging"), options{}, "GREETING", "Grüezi")
	d.wantLogs(
		`error "fatal -1"`, `error "error a     b|c    |"`, `warn "warning 7 ff FF 0xff 10"`,
		`info "notice 00042 +42  42 007"`, `info "info -5000000000 18446744073709551615 123456 4 x %"`,
		`debug "main:22: debug (nil)"`, `debug "main:23: debug without arguments"`, `trace "main:24: trace -1 200"`,
		`info "message %s is not a format"`, `info "float 3.500000 2.67   -0.333 1.234568e+04 0.0001 1e+20"`,
		`info "star     42 abc 7   |"`, `info "level NOTICE"`,
		`debug "main:34 (00112233-4455-6677-8899-aabbccddeeff): with an id 1"`,
		`info "two"`, `info "lines, and a half"`, `warn "to stderr"`, `warn "perror: No such file or directory"`,
		`info "no endfputs"`, `info "!"`, `error "syslog 3"`, `info "time 2023-11-14 22:13:20"`, `info "Grüezi"`)
	d.request(1, "GET", "/", "")
	d.turn()
	d.want(`head 1 200 end content-type=text/plain "OK"`)
	d.stop()
	d.wantLogs(`info "the end"`)
}

// Numbers and the log level are found in the configuration the way getenv finds it.
func TestSettings(t *testing.T) {
	t.Parallel()
	d := begin(t, linked(t, "libyimmo.c", source(t, `
		#include <ev.h>
		#include <ymo_env.h>
		#include <ymo_http.h>
		#include <ymo_log.h>
		int main(void)
		{
			long n = -1, none = 7;
			double d = -1, half = 0.5;
			float f = -1, quarter = 0.25f;
			ymo_log_init();
			ymo_log_warning("not at this level");
			int a = ymo_env_as_long("LIMIT", &n, &none), b = ymo_env_as_double("RATIO", &d, &half), c = ymo_env_as_float("RATIO", &f, NULL);
			ymo_log_error("%d %ld, %d %g, %d %g", a, n, b, d, c, f);
			a = ymo_env_as_long("WORD", &n, &none), b = ymo_env_as_double("NONE", &d, &half), c = ymo_env_as_float("WORD", &f, &quarter);
			ymo_log_error("%d %ld, %d %g, %d %g", a, n, b, d, c, f);
			a = ymo_env_as_long("HUGE", &n, NULL), b = ymo_env_as_double("WORD", &d, NULL);
			ymo_log_error("%d %ld, %d %g", a == ERANGE, n, b == EINVAL, d);
			ymo_server_start(ymo_http_simple_init(EV_DEFAULT, 8081, NULL, NULL, NULL), EV_DEFAULT);
			ev_run(EV_DEFAULT, 0);
			return 0;
		}
	`)), options{}, "limit", "42", "RATIO", "1.5", "word", "4x", "huge", "99999999999", "yimmo_log_level", "error")
	d.wantLogs(`error "0 42, 0 1.5, 0 1.5"`, `error "0 7, 0 0.5, 0 0.25"`, `error "1 7, 1 0.5"`)
}

func TestTimersProgram(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "timers"), options{})
	d.wantLogs(`info "prepared"`)
	d.advance(6e9)
	d.wantLogs(`info "once, active 0, data here"`, `info "tick 1 at 1700000001.00, remaining 2.00, timer"`,
		`info "tick 2 at 1700000003.00, remaining 2.00, timer"`, `info "tick 3 at 1700000005.00, remaining 2.00, timer"`)
	d.connect(1)
	d.text(1, "wake")
	d.turn()
	d.want(`send 1 81 "wake"`)
	d.wantLogs(`info 1 "sent, pending 1"`, `info 1 "woken, 1"`)
	d.advance(3e9)
	d.text(1, "stay")
	d.turn()
	d.advance(4e9)
	d.want(`send 1 81 "stay"`)
	d.advance(2e9)
	d.want(`close 1 1001`)
	d.close(1, 1001)
	d.turn()
	d.advance(3600e9)
	d.wantLogs(`info "the hour 1700002800, next 1700006400"`)
	c := abi.Command{Kind: abi.CommandTimerSet, ID: 1}
	d.event(abi.Event{Kind: abi.EventRefused, Code: uint16(abi.StatusQuota), ID: c.ID}, abi.AppendCommand(nil, &c))
	d.turn()
	d.wantLogs(`error "the host has no more timers for this plugin: an ev_timer or ev_periodic will not be called"`)
	d.stop()
	d.wantLogs(`info "3 ticks"`, `info "cleaned up"`)

	d = begin(t, program(t, "timers"), options{features: abi.FeatureHTTP})
	d.wantLogs(`error "the host has no timers: ev_timer and ev_periodic watchers will not be called"`, `info "prepared"`)
}

func TestUpgradeProgram(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "upgrade"), options{})
	d.connectTo(1, "/ok?a=b", "x-token", "secret")
	d.text(1, "in")
	d.connectTo(2, "/ok")
	d.connectTo(3, "/moved")
	d.connectTo(4, "/plain")
	d.turn()
	d.want(`send 1 81 "in"`, `refuse 2 403`, `refuse 3 307 location=/elsewhere "go there"`, `refuse 4 426`)
	d.logs = d.logs[:1]
	d.wantLogs(`info 1 "websocket upgrade of /ok by example.org"`)
}

func TestIncludesProgram(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "includes"), options{}, "YIMMO_LOG_LEVEL", "TRACE")
	d.wantLogs(`info "libyimmo 0.2.4 interface, log level TRACE"`, `info "0 failures"`)
	d.stop()
	d.wantLogs(`info "stopped by 15, depth 0"`)
}

// Without a WebSocket handler nobody is let in.
func TestNoHandler(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "http"), options{})
	d.connect(1)
	d.turn()
	d.want(`refuse 1 501`)
}

// A session that another instance accepted is told to the program, but nobody is
// greeted twice.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "echo"), options{})
	d.event(abi.Event{Kind: abi.EventConnect, ID: 5, Flags: abi.FlagSynthesised}, fields(":path", "/"))
	d.text(5, "still here")
	d.turn()
	d.want(`send 5 81 "still here"`)

	d = begin(t, program(t, "buffered"), options{}) // in the middle of a message, of which it cannot make a whole one
	d.event(abi.Event{Kind: abi.EventConnect, ID: 5, Flags: abi.FlagSynthesised}, fields(":path", "/"))
	d.recv(5, 0x00, "of a message")
	d.recv(5, 0x80, "the end")
	d.recv(5, 0x81, "whole")
	d.turn()
	d.want(`send 5 82 "81 5 whole"`)
}

// How the program is compiled does not matter to main's second half.
func TestMainGoesOnHoweverCompiled(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"-O0", "-O3", "-O0 -mno-bulk-memory -Wl,--no-gc-sections"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(how)
			sdk, err := object("libyimmo.c", args...)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"nested", "totals", "big"} {
				m := compile(append([]string{"test/programs/" + name + ".c", sdk}, args...)...)
				if m.err != nil {
					t.Fatal(m.err)
				}
				d := begin(t, m, options{})
				d.connect(1)
				for range 50 {
					d.text(1, "x")
					d.turn()
				}
				if len(d.said) != 50 {
					t.Errorf("%s: %d answers to 50 messages", name, len(d.said))
				}
				d.logs = nil
				d.stop()
				want := map[string]string{
					"nested": `info "run returns after 50 frames"`,
					"totals": `warn "frames 50, messages 50"`,
					"big":    `info "frame intact, last table in place, 50 notes of 50 bytes, 50 counted"`,
				}[name]
				if !slices.Contains(d.logs, want) {
					t.Errorf("%s: log %q, want %s in it", name, d.logs, want)
				}
			}
		})
	}
}

// Where wasi-libc is installed, programs build with it as well; what differs is
// that main does not go on after ev_run.
func TestWithWASI(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/usr/include/wasm32-wasi"); err != nil {
		t.Log("not judged: wasi-libc is not installed (Debian: wasi-libc libclang-rt-14-dev-wasm32)")
		return
	}
	d := begin(t, withWASI(t, "chat"), options{}, "room_title", "the den")
	d.wantLogs(`info "the program asks for port 9000, the host listens on 8081"`)
	d.connect(1)
	d.connect(2)
	d.text(1, "/nick ann!")
	d.text(1, "hello")
	d.request(1, "GET", "/", "")
	d.close(2, 1000)
	d.turn()
	d.want(`send 1 81 "Welcome to the den, guest-1!"`, `send 2 81 "Welcome to the den, guest-2!"`, `send 1 81 "*: guest-2"`,
		`send 1 81 "ann"`, `send 2 81 "ann: hello"`, `head 1 200 end "2 joined the den"`, `send 1 81 "-: guest-2"`)
	d.stop()
	d.wantLogs()

	d = begin(t, withWASI(t, "totals"), options{})
	d.connect(1)
	d.text(1, "x")
	d.turn()
	d.want(`send 1 81 "x"`)
	d.stop()
	d.wantLogs(`warn "signal 15, events 0x400"`)
}
