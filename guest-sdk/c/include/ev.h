/* ev.h - libev's interface, as far as a plugin can have an event loop.
 *
 * There is one loop and the host turns it. ev_run, called by main, hands control
 * to the host; it returns when the host stops the plugin, and main goes on from
 * there. How that works: guest-sdk/c/README.md, "main".
 *
 * Timers and periodics are the host's timers. SIGTERM watchers, and SIGINT ones
 * when there is none for SIGTERM, hear when the host stops the plugin. Async
 * watchers run when the callback that sent is done; check, idle and prepare
 * watchers at the end of each turn. Watchers of files, children and sockets do not
 * compile.
 */
#ifndef EV_H_
#define EV_H_

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EV_VERSION_MAJOR 4
#define EV_VERSION_MINOR 33
#define EV_MULTIPLICITY 1
#define EV_MINPRI (-2)
#define EV_MAXPRI 2

#if defined(__clang__)
#define YIMMO_EV_CANNOT(why) __attribute__((unavailable(why)))
#define YIMMO_EV_CANNOT_IF(that, why) __attribute__((diagnose_if(that, why, "error")))
#else
#define YIMMO_EV_CANNOT(why) __attribute__((error(why)))
#define YIMMO_EV_CANNOT_IF(that, why)
#endif

typedef double ev_tstamp;

struct ev_loop;

#define EV_P   struct ev_loop *loop
#define EV_P_  EV_P,
#define EV_A   loop
#define EV_A_  EV_A,
#define EV_DEFAULT     ev_default_loop(0)
#define EV_DEFAULT_    EV_DEFAULT,
#define EV_DEFAULT_UC  EV_DEFAULT
#define EV_DEFAULT_UC_ EV_DEFAULT,

enum {
	EV_UNDEF = -1,
	EV_NONE = 0x00,
	EV_READ = 0x01,
	EV_WRITE = 0x02,
	EV__IOFDSET = 0x80,
	EV_IO = EV_READ,
	EV_TIMER = 0x00000100,
	EV_TIMEOUT = EV_TIMER,
	EV_PERIODIC = 0x00000200,
	EV_SIGNAL = 0x00000400,
	EV_CHILD = 0x00000800,
	EV_STAT = 0x00001000,
	EV_IDLE = 0x00002000,
	EV_PREPARE = 0x00004000,
	EV_CHECK = 0x00008000,
	EV_EMBED = 0x00010000,
	EV_FORK = 0x00020000,
	EV_CLEANUP = 0x00040000,
	EV_ASYNC = 0x00080000,
	EV_CUSTOM = 0x01000000,
	EV_ERROR = (int)0x80000000u,
};

enum {
	EVFLAG_AUTO = 0x00000000,
	EVFLAG_NOENV = 0x01000000,
	EVFLAG_FORKCHECK = 0x02000000,
	EVFLAG_NOINOTIFY = 0x00100000,
	EVFLAG_NOSIGFD = 0,
	EVFLAG_SIGNALFD = 0x00200000,
	EVFLAG_NOSIGMASK = 0x00400000,
	EVFLAG_NOTIMERFD = 0x00800000,
};

enum {
	EVBACKEND_SELECT = 0x01,
	EVBACKEND_POLL = 0x02,
	EVBACKEND_EPOLL = 0x04,
	EVBACKEND_KQUEUE = 0x08,
	EVBACKEND_DEVPOLL = 0x10,
	EVBACKEND_PORT = 0x20,
	EVBACKEND_LINUXAIO = 0x40,
	EVBACKEND_IOURING = 0x80,
	EVBACKEND_ALL = 0xff,
	EVBACKEND_MASK = 0xffff,
};

enum { EVRUN_NOWAIT = 1, EVRUN_ONCE = 2 };
enum { EVBREAK_CANCEL = 0, EVBREAK_ONE = 1, EVBREAK_ALL = 2 };

#ifndef EV_COMMON
#define EV_COMMON void *data;
#endif

/* The beginning of every watcher. The fields that begin with ym_ are the loop's. */
#define EV_WATCHER(type) \
	int active; \
	int pending; \
	int priority; \
	EV_COMMON \
	void (*cb)(struct ev_loop *loop, struct type *w, int revents); \
	struct ev_watcher *ym_next;

typedef struct ev_watcher {
	EV_WATCHER(ev_watcher)
} ev_watcher;

