/* The vectors of abi/testdata/vectors, in C: the SDK's layouts and its readers of
 * payloads against bytes that every implementation agrees on.
 *
 * As a plugin it is sent the text of a vector and answers what is wrong with it, or
 * "ok"; elsewhere it reads the files it is given.
 */
#include <stdlib.h>
#include <string.h>

#include "../src/core.h"

#define MOST 400000

static const char *const event_kinds[] = { "", "start", "stop", "connect", "recv", "close", "http_request", "http_body",
	"http_gone", "timer", "topic", "dropped", "drained", "refused", "state_export", "state_import", "call_result" };
static const char *const command_kinds[] = { "", "piece", "accept", "refuse", "hold", "send", "send_many", "close",
	"publish", "subscribe", "unsubscribe", "set_user", "timer_set", "timer_clear", "http_head", "http_body", "log",
	"metric", "state", "call" };
static const char *const features[] = { "http", "messages", "hold", "send_many", "timers", "topics", "back_pressure",
	"state", "call" };

/* A vector: keys and values in order, then bytes. */
static struct { char key[24]; char *value; } pairs[400];
static size_t pair_count;
static unsigned char bytes[MOST];
static size_t byte_count;

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t unhex(const char *s, unsigned char *out)
{
	size_t n = 0;
	while (*s && *s != '\n') {
		if (hex(s[0]) >= 0 && hex(s[1]) >= 0) {
			out[n++] = (unsigned char)(hex(s[0]) * 16 + hex(s[1]));
			s += 2;
		} else {
			s++;
		}
	}
	return n;
}

/* parse changes text: lines and values get zeros at their ends. */
static const char *parse(char *text)
{
	pair_count = byte_count = 0;
	bool body = false;
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (!*line)
			body = true;
		char *end = strchr(line, '#');
		if (end)
			*end = 0;
		for (end = line + strlen(line); end > line && end[-1] == ' ';)
			*--end = 0;
		if (!*line)
			continue;
		if (body) {
			byte_count += unhex(line, bytes + byte_count);
			continue;
		}
		char *value = strchr(line, ':');
		if (!value || value - line > 23 || pair_count == 400)
			return "a line is no pair";
		*value++ = 0;
		strcpy(pairs[pair_count].key, line);
		pairs[pair_count++].value = value + (*value == ' ');
	}
	return NULL;
}

static const char *get(const char *key)
{
	for (size_t i = 0; i < pair_count; i++)
		if (!strcmp(pairs[i].key, key))
			return pairs[i].value;
	return "";
}

static uint64_t number(const char *s)
{
	uint64_t v = 0;
	unsigned base = 10;
	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (; *s; s++)
		v = v * base + (unsigned)(hex(*s) < 0 ? 0 : hex(*s));
	return v;
}

static uint64_t kind(const char *s, const char *const *all, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (!strcmp(s, all[i]))
			return i;
	return number(s);
}

static uint32_t bits(const char *s)
{
	uint32_t v = 0;
	while (*s && strcmp(s, "none")) {
		size_t n = 0;
		while (s[n] && s[n] != '|')
			n++;
		char word[24] = { 0 };
		memcpy(word, s, n < 23 ? n : 23);
		uint32_t bit = (uint32_t)number(word);
		for (size_t i = 0; i < sizeof features / sizeof *features; i++)
			if (!strcmp(word, features[i]))
				bit = 1u << i;
		v |= bit;
		s += n + (s[n] == '|');
	}
	return v;
}

#define SAME(field, want) \
	do { \
		if ((uint64_t)(field) != (uint64_t)(want)) \
			return #field; \
	} while (0)

