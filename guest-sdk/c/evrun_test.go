package c_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

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
	for i := range 2500 {
		d.text(1, string(make([]byte, i%300)))
		d.turn()
		d.said = nil
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