typedef struct ev_watcher_time {
	EV_WATCHER(ev_watcher_time)
	ev_tstamp at;
	uint64_t ym_id;
} ev_watcher_time;

typedef struct ev_timer {
	EV_WATCHER(ev_timer)
	ev_tstamp at;
	uint64_t ym_id;
	ev_tstamp repeat;
} ev_timer;

typedef struct ev_periodic {
	EV_WATCHER(ev_periodic)
	ev_tstamp at;
	uint64_t ym_id;
	ev_tstamp offset;
	ev_tstamp interval;
	ev_tstamp (*reschedule_cb)(struct ev_periodic *w, ev_tstamp now);
} ev_periodic;

typedef struct ev_signal {
	EV_WATCHER(ev_signal)
	int signum;
} ev_signal;

typedef struct ev_async {
	EV_WATCHER(ev_async)
	int sent;
} ev_async;

typedef struct ev_idle { EV_WATCHER(ev_idle) } ev_idle;
typedef struct ev_prepare { EV_WATCHER(ev_prepare) } ev_prepare;
typedef struct ev_check { EV_WATCHER(ev_check) } ev_check;
typedef struct ev_cleanup { EV_WATCHER(ev_cleanup) } ev_cleanup;
typedef struct ev_fork { EV_WATCHER(ev_fork) } ev_fork;

/* These can be declared, but not started. */
typedef struct ev_io { EV_WATCHER(ev_io) int fd; int events; } ev_io;
typedef struct ev_child { EV_WATCHER(ev_child) int flags, pid, rpid, rstatus; } ev_child;
typedef struct ev_stat { EV_WATCHER(ev_stat) ev_tstamp interval; const char *path; int wd; } ev_stat;
typedef struct ev_embed { EV_WATCHER(ev_embed) struct ev_loop *other; } ev_embed;

/* ev_init works on any watcher. */
#define ev_init(ev, cb_) \
	do { \
		(ev)->active = 0; \
		(ev)->pending = 0; \
		(ev)->priority = 0; \
		(ev)->ym_next = NULL; \
		(ev)->cb = (cb_); \
	} while (0)

#define ev_set_cb(ev, cb_)                     ((ev)->cb = (cb_))
#define ev_cb(ev)                              ((ev)->cb)
#define ev_is_pending(ev)                      (0 + (ev)->pending)
#define ev_is_active(ev)                       (0 + (ev)->active)
#define ev_priority(ev)                        (+(ev)->priority)
#define ev_set_priority(ev, pri)               ((ev)->priority = (pri))
#define ev_periodic_at(ev)                     (+(ev)->at)
#define ev_async_pending(ev)                   (+(ev)->sent)

#define ev_timer_set(ev, after_, repeat_)      do { (ev)->at = (after_); (ev)->repeat = (repeat_); } while (0)
#define ev_periodic_set(ev, ofs_, ival_, rcb_) \
	do { (ev)->offset = (ofs_); (ev)->interval = (ival_); (ev)->reschedule_cb = (rcb_); } while (0)
#define ev_signal_set(ev, signum_)             do { (ev)->signum = (signum_); } while (0)
#define ev_io_set(ev, fd_, events_)            do { (ev)->fd = (fd_); (ev)->events = (events_); } while (0)
#define ev_io_modify(ev, events_)              do { (ev)->events = (events_); } while (0)
#define ev_child_set(ev, pid_, trace_)         do { (ev)->pid = (pid_); (ev)->flags = !!(trace_); } while (0)
#define ev_stat_set(ev, path_, interval_)      do { (ev)->path = (path_); (ev)->interval = (interval_); } while (0)
#define ev_embed_set(ev, other_)               do { (ev)->other = (other_); } while (0)
#define ev_idle_set(ev)
#define ev_prepare_set(ev)
#define ev_check_set(ev)
#define ev_cleanup_set(ev)
#define ev_fork_set(ev)
#define ev_async_set(ev)

#define ev_timer_init(ev, cb, after, repeat) \
	do { ev_init((ev), (cb)); (ev)->ym_id = 0; ev_timer_set((ev), (after), (repeat)); } while (0)
#define ev_periodic_init(ev, cb, ofs, ival, rcb) \
	do { ev_init((ev), (cb)); (ev)->ym_id = 0; ev_periodic_set((ev), (ofs), (ival), (rcb)); } while (0)
