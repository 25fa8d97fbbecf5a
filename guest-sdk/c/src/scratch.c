/* Scratch: memory for the payloads of commands. It lasts until the host has read
 * every command that was given, which is when the next call begins without any
 * left over; then all of it is free again. The first chunk is kept, so a turn
 * that needs little allocates nothing. */
#include "core.h"

#define CHUNK 4096u

typedef struct chunk {
	struct chunk *older;
	size_t size, used;
	_Alignas(16) unsigned char bytes[];
} chunk;

static chunk *newest;

void *yimmo_scratch(size_t n)
{
	if (n > UINT32_MAX / 2)
		return NULL;
	n = (n + 15) & ~(size_t)15;
	if (!newest || newest->size - newest->used < n) {
		size_t size = n > CHUNK ? n : CHUNK;
		chunk *c = yimmo_alloc(sizeof *c + size);
		if (!c)
			return NULL;
		*c = (chunk){ .older = newest, .size = size };
		newest = c;
	}
	void *p = newest->bytes + newest->used;
	newest->used += n;
	return p;
}

void yimmo_scratch_reset(void)
{
	while (newest && newest->older) {
		chunk *c = newest;
		newest = c->older;
		yimmo_free(c);
	}
	if (newest)
		newest->used = 0;
}

void *yimmo_copy(const void *data, size_t len)
{
	void *p = yimmo_scratch(len);
	if (p && len)
		yimmo_bytes_copy(p, data, len);
	return p;
}
