#ifndef YIMMO_NETDB_H
#define YIMMO_NETDB_H
#include "sys/socket.h"
YIMMO_LIBC_BEGIN
struct addrinfo { int ai_flags, ai_family, ai_socktype, ai_protocol; socklen_t ai_addrlen; struct sockaddr *ai_addr; char *ai_canonname; struct addrinfo *ai_next; };
struct hostent { char *h_name; char **h_aliases; int h_addrtype, h_length; char **h_addr_list; };
int getaddrinfo(const char *YIMMO_R node, const char *YIMMO_R service, const struct addrinfo *YIMMO_R hints, struct addrinfo **YIMMO_R out) YIMMO_NO_SOCKETS;
void freeaddrinfo(struct addrinfo *a) YIMMO_NO_SOCKETS;
struct hostent *gethostbyname(const char *name) YIMMO_NO_SOCKETS;
YIMMO_LIBC_END
#endif
