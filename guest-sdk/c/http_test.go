package c_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

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
// short ones fit where the host takes 16 KiB, and where it takes more, of one name.
func TestHTTPManyHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		line func(i int) (name, value string)
	}{
		{"many names", func(i int) (string, string) { return fmt.Sprintf("h%04d", i), "" }},
		{"one name", func(int) (string, string) { return "h", "0123456789012345678901234567890123456789" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := begin(t, program(t, "http"), options{units: 30_000_000})
			var headers []string
			for i := range 2700 {
				name, value := tt.line(i)
				headers = append(headers, name, value)
			}
			d.request(1, "GET", "/status?418", "", headers...)
			d.turn()
			d.want(`head 1 418 end ""`)
		})
	}
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

// A session that session_init does not take is answered with its status, and never
// cleaned up: its data was not set, so the callback would free the server's.
func TestHTTPSessionNotTaken(t *testing.T) {
	t.Parallel()
	d := begin(t, linked(t, "libyimmo.c", source(t, `
		#include <errno.h>
		#include <stdlib.h>
		#include <ev.h>
		#include <ymo_http.h>
		static ymo_status_t init(void* server_data, ymo_http_session_t* s)
		{
			static const ymo_status_t statuses[] = { YMO_OKAY, EACCES, EAGAIN };
			int* n = server_data;
			if (!statuses[*n])
				ymo_http_session_set_userdata(s, malloc(1));
			return statuses[(*n)++];
		}
		static void cleanup(void* server_data, ymo_http_session_t* s, void* user)
		{
			(void)server_data; (void)s;
			free(user);
		}
		int main(void)
		{
			static int n;
			ymo_server_config_t config = { .loop = EV_DEFAULT, .port = 8081 };
			ymo_server_t* s = ymo_server_create(&config, ymo_proto_http_create(init, NULL, NULL, NULL, cleanup, &n));
			if (ymo_server_init(s) || ymo_server_start(s, EV_DEFAULT))
				return 1;
			ev_run(EV_DEFAULT, 0);
			return 0;
		}
	`)), options{})
	for id := range uint64(3) {
		d.request(id, "POST", "/", "body")
	}
	d.turn()
	d.want(`head 0 200 end content-type=text/plain "OK"`, `head 1 403 end ""`, `head 2 503 end ""`)
	d.wantLogs(`warn 1 "session init callback returned 13 (Permission denied): answered with 403"`,
		`warn 2 "session init callback returned 11 (Resource temporarily unavailable): answered with 503"`)
}

// What nobody waits for is given up: an answer that the program neither finished nor
// promised, and the parts of one that it goes on with.
func TestHTTPNeverFinished(t *testing.T) {
	t.Parallel()
	m := linked(t, "libyimmo.c", source(t, `
		#include <errno.h>
		#include <stdlib.h>
		#include <string.h>
		#include <ev.h>
		#include <ymo_http.h>
		static ymo_http_response_t* promised;
		static void tick(struct ev_loop* loop, ev_timer* w, int revents)
		{
			static char part[10000];
			(void)loop; (void)w; (void)revents;
			ymo_http_response_body_append(promised, YMO_BUCKET_FROM_CPY(part, sizeof(part)));
		}
		static ymo_status_t answer(ymo_http_session_t* s, ymo_http_request_t* q, ymo_http_response_t* r, void* u)
		{
			static ev_timer timer;
			(void)s; (void)u;
			if (strcmp(q->uri, "/later"))
				return YMO_OKAY;
			promised = r;
			ev_timer_init(&timer, tick, 1., 1.);
			ev_timer_start(EV_DEFAULT, &timer);
			return EAGAIN;
		}
		int main(void)
		{
			ymo_server_start(ymo_http_simple_init(EV_DEFAULT, 8081, answer, NULL, NULL), EV_DEFAULT);
			ev_run(EV_DEFAULT, 0);
			return 0;
		}
	`))
	tests := []struct {
		name string
		path string
		some func(d *driver, n uint64)
		logs []string
	}{
		{"neither finished nor promised", "/", func(d *driver, n uint64) {
			for id := range n {
				d.request(id, "GET", "/", "")
				d.gone(id)
				d.turn()
			}
		}, []string{`warn 1 "a client left without an answer, for which the http callback had returned YMO_OKAY: ` +
			`call ymo_http_response_finish, or return EAGAIN to do it later"`}},
		{"promised, and gone on with", "/later", func(d *driver, n uint64) {
			d.advance(time.Duration(n) * time.Second)
		}, nil},
	}
	for _, tt := range tests {
		d := begin(t, m, options{})
		d.request(1, "GET", tt.path, "")
		d.turn()
		d.gone(1)
		d.turn()
		tt.some(d, 100)
		before := len(d.i.Memory())
		if tt.some(d, 1000); len(d.i.Memory()) > before {
			t.Errorf("%s: memory: %d bytes at first, %d later", tt.name, before, len(d.i.Memory()))
		}
		d.want()
		d.wantLogs(tt.logs...)
	}
}
