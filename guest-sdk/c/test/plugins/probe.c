/* Uses everything of yimmo/guest.h, one thing for each word that a peer says. */
#include <string.h>
#include <yimmo/guest.h>

static char text[256];

static bool is(const yimmo_event *e, const char *word)
{
	return e->len == strlen(word) && !memcmp(yimmo_data(e), word, e->len);
}

static void say(const yimmo_event *e, int n)
{
	yimmo_send_copy(e->id, YIMMO_FLAG_FIN | YIMMO_OP_TEXT, text, (size_t)n);
}

static void start(const yimmo_event *e)
{
	size_t at = 0;
	yimmo_field f;
	while (yimmo_next_field(e, &at, &f))
		yimmo_log(YIMMO_LEVEL_DEBUG, 0, "%.*s=%.*s", (int)f.name.len, (const char *)f.name.data,
			(int)f.value.len, (const char *)f.value.data);
	yimmo_subscribe(0, "news");
	yimmo_timer_set(7, 1000, true);
}

static void stop(const yimmo_event *e)
{
	(void)e;
	yimmo_log_text(YIMMO_LEVEL_INFO, 0, "stops", 5);
}

static void connect_event(const yimmo_event *e)
{
	yimmo_bucket path, protocol;
	if (!yimmo_find_field(e, YIMMO_FIELD_PATH, &path))
		return;
	yimmo_field header[2] = { YIMMO_FIELD("x-room", "lobby") };
	if (path.len == 3 && !memcmp(path.data, "/no", 3)) {
		yimmo_refuse(e->id, 403, header, 1, "not you", 7);
	} else if (path.len == 5 && !memcmp(path.data, "/hold", 5)) {
		yimmo_hold(e->id);
	} else if (yimmo_find_field(e, YIMMO_FIELD_PROTOCOL, &protocol)) {
		header[1] = (yimmo_field){ YIMMO_TEXT(":protocol"), protocol };
		yimmo_accept(e->id, header, 2);
	}
	yimmo_set_user(e->id, e->id * 10);
}

static void recv_event(const yimmo_event *e)
{
	if (is(e, "stack")) {
		char local[16] = "on the stack";
		yimmo_send(e->id, e->flags, local, 12);
	} else if (is(e, "parts")) {
		yimmo_bucket parts[] = { YIMMO_TEXT("a"), { NULL, 0 }, { yimmo_data(e), e->len }, YIMMO_TEXT("z") };
		yimmo_sendv(e->id, e->flags, parts, 4);
	} else if (is(e, "wide")) {
		static yimmo_bucket parts[100];
		for (int i = 0; i < 100; i++)
			parts[i] = (yimmo_bucket)YIMMO_TEXT("xy");
		yimmo_sendv(e->id, e->flags, parts, 100);
	} else if (is(e, "many")) {
		uint64_t ids[] = { 3, e->id, 1ull << 40 };
		yimmo_send_many(ids, 3, e->flags, "all", 3);
	} else if (is(e, "flood")) {
		for (int i = 0; i < 5000; i++) {
			yimmo_tag((uint32_t)i);
			if (i % 7 == 3) {
				yimmo_bucket parts[] = { { text, (size_t)yimmo_format(text, sizeof text, "%d", i) }, YIMMO_TEXT(" and "), { yimmo_data(e), e->len } };
				parts[0].data = yimmo_copy(text, parts[0].len);
				yimmo_sendv(e->id, e->flags, parts, 3);
			} else {
				yimmo_send_copy(e->id, e->flags, text, (size_t)yimmo_format(text, sizeof text, "%d", i));
			}
		}
		yimmo_tag(0);
	} else if (is(e, "close")) {
		yimmo_close(e->id, 4000, "enough");
	} else if (is(e, "wrong")) {
		static char long_reason[200];
		memset(long_reason, 'x', 199);
		int n = yimmo_format(text, sizeof text, "%d %d %d %d %d %d %d %d %d", yimmo_close(e->id, 1000, long_reason),
			yimmo_close(e->id, 0, "x"), yimmo_publish("", 0x81, "x", 1, 0), yimmo_timer_set(1, -1, false),
			yimmo_timer_set(1, 0, true), yimmo_metric(0, "x", 1), yimmo_metric(YIMMO_METRIC_COUNTER, "x", -1),
			yimmo_log_text(9, 0, "x", 1), yimmo_send(e->id, 0x81, NULL, 1));
		say(e, n);
	} else if (is(e, "topic")) {
		yimmo_subscribe(e->id, "news");
		yimmo_publish("news", YIMMO_FLAG_FIN | YIMMO_OP_TEXT, "paper", 5, e->id);
		yimmo_unsubscribe(e->id, "news");
	} else if (is(e, "metric")) {
		yimmo_metric(YIMMO_METRIC_GAUGE, "depth", 1.5);
		yimmo_metric(YIMMO_METRIC_HISTOGRAM, "size", 1.0 / 0.0);
	} else if (is(e, "time")) {
		uint64_t a = yimmo_random(), b = yimmo_random();
		say(e, yimmo_format(text, sizeof text, "%lld %lld %llu %#x %d", (long long)yimmo_now(), (long long)yimmo_mono(),
			(unsigned long long)yimmo_turn(), yimmo_granted(), a != b));
	} else if (is(e, "user")) {
		say(e, yimmo_format(text, sizeof text, "%llu", (unsigned long long)e->user));
	} else if (is(e, "log")) {
		static char line[9001];
		memset(line, 'l', 9000);
		yimmo_log(YIMMO_LEVEL_WARN, e->id, "%s", line);
		yimmo_log_text(YIMMO_LEVEL_ERROR, e->id, line, 9000);
	} else if (is(e, "grow")) {
		void *p[200];
		int got = 0;
		while (got < 200 && (p[got] = yimmo_alloc(1 << 20)))
			got++;
		for (int i = 0; i < got; i++)
			yimmo_free(p[i]);
		p[0] = yimmo_alloc(1 << 20);
		say(e, yimmo_format(text, sizeof text, "%d %d", got < 200, p[0] != NULL));
		yimmo_free(p[0]);
	} else if (is(e, "deep")) {
		/* More than there is memory: nothing is given, and the plugin lives. */
		static char big[1 << 16];
		int err = 0, given = 0;
		while (!(err = yimmo_send_copy(e->id, 0x82, big, sizeof big)) && given < 4000)
			given++;
		yimmo_log(YIMMO_LEVEL_INFO, e->id, "%s after %d", err == 12 ? "ENOMEM" : "?", given > 10);
	} else if (is(e, "free")) {
		int x;
		yimmo_free((char *)&x - (uintptr_t)&x % 16 + 64);
	} else {
		yimmo_send(e->id, e->flags, yimmo_data(e), e->len);
	}
}

