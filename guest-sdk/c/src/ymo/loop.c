/* The event loop: watchers. The host turns the loop, see ev.h. */
#include "ymo.h"

#include <signal.h>

enum { PREPARE, CHECK, IDLE, CLEANUP, SIGNALS, KINDS };

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

unsigned int ev_depth(struct ev_loop *loop)
{
	(void)loop;
	return ymo_program_serves();
}

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

static void watch(struct ev_loop *loop, int kind, ev_watcher *w)
{
	if (w->active)
		return;
	ev_watcher **link = &loop->active[kind];
	while (*link)
		link = &(*link)->ym_next;
	*link = w;
	w->ym_next = NULL;
	w->active = 1;
}

static void unwatch(struct ev_loop *loop, int kind, ev_watcher *w)
{
	ev_clear_pending(loop, w);
	if (!w->active)
		return;
	for (ev_watcher **link = &loop->active[kind]; *link; link = &(*link)->ym_next)
		if (*link == w) {
			*link = w->ym_next;
			break;
		}
	w->active = 0;
}

static void feed_all(struct ev_loop *loop, int kind, int events)
{
	for (ev_watcher *w = loop->active[kind]; w; w = w->ym_next)
		ev_feed_event(loop, w, events);
}

#define IN_LIST(name, kind) \
	void ev_##name##_start(struct ev_loop *loop, ev_##name *w) { watch(loop, kind, (ev_watcher *)w); } \
	void ev_##name##_stop(struct ev_loop *loop, ev_##name *w) { unwatch(loop, kind, (ev_watcher *)w); }

IN_LIST(prepare, PREPARE)
IN_LIST(check, CHECK)
IN_LIST(idle, IDLE)
IN_LIST(cleanup, CLEANUP)
IN_LIST(signal, SIGNALS)

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

/* Timers: the host's timer is named by the place in a table and how often that
 * place was used, so a late event of an old timer finds nothing. */

static struct place { ev_watcher_time *w; uint32_t used, next_free; bool periodic; } *places;
static uint32_t places_cap, first_free; /* places count from 1 */

static bool take_place(ev_watcher_time *w, bool periodic)
{
	if (!first_free) {
		uint32_t cap = places_cap ? places_cap * 2 : 8;
		struct place *p = realloc(places, cap * sizeof *p);
		if (!p) {
			ymo_log(YMO_LOG_ERROR, "out of memory for a timer");
			return false;
		}
		for (uint32_t i = cap; i > places_cap; i--) {
			p[i - 1] = (struct place){ .next_free = first_free };
			first_free = i;
		}
		places = p;
		places_cap = cap;
	}
	struct place *p = &places[first_free - 1];
	w->ym_id = (uint64_t)++p->used << 32 | first_free;
	first_free = p->next_free;
	p->w = w;
	p->periodic = periodic;
	w->active = 1;
	return true;
}

static struct place *place_of_timer(uint64_t id)
{
	uint32_t at = (uint32_t)id;
	return at && at <= places_cap && places[at - 1].w && places[at - 1].used == id >> 32 ? &places[at - 1] : NULL;
}

static void leave_place(ev_watcher_time *w)
{
	struct place *p = place_of_timer(w->ym_id);
	if (p) {
		p->w = NULL;
		p->next_free = first_free;
		first_free = (uint32_t)w->ym_id;
	}
	w->active = 0;
}

static double mono_seconds(void) { return (double)yimmo_mono() / 1e9; }

static int64_t nanoseconds(double s)
{
	if (!(s > 0)) /* negative, or no number */
		return 0;
	return s >= 9e9 ? INT64_MAX / 2 : (int64_t)(s * 1e9);
}

static void arm(const ev_watcher_time *w, double seconds)
{
	static bool told;
	if (!(yimmo_granted() & YIMMO_FEATURE_TIMERS)) {
		if (!told)
			ymo_log(YMO_LOG_ERROR, "the host has no timers: ev_timer and ev_periodic watchers will not be called");
		told = true;
		return;
	}
	yimmo_timer_set(w->ym_id, nanoseconds(seconds), false);
}

static void disarm(struct ev_loop *loop, ev_watcher_time *w)
{
	ev_clear_pending(loop, w);
	if (!w->active)
		return;
	if (yimmo_granted() & YIMMO_FEATURE_TIMERS)
		yimmo_timer_clear(w->ym_id);
	leave_place(w);
}

void ev_timer_start(struct ev_loop *loop, ev_timer *w)
{
	(void)loop;
	if (w->active || !take_place((ev_watcher_time *)w, false))
		return;
	arm((ev_watcher_time *)w, w->at);
	w->at = mono_seconds() + (w->at > 0 ? w->at : 0);
}

void ev_timer_stop(struct ev_loop *loop, ev_timer *w) { disarm(loop, (ev_watcher_time *)w); }

