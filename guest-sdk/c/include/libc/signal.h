/* Signals: SIGTERM and SIGINT handlers are called when the host stops the plugin,
 * SIGINT's only if there is none for SIGTERM. Handlers of other signals may be
 * set and are never called. */
#ifndef YIMMO_SIGNAL_H
#define YIMMO_SIGNAL_H
#include "sys/types.h"
YIMMO_LIBC_BEGIN
typedef int sig_atomic_t;
typedef void (*sighandler_t)(int);
typedef unsigned long sigset_t;
typedef struct { int si_signo, si_code, si_errno; pid_t si_pid; } siginfo_t;
struct sigaction {
	union {
		void (*sa_handler)(int);
		void (*sa_sigaction)(int, siginfo_t *, void *);
	};
	sigset_t sa_mask;
	int sa_flags;
	void (*sa_restorer)(void);
};
#define SIG_DFL ((sighandler_t)0)
/* The address of a function is its place in a table that begins with 1. */
#define SIG_IGN ((sighandler_t)-2)
#define SIG_ERR ((sighandler_t)-1)
#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGWINCH 28
#define SIGIO 29
#define NSIG 32
#define SA_NOCLDSTOP 1
#define SA_NOCLDWAIT 2
#define SA_SIGINFO 4
#define SA_RESTART 0x10000000
#define SA_NODEFER 0x40000000
#define SA_RESETHAND 0x80000000
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
sighandler_t signal(int sig, sighandler_t handler);
int sigaction(int sig, const struct sigaction *YIMMO_R act, struct sigaction *YIMMO_R old);
static inline int sigemptyset(sigset_t *s) { *s = 0; return 0; }
static inline int sigfillset(sigset_t *s) { *s = ~0ul; return 0; }
static inline int sigaddset(sigset_t *s, int sig) { *s |= 1ul << (sig & 31); return 0; }
static inline int sigdelset(sigset_t *s, int sig) { *s &= ~(1ul << (sig & 31)); return 0; }
static inline int sigismember(const sigset_t *s, int sig) { return (int)(*s >> (sig & 31) & 1); }
static inline int sigprocmask(int how, const sigset_t *set, sigset_t *old) { (void)how; (void)set; if (old) *old = 0; return 0; }
static inline int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) { return sigprocmask(how, set, old); }
int kill(pid_t pid, int sig) YIMMO_NO_SIGNALS;
int raise(int sig) YIMMO_NO_SIGNALS;
int sigwait(const sigset_t *YIMMO_R set, int *YIMMO_R sig) YIMMO_NO_SLEEP;
int sigsuspend(const sigset_t *set) YIMMO_NO_SLEEP;
YIMMO_LIBC_END
#endif