#define ev_signal_init(ev, cb, signum)         do { ev_init((ev), (cb)); ev_signal_set((ev), (signum)); } while (0)
#define ev_io_init(ev, cb, fd, events)         do { ev_init((ev), (cb)); ev_io_set((ev), (fd), (events)); } while (0)
#define ev_child_init(ev, cb, pid, trace)      do { ev_init((ev), (cb)); ev_child_set((ev), (pid), (trace)); } while (0)
#define ev_stat_init(ev, cb, path, interval)   do { ev_init((ev), (cb)); ev_stat_set((ev), (path), (interval)); } while (0)
#define ev_embed_init(ev, cb, other)           do { ev_init((ev), (cb)); ev_embed_set((ev), (other)); } while (0)
#define ev_idle_init(ev, cb)                   ev_init((ev), (cb))
#define ev_prepare_init(ev, cb)                ev_init((ev), (cb))
#define ev_check_init(ev, cb)                  ev_init((ev), (cb))
#define ev_cleanup_init(ev, cb)                ev_init((ev), (cb))
#define ev_fork_init(ev, cb)                   ev_init((ev), (cb))
#define ev_async_init(ev, cb)                  do { ev_init((ev), (cb)); (ev)->sent = 0; } while (0)

/* The loop. ev_loop_new gives the one that there is. */
struct ev_loop *ev_default_loop(unsigned int flags);
struct ev_loop *ev_loop_new(unsigned int flags);
void ev_loop_destroy(struct ev_loop *loop);
void ev_set_userdata(struct ev_loop *loop, void *data);
void *ev_userdata(struct ev_loop *loop);
void ev_now_update(struct ev_loop *loop);
void ev_ref(struct ev_loop *loop);
void ev_unref(struct ev_loop *loop);
unsigned int ev_iteration(struct ev_loop *loop);
unsigned int ev_depth(struct ev_loop *loop);
unsigned int ev_backend(struct ev_loop *loop);
unsigned int ev_pending_count(struct ev_loop *loop);
static inline int ev_is_default_loop(struct ev_loop *loop) { return loop == ev_default_loop(0); }
static inline void ev_verify(struct ev_loop *loop) { (void)loop; }
static inline void ev_suspend(struct ev_loop *loop) { (void)loop; }
static inline void ev_resume(struct ev_loop *loop) { (void)loop; }
static inline int ev_version_major(void) { return EV_VERSION_MAJOR; }
static inline int ev_version_minor(void) { return EV_VERSION_MINOR; }
static inline unsigned int ev_supported_backends(void) { return EVBACKEND_EPOLL; }
static inline unsigned int ev_recommended_backends(void) { return EVBACKEND_EPOLL; }
static inline unsigned int ev_embeddable_backends(void) { return 0; }

/* Seconds since 1970 UTC. The clock stands still during a turn. */
ev_tstamp ev_time(void);
ev_tstamp ev_now(struct ev_loop *loop);

/* The host owns a plugin's life: ev_break outside of shutdown is logged and does
 * nothing else. Inside, it is what ends ev_run, which ends anyway. */
void ev_break(struct ev_loop *loop, int how);

/* yimmo_ev_run is below zero when main must get out of the way: the macro then
 * returns from the function that called ev_run. */
int yimmo_ev_run(int in_main, struct ev_loop *loop, int flags);
#define ev_run(...) \
	__extension__({ \
		_Pragma("GCC diagnostic push") \
		_Pragma("GCC diagnostic ignored \"-Wreturn-type\"") \
		int ym_run_ = yimmo_ev_run(__builtin_strcmp(__func__, "main") == 0, __VA_ARGS__); \
		if (ym_run_ < 0) \
			return 0; \
		ym_run_; \
		_Pragma("GCC diagnostic pop") \
	})

