#ifndef YIMMO_ERR_H
#define YIMMO_ERR_H
#include "yimmo_libc.h"
YIMMO_LIBC_BEGIN
void warn(const char *format, ...) YIMMO_FORMAT(1, 2);
void warnx(const char *format, ...) YIMMO_FORMAT(1, 2);
/* These trap, see exit. */
__attribute__((noreturn)) void err(int status, const char *format, ...) YIMMO_FORMAT(2, 3);
__attribute__((noreturn)) void errx(int status, const char *format, ...) YIMMO_FORMAT(2, 3);
YIMMO_LIBC_END
#endif
