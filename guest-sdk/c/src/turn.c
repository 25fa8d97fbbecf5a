/* Turns: the control block, the rings, and the run over the events of a call.
 *
 * A call takes the events [first, end). It ends early when the command ring may
 * not hold what the next event asks for, and says so in consumed. When an event
 * asks for more than there is room, the rest waits (commands.c), more is set, and
 * the event is held: it counts as consumed only when the last of its commands is
 * in the ring, because they may point to its bytes in the receive area.
 */
#include "core.h"

yimmo_host_side *yimmo_side;
yimmo_hooks yimmo_hook;
uint64_t yimmo_log_session;

/* Room that a call wants in the command ring before it begins another event.
 * With less it ends; the host carries out what there is and calls again. */
#define ROOM 8u

static uint32_t between(uint32_t v, uint32_t least, uint32_t most)
{
	return v < least ? least : v > most ? most : v;
}

/* place_all lays out the host side, the rings and the area in pages of their own. */
static yimmo_host_side *place_all(uint32_t events, uint32_t commands, uint32_t area)
{
	uint64_t head = (sizeof(yimmo_host_side) + 63) & ~(uint64_t)63;
	uint64_t bytes = head + (uint64_t)(events + commands) * YIMMO_RECORD_SIZE + area;
	unsigned char *p = bytes > UINT32_MAX / 2 ? NULL : yimmo_pages((size_t)bytes);
	if (!p)
		return NULL;
	yimmo_host_side *s = (yimmo_host_side *)p;
	s->events = (yimmo_event *)(p + head);
	s->commands = (yimmo_command *)(s->events + events);
	s->area = (unsigned char *)(s->commands + commands);
	s->spare = s->area + area;
	s->spare_size = (size_t)(-bytes % YIMMO_PAGE);
	s->cap = commands;
	s->control = (yimmo_control){
		.magic = YIMMO_MAGIC, .major = YIMMO_MAJOR, .minor = YIMMO_MINOR,
		.events_addr = yimmo_addr(s->events), .events_cap = events,
		.commands_addr = yimmo_addr(s->commands), .commands_cap = commands,
		.area_addr = yimmo_addr(s->area), .area_cap = area,
	};
	return s;
}

uint32_t yimmo_core_init(uint32_t events, uint32_t commands, uint32_t area, uintptr_t stack_low, uintptr_t stack_top)
{
	const yimmo_plugin *p = &yimmo_plugin_definition;
	events = between(events, YIMMO_MIN_RING, YIMMO_MAX_RING);
	commands = between(commands, YIMMO_MIN_RING, YIMMO_MAX_RING);
	area = between(area, YIMMO_MIN_AREA, YIMMO_MAX_AREA) & ~7u;
	yimmo_host_side *s = place_all(events, commands, area);
	if (!s) /* less than what was asked for is better than nothing */
		s = place_all(YIMMO_MIN_RING, YIMMO_MIN_RING, YIMMO_MIN_AREA);
	if (!s)
		return 0;
	yimmo_side = s;
	s->stack_low = stack_low;
	s->stack_top = stack_top;
	yimmo_control *c = &s->control;
	c->needs = p->needs;
	c->wants = p->wants;
	if (p->http || p->http_body)
		c->wants |= YIMMO_FEATURE_HTTP;
	if (p->timer)
		c->wants |= YIMMO_FEATURE_TIMERS;
	if (p->topic)
		c->wants |= YIMMO_FEATURE_TOPICS;
	if (p->dropped || p->drained)
		c->wants |= YIMMO_FEATURE_BACK_PRESSURE;
	if (p->state_export || p->state_import)
		c->wants |= YIMMO_FEATURE_STATE;
	if (&yimmo_layer)
		yimmo_hook = yimmo_layer;
	if (yimmo_hook.init)
		yimmo_hook.init(c);
	return yimmo_addr(c);
}

static bool of_session(const yimmo_event *e)
{
	return (e->kind >= YIMMO_EVENT_CONNECT && e->kind <= YIMMO_EVENT_HTTP_GONE) || e->kind == YIMMO_EVENT_DROPPED
		|| e->kind == YIMMO_EVENT_DRAINED;
}

static void dispatch(const yimmo_event *e)
{
	const yimmo_plugin *p = &yimmo_plugin_definition;
	void (*call)(const yimmo_event *) = NULL;
	switch (e->kind) {
	case YIMMO_EVENT_RECV: call = p->recv; break; /* first: most events are */
	case YIMMO_EVENT_START: call = p->start; break;
	case YIMMO_EVENT_STOP: call = p->stop; break;
	case YIMMO_EVENT_CONNECT: call = p->connect; break;
	case YIMMO_EVENT_CLOSE: call = p->close; break;
	case YIMMO_EVENT_HTTP_REQUEST: call = p->http; break;
	case YIMMO_EVENT_HTTP_BODY: call = p->http_body; break;
	case YIMMO_EVENT_HTTP_GONE: call = p->http_gone; break;
	case YIMMO_EVENT_TIMER: call = p->timer; break;
	case YIMMO_EVENT_TOPIC: call = p->topic; break;
	case YIMMO_EVENT_DROPPED: call = p->dropped; break;
	case YIMMO_EVENT_DRAINED: call = p->drained; break;
	case YIMMO_EVENT_REFUSED: call = p->refused; break;
	case YIMMO_EVENT_STATE_EXPORT: call = p->state_export; break;
	case YIMMO_EVENT_STATE_IMPORT: call = p->state_import; break;
	default: break; /* of a later minor version: nothing that was asked for */
	}
	if (call) {
		yimmo_log_session = of_session(e) ? e->id : 0;
		call(e);
		yimmo_log_session = 0;
	}
}

/* begin_call prepares for commands and lets go of what the host has read. */
static void begin_call(yimmo_host_side *s)
{
	s->count = 0;
	s->random = s->control.seed;
	if (yimmo_commands_waiting()) {
		yimmo_commands_flush();
		return;
	}
	yimmo_scratch_reset();
	if (yimmo_hook.reset)
		yimmo_hook.reset();
}

static uint32_t run_events(yimmo_host_side *s, uint32_t first, uint32_t end)
{
	if (yimmo_commands_waiting())
		return first;
	if (s->held && first < end)
		first++;
	s->held = false;
	for (uint32_t at = first; at < end; at++) {
		if (s->count && s->cap - s->count < ROOM)
			return at;
		dispatch(&s->events[at]);
		if (yimmo_commands_waiting()) {
			s->held = true;
			return at;
		}
	}
	return end;
}

void yimmo_core_turn(uint32_t first, uint32_t end)
{
	yimmo_host_side *s = yimmo_side;
	end = yimmo_min(end, s->control.events_cap);
	first = yimmo_min(first, end);
	begin_call(s);
	s->control.consumed = run_events(s, first, end);
	if (s->control.consumed == end && !s->held) {
		if (yimmo_plugin_definition.turn_end)
			yimmo_plugin_definition.turn_end();
		if (yimmo_hook.turn_end)
			yimmo_hook.turn_end();
		if (yimmo_hook.flush)
			yimmo_hook.flush();
	}
	yimmo_core_close();
}

void yimmo_core_close(void)
{
	yimmo_side->control.more = yimmo_commands_waiting();
}
