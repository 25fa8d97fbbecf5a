#ifndef YIMMO_ARPA_INET_H
#define YIMMO_ARPA_INET_H
#include "../netinet/in.h"
YIMMO_LIBC_BEGIN
const char *inet_ntop(int af, const void *YIMMO_R a, char *YIMMO_R s, socklen_t n) YIMMO_NO_SOCKETS;
int inet_pton(int af, const char *YIMMO_R s, void *YIMMO_R a) YIMMO_NO_SOCKETS;
char *inet_ntoa(struct in_addr a) YIMMO_NO_SOCKETS;
in_addr_t inet_addr(const char *s) YIMMO_NO_SOCKETS;
YIMMO_LIBC_END
#endif
