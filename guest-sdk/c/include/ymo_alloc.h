/* ymo_alloc.h - libyimmo's names for malloc and free. */
#ifndef YMO_ALLOC_H
#define YMO_ALLOC_H

#include <stdlib.h>

#include "yimmo.h"

#define ymo_alloc0(n)    calloc(1, (n))
#define YMO_ALLOC(n)     malloc(n)
#define YMO_ALLOC0(n)    ymo_alloc0(n)
/* YMO_FREE(p) and the older YMO_FREE(n, p). */
#define YMO_FREE(...)    YIMMO_FREE_LAST_(__VA_ARGS__, YIMMO_FREE_2_, YIMMO_FREE_1_, )(__VA_ARGS__)
#define YIMMO_FREE_LAST_(a, b, name, ...) name
#define YIMMO_FREE_1_(p) free(p)
#define YIMMO_FREE_2_(n, p) free(p)
#define YMO_NEW(t)       ((t *)malloc(sizeof(t)))
#define YMO_NEW0(t)      ((t *)ymo_alloc0(sizeof(t)))
#define YMO_DELETE(t, p) free(p)

#endif