void ev_timer_again(struct ev_loop *loop, ev_timer *w)
{
	ev_timer_stop(loop, w);
	if (w->repeat > 0) {
		w->at = w->repeat;
		ev_timer_start(loop, w);
	}
}

ev_tstamp ev_timer_remaining(struct ev_loop *loop, ev_timer *w)
{
	(void)loop;
	return w->active ? w->at - mono_seconds() : w->at;
}

/* next_time sets when a periodic is due next. */
static void next_time(ev_periodic *w)
{
	double now = ev_time();
	if (w->reschedule_cb) {
		w->at = w->reschedule_cb(w, now);
	} else if (w->interval > 0) {
		double periods = (now - w->offset) / w->interval;
		int64_t whole = periods > -9e15 && periods < 9e15 ? (int64_t)periods : 0;
		w->at = w->offset + (double)(whole + (periods >= 0)) * w->interval;
		if (w->at <= now)
			w->at += w->interval;
	} else {
		w->at = w->offset;
	}
}

void ev_periodic_start(struct ev_loop *loop, ev_periodic *w)
{
	(void)loop;
	if (w->active || !take_place((ev_watcher_time *)w, true))
		return;
	next_time(w);
	arm((ev_watcher_time *)w, w->at - ev_time());
}

void ev_periodic_stop(struct ev_loop *loop, ev_periodic *w) { disarm(loop, (ev_watcher_time *)w); }

void ev_periodic_again(struct ev_loop *loop, ev_periodic *w)
{
	ev_periodic_stop(loop, w);
	ev_periodic_start(loop, w);
}

void ymo_on_timer(const yimmo_event *e)
{
	struct place *p = place_of_timer(e->id);
	if (!p)
		return;
	if (p->periodic) {
		ev_periodic *w = (ev_periodic *)p->w;
		if (w->reschedule_cb || w->interval > 0) {
			next_time(w);
			arm((ev_watcher_time *)w, w->at - ev_time());
		} else {
			leave_place((ev_watcher_time *)w);
		}
		ev_invoke(&the_loop, w, EV_PERIODIC);
	} else {
		ev_timer *w = (ev_timer *)p->w;
		if (w->repeat > 0) { /* from when it was due, so that it does not drift */
			double now = mono_seconds();
			w->at = w->at + w->repeat > now ? w->at + w->repeat : now + w->repeat;
			arm((ev_watcher_time *)w, w->at - now);
		} else {
			leave_place((ev_watcher_time *)w);
		}
		ev_invoke(&the_loop, w, EV_TIMER);
	}
}

void ymo_on_timer_refused(void)
{
	ymo_log(YMO_LOG_ERROR, "the host has no more timers for this plugin: an ev_timer or ev_periodic will not be called");
}

/* Signals. */

/* With wasi-libc, signal and sigaction are its own, and only watchers hear. */
#define SIGNALS_MAX 32
static void (*handlers[SIGNALS_MAX])(int);

static bool raise_signal(int sig)
{
	bool any = false;
	for (ev_watcher *w = the_loop.active[SIGNALS]; w; w = w->ym_next)
		if (((ev_signal *)w)->signum == sig) {
			ev_feed_event(&the_loop, w, EV_SIGNAL);
			any = true;
		}
	ev_invoke_pending(&the_loop);
	if (sig > 0 && sig < SIGNALS_MAX && handlers[sig] && handlers[sig] != SIG_IGN) {
		handlers[sig](sig);
		any = true;
	}
	return any;
}

void ev_feed_signal_event(struct ev_loop *loop, int sig)
{
	(void)loop;
	raise_signal(sig);
}

void ev_feed_signal(int sig) { raise_signal(sig); }

#if defined(__wasm__) && !defined(__wasi__)
sighandler_t signal(int sig, sighandler_t handler)
{
	if (sig <= 0 || sig >= SIGNALS_MAX) {
		errno = EINVAL;
		return SIG_ERR;
	}
	sighandler_t old = handlers[sig];
	handlers[sig] = handler;
	return old;
}

int sigaction(int sig, const struct sigaction *restrict act, struct sigaction *restrict old)
{
	sighandler_t before = sig > 0 && sig < SIGNALS_MAX ? handlers[sig] : SIG_ERR;
	if (act && signal(sig, act->sa_handler) == SIG_ERR)
		return -1;
	if (old)
		*old = (struct sigaction){ .sa_handler = before };
	return 0;
}
#endif

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

void ymo_loop_stop(void)
{
	the_loop.stopping = true;
	if (!raise_signal(SIGTERM))
		raise_signal(SIGINT);
}

void ev_loop_destroy(struct ev_loop *loop)
{
	feed_all(loop, CLEANUP, EV_CLEANUP);
	ev_invoke_pending(loop);
	loop->active[CLEANUP] = NULL;
}
