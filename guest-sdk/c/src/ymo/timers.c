/* Timers and periodics. The host's timer is named by the place in a table and how
 * often that place was used, so a late event of an old timer finds nothing. */
#include "ymo.h"

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
		ev_invoke(EV_DEFAULT, w, EV_PERIODIC);
	} else {
		ev_timer *w = (ev_timer *)p->w;
		if (w->repeat > 0) { /* from when it was due, so that it does not drift */
			double now = mono_seconds();
			w->at = w->at + w->repeat > now ? w->at + w->repeat : now + w->repeat;
			arm((ev_watcher_time *)w, w->at - now);
		} else {
			leave_place((ev_watcher_time *)w);
		}
		ev_invoke(EV_DEFAULT, w, EV_TIMER);
	}
}

/* Timeouts that need no watcher of the program's. */

typedef struct once {
	ev_timer timer;
	void (*cb)(int revents, void *arg);
	void *arg;
} once;

static void once_is_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	once o = *(once *)w; /* its first member */
	free(w);
	o.cb(revents, o.arg);
}

void ev_once(struct ev_loop *loop, int fd, int events, ev_tstamp timeout, void (*cb)(int revents, void *arg), void *arg)
{
	(void)events;
	if (fd >= 0)
		ymo_log(YMO_LOG_ERROR, "ev_once for descriptor %d: a plugin has no descriptors", fd);
	if (timeout < 0)
		return;
	once *o = malloc(sizeof *o);
	if (o) {
		*o = (once){ .cb = cb, .arg = arg };
		ev_timer_init(&o->timer, once_is_over, timeout, 0.);
		ev_timer_start(loop, &o->timer);
		if (ev_is_active(&o->timer))
			return;
		free(o);
	}
	cb(EV_ERROR | EV_TIMER, arg); /* no memory */
}
