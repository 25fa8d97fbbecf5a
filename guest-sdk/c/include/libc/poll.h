#ifndef YIMMO_POLL_H
#define YIMMO_POLL_H
#include "yimmo_libc.h"
#define POLLIN 1
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16
typedef unsigned long nfds_t;
struct pollfd { int fd; short events, revents; };
YIMMO_LIBC_BEGIN
int poll(struct pollfd *p, nfds_t n, int timeout) YIMMO_NO_SOCKETS;
YIMMO_LIBC_END
#endif
