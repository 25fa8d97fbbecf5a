#ifndef YIMMO_DLFCN_H
#define YIMMO_DLFCN_H
#include "yimmo_libc.h"
#define RTLD_LAZY 1
#define RTLD_NOW 2
YIMMO_LIBC_BEGIN
void *dlopen(const char *path, int flags) YIMMO_NO_FILES;
void *dlsym(void *YIMMO_R h, const char *YIMMO_R name) YIMMO_NO_FILES;
int dlclose(void *h) YIMMO_NO_FILES;
YIMMO_LIBC_END
#endif
