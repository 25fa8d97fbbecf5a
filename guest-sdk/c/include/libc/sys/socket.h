#ifndef YIMMO_SYS_SOCKET_H
#define YIMMO_SYS_SOCKET_H
#include "types.h"
#include "uio.h"
YIMMO_LIBC_BEGIN
typedef unsigned short sa_family_t;
struct sockaddr { sa_family_t sa_family; char sa_data[14]; };
struct sockaddr_storage { sa_family_t ss_family; char ss_data[126]; };
struct msghdr { void *msg_name; socklen_t msg_namelen; struct iovec *msg_iov; size_t msg_iovlen; };
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define PF_INET AF_INET
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_NONBLOCK 04000
#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SO_ERROR 4
#define SO_KEEPALIVE 9
#define SO_REUSEPORT 15
#define SOMAXCONN 4096
#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2
#define MSG_NOSIGNAL 0x4000
int socket(int domain, int type, int protocol) YIMMO_NO_SOCKETS;
int socketpair(int domain, int type, int protocol, int fd[2]) YIMMO_NO_SOCKETS;
int bind(int fd, const struct sockaddr *a, socklen_t n) YIMMO_NO_SOCKETS;
int listen(int fd, int backlog) YIMMO_NO_SOCKETS;
int accept(int fd, struct sockaddr *YIMMO_R a, socklen_t *YIMMO_R n) YIMMO_NO_SOCKETS;
int connect(int fd, const struct sockaddr *a, socklen_t n) YIMMO_NO_SOCKETS;
int shutdown(int fd, int how) YIMMO_NO_SOCKETS;
int getsockopt(int fd, int level, int name, void *YIMMO_R v, socklen_t *YIMMO_R n) YIMMO_NO_SOCKETS;
int setsockopt(int fd, int level, int name, const void *v, socklen_t n) YIMMO_NO_SOCKETS;
int getpeername(int fd, struct sockaddr *YIMMO_R a, socklen_t *YIMMO_R n) YIMMO_NO_SOCKETS;
int getsockname(int fd, struct sockaddr *YIMMO_R a, socklen_t *YIMMO_R n) YIMMO_NO_SOCKETS;
ssize_t send(int fd, const void *p, size_t n, int flags) YIMMO_NO_SOCKETS;
ssize_t recv(int fd, void *p, size_t n, int flags) YIMMO_NO_SOCKETS;
ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t len) YIMMO_NO_SOCKETS;
ssize_t recvfrom(int fd, void *YIMMO_R p, size_t n, int flags, struct sockaddr *YIMMO_R a, socklen_t *YIMMO_R len) YIMMO_NO_SOCKETS;
ssize_t sendmsg(int fd, const struct msghdr *m, int flags) YIMMO_NO_SOCKETS;
ssize_t recvmsg(int fd, struct msghdr *m, int flags) YIMMO_NO_SOCKETS;
YIMMO_LIBC_END
#endif
