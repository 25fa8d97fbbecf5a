package c_test

import (
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

func TestIncludesProgram(t *testing.T) {
	t.Parallel()
	d := begin(t, program(t, "includes"), options{}, "YIMMO_LOG_LEVEL", "TRACE")
	d.wantLogs(`info "libyimmo 0.2.4 interface, log level TRACE"`, `info "0 failures"`)
	d.stop()
	d.wantLogs(`info "stopped by 15, depth 0"`)
}
