#ifndef YIMMO_LIBGEN_H
#define YIMMO_LIBGEN_H
#include "yimmo_libc.h"
YIMMO_LIBC_BEGIN
char *basename(char *path);
char *dirname(char *path);
YIMMO_LIBC_END
#endif
