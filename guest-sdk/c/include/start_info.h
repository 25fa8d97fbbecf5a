/* start_info.h - the examples of libyimmo include a file of this name that greets
 * the terminal. A program that has its own gets its own. */
#ifndef YIMMO_START_INFO_H
#define YIMMO_START_INFO_H

#include "yimmo.h"
#include "ymo_log.h"

static inline void issue_startup_msg(void)
{
	ymo_log(YMO_LOG_INFO, "libyimmo %s interface, log level %s", ymo_version_str(),
		ymo_log_get_level_name(ymo_log_get_level()));
}

#endif
