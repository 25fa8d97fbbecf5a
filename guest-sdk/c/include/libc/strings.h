#ifndef YIMMO_STRINGS_H
#define YIMMO_STRINGS_H
#include "string.h"
#define bzero(p, n) ((void)memset((p), 0, (n)))
#define bcopy(from, to, n) ((void)memmove((to), (from), (n)))
#define bcmp(a, b, n) memcmp((a), (b), (n))
#define index(s, c) strchr((s), (c))
#define rindex(s, c) strrchr((s), (c))
static inline int ffs(int v) { return __builtin_ffs(v); }
#endif
