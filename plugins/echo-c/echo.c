/* The smallest useful plugin, in C: it greets, then sends back every frame as it
 * came. The key "greeting" of its configuration is what it says first, "Hello!"
 * unless set; empty means nothing. */
#include <yimmo/guest.h>

static const char *greeting = "Hello!";
static size_t greeting_len = 6;

static void start(const yimmo_event *e)
{
	yimmo_bucket v;
	if (!yimmo_find_field(e, "greeting", &v))
		return;
	char *p = yimmo_alloc(v.len);
	if (!p)
		__builtin_trap(); /* it cannot run as it was configured */
	__builtin_memcpy(p, v.data, v.len);
	greeting = p;
	greeting_len = v.len;
}

static void connect(const yimmo_event *e)
{
	yimmo_log_text(YIMMO_LEVEL_INFO, e->id, "open", 4);
	if (greeting_len && !(e->flags & YIMMO_FLAG_SYNTHESISED))
		yimmo_send(e->id, YIMMO_FLAG_FIN | YIMMO_OP_TEXT, greeting, greeting_len);
}

static void recv(const yimmo_event *e)
{
	yimmo_send(e->id, e->flags, yimmo_data(e), e->len); /* from where it lies: no copy */
}

static void close(const yimmo_event *e)
{
	char line[] = "closed 00000", *digits = line + 12;
	unsigned code = e->code;
	do /* yimmo_log with "%u" does it, too, and doubles the module's size */
		*--digits = (char)('0' + code % 10);
	while (code /= 10);
	size_t n = (size_t)(line + 12 - digits);
	__builtin_memmove(line + 7, digits, n);
	yimmo_log_text(YIMMO_LEVEL_INFO, e->id, line, 7 + n);
}

static void answer(const yimmo_event *e)
{
	static const yimmo_field plain[] = { { { "content-type", 12 }, { "text/plain", 10 } } };
	if (e->flags & YIMMO_FLAG_END) /* the whole request is here */
		yimmo_answer(e->id, 200, plain, 1, "OK", 2);
}

YIMMO_PLUGIN(
	.start = start,
	.connect = connect,
	.recv = recv,
	.close = close,
	.http = answer,
	.http_body = answer,
)
