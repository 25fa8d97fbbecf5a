#ifndef YIMMO_SYS_WAIT_H
#define YIMMO_SYS_WAIT_H
#include "types.h"
#define WNOHANG 1
#define WIFEXITED(s) (((s) & 127) == 0)
#define WEXITSTATUS(s) ((s) >> 8 & 255)
YIMMO_LIBC_BEGIN
pid_t wait(int *status) YIMMO_NO_PROCESS;
pid_t waitpid(pid_t pid, int *status, int options) YIMMO_NO_PROCESS;
YIMMO_LIBC_END
#endif
