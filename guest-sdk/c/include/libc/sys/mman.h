#ifndef YIMMO_SYS_MMAN_H
#define YIMMO_SYS_MMAN_H
#include "types.h"
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_FAILED ((void *)-1)
YIMMO_LIBC_BEGIN
void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t from) YIMMO_NO_FILES;
int munmap(void *p, size_t n) YIMMO_NO_FILES;
YIMMO_LIBC_END
#endif
