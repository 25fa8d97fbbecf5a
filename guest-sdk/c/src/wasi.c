/* With wasi-libc: its heap. */
#include "core.h"

#include <stdlib.h>

void *yimmo_alloc(size_t n) { return malloc(n); }
void *yimmo_resize(void *p, size_t n) { return realloc(p, n ? n : 1); }
void yimmo_free(void *p) { free(p); }
