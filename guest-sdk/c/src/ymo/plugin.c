/* The libyimmo layer as a plugin. */
#include "ymo.h"

#if defined(__wasi__)
#include <stdio.h>
#endif

static void refused(const yimmo_event *e)
{
	yimmo_command c = { 0 };
	if (e->len >= sizeof c)
		memcpy(&c, yimmo_data(e), sizeof c);
	ymo_refused_tell(e, c.kind);
	if (c.kind == YIMMO_COMMAND_HTTP_HEAD)
		ymo_on_answer_refused(e);
}

/* What watchers were set off runs when the callback is done, as it would in libev. */
#define CALLBACK(name, on) \
	static void name(const yimmo_event *e) \
	{ \
		on(e); \
		ymo_loop_pending(); \
	}

CALLBACK(on_connect, ymo_on_connect)
CALLBACK(on_receive, ymo_on_recv)
CALLBACK(on_closed, ymo_on_close)
CALLBACK(on_request, ymo_on_http)
CALLBACK(on_request_body, ymo_on_http_body)
CALLBACK(on_request_gone, ymo_on_http_gone)
CALLBACK(on_refused, refused)
CALLBACK(on_timer, ymo_on_timer)

YIMMO_TRAP(yimmo_main_returned_before_it_ran_the_event_loop)

static void trap(void) { yimmo_main_returned_before_it_ran_the_event_loop(); }

/* started looks at what became of main. If it gave up, its last lines go out with
 * this call and the next one, which more asks for, traps: the plugin does not start. */
static void started(void)
{
	yimmo_hook.main = yimmo_hook.after_main = NULL;
	if (!ymo_program_serves()) {
		ymo_log(YMO_LOG_ERROR, "main returned before it ran the event loop: the plugin does not start");
		yimmo_hook.call_begin = trap;
	} else if (!ymo_serving) {
		ymo_log(YMO_LOG_WARNING, "main runs the event loop, but has started no server");
	}
	ymo_loop_end();
	if (yimmo_hook.flush)
		yimmo_hook.flush();
	yimmo_core_close();
	if (yimmo_hook.call_begin)
		yimmo_side->control.more = 1;
}

unsigned int ev_depth(struct ev_loop *loop)
{
	(void)loop;
	return ymo_program_serves();
}

static void finished(void)
{
	yimmo_hook.main = yimmo_hook.after_main = NULL;
	ymo_program_at_exit();
	if (yimmo_hook.flush)
		yimmo_hook.flush();
	yimmo_core_close();
}

static void start_event(const yimmo_event *e)
{
	if (!ymo_config_keep(e))
		ymo_log(YMO_LOG_ERROR, "out of memory for the configuration");
	yimmo_hook.main = ymo_program_start;
	yimmo_hook.after_main = started;
}

static void stop_event(const yimmo_event *e)
{
	(void)e;
	ymo_loop_stop();
	ymo_signal_stop();
	yimmo_hook.main = ymo_program_finish;
	yimmo_hook.after_main = finished;
}

YIMMO_PLUGIN(
	.start = start_event,
	.stop = stop_event,
	.connect = on_connect,
	.recv = on_receive,
	.close = on_closed,
	.http = on_request,
	.http_body = on_request_body,
	.http_gone = on_request_gone,
	.refused = on_refused,
	.timer = on_timer,
)

#if defined(__wasi__)
static void flush_stdio(void)
{
	fflush(stdout);
}
#endif

/* The first of the marks of ymo_ws.h, if there are any. */
extern const char __start_yimmo_whole[] __attribute__((weak));
extern const char __start_yimmo_frames[] __attribute__((weak));

static void init_hook(yimmo_control *c)
{
#if defined(__wasi__)
	yimmo_hook.flush = flush_stdio;
#endif
	ymo_program_init();
	if (__start_yimmo_whole && !__start_yimmo_frames) /* the library puts them together otherwise */
		c->wants |= YIMMO_FEATURE_MESSAGES;
}

static void turn_end_hook(void)
{
	ymo_refused_turn_end();
	ymo_loop_end();
}

static void reset_hook(void)
{
	ymo_bucket_reset();
	ymo_exchanges_reset();
}

const yimmo_hooks yimmo_layer = { .init = init_hook, .turn_end = turn_end_hook, .reset = reset_hook };
