/* Runs the program it is linked with through long, random, partly wrong lives. */
#include "native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 40
#define TIMERS 4096

static uint64_t ids[SESSIONS], requests[SESSIONS], timers[TIMERS];
static int64_t due[TIMERS];
static uint64_t last_id = 100, last_request = 1ull << 63;
static size_t commands;
static int64_t clock_now;

static void on_command(const host_command *c)
{
	const yimmo_command *r = &c->record;
	commands++;
	if (r->kind == YIMMO_COMMAND_TIMER_SET || r->kind == YIMMO_COMMAND_TIMER_CLEAR)
		for (size_t i = 0; i < TIMERS; i++)
			if (timers[i] == r->id || (!timers[i] && r->kind == YIMMO_COMMAND_TIMER_SET)) {
				timers[i] = r->kind == YIMMO_COMMAND_TIMER_SET ? r->id : 0;
				due[i] = clock_now + (int64_t)r->arg;
				break;
			}
	if (r->kind == YIMMO_COMMAND_REFUSE)
		for (size_t i = 0; i < SESSIONS; i++)
			if (ids[i] == r->id)
				ids[i] = 0;
	if (r->kind == YIMMO_COMMAND_HTTP_HEAD || r->kind == YIMMO_COMMAND_HTTP_BODY)
		for (size_t i = 0; i < SESSIONS; i++)
			if (requests[i] == r->id && r->flags & YIMMO_FLAG_END)
				requests[i] = 0;
}

static size_t put(unsigned char *p, size_t at, const char *name, const char *value)
{
	uint32_t count, n = (uint32_t)strlen(name), v = (uint32_t)strlen(value);
	memcpy(&count, p, 4);
	count++;
	memcpy(p, &count, 4);
	memcpy(p + at, &n, 4);
	memcpy(p + at + 4, &v, 4);
	memcpy(p + at + 8, name, n);
	memcpy(p + at + 8 + n, value, v);
	return at + 8 + n + v;
}

static const char *pick(const char *const *all, size_t n) { return all[test_random() % n]; }
#define PICK(...) pick((const char *const[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

static void fields_event(uint8_t kind, uint64_t id, uint8_t flags)
{
	unsigned char p[4096] = { 0 };
	size_t n = 4;
	n = put(p, n, ":method", PICK("GET", "POST", "HEAD", ""));
	n = put(p, n, ":authority", "example.org");
	if (test_random() % 20)
		n = put(p, n, ":path", PICK("/", "/chat?x=1", "/body", "/headers", "/later?3", "/later?0", "/agent", "/error?13",
			"/moved", "/status?204", "/base64?abc", "#", "?", "/data"));
	for (uint64_t k = test_random() % 5; k; k--)
		n = put(p, n, PICK("user-agent", "x-token", "cookie", "content-length", "expect", "", "x-stop"),
			PICK("secret", "", "100-continue", "99999999999999999999", "a\r\nb"));
	if (test_random() % 50 == 0) /* cut short or changed: no host does this, nothing may break */
		n = test_random() % n;
	if (test_random() % 50 == 0 && n)
		p[test_random() % n] ^= (unsigned char)(1u << test_random() % 8);
	host_event((yimmo_event){ .kind = kind, .id = id, .flags = flags }, p, n);
}

static void data_event(uint8_t kind, uint64_t id, uint8_t flags)
{
	char p[6000];
	size_t n = test_random() % 4 ? test_random() % 20 : test_random() % sizeof p;
	const char *word = PICK("ping", "pong", "close", "quit", "bad", "stack", "chain", "many", "long", "/who", "/nick bob",
		"13", "g13", "c404", "0", "wake", "parts", "wide", "flood", "topic", "metric", "time", "user", "log", "wrong");
	for (size_t i = 0; i < n; i++)
		p[i] = (char)test_random();
	if (test_random() % 2) {
		n = strlen(word);
		memcpy(p, word, n);
	}
	host_event((yimmo_event){ .kind = kind, .id = id, .flags = flags }, p, n);
}

static void timer_events(void)
{
	for (size_t i = 0; i < TIMERS; i++)
		if (timers[i] && due[i] <= clock_now) {
			host_event((yimmo_event){ .kind = YIMMO_EVENT_TIMER, .id = timers[i] }, NULL, 0);
			timers[i] = 0;
		}
}

