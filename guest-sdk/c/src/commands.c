/* Commands: from the functions of guest.h into the command ring.
 *
 * What does not fit into the ring waits in a queue of its own and goes out with
 * the next call; a head and its pieces are never parted. While something waits,
 * everything that comes later waits behind it, so order is kept.
 */
#include "core.h"

static struct {
	yimmo_command *at;
	uint32_t first, used, cap;
} waiting;

bool yimmo_commands_waiting(void) { return waiting.first < waiting.used; }

/* on_stack tells that p points to stack which will be used again before the
 * host reads it. */
static bool on_stack(const void *p)
{
	const yimmo_host_side *s = yimmo_side;
	return (uintptr_t)p - s->stack_low < s->stack_top - s->stack_low;
}

/* steady makes sure that the bytes of b stay as they are. */
static bool steady(yimmo_bucket *b)
{
	if (!b->len)
		b->data = NULL;
	else if (on_stack(b->data))
		b->data = yimmo_copy(b->data, b->len);
	return b->data || !b->len;
}

YIMMO_COLD static bool make_room(uint32_t n)
{
	if (waiting.first == waiting.used)
		waiting.first = waiting.used = 0;
	if (waiting.cap - waiting.used >= n)
		return true;
	uint32_t cap = waiting.cap < 64 ? 64 : waiting.cap * 2;
	while (cap - waiting.used < n)
		cap *= 2;
	if (cap > 1u << 24)
		return false;
	yimmo_command *p = yimmo_resize(waiting.at, (size_t)cap * sizeof *p);
	if (!p)
		return false;
	waiting.at = p;
	waiting.cap = cap;
	return true;
}

/* reserve finds place for n records in a row. */
static yimmo_command *reserve(uint32_t n)
{
	yimmo_host_side *s = yimmo_side;
	if (!yimmo_commands_waiting() && s->cap - s->count >= n) {
		yimmo_command *c = s->commands + s->count;
		s->count += n;
		return c;
	}
	if (!make_room(n))
		return NULL;
	yimmo_command *c = waiting.at + waiting.used;
	waiting.used += n;
	return c;
}

/* joined makes one part of many, for a brigade that no ring can hold. */
YIMMO_COLD static bool joined(yimmo_bucket *out, const yimmo_bucket *parts, size_t n)
{
	uint64_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += parts[i].len;
	unsigned char *p = total > UINT32_MAX / 2 ? NULL : yimmo_scratch((size_t)total);
	if (!p)
		return false;
	*out = (yimmo_bucket){ p, (size_t)total };
	for (size_t i = 0; i < n; p += parts[i++].len)
		if (parts[i].len)
			yimmo_bytes_copy(p, parts[i].data, parts[i].len);
	return true;
}

static void put_record(yimmo_command *to, yimmo_command c, const yimmo_bucket *b)
{
	c.len = (uint32_t)b->len;
	c.addr = b->len ? yimmo_addr(b->data) : 0;
	*to = c;
}

static int give_brigade(yimmo_command head, const yimmo_bucket *parts, size_t n)
{
	yimmo_bucket few[4] = { 0 }, *all = few;
	if (n > yimmo_side->cap) { /* the first is the payload, the others become one piece */
		few[0] = parts[0];
		if (!joined(&few[1], parts + 1, n - 1))
			return YIMMO_ENOMEM;
		n = 2;
	} else {
		if (n > 4 && !(all = yimmo_scratch(n * sizeof *all)))
			return YIMMO_ENOMEM;
		size_t kept = 0;
		for (size_t i = 0; i < n; i++)
			if (i == 0 || parts[i].len)
				all[kept++] = parts[i];
		n = kept;
	}
	/* Copies first: when memory is short, nothing has been given yet. */
	for (size_t i = 0; i < n; i++)
		if (!steady(&all[i]))
			return YIMMO_ENOMEM;
	yimmo_command *c = reserve((uint32_t)(n ? n : 1));
	if (!c)
		return YIMMO_ENOMEM;
	put_record(c, head, &all[0]);
	for (size_t i = 1; i < n; i++)
		put_record(&c[i], (yimmo_command){ .kind = YIMMO_COMMAND_PIECE }, &all[i]);
	return 0;
}

int yimmo_give(yimmo_command head, const yimmo_bucket *parts, size_t n)
{
	yimmo_host_side *s = yimmo_side;
	for (size_t i = 0; i < n; i++)
		if (parts[i].len > UINT32_MAX || (!parts[i].data && parts[i].len))
			return YIMMO_EINVAL;
	head.tag = s->tag;

	return give_brigade(head, parts, n);
}

/* Most commands are these, so they take the short way when there is one. */
int yimmo_send(uint64_t session, uint8_t flags, const void *data, size_t len)
{
	yimmo_host_side *s = yimmo_side;
	yimmo_bucket b = { data, len };
	if (yimmo_commands_waiting() || s->count >= s->cap || len > UINT32_MAX || (!data && len) || (len && on_stack(data)))
		return yimmo_give((yimmo_command){ .kind = YIMMO_COMMAND_SEND, .flags = flags, .id = session }, &b, 1);
	yimmo_command *c = &s->commands[s->count++];
	c->kind = YIMMO_COMMAND_SEND;
	c->flags = flags;
	c->code = 0;
	c->len = (uint32_t)len;
	c->id = session;
	c->addr = len ? yimmo_addr(data) : 0;
	c->tag = s->tag;
	c->arg = 0;
	return 0;
}

void yimmo_commands_flush(void)
{
	yimmo_host_side *s = yimmo_side;
	while (yimmo_commands_waiting()) {
		const yimmo_command *c = waiting.at + waiting.first;
		uint32_t n = 1;
		while (waiting.first + n < waiting.used && c[n].kind == YIMMO_COMMAND_PIECE)
			n++;
		if (s->cap - s->count < n)
			return;
		for (uint32_t i = 0; i < n; i++)
			s->commands[s->count++] = c[i];
		waiting.first += n;
	}
	waiting.first = waiting.used = 0;
	if (waiting.cap > 1024) { /* one burst should not hold memory for ever */
		yimmo_free(waiting.at);
		waiting.at = NULL;
		waiting.cap = 0;
	}
}
