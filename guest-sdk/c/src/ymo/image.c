/* Images: copies of the memory that a program can change. */
#include "ymo.h"

extern unsigned char __global_base[], __data_end[];

/* parts calls f, if given, for each run of memory that belongs to m. The heap's
 * first region must be the same at all times, so it is made before the first image. */
static size_t parts(const ymo_image *m, void (*f)(unsigned char *p, size_t n, unsigned char **copy))
{
	yimmo_heap_extent heap = yimmo_heap_first();
	unsigned char *copy = m->at;
	size_t total = 0, all = (size_t)(heap.end - heap.from) - 16;
	size_t used = (size_t)(m->heap_top - heap.from) + 32; /* with the head of the free block behind it */
	struct { unsigned char *p; size_t n; } run[4] = {
		{ __global_base, (size_t)(__data_end - __global_base) },
		{ heap.from, yimmo_min(used, all) },
		{ heap.end - 16, 16 }, /* the last head */
		{ yimmo_at(m->stack_low), m->stack_high - m->stack_low },
	};
	for (uint32_t i = 0; i < 4 + m->runs; i++) {
		unsigned char *p = i < 4 ? run[i].p : yimmo_at(m->log->run[i - 4].addr);
		size_t n = i < 4 ? run[i].n : (size_t)m->log->run[i - 4].pages * YIMMO_PAGE;
		total += n;
		if (f && n)
			f(p, n, &copy);
	}
	return total;
}

static void copy_out(unsigned char *p, size_t n, unsigned char **copy)
{
	yimmo_bytes_copy(*copy, p, n);
	*copy += n;
}

static void copy_back(unsigned char *p, size_t n, unsigned char **copy)
{
	yimmo_bytes_copy(p, *copy, n);
	*copy += n;
}

unsigned char *ymo_image_pages(size_t *n)
{
	yimmo_host_side *s = yimmo_side;
	*n = (*n + 15) & ~(size_t)15;
	if (*n <= s->spare_size) {
		unsigned char *p = s->spare;
		s->spare += *n;
		s->spare_size -= *n;
		return p;
	}
	yimmo_page_log *log = yimmo_page_log_on;
	yimmo_page_log_on = NULL;
	unsigned char *p = yimmo_pages(*n);
	yimmo_page_log_on = log;
	*n = (*n + YIMMO_PAGE - 1) / YIMMO_PAGE * YIMMO_PAGE;
	return p;
}

bool ymo_image_save(ymo_image *m)
{
	size_t n = parts(m, NULL);
	if (m->size < n) {
		m->size = n;
		m->at = ymo_image_pages(&m->size);
		if (!m->at)
			m->size = 0;
	}
	if (m->at)
		parts(m, copy_out);
	return m->at != NULL;
}

__attribute__((noinline)) void ymo_image_restore(const ymo_image *m) { parts(m, copy_back); }

void ymo_image_drop(ymo_image *m)
{
	if (m->at)
		yimmo_heap_donate(m->at, m->size);
	*m = (ymo_image){ 0 };
}