static const char *check_event(bool ok)
{
	yimmo_event e, made;
	if (!ok)
		return byte_count < sizeof e ? NULL : "refused, but it is whole";
	if (byte_count != sizeof e)
		return "length";
	memcpy(&e, bytes, sizeof e);
	SAME(e.kind, kind(get("kind"), event_kinds, 17));
	SAME(e.flags, number(get("flags")));
	SAME(e.code, number(get("code")));
	SAME(e.len, number(get("len")));
	SAME(e.id, number(get("id")));
	SAME(e.addr, number(get("addr")));
	SAME(e.seq, number(get("seq")));
	SAME(e.user, number(get("user")));
	memset(&made, 0xff, sizeof made);
	made.kind = e.kind, made.flags = e.flags, made.code = e.code, made.len = e.len;
	made.id = e.id, made.addr = e.addr, made.seq = e.seq, made.user = e.user;
	return memcmp(&made, bytes, sizeof made) ? "encoding" : NULL;
}

static const char *check_command(bool ok)
{
	yimmo_command c = {
		.kind = (uint8_t)kind(get("kind"), command_kinds, 20), .flags = (uint8_t)number(get("flags")),
		.code = (uint16_t)number(get("code")), .len = (uint32_t)number(get("len")), .id = number(get("id")),
		.addr = (uint32_t)number(get("addr")), .tag = (uint32_t)number(get("tag")), .arg = number(get("arg")),
	};
	if (!ok && byte_count < sizeof c)
		return NULL;
	return byte_count != sizeof c || memcmp(&c, bytes, sizeof c) ? "encoding" : NULL;
}

static const char *check_control(bool ok)
{
	yimmo_control c;
	if (!ok && !*get("magic")) /* cannot be taken apart */
		return NULL;
	if (byte_count != sizeof c)
		return "length";
	memcpy(&c, bytes, sizeof c);
	SAME(c.magic, number(get("magic")));
	SAME(c.major, number(get("major")));
	SAME(c.minor, number(get("minor")));
	SAME(c.needs, bits(get("needs")));
	SAME(c.wants, bits(get("wants")));
	SAME(c.events_addr, number(get("events_addr")));
	SAME(c.events_cap, number(get("events_cap")));
	SAME(c.commands_addr, number(get("commands_addr")));
	SAME(c.commands_cap, number(get("commands_cap")));
	SAME(c.area_addr, number(get("area_addr")));
	SAME(c.area_cap, number(get("area_cap")));
	SAME(c.granted, bits(get("granted")));
	SAME(c.consumed, number(get("consumed")));
	SAME(c.more, number(get("more")));
	SAME(c.now, number(get("now")));
	SAME(c.mono, number(get("mono")));
	SAME(c.seed, number(get("seed")));
	SAME(c.turn, number(get("turn")));
	return NULL;
}

/* whole tells whether n bytes at p are fields, read to the end with the SDK. */
static bool whole(const unsigned char *p, size_t n, size_t *found)
{
	yimmo_event e = { .len = (uint32_t)n, .addr = yimmo_addr(p) };
	yimmo_field f;
	size_t at = 0;
	uint32_t count;
	for (*found = 0; yimmo_next_field(&e, &at, &f);)
		++*found;
	if (n < 4)
		return false;
	memcpy(&count, p, 4);
	return *found == count && (at ? at : 4) == n;
}

static const char *check_fields(bool ok)
{
	static unsigned char value[MOST];
	size_t found, want = 0;
	/* A block of its own, so that a sanitizer sees what is read beyond it. */
	unsigned char *p = malloc(byte_count ? byte_count : 1);
	if (!p)
		return "memory";
	memcpy(p, bytes, byte_count);
	const char *wrong = whole(p, byte_count, &found) == ok ? NULL : "whole";
	for (size_t n = 0; ok && n < byte_count; n++)
		if (whole(p, n, &want))
			wrong = "a beginning is taken for the whole";
	yimmo_event e = { .len = (uint32_t)byte_count, .addr = yimmo_addr(p) };
	static yimmo_field all[200];
	size_t at = 0, k = 0;
	for (size_t i = 0; ok && !wrong && i < pair_count; i++) {
		bool is_name = !strcmp(pairs[i].key, "name");
		if (!is_name && strcmp(pairs[i].key, "value"))
			continue;
		if (is_name && !yimmo_next_field(&e, &at, &all[k++]))
			wrong = "a field is missing";
		yimmo_bucket got = is_name ? all[k - 1].name : all[k - 1].value;
		size_t n = unhex(pairs[i].value, value);
		if (!wrong && (got.len != n || memcmp(got.data, value, n)))
			wrong = pairs[i].key;
	}
	yimmo_bucket out;
	if (ok && !wrong && k && byte_count <= YIMMO_MAX_FIELDS
		&& (yimmo_encode_fields(&out, all, k) || out.len != byte_count || memcmp(out.data, p, byte_count)))
		wrong = "encoding";
	free(p);
	return wrong;
}

