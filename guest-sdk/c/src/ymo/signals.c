/* Signals: nobody sends any but the host that stops the plugin, and the program to
 * itself. */
#include "ymo.h"

#include <signal.h>

/* With wasi-libc, signal and sigaction are its own, and only watchers hear. */
#define SIGNALS_MAX 32
static void (*handlers[SIGNALS_MAX])(int);
static ev_watcher *watchers;

void ev_signal_start(struct ev_loop *loop, ev_signal *w)
{
	(void)loop;
	ymo_watch(&watchers, (ev_watcher *)w);
}

void ev_signal_stop(struct ev_loop *loop, ev_signal *w)
{
	(void)loop;
	ymo_unwatch(&watchers, (ev_watcher *)w);
}

static bool raise_signal(int sig)
{
	bool any = false;
	for (ev_watcher *w = watchers; w; w = w->ym_next)
		if (((ev_signal *)w)->signum == sig) {
			ev_feed_event(EV_DEFAULT, w, EV_SIGNAL);
			any = true;
		}
	ev_invoke_pending(EV_DEFAULT);
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

void ymo_signal_stop(void)
{
	if (!raise_signal(SIGTERM))
		raise_signal(SIGINT);
}

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