void ev_timer_start(struct ev_loop *loop, ev_timer *w);
void ev_timer_stop(struct ev_loop *loop, ev_timer *w);
void ev_timer_again(struct ev_loop *loop, ev_timer *w);
ev_tstamp ev_timer_remaining(struct ev_loop *loop, ev_timer *w);
void ev_periodic_start(struct ev_loop *loop, ev_periodic *w);
void ev_periodic_stop(struct ev_loop *loop, ev_periodic *w);
void ev_periodic_again(struct ev_loop *loop, ev_periodic *w);
void ev_signal_start(struct ev_loop *loop, ev_signal *w);
void ev_signal_stop(struct ev_loop *loop, ev_signal *w);
void ev_async_start(struct ev_loop *loop, ev_async *w);
void ev_async_stop(struct ev_loop *loop, ev_async *w);
void ev_async_send(struct ev_loop *loop, ev_async *w);
void ev_idle_start(struct ev_loop *loop, ev_idle *w);
void ev_idle_stop(struct ev_loop *loop, ev_idle *w);
void ev_prepare_start(struct ev_loop *loop, ev_prepare *w);
void ev_prepare_stop(struct ev_loop *loop, ev_prepare *w);
void ev_check_start(struct ev_loop *loop, ev_check *w);
void ev_check_stop(struct ev_loop *loop, ev_check *w);
void ev_cleanup_start(struct ev_loop *loop, ev_cleanup *w);
void ev_cleanup_stop(struct ev_loop *loop, ev_cleanup *w);
/* A plugin never forks, so these never call back. */
static inline void ev_fork_start(struct ev_loop *loop, ev_fork *w) { (void)loop; w->active = 1; }
static inline void ev_fork_stop(struct ev_loop *loop, ev_fork *w) { (void)loop; w->active = 0; }
static inline void ev_loop_fork(struct ev_loop *loop) { (void)loop; }

/* Waits for a time and nothing else: fd is -1, events 0. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgcc-compat"
#endif
void ev_once(struct ev_loop *loop, int fd, int events, ev_tstamp timeout, void (*cb)(int revents, void *arg), void *arg)
	YIMMO_EV_CANNOT_IF(events || fd >= 0, "a plugin has no file descriptors: ev_once(loop, -1, 0, ...) waits for a time");
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

void ev_feed_event(struct ev_loop *loop, void *w, int revents);
void ev_feed_signal(int signum);
void ev_feed_signal_event(struct ev_loop *loop, int signum);
void ev_invoke(struct ev_loop *loop, void *w, int revents);
int ev_clear_pending(struct ev_loop *loop, void *w);
void ev_invoke_pending(struct ev_loop *loop);

void ev_io_start(struct ev_loop *loop, ev_io *w)
	YIMMO_EV_CANNOT("a plugin has no file descriptors: the host owns the sockets and calls the callbacks");
void ev_io_stop(struct ev_loop *loop, ev_io *w)
	YIMMO_EV_CANNOT("a plugin has no file descriptors: the host owns the sockets and calls the callbacks");
void ev_child_start(struct ev_loop *loop, ev_child *w)
	YIMMO_EV_CANNOT("a plugin has no child processes");
void ev_child_stop(struct ev_loop *loop, ev_child *w)
	YIMMO_EV_CANNOT("a plugin has no child processes");
void ev_stat_start(struct ev_loop *loop, ev_stat *w)
	YIMMO_EV_CANNOT("a plugin has no files to watch");
void ev_stat_stop(struct ev_loop *loop, ev_stat *w)
	YIMMO_EV_CANNOT("a plugin has no files to watch");
void ev_embed_start(struct ev_loop *loop, ev_embed *w)
	YIMMO_EV_CANNOT("a plugin has one event loop");
void ev_sleep(ev_tstamp delay)
	YIMMO_EV_CANNOT("a plugin cannot sleep, it would hold up every session: use ev_timer");

/* Names of libev 3. */
#define EVLOOP_NONBLOCK EVRUN_NOWAIT
#define EVLOOP_ONESHOT  EVRUN_ONCE
#define EVUNLOOP_CANCEL EVBREAK_CANCEL
#define EVUNLOOP_ONE    EVBREAK_ONE
#define EVUNLOOP_ALL    EVBREAK_ALL
#define ev_loop(...)    ev_run(__VA_ARGS__)
static inline void ev_unloop(struct ev_loop *loop, int how) { ev_break(loop, how); }
static inline void ev_default_destroy(void) { ev_loop_destroy(EV_DEFAULT); }
static inline void ev_default_fork(void) {}
static inline unsigned int ev_loop_count(struct ev_loop *loop) { return ev_iteration(loop); }
static inline unsigned int ev_loop_depth(struct ev_loop *loop) { return ev_depth(loop); }
static inline void ev_loop_verify(struct ev_loop *loop) { (void)loop; }

#ifdef __cplusplus
}
#endif

#endif