static const char *check_topic(bool ok)
{
	static unsigned char part[MOST];
	unsigned char *p = malloc(byte_count ? byte_count : 1);
	if (!p)
		return "memory";
	memcpy(p, bytes, byte_count);
	yimmo_event e = { .len = (uint32_t)byte_count, .addr = yimmo_addr(p), .code = (uint16_t)number(get("code")) };
	yimmo_bucket name, data;
	const char *wrong = NULL;
	/* What name a host may give is not the SDK's to judge. */
	bool read = yimmo_topic_data(&e, &name, &data);
	if (ok ? !read : read != (e.code <= byte_count))
		wrong = "topic";
	if (ok && !wrong) {
		size_t n = unhex(get("name"), part);
		if (n != name.len || memcmp(part, name.data, n))
			wrong = "name";
		n = unhex(get("data"), part);
		if (n != data.len || memcmp(part, data.data, n))
			wrong = "data";
	}
	free(p);
	return wrong;
}

static const char *check_ids(bool ok)
{
	uint64_t ids[400];
	size_t n = 0;
	for (size_t i = 0; i < pair_count; i++)
		if (!strcmp(pairs[i].key, "id"))
			ids[n++] = number(pairs[i].value);
	if (!ok)
		return NULL; /* yimmo_send_many cannot make one */
	return byte_count != n * 8 || memcmp(ids, bytes, byte_count) ? "encoding" : NULL;
}

/* check returns what is wrong, or NULL. It changes text. */
static const char *check(char *text)
{
	const char *wrong = parse(text);
	if (wrong)
		return wrong;
	const char *record = get("record"), *expect = get("expect");
	bool ok = !strcmp(expect, "ok");
	if (!ok && strncmp(expect, "refused ", 8))
		return "expect";
	return !strcmp(record, "event") ? check_event(ok) : !strcmp(record, "command") ? check_command(ok)
		: !strcmp(record, "control") ? check_control(ok) : !strcmp(record, "fields") ? check_fields(ok)
		: !strcmp(record, "topic") ? check_topic(ok) : !strcmp(record, "ids") ? check_ids(ok) : "record";
}

#if defined(__wasm__)

static void recv_vector(const yimmo_event *e)
{
	static char text[MOST];
	if (e->len >= sizeof text)
		return;
	memcpy(text, yimmo_data(e), e->len);
	text[e->len] = 0;
	const char *wrong = check(text);
	if (!wrong)
		wrong = "ok";
	yimmo_send_copy(e->id, YIMMO_FLAG_FIN | YIMMO_OP_TEXT, wrong, strlen(wrong));
}

YIMMO_PLUGIN(.recv = recv_vector)

#else
#include <stdio.h>

YIMMO_PLUGIN(.recv = NULL)

int main(int argc, char **argv)
{
	static char text[MOST];
	int failed = 0;
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");
		size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
		if (f)
			fclose(f);
		text[n] = 0;
		const char *wrong = n ? check(text) : "no such file";
		if (wrong)
			failed += fprintf(stderr, "%s: %s\n", argv[i], wrong) > 0;
	}
	return failed != 0;
}
#endif
