/* The system log is the host's log. */
#ifndef YIMMO_SYSLOG_H
#define YIMMO_SYSLOG_H
#include <stdarg.h>
#include "yimmo_libc.h"
YIMMO_LIBC_BEGIN
#define LOG_EMERG 0
#define LOG_ALERT 1
#define LOG_CRIT 2
#define LOG_ERR 3
#define LOG_WARNING 4
#define LOG_NOTICE 5
#define LOG_INFO 6
#define LOG_DEBUG 7
#define LOG_USER 8
#define LOG_DAEMON 24
#define LOG_LOCAL0 128
#define LOG_PID 1
#define LOG_CONS 2
#define LOG_NDELAY 8
#define LOG_PERROR 32
void syslog(int level, const char *format, ...) YIMMO_FORMAT(2, 3);
void vsyslog(int level, const char *format, va_list args) YIMMO_FORMAT(2, 0);
static inline void openlog(const char *name, int options, int facility) { (void)name; (void)options; (void)facility; }
static inline void closelog(void) {}
static inline int setlogmask(int mask) { return mask; }
YIMMO_LIBC_END
#endif
