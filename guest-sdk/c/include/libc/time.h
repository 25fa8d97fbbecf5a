/* Time. The clock stands still during a turn; the time zone is UTC. */
#ifndef YIMMO_TIME_H
#define YIMMO_TIME_H
#include "sys/types.h"
YIMMO_LIBC_BEGIN
#define CLOCKS_PER_SEC 1000000L
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID 3
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define TIME_UTC 1
typedef long clock_t;
struct timespec { time_t tv_sec; long tv_nsec; };
struct tm {
	int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
	long tm_gmtoff;
	const char *tm_zone;
};
time_t time(time_t *t);
/* Since the plugin began. */
clock_t clock(void);
int clock_gettime(clockid_t id, struct timespec *t);
int clock_getres(clockid_t id, struct timespec *t);
int timespec_get(struct timespec *t, int base);
static inline double difftime(time_t a, time_t b) { return (double)(a - b); }
struct tm *gmtime(const time_t *t);
struct tm *localtime(const time_t *t);
struct tm *gmtime_r(const time_t *YIMMO_R t, struct tm *YIMMO_R out);
struct tm *localtime_r(const time_t *YIMMO_R t, struct tm *YIMMO_R out);
time_t mktime(struct tm *t);
time_t timegm(struct tm *t);
size_t strftime(char *YIMMO_R s, size_t n, const char *YIMMO_R format, const struct tm *YIMMO_R t);
char *asctime(const struct tm *t);
char *asctime_r(const struct tm *YIMMO_R t, char *YIMMO_R out);
char *ctime(const time_t *t);
char *ctime_r(const time_t *t, char *out);
static inline void tzset(void) {}
int nanosleep(const struct timespec *t, struct timespec *left) YIMMO_NO_SLEEP;
int clock_nanosleep(clockid_t id, int flags, const struct timespec *t, struct timespec *left) YIMMO_NO_SLEEP;
YIMMO_LIBC_END
#endif
