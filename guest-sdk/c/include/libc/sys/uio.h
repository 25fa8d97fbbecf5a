#ifndef YIMMO_SYS_UIO_H
#define YIMMO_SYS_UIO_H
#include "types.h"
struct iovec { void *iov_base; size_t iov_len; };
YIMMO_LIBC_BEGIN
ssize_t readv(int fd, const struct iovec *v, int n) YIMMO_NO_FILES;
ssize_t writev(int fd, const struct iovec *v, int n) YIMMO_NO_FILES;
YIMMO_LIBC_END
#endif
