package c_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

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
	d.text(id, "13")
	d.text(id, "0") // dropped: the session is closing
	open()
	d.text(id, "999")
	open()
	d.text(id, "4000")
	open()
	d.text(id, "1005") // may not be sent
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

// What the host did not do although the program believes it done, the log tells, each kind
// once a turn. That the peer had left before is nobody's mistake.
func TestRefusedCommands(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "echo"), options{})
	d.logs = nil
	const session, request = 5, 7
	refuse := func(kind abi.CommandKind, id uint64, why abi.Status) {
		c := abi.Command{Kind: kind, ID: id}
		d.event(abi.Event{Kind: abi.EventRefused, Code: uint16(why), ID: id}, abi.AppendCommand(nil, &c))
	}
	for _, gone := range []abi.Status{abi.StatusUnknownSession, abi.StatusClosing, abi.StatusUnknownRequest} {
		refuse(abi.CommandSend, session, gone)
		refuse(abi.CommandClose, session, gone)
		refuse(abi.CommandHTTPBody, request|requestBit, gone)
	}
	d.turn()
	d.wantLogs()
	refuse(abi.CommandSend, session, abi.StatusBadText)
	refuse(abi.CommandSend, session, abi.StatusBadSequence)
	refuse(abi.CommandClose, session, abi.StatusBadCode)
	refuse(abi.CommandRefuse, session, abi.StatusBadFields)
	refuse(abi.CommandHTTPBody, request|requestBit, abi.StatusTooLarge)
	d.turn()
	refuse(abi.CommandSend, session, abi.StatusBadSequence)
	d.turn()
	d.want()
	d.wantLogs(`warn 5 "a message is lost: text must be UTF-8, use YMO_WS_OP_BINARY for other bytes"`,
		`error 5 "a session is not closed: the host refuses it with status 8"`,
		`error 5 "a handshake is answered with 500: the host refuses its headers"`,
		`error 7 "a part of an answer is lost: it is larger than what the host lets wait for a peer"`,
		`warn 5 "a message is lost: fragments must follow each other: text or binary first, then continuations, FIN on the last"`)
}
