#ifndef YIMMO_SYS_EPOLL_H
#define YIMMO_SYS_EPOLL_H
#include "types.h"
#define EPOLLIN 1
#define EPOLLOUT 4
#define EPOLL_CTL_ADD 1
struct epoll_event { uint32_t events; union { void *ptr; int fd; uint32_t u32; uint64_t u64; } data; };
YIMMO_LIBC_BEGIN
int epoll_create1(int flags) YIMMO_NO_SOCKETS;
int epoll_ctl(int ep, int op, int fd, struct epoll_event *e) YIMMO_NO_SOCKETS;
int epoll_wait(int ep, struct epoll_event *e, int n, int timeout) YIMMO_NO_SOCKETS;
YIMMO_LIBC_END
#endif
