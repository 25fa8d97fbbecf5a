#ifndef YIMMO_SYS_IOCTL_H
#define YIMMO_SYS_IOCTL_H
#include "types.h"
YIMMO_LIBC_BEGIN
int ioctl(int fd, unsigned long request, ...) YIMMO_NO_FILES;
YIMMO_LIBC_END
#endif
