/* The event loop: what has happened to watchers, and those that wait for the loop
 * itself. The host turns the loop, see ev.h. */
#include "ymo.h"

enum { PREPARE, CHECK, IDLE, CLEANUP, KINDS };

struct ev_loop {
	void *user;
	unsigned iteration;
	ev_watcher *active[KINDS]; /* linked by ym_next */
	struct { ev_watcher *w; int events; } *pending;
	size_t pending_first, pending_used, pending_cap;
	bool stopping;
};

static struct ev_loop the_loop;

struct ev_loop *ev_default_loop(unsigned int flags)
{
	(void)flags;
	return &the_loop;
}

struct ev_loop *ev_loop_new(unsigned int flags) { return ev_default_loop(flags); }
void ev_set_userdata(struct ev_loop *loop, void *data) { loop->user = data; }
void *ev_userdata(struct ev_loop *loop) { return loop->user; }
void ev_now_update(struct ev_loop *loop) { (void)loop; }
void ev_ref(struct ev_loop *loop) { (void)loop; }
void ev_unref(struct ev_loop *loop) { (void)loop; }
unsigned int ev_iteration(struct ev_loop *loop) { return loop->iteration; }

unsigned int ev_pending_count(struct ev_loop *loop) { return (unsigned)(loop->pending_used - loop->pending_first); }
ev_tstamp ev_time(void) { return (double)yimmo_now() / 1e9; }

ev_tstamp ev_now(struct ev_loop *loop)
{
	(void)loop;
	return ev_time();
}

unsigned int ev_backend(struct ev_loop *loop)
{
	(void)loop;
	return EVBACKEND_EPOLL;
}

void ev_break(struct ev_loop *loop, int how)
{
	if (how != EVBREAK_CANCEL && !loop->stopping)
		ymo_log(YMO_LOG_WARNING, "ev_break is ignored: the host decides when a plugin stops");
}

/* Watchers that something happened to. */

void ev_invoke(struct ev_loop *loop, void *watcher, int revents)
{
	ev_watcher *w = watcher;
	if (w->cb)
		w->cb(loop, w, revents);
}

void ev_feed_event(struct ev_loop *loop, void *watcher, int revents)
{
	ev_watcher *w = watcher;
	if (w->pending) {
		loop->pending[w->pending - 1].events |= revents;
		return;
	}
	if (loop->pending_used == loop->pending_cap) {
		size_t cap = loop->pending_cap ? loop->pending_cap * 2 : 8;
		void *p = realloc(loop->pending, cap * sizeof *loop->pending);
		if (!p) {
			ymo_log(YMO_LOG_ERROR, "out of memory for a watcher");
			return;
		}
		loop->pending = p;
		loop->pending_cap = cap;
	}
	loop->pending[loop->pending_used].w = w;
	loop->pending[loop->pending_used].events = revents;
	w->pending = (int)++loop->pending_used;
}

int ev_clear_pending(struct ev_loop *loop, void *watcher)
{
	ev_watcher *w = watcher;
	if (!w->pending)
		return 0;
	int events = loop->pending[w->pending - 1].events;
	loop->pending[w->pending - 1].w = NULL;
	w->pending = 0;
	return events;
}

void ev_invoke_pending(struct ev_loop *loop)
{
	while (loop->pending_first < loop->pending_used) {
		ev_watcher *w = loop->pending[loop->pending_first].w;
		int events = loop->pending[loop->pending_first++].events;
		if (w) {
			w->pending = 0;
			ev_invoke(loop, w, events);
		}
	}
	loop->pending_first = loop->pending_used = 0;
}

/* Watchers in lists. */

void ymo_watch(ev_watcher **list, ev_watcher *w)
{
	if (w->active)
		return;
	while (*list)
		list = &(*list)->ym_next;
	*list = w;
	w->ym_next = NULL;
	w->active = 1;
}

void ymo_unwatch(ev_watcher **list, ev_watcher *w)
{
	ev_clear_pending(&the_loop, w);
	if (!w->active)
		return;
	while (*list && *list != w)
		list = &(*list)->ym_next;
	if (*list)
		*list = w->ym_next;
	w->active = 0;
}

static void feed_all(struct ev_loop *loop, int kind, int events)
{
	for (ev_watcher *w = loop->active[kind]; w; w = w->ym_next)
		ev_feed_event(loop, w, events);
}

#define IN_LIST(name, kind) \
	void ev_##name##_start(struct ev_loop *loop, ev_##name *w) { ymo_watch(&loop->active[kind], (ev_watcher *)w); } \
	void ev_##name##_stop(struct ev_loop *loop, ev_##name *w) { ymo_unwatch(&loop->active[kind], (ev_watcher *)w); }

IN_LIST(prepare, PREPARE)
IN_LIST(check, CHECK)
IN_LIST(idle, IDLE)
IN_LIST(cleanup, CLEANUP)

void ev_async_start(struct ev_loop *loop, ev_async *w)
{
	(void)loop;
	w->sent = 0;
	w->active = 1;
}

void ev_async_stop(struct ev_loop *loop, ev_async *w)
{
	ev_clear_pending(loop, w);
	w->active = 0;
}

void ev_async_send(struct ev_loop *loop, ev_async *w)
{
	w->sent = 1;
	if (w->active)
		ev_feed_event(loop, w, EV_ASYNC);
}

/* The host's turn of the loop. */

void ymo_loop_pending(void) { ev_invoke_pending(&the_loop); }

void ymo_loop_end(void)
{
	the_loop.iteration++;
	feed_all(&the_loop, CHECK, EV_CHECK);
	feed_all(&the_loop, IDLE, EV_IDLE);
	feed_all(&the_loop, PREPARE, EV_PREPARE);
	ev_invoke_pending(&the_loop);
}

void ymo_loop_stop(void) { the_loop.stopping = true; }

void ev_loop_destroy(struct ev_loop *loop)
{
	feed_all(loop, CLEANUP, EV_CLEANUP);
	ev_invoke_pending(loop);
	loop->active[CLEANUP] = NULL;
}
