/* ymo_blalloc.h - libyimmo's block allocator: memory that is freed all at once. */
#ifndef YMO_BLOCK_ALLOC_H
#define YMO_BLOCK_ALLOC_H

#include <stdalign.h>
#include <stddef.h>

#include "yimmo.h"

YIMMO_BEGIN

#define YMO_TYPE_ALIGN(s)    ((s) - 1)
#define YMO_TYPE_FLOOR(s, p) (((uintptr_t)(p)) & ~YMO_TYPE_ALIGN(s))
#define YMO_TYPE_CEIL(s, p)  ((((uintptr_t)(p)) + YMO_TYPE_ALIGN(s)) & ~YMO_TYPE_ALIGN(s))

typedef unsigned char blit_t;

typedef struct ymo_blalloc {
	blit_t *current;
	blit_t *end;
	size_t total;
	size_t remain;
	blit_t val[];
} ymo_blalloc_t;

ymo_blalloc_t *ymo_blalloc_create(size_t n) YMO_FUNC_MALLOC;
/* NULL and errno ENOMEM when the block is full. a is a power of two. */
void *ymo_blalloc(ymo_blalloc_t *block, size_t a, size_t n);
char *ymo_blalloc_strdup(ymo_blalloc_t *block, const char *s);
void ymo_blalloc_reset(ymo_blalloc_t *block);
void ymo_blalloc_free(ymo_blalloc_t *block);

#define YMO_BLALLOC(b, t) ((t *)ymo_blalloc((b), alignof(t), sizeof(t)))

YIMMO_END

#endif