static void one_event(void)
{
	size_t k = test_random() % SESSIONS;
	switch (test_random() % 16) {
	case 0: case 1: case 2:
		if (!ids[k]) {
			ids[k] = ++last_id;
			fields_event(YIMMO_EVENT_CONNECT, ids[k], test_random() % 20 ? 0 : YIMMO_FLAG_SYNTHESISED);
		}
		return;
	case 3:
		if (ids[k])
			host_event((yimmo_event){ .kind = YIMMO_EVENT_CLOSE, .id = ids[k], .code = 1000 }, "bye", 3);
		ids[k] = 0;
		return;
	case 4: case 5:
		if (!requests[k]) {
			requests[k] = ++last_request;
			fields_event(YIMMO_EVENT_HTTP_REQUEST, requests[k], test_random() % 2 ? YIMMO_FLAG_END : 0);
		}
		return;
	case 6:
		if (requests[k])
			data_event(YIMMO_EVENT_HTTP_BODY, requests[k], test_random() % 2 ? YIMMO_FLAG_END : 0);
		return;
	case 7:
		if (requests[k])
			host_event((yimmo_event){ .kind = YIMMO_EVENT_HTTP_GONE, .id = requests[k] }, NULL, 0);
		requests[k] = 0;
		return;
	case 8: { /* ids that nobody knows, kinds that do not exist; what no host does is to give an id twice */
		uint8_t kind = (uint8_t)(YIMMO_EVENT_RECV + test_random() % 60);
		data_event(kind == YIMMO_EVENT_HTTP_REQUEST ? YIMMO_EVENT_HTTP_BODY : kind, test_random() % 300, (uint8_t)test_random());
		return;
	}
	default:
		if (ids[k])
			data_event(YIMMO_EVENT_RECV, ids[k], (uint8_t)(test_random() % 2 * 0x80 + test_random() % 3));
	}
}

size_t __sanitizer_get_current_allocated_bytes(void);

/* calm ends everything that is going on and tells how much memory is left in use. */
static size_t calm(void)
{
	host_turn();
	for (size_t k = 0; k < SESSIONS; k++) {
		if (ids[k])
			host_event((yimmo_event){ .kind = YIMMO_EVENT_CLOSE, .id = ids[k], .code = 1001 }, NULL, 0);
		if (requests[k])
			host_event((yimmo_event){ .kind = YIMMO_EVENT_HTTP_GONE, .id = requests[k] }, NULL, 0);
		ids[k] = requests[k] = 0;
	}
	for (int i = 0; i < 20; i++) {
		clock_now += 1000000000;
		host_pass(1000000000);
		timer_events();
		host_turn();
	}
	host_event((yimmo_event){ .kind = YIMMO_EVENT_DRAINED }, NULL, 0);
	host_turn();
	return __sanitizer_get_current_allocated_bytes();
}

int main(int argc, char **argv)
{
	long events = argc > 2 ? atol(argv[2]) : 20000;
	long slack = argc > 3 ? atol(argv[3]) : 50000; /* bytes in use that may come and go */
	size_t in_use = 0;
	test_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	static const uint32_t rings[] = { 16, 17, 64, 1024 };
	host_begin(0xff & ~(test_random() % 4 ? (uint32_t)YIMMO_FEATURE_MESSAGES : 0u), rings[test_random() % 4], 65536, on_command);
	unsigned char p[256] = { 0 };
	size_t n = put(p, put(p, put(p, 4, ":plugin", "sample"), ":port", "80"), "room_title", "x");
	host_event((yimmo_event){ .kind = YIMMO_EVENT_START }, p, n);
	host_turn();
	for (long i = 0; i < events; i++) {
		if (i == events / 2)
			in_use = calm();
		one_event();
		if (test_random() % 8 == 0) {
			int64_t ns = (int64_t)(test_random() % 2000000000);
			clock_now += ns;
			host_pass(ns);
			timer_events();
			host_turn();
		}
	}
	size_t later = calm();
	CHECK(later <= in_use + (size_t)slack); /* or something leaks */
	host_event((yimmo_event){ .kind = YIMMO_EVENT_STOP }, NULL, 0);
	host_turn();
	host_end();
	fprintf(stderr, "%zu commands\n", commands);
	return commands < 100;
}
