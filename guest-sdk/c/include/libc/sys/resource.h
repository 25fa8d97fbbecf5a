#ifndef YIMMO_SYS_RESOURCE_H
#define YIMMO_SYS_RESOURCE_H
#include "time.h"
typedef unsigned long rlim_t;
struct rlimit { rlim_t rlim_cur, rlim_max; };
struct rusage { struct timeval ru_utime, ru_stime; long ru_maxrss; };
#define RLIMIT_NOFILE 7
#define RUSAGE_SELF 0
#define RLIM_INFINITY (~0ul)
YIMMO_LIBC_BEGIN
int getrlimit(int what, struct rlimit *l) YIMMO_NO_SYSTEM;
int setrlimit(int what, const struct rlimit *l) YIMMO_NO("limits are the host's settings");
int getrusage(int who, struct rusage *u) YIMMO_NO_SYSTEM;
YIMMO_LIBC_END
#endif
