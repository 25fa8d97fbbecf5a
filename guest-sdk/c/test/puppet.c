/* The puppet of the conformance kit (abi/abitest), written with the SDK: the kit
 * sends it scripts and it does what they say, mistakes included, as far as a
 * plugin that uses the SDK can make them. abi/abitest/guests/puppet.wat says what
 * a script is.
 *
 * The kit knows where things lie in the memory of its own puppet. Here they lie
 * elsewhere, so addresses are translated both ways.
 */
#include <stdlib.h>

#include "../src/core.h"

#if defined(__wasm__)
#define memory_size() ((uint32_t)__builtin_wasm_memory_size(0))
#define memory_grow(n) ((uint32_t)__builtin_wasm_memory_grow(0, n))
#define poke yimmo_bytes_copy
#else /* a process, see test/native/serve.c */
#include "native/serve.h"
#define memory_size native_memory_size
#define memory_grow native_memory_grow
#define poke native_poke
#endif

#ifndef WANTS
#define WANTS 0xfd
#endif

/* The kit's map. */
#define KIT_CONTROL 0x400u
#define KIT_ASKED 0x480u
#define KIT_GROWN 0x490u
#define KIT_EVENTS 0x1000u
#define KIT_COMMANDS 0x2000u
#define KIT_AREA 0x10000u
#define KIT_END 0x60000u
#define KIT_FAR 0x1000000u /* from here on nothing is ever */
#define KIT_EVENTS_CAP 32u
#define KIT_COMMANDS_CAP 64u
#define KIT_AREA_CAP 0x10000u

#define SELF 0x5e1f5e1f5e1f5e1full
#define KINDS 32
#define PARTS 64 /* of a brigade */

enum { COMMAND, YIELD, ARM, TRAP, LOOP, RECURSE, GROW, POKE, CONSUMED, RESULT, RELEASE };
enum { FROM_BYTES = 1, FROM_EVENT = 2, PAYLOAD = 4, SERIES = 8, FROM_FIRST = 8, FROM_END = 16 };

typedef struct step {
	uint8_t op, flags;
	uint16_t room;
	uint32_t n;
	yimmo_command rec;
} step;

static uint32_t asked[3], grown, moved; /* moved: how far the end of memory is from the kit's */
static uint64_t monitor;
static yimmo_event start_event;
static unsigned char start_data[0x8000];
static void *armed[KINDS];
static struct { bool first, end, result; uint32_t n; } lie; /* at the end of this call */

static bool within(uint32_t addr, uint32_t kit, size_t size) { return addr - kit < size; }

/* here is where that what the kit expects at addr lies. */
static uint32_t here(uint32_t addr)
{
	const yimmo_control *c = &yimmo_side->control;
	if (within(addr, KIT_CONTROL, YIMMO_CONTROL_SIZE))
		return addr - KIT_CONTROL + yimmo_addr(c);
	if (within(addr, KIT_ASKED, sizeof asked))
		return addr - KIT_ASKED + yimmo_addr(asked);
	if (within(addr, KIT_GROWN, sizeof grown))
		return addr - KIT_GROWN + yimmo_addr(&grown);
	if (within(addr, KIT_EVENTS, c->events_cap * YIMMO_RECORD_SIZE))
		return addr - KIT_EVENTS + c->events_addr;
	if (within(addr, KIT_COMMANDS, c->commands_cap * YIMMO_RECORD_SIZE))
		return addr - KIT_COMMANDS + c->commands_addr;
	if (within(addr, KIT_AREA, c->area_cap))
		return addr - KIT_AREA + c->area_addr;
	return addr < KIT_FAR ? addr + moved : addr;
}

static void must(int status)
{
	if (status)
		__builtin_trap();
}

/* tell sends the monitor a record and a payload. */
static void tell(yimmo_event e, const void *data)
{
	if (e.len)
		e.addr = e.addr - yimmo_side->control.area_addr + KIT_AREA;
	yimmo_bucket parts[] = { { &e, sizeof e }, { data, e.len } };
	must(yimmo_sendv(monitor, YIMMO_FLAG_FIN | YIMMO_OP_BINARY, parts, 2));
}

static void watch(const yimmo_event *e)
{
	if (!monitor && e->kind == YIMMO_EVENT_START) {
		start_event = *e;
		if (e->len > sizeof start_data)
			__builtin_trap();
		if (e->len)
			yimmo_bytes_copy(start_data, yimmo_data(e), e->len);
	}
	if (!monitor && e->kind == YIMMO_EVENT_CONNECT) {
		monitor = e->id;
		tell(start_event, start_data);
	}
	if (e->kind == YIMMO_EVENT_CLOSE && e->id == monitor)
		monitor = 0;
	if (monitor)
		tell(*e, yimmo_data(e));
}

/* command gives the command of step s, whose pieces are the steps behind it. */
static void command(const step *s, const yimmo_event *e, const unsigned char *script, uint32_t k)
{
	yimmo_bucket parts[PARTS];
	uint32_t n = s->room ? s->room : 1;
	yimmo_command c = s->rec;
	for (uint32_t i = 0; i < n; i++) {
		const step *p = s + i;
		uint32_t addr = p->rec.addr;
		parts[i].len = p->rec.len;
		if (p->flags & SERIES)
			addr += k * p->rec.len;
		parts[i].data = p->flags & FROM_BYTES ? script + addr : yimmo_at(here(addr));
		if (p->flags & PAYLOAD)
			parts[i] = (yimmo_bucket){ yimmo_data(e), e->len };
		if (p->rec.id == SELF || p->flags & FROM_EVENT)
			c.id = e->id;
	}
	yimmo_tag(c.tag + (s->flags & SERIES ? k : 0));
	must(yimmo_give(c, parts, n));
	yimmo_tag(0);
}

