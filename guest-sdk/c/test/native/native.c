/* The SDK outside of WebAssembly: addresses, pages, main on a stack of its own, and
 * a host that hands over events and judges what comes back.
 *
 * An address of a record has 32 bits, a pointer here has more. yimmo_addr keeps the
 * pointer in a table and returns its number; the receive area and the rings keep
 * theirs for good.
 */
#include "native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

uint64_t test_seed = 1;

uint64_t test_random(void)
{
	uint64_t z = test_seed += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Addresses. */

static const void *table[1 << 21];
static size_t table_used, table_kept;

uint32_t yimmo_addr(const void *p)
{
	if (!p)
		return 0;
	CHECK(table_used < sizeof table / sizeof *table);
	table[table_used++] = p;
	return (uint32_t)table_used;
}

void *yimmo_at(uint32_t addr)
{
	CHECK(addr <= table_used);
	return addr ? (void *)table[addr - 1] : NULL;
}

const void *yimmo_data(const yimmo_event *e) { return yimmo_at(e->addr); }

/* Memory. The heap is the C library's, so that the sanitizers see every block. */

static void *pages[16];
static size_t pages_used;

void *yimmo_pages(size_t bytes)
{
	CHECK(pages_used < 16);
	void *p = aligned_alloc(YIMMO_PAGE, (bytes + YIMMO_PAGE - 1) / YIMMO_PAGE * YIMMO_PAGE);
	CHECK(p);
	memset(p, 0, bytes);
	return pages[pages_used++] = p;
}

#if !defined(YIMMO_OWN_HEAP)
void *yimmo_alloc(size_t n) { return n > SIZE_MAX / 4 ? NULL : malloc(n); }
void *yimmo_resize(void *p, size_t n) { return n > SIZE_MAX / 4 ? NULL : realloc(p, n); }
void yimmo_free(void *p) { free(p); }
#endif

/* The host. */

static struct { yimmo_event e; char *payload; } queue[65536];
static size_t queued;
static void (*on_command)(const host_command *c);
static int64_t now = 1700000000000000000, mono = 1000;
static uint64_t turn;

void host_pass(int64_t ns)
{
	now += ns;
	mono += ns;
}

void host_begin(uint32_t features, uint32_t rings, uint32_t area, void (*command)(const host_command *c))
{
	char here;
	on_command = command;
	uintptr_t top = (uintptr_t)&here + 65536; /* some frames of the caller, too */
	uint32_t block = yimmo_core_init(rings, rings, area, (uintptr_t)&here - (1 << 20), top);
	CHECK(block);
	yimmo_control *c = yimmo_at(block);
	CHECK(c->magic == YIMMO_MAGIC && c->major == 1 && c->events_cap == rings && c->commands_cap == rings);
	CHECK(!c->reserved && !c->reserved2 && !(c->needs & ~features));
	c->granted = (c->needs | c->wants) & features;
	table_kept = table_used;
}

void host_event(yimmo_event e, const void *payload, size_t len)
{
	CHECK(queued < sizeof queue / sizeof *queue);
	e.len = (uint32_t)len;
	queue[queued].e = e;
	queue[queued].payload = len ? memcpy(malloc(len), payload, len) : NULL;
	queued++;
}

static uint32_t judge(uint32_t at, uint32_t n)
{
	const yimmo_host_side *s = yimmo_side;
	host_command c = { .record = s->commands[at] };
	CHECK(c.record.kind > YIMMO_COMMAND_PIECE && c.record.kind < YIMMO_COMMAND_CALL);
	c.payload = yimmo_at(c.record.addr);
	CHECK(!c.record.len || c.payload);
	uint32_t i = at + 1;
	for (; i < n && s->commands[i].kind == YIMMO_COMMAND_PIECE; i++) {
		const yimmo_command *p = &s->commands[i];
		CHECK(!p->flags && !p->code && !p->id && !p->arg);
		c.pieces = realloc(c.pieces, c.pieces_len + p->len + 1);
		memcpy(c.pieces + c.pieces_len, yimmo_at(p->addr), p->len); /* the sanitizers judge the range */
		c.pieces_len += p->len;
	}
	if (c.record.len) { /* and here */
		char *copy = malloc(c.record.len);
		memcpy(copy, c.payload, c.record.len);
		free(copy);
	}
	if (on_command)
		on_command(&c);
	free(c.pieces);
	return i;
}

static void call(uint32_t first, uint32_t end)
{
	for (unsigned calls = 0;; calls++) {
		yimmo_host_side *s = yimmo_side;
		s->control.now = now;
		s->control.mono = mono;
		s->control.seed = test_random();
		s->control.turn = ++turn;
		if (yimmo_hook.call_begin)
			yimmo_hook.call_begin();
		yimmo_core_turn(first, end);
		if (yimmo_hook.main) {
			yimmo_hook.main();
			yimmo_hook.after_main();
		}
		uint32_t n = s->count, consumed = s->control.consumed;
		CHECK(n <= s->control.commands_cap && consumed >= first && consumed <= end && calls < 1000000);
		CHECK(n || consumed > first || !(s->control.more || consumed < end)); /* progress */
		CHECK(!n || s->commands[0].kind != YIMMO_COMMAND_PIECE);
		for (uint32_t at = 0; at < n;)
			at = judge(at, n);
		if (consumed == end && !s->control.more)
			return;
		first = consumed;
	}
}

/* Each payload is a block of its own, so that reading past it shows; it is freed
 * when the turn is over. */
void host_turn(void)
{
	for (size_t at = 0; at < queued;) {
		const yimmo_host_side *s = yimmo_side;
		uint32_t n = 0;
		table_used = table_kept;
		for (; at + n < queued && n < s->control.events_cap; n++) {
			queue[at + n].e.addr = yimmo_addr(queue[at + n].payload ? queue[at + n].payload : "");
			s->events[n] = queue[at + n].e;
		}
		call(0, n);
		for (uint32_t i = 0; i < n; i++)
			free(queue[at + i].payload);
		at += n;
	}
	queued = 0;
}

void host_end(void)
{
	yimmo_scratch_reset();
	if (yimmo_hook.reset)
		yimmo_hook.reset();
	yimmo_side = NULL;
	while (pages_used)
		free(pages[--pages_used]);
	table_used = table_kept = 0;
}
