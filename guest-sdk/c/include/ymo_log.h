/* ymo_log.h - libyimmo's logging. Lines go to the host's log, with the session
 * whose callback is running. FATAL and ERROR become error, WARNING warn, NOTICE
 * and INFO info, DEBUG debug, TRACE trace; what of it is shown is the host's
 * setting, so the level here is TRACE until the program sets another one. */
#ifndef YMO_LOG_H
#define YMO_LOG_H

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "ev.h"
#include "ymo_attrs.h"

YIMMO_BEGIN

typedef enum ymo_log_level {
	YMO_LOG_FATAL,
	YMO_LOG_ERROR,
	YMO_LOG_WARNING,
	YMO_LOG_NOTICE,
	YMO_LOG_INFO,
	YMO_LOG_DEBUG,
	YMO_LOG_TRACE,
} ymo_log_level_t;

/* Takes the level from the configuration key YIMMO_LOG_LEVEL, if there is one; getenv
 * tells how it may be spelled. */
void ymo_log_init(void);
void ymo_log(ymo_log_level_t level, const char *fmt, ...) YIMMO_PRINTF(2, 3);
void ymo_log_msg(ymo_log_level_t level, const char *msg);
ymo_log_level_t ymo_log_get_level(void);
const char *ymo_log_get_level_name(ymo_log_level_t level);
/* Both return the level that is then in force. A name may be in lower case; an unknown
 * one changes nothing. */
ymo_log_level_t ymo_log_set_level(ymo_log_level_t level);
ymo_log_level_t ymo_log_set_level_by_name(const char *level_name);

/* What the macros for DEBUG and TRACE call: the line begins with where it is from. */
void yimmo_log_at(ymo_log_level_t level, const char *function, int line, const char *fmt, ...) YIMMO_PRINTF(4, 5);
void yimmo_log_at_uuid(ymo_log_level_t level, const char *function, int line, const char *fmt, const uuid_t id, ...)
	YIMMO_PRINTF(4, 6);

YIMMO_END

/* Levels above this one are not compiled in: 0 FATAL to 6 TRACE. */
#ifndef YMO_LOG_LEVEL_MAX
#define YMO_LOG_LEVEL_MAX 4
#endif
#ifndef YMO_LOG_LEVEL_DEFAULT
#define YMO_LOG_LEVEL_DEFAULT 3
#endif

#if YMO_LOG_LEVEL_MAX >= 0
#define ymo_log_fatal(...) ymo_log(YMO_LOG_FATAL, __VA_ARGS__)
#else
#define ymo_log_fatal(...) ((void)0)
#endif

#if YMO_LOG_LEVEL_MAX >= 1
#define ymo_log_error(...) ymo_log(YMO_LOG_ERROR, __VA_ARGS__)
#else
#define ymo_log_error(...) ((void)0)
#endif

#if YMO_LOG_LEVEL_MAX >= 2
#define ymo_log_warning(...) ymo_log(YMO_LOG_WARNING, __VA_ARGS__)
#else
#define ymo_log_warning(...) ((void)0)
#endif

#if YMO_LOG_LEVEL_MAX >= 3
#define ymo_log_notice(...) ymo_log(YMO_LOG_NOTICE, __VA_ARGS__)
#else
#define ymo_log_notice(...) ((void)0)
#endif

#if YMO_LOG_LEVEL_MAX >= 4
#define ymo_log_info(...) ymo_log(YMO_LOG_INFO, __VA_ARGS__)
#else
#define ymo_log_info(...) ((void)0)
#endif

#if YMO_LOG_LEVEL_MAX >= 5
#define ymo_log_debug(...)      yimmo_log_at(YMO_LOG_DEBUG, __func__, __LINE__, __VA_ARGS__)
#define ymo_log_debug_uuid(...) yimmo_log_at_uuid(YMO_LOG_DEBUG, __func__, __LINE__, __VA_ARGS__)
#else
#define ymo_log_debug(...) ((void)0)
#define ymo_log_debug_uuid(...) ((void)0)
#endif

#if YMO_LOG_LEVEL_MAX >= 6
#define ymo_log_trace(...)      yimmo_log_at(YMO_LOG_TRACE, __func__, __LINE__, __VA_ARGS__)
#define ymo_log_trace_uuid(...) yimmo_log_at_uuid(YMO_LOG_TRACE, __func__, __LINE__, __VA_ARGS__)
#else
#define ymo_log_trace(...) ((void)0)
#define ymo_log_trace_uuid(...) ((void)0)
#endif

#endif
