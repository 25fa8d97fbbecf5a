#ifndef YIMMO_SYS_TYPES_H
#define YIMMO_SYS_TYPES_H
#include "../yimmo_libc.h"
typedef long ssize_t;
typedef int64_t time_t;
typedef int64_t off_t;
typedef int pid_t;
typedef unsigned uid_t, gid_t, mode_t, useconds_t;
typedef long suseconds_t;
typedef int clockid_t;
typedef uint64_t ino_t, dev_t;
typedef unsigned socklen_t;
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned u_int;
typedef unsigned long u_long;
#endif
