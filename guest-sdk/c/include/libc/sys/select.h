#ifndef YIMMO_SYS_SELECT_H
#define YIMMO_SYS_SELECT_H
#include "time.h"
typedef struct { unsigned long bits[32]; } fd_set;
YIMMO_LIBC_BEGIN
int select(int n, fd_set *YIMMO_R r, fd_set *YIMMO_R w, fd_set *YIMMO_R e, struct timeval *YIMMO_R t) YIMMO_NO_SOCKETS;
YIMMO_LIBC_END
#endif
