/* The heap under stress: blocks of all sizes come and go, each full of a pattern of
 * its own; memory runs out now and then.
 *
 *     heap SEED ROUNDS
 */
#include "native.h"

#include "../../src/heap.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 3000
#define LIMIT (14u << 20)

uint64_t test_seed = 1;

uint64_t test_random(void)
{
	uint64_t z = test_seed += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	return z ^ z >> 31;
}

/* Pages come from one arena, in order and with gaps: both ways to grow. */
static unsigned char *arena;
static size_t taken, given;

void *yimmo_pages(size_t bytes)
{
	bytes = (bytes + YIMMO_PAGE - 1) / YIMMO_PAGE * YIMMO_PAGE;
	if (bytes > LIMIT || given > LIMIT - bytes)
		return NULL;
	if (test_random() % 3 == 0)
		taken += YIMMO_PAGE;
	void *p = arena + taken;
	taken += bytes;
	given += bytes;
	return p;
}

static struct { unsigned char *p; size_t n; unsigned char fill; } held[BLOCKS];

static void check(size_t i)
{
	for (size_t k = 0; k < held[i].n; k++)
		if (held[i].p[k] != held[i].fill) {
			fprintf(stderr, "block %zu of %zu bytes: byte %zu changed\n", i, held[i].n, k);
			exit(1);
		}
}

static void fill(size_t i, unsigned char *p, size_t n)
{
	held[i].p = p;
	held[i].n = n;
	held[i].fill = (unsigned char)test_random();
	if (p)
		memset(p, held[i].fill, n);
}

static size_t some_size(void)
{
	switch (test_random() % 16) {
	case 0: return test_random() % 200000;
	case 1: case 2: case 3: return test_random() % 5000;
	case 4: return 0;
	default: return test_random() % 200;
	}
}

/* walk checks the whole arena's bookkeeping by taking every free block out. */
static void lists(void)
{
	for (uint32_t l = 0; l < LISTS; l++) {
		if (!heap.list[l] != !(heap.map[l / 32] >> (l % 32) & 1))
			exit(fprintf(stderr, "list %u and the map disagree\n", l));
		for (block *b = heap.list[l]; b; b = b->next)
			if (in_use(b) || list_of(b->size) != l || after(b)->before != b->size || !in_use(after(b))
				|| b->mark != mark_for(b, MARK_FREE))
				exit(fprintf(stderr, "list %u has a bad block\n", l));
	}
}

int main(int argc, char **argv)
{
	long rounds = argc > 2 ? atol(argv[2]) : 300000;
	size_t refused = 0;
	test_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	arena = aligned_alloc(YIMMO_PAGE, 64u << 20);
	if (yimmo_alloc(SIZE_MAX) || yimmo_alloc(LARGEST) || yimmo_alloc_aligned(3, 8) || yimmo_alloc_aligned(1u << 20, 8))
		exit(fprintf(stderr, "sizes that cannot be were given\n"));
	for (long r = 0; r < rounds; r++) {
		size_t i = test_random() % BLOCKS, n = some_size();
		unsigned char *p = held[i].p;
		if (!p) {
			size_t align = (size_t)1 << test_random() % 13;
			p = test_random() % 8 ? yimmo_alloc(n) : yimmo_alloc_aligned(align = align < 16 ? 16 : align, n);
			if (p && (uintptr_t)p % 16)
				exit(fprintf(stderr, "not aligned\n"));
			if (p && yimmo_alloc_size(p) < n)
				exit(fprintf(stderr, "too small\n"));
			fill(i, p, n);
			refused += !p;
		} else if (test_random() % 3 == 0) {
			check(i);
			unsigned char *q = yimmo_resize(p, n);
			if (q) {
				size_t kept = n < held[i].n ? n : held[i].n;
				for (size_t k = 0; k < kept; k++)
					if (q[k] != held[i].fill)
						exit(fprintf(stderr, "resize lost byte %zu\n", k));
				fill(i, q, n);
			}
		} else {
			check(i);
			yimmo_free(p);
			held[i].p = NULL;
		}
		if (r % 5000 == 0)
			lists();
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		if (held[i].p)
			check(i);
		yimmo_free(held[i].p);
	}
	lists();
	/* All is free, so all of it has grown together again: what a region can give, it gives. */
	unsigned blocks = 0;
	for (uint32_t l = 0; l < LISTS; l++)
		for (block *b = heap.list[l]; b; b = b->next)
			blocks++;
	fprintf(stderr, "%zu KiB given, %zu requests refused, %u blocks at the end\n", given >> 10, refused, blocks);
	return blocks > 400;
}
