/* The heap: free lists by size, neighbours joined when they are freed.
 *
 *     region   block block block ... end
 *     block    u32 size | in use, u32 size of the block before, u32 mark, u32 spare, payload
 *
 * Blocks are multiples of 16 bytes, payloads are aligned to 16. A free block
 * holds the links of its list in its payload. The list of a block is chosen by
 * the top three bits of its size, so any block of the next list up fits: finding
 * one takes a look at a few blocks of the list itself and then at a bitmap.
 *
 * mark tells blocks in use from free ones and from anything else, so freeing
 * twice and freeing what was never allocated trap instead of doing harm later.
 */
#include "core.h"

#define HEAD 16u
#define SMALLEST 32u /* head and two links */
#define IN_USE 1u
#define MARK_USED 0x55a11c47u
#define MARK_FREE 0x1db10c4bu
#define LISTS 120u   /* four for each power of two from 2^4 */
#define LOOKS 8      /* at blocks of the list that may or may not fit */
#define LARGEST 0x7ffff000u

typedef struct block {
	uint32_t size;
	uint32_t before;
	uint32_t mark;
	uint32_t spare;
	struct block *next, *prev; /* only while free */
} block;

struct yimmo_heap {
	bool ready;
	uint32_t map[(LISTS + 31) / 32]; /* bit set: the list is not empty */
	block *list[LISTS];
	unsigned char *end; /* of the region that was added last */
	unsigned char *first_end, *first_top; /* of the first region: its end, the end of what was ever in use */
	size_t total;
};

static yimmo_heap heap;

YIMMO_TRAP(yimmo_heap_freed_twice_or_never_allocated)

static uint32_t size_of(const block *b) { return b->size & ~15u; }
static bool in_use(const block *b) { return b->size & IN_USE; }
static block *after(const block *b) { return (block *)((unsigned char *)b + size_of(b)); }
static block *before(const block *b) { return (block *)((unsigned char *)b - b->before); }
static void *payload(const block *b) { return (unsigned char *)b + HEAD; }
static uint32_t mark_for(const block *b, uint32_t mark) { return mark ^ (uint32_t)(uintptr_t)b; }

/* list_of is the list for free blocks of size bytes. */
static uint32_t list_of(uint32_t size)
{
	uint32_t log = 31u - (uint32_t)__builtin_clz(size);
	return (log - 4) * 4 + ((size >> (log - 2)) & 3);
}

static void list_insert(block *b)
{
	uint32_t l = list_of(b->size);
	b->mark = mark_for(b, MARK_FREE);
	b->prev = NULL;
	b->next = heap.list[l];
	if (b->next)
		b->next->prev = b;
	heap.list[l] = b;
	heap.map[l / 32] |= 1u << (l % 32);
}

static void take_out(block *b)
{
	uint32_t l = list_of(b->size);
	if (b->next)
		b->next->prev = b->prev;
	if (b->prev)
		b->prev->next = b->next;
	else if (!(heap.list[l] = b->next))
		heap.map[l / 32] &= ~(1u << (l % 32));
}

/* set_size writes size and use of b, and tells the block behind it. */
static void set_size(block *b, uint32_t size, uint32_t use)
{
	b->size = size | use;
	after(b)->before = size;
}

/* give_back joins b, which is in no list, with free neighbours and lists it. */
static void give_back(block *b)
{
	uint32_t size = size_of(b);
	block *n = after(b);
	if (!in_use(n)) {
		take_out(n);
		size += n->size;
	}
	if (b->before && !in_use(before(b))) {
		b = before(b);
		take_out(b);
		size += b->size;
	}
	set_size(b, size, 0);
	list_insert(b);
}

/* add_region makes n bytes at p part of the heap. Both are multiples of 16. */
static void add_region(unsigned char *p, size_t n)
{
	if (n < SMALLEST + HEAD)
		return;
	n = yimmo_min(n, (size_t)LARGEST);
	block *b;
	if (p == heap.end) { /* the old end becomes the head of the new block */
		b = (block *)(p - HEAD);
		b->size = (uint32_t)n | IN_USE;
	} else {
		b = (block *)p;
		b->before = 0;
		b->size = (uint32_t)(n - HEAD) | IN_USE;
	}
	heap.end = p + n;
	heap.total += n;
	block *end = (block *)(heap.end - HEAD);
	end->size = HEAD | IN_USE;
	end->mark = 0;
	end->before = size_of(b);
	give_back(b);
}

#if defined(__wasm__)
extern unsigned char __heap_base[];

/* What the module's first pages have left behind its data. */
static void first_region(void)
{
	uintptr_t p = ((uintptr_t)__heap_base + 15) & ~(uintptr_t)15;
	uintptr_t end = (p + YIMMO_PAGE - 1) & ~(uintptr_t)(YIMMO_PAGE - 1);
	heap.first_end = heap.first_top = (unsigned char *)p;
	if (end > p) {
		add_region((unsigned char *)p, end - p);
		heap.first_end = (unsigned char *)end;
	}
}

yimmo_heap_extent yimmo_heap_first(void)
{
	uintptr_t p = ((uintptr_t)__heap_base + 15) & ~(uintptr_t)15;
	if (!heap.ready)
		return (yimmo_heap_extent){ (unsigned char *)p, (unsigned char *)p, (unsigned char *)p };
	return (yimmo_heap_extent){ (unsigned char *)p, heap.first_top, heap.first_end };
}
#else
static void first_region(void) {}
#endif