static int recurse(volatile int *n)
{
	volatile int deeper = *n + 1;
	return deeper ? recurse(&deeper) + deeper : 0;
}

/* fail ends the instance in the way that op and n say. */
static void fail(uint8_t op, uint32_t n)
{
#if defined(__wasm__)
	if (op == LOOP)
		for (;;)
			__asm__ volatile("");
	if (op == RECURSE)
		recurse(&(volatile int){ 0 });
	if (n == 1)
		(void)*(volatile uint32_t *)(uintptr_t)-4u;
	if (n == 2) {
		volatile uint32_t zero = 0;
		zero = n / zero;
	}
	__builtin_trap();
#else
	(void)op, (void)n, (void)recurse;
	native_fail();
#endif
}

static void run(const unsigned char *script, const yimmo_event *e)
{
	uint32_t steps;
	yimmo_bytes_copy(&steps, script + 4, 4);
	for (uint32_t i = 0; i < steps; i++) {
		step all[PARTS]; /* the script may lie at any address */
		const unsigned char *at = script + 8 + (size_t)i * sizeof *all;
		yimmo_bytes_copy(all, at, sizeof *all);
		uint32_t n = all->n, addr = all->rec.addr;
		switch (all->op) {
		case COMMAND:
			if (all->room > PARTS)
				__builtin_trap();
			yimmo_bytes_copy(all, at, sizeof *all * (all->room ? all->room : 1));
			for (uint32_t k = 0; k < (n ? n : 1); k++)
				command(all, e, script, k);
			i += all->room ? all->room - 1u : 0;
			break;
		case ARM: {
			void **keep = &armed[all->rec.kind % KINDS];
			free(*keep);
			if (!(*keep = malloc(all->rec.len)))
				__builtin_trap();
			yimmo_bytes_copy(*keep, script + addr, all->rec.len);
			break;
		}
		case TRAP:
		case LOOP:
		case RECURSE:
			fail(all->op, n);
			break;
		case GROW:
			grown = memory_grow(n);
			if (grown != UINT32_MAX)
				grown -= moved / YIMMO_PAGE;
			break;
		case POKE:
			poke(yimmo_at(here(addr)), &n, 4);
			break;
		case CONSUMED:
			lie.first = all->flags & FROM_FIRST;
			lie.end = all->flags & FROM_END;
			lie.n = n;
			break;
		case RESULT:
			lie.result = true;
			lie.n = n;
			break;
		default: /* YIELD, RELEASE: when a call ends is the SDK's business */
			__builtin_trap();
		}
	}
}

static void event(const yimmo_event *e)
{
	if (e->kind == YIMMO_EVENT_START) {
		free(malloc(1 << 20)); /* so that the end of memory stays where it is */
		moved = memory_size() * YIMMO_PAGE - KIT_END;
	}
	watch(e);
	if (e->kind == YIMMO_EVENT_RECV && e->flags == 0x82 && e->len >= 8
		&& !yimmo_bytes_cmp(yimmo_data(e), "PUP1", 4)) {
		run(yimmo_data(e), e);
		return;
	}
	unsigned char *script = armed[e->kind % KINDS];
	if (script) {
		armed[e->kind % KINDS] = NULL; /* and never freed: its bytes are for the host */
		run(script, e);
	}
}

/* turn_end is the last that a plugin can do about what the host will read. */
static void turn_end(void)
{
	if (lie.first) /* such calls begin with event 0 */
		yimmo_side->control.consumed = lie.n;
	if (lie.end)
		yimmo_side->control.consumed += lie.n;
	if (lie.result)
		yimmo_side->count = lie.n;
	lie.first = lie.end = lie.result = false;
}

/* init makes the rings as small as the kit's puppet has them. */
static void init(yimmo_control *c)
{
	asked[0] = c->events_cap; /* the SDK gives what it is asked for */
	asked[1] = c->commands_cap;
	asked[2] = c->area_cap;
	c->events_cap = KIT_EVENTS_CAP;
	c->commands_cap = yimmo_side->cap = KIT_COMMANDS_CAP;
	c->area_cap = KIT_AREA_CAP;
}

const yimmo_hooks yimmo_layer = { .init = init };

#define WITH(feature, callback) (WANTS & YIMMO_FEATURE_##feature ? callback : NULL)

YIMMO_PLUGIN(.wants = WANTS, .turn_end = turn_end,
	.start = event, .stop = event, .connect = event, .recv = event, .close = event, .refused = event,
	.http = WITH(HTTP, event), .http_body = WITH(HTTP, event), .http_gone = WITH(HTTP, event),
	.timer = WITH(TIMERS, event), .topic = WITH(TOPICS, event),
	.dropped = WITH(BACK_PRESSURE, event), .drained = WITH(BACK_PRESSURE, event),
	.state_export = WITH(STATE, event), .state_import = WITH(STATE, event))
