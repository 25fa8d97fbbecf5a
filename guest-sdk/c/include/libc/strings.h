#ifndef YIMMO_STRINGS_H
#define YIMMO_STRINGS_H
#include "string.h"
YIMMO_LIBC_BEGIN
static inline void bzero(void *p, size_t n) { memset(p, 0, n); }
static inline void bcopy(const void *from, void *to, size_t n) { memmove(to, from, n); }
static inline int bcmp(const void *a, const void *b, size_t n) { return memcmp(a, b, n); }
static inline char *index(const char *s, int c) { return strchr(s, c); }
static inline char *rindex(const char *s, int c) { return strrchr(s, c); }
static inline int ffs(int v) { return __builtin_ffs(v); }
YIMMO_LIBC_END
#endif