YIMMO_COLD static bool grow(uint32_t need)
{
	size_t least = (size_t)need + HEAD;
	size_t n = yimmo_min(heap.total / 8, (size_t)16 << 20);
	n = (n < least ? least : n) + YIMMO_PAGE - 1;
	n -= n % YIMMO_PAGE;
	least += YIMMO_PAGE - 1;
	least -= least % YIMMO_PAGE;
	unsigned char *p = yimmo_pages(n);
	if (!p && n > least)
		p = yimmo_pages(n = least);
	if (!p)
		return false;
	add_region(p, n);
	return true;
}

/* find takes a free block of at least need bytes out of its list. */
static block *find(uint32_t need)
{
	uint32_t l = list_of(need);
	block *b = heap.list[l];
	for (int i = 0; b && i < LOOKS; i++, b = b->next)
		if (b->size >= need) {
			take_out(b);
			return b;
		}
	l++;
	for (uint32_t w = l / 32; w < sizeof heap.map / sizeof *heap.map; w++) {
		uint32_t bits = heap.map[w];
		if (w == l / 32)
			bits &= ~0u << (l % 32);
		if (bits) {
			b = heap.list[w * 32 + (uint32_t)__builtin_ctz(bits)];
			take_out(b);
			return b;
		}
	}
	return NULL;
}

/* cut leaves b with need bytes and gives the rest back when it is a block. */
static void cut(block *b, uint32_t need)
{
	uint32_t size = size_of(b);
	if (size - need >= SMALLEST) {
		set_size(b, need, IN_USE);
		block *rest = after(b);
		set_size(rest, size - need, IN_USE);
		give_back(rest);
	} else {
		set_size(b, size, IN_USE);
	}
	b->mark = mark_for(b, MARK_USED);
	unsigned char *end = (unsigned char *)after(b);
	if (end > heap.first_top && end <= heap.first_end)
		heap.first_top = end;
}

/* block_size is the size of a block for n bytes of payload, 0 if there is none. */
static uint32_t block_size(size_t n)
{
	if (n > LARGEST - 2 * YIMMO_PAGE)
		return 0;
	uint32_t need = ((uint32_t)n + HEAD + 15) & ~15u;
	return need < SMALLEST ? SMALLEST : need;
}

void *yimmo_alloc(size_t n)
{
	uint32_t need = block_size(n);
	if (!need)
		return NULL;
	if (!heap.ready) {
		heap.ready = true;
		first_region();
	}
	block *b = find(need);
	if (!b) {
		if (!grow(need) || !(b = find(need)))
			return NULL;
	}
	cut(b, need);
	return payload(b);
}

/* used is the block of a payload, which must be in use. */
static block *used(const void *p)
{
	block *b = (block *)((uintptr_t)p - HEAD);
	if ((uintptr_t)p % 16 || (uintptr_t)p <= HEAD || b->mark != mark_for(b, MARK_USED))
		yimmo_heap_freed_twice_or_never_allocated();
	return b;
}

void yimmo_free(void *p)
{
	if (p) {
		block *b = used(p);
		b->mark = 0;
		give_back(b);
	}
}

size_t yimmo_alloc_size(const void *p) { return size_of(used(p)) - HEAD; }

void *yimmo_resize(void *p, size_t n)
{
	if (!p)
		return yimmo_alloc(n);
	block *b = used(p), *next = after(b);
	uint32_t need = block_size(n), size = size_of(b);
	if (!need)
		return NULL;
	if (size < need && !in_use(next) && size + next->size >= need) {
		take_out(next);
		size += next->size;
		set_size(b, size, IN_USE);
	}
	if (size >= need) {
		cut(b, need);
		return p;
	}
	void *q = yimmo_alloc(n);
	if (q) {
		yimmo_bytes_copy(q, p, size - HEAD);
		yimmo_free(p);
	}
	return q;
}

/* align is a power of two, at most one page. */
void *yimmo_alloc_aligned(size_t align, size_t n)
{
	if (!align || align & (align - 1) || align > YIMMO_PAGE || !block_size(n))
		return NULL;
	if (align <= 16)
		return yimmo_alloc(n);
	unsigned char *p = yimmo_alloc(n + align + SMALLEST);
	if (!p)
		return NULL;
	unsigned char *at = p;
	if ((uintptr_t)p % align) { /* leave room for a block in front */
		uintptr_t want = ((uintptr_t)p + SMALLEST + align - 1) & ~(uintptr_t)(align - 1);
		at = p + (want - (uintptr_t)p);
	}
	block *b = used(p);
	if (at != p) {
		uint32_t front = (uint32_t)(at - p), size = size_of(b);
		set_size(b, front, IN_USE);
		block *rest = after(b);
		set_size(rest, size - front, IN_USE);
		b->mark = 0;
		give_back(b);
		b = rest;
	}
	cut(b, block_size(n));
	return at;
}

/* Pages that somebody took from yimmo_pages and needs no more. */
void yimmo_heap_donate(void *p, size_t n)
{
	add_region(p, n);
}
