/* ymo_log: to the host's log. */
#include "ymo.h"

static ymo_log_level_t level_now = YMO_LOG_TRACE;

static const struct { const char *name; uint8_t level; } levels[] = {
	{ "FATAL", YIMMO_LEVEL_ERROR }, { "ERROR", YIMMO_LEVEL_ERROR }, { "WARNING", YIMMO_LEVEL_WARN },
	{ "NOTICE", YIMMO_LEVEL_INFO }, { "INFO", YIMMO_LEVEL_INFO }, { "DEBUG", YIMMO_LEVEL_DEBUG },
	{ "TRACE", YIMMO_LEVEL_TRACE },
};

#define LEVELS ((int)(sizeof levels / sizeof *levels))

static ymo_log_level_t within(ymo_log_level_t l)
{
	return (int)l < 0 ? YMO_LOG_FATAL : (int)l >= LEVELS ? YMO_LOG_TRACE : l;
}

void ymo_log(ymo_log_level_t level, const char *fmt, ...)
{
	level = within(level);
	if (level > level_now)
		return;
	int saved = errno;
	va_list args;
	va_start(args, fmt);
	yimmo_log_va(levels[level].level, yimmo_log_session, fmt, args);
	va_end(args);
	errno = saved;
}

/* from writes a line that begins with prefix. */
static void from(ymo_log_level_t level, const char *prefix, const char *fmt, va_list args)
{
	int saved = errno, n = yimmo_vformat(NULL, 0, fmt, args);
	size_t before = strlen(prefix), all = yimmo_min(before + (size_t)n, (size_t)YIMMO_MAX_LOG);
	char *line = n < 0 ? NULL : yimmo_scratch(all + 1);
	if (line) {
		memcpy(line, prefix, before);
		yimmo_vformat(line + before, all - before + 1, fmt, args);
		yimmo_log_text(levels[level].level, yimmo_log_session, line, all);
	}
	errno = saved;
}

/* A function's name may be of any length; more of it than this is cut off. */
#define PREFIX 200

void yimmo_log_at(ymo_log_level_t level, const char *function, int line, const char *fmt, ...)
{
	char prefix[PREFIX];
	if (level > level_now)
		return;
	yimmo_format(prefix, sizeof prefix, "%.120s:%d: ", function, line);
	va_list args;
	va_start(args, fmt);
	from(level, prefix, fmt, args);
	va_end(args);
}

void yimmo_log_at_uuid(ymo_log_level_t level, const char *function, int line, const char *fmt, const uuid_t id, ...)
{
	char prefix[PREFIX], name[UUID_STR_LEN];
	if (level > level_now)
		return;
	uuid_unparse(id, name);
	yimmo_format(prefix, sizeof prefix, "%.120s:%d (%s): ", function, line, name);
	va_list args;
	va_start(args, id);
	from(level, prefix, fmt, args);
	va_end(args);
}

void ymo_log_msg(ymo_log_level_t level, const char *msg) { ymo_log(level, "%s", msg); }
ymo_log_level_t ymo_log_get_level(void) { return level_now; }
const char *ymo_log_get_level_name(ymo_log_level_t level) { return levels[within(level)].name; }
ymo_log_level_t ymo_log_set_level(ymo_log_level_t level) { return level_now = within(level); }

ymo_log_level_t ymo_log_set_level_by_name(const char *name)
{
	for (int i = 0; name && i < LEVELS; i++)
		if (!strcasecmp(name, levels[i].name))
			level_now = (ymo_log_level_t)i;
	return level_now;
}

void ymo_log_init(void) { ymo_log_set_level_by_name(ymo_setting("YIMMO_LOG_LEVEL")); }