static void close_event(const yimmo_event *e)
{
	yimmo_log(YIMMO_LEVEL_INFO, e->id, "closed %u %#x %.*s", e->code, e->flags, (int)e->len, (const char *)yimmo_data(e));
}

static void http(const yimmo_event *e)
{
	if (e->flags & YIMMO_FLAG_END) {
		yimmo_field plain = YIMMO_FIELD("content-type", "text/plain");
		yimmo_answer(e->id, 200, &plain, 1, "whole", 5);
	} else {
		yimmo_answer_head(e->id, 201, NULL, 0);
	}
}

static void http_body(const yimmo_event *e)
{
	yimmo_answer_body(e->id, e->flags & YIMMO_FLAG_END ? YIMMO_FLAG_END : YIMMO_FLAG_FLUSH, yimmo_data(e), e->len);
}

static void http_gone(const yimmo_event *e)
{
	yimmo_log(YIMMO_LEVEL_INFO, e->id, "gone");
}

static void timer(const yimmo_event *e)
{
	yimmo_log(YIMMO_LEVEL_INFO, 0, "timer %llu, missed %llu", (unsigned long long)e->id, (unsigned long long)e->user);
	yimmo_timer_clear(e->id);
}

static void topic(const yimmo_event *e)
{
	yimmo_bucket name, data;
	bool ok = yimmo_topic_data(e, &name, &data);
	yimmo_log(YIMMO_LEVEL_INFO, 0, "topic %d %.*s: %.*s", ok, ok ? (int)name.len : 0, ok ? (const char *)name.data : "",
		ok ? (int)data.len : 0, ok ? (const char *)data.data : "");
}

static void refused(const yimmo_event *e)
{
	yimmo_log(YIMMO_LEVEL_WARN, 0, "refused: status %u, tag %u, %u bytes", e->code, e->seq, e->len);
}

static void dropped(const yimmo_event *e)
{
	yimmo_log(YIMMO_LEVEL_WARN, e->id, "dropped, tag %u", e->seq);
}

static void drained(const yimmo_event *e)
{
	yimmo_log(YIMMO_LEVEL_WARN, e->id, "drained");
}

static void state_export(const yimmo_event *e)
{
	(void)e;
	yimmo_state(0, "one ", 4);
	yimmo_state(YIMMO_FLAG_END, "two", 3);
}

static void state_import(const yimmo_event *e)
{
	yimmo_log(YIMMO_LEVEL_INFO, 0, "state %.*s", (int)e->len, (const char *)yimmo_data(e));
}

YIMMO_PLUGIN(
	.wants = YIMMO_FEATURE_SEND_MANY | YIMMO_FEATURE_HOLD,
	.start = start, .stop = stop, .connect = connect_event, .recv = recv_event, .close = close_event,
	.http = http, .http_body = http_body, .http_gone = http_gone, .timer = timer, .topic = topic,
	.refused = refused, .dropped = dropped, .drained = drained,
	.state_export = state_export, .state_import = state_import,
)
