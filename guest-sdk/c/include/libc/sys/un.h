#ifndef YIMMO_SYS_UN_H
#define YIMMO_SYS_UN_H
#include "socket.h"
struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; };
#endif
