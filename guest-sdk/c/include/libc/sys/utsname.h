#ifndef YIMMO_SYS_UTSNAME_H
#define YIMMO_SYS_UTSNAME_H
#include "types.h"
struct utsname { char sysname[65], nodename[65], release[65], version[65], machine[65]; };
YIMMO_LIBC_BEGIN
int uname(struct utsname *u) YIMMO_NO_SYSTEM;
YIMMO_LIBC_END
#endif
